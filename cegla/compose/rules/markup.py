"""The light markup of text blocks, as HTML and as plain text: paragraphs, **bold**, *slanted*, [a link](address), lines that begin with "- ".

Liquid tags go through untouched; everything else an author types is shown as typed, so no HTML is ever taken from a form.
"""

import re
from collections.abc import Callable
from html import escape

#: One tag. Nothing in it begins another one, and nothing is tried twice: letters are read here by the console itself, however hostile they are.
TAG = r"(?>\{\{(?:(?!\{\{|\}\}).)*+\}\}|\{%(?:(?!\{%|%\}).)*+%\})"
LIQUID = re.compile(TAG, re.DOTALL)
ALLOWED_ADDRESS = re.compile(r"(?:https?://|mailto:|tel:|\{\{)[^\s<>\"]*", re.IGNORECASE)
_LINK = re.compile(r"\[([^\[\]\n]+)\]\(([^()\s]+|\{\{[^{}]+\}\})\)")
_BOLD, _SLANTED = re.compile(r"\*\*(.+?)\*\*"), re.compile(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])")
_HOLD = re.compile("\x02(\\d+)\x03")


def escaped(text: str) -> str:
    """Text for HTML, Liquid tags as they are."""
    made, at = [], 0
    for tag in LIQUID.finditer(text):
        made += [escape(text[at : tag.start()]), tag.group(0)]
        at = tag.end()
    return "".join([*made, escape(text[at:])])


def safe_address(address: str) -> str:
    """An address that may stand in a link; anything but https, http, mailto, tel and a field of the data is no address at all."""
    clean = address.strip()
    return clean if ALLOWED_ADDRESS.match(clean) else "#"


def html(text: str, link_color: str) -> str:
    """The markup as HTML paragraphs and lists."""
    return _apart(text, lambda calm: "".join(_block(part, link_color) for part in re.split(r"\n\s*\n", calm) if part.strip()))


def inline(text: str, link_color: str) -> str:
    """One line of markup as HTML, without a paragraph around it."""
    return _apart(text, lambda calm: _inline(calm, link_color))


def plain(text: str) -> str:
    """The markup as plain text: addresses behind their links, no stars."""

    def shown(calm: str) -> str:
        linked = _LINK.sub(lambda found: f"{found.group(1)} ({found.group(2)})", calm)
        return _SLANTED.sub(r"\1", _BOLD.sub(r"\1", linked))

    return _apart(text.strip(), shown)


def _apart(text: str, work: Callable[[str], str]) -> str:
    """Do the work on a text whose Liquid tags are held apart, and put them back."""
    tags: list[str] = []

    def hold(found: re.Match[str]) -> str:
        tags.append(found.group(0))
        return f"\x02{len(tags) - 1}\x03"

    calm = LIQUID.sub(hold, text.replace("\x02", "").replace("\x03", "").replace("\r\n", "\n"))
    return _HOLD.sub(lambda found: tags[int(found.group(1))], work(calm))


def _block(part: str, link_color: str) -> str:
    lines = [line.strip() for line in part.strip().split("\n")]
    if all(line.startswith("- ") for line in lines):
        items = "".join(f"<li>{_inline(line[2:], link_color)}</li>" for line in lines)
        return f'<ul style="margin:0 0 14px;padding-left:22px">{items}</ul>'
    return f'<p style="margin:0 0 14px">{"<br/>".join(_inline(line, link_color) for line in lines)}</p>'


def _inline(line: str, link_color: str) -> str:
    def linked(found: re.Match[str]) -> str:
        target = found.group(2)
        target = target if _HOLD.fullmatch(target) else safe_address(target)
        return f'<a href="{target}" style="color:{link_color}">{found.group(1)}</a>'

    return _LINK.sub(linked, _SLANTED.sub(r"<em>\1</em>", _BOLD.sub(r"<strong>\1</strong>", escape(line))))
