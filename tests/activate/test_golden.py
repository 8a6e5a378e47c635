"""Liquid as Ruby's Liquid has it: the golden cases, through the template worker that messages are rendered by."""

import json
from collections.abc import Generator
from typing import Any

import pytest

from cegla.activate.renderer import Renderer
from cegla.activate.templating import SNIPPET
from cegla.vocabulary.errors.messages import TemplateInvalid
from tests.activate.others import files

CASES: list[dict[str, Any]] = json.loads(files("golden-liquid")["golden_liquid.json"])["tests"]

#: Where python-liquid and Ruby's Liquid part ways, and nothing a newsletter needs.
KNOWN = {
    "blank and empty, false is equal to blank",
    "blank and empty, nil is equal to blank",
    "blank and empty, null is equal to blank",
    "blank and empty, undefined is equal to blank",
    "tags, case, unexpected when token, strict2",
    "tags, comment, incomplete tags are not parsed",
}


@pytest.fixture(scope="module")
def renderer() -> Generator[Renderer]:
    with Renderer() as one:
        yield one


def fits(renderer: Renderer, case: dict[str, Any]) -> bool:
    """Whether the worker makes of a case what Ruby makes of it; many must fail."""
    parts = {"text": case["template"]} | {SNIPPET + name: source for name, source in case.get("templates", {}).items()}
    try:
        renderer.load("case", parts)
        made = renderer.render("case", case.get("data", {}))["text"]
    except TemplateInvalid:
        return bool(case.get("invalid"))
    return not case.get("invalid") and made in (case.get("results") or [case.get("result")])


def test_the_golden_cases_come_out_as_in_ruby(renderer: Renderer) -> None:
    assert len(CASES) == 1_054
    missed = {case["name"] for case in CASES if not fits(renderer, case)}
    assert missed == KNOWN, "missed, or healed"
