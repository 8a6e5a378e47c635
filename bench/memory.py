"""What a whole installation weighs at rest after the demonstration: proportional set size of every process, from the kernel."""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.result import Result

REST_SECONDS = 20.0


def proportional_bytes(pid: int) -> int:
    """Pss of a process: its own pages, and its share of those it shares (Documentation/filesystems/proc.rst)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def family(pid: int) -> list[int]:
    """A process and all its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split() if Path(f"/proc/{pid}").exists() else []
    threads = [child for task in Path(f"/proc/{pid}/task").iterdir() if task.name != str(pid) for child in (task / "children").read_text().split()]
    return [pid, *(one for child in {*children, *threads} for one in family(int(child)))]


def named(pid: int) -> str:
    """What a process is, in a word or two."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    for name in ("cegla.worker.collector", "cegla.app serve", "postgres", "demo"):
        if name in words:
            return name
    return words[:40]


def main(argv: list[str] | None = None) -> list[Result]:
    """Run the demonstration until it rests, then weigh it."""
    argparse.ArgumentParser(prog="bench memory").parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="cegla-bench-") as folder:
        demo = subprocess.Popen([sys.executable, "-u", "-m", "demo", "--lang", "en", "--data-dir", folder, "--port", "0"], stdout=subprocess.PIPE, text=True)
        assert demo.stdout is not None
        try:
            for line in demo.stdout:
                if "Ctrl" in line:
                    break
            time.sleep(REST_SECONDS)
            weights: dict[str, int] = {}
            for pid in family(demo.pid):
                weights[named(pid)] = weights.get(named(pid), 0) + proportional_bytes(pid)
        finally:
            demo.terminate()
            demo.wait(60)
    print(f"memory: the whole installation, {REST_SECONDS:.0f} s after the demonstration, live traffic still trickling")
    print(f"  {sum(weights.values()) / 2**20:,.0f} MB   (reach ≤ 1,024), the simulated shop's own process included")
    for name, weight in sorted(weights.items(), key=lambda row: -row[1]):
        print(f"    {name:<26}{weight / 2**20:8.0f} MB")
    weight = sum(weights.values()) / 2**20
    return [Result("memory of the whole installation at rest", weight, "MB", "≤ 1,024", weight <= 1_024, "Pss of every process")]


if __name__ == "__main__":
    main()
