"""The estimate while a rule is edited: the same rule over a stable part of all people, and how far off the whole may be.

Which people are in the part depends on their numbers alone, so all they did is in it, and a rule that is changed a little is asked of the same
people. A history that is read at once is asked whole: then the estimate is the count.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from math import sqrt
from typing import Any

import pyarrow as pa

from cegla.profile import actions as profile
from cegla.segment.asking import AsOf, answered, questions_of
from cegla.segment.evaluating import ground_of, known, minute
from cegla.segment.operators import parsed
from cegla.segment.rules import compile as compiler
from cegla.segment.rules.compile import History
from cegla.storage.warehouse import history, table
from cegla.storage.workspace import Workspace

READ_AT_ONCE = 500_000  #: events; of a longer history so large a part is read
PRIME, FACTOR = 2**31 - 1, 1_103_515_245
TWO_SIDED_95 = 1.96


@dataclass(frozen=True)
class Estimate:
    """About how many people a rule matches: `members`, most likely between `low` and `high` (95 %), from a `share` of all people; 1: exact.

    `people` are the matching ones among those looked at (int64, ascending).
    """

    members: int
    low: int
    high: int
    share: float
    people: "pa.Array[Any]"
    at: datetime


def estimate(ws: Workspace, rule: object, now: datetime, excluded: Iterable[int] = ()) -> Estimate:
    """About how many people a rule matches at the end of the minute of `now`, as the exact count has it, without those `excluded`. Raises RuleInvalid."""
    events: Any = table("events")
    many = ws.warehouse.run(events.aggregate(many=events.count()))["many"][0].as_py()
    share = min(1.0, READ_AT_ONCE / many) if many else 1.0
    found = _found(ws, rule, minute(now), share)
    left_out = set(excluded)
    people = pa.array([one for one in found if one not in left_out], pa.int64())
    return bounds(len(people), share, people, now)


def bounds(found: int, share: float, people: "pa.Array[Any]", at: datetime) -> Estimate:
    """What so many matches in a part say of the whole: each was in it with the chance `share`, so the number varies as in so many draws."""
    members = round(found / share)
    spread = TWO_SIDED_95 * sqrt(max(found, 1) * (1 - share)) / share
    low, high = max(found, round(members - spread)), round(members + spread)
    return Estimate(members, low, high, share, people, at) if share < 1 else Estimate(found, found, found, 1.0, people, at)


def _found(ws: Workspace, rule: object, now: datetime, share: float) -> list[int]:
    with ws.transaction() as conn:
        tree = parsed(rule, known(conn))
        as_of = AsOf(now, ws.settings.zone, ws.keys)
        ground = ground_of(conn, ws.warehouse, [tree], as_of)
        questions = questions_of([tree])
        looked_at: list[int] | None = None
        if questions and share < 1:
            looked_at = ws.warehouse.run(_part(history(columns=()), share).select("person_id").distinct())["person_id"].to_pylist()
        with answered(conn, ws.warehouse, questions, as_of, looked_at) as answers:
            past = History(
                _part(history(), share),
                _part(history("order_lines"), share),
                lambda keys: profile.past.traits_of(now, None, keys, (_part(history(), share), _part(history("order_lines"), share))),
                None,
                answers,
                lambda columns: _part(history(columns=columns), share),
                table("events", compiler.ALWAYS),
            )
            ids = ws.warehouse.run(compiler.members(tree, past, ground))
    return ids.sort_by("person_id")["person_id"].to_pylist()


def _part(rows: Any, share: float) -> Any:
    """Everything that a stable share of all people did: neighbours in number are parted by a multiplication."""
    if share >= 1:
        return rows
    return rows.filter((rows["person_id"] % PRIME) * FACTOR % PRIME < round(share * PRIME))
