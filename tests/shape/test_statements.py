"""SQL lives in `store.sql`: one name and a one-line purpose each, and nothing that nobody calls."""

import ast
import re
from dataclasses import dataclass
from itertools import chain

import pytest

from cegla.storage.engines.dialects import TEXT_AT
from tests.shape import exceptions
from tests.shape.tree import ROOT, Module, modules

NAME = re.compile(r"^-- name:\s*(\w+)[^\n]*$", re.MULTILINE)
LOOKS_LIKE_SQL = re.compile(
    r"\b(select\s[\s\S]+\sfrom\s|insert\s+into\s|update\s+\S+\s+set\s|delete\s+from\s|create\s+(table|schema|index)\s|alter\s+table\s|copy\s+\S+.*\b(from\s+stdin|to\s+stdout))",
    re.IGNORECASE,
)
FOLDERS = sorted(file.parent.name for file in (ROOT / "cegla").glob("*/store.sql"))


@dataclass(frozen=True)
class Statement:
    """One named statement of a slice."""

    slice: str
    name: str
    text: str

    @property
    def purpose(self) -> str:
        """The comment on the line below the name."""
        second = self.text.strip().splitlines()[1] if self.text.strip().count("\n") else ""
        return second.removeprefix("--").strip() if second.startswith("--") else ""


def statements() -> list[Statement]:
    return list(chain.from_iterable(_statements(folder) for folder in FOLDERS))


def _statements(folder: str) -> list[Statement]:
    text = (ROOT / "cegla" / folder / "store.sql").read_text(encoding="utf-8")
    found = list(NAME.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    return [Statement(folder, match.group(1), text[match.start() : end]) for match, end in zip(found, ends, strict=True)]


def texts(found: Module) -> list[str]:
    """The string constants of a module that are no docstrings."""
    documentation = {id(node.value) for node in ast.walk(found.tree) if isinstance(node, ast.Expr)}
    return [node.value for node in ast.walk(found.tree) if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation]


def test_every_statement_says_what_it_is_for() -> None:
    assert not [f"{one.slice}: {one.name}" for one in statements() if len(one.purpose) < 12]


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_two_statements_of_a_slice_have_one_name(folder: str) -> None:
    found = [one.name for one in _statements(folder)]
    assert len(found) == len(set(found))


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_statement_is_called(folder: str) -> None:
    code = "\n".join(found.text for found in modules(f"cegla/{folder}"))
    assert not [one.name for one in _statements(folder) if not re.search(rf"\bSQL\.{one.name}(_cursor)?\b", code)]


def test_sql_is_written_in_sql_files_only() -> None:
    outside = {found.name for found in modules() if found.part != "storage" and any(LOOKS_LIKE_SQL.search(text) for text in texts(found))}
    assert outside == set(exceptions.SQL_OUTSIDE)


def test_migrations_are_numbered_by_slice_and_make_only_its_own_schema() -> None:
    for file in sorted((ROOT / "cegla" / "storage" / "migrations").glob("*.sql")):
        number, owner, _ = file.name.split(".")
        assert number.isdigit(), file.name
        assert set(re.findall(r"create\s+table\s+(?:if\s+not\s+exists\s+)?(\w+)\.", file.read_text(), re.IGNORECASE)) <= {owner}


#: Splink compares likely duplicates in a DuckDB of its own memory; it never sees the history
SPEAKS_FOR_ITSELF = {"cegla.match.scoring"}


def test_only_storage_speaks_to_an_engine() -> None:
    drivers = {"duckdb", "chdb", "clickhouse_connect", "pyspark", "py4j", "sqlglot"}
    speaking = {found.name for found in modules() if found.part != "storage" and drivers & {name.split(".")[0] for name in found.imports()}}
    assert speaking == SPEAKS_FOR_ITSELF
    writing = {found.name for found in modules() if found.part != "storage" and re.search(r"\bto_sql\(|\.raw_sql\(|\.sql\(|_cursor\(\)", found.text)}
    assert writing == set()


def test_a_function_that_a_rule_borrows_from_an_engine_is_translated_for_every_other() -> None:
    borrowed = [name for found in modules() for name in re.findall(r"udf\.\w+\.builtin(?!\(name=)|udf\.\w+\.builtin\(name=\"(\w+)\"", found.text)]
    assert set(borrowed) == {TEXT_AT}
