"""Every operator's own example: it matches the person inside and leaves the one outside."""

import re
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from cegla.profile import actions as profile
from cegla.segment.operators import OPERATORS, Named, known_of, parsed
from cegla.segment.rules import rfm, splits, tenths
from cegla.segment.rules.compile import History, members, reasons, values_of
from cegla.segment.rules.explain import explained
from cegla.segment.rules.history import Ground
from cegla.segment.rules.language import Operator, Question, leaves
from cegla.segment.rules.sentence import Speaker
from cegla.storage.warehouse import Warehouse, history
from tests.segment.worlds import NOW, fill

INSIDE, OUTSIDE = 11, 22
BY_NUMBER = ("random_part",)  #: what people are called decides, not what they did
MOMENT = NOW.replace(tzinfo=None)
ABOUT = known_of((), (Named(1, "life_cycle.new", "Nowi", '{"op": "life_cycle", "groups": ["new"]}'),))


def answer(told: tuple[Any, Any]) -> pa.Table:
    """What another store says of the two people of an example."""
    return pa.Table.from_pylist([{"person_id": person, **one} for person, one in zip((INSIDE, OUTSIDE), told, strict=True) if one is not None])


@contextmanager
def tables(warehouse: Warehouse, operator: Operator) -> Generator[History]:
    """The history, with what the example asks answered by its row."""
    asked = [question for leaf in leaves(parsed(operator.example, ABOUT)) if (question := leaf.question) is not None]
    with ExitStack() as stack:
        answers: dict[Question, Any] = {question: stack.enter_context(warehouse.keep(answer(operator.told))) for question in asked}
        yield History(history(), history("order_lines"), lambda keys: profile.past.traits_of(NOW, None, keys), None, answers)


def ground(warehouse: Warehouse, operator: Operator, past: History) -> Ground:
    """The moment, with the scales over the two people."""
    scale = rfm.scale(warehouse.run(rfm.bounds(history(), MOMENT)).to_pylist()[0], MOMENT)
    bare = Ground(MOMENT, scale, ZoneInfo("Europe/Warsaw"))
    if operator.key != "trait_tenth":
        return bare
    leaf = leaves(parsed(operator.example, ABOUT))[0]
    values = warehouse.run(values_of(leaf, tenths.known, past, bare))["value"].to_numpy()
    return Ground(MOMENT, scale, ZoneInfo("Europe/Warsaw"), ((leaf.values["trait"], tenths.bounds(values)),))


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Generator[Warehouse]:
    warehouse = Warehouse(tmp_path_factory.mktemp("examples") / "w.duckdb")
    yield warehouse
    warehouse.close()


@pytest.fixture
def warehouse(opened: Warehouse) -> Warehouse:
    """An empty one."""
    opened.take_back_after(0)
    return opened


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS.keys())
def test_the_example_matches_who_it_should(operator: Operator, warehouse: Warehouse) -> None:
    fill(warehouse, {INSIDE: operator.inside, OUTSIDE: operator.outside})
    with tables(warehouse, operator) as past:
        at = ground(warehouse, operator, past)
        assert warehouse.run(members(parsed(operator.example, ABOUT), past, at))["person_id"].to_pylist() == [INSIDE]


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS.keys())
def test_what_cannot_hold_for_nobody_in_particular_says_so(operator: Operator, warehouse: Warehouse) -> None:
    """`empty` may be True in doubt, but False must be certain: then a person with another history does not match."""
    rule = parsed(operator.example, ABOUT)
    fill(warehouse, {INSIDE: operator.inside})
    with tables(warehouse, operator) as past:
        at = ground(warehouse, operator, past)
        from_everybody = members(parsed({"any": [operator.example, {"not": {"op": "everyone"}}]}, ABOUT), past, at)
        narrow = members(rule, past, at)
        assert warehouse.run(narrow)["person_id"].to_pylist() == warehouse.run(from_everybody)["person_id"].to_pylist()


SHOWN = ["abandoned_cart", "reachable", "anniversary_in_days", "trait_tenth", "lives_in", "in_segment", "random_part", "did_then"]


@pytest.mark.parametrize("key", SHOWN)
def test_what_was_seen_is_said_in_both_languages(key: str, warehouse: Warehouse) -> None:
    operator = OPERATORS[key]
    fill(warehouse, {INSIDE: operator.inside})
    rule = parsed({"all": [operator.example, {"op": "everyone"}]}, ABOUT)
    with tables(warehouse, operator) as past:
        [row] = warehouse.run(reasons(rule, past, ground(warehouse, operator, past))).to_pylist()
    told = explained(rule, row, (Speaker("pl", "PLN"), Speaker("en", "PLN")))
    assert [one.holds for one in told.children] == [True, True]
    if key == "in_segment":
        assert [one.op for one in told.children[0].children] == ["life_cycle"]
    else:
        assert told.children[0].seen is not None and all(told.children[0].seen)


@pytest.mark.parametrize(("key", "operator"), OPERATORS.items(), ids=OPERATORS.keys())
def test_a_row_has_all_that_form_docs_and_sentence_are_made_of(key: str, operator: Operator) -> None:
    """What the language promises of each operator; that the example matches whom it should, and reads well, is tested beside this."""
    assert operator.key == key == operator.example["op"] and key.isidentifier() and key.islower()
    names = {parameter.name for parameter in operator.parameters}
    assert {*operator.example} - {"op"} <= names
    assert {parameter.name for parameter in operator.parameters if parameter.required} <= {*operator.example}
    assert len(names) == len(operator.parameters)
    for text in (operator.label, operator.sentence, *(parameter.label for parameter in operator.parameters)):
        assert text.pl.strip() == text.pl and text.en.strip() == text.en and text.pl and text.en
    for said in (operator.sentence.pl, operator.sentence.en):
        assert {name.partition(":")[0] for name in re.findall("{(.*?)}", said)} <= names
    assert operator.inside, "a test vector: what somebody did who matches"
    assert operator.inside != operator.outside or operator.told[0] != operator.told[1] or operator.key in BY_NUMBER


def test_no_two_operators_are_told_apart_by_nothing() -> None:
    for language in ("pl", "en"):
        labels = [(operator.group, operator.label.say(language)) for operator in OPERATORS.values()]
        assert len({*labels}) == len(labels)


def test_parts_of_a_split_are_as_large_as_they_say() -> None:
    places = [splits.place(person, "a") for person in range(1, 20_001)]
    tenths_of_all = [sum(splits.edge(10 * part) <= place < splits.edge(10 * part + 10) for place in places) for part in range(10)]
    assert sum(tenths_of_all) == 20_000
    assert all(abs(one - 2_000) < 5 * 2_000**0.5 for one in tenths_of_all)


def test_splits_of_different_salts_have_nothing_to_do_with_each_other() -> None:
    half = splits.edge(50)
    both = sum(splits.place(person, "a") < half and splits.place(person, "b") < half for person in range(1, 20_001))
    assert abs(both - 5_000) < 5 * 5_000**0.5


def test_tenths_are_equal_for_equal_values() -> None:
    assert tenths.bounds([1.0] * 6 + [2.0, 3.0, 5.0, 9.0]) == (1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 3.0, 5.0, 9.0)
    assert tenths.bounds([]) == ()
