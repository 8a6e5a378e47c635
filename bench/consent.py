"""A random life of a shop, ten thousand steps: people agree, withdraw, object, pause, complain, are joined, parted and erased while campaigns leave.

The play is the test `tests/activate/test_consent_machine.py`; continuous integration plays eighty of its steps. Whatever happens, no letter may leave
without a valid row of the ledger at that instant: asked of the tables by a rule of its own, and of what the people in the play remember having said.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from bench.result import Result

ROOT = Path(__file__).parents[1]
PLAY = "tests/activate/test_consent_machine.py"


def main(options: list[str]) -> list[Result]:
    """Play so many steps (`--steps`); one letter without a valid row ends it."""
    parser = argparse.ArgumentParser(prog="python -m bench consent")
    parser.add_argument("--steps", type=int, default=10_000)
    steps = parser.parse_args(options).steps
    began = time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-q", "-s", "--timeout=0", "-p", "no:cacheprovider", PLAY]
    played = subprocess.run(command, cwd=ROOT, env=os.environ | {"CONSENT_STEPS": str(steps)}, capture_output=True, text=True, check=False)
    held = played.returncode == 0
    if not held:
        print(played.stdout[-4_000:], file=sys.stderr)
    how = f"at least {steps:,} steps in {time.perf_counter() - began:.0f} s; truth asked of the tables and of the people, never of the gate"
    return [Result("letters without a valid row at that instant", 0 if held else 1, "letters", "0", held, how)]
