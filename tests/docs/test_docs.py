"""The documentation is true: reference pages are current, every code block holds, every link leads somewhere."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from cegla.cli.commands import DEFAULTS
from cegla.cli.main import command_tree
from cegla.collect.rules.mapping import read_mapping
from cegla.collect.rules.webhooks import read_mapping as read_webhook_mapping
from cegla.govern import actions as govern
from cegla.plan import actions as plan
from cegla.repair.rules.fix import Fix
from cegla.segment import actions as segment
from cegla.storage.settings import Settings
from cegla.vocabulary.identifier_rules import read_rules
from docs import generate
from tests.shape.tree import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "changelog.d").glob("*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]+)(?:#[^)]*)?\)")
TARGETS = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


class Block(NamedTuple):
    """A piece of code in a page."""

    page: Path
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}: {self.text.strip().splitlines()[0][:40]}"


def blocks(*languages: str) -> list[Block]:
    return [Block(page, *found) for page in PAGES for found in BLOCK.findall(page.read_text(encoding="utf-8")) if found[0] in languages]


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every shell line with a `cegla` or a `make` in it, as words."""
    for block in blocks("sh"):
        for line in block.text.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True) if re.match(r"(\w+=\S+ )*(cegla|make)\b", line) else []
            while words and "=" in words[0]:
                words = words[1:]
            if words:
                yield f"{block.page.name}: {line}", words


@pytest.mark.parametrize("name", generate.PAGES)
def test_a_reference_page_says_what_the_code_says(name: str) -> None:
    assert (generate.REFERENCE / name).read_text(encoding="utf-8") == generate.PAGES[name](), "run `make docs`"


@pytest.mark.parametrize("words", [pytest.param(words, id=place) for place, words in commands()])
def test_a_command_in_the_docs_exists_with_its_options(words: list[str]) -> None:
    if words[0] == "make":
        assert set(words[1:2]) <= TARGETS
        return
    command: Any = command_tree("en")
    rest = words[1:]
    if rest[0] in DEFAULTS and rest[1] not in command.commands[rest[0]].commands:
        rest.insert(1, DEFAULTS[rest[0]])
    while hasattr(command, "commands"):
        command, rest = command.commands[rest[0]], rest[1:]
    command.make_context("cegla", rest)


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_a_json_block_is_json(block: Block) -> None:
    json.loads(block.text)


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_a_yaml_block_is_what_the_page_says(block: Block) -> None:
    value = yaml.safe_load(block.text)
    if block.page.name == "import-a-file.md":
        assert read_mapping(value, "MAP.yaml")
    elif block.page.name == "change-identity-rules.md":
        assert read_rules(value)
    elif block.page.name == "connect-a-webhook.md":
        assert read_webhook_mapping(value)
    elif block.page.name == "write-a-tracking-plan.md":
        assert plan.check(block.text).problems == []
    elif block.page.name == "repair-quarantined-events.md":
        assert Fix.model_validate(value)
    elif block.page.name == "purposes.md":
        assert govern.register.read(block.text) == govern.SHIPPED
    elif {"all", "any", "not", "op"} & set(value):
        assert segment.sentence(value, "en")
    else:
        assert Settings.model_validate(value)


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_a_python_block_runs(block: Block) -> None:
    exec(compile(block.text, str(block.page), "exec"), {"__name__": "docs"})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    assert not [target for target in LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / target).exists()]


def test_every_how_to_and_decision_is_found_in_its_folder() -> None:
    numbers = [page.name[:4] for page in sorted((ROOT / "docs" / "decisions").glob("*.md"))]
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]


def test_every_setting_is_described() -> None:
    text = generate.settings_page()
    for name, field in Settings.model_fields.items():
        assert f"`{name}`" in text or f"## {name}" in text
        assert field.description or generate._is_section(field.annotation)


def test_the_nouns_of_the_glossary_are_names_in_the_code() -> None:
    rows = [line.split("|") for line in (ROOT / "GLOSSARY.md").read_text(encoding="utf-8").splitlines() if line.startswith("| ") and "In the code" not in line]
    files = [*(ROOT / "cegla").rglob("*.py"), *(ROOT / "cegla").rglob("*.sql")]
    words = {
        word for file in files for word in re.findall(r"\w+", file.read_text(encoding="utf-8") + " " + " ".join(file.relative_to(ROOT).with_suffix("").parts))
    }
    named = {row[1].strip(): re.findall(r"`([^`]+)`", row[4])[0] for row in rows}
    missing = {noun: code for noun, code in named.items() if not set(re.findall(r"\w+", code)) <= words | {"dry", "run", "py", "actions", "cegla"}}
    assert not missing
    assert len(named) >= 40
