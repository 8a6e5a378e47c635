"""Files written by hand: what they say reaches the app as it was written."""

import json
from pathlib import Path

import pytest

from cegla.cli.desk import values_of
from cegla.cli.letters import _read  # pyright: ignore[reportPrivateUsage]
from cegla.vocabulary.errors.intake import FileUnreadable


def test_a_name_or_subject_that_looks_like_a_date_is_a_text(tmp_path: Path) -> None:
    file = tmp_path / "letter.yaml"
    file.write_text("name: 2026-11-01\ndocument: {subject: 2026-11-29 10:00:00, blocks: []}\n", encoding="utf-8")
    assert _read(file) == {"kind": "letter", "name": "2026-11-01", "document": {"subject": "2026-11-29 10:00:00", "blocks": []}}


def test_a_file_nested_thousands_deep_is_refused_in_words(tmp_path: Path) -> None:
    file = tmp_path / "letter.yaml"
    file.write_text("name: Deep\ndocument: " + "[" * 20_000 + "]" * 20_000, encoding="utf-8")
    with pytest.raises(FileUnreadable, match="nested too deeply"):
        _read(file)


def test_a_rule_with_a_date_goes_on_as_json(tmp_path: Path) -> None:
    file = tmp_path / "rule.yaml"
    file.write_text("op: trait\nkey: birthday\nvalue: 1985-04-03\n", encoding="utf-8")
    assert json.dumps(values_of(file)) == '{"op": "trait", "key": "birthday", "value": "1985-04-03"}'


@pytest.mark.parametrize("value", [".nan", "!!binary aGVq", "!!set {a, b}", "9" * 5_000])
def test_what_json_lacks_is_refused_in_words(value: str, tmp_path: Path) -> None:
    file = tmp_path / "rule.yaml"
    file.write_text(f"op: trait\nvalue: {value}\n", encoding="utf-8")
    with pytest.raises(FileUnreadable, match="JSON lacks"):
        values_of(file)
