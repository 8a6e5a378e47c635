"""What senders really post: forms of browsers, numbers of several countries, files whose cells hold odd characters."""

from typing import Any

import pytest

from cegla.collect.rules import hooked
from cegla.collect.rules.frame import Framed
from cegla.collect.rules.webhooks import read_mapping


def properties(mapping: dict[str, Any], body: bytes, kind: str) -> list[dict[str, Any]]:
    told = {"rules": [{"name": "r", "event": "Sent", "properties": mapping.pop("properties")}], **mapping}
    mapped = hooked.map_request(read_mapping(told), Framed(body, {"content-type": kind}))
    assert not mapped.problem
    return [event.get("properties", {}) for item in mapped.items for event in item.events]


def test_a_form_is_read_as_a_browser_sends_it_with_its_boundary_and_its_names_as_they_are() -> None:
    """A boundary has large and small letters, and a name its own alphabet."""
    parts = {"email": "ewa@example.com", "imię": "Zośka", 'he said "hi"': "x"}
    lines = [f'------WebKitFormBoundaryAbCd7\r\nContent-Disposition: form-data; name="{name.replace(chr(34), "%22")}"\r\n\r\n{value}\r\n' for name, value in parts.items()]
    body = ("".join(lines) + "------WebKitFormBoundaryAbCd7--\r\n").encode()
    wanted = {"email": "{email}", "name": {"from": "imię"}, "odd": {"from": 'he said "hi"'}}
    kind = "multipart/form-data; boundary=----WebKitFormBoundaryAbCd7"
    assert properties({"properties": wanted}, body, kind) == [{"email": "ewa@example.com", "name": "Zośka", "odd": "x"}]


@pytest.mark.parametrize(
    ("text", "number"),
    [("1.234,56", 1234.56), ("1,234.56", 1234.56), ("1.234.567,89", 1234567.89), ("1,234,567", 1234567), ("1 234,5", 1234.5), ("-12,5", -12.5), ("1\u202f000", 1000)],
)  # fmt: skip
def test_a_number_with_marks_between_its_thousands_is_that_number(text: str, number: float) -> None:
    assert properties({"properties": {"n": {"from": "n", "as": "number"}}}, f'{{"n": "{text}"}}'.encode(), "application/json") == [{"n": number}]


def test_a_line_ends_where_a_line_ends_and_not_at_a_character_that_looks_so_to_a_program() -> None:
    """The separators of Unicode and of old printers stand in names that people paste."""
    odd = "a\u2028b\x85c\x0bd"
    for mapping in ({"body": "csv"}, {"body": "lines", "columns": ["id", "name"]}):
        head = "id,name\r\n" if mapping["body"] == "csv" else ""
        rows = properties({"properties": {"id": "{id}", "name": "{name}"}, **mapping}, f"{head}1,{odd}\r\n2,e\r\n".encode(), "text/csv")
        assert rows == [{"id": "1", "name": odd}, {"id": "2", "name": "e"}]


def test_a_number_too_large_to_compare_is_neither_above_nor_below() -> None:
    told = {"otherwise": "ignore", "rules": [{"name": "r", "when": {"n": {"above": 5}}, "event": "Large"}]}
    mapped = hooked.map_request(read_mapping(told), Framed(b'{"n": 1' + b"0" * 400 + b"}", {"content-type": "application/json"}))
    assert [item.ignored for item in mapped.items] == [True]
