"""A plan is read with the line of every mistake, and its validator agrees with an independent one on whatever comes."""

import json
from datetime import UTC, datetime
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cegla.plan import reading
from cegla.plan.rules import matching, observing
from cegla.plan.rules.differences import differences
from cegla.plan.rules.form import Plan, PlannedEvent
from cegla.plan.rules.personal import guess, shown
from cegla.plan.rules.schemas import from_schema, to_schema
from cegla.plan.rules.validator import VIOLATIONS, Taking, Violation, compiled, pruned, violations
from cegla.repair.rules.details import said
from cegla.vocabulary.events import Event, Reason

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEYS = ("a", "b", "total", "products")
TEXTS = st.sampled_from(["", "x", "ab1", "AB-12", "2026-11-25", "2026-02-30", "2026-11-25T10:00:00Z", "2026-11-25T10:00:00", "zażółć"])


def scalar_property() -> st.SearchStrategy[dict[str, Any]]:
    text = st.fixed_dictionaries(
        {"type": st.just("string")},
        optional={"pattern": st.sampled_from(["^[A-Z]{2}", "[0-9]+", "^x?$"]), "min_length": st.integers(0, 2), "max_length": st.integers(2, 12),
            "enumeration": st.lists(TEXTS, min_size=1, max_size=3)},
    )  # fmt: skip
    number = st.fixed_dictionaries(
        {"type": st.sampled_from(["integer", "number"])},
        optional={"min": st.integers(-3, 0), "max": st.integers(0, 4), "enumeration": st.lists(st.integers(-2, 5), min_size=1, max_size=4)},
    )
    return text | number | st.fixed_dictionaries({"type": st.sampled_from(["boolean", "date", "time"])})


def with_required(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda one, required: one | {"required": required}, inner, st.booleans())


PROPERTIES = st.recursive(
    scalar_property(),
    lambda inner: (
        st.fixed_dictionaries({"type": st.just("object")}, optional={"properties": st.dictionaries(st.sampled_from(KEYS), with_required(inner), max_size=3)})
        | st.fixed_dictionaries({"type": st.just("array")}, optional={"items": inner, "min_length": st.integers(0, 1), "max_length": st.integers(1, 3)})
    ),
    max_leaves=4,
)
FIELDS = st.dictionaries(st.sampled_from(KEYS), with_required(PROPERTIES), max_size=4)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-4, 6) | st.sampled_from([0.5, 2.0, -3.5]) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from((*KEYS, "other")), inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.sampled_from((*KEYS, "other")), VALUES, max_size=5)


def plan(*events: dict[str, Any], **more: Any) -> Plan:
    return Plan.model_validate({"events": list(events), **more})


def event(name: str = "Order Completed", properties: dict[str, Any] | None = None, **more: Any) -> Event:
    fields: dict[str, Any] = {
        "source_id": 1,
        "message_id": "m",
        "kind": "track",
        "name": name,
        "occurred_at": NOW,
        "received_at": NOW,
        "properties": properties or {},
    }
    return Event(**(fields | more))


def match(planned: Plan, *events: Event) -> matching.Matched:
    return matching.match(events, {1: compiled(planned)})


@hypothesis_settings(max_examples=400, deadline=None)
@given(FIELDS, OBJECTS)
def test_the_validator_agrees_with_json_schema(fields: dict[str, Any], value: dict[str, Any]) -> None:
    planned = PlannedEvent.model_validate({"name": "E", "properties": fields})
    ready = compiled(Plan.model_validate({"events": [planned]})).newest["E"]
    oracle = jsonschema_rs.Draft202012Validator(to_schema(planned), validate_formats=True)
    as_sent = msgspec.json.decode(msgspec.json.encode(value))
    assert (not violations(as_sent, ready)) == oracle.is_valid(as_sent)
    if ready.is_clean(as_sent):
        assert not violations(as_sent, ready)


@hypothesis_settings(max_examples=300, deadline=None)
@given(FIELDS, OBJECTS)
def test_what_is_taken_out_leaves_nothing_wrong_and_nothing_is_lost(fields: dict[str, Any], value: dict[str, Any]) -> None:
    ready = compiled(plan({"name": "E", "properties": fields})).newest["E"]
    stays, out = pruned(value, ready.fields, Taking(unplanned=True, broken=True, personal=False))
    left = {one.kind for one in violations(stays, ready)}
    assert left <= {Violation.MISSING, Violation.TOO_SHORT}
    assert leaves(stays) + leaves(out) == leaves(value)
    assert matching.without(event(properties=value), out).properties == stays


def leaves(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(leaves, value.values()))
    return sum(map(leaves, value)) if isinstance(value, list) else 1


@given(FIELDS)
def test_a_schema_made_from_an_event_comes_back_as_the_event(fields: dict[str, Any]) -> None:
    planned = PlannedEvent.model_validate({"name": "E", "properties": fields})
    assert PlannedEvent.model_validate(from_schema(to_schema(planned), "E")) == planned


@given(FIELDS, FIELDS)
def test_plans_differ_exactly_when_they_are_not_equal(old: dict[str, Any], new: dict[str, Any]) -> None:
    one, other = plan({"name": "E", "properties": old}), plan({"name": "E", "properties": new})
    assert bool(differences(one, other)) == (one != other)


@pytest.mark.parametrize("name", ["a\u2028b", "a\x85b", "a\u2029 b", "- x: #y", "null", "\ufefftab\t", "a\nb", "ą 😀"])
def test_a_name_of_any_letters_is_the_same_name_in_the_text_of_a_plan(name: str) -> None:
    written = plan({"name": name, "properties": {name: {"type": "string", "enumeration": [name, "x"]}}}, title=name)
    assert reading.read(reading.write(written, {name: "seen"})) == (written, [])


@given(FIELDS)
def test_a_plan_written_and_read_again_is_the_same(fields: dict[str, Any]) -> None:
    written = plan({"name": "Zamówienie: złożone", "properties": fields}, mode="omit")
    assert reading.read(reading.write(written, {"Zamówienie: złożone": "seen"})) == (written, [])


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("events:\n  - name: A\n    properties:\n      x: {type: strin}\n", 4, "string"),
        ("mode: warn\nevents:\n  - name: A\n    tpye: track\n", 4, "no such field"),
        ("events:\n  - name: A\n    properties:\n      x:\n        type: string\n        pattern: '(a'\n", 6, "too complex"),
        ("events:\n  - name: A\n    properties:\n      x: {type: string, pattern: '(?=a)b'}\n", 4, "too complex"),
        ("events:\n  - {name: A}\n  - {name: A}\n", 1, "twice"),
        ("events:\n  - name: A\n    properties:\n      x:\n        type: number\n        max: .nan\n", 6, "NaN"),
        ('{"events":\n [{"name": "A", "properties":\n  {"x": {"type": "number",\n   "min": -Infinity}}}]}', 4, "NaN"),
        ("events:\n  - name: A\n    properties:\n      x: {type: number, enumeration: [1.5, .inf]}\n", 4, "NaN"),
        ("a: &x 1\nb: *x\n", 1, "aliases"),
        ("events: [\n", 2, "not valid YAML"),
        ("events: " + "[" * 100_000, 1, "too deeply"),
        ("- 1\n", 1, "mapping"),
        ("title: Shop\nevents:\n  Order Completed: {}\n", 2, "should be a list"),
        ("events:\n  - name: A\n    properties: [x]\n", 3, "should be fields"),
        ("events:\n  - type: page\n    name: Home\n", 2, "fixed names"),
        ("events:\n  - name: A\n    type: [page]\n", 3, "allowed values"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, line: int, words: str) -> None:
    read, problems = reading.read(text)
    assert read is None
    assert (problems[0].line, words in problems[0].what.en) == (line, True), problems


def test_a_pattern_that_would_hang_elsewhere_is_matched_in_linear_time() -> None:
    planned = plan({"name": "Order Completed", "properties": {"x": {"type": "string", "pattern": "^(a+)+$"}}}, mode="block")
    assert match(planned, event(properties={"x": "a" * 100_000 + "b"})).refused


@pytest.mark.parametrize(
    ("mode", "applied", "stays"),
    [("allow", True, {"total": "1", "odd": 1}), ("warn", True, {"total": "1", "odd": 1}), ("omit", True, {}), ("block", False, None)],
)
def test_a_mode_decides_what_happens_to_an_event_that_is_not_as_planned(mode: str, applied: bool, stays: Any) -> None:
    planned = plan({"name": "Order Completed", "properties": {"total": {"type": "number"}}}, mode=mode)
    matched = match(planned, event(properties={"total": "1", "odd": 1}))
    assert {(key[2], key[3]): tally.count for key, tally in matched.tallies.items()} == {("total", "wrong_type"): 1, ("odd", "unplanned_property"): 1}
    assert [one.properties for one in matched.events] == ([stays] if applied else [])
    assert [reason for _, reason, _ in matched.refused] == ([] if applied else [Reason.PLAN_VIOLATION])
    assert [out for _, out in matched.apart] == ([{"total": "1", "odd": 1}] if mode == "omit" else [])
    if applied and mode != "allow":
        assert len(matched.events[0].context["protocols"]["violations"]) == 2


def test_a_name_with_a_comma_or_a_colon_in_it_stays_one_name_in_the_sentence() -> None:
    kinds = {str(kind): label for kind, label in VIOLATIONS.items()}
    odd = {"type": "number", "required": True}
    planned = plan({"name": "Order Completed", "properties": {"size, EU": odd, 'a": missing, b; c': odd, "total": odd}}, mode="block")
    ((_, _, detail),) = match(planned, event(properties={"total": "1"})).refused
    assert said(detail, kinds).en == (
        '"a\\": missing, b; c": a required property is missing (null), "size, EU": a required property is missing (null), total: wrong type (string)'
    )


def test_the_nearest_mode_decides() -> None:
    planned = plan({"name": "A", "mode": "block"}, {"name": "B", "unplanned_properties": "omit"}, {"name": "C"}, mode="warn", unplanned_events="block")
    matched = match(planned, event("A", {"odd": 1}), event("B", {"odd": 1}), event("C", {"odd": 1}), event("D"))
    assert [one.name for one, _, _ in matched.refused] == ["A", "D"]
    assert [(one.name, one.properties) for one in matched.events] == [("B", {}), ("C", {"odd": 1})]


def test_the_event_says_which_version_it_is() -> None:
    planned = plan({"name": "A", "properties": {"x": {"type": "string"}}}, {"name": "A", "version": 2, "properties": {"x": {"type": "integer"}}}, mode="block")
    as_first, as_second, as_fourth = ({"protocols": {"event_version": number}} for number in (1, "2", 4))
    matched = match(
        planned,
        event("A", {"x": "t"}, context=as_first),
        event("A", {"x": 1}, context=as_second),
        event("A", {"x": 1}),
        event("A", {"x": 1}, context=as_fourth),
    )
    assert len(matched.events) == 3
    assert [key[3] for key in matched.tallies] == [Violation.UNKNOWN_VERSION]


def test_pages_are_held_against_page_viewed_and_traits_against_identify() -> None:
    planned = plan(
        {"type": "page", "properties": {"path": {"type": "string", "required": True}}},
        {"type": "identify", "traits": {"plan": {"type": "string"}}},
        mode="block",
    )
    page, who = event("Page Viewed", {}, kind="page"), event("Identify", kind="identify", traits={"plan": 3})
    assert len(match(planned, page, who, event("Alias", kind="alias")).refused) == 2


def test_a_personal_property_goes_no_further_wherever_it_is() -> None:
    note = {"type": "string", "personal": "free_text"}
    fields = {"gift": note, "items": {"type": "array", "items": {"type": "object", "properties": {"note": note, "sku": {"type": "string"}}}}}
    matched = match(plan({"name": "A", "properties": fields}), event("A", {"gift": "Dla Anny", "items": [{"note": "x", "sku": "1"}]}))
    assert matched.events[0].properties == {"items": [{"sku": "1"}]}
    assert matched.apart[0][1] == {"gift": "Dla Anny", "items": {"0": {"note": "x"}}}
    assert not matched.tallies


def test_a_flood_of_different_names_is_counted_together() -> None:
    matched = match(plan(), *(event(f"E{number}") for number in range(3_000)))
    assert len(matched.tallies) <= matching.MOST_KEYS + 1
    assert sum(tally.count for tally in matched.tallies.values()) == 3_000


def test_a_plan_is_proposed_from_what_was_seen_and_fits_it() -> None:
    events = [
        event(properties={"status": "new" if number % 2 else "paid", "total": number / 2, "email": f"a{number}@example.pl", "n": number})
        for number in range(200)
    ]
    events[0].properties["coupon"] = "X"
    proposed, comments = observing.inferred(observing.observe(events), "shop")
    fields = proposed.events[0].properties
    assert (fields["status"].enumeration, fields["total"].type, fields["n"].type, fields["email"].personal) == (("new", "paid"), "number", "integer", "contact")
    assert [key for key, one in fields.items() if not one.required] == ["coupon"]
    assert "seen 200 times" in comments["Order Completed"]
    assert not match(proposed, *events).tallies


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("kontakt", "anna@example.pl", "contact"),
        ("numer", "601 234 567", "contact"),
        ("nr", "44051401359", "identifier"),
        ("sku", "5901234123457", "none"),
        ("uwagi", "x", "free_text"),
    ],
)
def test_a_class_of_personal_data_is_guessed(name: str, value: str, wanted: str) -> None:
    assert guess(name, [value]) == wanted


def test_samples_show_nothing_personal() -> None:
    told = json.dumps(shown({"email": "anna@example.pl", "deep": [{"x": "write to anna@example.pl"}], "nr": "44051401359", "total": 5}))
    assert "anna@" not in told
    assert "44051401359" not in told
    assert '"total": 5' in told


@pytest.mark.parametrize(
    ("old", "new", "breaking"),
    [
        ({"type": "integer"}, {"type": "number"}, False),
        ({"type": "number"}, {"type": "integer"}, True),
        ({"type": "string"}, {"type": "string", "required": True}, True),
        ({"type": "string", "enumeration": ["a"]}, {"type": "string", "enumeration": ["a", "b"]}, False),
        ({"type": "number", "max": 5}, {"type": "number", "max": 4}, True),
        ({"type": "number", "max": 5}, {"type": "number"}, False),
        ({"type": "date"}, {"type": "string"}, False),
        ({"type": "time"}, {"type": "string"}, False),
        ({"type": "string"}, {"type": "date"}, True),
    ],
)
def test_a_difference_is_breaking_when_right_events_may_become_wrong(old: dict[str, Any], new: dict[str, Any], breaking: bool) -> None:
    (found,) = differences(plan({"name": "E", "properties": {"x": old}}), plan({"name": "E", "properties": {"x": new}}))
    assert found.breaking is breaking


@pytest.mark.parametrize(
    ("old", "new", "breaking"),
    [
        ({"mode": "block"}, {"mode": "block", "unplanned_events": "allow"}, False),
        ({"mode": "block", "unplanned_events": "allow"}, {"mode": "block"}, True),
        ({"mode": "allow", "unplanned_properties": "block"}, {"mode": "allow"}, False),
        ({"mode": "block", "event": {"mode": "allow"}}, {"mode": "block", "event": {}}, True),
        ({"mode": "block", "event": {}}, {"mode": "block", "event": {"mode": "warn"}}, False),
        ({"mode": "warn", "event": {"unplanned_properties": "allow"}}, {"mode": "warn", "event": {}}, True),
    ],
)
def test_a_mode_is_stricter_by_what_it_works_out_to(old: dict[str, Any], new: dict[str, Any], breaking: bool) -> None:
    """A word that is left out or taken out leaves it to the word above it."""
    one, other = (plan({"name": "E"} | said.pop("event", {}), **said) for said in (dict(old), dict(new)))
    (found,) = differences(one, other)
    assert found.breaking is breaking


def test_no_more_events_are_proposed_than_a_plan_may_have() -> None:
    seen = {f"E{number}": observing.Fields(count=1 + (number == 7)) for number in range(2_005)}
    made, comments = observing.inferred(seen, "shop")
    assert (len(made.events), len(comments), made.events[0].name) == (2_000, 2_000, "E7")
