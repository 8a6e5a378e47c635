"""What each engine is and can do, as data: one row an engine. The contract suite and the documentation are derived from the rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cegla.vocabulary.text import Text


@dataclass(frozen=True)
class Engine:
    """One engine that can hold the history.

    `schemes` are those of its addresses. `gaps` says of expressions, by the names the contract suite gives them ("segment:lives_near"), why their
    answers are others than DuckDB's or do not come: a gap that is not written here is a fault, and so is one that is written and closed.
    """

    key: str
    label: str
    schemes: tuple[str, ...]
    example: str  #: an address
    limits: tuple[Text, ...]
    gaps: Mapping[str, Text] = field(default_factory=dict[str, Text])


ENGINES: dict[str, Engine] = {
    row.key: row
    for row in (
        Engine(
            "duckdb",
            "DuckDB",
            ("duckdb",),
            "duckdb:///srv/cegla/history.duckdb",
            (Text("jest bez adresu; adres kładzie plik na innym dysku", "needs no address; with one, the file lies on another disk"),),
        ),
        Engine(
            "clickhouse",
            "ClickHouse",
            ("clickhouse", "clickhouses", "chdb"),
            "clickhouse://user:password@host:8123/cegla",
            (
                Text("clickhouses:// łączy się przez TLS", "clickhouses:// connects over TLS"),
                Text("chdb:///folder to ten sam silnik bez serwera", "chdb:///folder is the same engine without a server"),
                Text("daty po roku 2299 nie mieszczą się w jego typie: przeniesienie takich wierszy kończy się odmową, nie zmianą",
                    "dates after 2299 do not fit into its type: moving such rows ends with a refusal, not with another date"),
                Text("lista, której nie ma, jest listą pustą", "a list that is missing is an empty one"),
            ),
        ),
        Engine(
            "spark",
            "Apache Spark",
            ("spark",),
            "spark://host:7077?files=/srv/cegla/history",
            (
                Text("historia to pliki Parquet w folderze, który widzą polecenie i wszyscy pracownicy klastra",
                    "the history is Parquet files in a folder that the command and all workers of the cluster see"),
                Text("potrzebna jest Java 17 albo nowsza", "Java 17 or newer is needed"),
                Text("jedno pytanie trwa co najmniej dziesiąte części sekundy", "one question takes tenths of a second at least"),
            ),
        ),
    )
}  # fmt: skip


def engine_of(address: str) -> Engine | None:
    """The engine of a warehouse's address; None when no engine has its scheme."""
    scheme = address.partition("://")[0]
    return next((row for row in ENGINES.values() if scheme in row.schemes), None)
