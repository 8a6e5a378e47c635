"""The reference of the script says what the script does: options, calls, events, properties, context."""

import re
from collections.abc import Callable
from typing import Any

from cegla.collect.rules import website as reference
from onsite import build

TEXTS = {path.name: path.read_text(encoding="utf-8") for path in build.SOURCES.glob("*.js")}
ROWS = {row.name: {key for key, _ in row.properties} for row in reference.EVENTS}


def test_every_option_with_its_default_is_described() -> None:
    block = re.search(r"DEFAULTS = \{\n(.*?)\};", TEXTS["options.js"], re.DOTALL)
    assert block
    assert dict(re.findall(r"^  (\w+): '(.*)',$", block.group(1), re.MULTILINE)) == {row.name: row.default for row in reference.OPTIONS}


def test_every_call_is_described() -> None:
    block = re.search(r"METHODS = \{\n(.*?)\n\};", TEXTS["main.js"], re.DOTALL)
    assert block
    assert re.findall(r"^  (\w+)(?:,|:)", block.group(1), re.MULTILINE) == [row.name for row in reference.CALLS]


def test_every_event_and_part_is_described() -> None:
    made = {name for text in TEXTS.values() for name in re.findall(r"(?:track|tell)\('([A-Z][\w ]+)'", text)} | {"page", "Segment Consent Preference Updated"}
    assert made == set(ROWS)
    auto = next(row.default for row in reference.OPTIONS if row.name == "auto")
    assert {row.part for row in reference.EVENTS if row.part} == set(auto.split())


def test_a_whole_walk_sends_nothing_that_is_not_described(visit: Callable[..., Any]) -> None:
    someone = visit()
    someone.page.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})")
    someone.go("/szukaj?q=czapka")
    someone.agree()
    someone.run("for (const id of ['out', 'file']) document.getElementById(id).addEventListener('click', (event) => event.preventDefault())")
    for place in ("#out", "#file", "#buy", "form button"):
        someone.page.click(place)
    someone.inbox.wait_for("Form Submitted")
    someone.page.wait_for_timeout(1_100)
    someone.go("/next")
    someone.inbox.wait_for("Page Left")
    events = someone.inbox.events()
    unknown = {(name, key) for event in events for name in [event.get("event", event["type"])] for key in event.get("properties", {}) if key not in ROWS[name]}
    assert not unknown
    assert {key for event in events for key in event["context"]} <= {key for key, _ in reference.CONTEXT}
    assert set(ROWS) == {event.get("event", event["type"]) for event in events}
