"""What is left of the erased: their bytes are in the file until it is written anew, and then in no file; nobody else notices."""

import threading
from pathlib import Path
from typing import Any

import pytest

from cegla.storage import warehouse as warehouses
from cegla.storage.files import Files
from cegla.storage.snapshots import give_back, take
from cegla.storage.warehouse import TABLES, Warehouse, history, table
from tests.segment.worlds import append

CANARY = "kanarek-9f3b77c1d2e84a60b5c6-żółty"


def fill(warehouse: Warehouse, batch: int, people: int, rows: int = 4_000) -> None:
    append(warehouse, [
        {"batch": batch, "event_id": batch * 100_000 + number, "identity_id": 1 + number % people, "name": "Page Viewed", "is_bot": False,
         "properties": f'{{"note":"{CANARY if number % people == 6 else "x"}{number}"}}'}
        for number in range(rows)
    ])  # fmt: skip


def hits(folder: Path) -> list[str]:
    return [str(file) for file in folder.rglob("*") if file.is_file() and CANARY[:20].encode() in file.read_bytes()]


def counted(warehouse: Any) -> list[dict[str, Any]]:
    events: Any = history()
    return warehouse.run(events.group_by("person_id").agg(n=events.count(), numbers=events.event_id.sum()).order_by("person_id")).to_pylist()


def test_the_bytes_of_the_erased_are_gone_when_the_file_is_written_anew(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "w.duckdb")
    fill(warehouse, 1, 50)
    warehouse.set_people([(3, 2)])
    warehouse.run(table("events"))
    assert not warehouse.holds_erased
    warehouse.erase([7])
    before = counted(warehouse)
    assert hits(tmp_path), "without a hit before, none afterwards says nothing"
    assert warehouse.holds_erased
    assert warehouse.rewrite() == (tmp_path / "w.duckdb").stat().st_size
    assert hits(tmp_path) == []
    assert counted(warehouse) == before, "rows and the map of people are as they were"
    assert not warehouse.holds_erased
    fill(warehouse, 2, 50, rows=10)
    warehouse.close()
    again = Warehouse(tmp_path / "w.duckdb")
    assert again.last_batch() == 2
    again.close()


def test_whoever_reads_for_long_keeps_the_old_file_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warehouses, "SECONDS_FOR_READERS", 0.05)
    warehouse = Warehouse(tmp_path / "w.duckdb")
    fill(warehouse, 1, 10, rows=50)
    with warehouse.snapshot(1) as past:
        other = threading.Thread(target=warehouse.rewrite)
        other.start()
        other.join()
        assert past is not None
        assert past.run(table("events")).num_rows == 50
    assert warehouse.run(table("events")).num_rows == 50
    assert not (tmp_path / "w.fresh").exists()
    warehouse.close()


def test_a_history_comes_back_from_its_snapshot_with_equal_rows(tmp_path: Path) -> None:
    warehouse, files = Warehouse(tmp_path / "w.duckdb"), Files(tmp_path / "snapshots", TABLES)
    for batch in (1, 2, 3):
        fill(warehouse, batch, 20, rows=100)
    assert take(warehouse, files, 2) == 200, "a batch that is not committed yet is not in it"
    assert (take(warehouse, files, 3), take(warehouse, files, 3)) == (100, 0)
    fresh = Warehouse(tmp_path / "fresh.duckdb")
    assert give_back(fresh, files, 3) == 300
    assert give_back(fresh, files, 3) == 0
    assert counted(fresh) == counted(warehouse)
    for one in (warehouse, fresh):
        one.close()


def test_whoever_is_erased_is_in_no_file_of_the_snapshot(tmp_path: Path) -> None:
    warehouse, files = Warehouse(tmp_path / "w.duckdb"), Files(tmp_path / "snapshots", TABLES)
    for batch in (1, 2):
        fill(warehouse, batch, 20, rows=100)
        take(warehouse, files, batch)
    files.tidy()
    assert [file.name[:19] for file in files.listed("events")] == ["0" * 18 + "1"], "small files were joined"
    assert files.remove("events", "identity_id", [(7, 7)]) == 10
    rows = [row for file in (tmp_path / "snapshots" / "events").iterdir() for row in files.read(file, "events").to_pylist()]
    assert len(rows) == 190
    assert not any(CANARY in row["properties"] for row in rows)
    warehouse.close()
