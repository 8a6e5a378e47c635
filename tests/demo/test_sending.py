"""The shop's client: batches in order, one call a request when live, and a request that failed is sent again."""

import json
import threading
from collections.abc import Generator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from demo import sending
from demo.sending import Collector, NotAccepted
from demo.visits import Sent

NOW = datetime(2026, 9, 1, tzinfo=UTC)


class Door(HTTPServer):
    """Answers with the statuses it was given, then with 200, and remembers what it accepted."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.statuses: list[int] = []
        self.accepted: list[tuple[str, str, Any]] = []


class Answer(BaseHTTPRequestHandler):
    server: Door

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        if status == 200:
            self.server.accepted.append((self.path, self.headers["User-Agent"], body))
        self.send_response(status)
        self.send_header("Retry-After", "0")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def door() -> Generator[Door]:
    server = Door()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def collector(door: Door) -> Generator[Collector]:
    client = Collector(f"http://127.0.0.1:{door.server_port}", {"site": "wk_site", "server": "sk_server"})
    yield client
    client.close()


def events(count: int) -> list[Sent]:
    return [Sent(NOW, "server" if number % 10 == 0 else "site", {"type": "track", "event": "x", "messageId": str(number)}) for number in range(count)]


def test_a_history_arrives_whole_and_in_order(door: Door, collector: Collector) -> None:
    collector.send_all(events(600))
    arrived = [int(event["messageId"]) for _, _, body in door.accepted for event in body["batch"]]
    assert sorted(arrived) == list(range(600))
    assert [number for number in arrived if number % 10] == [number for number in range(600) if number % 10]


def test_a_busy_collector_is_asked_again(door: Door, collector: Collector) -> None:
    door.statuses = [503, 429, 200]
    collector.send_all(events(5)[1:])
    assert (collector.delivered.retries, collector.delivered.events, len(door.accepted)) == (2, 4, 1)


def test_a_refusal_is_not_repeated(door: Door, collector: Collector) -> None:
    door.statuses = [401, 200]
    with pytest.raises(NotAccepted, match="401"):
        collector.send_all(events(2)[1:])
    assert door.accepted == []


def test_a_live_event_is_one_call_that_happens_now(door: Door, collector: Collector) -> None:
    collector.send(Sent(NOW, "site", {"type": "page", "messageId": "a", "timestamp": "2020-01-01T00:00:00Z"}, "Mozilla/5.0"), "-live", NOW)
    [(path, agent, body)] = door.accepted
    assert (path, agent, body["messageId"], body["timestamp"]) == ("/v1/page", "Mozilla/5.0", "a-live", "2026-09-01T00:00:00.000Z")


def test_a_silent_collector_is_given_up_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending.time, "sleep", lambda _seconds: None)
    client = Collector("http://127.0.0.1:9", {"site": "wk"})
    with pytest.raises(NotAccepted):
        client.send_all(events(2)[1:])
    client.close()
