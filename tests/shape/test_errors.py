"""Every error a user can meet is one row: a code of its own, both languages, and a place in the documentation."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest

from cegla.vocabulary import errors
from cegla.vocabulary.errors import CeglaError
from tests.shape.tree import ROOT

GROUPS = {errors.Terminal, errors.Transient}
REFERENCE = ROOT / "docs" / "reference" / "errors.md"
PARTS = [f"cegla.vocabulary.errors.{part.name}" for part in pkgutil.iter_modules(errors.__path__)]
PLACEHOLDER = re.compile(r"{(\w+)}")


def rows(kind: type[CeglaError] = CeglaError) -> Iterator[type[CeglaError]]:
    for child in kind.__subclasses__():
        if child not in GROUPS and child.__module__.startswith("cegla."):
            yield child
        yield from rows(child)


for part in PARTS:
    importlib.import_module(part)
ROWS = sorted(set(rows()), key=lambda row: row.__name__)


def test_no_two_errors_share_a_code() -> None:
    codes = [row.code for row in [CeglaError, *ROWS]]
    assert len(codes) == len(set(codes))
    assert all(re.fullmatch(r"CEGLA-E\d{4}", code) for code in codes)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.code)
def test_an_error_speaks_both_languages_with_the_same_facts(row: type[CeglaError]) -> None:
    for text in (row.what, row.todo):
        assert text.pl
        assert text.en
        assert text.pl != text.en
        assert set(PLACEHOLDER.findall(text.pl)) == set(PLACEHOLDER.findall(text.en))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.code)
def test_an_error_has_a_status_and_an_exit_code_of_the_list(row: type[CeglaError]) -> None:
    assert 400 <= row.status <= 599
    assert row.exit_code in {1, 2, 3, 4, 5, 6}
    assert row.__doc__


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.code)
def test_an_error_is_documented(row: type[CeglaError]) -> None:
    assert row.code in REFERENCE.read_text(encoding="utf-8")


def test_errors_are_declared_in_one_folder() -> None:
    assert {row.__module__ for row in ROWS} - {"cegla.vocabulary.errors"} == set(PARTS)
