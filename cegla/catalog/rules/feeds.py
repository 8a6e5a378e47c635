"""A feed of products as it comes: CSV, JSON or Google Merchant XML, told by its content, read within limits into one form of product.

A product is a dictionary with `id` and `title`, and, as far as they are given: link, image, category, brand, availability, price, sale_price (numbers)
and currency. Addresses that are not https or http are left out; a row without a title is left out and counted.
"""

import csv
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from xml.etree import ElementTree

MOST_BYTES = 20_000_000
MOST_PRODUCTS = 100_000
LONGEST_TEXT = 2_000
PIECE, DEEPEST = 65_536, 50  #: of XML: characters read at a time, and elements within one another
FORMATS = ("csv", "json", "xml")

#: Names of columns and elements as shops write them, by ours. Google's come first: https://support.google.com/merchants/answer/7052112
NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "product_id", "sku", "kod", "symbol", "item_id"),
    "title": ("title", "name", "nazwa", "tytul", "product"),
    "link": ("link", "url", "adres", "product_url"),
    "image": ("image_link", "image", "image_url", "zdjecie", "obraz"),
    "category": ("product_type", "category", "kategoria", "google_product_category"),
    "brand": ("brand", "marka", "producent"),
    "availability": ("availability", "dostepnosc", "stock"),
    "price": ("price", "cena"),
    "sale_price": ("sale_price", "cena_promocyjna", "promo_price"),
    "currency": ("currency", "waluta"),
}
_OURS = {name: ours for ours, names in NAMES.items() for name in names}
_AMOUNT = re.compile(r"(\d[\d\s\u00a0.,]*)")
_LATIN_2 = re.compile(rb"""\s*<\?xml\b[^>]{0,200}\bencoding\s*=\s*["'](?:iso-?8859-2|latin-?2)["']""", re.IGNORECASE)
_CODE = re.compile(r"\b([A-Z]{3})\b")
GONE = ("out of stock", "out_of_stock", "outofstock", "niedostępny", "brak", "0", "false", "no", "nie")


class Unreadable(ValueError):
    """Why a feed cannot be read: too_large, unknown, broken, declared (XML with a DOCTYPE) or empty."""


class Feed(NamedTuple):
    """A feed that was read: its format, its products in their order, and how many rows were left out."""

    format: str
    products: list[dict[str, Any]]
    left_out: int


def read(raw: bytes) -> Feed:
    """The products of a feed. Raises Unreadable."""
    if len(raw) > MOST_BYTES:
        raise Unreadable("too_large")
    if b"\0" in raw[:4_096]:
        raise Unreadable("unknown")
    text = _text(raw)
    start = text.lstrip("\ufeff \t\r\n")[:1]
    kind = "xml" if start == "<" else "json" if start in ("{", "[") else "csv"
    rows = {"xml": _xml, "json": _json, "csv": _csv}[kind](text.lstrip("\ufeff"))
    products, left_out = [], 0
    for row in rows:
        made = _product(row)
        if made is None:
            left_out += 1
        else:
            products.append(made)
        if len(products) + left_out > MOST_PRODUCTS:
            raise Unreadable("too_large")
    if not products:
        raise Unreadable("empty")
    return Feed(kind, products, left_out)


def available(product: Mapping[str, Any]) -> bool:
    """Whether a product can be bought, as far as its feed says."""
    return str(product.get("availability", "")).strip().lower() not in GONE


def _text(raw: bytes) -> str:
    """As UTF-8, or in the page of Windows; of XML that is written in ISO-8859-2 and says so, in that: ą, ś and ź stand elsewhere there."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("iso-8859-2" if _LATIN_2.match(raw) else "cp1250", "replace")


def _csv(text: str) -> Iterator[dict[str, Any]]:
    first = text.partition("\n")[0]
    delimiter = max(";\t|,", key=first.count)
    if not first.count(delimiter):
        raise Unreadable("unknown")
    try:
        for row in csv.DictReader(text.splitlines(keepends=True), delimiter=delimiter):
            yield {str(name): value for name, value in row.items() if name is not None and isinstance(value, str)}
    except csv.Error:
        raise Unreadable("broken") from None


def _json(text: str) -> Iterable[dict[str, Any]]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable("broken") from None
    if isinstance(found, dict):
        found = next((value for value in found.values() if isinstance(value, list)), None)
    if not isinstance(found, list):
        raise Unreadable("unknown")
    return [row for row in found if isinstance(row, dict)]


def _xml(text: str) -> Iterator[dict[str, Any]]:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:  # entities could name files or grow without end; no feed needs them
        raise Unreadable("declared")
    parser, depth = ElementTree.XMLPullParser(("start", "end")), 0
    body = re.sub(r"^<\?xml[^>]*\?>", "", text)
    try:
        for start in range(0, len(body), PIECE):
            parser.feed(body[start : start + PIECE])
            if start + PIECE >= len(body):
                parser.close()
            read: Iterable[tuple[str, Any]] = parser.read_events()  # pyright: ignore[reportAssignmentType]
            for event, node in read:
                depth += 1 if event == "start" else -1
                if depth > DEEPEST:
                    raise Unreadable("broken")
                if event == "end" and _local(node.tag) in ("item", "entry", "product", "offer"):
                    yield {_local(child.tag): (child.text or child.get("href") or "").strip() for child in node}
                    node.clear()  # what was read is not kept until the end
    except ElementTree.ParseError:
        raise Unreadable("broken") from None


def _local(tag: object) -> str:
    return str(tag).rpartition("}")[2].lower()


def _product(row: Mapping[str, Any]) -> dict[str, Any] | None:
    given: dict[str, Any] = {}
    for name, value in row.items():
        ours = _OURS.get(str(name).strip().lower().replace(" ", "_").removeprefix("g:"))
        if ours and ours not in given and value not in (None, ""):
            given[ours] = value
    title = _said(given.get("title"))
    if not title:
        return None
    made: dict[str, Any] = {"id": _said(given.get("id")) or title, "title": title}
    made |= {name: said for name in ("category", "brand", "availability") if (said := _said(given.get(name)))}
    made |= {
        name: said for name in ("link", "image") if (said := _said(given.get(name))).lower().startswith(("https://", "http://")) and not set(said) & set(' "<>')
    }
    for name in ("price", "sale_price"):
        amount = _amount(given.get(name))
        if amount is not None:
            made[name] = amount
    code = _CODE.search(str(given.get("currency") or given.get("price") or ""))
    return made | ({"currency": code.group(1)} if code else {})


def _said(value: Any) -> str:
    """A value as text, without what no database keeps: zero bytes and halves of characters."""
    if not isinstance(value, (str, int, float)):
        return ""
    whole = str(value).replace("\0", "").encode("utf-8", "ignore").decode("utf-8")
    return " ".join(whole.split())[:LONGEST_TEXT]


def _amount(value: Any) -> float | None:
    """12.5, "12,50 zł", "1 234.50 PLN", "1.234,50": the last sign of two decides what is the decimal one. None for what is no amount, such as 1e999."""
    try:
        amount = float(value) if isinstance(value, (int, float)) else _written(str(value or ""))
    except (ValueError, OverflowError):
        return None
    return amount if amount is not None and math.isfinite(amount) else None


def _written(text: str) -> float | None:
    found = _AMOUNT.search(text)
    if not found:
        return None
    digits = re.sub(r"[\s\u00a0]", "", found.group(1)).rstrip(".,")
    comma, dot = digits.rfind(","), digits.rfind(".")
    if comma >= 0 and dot >= 0:
        digits = digits.replace("." if comma > dot else ",", "")
    return float(digits.replace(",", "."))
