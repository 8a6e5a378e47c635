"""Segments that a page's own script may see. None is visible until somebody says so."""

from cegla.segment import store
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors import NotFound


def on_site(conn: Connection) -> list[int]:
    """The numbers of the segments that are visible on the site."""
    return [segment_id for (segment_id,) in store.SQL.segments_on_site(conn)]


def mark(conn: Connection, segment_id: int, *, visible: bool) -> None:
    """Make a segment visible on the site, or not. Raises NotFound."""
    if not store.SQL.mark_on_site(conn, segment_id=segment_id, visible=visible):
        raise NotFound(where="segment", seen=segment_id, thing=f"segment {segment_id}")
