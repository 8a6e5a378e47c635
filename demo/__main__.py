"""`python -m demo`, `cegla demo` and `make demo`: a shop full of customers in a running console."""

import argparse
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx
from rich.console import Console

from cegla.vocabulary.errors import CeglaError
from demo import words
from demo.installation import HISTORY_DAYS, ApiRefused, Installation, Options
from demo.sending import NotAccepted
from demo.simulator import simulate, write_history
from demo.tour import Tour

FIRST_DAY = datetime(2026, 9, 1, tzinfo=UTC)


def read_options(arguments: list[str]) -> tuple[Options, Path | None]:
    """The command line: the options, and where to write the shop's history when that is all that is wanted."""
    parser = argparse.ArgumentParser(prog="cegla demo", description="Start an installation, fill it with a shop's life, and show what Cegla makes of it.")
    parser.add_argument("--once", action="store_true", help="end when everything was shown")
    parser.add_argument("--seed", type=int, default=7, help="of the simulated shop: the same seed, the same people (default 7)")
    parser.add_argument("--full", dest="retail", action="store_const", const="full", default="auto", help="import the whole Online Retail file")
    parser.add_argument("--sample", dest="retail", action="store_const", const="sample", help="import the sample that comes along")
    parser.add_argument("--data-dir", type=Path, default=Path("demo-data"), help="where everything lies (default demo-data)")
    port = "of the console; the collector takes the one ten higher (default 8080; any free one when it is taken, or with 0)"
    parser.add_argument("--port", type=int, default=8080, help=port)
    parser.add_argument("--lang", choices=("pl", "en"), default="pl" if os.environ.get("LANG", "").startswith("pl") else "en", help="language of the texts")
    history = "only write the simulated shop's history here (gzipped JSON lines), the truth beside it, and end"
    parser.add_argument("--write-history", type=Path, metavar="FILE.jsonl.gz", help=history)
    given = parser.parse_args(arguments)
    return Options(given.data_dir, given.seed, given.once, given.retail, given.port, given.lang), given.write_history


def write_files(history: Path, seed: int) -> None:
    """Eight weeks of the shop from a fixed day on, so that the same seed makes the same bytes on every day."""
    shop = simulate(seed, FIRST_DAY, HISTORY_DAYS, Options(history).population)
    write_history(shop.stream, history)
    shop.truth.save(history.with_name(history.name.split(".")[0] + "-truth.json"))


def run(options: Options, console: Console) -> None:
    """The whole demonstration; returns when it ended by itself, or on Ctrl-C or SIGTERM while the shop goes on."""
    began = time.monotonic()
    installation = Installation(options)
    tour = Tour(installation, console)
    try:
        installation.start()
        tour.tell(words.STARTED)
        tour.walk()
        tour.farewell(time.monotonic() - began)
        if not options.once:
            console.print(words.TRICKLING.say(tour.language))
            with suppress(KeyboardInterrupt):
                threading.Event().wait()
    finally:
        tour.stop()
        installation.stop()
        console.print(words.ENDED.say(tour.language, data_dir=options.data_dir))


def main(arguments: list[str]) -> int:
    """Run and return the exit code."""
    (options, history), console = read_options(arguments), Console()
    if history is not None:
        write_files(history, options.seed)
        return 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run(options, console)
    except CeglaError as error:
        console.print(f"[red]{error.code}[/red] {error.say(options.language)} {error.where} {error.seen}\n{error.advice(options.language)}")
        return error.exit_code
    except (ApiRefused, NotAccepted, httpx.HTTPError) as error:
        console.print(f"[red]{type(error).__name__}[/red] {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
