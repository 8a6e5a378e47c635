"""cegla import: a file becomes events in the inbox, here, and then the API is asked until intake has taken them in."""

import dataclasses
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from cegla.cli.desk import Api, AsJson, Desk, DryRun, desk_of
from cegla.cli.tables import facts, table
from cegla.collect import actions as collect
from cegla.storage.workspace import open_workspace
from cegla.vocabulary.money import from_micros
from cegla.vocabulary.text import Text

File = Annotated[Path, typer.Argument(metavar="FILE", help="a CSV file, also as .gz")]
MapFile = Annotated[Path, typer.Option("--map", metavar="MAP.yaml")]
ErrorsFile = Annotated[Path | None, typer.Option("--errors", metavar="ERRORS.csv")]

STAGES = {
    "read": Text("Czytanie wierszy", "Reading rows"),
    "plan": Text("Układanie zdarzeń", "Making events"),
    "write": Text("Zapis do skrzynki", "Writing to the inbox"),
}
TAKING_IN = Text("Przyjmowanie", "Taking in")
ROWS, USED, EVENTS, TOTAL = Text("Wierszy", "Rows"), Text("Wykorzystanych", "Used"), Text("Zdarzeń", "Events"), Text("Suma wartości", "Sum of totals")
NAME, COUNT, PROBLEM = Text("Zdarzenie", "Event"), Text("Liczba", "Count"), Text("Problem", "Problem")
DRY = Text("Próba na sucho: nic nie zapisano. Powtórz bez --dry-run.", "A dry run: nothing was written. Run it again without --dry-run.")
ERRORS_AT = Text("Odrzucone wiersze z powodami: {file}", "Refused rows with their reasons: {file}")
NEXT = Text("Zobacz osoby: cegla person show IDENTYFIKATOR", "Look at the people: cegla person show IDENTIFIER")


def import_file(context: typer.Context, file: File, map: MapFile, dry_run: DryRun = False, errors: ErrorsFile = None, as_json: AsJson = False) -> None:
    """Import a file."""
    desk = desk_of(context, as_json)
    if dry_run:
        with open_workspace(desk.settings) as ws, desk.progress() as bar:
            result = collect.import_file(ws, file, map, dry_run=True, errors_to=errors, progress=_Stages(desk, bar))
    else:
        with desk.api() as api, open_workspace(desk.settings) as ws, desk.progress() as bar:
            result = collect.import_file(ws, file, map, errors_to=errors, progress=_Stages(desk, bar))
            _wait(desk, api, bar)
    desk.answer(_plain(result), _show)
    if errors is not None and result.errors:
        desk.tell(ERRORS_AT, file=errors)
    desk.tell(DRY if dry_run else NEXT)


class _Stages:
    """The progress of an import as bars, one a stage."""

    def __init__(self, desk: Desk, bar: Progress) -> None:
        self._desk, self._bar = desk, bar
        self._tasks: dict[str, Any] = {}

    def __call__(self, stage: str, done: int, of: int) -> None:
        if stage not in self._tasks:
            self._tasks[stage] = self._bar.add_task(self._desk.say(STAGES.get(stage, Text(stage, stage))), total=of or None)
        self._bar.update(self._tasks[stage], completed=done, total=of or None)


def _wait(desk: Desk, api: Api, bar: Progress) -> None:
    """Until history, profiles and segments hold everything that was sent."""
    task = bar.add_task(desk.say(TAKING_IN), total=None)
    most = 0
    while (waiting := (status := api.get("/status"))["events"]["waiting"]) or status["refreshed"] < status["batch"]:
        most = max(most, waiting)
        bar.update(task, completed=most - waiting, total=most)
        time.sleep(0.2)


def _plain(result: Any) -> dict[str, Any]:
    shape = {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
    problems = {str(problem): count for problem, count in result.problems().items()}
    total = None if result.total_micros is None else str(from_micros(result.total_micros))
    return {**shape, "errors": len(result.errors), "problems": problems, "total": total}


def _show(desk: Desk, value: dict[str, Any]) -> None:
    facts(desk, [(ROWS, value["rows"]), (USED, value["rows_used"]), (EVENTS, value["events"]), (TOTAL, value["total"])])
    table(desk, [NAME, COUNT], value["by_name"].items())
    if value["problems"]:
        table(desk, [PROBLEM, COUNT], value["problems"].items())
