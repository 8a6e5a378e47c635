"""What a question reads: no more than its rule asks for. What the answers are is in test_compile."""

from dataclasses import replace
from typing import Any

import ibis
import pytest

from cegla.segment.asking import questions_of
from cegla.segment.operators import parsed
from cegla.segment.rules.compile import History, members, membership
from cegla.segment.rules.history import Ground, conjuncts
from cegla.storage.engines.dialects import plain_sql
from cegla.storage.warehouse import history, table
from tests.segment.worlds import NOW

GROUND = Ground(NOW.replace(tzinfo=None))
ORDERED = {"op": "did", "event": "Order Completed"}


def past() -> History:
    return History(history(), history("order_lines"), lambda keys: history(), narrow=lambda columns: history(columns=columns), bare=table("events"))


def asked(rule: Any) -> str:
    return plain_sql(members(parsed(rule), past(), GROUND).op())


def test_what_all_conditions_ask_for_is_asked_once() -> None:
    sql = asked({"all": [{**ORDERED, "days": 30}, {**ORDERED, "days": 90}, {"op": "first_did_within", "event": "Order Completed", "days": 400}]})
    assert sql.count("'Order Completed'") == 1


def test_a_wider_condition_needs_no_narrower_one_beside_it() -> None:
    sql = asked({"op": "life_cycle", "groups": ["won_back"]})
    assert sql.count("'Order Completed'") == 1
    assert " OR " not in sql


def test_different_conditions_are_read_together() -> None:
    sql = asked({"all": [{**ORDERED, "days": 30}, {"op": "did", "event": "Product Viewed", "days": 30}]})
    condition = "\"name\" = 'Order Completed') OR"
    assert condition in sql
    assert sql.count("FILTER(") == 2


def test_a_rule_about_order_lines_alone_counts_no_events() -> None:
    assert "UNION" not in asked({"op": "bought_category", "category": "Kuchnia"})
    assert asked({"op": "bought_category", "category": "Kuchnia"}).count("identity_map") == 1, "whose the events are is not asked"
    assert "UNION" in asked({"all": [{"op": "bought_category", "category": "Kuchnia"}, ORDERED]})


def test_when_a_window_ends_is_worked_out_only_where_it_is_kept() -> None:
    rule = parsed({"op": "active_days", "at_least": 5, "days": 30})
    assert "MIN(" not in plain_sql(members(rule, past(), GROUND).op())
    assert "MIN(" in plain_sql(membership([rule], past(), GROUND).op())


@pytest.mark.parametrize("rule", [{"op": "active_days", "at_least": 1}, {"op": "everyone"}])
def test_a_rule_that_asks_nothing_of_a_row_reads_all(rule: dict[str, Any]) -> None:
    assert "'Order Completed'" not in asked(rule)


def test_a_condition_falls_into_its_parts_in_their_order() -> None:
    events: Any = history()
    parts = [events["name"] == "a", events["value_micros"] > 1, ~events["is_bot"]]
    assert conjuncts(parts[0] & parts[1] & parts[2]) == [one.op() for one in parts]
    assert conjuncts(None) == []
    assert conjuncts((parts[0] & parts[1]).fill_null(False)) == [one.op() for one in parts[:2]], "what is not known does not hold either"
    assert conjuncts(events["is_bot"].fill_null(True)) == [events["is_bot"].fill_null(True).op()]


def test_many_questions_to_other_stores_are_joined_side_by_side() -> None:
    rules = [parsed({"op": "consent_is", "channel": "email", "purpose": f"cel {number}", "states": ["withdrawn"]}) for number in range(200)]
    told = {question: ibis.table({"person_id": "int64", "value": "string"}, name=f"told_{number}") for number, question in enumerate(questions_of(rules))}
    sql = plain_sql(membership(rules, replace(past(), answers=told), GROUND).op())
    assert sql.count("told_") == 200
