"""What each engine is and can do, as data: one row an engine. The contract suite, the documentation and the settings are derived from the rows."""

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
    package: str  #: what `pip install` names beside Cegla; empty: nothing
    moments: Text  #: how a question sees one moment of the history while more is appended
    removes: Text  #: what becomes of the bytes of somebody who is erased
    limits: tuple[Text, ...] = ()
    gaps: Mapping[str, Text] = field(default_factory=dict[str, Text])


ENGINES: dict[str, Engine] = {
    row.key: row
    for row in (
        Engine(
            "duckdb",
            "DuckDB",
            ("", "duckdb"),
            "",
            "",
            Text("transakcja widzi plik z jednej chwili", "a transaction sees the file as of one moment"),
            Text("plik jest przepisywany na nowo, stary usuwany", "the file is written anew and the old one removed"),
        ),
        Engine(
            "clickhouse",
            "ClickHouse",
            ("clickhouse", "clickhouses", "chdb"),
            "clickhouse://user@host:8123/cegla",
            "cegla[engines]",
            Text("pytanie widzi partie do podanego numeru", "a question sees the batches up to a number"),
            Text("mutacja przepisuje części, stare znikają po kilku minutach", "a mutation writes the parts anew, old ones go after some minutes"),
            (
                Text("chdb:///ścieżka to ten sam silnik w procesie aplikacji", "chdb:///path is the same engine within the app's process"),
                Text(
                    "dopisanie partii to osobne wstawienie do każdej tabeli; po awarii wiersze niezatwierdzonej partii są usuwane przy starcie",
                    "appending a batch is one insert for each table; after a crash the rows of a batch that was not committed are removed at the start",
                ),
            ),
        ),
        Engine(
            "spark",
            "Apache Spark",
            ("spark",),
            "spark://host:7077?files=/srv/cegla/history",
            "cegla[engines]",
            Text("pytanie widzi pliki partii do podanego numeru", "a question sees the files of the batches up to a number"),
            Text("pliki Parquet z tą osobą są przepisywane od razu", "the Parquet files with that person are written anew at once"),
            (
                Text(
                    "każda partia to osobny plik Parquet w katalogu, który widzą wszyscy pracownicy klastra; nocą małe pliki są łączone",
                    "each batch is a Parquet file of its own in a folder that all workers of the cluster see; at night small files are joined",
                ),
                Text("jedno pytanie trwa co najmniej dziesiąte części sekundy, więc cechy i segmenty nadążają wolniej",
                    "one question takes tenths of a second at least, so traits and segments follow more slowly"),
            ),
        ),
    )
}  # fmt: skip


def engine_of(address: str) -> Engine | None:
    """The engine of a warehouse's address; None when no engine has its scheme."""
    scheme = address.partition("://")[0] if "://" in address else ""
    return next((row for row in ENGINES.values() if scheme in row.schemes), None)
