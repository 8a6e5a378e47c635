"""The door to `catalog`: feeds are added, fetched under the rules of the way out, or uploaded; letters read shelves and what a person's history names."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import ibis

from cegla.catalog.rules import feeds as reading
from cegla.catalog.rules import history as told
from cegla.catalog.store import SQL, Feed
from cegla.reference.crawling import Bounds, NotFetched, fetch, own_host
from cegla.storage.warehouse import Readable, history
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.errors import InvalidInput, NotFound
from cegla.vocabulary.errors.messages import FeedRefused
from cegla.vocabulary.text import Text

Shelves = dict[str, list[dict[str, Any]]]  #: products by what they are for
NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
MOST_ON_SHELF = 200  #: products of a feed that a letter may choose from
HISTORY_DAYS, TOGETHER_DAYS = 90, 365
TYPES = ("text/csv", "text/plain", "application/json", "text/xml", "application/xml", "application/rss+xml", "application/atom+xml", "application/octet-stream")
SOURCES = ("viewed_products", "abandoned_products", "together_products")  #: fields of `person` made here
NAME_WRONG = Text(
    "nazwa: małe litery bez polskich znaków, cyfry i _, zaczyna się literą, i jeszcze wolna",
    "name: small letters, digits and _, a letter first, and still free",
)
INWARD = Text("adres nie prowadzi do otwartego internetu", "the address does not lead to the open internet")
WHY: dict[str, Text] = {
    "too_large": Text("jest za duży", "it is too large"),
    "unknown": Text("to nie CSV, JSON ani XML", "it is no CSV, JSON or XML"),
    "broken": Text("jest uszkodzony", "it is damaged"),
    "declared": Text("XML z DOCTYPE nie jest przyjmowany", "XML with a DOCTYPE is not taken"),
    "empty": Text("nie ma w nim produktów z nazwą", "it holds no product with a title"),
    "host": INWARD,
    "address": INWARD,
    "type": Text("odpowiedź jest innego rodzaju", "the answer is of another kind"),
    "redirect": Text("adres przekierowuje; podaj docelowy", "the address redirects; give the one it leads to"),
}
AWAY = Text("serwer nie odpowiedział jak trzeba", "the server did not answer as it should")


def feeds(conn: Connection) -> list[Feed]:
    """Every feed, by name."""
    return [Feed(*row) for row in SQL.feeds(conn)]


def add(conn: Connection, name: str, address: str, hours: int) -> int:
    """Begin a feed: fetched from an address every so many hours, or uploaded by hand (no address). Raises InvalidInput."""
    number = SQL.add_feed(conn, name=name, address=address.strip(), hours=min(max(hours, 1), 720)) if NAME.fullmatch(name) else None
    if number is None:
        raise InvalidInput(where="name", seen=name, detail=NAME_WRONG)
    return int(number)


def remove(conn: Connection, feed_id: int) -> None:
    """Forget a feed and its products. Raises NotFound."""
    if not SQL.remove_feed(conn, id=feed_id):
        raise _absent(feed_id)


def put(conn: Connection, feed_id: int, raw: bytes, now: datetime) -> Feed:
    """A feed's products from now on: those of this file, told by its content. Raises FeedRefused, NotFound; what was there then stays."""
    try:
        read = reading.read(raw)
    except reading.Unreadable as wrong:
        raise FeedRefused(where="feed", detail=WHY[str(wrong)]) from None
    if not SQL.renew(conn, id=feed_id, format=read.format, products=len(read.products), left_out=read.left_out, now=now):
        raise _absent(feed_id)
    SQL.empty(conn, id=feed_id)
    SQL.fill(conn, id=feed_id, products=json.dumps(read.products))
    return Feed(*SQL.feed(conn, id=feed_id))


def renew(ws: Workspace, feed_id: int, now: datetime, *, private_addresses: bool = False) -> Feed:
    """Fetch a feed from its address; when that fails, what it held stays and the reason is kept. Raises NotFound."""
    with ws.transaction() as conn:
        address = feed(conn, feed_id).address
    try:
        raw, _ = fetch(address, Bounds(hosts=(own_host(address),), private_addresses=private_addresses), reading.MOST_BYTES, TYPES)
        with ws.transaction() as conn:
            return put(conn, feed_id, raw, now)
    except NotFetched as error:
        trouble = WHY.get(error.reason, AWAY)
    except FeedRefused as error:
        detail = error.facts["detail"]
        trouble = detail if isinstance(detail, Text) else AWAY
    with ws.transaction() as conn:
        SQL.failed(conn, id=feed_id, now=now, trouble=f"{trouble.pl}|{trouble.en}")
        return Feed(*SQL.feed(conn, id=feed_id))


def due(conn: Connection, now: datetime) -> list[int]:
    """The feeds that are to be fetched again now, a few at a time; one that failed is tried again after an hour."""
    return [number for (number,) in SQL.due(conn, now=now)]


def feed(conn: Connection, feed_id: int) -> Feed:
    """One feed. Raises NotFound."""
    row = SQL.feed(conn, id=feed_id)
    if row is None:
        raise _absent(feed_id)
    return Feed(*row)


def products(conn: Connection, feed_id: int, word: str = "", after: int = 0, most: int = 100) -> list[tuple[int, dict[str, Any]]]:
    """Products of a feed with their places, in their order, behind the place `after`: those whose title, number or category holds a word."""
    literal = re.sub(r"([%_\\])", r"\\\1", word)
    return list(SQL.page(conn, id=feed_id, after=after, word=word, pattern=f"%{literal}%", most=most))


def shelves(conn: Connection, wanted: Mapping[str, Collection[str]]) -> tuple[dict[str, list[dict[str, Any]]], str]:
    """The products of feeds that can be bought, by the feed's name, and a word that changes whenever one of them does.

    Of each feed the first `MOST_ON_SHELF`, and as many of every category that is asked for (`wanted`: categories by the feed's name).
    """
    found, gone = sorted(SQL.named(conn, names=list(wanted))), list(reading.GONE)
    rows = {
        name: [product for (product,) in SQL.shelf(conn, id=number, most=MOST_ON_SHELF, categories=list(wanted[name]), gone=gone)]
        for name, number, _ in found
    }
    return rows, ",".join(f"{number}.{revision}" for _, number, revision in found)


def products_of(conn: Connection, warehouse: Readable, people: Sequence[int], wanted: Collection[str], now: datetime) -> dict[int, Shelves]:
    """For each person the products their history names, by field (`SOURCES`): only those that some feed knows and has."""
    lines = _lines(warehouse, people, now)
    said = told.told(lines)
    beside = _beside(warehouse, {product for one in said.values() for product in one.bought}, now) if "together_products" in wanted else {}
    ids = {person: (one.viewed, one.abandoned, told.together(one.bought, beside)) for person, one in said.items()}
    every = {product for lists in ids.values() for one in lists for product in one}
    known = {number: product for number, product in SQL.products_of(conn, ids=sorted(every)) if reading.available(product)}
    none: Shelves = {field: [] for field in SOURCES}
    made = {person: {field: _known(known, names) for field, names in zip(SOURCES, lists, strict=True)} for person, lists in ids.items()}
    return {person: made.get(person, none) for person in people}


def _known(known: Mapping[str, dict[str, Any]], ids: Sequence[str]) -> list[dict[str, Any]]:
    return [known[one] for one in ids if one in known]


def _lines(warehouse: Readable, people: Sequence[int], now: datetime) -> list[told.Line]:
    since = now.astimezone(UTC).replace(tzinfo=None) - timedelta(days=HISTORY_DAYS)
    with warehouse.people(people) as asked:
        lines: Any = history("order_lines", asked)
        recent = lines.filter(lines.product_id.notnull() & (lines.occurred_at >= ibis.timestamp(since)))
        wanted = recent.filter(recent.name.isin([told.VIEWED, told.ADDED, told.ORDERED]))
        found = warehouse.run(wanted.group_by("person_id", "name", "product_id").agg(at=wanted.occurred_at.max()))
    return [told.Line(row["person_id"], row["name"], row["product_id"], row["at"]) for row in found.to_pylist()]


def _beside(warehouse: Readable, products: Collection[str], now: datetime) -> dict[str, list[str]]:
    """For each product what was bought in the same orders, the most frequent first."""
    if not products:
        return {}
    since = now.astimezone(UTC).replace(tzinfo=None) - timedelta(days=TOGETHER_DAYS)
    lines: Any = history("order_lines", None)
    bought = lines.filter((lines.name == told.ORDERED) & lines.product_id.notnull() & (lines.occurred_at >= ibis.timestamp(since)))
    own = bought.filter(bought.product_id.isin(sorted(products))).select(event="event_id", own="product_id")
    others = bought.select("event_id", other="product_id")
    pairs: Any = own.inner_join(others, own.event == others.event_id)
    counted = pairs.filter(pairs.own != pairs.other).group_by("own", "other").agg(times=pairs.other.count())
    found: Mapping[str, Any] = warehouse.run(counted.order_by(counted["times"].desc(), "other")).to_pydict()
    made: dict[str, list[str]] = {}
    for one, other in zip(found["own"], found["other"], strict=True):
        if len(made.setdefault(one, [])) < told.MOST:
            made[one].append(other)
    return made


def _absent(feed_id: int) -> NotFound:
    return NotFound(where="feed", seen=feed_id, thing=Text(f"katalog {feed_id}", f"catalog {feed_id}"))
