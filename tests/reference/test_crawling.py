"""The crawler against a real server: what it reads, how it behaves, and where it will not go."""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cegla.reference import crawling
from cegla.reference.crawling import AGENT, Bounds, NotFetched, crawl, fetch, is_public
from cegla.reference.page_text import read_html
from cegla.reference.site import keep_site, read_site, site_pages, site_state
from cegla.storage.settings import Settings
from cegla.worker.loops import SITE_AGAIN_SECONDS, SITE_SECONDS, Loops

Answer = tuple[int, dict[str, str], bytes]
HTML = {"Content-Type": "text/html; charset=utf-8"}
SCHEMA = '<script type="application/ld+json">{"@type": "Article", "headline": "Mycie noży", "articleSection": "Kuchnia", "keywords": ["noże", "ostrzenie"]}</script>'


def page(*links: str, head: str = "") -> Answer:
    return 200, HTML, f"<html><head><title>Strona</title>{head}</head><body>{''.join(f'<a href={link}>x</a>' for link in links)}</body></html>".encode()


@contextmanager
def site(pages: dict[str, Answer]) -> Generator[tuple[str, list[tuple[str, str]]]]:
    """A server of these pages; yields its address and the (path, user agent) of what was asked."""
    asked: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers["User-Agent"]))
            status, headers, body = pages.get(self.path, (404, HTML, b""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def bounds(origin: str, most: int = 50) -> Bounds:
    return Bounds((origin.removeprefix("http://"),), 1_000.0, most, private_addresses=True)


def paths(origin: str, **more: int) -> dict[str, str]:
    """path → reason ("" for what was read) of a crawl from the front page."""
    return {one.path: one.reason for one in crawl(f"{origin}/", bounds(origin, **more), lambda _: None)}


def test_a_site_is_followed_and_says_what_its_pages_are_about() -> None:
    with site({"/": page("/noze"), "/noze": page(head=SCHEMA)}) as (origin, asked):
        found = {one.path: one.page for one in crawl(f"{origin}/", bounds(origin), lambda _: None)}
    assert found["/noze"] is not None
    assert (found["/noze"].heavy, found["/noze"].light) == ("Kuchnia · noże, ostrzenie", "Mycie noży")
    assert {agent for _, agent in asked} == {AGENT}


def test_robots_txt_is_asked_first_and_obeyed() -> None:
    robots = (200, {"Content-Type": "text/plain"}, b"User-agent: *\nDisallow: /tajne\n")
    with site({"/robots.txt": robots, "/": page("/tajne/a", "/jawne"), "/jawne": page(), "/tajne/a": page()}) as (origin, asked):
        assert paths(origin) == {"/": "", "/tajne/a": "robots", "/jawne": ""}
    assert asked[0][0] == "/robots.txt"
    assert "/tajne/a" not in [path for path, _ in asked]


def test_when_robots_txt_cannot_be_had_nothing_is_fetched() -> None:
    with site({"/robots.txt": (503, {}, b""), "/": page()}) as (origin, _):
        assert paths(origin) == {"/": "robots"}


def test_pages_may_say_no_themselves_and_private_ones_are_never_asked_for() -> None:
    pages = {"/": page("/a", "/koszyk", "/konto/zamowienia"), "/a": page("/b", head='<meta name="robots" content="noindex, nofollow">'), "/b": page()}
    with site(pages) as (origin, asked):
        assert paths(origin) == {"/": "", "/a": "robots", "/koszyk": "robots", "/konto/zamowienia": "robots"}
    assert not {"/b", "/koszyk", "/konto/zamowienia"} & {path for path, _ in asked}


def test_it_stays_on_its_host_and_follows_no_query_and_no_file() -> None:
    with site({"/": page("http://example.org/x", "//example.org/y", "/a?sort=1", "/b.pdf", "javascript:alert(1)", "mailto:a@b.pl", "/ok"), "/ok": page()}) as (origin, _):
        assert paths(origin) == {"/": "", "/ok": ""}


def test_a_link_that_is_none_stops_nothing() -> None:
    broken = (302, {"Location": "http://[kaputt"}, b"")
    sitemap = (200, {"Content-Type": "text/xml"}, b"<loc>https://[kaputt.xml</loc><loc>http://[kaputt</loc>")
    pages = {"/sitemap.xml": sitemap, "/": page("http://[kaputt", "//[x", "http://a:b/", "/dalej", "/kaputt"), "/dalej": page(), "/kaputt": broken}
    with site(pages) as (origin, _):
        assert paths(origin) == {"/": "", "/dalej": "", "/kaputt": "unreachable"}


@pytest.mark.parametrize("trickle", ["headers", "body"])
def test_an_answer_that_trickles_is_cut_off(trickle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crawling, "PAGE_SECONDS", 0.3)
    is_over = threading.Event()

    def serve(listener: socket.socket) -> None:
        line, _ = listener.accept()
        with line, suppress(OSError):
            line.sendall(b"HTTP/1.1 200 OK\r\nX: " if trickle == "headers" else b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
            while not is_over.wait(0.02):
                line.sendall(b"a")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=(listener,), daemon=True)
        server.start()
        origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(NotFetched, match="slow"):
            fetch(f"{origin}/", bounds(origin))
        is_over.set()
        server.join(60)


def test_a_redirect_is_a_link_like_any_other() -> None:
    pages = {"/": page("/stare", "/obce"), "/stare": (301, {"Location": "/nowe"}, b""), "/obce": (302, {"Location": "http://169.254.169.254/latest"}, b""), "/nowe": page()}
    with site(pages) as (origin, _):
        assert paths(origin) == {"/": "", "/stare": "redirect", "/obce": "redirect", "/nowe": ""}


def test_what_is_no_page_or_too_large_or_packed_is_left() -> None:
    pages = {
        "/": page("/obraz", "/duze", "/bomba"), "/obraz": (200, {"Content-Type": "image/png"}, b"x"), "/duze": (200, HTML, b"x" * (crawling.LARGEST_BYTES + 1)),
        "/bomba": (200, HTML | {"Content-Encoding": "gzip"}, b"x"),
    }  # fmt: skip
    with site(pages) as (origin, _):
        assert paths(origin) == {"/": "", "/obraz": "type", "/duze": "size", "/bomba": "type"}


def test_no_more_pages_than_were_asked_for() -> None:
    with site({"/": page(*(f"/{number}" for number in range(20))), **{f"/{number}": page() for number in range(20)}}) as (origin, _):
        assert len(paths(origin, most=5)) == 5


def test_sitemaps_lead_to_pages_nobody_links_to() -> None:
    with site({"/": page(), "/x": page()}) as (origin, _):
        pass
    pages: dict[str, Answer] = {"/": page(), "/ukryta": page()}
    with site(pages) as (origin, _):
        pages["/sitemap.xml"] = (200, {"Content-Type": "application/xml"}, f"<urlset><url><loc>{origin}/ukryta</loc></url><url><loc>http://evil.test/x</loc></url></urlset>".encode())
        assert paths(origin) == {"/": "", "/ukryta": ""}


def test_the_pace_is_kept_and_robots_may_slow_it_down() -> None:
    slept: list[float] = []
    robots = (200, {"Content-Type": "text/plain"}, b"User-agent: *\nCrawl-delay: 7\n")
    with site({"/robots.txt": robots, "/": page("/a"), "/a": page()}) as (origin, _):
        list(crawl(f"{origin}/", Bounds(bounds(origin).hosts, 2.0, 10, True), slept.append, lambda: 0.0))
    assert slept == [7.0, 7.0, 7.0]  # before the sitemap and both pages; robots.txt itself went first


# where it will not go ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["http://example.org/", "ftp://sklep.pl/", "file:///etc/passwd", "http://sklep.pl:8080/", "http://user:pass@sklep.pl/", "http://sklep.pl.evil.test/"])
def test_only_hosts_on_the_list_are_fetched(url: str) -> None:
    with pytest.raises(NotFetched, match="host"):
        fetch(url, Bounds(("sklep.pl",)))


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.5.5", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1",
        "64:ff9b::7f00:1", "2002:7f00:1::", "64:ff9b:1::7f00:1", "::7f00:1", "::", "nonsense"],
)  # fmt: skip
def test_an_address_that_is_not_public_is_refused_in_every_disguise(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_public(address)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", ("93.184.215.14", 80)), (0, 0, 0, "", (address, 80))])
    with pytest.raises(NotFetched, match="address"):
        fetch("http://sklep.pl/", Bounds(("sklep.pl",)))


def test_public_addresses_are_public() -> None:
    assert is_public("93.184.215.14")
    assert is_public("2606:2800:21f:cb07:6820:80da:af6b:8b2c")


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that points elsewhere at the second look is not looked up a second time."""
    went: list[str] = []
    looks = iter([[(0, 0, 0, "", ("93.184.215.14", 80))], [(0, 0, 0, "", ("127.0.0.1", 80))]])
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: next(looks))

    def connect(target: tuple[str, int], *_: object) -> socket.socket:
        went.append(target[0])
        raise OSError

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(NotFetched, match="unreachable"):
        fetch("http://sklep.pl/", Bounds(("sklep.pl",)))
    assert went == ["93.184.215.14"]


# what pages say ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("html", ["", "<", "<html", "<script type=application/ld+json>{</script>", "<!DOCTYPE [", "<a href='", "\0" * 50, "[" * 5_000,
    f"<script type='application/ld+json'>{'[' * 50_000}</script>"])  # fmt: skip
def test_broken_html_is_a_page_that_says_nothing(html: str) -> None:
    assert read_html(html).heavy == ""


def test_breadcrumbs_and_tags_are_what_a_page_is_filed_under() -> None:
    crumbs = '<script type="application/ld+json">{"@type": "BreadcrumbList", "itemListElement": [{"name": "Dom"}, {"item": {"name": "Noże"}}]}</script>'
    found = read_html(f'<meta property="article:section" content="Poradniki"><meta property="article:tag" content="stal">{crumbs}<h1>Jak ostrzyć</h1>')
    assert (found.heavy, found.light) == ("Poradniki · Dom Noże · stal", "Jak ostrzyć")


def test_pages_are_kept_until_others_take_their_place(tmp_path: Path) -> None:
    assert site_pages(tmp_path) == {}
    keep_site(tmp_path, {"/noże": ("Kuchnia", "Noże")}, datetime(2026, 11, 20, tzinfo=UTC))
    assert site_pages(tmp_path) == {"/noże": ["Kuchnia", "Noże"]}
    assert site_state(tmp_path).pages == 1
    keep_site(tmp_path, {}, datetime(2026, 11, 21, tzinfo=UTC))
    assert site_pages(tmp_path) == {}


def test_the_reading_of_a_site_stops_when_it_is_over() -> None:
    with site({"/": page("/a", "/b"), "/a": page(), "/b": page()}) as (origin, _):
        found = read_site(f"{origin}/", bounds(origin), lambda _: None, lambda: True)
    assert (found.ended, len(found.pages) + sum(found.left.values())) == (False, 1)


def test_a_running_installation_reads_its_site_when_that_is_due_and_not_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loops: Any = object.__new__(Loops)
    loops._ending = threading.Event()
    monkeypatch.setattr("cegla.worker.loops.Bounds", lambda hosts, pace, most: Bounds(hosts, 1_000.0, most, private_addresses=True))
    with site({"/": page()}) as (origin, asked):
        settings = Settings.model_validate({"data_dir": tmp_path, "site": {"hosts": [origin.removeprefix("http://")], "start": f"{origin}/"}})
        loops.ws = SimpleNamespace(settings=settings, clock=lambda: datetime(2026, 11, 20, tzinfo=UTC))
        assert loops._read_site() == SITE_SECONDS
        assert site_state(tmp_path / "site").pages == 1
        times = len(asked)
        loops._read_site()
        assert len(asked) == times, "what is known is not old yet"
        loops.ws = SimpleNamespace(settings=settings, clock=lambda: datetime(2026, 11, 28, tzinfo=UTC))
        loops._read_site()
        assert len(asked) > times


def test_a_site_that_is_not_on_the_list_is_not_read_by_itself(tmp_path: Path) -> None:
    loops: Any = object.__new__(Loops)
    loops._ending = threading.Event()
    loops.ws = SimpleNamespace(settings=Settings.model_validate({"data_dir": tmp_path, "site": {"start": "https://inny.pl/"}}), clock=lambda: datetime(2026, 11, 20, tzinfo=UTC))
    assert loops._read_site() == SITE_AGAIN_SECONDS
    assert site_state(tmp_path / "site").pages == 0
