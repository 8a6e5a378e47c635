"""Rows to events against a second, plain implementation: no row is lost, no total drifts, ids never repeat."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from cegla.collect.rules.calls import calls, message_id
from cegla.collect.rules.columns import RowProblem
from cegla.collect.rules.mapping import Mapping, read_mapping
from cegla.collect.rules.occurrences import Occurrences
from cegla.collect.rules.rows import RowError, plan_events, read_sheet
from cegla.vocabulary.identifiers import normalized
from cegla.vocabulary.money import from_micros, to_micros

MAPPING: Mapping = read_mapping(
    {
        "name": "t", "source": "t", "basis": "contract", "columns": {"at": "time", "qty": "integer", "price": "number"}, "time": "{at}",
        "ids": {"user_id": "{who}", "otherwise": "guest-{order}"}, "group_by": ["order"], "event": "Order Completed",
        "when": [{"column": "total", "below": 0, "event": "Order Refunded"}], "products": {"quantity": "{qty}", "price": "{price}"}, "total": "lines",
    },
    "test",
)  # fmt: skip
QUANTITIES = {"1": 1, "-2": -2, " 12 ": 12, "3.0": 3, "+7": 7, "x": None, "1.5": None, "1,5": None}
PRICES = {"0.1": "0.1", "2.55": "2.55", ".5": "0.5", "-11062.06": "-11062.06", "0.001": "0.001", "1e2": "100", "abc": None, "nan": None, "inf": None}
TIMES = {"2011-12-09T10:00:00": True, "2011-12-09 10:00": True, "2011-02-30T10:00:00": False, "wczoraj": False, "": False}
LINES = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", "d", ""]), st.sampled_from(["", "ann"]), st.sampled_from(list(TIMES)), st.sampled_from(list(QUANTITIES)), st.sampled_from(list(PRICES))),
    max_size=12,
)


def run(lines: list[tuple[str, ...]]) -> tuple[list[dict[str, Any]], list[RowError], Any]:
    columns = [pa.array([line[at] or None for line in lines], pa.string()) for at in range(5)]
    table = pa.table(dict(zip(("order", "who", "at", "qty", "price"), columns, strict=True)))
    plan = plan_events(read_sheet(table, np.arange(1, len(lines) + 1), MAPPING), MAPPING, Occurrences(), normalized)
    return [msgspec.json.decode(text) for text in calls(plan, {}).texts.to_pylist()], plan.errors, plan


@given(LINES)
@settings(deadline=None)
def test_good_orders_come_through_whole_and_exact_and_the_others_not_at_all(lines: list[tuple[str, ...]]) -> None:
    groups: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for line in lines:
        groups[line[0]].append(line)
    good = {order: rows for order, rows in groups.items() if order and all(TIMES[row[2]] and QUANTITIES[row[3]] is not None and PRICES[row[4]] is not None for row in rows)}
    made, errors, plan = run(lines)
    totals = {event["messageId"]: from_micros(to_micros(event["properties"]["total"]) or 0) for event in made}
    assert totals == {f"t:{order}": sum(((QUANTITIES[row[3]] or 0) * Decimal(PRICES[row[4]] or 0) for row in rows), Decimal(0)) for order, rows in good.items()}
    assert sorted([*plan.rows.tolist(), *(error.row for error in errors)]) == list(range(1, len(lines) + 1))
    assert all((event["event"] == "Order Refunded") == (event["properties"]["total"] < 0) for event in made)


@given(st.text(max_size=200), st.text(max_size=200))
def test_message_ids_fit_and_differ_when_keys_do(one: str, other: str) -> None:
    ids = [message_id("import", key) for key in (one, other)]
    assert all(0 < len(found) <= 100 and found.isprintable() for found in ids)
    assert (ids[0] == ids[1]) == (one == other)


def test_a_row_whose_text_holds_nul_is_refused_with_its_column_and_one_nobody_asks_for_does_no_harm() -> None:
    """Such an event could only go to quarantine, and the import would have counted its row as used."""
    columns = {"order": ["a", "b", "c"], "who": ["ann", "a\0nn", None], "at": ["2011-12-09T10:00:00"] * 3, "qty": ["1"] * 3, "price": ["1"] * 3, "note": ["\0", None, None]}
    table = pa.table({name: pa.array(texts, pa.string()) for name, texts in columns.items()})
    plan = plan_events(read_sheet(table, np.arange(1, 4), MAPPING), MAPPING, Occurrences(), normalized)
    assert plan.errors == [RowError(2, "who", RowProblem.HOLDS_NUL, "a\ufffdnn")]
    assert plan.rows.tolist() == [1, 3]
