"""Whether the history is whole: every row of the warehouse and of its snapshot read, and compared with each other and with PostgreSQL.

Nothing is changed. Damage that is met is remembered, so the next start mends the warehouse, and the next night the snapshot.
"""

from dataclasses import dataclass

from cegla.forgetting import set_aside
from cegla.storage.batches import lacking_batches, last_committed
from cegla.storage.snapshots import Side, compared
from cegla.storage.workspace import Workspace
from cegla.vocabulary.errors.installation import WarehouseDamaged
from cegla.vocabulary.text import Text

LOOKS = 2  #: whoever is erased between two looks is in one store and not yet in the other

REBUILD = Text("Napraw: cegla warehouse rebuild. Zbieranie zdarzeń trwa dalej.", "Mend it with: cegla warehouse rebuild. Events are collected meanwhile.")
MENDED = Text("W ciągu minuty aplikacja zacznie od nowa i sama zapisze historię z migawki i żądań. Zbieranie zdarzeń trwa dalej.",
    "Within a minute the app starts anew and writes the history again from its snapshot and the requests. Events are collected meanwhile.")  # fmt: skip
TONIGHT = Text("Najbliższa noc zapisze te pliki od nowa z hurtowni.", "The next night writes these files again from the warehouse.")
WIPED = Text("Najbliższa noc zapisze plik od nowa, bez nich.", "The next night writes the file anew, without them.")
LOOK = Text("Usuń, gdy nie są już potrzebne; same znikną po retention.set_aside_days.", "Remove them when they are of no use; they go by themselves after "
    "retention.set_aside_days.")  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `todo` says what to do about it, when something is to be done."""

    key: str
    label: Text
    ok: bool
    seen: str
    todo: Text | None = None


@dataclass(frozen=True)
class Soundness:
    """All findings, and table by table what was read."""

    ok: bool
    findings: list[Finding]
    tables: list[Side]


def check(ws: Workspace) -> Soundness:
    """Read and compare everything; takes as long as reading the whole history four times."""
    damage, tables = "", list[Side]()
    try:
        ws.warehouse.check_disk()
        for _ in range(LOOKS):
            tables = compared(ws.warehouse, ws.snapshots)
            if all(one.equal for one in tables):
                break
    except WarehouseDamaged as error:
        damage = str(error.seen)
    findings = [_finding("warehouse", WAREHOUSE, not damage, damage or str(sum(one.held.rows for one in tables)), MENDED)]
    if not damage:
        findings += _of_snapshot(tables)
        with ws.transaction() as conn:
            last = last_committed(conn).number
            lacking = lacking_batches(conn, min(ws.warehouse.last_batch(), last))
        findings.append(_finding("batches", BATCHES, not lacking, str(lacking), REBUILD))
        findings.append(_finding("erased", ERASED, True, "1" if ws.warehouse.holds_erased else "0", WIPED if ws.warehouse.holds_erased else None))
    aside = [place.name for place in set_aside(ws)]
    findings.append(_finding("set_aside", ASIDE, True, ", ".join(aside) or "0", LOOK if aside else None))
    return Soundness(all(one.ok for one in findings), findings, tables)


WAREHOUSE = Text("Hurtownia czyta się w całości (wierszy)", "The whole warehouse can be read (rows)")
BATCHES = Text("Partie, których brakuje w hurtowni", "Batches that the warehouse lacks")
ERASED = Text("Bajty usuniętych osób czekają na zapisanie pliku od nowa", "Bytes of erased people wait for the file to be written anew")
ASIDE = Text("Uszkodzone pliki odłożone na bok", "Damaged files that were set aside")
FILES = Text("Pliki migawki czytają się w całości", "The snapshot's files can be read in whole")
EQUAL = Text("Migawka ma te same wiersze co hurtownia", "The snapshot has the warehouse's rows")
HOLES = Text("Partie, które uszkodzenie zabrało z migawki", "Batches that damage took from the snapshot")


def _of_snapshot(tables: list[Side]) -> list[Finding]:
    damaged = [said for one in tables for said in one.damaged]
    holes = [f"{one.table} {first}-{last}" for one in tables for first, last in one.holes]
    apart = [f"{one.table}: {one.held.rows - one.newer} / {one.copied.rows}" for one in tables if not one.equal and not one.damaged and not one.holes]
    number, newer = sum(one.files for one in tables), sum(one.newer for one in tables)
    return [
        _finding("files", FILES, not damaged, "; ".join(damaged) or str(number), TONIGHT),
        _finding("holes", HOLES, not holes, ", ".join(holes) or "0", TONIGHT),
        _finding("equal", EQUAL, not apart, "; ".join(apart) or f"+{newer}", REBUILD),
    ]


def _finding(key: str, label: Text, ok: bool, seen: str, todo: Text | None) -> Finding:
    return Finding(key, label, ok, seen, todo if not ok or todo in (WIPED, LOOK) else None)
