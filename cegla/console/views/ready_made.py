"""Names of ready-made segments: they are stored in Polish and shown in the visitor's language until somebody renames them."""

from functools import cache

from cegla.segment import actions as segment
from cegla.vocabulary.text import Text


@cache
def _names() -> dict[str, Text]:
    return {one.name.pl: one.name for one in segment.READY_MADE}


def segment_name(name: str) -> Text:
    """A segment's name in both languages; names people gave are the same in both."""
    return _names().get(name, Text(name, name))
