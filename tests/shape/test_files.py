"""What the tree must not contain: paths of one machine, hosts of package indexes, binaries that nobody can read."""

import re

import pytest

from tests.shape.tree import ROOT, tracked_files

HERE = "tests/shape/test_files.py"
FORBIDDEN = {
    "the path of one machine": re.compile(r"(?<![\w.])/(work|root|home/\w+|Users/\w+)/[\w.]"),
    "the host of a package index": re.compile(r"pypi\.org|pythonhosted\.org|registry\.npmjs|--index-url|--extra-index-url|--find-links|--trusted-host"),
}
LARGEST_BYTES = 3_000_000


def texts() -> dict[str, str]:
    found: dict[str, str] = {}
    for file in tracked_files():
        data = file.read_bytes()
        if b"\0" not in data[:8_192] and str(file.relative_to(ROOT)) != HERE:
            found[str(file.relative_to(ROOT))] = data.decode("utf-8", "replace")
    return found


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what: str) -> None:
    assert not [f"{name}: {match.group()}" for name, text in texts().items() if (match := FORBIDDEN[what].search(text))]


def test_no_file_is_too_large_to_clone() -> None:
    assert not [str(file.relative_to(ROOT)) for file in tracked_files() if file.stat().st_size > LARGEST_BYTES]


def test_every_text_ends_with_a_newline() -> None:
    assert not [name for name, text in texts().items() if text and not text.endswith("\n") and not name.endswith((".svg", ".js", ".css", ".eml"))]
