"""One contract for every engine: the product's expressions answer as on DuckDB. A gap that nobody declared is red, and so is one that is closed."""

import warnings
from collections.abc import Generator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from inspect import getmembers, isfunction, signature
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pytest

from cegla.analyse.rules import affinity, campaigns, click_map, purchases, sales
from cegla.segment.rules import rfm
from cegla.storage.engines.connecting import connect
from cegla.storage.engines.remote import Remote
from cegla.storage.engines.rows import ENGINES, engine_of
from cegla.storage.warehouse import Warehouse
from tests.contracts.engines.cluster import cluster, missing
from tests.contracts.engines.comparing import differences
from tests.contracts.engines.expressions import OWNERS, cases, world
from tests.contracts.engines.server import server

CASES = {case.name: case for case in cases()}
OTHERS = ("clickhouse", "spark")  #: beside DuckDB, whose answers they are compared with
#: what a person is shown as reasons rests on the same measures as membership, so a few of them are asked
REASONS = {"reasons:did", "reasons:trait_under", "reasons:trait_has"}
ASKED = [(engine, name) for engine in OTHERS for name in CASES if not name.startswith("reasons:") or name in REASONS]


def filled(engine: Remote) -> Remote:
    for number, batch in enumerate(world(), 1):
        for name, rows in batch.items():
            engine.write(name, rows, number, number)
    engine.reset_people(OWNERS)
    return engine


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Generator[Warehouse]:
    warehouse = Warehouse(tmp_path_factory.mktemp("engines") / "w.duckdb")
    for batch in world():
        warehouse.append(batch)
    warehouse.reset_people(OWNERS)
    yield warehouse
    warehouse.close()


@contextmanager
def clickhouse(folder: Path) -> Generator[Remote]:
    if find_spec("chdb") is None:
        pytest.skip("no chdb here: requirements/test.txt has it")
    engine = connect(f"chdb://{folder}/engine")
    yield engine
    engine.close()


#: what a few hundred rows need: nothing that pays off later, neither in plans nor in compiled code
SMALL = {
    "spark.sql.shuffle.partitions": 2, "spark.executor.memory": "600m", "spark.sql.codegen.wholeStage": "false", "spark.sql.adaptive.enabled": "false",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1", "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1",
}  # fmt: skip


@contextmanager
def spark(folder: Path) -> Generator[Remote]:
    if lacking := missing():
        pytest.skip(lacking)
    with warnings.catch_warnings(), cluster(folder) as address:
        warnings.simplefilter("ignore")  # of pyspark, about versions of packages that are not used here
        small = "&".join(f"{name}={value}" for name, value in SMALL.items())
        engine = connect(f"spark://{address}?files={folder}/files&{small}")
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


@pytest.mark.timeout(600)  # whoever asks first starts the engine
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


@pytest.mark.timeout(1_800)
@pytest.mark.filterwarnings("ignore:.*:FutureWarning")
def test_clickhouse_by_address_answers_as_on_duckdb(tmp_path: Path, oracle: Warehouse) -> None:
    pytest.importorskip("clickhouse_connect", reason="no clickhouse-connect here: `make test-engines` installs requirements/engines.txt")
    pytest.importorskip("chdb", reason="no chdb here: requirements/test.txt has it")
    apart: dict[str, list[str]] = {}
    with server(tmp_path) as address, closing(filled(connect(address))) as engine:
        for name, case in CASES.items():
            if name not in ENGINES["clickhouse"].gaps and (found := differences(case.ask(oracle), case.ask(engine))):
                apart[name] = found
    assert apart == {}


@pytest.mark.parametrize("module", [sales, campaigns, click_map, affinity, purchases, rfm], ids=lambda module: module.__name__)
def test_every_report_is_in_the_table(module: Any) -> None:
    short = module.__name__.rpartition(".")[2]
    made = [name for name, one in getmembers(module, isfunction) if one.__module__ == module.__name__ and not name.startswith("_")]
    reports = [name for name in made if signature(getattr(module, name)).return_annotation in (ir.Table, ibis.Table)]
    assert reports, "a module that gives no tables says so in another way now"
    asked = [name.partition(":")[2] for name in CASES]
    assert [name for name in reports if not any(one.startswith(f"{short}.{name}") or one == name for one in asked)] == []


@pytest.mark.parametrize("engine", ENGINES.values(), ids=lambda row: row.key)
def test_a_gap_names_an_expression_that_is_asked(engine: Any) -> None:
    assert set(engine.gaps) <= set(CASES)
    assert engine_of(engine.example) is engine
