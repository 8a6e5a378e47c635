"""kill -9 of collectors, worker and PostgreSQL under load, at random moments: what was acknowledged must be there, once."""

import argparse
import dataclasses
import sys

from bench.crashes import Report, collectors_and_store, everything


def main(argv: list[str]) -> int:
    """`python -m bench durability [--kills 30] [--seed 1] [--without-app]`."""
    parser = argparse.ArgumentParser(prog="bench durability", description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without-app", action="store_true", help="collectors and PostgreSQL alone")
    options = parser.parse_args(argv)
    result: Report = (collectors_and_store if options.without_app else everything)(options.kills, options.seed)
    print(f"durability: {options.kills} kills, seed {options.seed}, 64 clients that send each event until it is acknowledged")
    for name, value in dataclasses.asdict(result).items():
        print(f"  {name.replace('_', ' '):26} {value}")
    print("  ok" if result.good else "  MISS: a promise was broken")
    return 0 if result.good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
