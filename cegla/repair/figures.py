"""How much lies in quarantine, from the tallies; what metrics and pages ask for every few seconds."""

from dataclasses import dataclass
from datetime import date

from cegla.repair import store
from cegla.repair.filter import Filter
from cegla.storage.workspace import Connection
from cegla.vocabulary.events import Reason


@dataclass(frozen=True)
class Overview:
    """What lies in quarantine: `counts` are (reason, day, events), newest day first; `events` are names, most frequent first."""

    counts: tuple[tuple[Reason, date, int], ...]
    events: tuple[str, ...]


def overview(conn: Connection, wanted: Filter, zone: str) -> Overview:
    """How many events a filter means, by reason and by the day they were set aside in a time zone; and the names of all that wait."""
    counts = store.count(conn, wanted.keys(), zone)
    return Overview(tuple((Reason(reason), day, count) for reason, day, count in counts), tuple(name for name, _ in store.SQL.names_of_events(conn)))


def waiting(conn: Connection) -> dict[int, int]:
    """How many events wait in quarantine now, by source; a source of which none wait may be left out."""
    return dict(store.SQL.waiting(conn))
