"""What a rule compares is what the person's page shows."""

from typing import Any

from hypothesis import HealthCheck, given, settings

from cegla.profile import actions as profile
from cegla.segment.rules.history import Ground, Rows
from cegla.segment.rules.traits import TRAITS
from cegla.storage.warehouse import Warehouse, history
from tests.segment.test_compile import MOMENT, NOW, fill, histories, warehouse

__all__ = ["warehouse"]

KINDS = {"moment": "moment", "number": "count", "micros": "money", "hour": "hour", "word": "text", "list": "list", "score": "number"}
COUNTED = {row.key: row for row in TRAITS.values() if not row.joined}


def test_every_trait_of_the_profile_can_be_compared() -> None:
    compared = {row.profile: row.kind for row in TRAITS.values()}
    assert compared == {row.key: KINDS[row.value_type] for row in profile.TRAITS}


@given(histories)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_trait_counted_with_a_rule_equals_the_profiles(warehouse: Warehouse, drawn: list[dict[str, Any]]) -> None:
    """Events of the future are left out: a rule does not look at them yet."""
    fill(warehouse, [one for one in drawn if one["minutes_ago"] >= 0], {2: 1})
    past: Any = history()
    past = past.filter(~past.is_bot)
    ground = Ground(MOMENT)
    measures = {f"{key}__{name}": measure.value for key, row in COUNTED.items() for name, measure in row.measures(Rows(past, ground)).items()}
    table: Any = past.group_by("person_id").aggregate(**measures)
    values = {key: row.value({name.partition("__")[2]: table[name] for name in measures if name.startswith(f"{key}__")}, ground) for key, row in COUNTED.items()}
    ours = {row["person_id"]: row for row in warehouse.run(table.select("person_id", **values)).to_pylist()}
    theirs = {row["person_id"]: row for row in warehouse.run(profile.past.traits_of(NOW)).to_pylist()}
    assert {person: {key: row[key] for key in COUNTED} for person, row in ours.items()} == {
        person: {key: row[COUNTED[key].profile] for key in COUNTED} for person, row in theirs.items()
    }
