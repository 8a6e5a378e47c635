"""MJML as MJML's own compiler has it: pairs of source and result, compared as trees, through the template worker that letters are compiled by."""

import re
from collections.abc import Generator
from html.parser import HTMLParser

import pytest

from cegla.activate.renderer import Renderer
from cegla.vocabulary.errors.messages import TemplateInvalid
from tests.activate.others import files

FOLDERS = ("compare/success/", "template/")
WEB_FONTS = re.compile(r"<!--\[if !mso\]><!-->\s*<link[^>]*>\s*(?:<link[^>]*>\s*)*<style[^>]*>\s*@import.*?<!--<!\[endif\]-->", re.DOTALL)  #: ours asks nobody for fonts
MEANINGLESS = ("vertical-align",)  #: no attribute of HTML: our compiler repeats it beside the style on the cells of buttons and spacers, to no effect
SHORT_COLOR = re.compile(r"#([0-9a-fA-F])([0-9a-fA-F])([0-9a-fA-F])(?![0-9a-fA-F])")

#: Where our compiler and MJML's own part ways.
KNOWN = {
    "compare/success/mj-divider-in-mj-text": "theirs lets an unknown element through as text; ours says that it is in the wrong place",
    "compare/success/mj-raw-head": "the author's own <html> has no dir; ours adds dir=auto",
    "compare/success/mjml": "with lang given, theirs leaves dir out; ours adds dir=auto",
}


class Tree(HTMLParser):
    """The parts of a page in their order. The order of attributes, of styles and of rules of a sheet does not count, nor do blanks and empty attributes.

    What Outlook alone reads stands in comments; it is read as elements too, within its condition.
    """

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.nodes: list[object] = []
        self._style = False
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        meant = [(name, made) for name, value in attrs if name not in MEANINGLESS and (made := self._value(name, value or ""))]
        self.nodes.append((tag, frozenset(meant)))
        self._style = tag == "style"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self._style = False
        if tag not in ("br", "img", "meta", "link", "hr", "input"):
            self.nodes.append("/" + tag)

    def handle_data(self, data: str) -> None:
        text = re.sub(r"\s+", " ", data).strip()
        if text and self._style:
            self.nodes.append(frozenset(filter(None, re.split(r"(?<=[{}])", re.sub(r"[\s;]+", "", text)))))
            return
        if text and self.nodes and isinstance(self.nodes[-1], str) and self.nodes[-1].startswith("text "):
            self.nodes[-1] += " " + text
        elif text:
            self.nodes.append("text " + text)

    def handle_comment(self, data: str) -> None:
        condition, end, inner = data.partition("]>")
        if end and condition.startswith("[if"):
            self.nodes += [condition.replace(" ", ""), *Tree(inner.removesuffix("<![endif]")).nodes, "[endif]"]

    def unknown_decl(self, data: str) -> None:
        self.nodes.append(re.sub(r"\s", "", data))

    def _value(self, name: str, value: str) -> object:
        if name == "style":
            rules = [rule.partition(":") for rule in value.split(";") if rule.strip()]
            return frozenset((key.strip(), SHORT_COLOR.sub(r"#\1\1\2\2\3\3", re.sub(r"\s+", "", said))) for key, _, said in rules)
        return frozenset(value.split()) if name == "class" else SHORT_COLOR.sub(r"#\1\1\2\2\3\3", value.strip()) if name == "bgcolor" else value.strip()


def parts(source: str) -> list[object]:
    """The parts of a page; what Outlook alone reads may be one comment or several behind one another."""
    made: list[object] = []
    open_condition: object = ""
    for node in Tree(WEB_FONTS.sub("", source)).nodes:
        if made and made[-1] == "[endif]" and node == open_condition:
            made.pop()
            continue
        if isinstance(node, str) and node.startswith("[if"):
            open_condition = node
        made.append(node)
    return made


def pairs() -> dict[str, tuple[str, str]]:
    material = files("mjml-pairs")
    sources = [name for name in material if name.endswith(".mjml") and name.startswith(FOLDERS)]
    return {name.removesuffix(".mjml"): (material[name].decode(), material[name.removesuffix("mjml") + "html"].decode()) for name in sources}


@pytest.fixture(scope="module")
def renderer() -> Generator[Renderer]:
    with Renderer() as one:
        yield one


def trouble(renderer: Renderer, source: str, wanted: str) -> str:
    """In what our result differs from theirs; empty when it does not."""
    try:
        made = parts(renderer.compile(source))
    except TemplateInvalid as error:
        return f"refused: {error}"
    theirs = parts(wanted)
    place = next((at for at, (one, other) in enumerate(zip(made, theirs, strict=False)) if one != other), min(len(made), len(theirs)))
    return "" if made == theirs else f"{made[place : place + 1]} for {theirs[place : place + 1]}"


def test_letters_come_out_as_from_the_compiler_of_mjml_itself(renderer: Renderer) -> None:
    found = {name: trouble(renderer, *pair) for name, pair in pairs().items()}
    assert len(found) == 158
    assert {name for name, said in found.items() if said} == set(KNOWN), {name: said for name, said in found.items() if said and name not in KNOWN}


def test_a_source_that_must_fail_fails(renderer: Renderer) -> None:
    wrong = [source.decode() for name, source in files("mjml-pairs").items() if name.startswith("compare/error/") and name.endswith(".mjml")]
    assert len(wrong) == 1
    with pytest.raises(TemplateInvalid):
        renderer.compile(wrong[0])
