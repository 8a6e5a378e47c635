"""Documents that people and strangers write in YAML or JSON: read within limits, and refused in words with the place of what is wrong.

Traps are found before anything is read: nesting makes the reader slow, anchors and aliases make a short text long. A field that is there
twice is refused: one of its two values would be lost without a word.
"""

import json
import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import yaml

from cegla.vocabulary.errors import CeglaError
from cegla.vocabulary.text import Language, Text

DEEPEST = 50
LONGEST = 5_000_000
LONGEST_NAME = 100  #: of a field, in the words that refuse it
TOO_LONG = Text("jest za długie", "it is too long")
TOO_DEEP = Text("jest zagnieżdżone za głęboko", "it is nested too deeply")
NO_ALIASES = Text("kotwice i aliasy YAML są niedozwolone", "anchors and aliases of YAML are not allowed")
#: What a value is, by the names msgspec gives it
_KINDS = {
    "int": Text("liczba całkowita", "a whole number"),
    "float": Text("liczba", "a number"),
    "str": Text("tekst", "a text"),
    "bool": Text("true albo false", "true or false"),
    "array": Text("lista", "a list"),
    "object": Text("pola z nazwami", "fields with names"),
    "null": Text("nic (null)", "nothing (null)"),
}
#: What msgspec says of a value that does not fit, and how it is said to people; `wanted` and `found` are kinds
_MISFITS = tuple(
    (re.compile(said), text)
    for said, text in (
        (r"Expected `(?P<wanted>[a-z |]+)`, got `(?P<found>[a-z |]+)`", Text("powinno być: {wanted}, a jest: {found}", "{wanted} belongs here, not {found}")),
        (r"Expected `(?:int|float)` >= (?P<least>\S+)", Text("najmniejsza możliwa liczba to {least}", "the least number possible is {least}")),
        (r"Expected `(?:int|float)` <= (?P<most>\S+)", Text("największa możliwa liczba to {most}", "the greatest number possible is {most}")),
        (r"Expected `str` of length >= (?P<least>\d+)", Text("za krótki tekst; najmniej znaków: {least}", "the text is too short; at least: {least}")),
        (r"Expected `str` of length <= (?P<most>\d+)", Text("za długi tekst; najwięcej znaków: {most}", "the text is too long; at most: {most}")),
        (r"Expected `str` matching regex '(?P<form>.+)'", Text("tekst ma mieć postać {form}", "the text has the form {form}")),
        (r"Object contains unknown field `(?P<name>.*)`", Text("nie ma pola „{name}”", "there is no field “{name}”")),
        (r"Object missing required field `(?P<name>.*)`", Text("brakuje pola „{name}”", "the field “{name}” is missing")),
        (r"Invalid enum value (?P<value>.*)", Text("nie ma takiej możliwości: {value}", "there is no such choice: {value}")),
    )
)


class Unfit(Exception):
    """A text that is no document. `line` and `column` count from 1."""

    def __init__(self, what: Text, line: int = 1, column: int = 1) -> None:
        super().__init__(what.en)
        self.what, self.line, self.column = what, line, column

    @property
    def place(self) -> str:
        """As editors write it: 3:14."""
        return f"{self.line}:{self.column}"


class _Fields(yaml.SafeLoader):
    """Reads every field of a mapping, and refuses one that is there twice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """The mapping; its keys are compared as they are written, quoted or not."""
        seen = set[tuple[str, str]]()
        for key in [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]:
            name = (key.tag, key.value)
            if name in seen:
                what = Text(f"pole „{key.value[:LONGEST_NAME]}” jest dwa razy", f"the field “{key.value[:LONGEST_NAME]}” is there twice")
                raise Unfit(what, key.start_mark.line + 1, key.start_mark.column + 1)
            seen.add(name)
        return super().construct_mapping(node, deep)


class _Words(_Fields):
    """Reads a date as the text it is written as: what is read may go on as JSON, which has none."""


_Words.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: node.value)


def read(text: str, deepest: int = DEEPEST, longest: int = LONGEST, *, dates_as_text: bool = False) -> Any:
    """What a text in YAML or JSON says. Raises Unfit."""
    if len(text) > longest:
        raise Unfit(TOO_LONG)
    try:
        found = _as_json(text)
        if found is not None:
            if _is_deeper(found, deepest):
                raise Unfit(TOO_DEEP)
            return found
        _refuse_traps(text, deepest)
        return yaml.load(text, _Words if dates_as_text else _Fields)  # noqa: S506 - safe ones
    except RecursionError:
        raise Unfit(TOO_DEEP) from None
    except (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError) as error:  # a date that is none, a set of lists, `!!int ""`, `!!bool x`
        mark: Any = getattr(error, "problem_mark", None)
        problem = " ".join(str(getattr(error, "problem", None) or error).split())[:200]
        what = Text(f"to nie jest poprawny YAML ({problem})", f"it is not valid YAML ({problem})")
        raise (Unfit(what, mark.line + 1, mark.column + 1) if mark else Unfit(what)) from None


def misfit(message: str) -> Text | str:
    """What msgspec says of a value that does not fit, in both languages; a sentence that is not known here stays as it is."""
    for said, text in _MISFITS:
        if (found := said.fullmatch(message)) is not None:
            return Text(*(text.say(language, **_parts(found, language)) for language in ("pl", "en")))
    return message


@contextmanager
def in_both_languages(refusal: type[CeglaError]) -> Generator[None]:
    """What is refused within in a sentence of msgspec's is refused in both languages (see `misfit`)."""
    try:
        yield
    except refusal as error:
        if isinstance(detail := error.facts["detail"], str):
            raise refusal(where=error.where, seen=error.seen, detail=misfit(detail)) from None
        raise


def _parts(found: re.Match[str], language: Language) -> dict[str, str]:
    either = Text(" albo ", " or ").say(language)

    def kind(value: str) -> str:
        return either.join(_KINDS[one].say(language) if one in _KINDS else one for one in value.split(" | "))

    return {name: kind(value) if name in ("wanted", "found") else value for name, value in found.groupdict().items()}


def _as_json(text: str) -> Any:
    """What a JSON text says; None for anything else, and where a field is there twice. YAML alone would refuse its tabs."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text, object_pairs_hook=_each_once)
    except ValueError:
        return None


def _each_once(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(fields)
    if len(found) < len(fields):
        raise ValueError("a field is there twice")
    return found


def _is_deeper(value: Any, deepest: int) -> bool:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return parts is not None and (deepest == 0 or any(_is_deeper(part, deepest - 1) for part in parts))


def _refuse_traps(text: str, deepest: int) -> None:
    """Raises Unfit at the first alias, anchor, or list or mapping beyond `deepest` levels; reading takes the square of the depth."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > deepest or isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            mark: Any = event.start_mark
            raise Unfit(TOO_DEEP if depth > deepest else NO_ALIASES, mark.line + 1, mark.column + 1)
