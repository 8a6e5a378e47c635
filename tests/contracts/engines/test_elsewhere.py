"""One contract for every place the product's own history may lie in: the DuckDB file, and another engine by address."""

import errno
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cegla.storage import retention, snapshots
from cegla.storage.anywhere import AnyWarehouse
from cegla.storage.engines import clickhouse, elsewhere
from cegla.storage.engines.connecting import file_of, open_elsewhere
from cegla.storage.engines.elsewhere import Elsewhere
from cegla.storage.engines.remote import Driver
from cegla.storage.files import Files
from cegla.storage.warehouse import EVENTS, MOVES, TABLES, Warehouse, history, table
from cegla.vocabulary.errors.installation import DiskFull, EngineUnknown, WarehouseDamaged
from tests.contracts.engines.cluster import missing

DAY = datetime(2026, 11, 1)
BLANK = dict.fromkeys(EVENTS.names)
OPENED = ("duckdb", "clickhouse", "spark")


@pytest.fixture(params=OPENED)
def held(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[AnyWarehouse]:
    warehouse = opened(request.param, tmp_path)
    yield warehouse
    warehouse.close()


def opened(engine: str, folder: Path) -> AnyWarehouse:
    if engine == "duckdb":
        return Warehouse(folder / "w.duckdb")
    if engine == "clickhouse":
        pytest.importorskip("chdb", reason="no chdb here: requirements/test.txt has it")
        return open_elsewhere(f"chdb://{folder}/engine", folder)
    if lacking := missing():
        pytest.skip(lacking)
    return open_elsewhere(f"spark:///?files={folder}/files&spark.sql.shuffle.partitions=1&spark.driver.host=127.0.0.1", folder)


def batch(number: int, people: list[int], **said: Any) -> dict[str, pa.Table]:
    rows = [
        BLANK | {"batch": number, "event_id": number * 100 + place, "identity_id": one, "name": "Page Viewed", "occurred_at": DAY + timedelta(days=number)} | said
        for place, one in enumerate(people)
    ]
    return {"events": pa.Table.from_pylist(rows, EVENTS)}


def there(held: AnyWarehouse) -> list[int]:
    return sorted(held.run(table("events", ("event_id",)))["event_id"].to_pylist())


@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore")
def test_a_history_keeps_its_promises_wherever_it_lies(held: AnyWarehouse, tmp_path: Path) -> None:
    held.reset_people([(5, 1)])
    for number, people in ((1, [1, 2, 5]), (2, [1, 3])):
        held.expect(number)
        held.append(batch(number, people))
        held.set_people([(3, 1)] if number == 2 else [])
    assert held.last_batch() == 2
    owners: Any = history(columns=("event_id",))

    with held.snapshot(2) as past:
        assert past is not None
        held.expect(3)
        held.append(batch(3, [4]) | {"moves": pa.Table.from_pylist([moved(3)], MOVES)})
        held.set_people([(4, 2)])
        assert sorted(past.run(owners)["person_id"].to_pylist()) == [1, 1, 1, 1, 2], "as it was, and whose it was"
        assert sorted(past.people_since(1)) == [1]
        with past.keep(pa.table({"person_id": pa.array([2], pa.int64())})) as asked:
            assert past.run(history("events", asked, ("event_id",)))["event_id"].to_pylist() == [101]
    with held.snapshot(2) as past:
        assert past is None, "another batch is on its way"
    with held.snapshot(3) as past:
        assert past is not None
        assert sorted(past.people_moved_since(2)) == [2]
        assert sorted(past.people_since(2)) == [2]

    assert held.identities_between([(200, 201)]) == ([1, 3], [1]) or sorted(map(sorted, held.identities_between([(200, 201)]))) == [[1], [1, 3]]
    assert held.take_back_after(2) == 2
    assert there(held) == [100, 101, 102, 200, 201]
    assert len(held.rows_of([1])["events"]) == 2
    assert held.erase_between([(200, 200)]) == 1
    assert held.erase([2]) == 1
    assert there(held) == [100, 102, 201]
    assert held.counts() == {"events": 3, "order_lines": 0, "moves": 0}
    assert held.verify()["events"].rows == 3

    files = Files(tmp_path / "snapshot", TABLES)
    snapshots.take(held, files, 2)
    assert all(side.equal for side in snapshots.compared(held, files))


def moved(number: int) -> dict[str, Any]:
    return dict.fromkeys(MOVES.names) | {"batch": number, "move_id": 1, "moved_at": DAY, "identity_id": 4, "from_person": 4, "to_person": 2}


@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore")
def test_what_is_too_old_goes_and_typed_words_are_taken_out(held: AnyWarehouse, tmp_path: Path) -> None:
    held.append(batch(1, [1, 2], properties='{"query":"wino","n":3}'))
    held.append(batch(2, [1], name="Order Completed"))
    held.append(batch(3, [1], referrer_term="wino"))
    files = Files(tmp_path / "snapshot", TABLES)
    classes = {kept.key: kept for kept in retention.CLASSES}
    before = DAY + timedelta(days=2, hours=1)
    assert {key: retention.count(held, kept, before) for key, kept in classes.items()} == {
        "behaviour": (2, DAY + timedelta(days=1)), "orders": (1, DAY + timedelta(days=2)), "searches": (2, DAY + timedelta(days=1)), "merges": (0, None),
    }  # fmt: skip
    assert retention.remove(held, files, classes["searches"], before) == 2
    assert retention.count(held, classes["searches"], before)[0] == 0
    kept: Any = table("events")
    said = held.run(kept.filter(kept.batch == 1))
    assert set(said["properties"].to_pylist()) == {'{"n":3}'}
    assert said["name"].to_pylist() == ["Page Viewed"] * 2
    assert retention.remove(held, files, classes["behaviour"], before) == 2
    assert there(held) == [200, 300]


@pytest.fixture
def driver(tmp_path: Path) -> Generator[Driver]:
    pytest.importorskip("chdb", reason="no chdb here: requirements/test.txt has it")
    opened = clickhouse.connect(f"chdb://{tmp_path}/engine")
    yield opened
    opened.close()


@contextmanager
def cut(driver: Driver, after: int) -> Generator[None]:
    """The line dies right after so many more tables got their rows."""
    append, left = driver.append, count(after - 1, -1)

    def half(name: str, rows: pa.Table, first: int, last: int) -> None:
        append(name, rows, first, last)
        if not next(left):
            raise OSError("the line is dead")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(driver, "append", half)
        with pytest.raises(OSError, match="dead"):
            yield


def line(number: int) -> dict[str, pa.Table]:
    bought = dict.fromkeys(TABLES["order_lines"].names) | {"batch": number, "event_id": number * 100, "identity_id": 1}
    return {"order_lines": pa.Table.from_pylist([bought], TABLES["order_lines"])}


def test_what_came_in_half_is_removed_before_the_next(driver: Driver, tmp_path: Path) -> None:
    held = Elsewhere(driver, tmp_path)
    with cut(driver, 1):
        held.append(batch(1, [1, 2]))
    assert there(held) == [100, 101], "the control: half of it is in"
    held.refuse_damaged()
    held.append(batch(1, [1, 2]))
    assert there(held) == [100, 101]

    pieces = [batch(2, [1])["events"], batch(3, [2])["events"]]
    with cut(driver, 1):
        held.append_all("events", pieces)
    with pytest.raises(WarehouseDamaged):
        held.refuse_damaged()
    with pytest.raises(WarehouseDamaged):
        held.append_all("events", pieces)
    held.take_back_after(3)
    assert there(held) == [100, 101], "the same process tries again"
    held.refuse_damaged()

    with cut(driver, 1):
        held.append_all("events", pieces)
    again = Elsewhere(driver, tmp_path)
    again.refuse_damaged()  # nobody's fault yet: the start comes first
    again.take_back_after(3)
    assert there(again) == [100, 101], "and so does the next start"


def test_a_batch_that_is_written_again_comes_back_whole(driver: Driver, tmp_path: Path) -> None:
    """PostgreSQL knows the batch long since, so its number says nothing: events without their lines would be taken for all there is."""
    for again in (False, True):
        held = Elsewhere(driver, tmp_path)
        with cut(driver, 1):
            held.append(batch(7, [1, 2]) | line(7))
        assert held.counts()["events"] == 2, "the control: half of it is in"
        held = Elsewhere(driver, tmp_path) if again else held
        held.take_back_after(9)
        assert held.last_batch() == 0, "the batch is lacking as a whole"


def test_a_batch_that_filled_a_hole_in_half_leaves_the_other_tables_alone(driver: Driver, tmp_path: Path) -> None:
    held = Elsewhere(driver, tmp_path)
    held.append(line(1))
    with cut(driver, 1):
        held.append(batch(1, [1, 2]))
    held.take_back_after(1)
    assert held.counts() == {"events": 0, "order_lines": 1, "moves": 0}


def test_a_number_that_is_given_again_after_a_rollback_has_the_later_rows_only(driver: Driver, tmp_path: Path) -> None:
    held = Elsewhere(driver, tmp_path)
    held.expect(1)
    held.append({"moves": pa.Table.from_pylist([moved(1)], MOVES)})
    held.expect(1)  # PostgreSQL did not commit, and the engine was away when the rows were to be taken back
    held.append({})
    assert held.counts()["moves"] == 0


def test_typed_words_taken_out_in_half_leave_no_table_with_later_batches(driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to be written again from the requests is told by the newest batch of any table."""
    held = Elsewhere(driver, tmp_path)
    held.append(batch(1, [1], referrer_term="wino"))
    held.append(batch(2, [1]) | line(2))
    searches = next(kept for kept in retention.CLASSES if kept.key == "searches")

    def dead(*given: Any) -> None:
        raise OSError("the line is dead")

    monkeypatch.setattr(driver, "change", dead)
    with pytest.raises(OSError, match="dead"):
        retention.remove(held, Files(tmp_path / "snapshot", TABLES), searches, DAY + timedelta(days=9))
    with pytest.raises(WarehouseDamaged):
        held.refuse_damaged()
    held.take_back_after(2)
    assert held.last_batch() == 0


def test_a_snapshot_does_not_see_who_is_joined_after_somebody_was_erased(driver: Driver, tmp_path: Path) -> None:
    held = Elsewhere(driver, tmp_path)
    held.append(batch(1, [1, 3]))
    held.set_people([(5, 1)])
    held.erase([5])  # the newest change was about them alone
    with held.snapshot(1) as past:
        assert past is not None
        held.set_people([(3, 1)])
        assert sorted(past.run(history(columns=("event_id",)))["person_id"].to_pylist()) == [1, 3]


def test_rows_are_removed_by_any_number_of_ranges(driver: Driver, tmp_path: Path) -> None:
    """An import that came in between other events has a range for each of its batches."""
    held = Elsewhere(driver, tmp_path)
    held.append(batch(1, [1, 2, 3]))
    far = 1 << 60
    assert held.erase_between([(far + 3 * number, far + 3 * number + 1) for number in range(5_000)] + [(100, 101)]) == 2
    assert there(held) == [102]


def test_an_address_of_a_file_that_lacks_a_slash_is_refused() -> None:
    with pytest.raises(EngineUnknown):
        file_of("duckdb://srv/cegla/history.duckdb")
    assert file_of("duckdb:///srv/cegla/history%20old.duckdb") == Path("/srv/cegla/history old.duckdb")


def test_a_disk_without_room_for_the_note_says_so_and_nothing_comes_in(driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Elsewhere(driver, tmp_path)

    def full(file: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(elsewhere, "settle_file", full)
        with pytest.raises(DiskFull):
            held.append(batch(1, [1]))
    assert there(held) == []
    held.append(batch(1, [1]))
    assert there(held) == [100], "half a note is no note"
