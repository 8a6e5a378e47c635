"""Catalogs: feeds as shops write them, what they may not hold, how fresh they are, and the products that a person's history names."""

import json
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cegla.catalog import actions as catalog
from cegla.catalog.rules import feeds, history
from cegla.catalog.rules.history import Line
from cegla.collect import actions as collect
from cegla.flow import Intake
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.errors import InvalidInput
from cegla.vocabulary.errors.messages import FeedRefused

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
CSV = 'kod;nazwa;cena;adres;zdjecie;kategoria\n1;Kubek „Świt”;"39,90 zł";https://sklep.pl/1;https://sklep.pl/1.jpg;Kuchnia\n2;;10;x;y;z\n3;Deska;1 249,00;javascript:alert(1);;\n'
MERCHANT = """<?xml version="1.0"?><rss xmlns:g="http://base.google.com/ns/1.0"><channel>
<item><g:id>1</g:id><title>Kubek</title><link>https://sklep.pl/1</link><g:price>39.90 PLN</g:price><g:sale_price>29.90 PLN</g:sale_price><g:availability>in stock</g:availability></item>
<item><g:id>2</g:id><title>Deska</title><g:price>99.00 PLN</g:price><g:availability>out of stock</g:availability></item></channel></rss>"""
JSON = json.dumps({"products": [{"id": 1, "name": "Kubek", "price": 39.9, "url": "https://sklep.pl/1"}]})


@pytest.mark.parametrize(("raw", "kind", "price"), [(CSV, "csv", 39.9), (MERCHANT, "xml", 39.9), (JSON, "json", 39.9)], ids=["csv", "xml", "json"])
def test_a_feed_is_told_by_its_content(raw: str, kind: str, price: float) -> None:
    read = feeds.read(raw.encode())
    assert (read.format, read.products[0]["id"], read.products[0]["price"], read.products[0]["link"]) == (kind, "1", price, "https://sklep.pl/1")


def test_rows_without_a_title_are_counted_and_addresses_that_are_none_left_out() -> None:
    read = feeds.read(CSV.encode("cp1250", "replace"))
    assert (read.left_out, [product["id"] for product in read.products], "link" in read.products[1], read.products[1]["price"]) == (1, ["1", "3"], False, 1249.0)


@pytest.mark.parametrize("encoding", ["utf-8", "ISO-8859-2", "windows-1250"])
def test_polish_letters_of_an_older_xml_are_those_it_was_written_with(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><rss><channel><item><id>1</id><title>Zażółć gęślą jaźń, Świąteczna ŚĄŹ</title></item></channel></rss>'
    assert feeds.read(text.encode(encoding)).products[0]["title"] == "Zażółć gęślą jaźń, Świąteczna ŚĄŹ"


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><rss><item><title>&a;</title></item></rss>'
WRONG = {"declared": BOMB, "empty": "id;title\n1;\n", "broken": "<rss><item>", "unknown": "just words", "too_large": "x" * (feeds.MOST_BYTES + 1)}


@pytest.mark.parametrize("why", WRONG)
def test_what_is_no_feed_is_refused_with_its_reason(why: str) -> None:
    with pytest.raises(feeds.Unreadable, match=why):
        feeds.read(WRONG[why].encode())


@given(st.binary(max_size=200), st.sampled_from((b"", b"<", b"{", b"[", b"id;title\n")))
def test_no_file_breaks_the_reader_of_feeds(raw: bytes, head: bytes) -> None:
    try:
        feeds.read(head + raw)
    except feeds.Unreadable as wrong:
        assert str(wrong) in catalog.WHY


@pytest.mark.parametrize(("amount", "value"), [("12,50 zł", 12.5), ("1 234.50 PLN", 1234.5), ("1.234,50", 1234.5), ("1,234.50", 1234.5), ("za darmo", None), (7, 7.0)], ids=str)
def test_prices_are_read_as_they_are_written(amount: object, value: float | None) -> None:
    read = feeds.read(json.dumps([{"id": "1", "title": "x", "price": amount}]).encode())
    assert read.products[0].get("price") == value


HOSTILE = b'[{"title": "a\\u0000b\\ud800", "price": 1e999}, {"title": "c", "price": NaN, "stock": 0}, {"title": "d", "price": 1' + b"0" * 400 + b"}]"


def test_a_feed_of_elements_within_one_another_is_not_followed_down() -> None:
    for deep in ("<item><title>x</title>" * 60 + "</item>" * 60, "<a>" * 100_000):
        with pytest.raises(feeds.Unreadable, match="broken"):
            feeds.read(deep.encode())


def test_a_letter_finds_the_products_of_its_category_however_far_down_they_stand(workspace: Workspace) -> None:
    rows = [{"id": str(number), "title": f"Kubek {number}", "category": "Kubki", "availability": "out of stock" if number < 250 else "in stock"} for number in range(500)]
    with workspace.transaction() as conn:
        number = catalog.add(conn, "main", "", 24)
        catalog.put(conn, number, json.dumps([*rows, {"id": "d1", "title": "Deska 100%", "category": "Deski"}]).encode(), NOW)
        plain, named = (catalog.shelves(conn, {"main": categories})[0]["main"] for categories in ((), ("Deski", "Nic takiego")))
        assert [one["id"] for one in plain] == [str(number) for number in range(250, 450)]
        assert [one["id"] for one in named] == [*(str(number) for number in range(250, 450)), "d1"]
        found = catalog.products(conn, number, "", 0, 300)
        assert [place for place, _ in found] == list(range(1, 301)) and catalog.products(conn, number, "", 300, 300)[0][0] == 301
        assert [one["id"] for _, one in catalog.products(conn, number, "100%")] == ["d1"] and not catalog.products(conn, number, "1%0")


def test_a_feed_that_no_database_could_keep_is_kept_without_what_it_could_not(workspace: Workspace) -> None:
    with workspace.transaction() as conn:
        number = catalog.add(conn, "hostile", "", 24)
        assert catalog.put(conn, number, HOSTILE, NOW).products == 3
        assert catalog.shelves(conn, {"hostile": ()})[0]["hostile"] == [{"id": title, "title": title} for title in ("ab", "d")]


def test_a_cart_is_abandoned_until_the_next_order() -> None:
    at = [NOW + timedelta(minutes=minute) for minute in range(6)]
    lines = [Line(1, history.VIEWED, "a", at[0]), Line(1, history.ADDED, "a", at[1]), Line(1, history.ORDERED, "a", at[2]), Line(1, history.ADDED, "b", at[3]), Line(1, history.VIEWED, "c", at[4])]
    assert history.told(lines)[1] == history.Told(["c", "a"], ["b"], ["a"])
    assert history.together(["a"], {"a": ["a", "x", "y"], "b": ["z"]}) == ["x", "y"]


class Shop(BaseHTTPRequestHandler):
    """Serves a feed, and sends strangers elsewhere."""

    def do_GET(self) -> None:
        self.send_response(302 if self.path == "/moved" else 200)
        self.send_header("content-type", "text/html" if self.path == "/page" else "text/csv")
        self.send_header("location", "/feed")
        self.end_headers()
        self.wfile.write(CSV.encode() if self.path in ("/feed?key=1", "/page") else b"id;title\n")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def shop() -> Generator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_feed_is_fetched_kept_when_it_fails_and_asked_again_in_time(workspace: Workspace, shop: str) -> None:
    with workspace.transaction() as conn:
        number = catalog.add(conn, "main", f"{shop}/feed?key=1", 6)
        assert catalog.due(conn, NOW) == [number]
    assert catalog.renew(workspace, number, NOW).trouble  # this machine is not the open internet
    assert catalog.renew(workspace, number, NOW, private_addresses=True).products == 2
    with workspace.transaction() as conn:
        assert [product["title"] for product in catalog.shelves(conn, {"main": (), "other": ()})[0]["main"]] == ["Kubek „Świt”", "Deska"]
        assert (catalog.due(conn, NOW + timedelta(hours=5)), catalog.due(conn, NOW + timedelta(hours=6))) == ([], [number])
        moved = [catalog.add(conn, name, f"{shop}/{name}", 6) for name in ("moved", "page", "empty")]
        for name in ("main", "Zły", "x-y", ""):
            with pytest.raises(InvalidInput):
                catalog.add(conn, name, "", 1)
    for one in moved:
        assert catalog.renew(workspace, one, NOW, private_addresses=True).trouble
    with workspace.transaction() as conn, pytest.raises(FeedRefused):
        catalog.put(conn, number, b"<html>", NOW)


def event(user: str, kind: str, minute: int, **properties: object) -> dict[str, object]:
    at = NOW - timedelta(hours=2) + timedelta(minutes=minute)
    return {"type": "track", "event": kind, "userId": user, "messageId": f"{user}{kind}{minute}", "timestamp": at.isoformat(), "properties": properties}


def test_the_history_of_a_person_names_products_that_a_feed_has(workspace: Workspace) -> None:
    cup, board, candle = ({"product_id": number, "name": number, "price": 10} for number in ("cup", "board", "candle"))
    batch = [
        event("jan", "Order Completed", 1, order_id="1", total=20, currency="PLN", products=[cup, candle]),
        event("anna", "Product Viewed", 2, **cup), event("anna", "Product Added", 3, **board),
        event("ewa", "Order Completed", 4, order_id="2", total=10, currency="PLN", products=[cup]),
    ]  # fmt: skip
    with workspace.transaction() as conn:
        source, _ = collect.add_source(conn, "s", "server", Basis.CONTRACT, NOW)
        collect.write_down(conn, source.id, [json.dumps({"batch": batch}).encode()], NOW)
        number = catalog.add(conn, "main", "", 6)
        catalog.put(conn, number, json.dumps([{"id": one, "title": one.title()} for one in ("cup", "board", "candle")]).encode(), NOW)
    Intake(workspace).drain()
    with workspace.transaction() as conn:
        people = [person for (person,) in conn.execute("select distinct person_id from resolve.identities order by 1").fetchall()]
        found = catalog.products_of(conn, workspace.warehouse, people, catalog.SOURCES, NOW)
    named = {tuple((field, product["id"]) for field, products in own.items() for product in products) for own in found.values()}
    assert {(("viewed_products", "cup"), ("abandoned_products", "board")), (("together_products", "candle"),)} <= named
