"""Who objected to profiling (GDPR art. 21): they are left out of segments and scores, not merely hidden."""

from cegla.govern.store import SQL
from cegla.storage.workspace import Connection


def objectors(conn: Connection) -> list[int]:
    """Identities whose newest decision on profiling is a no, among them those whose browser sent Global Privacy Control."""
    return [row[0] for row in SQL.objectors(conn)]
