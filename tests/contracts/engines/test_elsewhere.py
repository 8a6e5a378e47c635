"""One contract for every place the product's own history may lie in: the DuckDB file, and another engine by address."""

from collections.abc import Generator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cegla.storage import retention, snapshots
from cegla.storage.anywhere import AnyWarehouse
from cegla.storage.engines import clickhouse
from cegla.storage.engines.connecting import open_elsewhere
from cegla.storage.engines.elsewhere import Elsewhere
from cegla.storage.files import Files
from cegla.storage.warehouse import EVENTS, MOVES, TABLES, Warehouse, history, table
from cegla.vocabulary.errors.installation import WarehouseDamaged
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


def test_a_batch_that_came_in_half_is_removed_before_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("chdb", reason="no chdb here: requirements/test.txt has it")
    driver, broken = clickhouse.connect(f"chdb://{tmp_path}/engine"), OSError("the line is dead")
    held = Elsewhere(driver, tmp_path)
    append = driver.append

    def half(name: str, rows: pa.Table, first: int, last: int) -> None:
        append(name, rows, first, last)
        raise broken

    with monkeypatch.context() as cut:
        cut.setattr(driver, "append", half)
        with pytest.raises(OSError, match="dead"):
            held.append(batch(1, [1, 2]))
    assert there(held) == [100, 101], "the control: half of it is in"
    held.append(batch(1, [1, 2]))
    assert there(held) == [100, 101]

    with monkeypatch.context() as cut:
        cut.setattr(driver, "append", half)
        with pytest.raises(OSError, match="dead"):
            held.append_all("events", [batch(2, [1])["events"], batch(3, [2])["events"]])
    with pytest.raises(WarehouseDamaged):
        held.refuse_damaged()
    held.close()
    again = opened("clickhouse", tmp_path)
    assert there(again) == [100, 101], "the next start removes what is not whole"
    again.refuse_damaged()
    again.close()
