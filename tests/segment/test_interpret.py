"""What is worked out in memory is what the warehouse answers, value for value, the unknown ones too; and no operator needs the warehouse for each rule."""

from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cegla.segment.asking import questions_of
from cegla.segment.operators import OPERATORS, Named, known_of, parsed
from cegla.segment.rules import touched
from cegla.segment.rules.arrays import Array, Beyond, from_arrow
from cegla.segment.rules.history import Passing, Scale
from cegla.segment.rules.interpret import Frame, Steps
from cegla.segment.some import past
from cegla.storage.warehouse import history

NOW = datetime(2026, 11, 23, 12)
KINDS = {"person_id": pa.int64(), "number": pa.int64(), "at": pa.timestamp("us"), "a": pa.int64(), "b": pa.int64(), "f": pa.float64(), "s": pa.string(), "p": pa.bool_(), "q": pa.bool_()}
TABLE: Any = ibis.table(ibis.Schema.from_pyarrow(pa.schema(list(KINDS.items()))), name="rows")
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)
row = st.fixed_dictionaries({
    "person_id": st.integers(1, 4), "at": st.integers(-3, 3).map(lambda minutes: NOW + timedelta(minutes=minutes)), "a": st.none() | st.integers(-3, 3), "b": st.none() | st.integers(-2, 2),
    "f": st.none() | st.sampled_from([-1.5, 0.0, 0.25, 3.0]), "s": st.none() | st.sampled_from(["x", "y", "ż"]), "p": st.none() | st.booleans(), "q": st.none() | st.booleans(),
})  # fmt: skip
rows = st.lists(row, min_size=1, max_size=25)

whole = st.recursive(
    st.sampled_from([TABLE.a, TABLE.b, ibis.literal(2), ibis.literal(0), ibis.null("int64")]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: two[0] + two[1]), st.tuples(inner, inner).map(lambda two: two[0] * two[1]), st.tuples(inner, inner).map(lambda two: two[0] - two[1]),
        st.tuples(inner, inner).map(lambda two: two[0].fill_null(two[1])), st.tuples(inner, inner).map(lambda two: two[0].nullif(two[1])),
        st.tuples(inner, inner).map(lambda two: two[0] // two[1].nullif(0)), st.tuples(inner, inner).map(lambda two: two[0] % two[1].nullif(0)),
        st.tuples(inner, inner).map(lambda two: ibis.least(*two)), st.tuples(inner, inner).map(lambda two: ibis.greatest(*two)),
        st.tuples(st.deferred(lambda: flags), inner, inner).map(lambda three: ibis.ifelse(*three)), st.tuples(st.deferred(lambda: flags), inner, st.deferred(lambda: flags), inner, inner).map(lambda five: ibis.cases(five[:2], five[2:4], else_=five[4])),
    ),
    max_leaves=5,
)  # fmt: skip
moments = st.sampled_from([TABLE.at, TABLE.at + ibis.interval(minutes=1), TABLE.at.truncate("m"), ibis.literal(NOW, type="timestamp")])
words = st.sampled_from([TABLE.s, ibis.literal("x"), ibis.literal("other"), TABLE.s.fill_null("y"), TABLE.s.nullif("x"), ibis.ifelse(TABLE.p, TABLE.s, "z"), TABLE.s.upper()])
compared = ["__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"]
flags: Any = st.deferred(lambda: st.recursive(
    st.one_of(
        st.sampled_from([TABLE.p, TABLE.q, ibis.literal(True), ibis.null("boolean"), TABLE.s.isin(["x", "ż"]), TABLE.f.between(0.0, 2.0), TABLE.at.date() == NOW.date()]),
        st.tuples(st.sampled_from(compared), whole, whole).map(lambda three: getattr(three[1], three[0])(three[2])),
        st.tuples(st.sampled_from(compared), moments, moments).map(lambda three: getattr(three[1], three[0])(three[2])),
        st.tuples(st.sampled_from(compared[:2]), words, words).map(lambda three: getattr(three[1], three[0])(three[2])),
        whole.map(lambda one: one.isnull()), words.map(lambda one: one.notnull()), whole.map(lambda one: TABLE.f > one), whole.map(lambda one: TABLE.f / 2 <= one),
    ),
    lambda inner: st.one_of(inner.map(lambda one: ~one), st.tuples(inner, inner).map(lambda two: two[0] & two[1]), st.tuples(inner, inner).map(lambda two: two[0] | two[1]), inner.map(lambda one: one.fill_null(False))),
    max_leaves=4,
))  # fmt: skip


def measures(where: Any) -> dict[str, Any]:
    """One of each kind of measure."""
    when = ibis.struct({"at": TABLE.at, "number": TABLE.number})
    return {
        "count": TABLE.count(where=where), "some": TABLE.a.count(where=where), "sum": TABLE.a.sum(where=where), "floats": TABLE.f.sum(where=where), "least": TABLE.at.min(where=where), "most": TABLE.f.max(where=where),
        "words": TABLE.s.nunique(where=where), "days": TABLE.at.date().nunique(where=where), "newest": TABLE.s.argmax(when, where=where), "oldest": TABLE.b.argmin(when, where=where), "flags": TABLE.p.sum(where=where),
    }  # fmt: skip


def near(flag: Any) -> Any:
    """The marked moment nearest before each row, and the one after it."""
    micros = TABLE.at.epoch_seconds() * 1_000_000 + TABLE.at.microsecond()
    marked = TABLE.select("person_id", "number", micros=micros, flag=flag.fill_null(False))
    moment = ibis.ifelse(marked.flag, marked.micros, ibis.null("int64"))
    before, after = ({"group_by": "person_id", "order_by": "micros", "range": frame} for frame in ((None, -1), (1, None)))
    seen = marked.mutate(before=moment.max().over(ibis.window(**before)), after=moment.min().over(ibis.window(**after)))
    return seen.group_by("person_id").aggregate(times=seen.count(where=seen.flag), before=seen.before.sum(), after=seen.after.sum())


def asked(warehouse: Any, expression: Any) -> pa.Table:
    return warehouse.sql(str(ibis.to_sql(expression, dialect="duckdb"))).to_arrow_table().sort_by("person_id")


def worked_out(warehouse: Any, table: pa.Table, expressions: dict[str, Any]) -> dict[str, Any]:
    """The expressions in memory, with what must be fetched fetched."""
    steps = Steps(TABLE.op())
    places = {name: steps.place(one) for name, one in expressions.items()}
    rows = asked(warehouse, TABLE.select("person_id", "at", "number", *sorted(steps.named - {"person_id", "at", "number"}), **{name: one.to_expr() for name, one in steps.asked.items()}))
    order = np.lexsort((rows["number"].to_numpy(), from_arrow(rows["at"]).values, rows["person_id"].to_numpy()))
    results = steps.run(Frame(table.num_rows, lambda name: from_arrow(rows[name]).take(order)), set(places.values()), 0)
    return {name: results[place] for name, place in places.items()}


@pytest.fixture(scope="module")
def warehouse() -> Any:
    with duckdb.connect() as opened:
        yield opened


def known(warehouse: Any, drawn: list[dict[str, Any]]) -> pa.Table:
    table = pa.Table.from_pylist([{**one, "number": number} for number, one in enumerate(sorted(drawn, key=lambda one: (one["person_id"], one["at"])))], schema=pa.schema(list(KINDS.items())))
    warehouse.register("rows", table)
    return table


@given(rows, flags, whole)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), phases=QUICK)
def test_columns_and_measures_in_memory_are_those_of_the_warehouse(warehouse: Any, drawn: list[dict[str, Any]], flag: Any, number: Any) -> None:
    table = known(warehouse, drawn)
    expected = asked(warehouse, TABLE.select("person_id", "number", flag=flag, whole=number)).sort_by("number")
    counted = asked(warehouse, TABLE.group_by("person_id").aggregate(**measures(flag)))
    try:
        found = worked_out(warehouse, table, {"flag": flag, "whole": number, **measures(flag)})
    except Beyond as error:
        pytest.fail(f"left to the warehouse: {error!r}")
    for name, kind in (("flag", pa.bool_()), ("whole", pa.int64())):
        assert found[name].to_arrow(table.num_rows, kind).to_pylist() == expected[name].to_pylist(), name
    for name in measures(flag):
        kind = counted[name].type
        assert found[name].to_arrow(counted.num_rows, pa.int64() if pa.types.is_decimal(kind) else kind).to_pylist() == counted[name].to_pylist(), name


@given(rows, flags)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), phases=QUICK)
def test_the_nearest_event_in_memory_is_that_of_the_warehouse(warehouse: Any, drawn: list[dict[str, Any]], flag: Any) -> None:
    table, expression = known(warehouse, drawn), near(flag)
    counted = asked(warehouse, expression)
    found = worked_out(warehouse, table, {"table": expression})["table"]
    for name in ("times", "before", "after"):
        assert found[name].to_arrow(counted.num_rows, pa.int64()).to_pylist() == [None if one is None else int(one) for one in counted[name].to_pylist()], name


def test_no_operator_needs_a_question_of_its_own() -> None:
    about = known_of((), (Named(1, "life_cycle.new", "Nowi", '{"op": "life_cycle", "groups": ["new"]}'),))
    rules = [parsed(dict(row.example), about) for row in OPERATORS.values()]
    columns = {"accounts": {"value": "int64"}, "home": dict.fromkeys(("country", "voivodeship", "powiat", "city"), "string")}
    answers: dict[Any, Any] = {
        one: ibis.table({"person_id": "int64", **columns.get(one.kind, {"value": "string"}), **({"confidence": "float64"} if one.kind in ("found", "home") else {})}, name=f"answer_{number}")
        for number, one in enumerate(questions_of(rules))
    }
    four = (1, 2, 3, 4)
    ground = Passing(NOW, Scale(NOW, 10, (-9, -8, -7, -6), four, four), UTC, (("monetary", tuple(map(float, range(9)))),))
    made = touched.plan(rules, past(NOW.replace(tzinfo=UTC), answers, history(), history("order_lines")), ground)
    assert [list(OPERATORS)[number] for number in made.left] == []


def test_what_cannot_be_held_exactly_is_left_to_the_warehouse() -> None:
    with pytest.raises(Beyond):
        from_arrow(pa.array([1.0, float("nan")]))
    with pytest.raises(Beyond):
        Steps(TABLE.op()).place(TABLE.s.max())
    steps = Steps(TABLE.op())
    place = steps.place(TABLE.a * TABLE.a)
    rows = Frame(1, lambda name: from_arrow(pa.array([2**40])))
    with pytest.raises(Beyond):
        steps.run(rows, {place}, 0)
    steps = Steps(TABLE.op())
    for one in (TABLE.a / TABLE.b, TABLE.a // TABLE.b, TABLE.a % TABLE.b):
        with pytest.raises(Beyond):
            steps.run(Frame(2, lambda name: from_arrow(pa.array([7, 0 if name == "b" else 7]))), {steps.place(one)}, 0)


@given(st.lists(st.integers(1, 4), max_size=12), st.integers(1, 5))
@settings(deadline=None)
def test_parts_of_rows_are_whole_people_and_together_all_rows(people: list[int], most: int) -> None:
    owner = np.sort(np.array(people, np.int64))
    parts = [part["person_id"].values.tolist() for part in Frame(len(owner), lambda name: Array(owner)).parts(most)]
    assert [one for part in parts for one in part] == owner.tolist() and parts
    assert all(len(part) <= most or len(set(part)) == 1 for part in parts)
    assert all(set(one).isdisjoint(other) for number, one in enumerate(parts) for other in parts[:number])
