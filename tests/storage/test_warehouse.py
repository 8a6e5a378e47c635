import subprocess
import sys
import weakref
from collections.abc import Generator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cegla.storage.warehouse import EVENTS, Warehouse, history, table
from cegla.vocabulary.errors.installation import WarehouseDamaged


@pytest.fixture
def warehouse(tmp_path: Path) -> Generator[Warehouse]:
    opened = Warehouse(tmp_path / "w.duckdb")
    yield opened
    opened.close()


def rows(batch: int, identities: list[int]) -> dict[str, pa.Table]:
    blank = dict.fromkeys(EVENTS.names)
    events = [{**blank, "batch": batch, "event_id": batch * 100 + n, "identity_id": i, "occurred_at": datetime(2026, 1, 1)} for n, i in enumerate(identities)]
    return {"events": pa.Table.from_pylist(events, schema=EVENTS)}


def people(warehouse: Warehouse) -> dict[int, int]:
    counted = warehouse.run(history().group_by("person_id").agg(n=history().count())).to_pylist()
    return {row["person_id"]: row["n"] for row in counted}


def test_an_identity_without_a_row_in_the_map_is_its_own_person(warehouse: Warehouse) -> None:
    warehouse.append(rows(1, [7, 7, 8]))
    assert people(warehouse) == {7: 2, 8: 1}


def test_joining_and_splitting_people_rewrites_no_event(warehouse: Warehouse) -> None:
    warehouse.append(rows(1, [7, 8]))
    warehouse.set_people([(8, 7)])
    assert people(warehouse) == {7: 2}
    warehouse.set_people([(8, 8)])
    assert people(warehouse) == {7: 1, 8: 1}


def test_the_rows_of_an_uncommitted_batch_are_taken_back(warehouse: Warehouse) -> None:
    warehouse.append(rows(1, [7]))
    warehouse.append(rows(2, [8, 9]))
    assert warehouse.take_back_after(1) == 2
    assert people(warehouse) == {7: 1}


def test_a_question_can_be_asked_of_some_people_only(warehouse: Warehouse) -> None:
    warehouse.append(rows(1, [7, 8, 9]))
    with warehouse.people([8, 9, 10]) as chosen:
        found = warehouse.run(history().semi_join(chosen, "person_id").select("person_id").order_by("person_id"))
    assert found["person_id"].to_pylist() == [8, 9]


def test_what_was_appended_is_there_after_reopening(tmp_path: Path) -> None:
    first = Warehouse(tmp_path / "again.duckdb")
    first.append(rows(1, [7]))
    first.close()
    second = Warehouse(tmp_path / "again.duckdb")
    assert second.run(table("events").aggregate(n=table("events").count()))["n"].to_pylist() == [1]
    second.close()


def test_the_warehouse_reads_no_file_of_the_machine(warehouse: Warehouse) -> None:
    with pytest.raises(Exception, match="disabled"), warehouse._cursor() as cursor:
        cursor.execute("select * from read_csv('/etc/passwd')")


def test_a_file_that_is_no_warehouse_is_a_message(tmp_path: Path) -> None:
    (tmp_path / "bad.duckdb").write_bytes(b"not a database" * 100)
    with pytest.raises(WarehouseDamaged) as refused:
        Warehouse(tmp_path / "bad.duckdb")
    assert refused.value.where.endswith("bad.duckdb")


def test_an_erased_identity_leaves_no_row(warehouse: Warehouse) -> None:
    warehouse.append(rows(1, [7, 8, 7]))
    assert len(warehouse.rows_of([7])["events"]) == 2
    assert warehouse.erase([7]) == 2
    assert people(warehouse) == {8: 1}
    assert warehouse.rows_of([7])["events"] == []


EVERYTHING: Any = table("events")
KILLED = """
import os, signal, sys
from pathlib import Path
from typing import Any
import pyarrow as pa
from cegla.storage.warehouse import Warehouse

rows = pa.table({"person_id": range(1_500_000), "value": [f"canary-{number:060}" for number in range(1_500_000)]})
with Warehouse(Path(sys.argv[1]), memory="60MB").keep(rows):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_put_aside_from_its_memory_is_gone_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert any(b"canary-" in file.read_bytes() for file in (tmp_path / "w.duckdb.tmp").iterdir())
    Warehouse(path).close()
    assert [file for file in tmp_path.rglob("*") if file.is_file() and b"canary-" in file.read_bytes()] == []


def test_rows_that_are_kept_do_not_lie_in_memory_twice(warehouse: Warehouse) -> None:
    given = pa.table({"person_id": pa.array([7, 8], pa.int64())})
    seen, kept = weakref.ref(given), warehouse.keep(given)
    del given
    with kept as table:
        assert seen() is None
        assert warehouse.run(table.order_by("person_id"))["person_id"].to_pylist() == [7, 8]


def test_what_was_put_aside_takes_no_memory_once_it_is_dropped_though_a_snapshot_goes_on(warehouse: Warehouse) -> None:
    held = "select sum(memory_usage_bytes + temporary_storage_bytes) from duckdb_memory() where tag = 'IN_MEMORY_TABLE'"
    put = pa.table({"person_id": range(20_000), "value": [f"{number:060}" for number in range(20_000)]})
    with warehouse.snapshot(0) as past, warehouse._cursor() as cursor:
        assert past is not None
        with past.aside.keep(put) as kept:
            assert past.aside.run(kept).num_rows == 20_000
            during = cursor.execute(held).fetchall()
        after = cursor.execute(held).fetchall()
    assert during[0][0] > 1 << 20
    assert after[0][0] < 1 << 20


def test_rows_are_removed_and_blanked_for_good_while_somebody_reads_what_was_before(warehouse: Warehouse) -> None:
    warehouse.append(rows(1, [7, 8, 9]))
    with warehouse.snapshot(1) as past:
        assert past is not None
        before = past.run(table("events")).num_rows
        assert warehouse.forget("events", EVERYTHING.filter(EVERYTHING.name.isnull() & (EVERYTHING.identity_id == 7)), {"name": "'gone'"}) == 1
        assert warehouse.forget("events", EVERYTHING.filter(EVERYTHING.identity_id == 8)) == 1
        assert warehouse.erase([9]) == 1
        log = warehouse.path.with_suffix(".duckdb.wal")
        assert not log.exists() or not log.stat().st_size, "all of it is in the file, whatever becomes of the log"
        assert past.run(table("events")).num_rows == before == 3
    assert [(row["identity_id"], row["name"]) for row in warehouse.run(table("events")).to_pylist()] == [(7, "gone")]


def test_a_blanked_row_stays_though_the_condition_holds_for_it_still(warehouse: Warehouse) -> None:
    warehouse.append(rows(1, [7, 8]))
    assert [warehouse.forget("events", EVERYTHING.filter(EVERYTHING.identity_id == 7), {"name": "null"}) for _ in range(2)] == [1, 1]
    assert warehouse.counts()["events"] == 2
