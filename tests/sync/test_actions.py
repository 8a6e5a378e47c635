"""Others who keep segments: told of whom the gate allows, in order, until it is taken; and sent to nowhere they may not."""

import json
import threading
from collections.abc import Mapping, Sequence
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from cegla.flow import as_of, settled
from cegla.reference.crawling import Bounds, NotFetched
from cegla.reference.outgoing import Answered, post
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage.keys import Keys
from cegla.storage.workspace import Connection
from cegla.sync import actions as sync
from cegla.sync.rules import letters
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.errors.messages import ReceiverAddress
from tests.activate.conftest import Shop

EVERYONE = {"op": "everyone"}


class Others:
    """A receiver that answers as told and keeps what it took."""

    def __init__(self) -> None:
        self.answers: list[int | str] = []
        self.tried: list[tuple[str, list[tuple[str, str, str]]]] = []

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str], bounds: Bounds) -> Answered:
        changes = [(one["person"], one["change"], one["reason"]) for one in json.loads(body)["data"]["changes"]]
        self.tried.append((headers["webhook-id"], changes))
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, str):
            raise NotFetched(answer)
        return Answered(answer)

    @property
    def told(self) -> list[tuple[str, str, str]]:
        return [one for _, changes in self.tried for one in changes]


def receiver(shop: Shop, channel: str = "email") -> tuple[sync.Receiver, int]:
    shop.ws.settings = shop.ws.settings.model_copy(update={"sync": shop.ws.settings.sync.model_copy(update={"hosts": ("127.0.0.1:9",), "private_addresses": True})})
    with shop.ws.transaction() as conn:
        saved = segment.save(conn, "Wszyscy", EVERYONE, shop.ws.clock(), "all")
        made, _ = sync.add(shop.ws, conn, "CRM", "http://127.0.0.1:9/hook", ([saved.id], "marketing", channel), shop.ws.clock())
    refreshed(shop)
    return made, saved.id


def refreshed(shop: Shop) -> None:
    with settled(shop.ws) as (conn, past):
        segment.refresh(conn, past, None, as_of(shop.ws, conn, shop.ws.clock()))


def number(shop: Shop, user: str) -> str:
    with shop.ws.transaction() as conn:
        row = conn.execute("select person_id from resolve.identities where value = %s", [f"{user}@example.pl"]).fetchone()
    assert row is not None
    return f"p{row[0]}"


def test_only_whom_the_gate_allows_is_told_of_and_a_withdrawn_consent_takes_them_back(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    shop.person("bartek")
    shop.person("celina", marketing_email=True, profiling=False)
    shop.take_in()
    others, anna = Others(), number(shop, "anna")
    receiver(shop)
    sync.work(shop.ws, shop.ws.clock(), others)
    assert others.told == [(anna, "entered", "entered")]
    shop.pass_time(hours=1)
    shop.person("anna", marketing_email=False)
    shop.take_in()
    with shop.ws.transaction() as conn:
        sync.compare_all(conn, shop.ws.clock())
    sync.work(shop.ws, shop.ws.clock(), others)
    assert others.told[1:] == [(anna, "left", "consent")]
    with shop.ws.transaction() as conn:
        assert sync.export_person(conn, [int(anna[1:])]) == {"told": []}


def test_the_gate_is_asked_about_some_at_a_time_however_large_a_segment_is(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("anna", "bartek", "celina"):
        shop.person(name, marketing_email=True)
    shop.take_in()
    asked, others, addresses = list[int](), Others(), resolve.reach.addresses

    def counted(conn: Connection, people: Sequence[int], kind: str) -> Any:
        asked.append(len(people))
        return addresses(conn, people, kind)

    monkeypatch.setattr(sync, "ASKED_AT_ONCE", 2)
    monkeypatch.setattr(sync, "LINES_AT_ONCE", 2)
    receiver(shop)
    monkeypatch.setattr(resolve.reach, "addresses", counted)
    assert sync.work(shop.ws, shop.ws.clock(), others) == 2
    assert (max(asked), len(others.told)) == (2, 3)


def test_what_is_not_taken_is_sent_again_under_the_same_key_and_nothing_overtakes_it(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    shop.take_in()
    receiver(shop)
    others, now, anna = Others(), shop.ws.clock(), number(shop, "anna")
    others.answers = [503, "unreachable"]
    assert sync.work(shop.ws, now, others) == 0
    with shop.ws.transaction() as conn:
        segment.save(conn, "Wszyscy", {"not": EVERYONE}, now, "all")
    refreshed(shop)
    assert sync.work(shop.ws, now, others) == 0 and len(others.tried) == 1  # not before its time
    sync.work(shop.ws, now + timedelta(seconds=10), others)
    assert sync.work(shop.ws, now + timedelta(minutes=2), others) == 2
    assert others.told == [*[(anna, "entered", "entered")] * 3, (anna, "left", "left")]
    keys = [key for key, _ in others.tried]
    assert keys[0] == keys[1] == keys[2] != keys[3]


def test_a_message_refused_again_and_again_is_put_aside_and_the_next_one_goes_on(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    shop.take_in()
    made, _ = receiver(shop)
    others, now = Others(), shop.ws.clock()
    others.answers = [400] * letters.REFUSED_TRIES
    for attempt in range(letters.REFUSED_TRIES):
        sync.work(shop.ws, now + timedelta(hours=attempt), others)
    with shop.ws.transaction() as conn:
        (letter,) = sync.messages(conn, made.id)
        assert (letter.state, letter.problem) == ("refused", "HTTP 400")
        sync.again(conn, made.id, letter.id)
        with pytest.raises(NotFound):
            sync.again(conn, made.id, letter.id)
    assert sync.work(shop.ws, now + timedelta(days=1), others) == 1
    with shop.ws.transaction() as conn:
        conn.execute("update sync.letters set state = 'refused'")
        sync.compare_all(conn, now + timedelta(days=29))
        assert len(sync.messages(conn, made.id)) == 1
        sync.compare_all(conn, now + timedelta(days=40))
        assert not sync.messages(conn, made.id)


def test_who_is_erased_is_forgotten_by_the_receiver_and_then_by_us(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    shop.take_in()
    receiver(shop)
    others, anna = Others(), number(shop, "anna")
    sync.work(shop.ws, shop.ws.clock(), others)
    with shop.ws.transaction() as conn:
        assert sync.erase_person(conn, [int(anna[1:])]) == 1
    sync.work(shop.ws, shop.ws.clock(), others)
    assert others.told[-1] == (anna, "left", "erased")
    with shop.ws.transaction() as conn:
        assert conn.execute("select count(*) from sync.lines").fetchone() == (0,)


@pytest.mark.parametrize("url", [
    "https://elsewhere.example/hook", "https://127.0.0.1:9@evil.example/", "ftp://127.0.0.1:9/", "https://127.0.0.1:10/", "https://[::1]/", "https://127.0.0.1:9\n/",
])  # fmt: skip
def test_nothing_may_be_sent_to_a_host_that_is_not_named_in_the_settings(shop: Shop, url: str) -> None:
    receiver(shop)
    with shop.ws.transaction() as conn, pytest.raises(ReceiverAddress):
        sync.add(shop.ws, conn, "Inny", url, ([1], "marketing", "none"), shop.ws.clock())


@pytest.mark.parametrize(("url", "reason"), [("https://127.0.0.1/", "address"), ("https://localhost/", "address"), ("http://127.0.0.1/", "scheme")])
def test_a_named_host_that_leads_to_a_private_address_is_refused_at_each_sending(url: str, reason: str) -> None:
    with pytest.raises(NotFetched, match=reason):
        post(url, b"{}", {}, Bounds(("127.0.0.1", "localhost")))


def test_a_message_is_posted_whole_with_its_headers_and_a_redirect_is_not_followed() -> None:
    got: list[tuple[str, str | None, bytes]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, self.headers["webhook-id"], self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(307 if self.path == "/moved" else 429)
            self.send_header("Location", "/hook")
            self.send_header("Retry-After", "30")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host = f"127.0.0.1:{server.server_port}"
        bounds = Bounds((host,), private_addresses=True)
        assert post(f"http://{host}/hook?a=1", b"{}", {"webhook-id": "k"}, bounds) == Answered(429, 30)
        assert post(f"http://{host}/moved", b"{}", {"webhook-id": "k"}, bounds).status == 307
        server.shutdown()
    assert got == [("/hook?a=1", "k", b"{}"), ("/moved", "k", b"{}")]


def test_a_receiver_whose_secret_cannot_be_opened_any_more_stops_and_says_so(shop: Shop, tmp_path: Path) -> None:
    made, _ = receiver(shop)
    shop.ws.keys = Keys(tmp_path)
    sync.work(shop.ws, shop.ws.clock(), Others())
    with shop.ws.transaction() as conn:
        found = sync.receiver(conn, made.id)
    assert (found.enabled, found.problem) == (False, "secret")
