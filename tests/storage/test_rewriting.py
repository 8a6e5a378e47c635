"""What is left of the erased: their bytes are in the file until it is written anew, and then in no file; nobody else notices."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from cegla.storage import files as parquet
from cegla.storage import rewriting
from cegla.storage import warehouse as warehouses
from cegla.storage.files import Files
from cegla.storage.snapshots import compared, give_back, mend, take
from cegla.storage.warehouse import TABLES, Warehouse, history, table
from cegla.vocabulary.errors.installation import DiskFull, WarehouseDamaged
from tests.segment.worlds import append

CANARY = "kanarek-9f3b77c1d2e84a60b5c6-żółty"


def fill(warehouse: Warehouse, batch: int, people: int, rows: int = 4_000) -> None:
    append(warehouse, [
        {"batch": batch, "event_id": batch * 100_000 + number, "identity_id": 1 + number % people, "name": "Page Viewed", "is_bot": False,
         "properties": f'{{"note":"{CANARY if number % people == 6 else "x"}{number}"}}'}
        for number in range(rows)
    ])  # fmt: skip


def hits(folder: Path) -> list[str]:
    """Files that hold the canary, in their bytes or in what is packed in them."""
    return [str(file) for file in folder.rglob("*") if file.is_file() and any(CANARY[:20].encode() in said for said in said_by(file))]


def said_by(file: Path) -> list[bytes]:
    raw = file.read_bytes()
    return [raw, str(pq.read_table(file).to_pylist()).encode()] if raw[:4] == b"PAR1" else [raw]


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


def test_what_is_appended_while_the_file_is_written_anew_waits_for_nothing_and_comes_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = Warehouse(tmp_path / "w.duckdb")
    fill(warehouse, 1, 10, rows=50)
    warehouse.erase([7])
    copied, copies = warehouses.copied, list[int]()

    def appending_meanwhile(*given: Any) -> dict[str, int]:
        newest = copied(*given)
        if not copies:
            other = threading.Thread(target=fill, args=(warehouse, 2, 10, 20))
            other.start()
            other.join()
            with warehouse.snapshot(2) as past:
                assert past is not None, "traits and segments go on"
        copies.append(newest["events"])
        return newest

    monkeypatch.setattr(warehouses, "copied", appending_meanwhile)
    assert warehouse.rewrite()
    assert copies == [1, 2]
    assert warehouse.verify()["events"].rows == 65
    assert hits(tmp_path) == [str(tmp_path / "w.duckdb")], "of the second batch, whose people are still there"
    warehouse.close()


def test_a_new_file_that_does_not_open_gives_its_place_back(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "w.duckdb")
    fill(warehouse, 1, 10, rows=50)
    warehouse.set_people([(3, 2)])
    before = counted(warehouse)
    (tmp_path / "bad").write_bytes(b"no database" * 1_000)
    with pytest.raises(WarehouseDamaged):
        warehouse._file.exchange(tmp_path / "bad", 1.0)
    assert counted(warehouse) == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["w.duckdb"]
    warehouse.close()


def test_a_file_that_could_not_be_opened_again_is_opened_by_the_next_who_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = Warehouse(tmp_path / "w.duckdb")
    fill(warehouse, 1, 10, rows=50)
    warehouse.set_people([(3, 2)])
    before = counted(warehouse)
    with monkeypatch.context() as patch:
        patch.setattr(warehouse._file, "_open", lambda: (_ for _ in ()).throw(DiskFull(where="w")))
        with pytest.raises(DiskFull):
            warehouse.rewrite()
        with pytest.raises(DiskFull):
            counted(warehouse)
    assert counted(warehouse) == before
    warehouse.close()


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


def test_whoever_is_erased_is_in_no_file_of_warehouse_log_and_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse, files = Warehouse(tmp_path / "w.duckdb"), Files(tmp_path / "snapshots", TABLES)
    for batch in (1, 2):
        fill(warehouse, batch, 20, rows=100)
        take(warehouse, files, batch)
    files.tidy()
    assert [file.name[:19] for file in files.listed("events")] == ["0" * 18 + "1"], "small files were joined"
    assert {Path(one).parent.name for one in hits(tmp_path)} >= {"events", tmp_path.name}, "without hits before, none afterwards says nothing"
    assert any(one.endswith(".joined") for one in hits(tmp_path))
    assert any(one.endswith(".wal") for one in hits(tmp_path))
    monkeypatch.setattr(parquet, "ROWS_AT_ONCE", 7)  # so that a file is many pieces
    assert files.remove("events", "identity_id", [(7, 7)]) == 10
    warehouse.erase([7])
    assert sum(files.read(file, "events").num_rows for file in (tmp_path / "snapshots" / "events").iterdir()) == 190
    assert [Path(one).suffix for one in hits(tmp_path)] != []
    warehouse.rewrite()
    assert hits(tmp_path) == []
    warehouse.close()


def test_nobody_reads_the_new_file_before_it_knows_whose_identities_are_whose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = Warehouse(tmp_path / "w.duckdb")
    fill(warehouse, 1, 10, rows=50)
    warehouse.set_people([(3, 2)])
    seen: list[Any] = []
    gate = warehouse._file._gate.alone

    @contextmanager
    def looking(seconds: float) -> Generator[bool]:
        with gate(seconds) as alone:
            yield alone
            seen.extend(warehouse._file._root.cursor().execute("from derived.main.identity_map").fetchall())

    monkeypatch.setattr(warehouse._file._gate, "alone", looking)
    warehouse.rewrite()
    assert seen == [(3, 2)], "within, before the first reader comes in again"
    monkeypatch.undo()
    warehouse.close()


def test_who_is_erased_while_the_file_is_written_anew_is_left_for_the_next_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = Warehouse(tmp_path / "w.duckdb")
    fill(warehouse, 1, 10, rows=50)
    copied, others = warehouses.copied, list[threading.Thread]()

    def erasing_meanwhile(*given: Any) -> dict[str, int]:
        newest = copied(*given)
        others.append(threading.Thread(target=warehouse.erase, args=([7],)))
        others[0].start()
        others[0].join()
        return newest

    monkeypatch.setattr(warehouses, "copied", erasing_meanwhile)
    assert warehouse.rewrite() is None
    assert warehouse.holds_erased
    warehouse.close()


def test_a_rewriting_that_fails_or_is_killed_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "w.duckdb"
    warehouse = Warehouse(path)
    fill(warehouse, 1, 10, rows=50)
    warehouse.set_people([(3, 2)])
    before = counted(warehouse)
    with monkeypatch.context() as patch:
        patch.setattr(rewriting, "CHECKED", "select (random() * 1e9)::bigint, ?, ? from {table} limit 1")
        with pytest.raises(WarehouseDamaged):
            warehouse.rewrite()
    assert not (tmp_path / "w.fresh").exists()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(OSError, match="No space"):
            warehouse.rewrite()
    assert counted(warehouse) == before, "it is open again"
    warehouse.close()
    (tmp_path / "w.fresh").write_bytes(b"half")
    again = Warehouse(path)
    assert not (tmp_path / "w.fresh").exists()
    again.close()


def test_whoever_is_erased_while_a_snapshot_is_taken_is_not_written_into_it(tmp_path: Path) -> None:
    warehouse, files = Warehouse(tmp_path / "w.duckdb"), Files(tmp_path / "snapshots", TABLES)
    fill(warehouse, 1, 20, rows=100)
    others: list[threading.Thread] = []

    def erase() -> None:
        warehouse.erase([7])
        files.remove("events", "identity_id", [(7, 7)])

    class Slow:
        append = warehouse.append

        def run(self, expression: Any) -> Any:
            found = warehouse.run(expression)
            if "properties" in found.column_names and not others:
                others.append(threading.Thread(target=erase))
                others[0].start()
                others[0].join(0.2)
            return found

    take(Slow(), files, 1)
    others[0].join()
    assert sum(files.read(file, "events").num_rows for file in files.listed("events")) == 95
    warehouse.close()


def test_what_a_power_cut_left_among_the_files_is_swept_before_somebody_is_removed(tmp_path: Path) -> None:
    warehouse, files = Warehouse(tmp_path / "w.duckdb"), Files(tmp_path / "snapshots", TABLES)
    for batch in (1, 2):
        fill(warehouse, batch, 20, rows=100)
        take(warehouse, files, batch)
    folder = tmp_path / "snapshots" / "events"
    parts = {file.name: file.read_bytes() for file in folder.iterdir()}
    files.tidy()
    (joined,) = files.listed("events")
    for name, content in parts.items():
        (folder / name).write_bytes(content)  # joined, but the small ones were not renamed yet
    for turn in (9, 10):  # rewritten, but the older one was not removed yet
        joined.with_name(joined.name.replace("-0.parquet", f"-{turn}.parquet")).write_bytes(joined.read_bytes())
    (folder / "half.new").write_bytes(b"half")
    assert files.listed("events")[0].name.endswith("-10.parquet")
    files.remove("events", "identity_id", [(7, 7)])
    assert len(list(folder.iterdir())) == 1
    assert not any(CANARY in row["properties"] for row in files.read(files.listed("events")[0], "events").to_pylist())
    warehouse.close()


def test_batches_that_postgresql_went_back_before_are_not_given_back_in_the_place_of_others(tmp_path: Path) -> None:
    warehouse, files = Warehouse(tmp_path / "w.duckdb"), Files(tmp_path / "snapshots", TABLES)
    for batch in (1, 2, 3):
        fill(warehouse, batch, 20, rows=100)
    take(warehouse, files, 3)
    warehouse.take_back_after(2)
    files.take_back_after(2)
    assert files.last("events") == 2
    fill(warehouse, 3, 20, rows=10)
    assert take(warehouse, files, 3) == 10
    fresh = Warehouse(tmp_path / "fresh.duckdb")
    give_back(fresh, files, 3)
    assert counted(fresh) == counted(warehouse)
    for one in (warehouse, fresh):
        one.close()


def test_a_full_disk_is_told_and_leaves_the_files_as_they_were(tmp_path: Path) -> None:
    warehouse, files = Warehouse(tmp_path / "w.duckdb"), Files(tmp_path / "snapshots", TABLES)
    fill(warehouse, 1, 20, rows=100)
    take(warehouse, files, 1)
    (held,) = files.listed("events")
    before = held.read_bytes()
    held.with_name(held.name.replace("-0.parquet", "-1.new")).symlink_to("/dev/full")
    files._sweep = lambda name: None  # type: ignore[method-assign]
    with pytest.raises(DiskFull):
        files.remove("events", "identity_id", [(7, 7)])
    assert [file.read_bytes() for file in held.parent.iterdir()] == [before]
    warehouse.close()


@pytest.mark.parametrize("asked", ["give back", "mend"])
def test_a_damaged_file_of_the_snapshot_is_set_aside_and_written_again(tmp_path: Path, asked: str) -> None:
    warehouse, files = Warehouse(tmp_path / "w.duckdb"), Files(tmp_path / "snapshots", TABLES)
    for batch in (1, 2, 3):
        fill(warehouse, batch, 20, rows=100)
        take(warehouse, files, batch)
    bad = files.listed("events")[1]
    content = bytearray(bad.read_bytes())
    content[len(content) // 3] ^= 0xFF
    bad.write_bytes(content)
    assert [one.damaged != () for one in compared(warehouse, files)] == [True, False, False]
    fresh = Warehouse(tmp_path / "fresh.duckdb")
    assert (give_back(fresh, files, 3) == 200) if asked == "give back" else (mend(files) == 1)
    assert files.holes("events") == [(2, 2)]
    assert take(warehouse, files, 3) == 100
    assert files.holes("events") == []
    assert all(one.equal and not one.damaged for one in compared(warehouse, files))
    assert list((tmp_path / "snapshots" / "set-aside").rglob("*.parquet")) == [], "nobody needs it any more, and somebody may be in it"
    for one in (warehouse, fresh):
        one.close()
