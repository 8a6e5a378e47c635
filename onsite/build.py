"""Makes the one file that websites load out of the modules in this folder: `make onsite`.

    modules in the order of their imports ──► imports and exports cut off ──► one scope ──► numbers in place ──► comments and blanks cut off

No names are changed but those of numbers and nothing is evaluated, so what runs is what stands in the modules. All top-level names share one
scope in the result; a name that two modules use is an error here.
"""

import re
import string
import sys
from pathlib import Path

SOURCES = Path(__file__).parent
BUILT = SOURCES.parent / "cegla" / "collect" / "static" / "c.js"
ENTRY = "main.js"
WORKER = "push-worker.js"  #: the service worker of web push: a script of its own, as short as it stands
BANNER = "/* Cegla, the script for websites. Readable sources: onsite/ in the project. Apache-2.0 */\n"

_IMPORT = re.compile(r"^import \{ (?P<names>[^}]*) \} from '\./(?P<file>\w+\.js)';\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:const|let|function|async function|class) )", re.MULTILINE)
_TOP_LEVEL = re.compile(r"^(?:const|let|(?:async )?function) (\w+)", re.MULTILINE)
_NUMBER = re.compile(r"^const ([A-Z_]+) = (\d+);[^\n]*\n", re.MULTILINE)
_EXPORTED = re.compile(r"^export (?:const|let|function|async function|class) (\w+)", re.MULTILINE)

# What a piece of JavaScript begins with. A slash begins a regular expression only where no value can have ended.
_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<string>'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")|(?P<template>`)|(?P<blank>[ \t]+)|(?P<line>\n+)|"""
    r"""(?P<word>[\w$]+)|(?P<slash>/)|(?P<mark>.)""",
    re.DOTALL,
)
_EXPRESSION = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*")
_BEFORE_EXPRESSION = frozenset("(,=:[!&|?{};+-*%<>~^")
_OF_A_WORD = frozenset(f"{string.ascii_letters}{string.digits}_$")
_WORDS_BEFORE_EXPRESSION = frozenset({"return", "typeof", "case", "in", "of", "new", "void", "delete"})


class NotBuilt(Exception):
    """The modules cannot be made one file; the message says why."""


def build() -> str:
    """The text of the built file."""
    body = "\n".join(_plain(name) for name in _in_order(ENTRY, {}))
    names = _TOP_LEVEL.findall(body)
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise NotBuilt(f"used in two modules: {', '.join(twice)}")
    return BANNER + minified(f"(function () {{\n'use strict';\n{body}\n}})();\n")


def _in_order(name: str, done: dict[str, bool]) -> list[str]:
    """The module after everything it imports. Raises NotBuilt for a circle, and for a name that is not exported."""
    if done.get(name) is False:
        raise NotBuilt(f"{name} imports itself in a circle")
    if name in done:
        return []
    done[name] = False
    order: list[str] = []
    for found in _IMPORT.finditer((SOURCES / name).read_text(encoding="utf-8")):
        order += _in_order(found["file"], done)
        wanted = {one.strip() for one in found["names"].split(",")}
        if missing := wanted - set(_EXPORTED.findall((SOURCES / found["file"]).read_text(encoding="utf-8"))):
            raise NotBuilt(f"{name} imports {', '.join(sorted(missing))}, which {found['file']} does not export")
    done[name] = True
    return [*order, name]


def _plain(name: str) -> str:
    text = _EXPORT.sub("", _IMPORT.sub("", (SOURCES / name).read_text(encoding="utf-8")))
    if left := re.search(r"^(?:import|export)\b.*", text, re.MULTILINE):
        raise NotBuilt(f"{name}: cannot read {left.group()!r}")
    return text


def minified(text: str) -> str:
    """The same program without comments, indentation and needless blanks, numbers in place of their names. Lines stay, so no semicolon is ever missed."""
    numbers = dict(_NUMBER.findall(text))
    text = _NUMBER.sub("", text)
    made: list[str] = []
    place, last, blank = 0, "\n", False
    while place < len(text):
        found = _TOKEN.match(text, place)
        assert found is not None
        kind, piece = found.lastgroup, found.group()
        if kind == "slash" and _expression_may_follow(last):
            whole = _EXPRESSION.match(text, place)
            if whole is None:
                raise NotBuilt(f"no end of a regular expression: {text[place:place + 40]!r}")
            piece = whole.group()
        elif kind == "template":
            piece = text[place : _end_of_template(text, place + 1)]
        place += len(piece)
        if kind == "comment":
            continue
        if kind == "blank":
            blank = True
            continue
        if kind == "line":
            if last != "\n":
                made.append("\n")
            last, blank = "\n", False
            continue
        if blank and _must_stay_apart(last[-1], piece[0]):
            made.append(" ")
        if kind == "template" and (within := numbers.keys() & set(re.findall(r"\w+", piece))):
            raise NotBuilt(f"a number by its name in a template: {', '.join(sorted(within))}")
        made.append(numbers.get(piece, piece))
        last, blank = piece, False
    return _joined("".join(made))


def _joined(text: str) -> str:
    """Lines joined where a statement plainly goes on or has plainly ended."""
    return re.sub(r"(?<=[{;,(\[])\n", "", text)


def _must_stay_apart(left: str, right: str) -> bool:
    return (left in _OF_A_WORD and right in _OF_A_WORD) or (left in "+-/" and right in "+-/")


def _expression_may_follow(last: str) -> bool:
    return last == "\n" or last[-1] in _BEFORE_EXPRESSION or last in _WORDS_BEFORE_EXPRESSION


def _end_of_template(text: str, place: int) -> int:
    """The place after the closing backtick; braces within `${}` nest."""
    depth = 0
    while place < len(text):
        letter = text[place]
        if letter == "\\":
            place += 1
        elif text.startswith("${", place):
            depth += 1
            place += 1
        elif letter == "}" and depth:
            depth -= 1
        elif letter == "`" and not depth:
            return place + 1
        place += 1
    raise NotBuilt("a template without an end")


def main() -> int:
    """Write the built file and say how large it is."""
    import gzip

    try:
        text = build()
    except NotBuilt as error:
        sys.stderr.write(f"{error}\n")
        return 1
    BUILT.parent.mkdir(exist_ok=True)
    BUILT.write_text(text, encoding="utf-8")
    BUILT.with_name(WORKER).write_text(minified((SOURCES / WORKER).read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{BUILT.relative_to(SOURCES.parent)}: {len(text.encode())} bytes, {len(gzip.compress(text.encode(), 9, mtime=0))} gzipped\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
