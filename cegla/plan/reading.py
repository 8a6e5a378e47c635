"""A plan from YAML or JSON text, with the line of everything that is wrong in it. Written by people and by strangers alike."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import yaml
from pydantic import ValidationError

from cegla.plan.rules.form import SAID, Plan
from cegla.plan.rules.schemas import from_schema
from cegla.storage import documents
from cegla.vocabulary.text import Text, misfit

LARGEST = 2_000_000
DEEPEST = 50  #: levels of lists and mappings
MOST_PROBLEMS = 100
_LINE_ENDS = re.compile("[\x85\u2028\u2029]")
TOO_LARGE = Text(f"plik jest większy niż {LARGEST} znaków", f"the file is longer than {LARGEST} characters")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: the line (from 1), where in the plan, and what."""

    line: int
    where: str
    what: Text


def read(text: str) -> tuple[Plan | None, list[Problem]]:
    """The plan of a text, or None and everything that is wrong with it, by line."""
    if len(text) > LARGEST:
        return None, [Problem(1, "", TOO_LARGE)]
    try:
        value = documents.read(text, DEEPEST)
    except documents.Unfit as unfit:
        return None, [Problem(unfit.line, "", unfit.what)]
    if not isinstance(value, dict):
        return None, [Problem(1, "", SAID["plan"])]
    try:
        return Plan.model_validate(_from_schema(value) if "$schema" in value else value), []
    except ValidationError as error:
        node = _node(text)
        found = [_problem(cast("dict[str, Any]", one), node) for one in error.errors()[:MOST_PROBLEMS]]
        return None, sorted(found, key=lambda one: one.line)


def _from_schema(value: dict[str, Any]) -> Any:
    """A JSON Schema of one event as a plan of that event."""
    try:
        return {"events": [from_schema(value, str(value.get("title") or "Event"))]}
    except (ValueError, AttributeError, TypeError):
        return {"events": [{"$schema": None}]}  # what a plan cannot say is told as an unknown field, at its line


def write(plan: Plan, comments: dict[str, str] | None = None) -> str:
    """A plan as YAML; `comments` stand above events, by name."""
    value = plan.model_dump(mode="json", exclude_defaults=True)
    events = value.pop("events", [])
    head = yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False) if value else ""
    parts: list[str] = []
    for event in events:
        lines = yaml.dump(event, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=140).splitlines()
        if comment := (comments or {}).get(event.get("name", "")):
            parts += [f"  # {line}" for line in comment.splitlines()]
        parts += [f"  - {lines[0]}", *(f"    {line}" for line in lines[1:])]
    return head + ("events:\n" + "\n".join(parts) + "\n" if parts else "events: []\n")


class _Dumper(yaml.SafeDumper):
    """Writes Unicode's own line ends as escapes: YAML would fold them, and the name would be another one."""


def _written(dumper: Any, text: str) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if _LINE_ENDS.search(text) else None)


_Dumper.add_representer(str, _written)


def _node(text: str) -> Any:
    """The text with its lines; None for JSON with tabs, which YAML does not know."""
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None


def _problem(error: dict[str, Any], node: Any) -> Problem:
    where = [part for part in error["loc"] if not (isinstance(part, str) and part.startswith("function-"))]
    return Problem(_line(node, where), "/".join(map(str, where)), misfit(error, SAID))


def _line(node: Any, where: Sequence[str | int]) -> int:
    """The line of the deepest part of a place that the text has."""
    if node is None:
        return 1
    line = node.start_mark.line + 1
    for part in where:
        step = _step(node, part)
        if step is None:
            break
        mark, node = step
        line = mark + 1
    return line


def _step(node: Any, part: str | int) -> tuple[int, Any] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        inner = node.value[part]
        return inner.start_mark.line, inner
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line, value
    return None
