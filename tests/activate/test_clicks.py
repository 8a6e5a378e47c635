"""Whose clicks they are, and lines that begin with a dot: rules of the way out and back that need no server."""

from datetime import UTC, datetime, timedelta

import pytest

from cegla.activate.rules.clicks import TRAP, Click, judged
from cegla.activate.rules.dialog import begins_with_dot
from cegla.storage.arrays import texts

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def clicks(*links: int, machine: str | None = None) -> list[Click]:
    return [Click(link, NOW + timedelta(seconds=place), machine) for place, link in enumerate(links)]


@pytest.mark.parametrize(
    ("made", "links", "reasons"),
    [
        (clicks(1), 1, [None]),
        (clicks(1, 1, 1), 5, [None] * 3),
        (clicks(2, 5), 9, [None] * 2),
        (clicks(1, 2), 2, ["all_links"] * 2),
        (clicks(1, 2, 3), 9, ["all_links"] * 3),
        (clicks(4, TRAP), 9, ["trap"] * 2),
        (clicks(4, machine="at_once"), 9, ["at_once"]),
    ],
)  # fmt: skip
def test_who_follows_every_link_or_the_hidden_one_is_a_machine(made: list[Click], links: int, reasons: list[str | None]) -> None:
    assert judged(made, links) == reasons


@pytest.mark.parametrize("content", [b".", b"a\r\n.b", b"." * 300, b"a." * 300 + b"\r\n.", b"a.b\r\nc", b"", b"a." * 300])
def test_a_line_that_begins_with_a_dot_is_found(content: bytes) -> None:
    assert begins_with_dot(content) == any(line.startswith(b".") for line in content.split(b"\n"))


def test_texts_are_written_as_the_database_reads_them() -> None:
    assert texts(['a "b"', "c\\", None, "ą,{}"]) == '{"a \\"b\\"","c\\\\",NULL,"ą,{}"}'
