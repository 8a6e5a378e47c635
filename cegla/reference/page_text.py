"""What a page of the shop says of itself, out of its HTML: title, description, section, tags, breadcrumbs, and where its links lead.

The same facts as the script of the page sends (onsite/page.js). The HTML is foreign: nothing of it is run, and what is broken is not there.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

LONGEST = 300
MOST_LINKS, MOST_NODES, MOST_TOPICS = 1_000, 60, 20
_ASIDE = ("Person", "Organization", "WebSite", "SearchAction", "ImageObject", "PostalAddress", "ListItem", "ReadAction", "Store")


@dataclass(frozen=True)
class PageText:
    """A page: what it is filed under, what it is called, its links as written, and what it allows robots."""

    heavy: str
    light: str
    links: tuple[str, ...]
    may_index: bool
    may_follow: bool


def read_html(html: str) -> PageText:
    """The facts of a page; whatever it is, there is an answer."""
    reader = _Reader()
    try:
        reader.feed(html)
        reader.close()
    except (AssertionError, ValueError):  # html.parser gives up on some broken declarations; what was read so far stands
        pass
    about, crumbs = _schema(reader.blocks)
    meta = reader.meta
    topics = [*meta.get("keywords", "").split(","), *reader.tags, *_texts(about.get("keywords")), *_texts(about.get("about"))]
    heavy = [meta.get("article:section") or _first(about.get("articleSection")), " ".join(crumbs), _first(about.get("category")),
        ", ".join(dict.fromkeys(topic.strip() for topic in topics if topic.strip()))]  # fmt: skip
    title = meta.get("og:title") or _first(about.get("headline")) or " ".join(reader.title.split()) or reader.heading
    light = [title, meta.get("description") or meta.get("og:description", "")]
    robots = meta.get("robots", "").lower()
    return PageText(
        _joined(heavy), _joined(light), tuple(dict.fromkeys(reader.links))[:MOST_LINKS], "noindex" not in robots and "none" not in robots,
        "nofollow" not in robots and "none" not in robots,
    )  # fmt: skip


class _Reader(HTMLParser):
    """Collects title, meta, the first heading, links and JSON-LD blocks."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title, self.heading, self.meta, self.tags = "", "", dict[str, str](), list[str]()
        self.links, self.blocks = list[str](), list[str]()
        self._within = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "meta":
            name = (given.get("name") or given.get("property", "")).lower()
            if name.endswith(":tag"):
                self.tags.append(given.get("content", "")[:LONGEST])
            elif name:
                self.meta.setdefault(name, given.get("content", "")[:LONGEST])
        elif tag == "a" and given.get("href") and "nofollow" not in given.get("rel", "") and len(self.links) < 4 * MOST_LINKS:
            self.links.append(given["href"])
        elif tag == "script":
            self._within = "schema" if given.get("type", "").lower() == "application/ld+json" else ""
            if self._within:
                self.blocks.append("")
        elif tag in ("title", "h1"):
            self._within = tag

    def handle_endtag(self, tag: str) -> None:
        if tag in ("title", "h1", "script"):
            self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within == "title" and len(self.title) < LONGEST:
            self.title += data
        elif self._within == "h1" and len(self.heading) < LONGEST:
            self.heading += data
        elif self._within == "schema" and len(self.blocks[-1]) < 100_000:
            self.blocks[-1] += data


def _schema(blocks: list[str]) -> tuple[dict[str, Any], list[str]]:
    """The node that says what the page is about, and the names of its breadcrumbs."""
    nodes = list(_nodes(blocks))
    crumbs = next((node for node in nodes if _kind(node) == "BreadcrumbList"), {})
    names = [_first(item.get("name") or item.get("item")) for item in _listed(crumbs.get("itemListElement")) if isinstance(item, dict)]
    about = next((node for node in nodes if _kind(node) and _kind(node) not in (*_ASIDE, "BreadcrumbList") and "Business" not in _kind(node)), {})
    return about, [name for name in names if name]


def _nodes(blocks: list[str]) -> Iterator[dict[str, Any]]:
    left = MOST_NODES
    for block in blocks:
        try:
            found = json.loads(block)
        except (ValueError, RecursionError):
            continue
        for one in _listed(found):
            for node in _listed(one.get("@graph", one)) if isinstance(one, dict) else ():
                if isinstance(node, dict) and left > 0:
                    left -= 1
                    yield node


def _kind(node: dict[str, Any]) -> str:
    return str(next(iter(_listed(node.get("@type"))), "")).rsplit("/", 1)[-1]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _texts(value: Any) -> list[str]:
    return [text for one in _listed(value)[:MOST_TOPICS] if (text := _first(one))]


def _first(value: Any) -> str:
    one = next(iter(_listed(value)), "")
    if isinstance(one, dict):
        one = one.get("name", "")
    return " ".join(str(one).split())[:LONGEST] if isinstance(one, (str, int, float)) else ""


def _joined(parts: list[str]) -> str:
    return " · ".join(part[:LONGEST] for part in parts if part)
