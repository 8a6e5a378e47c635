"""The operator about other segments. Their rules are read in its place, so a segment and those it rests on are decided at one moment,
from one look at the history, in whatever order they are evaluated; that no segment rests on itself is checked when a rule is read."""

from cegla.segment.rules.history import Column, Ground
from cegla.segment.rules.language import Kind, Operator, Parameter, Past, Seen, Values
from cegla.vocabulary.text import Text


def _decided_elsewhere(values: Values, seen: Seen, ground: Ground) -> Column:
    raise AssertionError("the rule of the segment is decided in place of this leaf")


SEGMENT_OPERATORS: tuple[Operator, ...] = (
    Operator(
        "in_segment",
        "groups",
        Text("należą do segmentu", "belong to a segment"),
        Text("należą do segmentu {segment}", "belong to the segment {segment}"),
        (Parameter("segment", Kind.SEGMENT, Text("segment", "segment")),),
        lambda values, rows: {},
        _decided_elsewhere,
        lambda values: True,
        None,
        {"op": "in_segment", "segment": "life_cycle.new"},
        (Past("Order Completed", 3),),
        (Past("Order Completed", 300),),
    ),
)
