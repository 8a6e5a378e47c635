"""`python -m bench [names] [options]`: run the benches, then print one table of what was measured, with the machine it was measured on."""

import importlib
import os
import platform
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil
from rich import box
from rich.console import Console
from rich.table import Table

from bench.result import Result


def _collect(_: list[str]) -> list[Result]:
    return importlib.import_module("bench.collect").run(8.0, 2)


def _main_of(module: str) -> Callable[[list[str]], list[Result]]:
    return lambda options: importlib.import_module(f"bench.{module}").main(options)


BENCHES: dict[str, Callable[[list[str]], list[Result]]] = {
    "collect": _collect,
    "intake": _main_of("intake"),
    "import": _main_of("file_import"),
    "enrichment": _main_of("enrichment"),
    "resolve": _main_of("resolve"),
    "segments": _main_of("segments"),
    "engines": _main_of("engines"),
    "profile_read": _main_of("profile_read"),
    "sending": _main_of("sending"),
    "client": _main_of("client"),
    "bounces": _main_of("bounces"),
    "audience": _main_of("audience"),
    "sms": _main_of("sms"),
    "consent": _main_of("consent"),
    "accounts": _main_of("accounts"),
    "duplicates": _main_of("duplicates"),
    "analysers": _main_of("analysers"),
    "analysing": _main_of("analysing"),
    "memory": _main_of("memory"),
    "malformed": _main_of("malformed"),
    "quarantine": _main_of("quarantine"),
    "overload": _main_of("overload"),
    "durability": _main_of("durability"),
    "power_cuts": _main_of("trials.power_cuts"),
    "restart": _main_of("trials.restart"),
    "full_disk": _main_of("trials.full_disk"),
    "failpoints": _main_of("trials.failpoints"),
    "damage": _main_of("trials.damage"),
    "sender": _main_of("trials.sender"),
}


def machine() -> str:
    """What the figures were measured on."""
    memory = psutil.virtual_memory().total / 2**30
    libraries = ", ".join(f"{name} {version(name)}" for name in ("duckdb", "psycopg", "uvloop"))
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC · {_processor()} · {os.cpu_count()} cores · {memory:.0f} GB · {platform.system()} {platform.release()} · "
        f"Python {platform.python_version()} · {libraries} · load {os.getloadavg()[0]:.1f} at the start"
    )


def main(arguments: list[str]) -> int:
    """Run the benches named, or all, with the options behind their names; 0 when every figure was reached, 1 when not, 2 for a name that does not exist."""
    first_option = next((place for place, argument in enumerate(arguments) if argument.startswith("-")), len(arguments))
    names, options = arguments[:first_option], arguments[first_option:]
    if names[:1] == ["analysers"]:  # the names behind it are of analysers
        names, options = names[:1], [*names[1:], *options]
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"there is no bench {', '.join(unknown)}; there are: {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    about, results = machine(), list[Result]()
    for name in names or BENCHES:
        began = time.perf_counter()
        print(f"== {name}", file=sys.stderr)
        results += BENCHES[name](options)
        print(f"   {time.perf_counter() - began:.0f} s", file=sys.stderr)
    show(results, about)
    return 0 if all(result.reached for result in results) else 1


def show(results: list[Result], about: str) -> None:
    """One table on standard output."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in ("", "What", "Measured", "Unit", "Reach", "How"):
        table.add_column(column, justify="right" if column == "Measured" else "left", overflow="fold")
    for result in results:
        figure = f"{result.value:,.2f}" if result.value < 100 else f"{result.value:,.0f}"
        table.add_row("ok" if result.reached else "MISS", result.name, figure, result.unit, result.goal, result.note)
    console = Console(highlight=False)
    console = console if console.is_terminal else Console(highlight=False, width=220)
    console.print(table)
    console.print(about, soft_wrap=True)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
