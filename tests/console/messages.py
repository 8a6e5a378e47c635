"""Where the console's messages are: calls in templates and in Python, and text in templates that is in no call."""

import ast
import re
from collections.abc import Iterator
from functools import cache

from jinja2 import nodes

from cegla.console.render import HERE, TEMPLATES, Renderer

CALLS = ("_", "_n", "text", "count", "marked")
LETTER = re.compile(r"[^\W\d_]")
JINJA = re.compile(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
TAG = re.compile(r"<[^<>]*>|&\w+;", re.DOTALL)
SPOKEN_ATTRIBUTE = re.compile(r"(?:aria-label|title|placeholder|alt)=\"([^\"{]*[^\W\d_][^\"{]*)\"")
OURS = {"Cegła", "· Cegła", "Polski", "English", "p12", "g", "Esc"}  #: names that are the same in every language


def templates() -> list[str]:
    """Every template by name."""
    return sorted(str(file.relative_to(TEMPLATES)) for file in TEMPLATES.rglob("*.html"))


@cache
def parsed(name: str) -> nodes.Template:
    """A template's tree."""
    environment = Renderer().environment
    return environment.parse((TEMPLATES / name).read_text(encoding="utf-8"))


def messages_in_templates() -> Iterator[tuple[str, str, str]]:
    """(template, call, message)."""
    for name in templates():
        for call in parsed(name).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name in ("_", "_n") and call.args and isinstance(call.args[0], nodes.Const):
                yield name, call.node.name, call.args[0].value


def messages_in_code() -> Iterator[tuple[str, str, str]]:
    """(file, call, message)."""
    for file in sorted(HERE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""
                if name in ("text", "count", "marked") and LETTER.search(node.args[0].value):
                    yield file.name, name, node.args[0].value


def all_messages() -> list[str]:
    """Every message once, in the order of the files."""
    return list(dict.fromkeys(message for _, _, message in (*messages_in_templates(), *messages_in_code())))


def text_outside_messages() -> Iterator[tuple[str, str]]:
    """(template, words) for text that no call translates."""
    for name in templates():
        source = JINJA.sub("", (TEMPLATES / name).read_text(encoding="utf-8"))
        spoken = [*TAG.sub("\n", source).splitlines(), *SPOKEN_ATTRIBUTE.findall(source)]
        yield from ((name, words.strip()) for words in spoken if LETTER.search(words) and words.strip() not in OURS)
