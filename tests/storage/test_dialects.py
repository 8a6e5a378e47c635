"""DuckDB's own words for what Ibis writes otherwise: the same answers."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from cegla.storage.engines.dialects import plain_sql
from cegla.storage.warehouse import Warehouse, history

WEEK = [datetime.fromisoformat(f"2026-11-{day}T23:59:59") for day in range(16, 23)]  # naive, Monday to Sunday


def test_weekdays_begin_on_monday_and_a_choice_leaves_out_what_is_not_known(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "words.duckdb")
    rows = pa.table({"name": ["a", "b", "c", "d", "a", "b", None], "at": pa.array([*WEEK[:6], None], pa.timestamp("us"))})
    with warehouse.keep(rows) as kept:
        table: Any = kept
        found = warehouse.run(table.select("name", day=table["at"].day_of_week.index(), chosen=table["name"].isin(["a", "b", "d"])))
    warehouse.close()
    assert found.to_pydict() == {
        "name": ["a", "b", "c", "d", "a", "b", None],
        "day": [0, 1, 2, 3, 4, 5, None],
        "chosen": [True, True, False, True, True, True, None],
    }


def test_a_choice_of_several_is_no_plain_list_so_that_reading_leaves_out_the_others() -> None:
    events: Any = history()
    sql = plain_sql(events.filter(events["name"].isin(["a", "b", "c"])).op())
    assert "\"name\" = 'a' OR" in sql
