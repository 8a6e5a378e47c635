"""Files written by hand: what they say reaches the app as it was written."""

import json
from pathlib import Path

import pytest

from cegla.cli.files import fields_of, values_of
from cegla.cli.letters import _read  # pyright: ignore[reportPrivateUsage]
from cegla.vocabulary.errors.intake import FileUnreadable


def test_a_name_or_subject_that_looks_like_a_date_is_a_text(tmp_path: Path) -> None:
    file = tmp_path / "letter.yaml"
    file.write_text("name: 2026-11-01\ndocument: {subject: 2026-11-29 10:00:00, blocks: []}\n", encoding="utf-8")
    assert _read(file) == {"kind": "letter", "name": "2026-11-01", "document": {"subject": "2026-11-29 10:00:00", "blocks": []}}


def test_a_file_nested_thousands_deep_is_refused_in_words(tmp_path: Path) -> None:
    file = tmp_path / "letter.yaml"
    file.write_text("name: Deep\ndocument: " + "[" * 20_000 + "]" * 20_000, encoding="utf-8")
    for read in (_read, fields_of):
        with pytest.raises(FileUnreadable, match="nested too deeply"):
            read(file)


def test_json_with_tabs_is_read_and_an_alias_is_refused_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "fix.json"
    file.write_text('{\n\t"steps": [\n\t\t{"set": "2026-11-01"}\n\t]\n}\n', encoding="utf-8")
    assert values_of(file) == {"steps": [{"set": "2026-11-01"}]}
    file.write_text("steps:\n  - &one {set: 1}\n  - *one\n", encoding="utf-8")
    with pytest.raises(FileUnreadable) as refused:
        values_of(file)
    assert refused.value.where == f"{file}:2:5"


def test_a_file_that_is_no_mapping_of_fields_is_refused_and_an_empty_one_has_none(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text("- 1\n- 2\n", encoding="utf-8")
    with pytest.raises(FileUnreadable, match="not a mapping of fields"):
        fields_of(file)
    file.write_text("", encoding="utf-8")
    assert fields_of(file) == {}


def test_a_rule_with_a_date_goes_on_as_json(tmp_path: Path) -> None:
    file = tmp_path / "rule.yaml"
    file.write_text("op: trait\nkey: birthday\nvalue: 1985-04-03\n", encoding="utf-8")
    assert json.dumps(values_of(file)) == '{"op": "trait", "key": "birthday", "value": "1985-04-03"}'


@pytest.mark.parametrize("value", [".nan", "!!binary aGVq", "!!set {a, b}"])
def test_what_json_lacks_is_refused_in_words(value: str, tmp_path: Path) -> None:
    file = tmp_path / "rule.yaml"
    file.write_text(f"op: trait\nvalue: {value}\n", encoding="utf-8")
    with pytest.raises(FileUnreadable, match="JSON lacks"):
        values_of(file)
