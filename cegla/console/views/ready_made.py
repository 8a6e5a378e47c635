"""Names of ready-made segments: they are stored in Polish and shown in the visitor's language until somebody renames them."""

from functools import cache

from cegla.segment import actions as segment
from cegla.vocabulary.text import Text


@cache
def _names() -> dict[str, Text]:
    groups = {f"RFM: {one.label.pl}": Text(f"RFM: {one.label.pl}", f"RFM: {one.label.en}") for one in segment.OPERATORS["rfm_group"].parameters[0].choices}
    stages = [Text(one.label.pl.partition(":")[0], one.label.en.partition(":")[0]) for one in segment.OPERATORS["life_cycle"].parameters[0].choices]
    return groups | {f"Etap: {stage.pl}": Text(f"Etap: {stage.pl}", f"Stage: {stage.en}") for stage in stages}


def segment_name(name: str) -> Text:
    """A segment's name in both languages; names people gave are the same in both."""
    return _names().get(name, Text(name, name))
