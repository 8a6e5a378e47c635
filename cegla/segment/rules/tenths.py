"""Deciles: in which tenth of everybody a person's value lies, 1 (the lowest) to 10.

The share of people whose value is not larger decides (cume_dist), so equal people are in equal tenths. Like the RFM scale, the nine smallest values
of the tenths 2 to 10 are worked out once over everybody; then a person's tenth rests on that person alone.
"""

from collections.abc import Sequence
from typing import Any

import ibis
import numpy as np

from cegla.segment.rules.facts import known
from cegla.segment.rules.history import Column, Ground
from cegla.segment.rules.language import Kind, Operator, Parameter, Past, Seen, Values
from cegla.vocabulary.text import Text

TENTHS = 10
NUMERIC = ("count", "money", "number")


def bounds(values: Any) -> tuple[float, ...]:
    """The nine smallest values of the tenths 2 to 10, of everybody's known values; empty when there are none."""
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    return tuple(float(ordered[len(ordered) * tenth // TENTHS]) for tenth in range(1, TENTHS)) if len(ordered) else ()


def tenth_of(values: Values, seen: Seen, ground: Ground) -> Column:
    """The tenth of a person; null when the value is unknown."""
    found: Sequence[float] = dict(ground.tenths).get(values["trait"], ())
    value: Any = known(values, seen, ground)
    reached: Any = ibis.literal(1, type="int8")
    for bound in found:
        reached = reached + (value >= bound).cast("int8")
    return ibis.ifelse(value.notnull() & bool(found), reached, ibis.null("int8"))


TENTH_OPERATORS: tuple[Operator, ...] = (
    Operator(
        "trait_tenth",
        "traits",
        Text("cecha jest w dziesiątej części wszystkich", "trait is in a tenth of everybody"),
        Text(
            "których {trait} jest od {from_tenth:number}. do {to_tenth:number}. dziesiątej części wszystkich",
            "whose {trait} is in the tenths {from_tenth:number} to {to_tenth:number} of everybody",
        ),
        (
            Parameter("trait", Kind.TRAIT, Text("cecha", "trait"), traits=NUMERIC),
            Parameter("from_tenth", Kind.TIMES, Text("od (1 = najniższa)", "from (1 = the lowest)")),
            Parameter("to_tenth", Kind.TIMES, Text("do (10 = najwyższa)", "to (10 = the highest)"), required=False, default=TENTHS),
        ),
        lambda values, rows: values["row"].measures(rows),
        lambda values, seen, ground: tenth_of(values, seen, ground).between(values["from_tenth"], values["to_tenth"]),
        lambda values: True,
        tenth_of,
        {"op": "trait_tenth", "trait": "monetary", "from_tenth": 10},
        (Past("Order Completed", 1, 500),),
        (Past("Order Completed", 1, 10),),
    ),
)
