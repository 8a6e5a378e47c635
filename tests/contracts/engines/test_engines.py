"""One contract for every engine: the product's expressions answer as on DuckDB. A gap that nobody declared is red, and so is one that is closed."""

import warnings
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from inspect import getmembers, isfunction, signature
from pathlib import Path
from typing import Any

import pytest

from cegla.analyse.rules import campaigns, click_map, sales
from cegla.storage.engines.remote import Remote
from cegla.storage.engines.rows import ENGINES, engine_of
from cegla.storage.warehouse import TABLES, Warehouse, history, table
from tests.contracts.engines.cluster import cluster, missing
from tests.contracts.engines.comparing import differences
from tests.contracts.engines.expressions import OWNERS, cases, world

CASES = {case.name: case for case in cases()}
OTHERS = ("clickhouse", "spark")
#: what a person is shown as reasons rests on the same measures as membership: on Spark, where a question takes long, the bench asks it
ASKED = [(engine, name) for engine in OTHERS for name in CASES if engine != "spark" or not name.startswith("reasons:")]


def filled(warehouse: Any) -> Any:
    for batch in world():
        warehouse.append(batch)
    warehouse.reset_people(OWNERS)
    return warehouse


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Generator[Warehouse]:
    warehouse = filled(Warehouse(tmp_path_factory.mktemp("engines") / "w.duckdb"))
    yield warehouse
    warehouse.close()


@contextmanager
def clickhouse(folder: Path) -> Generator[Remote]:
    if find_spec("chdb") is None:
        pytest.skip("no chdb here: `make test` installs requirements/engines.txt")
    from cegla.storage.engines.clickhouse import connect

    engine = Remote(connect(f"chdb://{folder}/engine"))
    yield engine
    engine.close()


@contextmanager
def spark(folder: Path) -> Generator[Remote]:
    if lacking := missing():
        pytest.skip(lacking)
    with warnings.catch_warnings(), cluster(folder) as address:
        warnings.simplefilter("ignore")  # of pyspark, about versions of packages that are not used here
        from cegla.storage.engines.spark import connect

        small = "spark.sql.shuffle.partitions=2&spark.executor.memory=600m&spark.sql.codegen.wholeStage=false"
        engine = Remote(connect(f"spark://{address}?files={folder}/files&{small}"))
        yield engine
        engine.close()


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Generator[dict[str, Any]]:
    """Engines that were asked for already, each started and filled once."""
    started: dict[str, Any] = {}
    opened: list[Any] = []

    def start(name: str) -> Any:
        if name not in started:
            context = {"clickhouse": clickhouse, "spark": spark}[name](tmp_path_factory.mktemp(name))
            engine = context.__enter__()
            opened.append(context)
            started[name] = filled(engine)
        return started[name]

    yield {name: (lambda name=name: start(name)) for name in OTHERS}
    for context in opened:
        context.__exit__(None, None, None)


@pytest.mark.parametrize(("engine", "name"), ASKED, ids=[f"{engine}-{name}" for engine, name in ASKED])
@pytest.mark.filterwarnings("ignore:.*:FutureWarning")
@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_an_expression_answers_as_on_duckdb(engine: str, name: str, engines: dict[str, Any], oracle: Warehouse) -> None:
    other, case = engines[engine](), CASES[name]
    wanted = case.ask(oracle)
    try:
        apart = differences(wanted, case.ask(other))
    except Exception as error:
        if name not in ENGINES[engine].gaps:
            raise
        apart = [type(error).__name__]
    if name in ENGINES[engine].gaps:
        assert apart, "a declared gap is closed: take it out of the row"
    else:
        assert apart == []


@pytest.mark.parametrize("engine", OTHERS)
def test_a_warehouse_keeps_its_promises_on_every_engine(engine: str, engines: dict[str, Any], oracle: Warehouse) -> None:
    other = engines[engine]()
    events: Any = history()
    count = events.aggregate(rows=events.count(), people=events.person_id.nunique())
    assert other.last_batch() == oracle.last_batch() == 2
    with other.snapshot(2) as past:
        before = past.run(count).to_pylist()
        late = world()[1]
        number = late["events"].schema.get_field_index("batch")
        other.expect(3)
        other.append({"events": late["events"].set_column(number, "batch", [[3] * len(late["events"])]).cast(late["events"].schema)})
        other.set_people([(5, 3)])
        assert past.run(count).to_pylist() == before, "a moment stays what it was"
        assert sorted(past.people_since(1)) == [1, 2, 3, 5]
        assert past.people_moved_since(0) == [3]
    assert other.run(count).to_pylist() != before
    with other.snapshot(2) as none:
        assert none is None, "another batch is on its way"
    assert other.take_back_after(2) == len(late["events"])
    other.set_people([(5, 5)])
    assert other.run(count).to_pylist() == before == oracle.run(count).to_pylist()


@pytest.mark.parametrize("engine", OTHERS)
def test_whoever_is_erased_is_on_no_engine(engine: str, engines: dict[str, Any], oracle: Warehouse) -> None:
    other = engines[engine]()
    assert [sorted(one) for one in other.identities_between([(100_001, 100_050)])] == [sorted(one) for one in oracle.identities_between([(100_001, 100_050)])]
    removed = other.erase([2])
    assert removed == oracle.erase([2]) > 0
    assert other.rows_of([2]) == {name: [] for name in TABLES}
    assert other.erase_between([(100_001, 100_020)]) == oracle.erase_between([(100_001, 100_020)])
    rows: Any = table("order_lines")
    assert other.run(rows.aggregate(n=rows.count())).equals(oracle.run(rows.aggregate(n=rows.count())))


@pytest.mark.parametrize("module", [sales, campaigns, click_map], ids=lambda module: module.__name__)
def test_every_report_is_in_the_table(module: Any) -> None:
    short = module.__name__.rpartition(".")[2]
    made = [name for name, one in getmembers(module, isfunction) if one.__module__ == module.__name__ and not name.startswith("_")]
    reports = [name for name in made if str(signature(getattr(module, name)).return_annotation).endswith("Table")]
    assert {f"report:{short}.{name}" for name in reports} <= set(CASES)


@pytest.mark.parametrize("engine", ENGINES.values(), ids=lambda row: row.key)
def test_a_gap_names_an_expression_that_is_asked(engine: Any) -> None:
    assert set(engine.gaps) <= set(CASES)
    assert engine_of(engine.example) is engine
