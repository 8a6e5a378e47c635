"""The file that ships is what the modules make, is small, and asks for nothing that a strict content policy forbids."""

import gzip
import re

import pytest

from onsite import build

MOST_BYTES = 10_000  # as it travels


def test_the_shipped_file_is_made_of_the_modules_as_they_are() -> None:
    assert build.BUILT.read_text(encoding="utf-8") == build.build(), "run `make onsite`"
    worker = (build.SOURCES / build.WORKER).read_text(encoding="utf-8")
    assert build.BUILT.with_name(build.WORKER).read_text(encoding="utf-8") == build.minified(worker), "run `make onsite`"


def test_the_shipped_file_is_small() -> None:
    assert len(gzip.compress(build.BUILT.read_bytes(), 9, mtime=0)) < MOST_BYTES


def test_every_module_is_in_it() -> None:
    assert {path.name for path in build.SOURCES.glob("*.js")} - {build.WORKER} == set(build._in_order(build.ENTRY, {}))


def test_nothing_in_it_needs_a_loose_content_policy_or_leaves_cookies() -> None:
    text = build.BUILT.read_text(encoding="utf-8")
    assert not re.findall(r"\beval\b|new Function|innerHTML|document\.write|document\.cookie|sessionStorage|indexedDB|\.src=|setTimeout\('", text)


@pytest.mark.parametrize(
    ("text", "shorter"),
    [
        ("a = b / c / d; // e / f", "a=b/c/d;"),
        ("x = /[/'\"]\\/ +/g.test(y);", "x=/[/'\"]\\/ +/g.test(y);"),
        ("return  /a b/;", "return/a b/;"),
        ("s = '// no  comment' + \"/* nor  this */\";", "s='// no  comment'+\"/* nor  this */\";"),
        ("t = `a  ${ {b: `c  ` }.b }  d`;", "t=`a  ${ {b: `c  ` }.b }  d`;"),
        ("a + +b - -c", "a+ +b- -c"),
        ("let a\n\n   /* one */  b()\n", "let a\nb()\n"),
        ("const MOST = 20; // of them\nconst WORD = 'MOST';\na(MOST, MOSTLY);", "const WORD='MOST';a(20,MOSTLY);"),
        ("const of = typeof x in y", "const of=typeof x in y"),
    ],
)
def test_comments_and_blanks_go_and_nothing_else(text: str, shorter: str) -> None:
    assert build.minified(text) == shorter


@pytest.mark.parametrize("text", ["a = /b\n/", "`a", "const MOST = 20;\na = `${MOST}`;"])
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(build.NotBuilt):
        build.minified(text)
