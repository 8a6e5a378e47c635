"""cegla warehouse move: the history on another engine. It opens the warehouse itself, so the installation must not run meanwhile."""

from contextlib import closing
from dataclasses import asdict
from typing import Annotated, Any

import typer

from cegla.cli.desk import AsJson, Desk, DryRun, desk_of
from cegla.cli.tables import table
from cegla.resolve import actions as resolve
from cegla.storage.batches import last_committed
from cegla.storage.engines import moving
from cegla.storage.engines.connecting import connect
from cegla.storage.workspace import Workspace, open_workspace
from cegla.vocabulary.errors import Busy
from cegla.vocabulary.errors.installation import MoveRefused
from cegla.vocabulary.text import Text

Address = Annotated[str, typer.Argument(metavar="URL")]
RUNNING = Text("hurtownia jest zajęta; zatrzymaj instalację na czas przenoszenia", "the warehouse is in use; stop the installation while it is moved")
NAME, ROWS, WRITTEN, CHECKSUM = Text("Tabela", "Table"), Text("Wierszy", "Rows"), Text("Zapisano", "Written"), Text("Suma kontrolna", "Checksum")
WOULD = Text("Do zapisania", "To be written")
EQUAL = Text(
    "Każdy wiersz odczytano z celu i porównano. Instalacja nadal pracuje na własnej hurtowni, która się nie zmieniła.",
    "Every row was read back from the target and compared. The installation goes on with its own warehouse, which has not changed.",
)
TRIED = Text("Nic nie zapisano. To, co już jest w celu, jest takie samo.", "Nothing was written. What is in the target already is the same.")


def move(context: typer.Context, url: Address, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Copy the history to ClickHouse or Spark's files, read it back and compare."""
    desk = desk_of(context, as_json)
    with open_workspace(desk.settings) as ws:
        found = _moved(ws, url, dry_run)
    desk.answer({"dry_run": dry_run, "tables": [asdict(one) for one in found]}, _show)


def _moved(ws: Workspace, url: str, dry_run: bool) -> list[moving.Moved]:
    try:
        source = ws.warehouse
    except Busy as error:
        raise MoveRefused(where=error.where, detail=RUNNING) from None
    with ws.transaction() as conn:
        upto, people = last_committed(conn).number, list(resolve.identity_map(conn))
    with closing(connect(url)) as target:
        return moving.move(source, target, people, upto, dry_run)


def _show(desk: Desk, found: dict[str, Any]) -> None:
    tried = found["dry_run"]
    table(
        desk,
        [NAME, ROWS, WOULD if tried else WRITTEN, CHECKSUM],
        ([one["table"], one["rows"], one["written"], one["checksum"] or ""] for one in found["tables"]),
    )
    desk.tell(TRIED if tried else EQUAL)
