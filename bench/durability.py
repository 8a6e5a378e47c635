"""kill -9 of collectors, worker and PostgreSQL under load, at random moments: what was acknowledged must be there, once."""

import argparse
import dataclasses
import time

from bench.crashes import Report, collectors_and_store, everything
from bench.result import Result


def main(argv: list[str]) -> list[Result]:
    """`python -m bench durability [--kills 200] [--seed 1] [--without-app]`."""
    parser = argparse.ArgumentParser(prog="bench durability", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without-app", action="store_true", help="collectors and PostgreSQL alone")
    options = parser.parse_args(argv)
    began = time.monotonic()
    report: Report = (collectors_and_store if options.without_app else everything)(options.kills, options.seed)
    facts = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in dataclasses.asdict(report).items() if name not in ("lost", "doubled"))
    note = f"{facts}; 64 clients that send each event until it is acknowledged; seed {options.seed}, {time.monotonic() - began:.0f} s"
    return [Result(f"kill -9 under load, {options.kills} times", report.lost + report.doubled, "lost or doubled", "0", report.good, note)]
