"""The plain-text part of a letter, made from its blocks: what the HTML says, in the same order, for the same people."""

from collections.abc import Callable, Mapping

from cegla.compose.rules import conditions, markup
from cegla.compose.rules.document import Block, Document
from cegla.compose.rules.drawing import DEEPEST_SNIPPET, MOST_PRODUCTS, Snippets, chosen, number
from cegla.compose.rules.kinds import COLUMN_COUNT, NETWORKS

RULER = "-" * 40


def text(document: Document, snippets: Snippets) -> str | None:
    """The plain text; None for a letter of the author's own MJML, whose text is made from its HTML."""
    if document.text is not None:
        return document.text
    if document.source is not None:
        return None
    parts = [said(block, snippets) for block in document.blocks]
    return "\n\n".join(part for part in parts if part.strip()).strip() + "\n"


def said(block: Block, snippets: Snippets, depth: int = 0) -> str:
    """What a block says, within the conditions that say who reads it."""
    if block.kind == "snippet":
        found = snippets.get(block.fields.get("snippet", ""))
        inner = "\n\n".join(filter(None, (said(one, snippets, depth + 1) for one in found.blocks))) if found and depth < DEEPEST_SNIPPET else ""
    else:
        inner = SAID[block.kind](block.fields) if block.kind in SAID else ""
    return f"{conditions.opening(block.shown)}{inner}{conditions.closing(block.shown)}" if inner else ""


def _heading(fields: Mapping[str, str]) -> str:
    line = markup.plain(fields.get("text", ""))
    return f"{line}\n{'=' * 40 if fields.get('level') == '1' else RULER}" if line else ""


def _link(label: str, address: str) -> str:
    return f"{label}: {markup.safe_address(address)}" if label and address else label


def _columns(fields: Mapping[str, str]) -> str:
    made: list[str] = []
    for place in range(1, COLUMN_COUNT + 1):
        own = {name: fields.get(f"{name}_{place}", "") for name in ("title", "text", "label", "address")}
        made.append("\n".join(filter(None, (markup.plain(own["title"]), markup.plain(own["text"]), _link(own["label"], own["address"])))))
    return "\n\n".join(filter(None, made))


def _footer(fields: Mapping[str, str]) -> str:
    ways = f"{fields.get('choose', '')}: {{{{ preferences_url }}}}\n{fields.get('leave', '')}: {{{{ unsubscribe_url }}}}"
    return "\n".join(filter(None, (RULER, markup.plain(fields.get("why", "")), ways, fields.get("company", ""), fields.get("postal", ""))))


def _products(fields: Mapping[str, str]) -> str:
    count = number(fields.get("count", ""), 3, MOST_PRODUCTS)
    title = f"{fields['title']}\n" if fields.get("title") else ""
    sale = "{% if product.sale_price %}, {{ product.sale_price | money: product.currency }}"
    price = f"{sale}{{% elsif product.price %}}, {{{{ product.price | money: product.currency }}}}{{% endif %}}"
    row = f"- {{{{ product.title }}}}{price}\n  {{{{ product.link }}}}\n"
    return f"{chosen(fields)}{{% if chosen.size > 0 %}}{title}{{% for product in chosen limit: {count} %}}{row}{{% endfor %}}{{% endif %}}"


def _social(fields: Mapping[str, str]) -> str:
    return "\n".join(_link(network, fields.get(network.lower(), "")) for network in NETWORKS if fields.get(network.lower()))


SAID: dict[str, Callable[[Mapping[str, str]], str]] = {
    "heading": _heading,
    "text": lambda fields: markup.plain(fields.get("text", "")),
    "image": lambda fields: _link(fields.get("alt", ""), fields.get("address", "")),
    "button": lambda fields: _link(fields.get("label", ""), fields.get("address", "")),
    "columns": _columns,
    "divider": lambda fields: RULER,
    "social": _social,
    "products": _products,
    "footer": _footer,
}
