"""What a value looks like as JSON, and who may call."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cegla.api.call import not_found
from cegla.api.plain import plain
from cegla.vocabulary.consent import State
from cegla.vocabulary.events import Reason, SetAside
from cegla.vocabulary.identifiers import Identifier
from cegla.vocabulary.text import Text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "2026-01-02T03:04:00Z"),
        (datetime(2026, 1, 2, 3, 4, tzinfo=timezone(timedelta(hours=2))), "2026-01-02T01:04:00Z"),
        (date(2026, 1, 2), "2026-01-02"),
        (Text("tak", "yes"), {"pl": "tak", "en": "yes"}),
        (Identifier("email", "a@b.pl"), {"type": "email", "value": "a@b.pl"}),
        (State.GIVEN, "given"),
        ((1, {2}, [None]), [1, [2], [None]]),
        ("zażółć".encode(), "zażółć"),
        (b"\xff\x00", "/wA="),
        ({1: True}, {"1": True}),
    ],
)
def test_a_value_as_json(value: Any, expected: Any) -> None:
    assert plain(value) == expected


def test_dataclasses_and_structs_become_objects() -> None:
    aside = SetAside(
        source_id=1, reason=Reason.TOO_DEEP, detail="", payload=None, message_id="m", received_at=datetime(2026, 1, 1, tzinfo=UTC), writer=1, number=2, index=3
    )
    assert plain(aside)["reason"] == "too_deep"


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10))
def test_what_is_json_already_stays_as_it_is(value: Any) -> None:
    assert plain(value) == value


@pytest.mark.parametrize(("what", "polish", "english"), [("source", "źródło 5", "source 5"), ("run", "przebieg 5", "run 5"), ("person", "p5", "p5")])
def test_what_is_not_there_is_named_in_the_readers_language(what: str, polish: str, english: str) -> None:
    error = not_found(what, 5)
    assert (error.say("pl"), error.say("en")) == (f"Nie znaleziono: {polish}", f"Not found: {english}")
