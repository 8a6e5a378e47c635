"""How much lies in quarantine, from the tallies; what metrics and pages ask for every few seconds."""

from cegla.repair import store
from cegla.storage.workspace import Connection


def waiting(conn: Connection) -> dict[int, int]:
    """How many events wait in quarantine now, by source; a source of which none wait may be left out."""
    return dict(store.SQL.waiting(conn))
