"""cegla warehouse: whether the history is whole, written again, what is kept for how long; and move, the history on another engine.

`move` opens the warehouse itself, so the installation must not run meanwhile; the others ask the API.
"""

from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict
from typing import Annotated, Any

import typer

from cegla.cli.desk import AsJson, Desk, DryRun, Yes, desk_of
from cegla.cli.tables import both, table
from cegla.resolve import actions as resolve
from cegla.storage.batches import last_committed
from cegla.storage.engines import moving
from cegla.storage.engines.connecting import connect
from cegla.storage.settings import Settings
from cegla.storage.workspace import Workspace, open_workspace
from cegla.vocabulary.errors import Busy
from cegla.vocabulary.errors.installation import AlreadyRunning, MoveRefused
from cegla.vocabulary.text import Text

Address = Annotated[str, typer.Argument(metavar="URL")]
RUNNING = Text("hurtownia jest zajęta; zatrzymaj instalację na czas przenoszenia", "the warehouse is in use; stop the installation while it is moved")
NAME, ROWS, WRITTEN, CHECKSUM = Text("Tabela", "Table"), Text("Wierszy", "Rows"), Text("Zapisano", "Written"), Text("Suma kontrolna", "Checksum")
WOULD = Text("Do zapisania", "To be written")
EQUAL = Text(
    "Każdy wiersz odczytano z celu i porównano. Źródło się nie zmieniło i jest w użyciu, póki ustawienie warehouse nie nazwie celu.",
    "Every row was read back from the target and compared. The source has not changed, and is in use until the setting warehouse names the target.",
)
TRIED = Text("Nic nie zapisano. To, co już jest w celu, jest takie samo.", "Nothing was written. What is in the target already is the same.")


def move(context: typer.Context, url: Address, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Copy the history to ClickHouse or Spark's files, read it back and compare."""
    desk = desk_of(context, as_json)
    with _alone(desk.settings) as ws:
        found = _moved(ws, url, dry_run)
    desk.answer({"dry_run": dry_run, "tables": [asdict(one) for one in found]}, _show)


@contextmanager
def _alone(settings: Settings) -> Generator[Workspace]:
    """The workspace, with its warehouse open, while no installation is at work: who is erased by one meanwhile would be in the copy for good."""
    with ExitStack() as stack:
        try:
            ws = stack.enter_context(open_workspace(settings, alone=True))
            _ = ws.warehouse
        except Busy as error:
            if type(error) not in (Busy, AlreadyRunning):  # what is away, or full, says so itself
                raise
            raise MoveRefused(where=error.where, detail=RUNNING) from None
        yield ws


def _moved(ws: Workspace, url: str, dry_run: bool) -> list[moving.Moved]:
    with ws.transaction() as conn:
        upto, people = last_committed(conn).number, list(resolve.reach.identity_map(conn))
    with closing(connect(url)) as target:
        return moving.move(ws.warehouse, target, people, upto, dry_run)


def _show(desk: Desk, found: dict[str, Any]) -> None:
    tried = found["dry_run"]
    table(
        desk,
        [NAME, ROWS, WOULD if tried else WRITTEN, CHECKSUM],
        ([one["table"], one["rows"], one["written"], one["checksum"] or ""] for one in found["tables"]),
    )
    desk.tell(TRIED if tried else EQUAL)


# care --------------------------------------------------------------------------------------------------------------------

OK, CHECK, SEEN, TODO = Text("Dobrze", "Well"), Text("Sprawdzenie", "Check"), Text("Jest", "Seen"), Text("Co zrobić", "What to do")
IN_SNAPSHOT, NEWER = Text("W migawce", "In the snapshot"), Text("Nowsze niż migawka", "Newer than the snapshot")
REBUILT, NOW = Text("Odtworzono", "Written again"), Text("Jest teraz", "In use")
TAKEN = Text("Odtworzona historia jest w użyciu.", "The history written again is in use.")
KEPT_WHY = {
    "dry_run": Text("Nic nie zmieniono: to była próba.", "Nothing was changed: this was a dry run."),
    "lacks_rows": Text(
        "Nic nie zmieniono: odtworzonej historii brakuje wierszy, które są w użyciu. Mimo to: --accept-loss.",
        "Nothing was changed: the history written again lacks rows that are in use. To take it all the same: --accept-loss.",
    ),
    "changed": Text(
        "Nic nie zmieniono: ktoś długo czytał albo usunął wiersze w tym czasie. Spróbuj ponownie.",
        "Nothing was changed: somebody read for long, or removed rows meanwhile. Try again.",
    ),
}
MISSING = Text("Zdarzeń, których żądań już nie ma: {missing}", "Events whose requests are not kept any more: {missing}")
SAME = Text("Wszystkie wiersze są takie same.", "All rows are the same.")
CLASS, DAYS, DUE_ROWS = Text("Klasa", "Class"), Text("Dni", "Days"), Text("Starszych wierszy", "Older rows")
OLDEST, BEGINS = Text("Najstarszy", "Oldest"), Text("Znikną same od", "Go by themselves from")
LAST, GONE = Text("Ostatnio usunięto", "Last removed"), Text("Usunięto wierszy", "Rows removed")
SURE = Text("Usunąć na zawsze {rows} wierszy historii?", "Remove {rows} rows of the history for good?")
BYTES = Text(
    "Wiersze usunięto z hurtowni i migawki; ich bajty znikną z pliku najbliższej nocy.",
    "The rows are gone from warehouse and snapshot; their bytes go from the file in the next night.",
)
AcceptLoss = Annotated[bool, typer.Option("--accept-loss")]
Classes = Annotated[list[str] | None, typer.Argument(metavar="CLASS")]


def check(context: typer.Context, as_json: AsJson = False) -> None:
    """Read every row of the warehouse and its snapshot and compare; exit code 1 when something is wrong."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.patient().get("/warehouse")
    desk.answer(found, _show_check)
    if not found["ok"]:
        raise typer.Exit(1)


def rebuild(context: typer.Context, dry_run: DryRun = False, accept_loss: AcceptLoss = False, as_json: AsJson = False) -> None:
    """Write the history again from snapshot and requests, compare, and take it into use; exit code 1 when it lacks rows."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.patient().post("/warehouse/rebuild", {"dry_run": dry_run, "accept_loss": accept_loss})
    desk.answer(found, _show_rebuilt)
    if found["kept"] not in ("", "dry_run"):
        raise typer.Exit(1)


def retention(context: typer.Context, as_json: AsJson = False) -> None:
    """Print how long each class of the history is kept, and what is older."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.patient().get("/warehouse/retention")
    desk.answer(found, _show_retention)


def forget(context: typer.Context, classes: Classes = None, dry_run: DryRun = False, yes: Yes = False, as_json: AsJson = False) -> None:
    """Remove what is older than its class may be kept, now."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        asked = {"classes": classes or []}
        found = api.patient().post("/warehouse/forget", asked | {"dry_run": True})
        if not dry_run:
            desk.confirm(SURE, yes, rows=sum(found["rows"].values()))
            found = api.post("/warehouse/forget", asked | {"dry_run": False})
    desk.answer(found, _show_forgotten)


def _show_check(desk: Desk, found: dict[str, Any]) -> None:
    rows = ([one["ok"], both(one["label"], desk.language), one["seen"], both(one["todo"], desk.language) if one["todo"] else ""] for one in found["findings"])
    table(desk, [OK, CHECK, SEEN, TODO], rows)
    sums = ([one["table"], one["held"]["rows"], one["newer"], one["copied"]["rows"], f"{one['held']['checksum']:016x}"] for one in found["tables"])
    table(desk, [NAME, ROWS, NEWER, IN_SNAPSHOT, CHECKSUM], sums)


def _show_rebuilt(desk: Desk, found: dict[str, Any]) -> None:
    table(desk, [NAME, NOW, REBUILT], ([name, found["held"][name], found["written"][name]] for name in found["held"]))
    if found["equal"]:
        desk.tell(SAME)
    if found["rebuilt"]["missing"]:
        desk.tell(MISSING, missing=found["rebuilt"]["missing"])
    desk.tell(TAKEN if found["taken"] else KEPT_WHY[found["kept"]])


def _show_retention(desk: Desk, found: dict[str, Any]) -> None:
    rows = (
        [one["key"], both(one["label"], desk.language), one["days"] or None, one["rows"], one["oldest"], one["begins_at"] if one["rows"] else None,
            one["removed_at"]]
        for one in found["classes"]
    )  # fmt: skip
    table(desk, [CLASS, Text("Co to jest", "What it is"), DAYS, DUE_ROWS, OLDEST, BEGINS, LAST], rows)


def _show_forgotten(desk: Desk, found: dict[str, Any]) -> None:
    table(desk, [CLASS, DUE_ROWS if found["dry_run"] else GONE], found["rows"].items())
    if not found["dry_run"] and any(found["rows"].values()):
        desk.tell(BYTES)
