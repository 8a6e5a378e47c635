"""The fix language changes what it says and nothing else, and never what keeps doubles out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cegla.repair.rules.fix import Fix, Unfixable
from cegla.repair.rules.returning import CannotReturn, Obstacle, event_name, returning


def fixed(event: dict[str, Any], *steps: dict[str, Any]) -> dict[str, Any]:
    return Fix.model_validate({"steps": list(steps)}).applied(event)


@pytest.mark.parametrize(
    ("step", "before", "after"),
    [
        ({"rename_event": "B"}, {"event": "A"}, {"event": "B"}),
        ({"move": {"from": "properties.Total", "to": "properties.total"}}, {"properties": {"Total": 1}}, {"properties": {"total": 1}}),
        ({"move": {"from": "properties.id", "to": "userId"}}, {"properties": {"id": "u1"}}, {"properties": {}, "userId": "u1"}),
        ({"move": {"from": "rows[].a", "to": "rows[].b"}}, {"rows": [{"a": 1}, {"c": 2}]}, {"rows": [{"b": 1}, {"c": 2}]}),
        ({"set": {"path": "properties.currency", "value": "PLN"}}, {}, {"properties": {"currency": "PLN"}}),
        ({"set": {"path": "a", "value": 1, "only_missing": True}}, {"a": 2}, {"a": 2}),
        ({"cast": {"path": "a", "to": "number", "decimal": ","}}, {"a": "1 234,50"}, {"a": 1234.5}),
        ({"cast": {"path": "a[]", "to": "integer"}}, {"a": ["1", 2]}, {"a": [1, 2]}),
        ({"cast": {"path": "a", "to": "boolean"}}, {"a": "Tak"}, {"a": True}),
        ({"cast": {"path": "a", "to": "date", "format": "%d.%m.%Y"}}, {"a": "05.10.2026"}, {"a": "2026-10-05"}),
        ({"cast": {"path": "a", "to": "time", "format": "%d.%m.%Y %H:%M", "zone": "Europe/Warsaw"}}, {"a": "05.10.2026 12:00"}, {"a": "2026-10-05T10:00:00Z"}),
        ({"drop": "properties.x"}, {"properties": {"x": 1, "y": 2}}, {"properties": {"y": 2}}),
        ({"drop": 'properties."a.b"'}, {"properties": {"a.b": 1}}, {"properties": {}}),
        ({"values": {"path": "a", "map": {"tak": True}, "otherwise": "drop"}}, {"a": "nie"}, {}),
    ],
)
def test_a_step_changes_what_it_names(step: dict[str, Any], before: dict[str, Any], after: dict[str, Any]) -> None:
    assert fixed(before, step) == after


@pytest.mark.parametrize(
    "step",
    [
        {"set": {"path": "messageId", "value": "x"}},
        {"drop": "context.consent"},
        {"drop": "context"},
        {"set": {"path": "context.consent.categoryPreferences.analytics", "value": True}},
        {"move": {"from": "a", "to": "rows[].b"}},
        {"drop": "a..b"},
        {"drop": "a", "rename_event": "B"},
        {"run": "rm"},
    ],
)
def test_a_fix_that_could_forge_or_means_nothing_is_refused(step: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Fix.model_validate({"steps": [step]})


@pytest.mark.parametrize("value", ["abc", "1e999", {"a": 1}, "1,2,3", ""])
def test_a_value_that_cannot_be_cast_leaves_the_event_as_it_is(value: object) -> None:
    event = {"properties": {"total": value}}
    with pytest.raises(Unfixable):
        fixed(event, {"cast": {"path": "properties.total", "to": "number", "decimal": ","}})
    assert event == {"properties": {"total": value}}


TEXTS = st.sampled_from(["", "a", "b", "1,5", "zażółć", "2026-10-05"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXTS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=10
)
ANY_STEP = st.sampled_from(
    [
        {"drop": "a.b"},
        {"move": {"from": "a", "to": "b.c"}},
        {"set": {"path": "a.b", "value": 1}},
        {"cast": {"path": "a[].b", "to": "string"}},
        {"values": {"path": "a", "map": {"1": 2}}},
    ]
)


@given(st.dictionaries(st.sampled_from(["a", "b", "messageId"]), JSON, max_size=3), st.lists(ANY_STEP, min_size=1, max_size=4))
def test_no_fix_fails_on_any_event_or_touches_its_message_id(event: dict[str, Any], steps: list[dict[str, Any]]) -> None:
    try:
        after = fixed(event, *steps)
    except Unfixable:
        return
    assert after.get("messageId") == event.get("messageId")


def test_what_cannot_come_back_says_why() -> None:
    fix = Fix.model_validate({"steps": [{"drop": "a"}]})
    for payload, erased, wanted in (
        (None, False, Obstacle.WITHHELD),
        (None, True, Obstacle.ERASED),
        (b"\xff", False, Obstacle.UNREADABLE),
        (b"[]", False, Obstacle.UNREADABLE),
    ):
        with pytest.raises(CannotReturn) as raised:
            returning(payload, erased, fix)
        assert raised.value.obstacle is wanted
    assert returning(b'{"batch":[{"a":1},5]}', False, fix) == b'{"batch":[{},5]}'
    assert (event_name(b'{"type":"page"}'), event_name(b"[]"), event_name(None)) == ("Page Viewed", None, None)
