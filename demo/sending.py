"""Sending the shop's events to the collector over HTTP, as a web page and a server would: by key, with retries, each at least once."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec

from demo.visits import Place, Sent

EVENTS_IN_A_REQUEST = 250
MOST_TRIES = 8
LONGEST_PAUSE_SECONDS = 5.0
CALLS = ("identify", "track", "page")


class NotAccepted(Exception):
    """The collector refused a request for good, or did not answer after several tries."""


@dataclass
class Delivered:
    """What was handed over and acknowledged."""

    events: int = 0
    requests: int = 0
    retries: int = 0


class Collector:
    """A client of the collector with a key for each place events come from. Not for several threads at once."""

    def __init__(self, url: str, keys: Mapping[Place, str]) -> None:
        self.delivered = Delivered()
        self._clients: dict[Place, httpx.Client] = {place: httpx.Client(base_url=url, auth=(key, ""), timeout=30) for place, key in keys.items()}

    def close(self) -> None:
        """Give back the connections."""
        for client in self._clients.values():
            client.close()

    def send_all(self, stream: Sequence[Sent], progress: Callable[[int], None] = lambda _done: None) -> None:
        """Hand over a history in batches, in order of time."""
        for start in range(0, len(stream), EVENTS_IN_A_REQUEST):
            part = stream[start : start + EVENTS_IN_A_REQUEST]
            for place in self._clients:
                events = [sent.event for sent in part if sent.place == place]
                if events:
                    self._post(place, "/v1/batch", {"batch": events}, len(events), {})
            progress(start + len(part))

    def send(self, sent: Sent, message_id_suffix: str, now: datetime) -> None:
        """Hand over one event as happening now, the way a browser does: one call, one request."""
        event = sent.event
        if isinstance(event, dict) and event.get("type") in CALLS:
            stamp = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            event = {**event, "timestamp": stamp, "sentAt": stamp}
            if "messageId" in event:
                event["messageId"] += message_id_suffix
            self._post(sent.place, f"/v1/{event['type']}", event, 1, {"User-Agent": sent.user_agent or "cegla-demo"})
        else:
            self._post(sent.place, "/v1/batch", {"batch": [event]}, 1, {})

    def _post(self, place: Place, path: str, body: Any, events: int, headers: dict[str, str]) -> None:
        """POST until it is acknowledged. Raises NotAccepted."""
        content = msgspec.json.encode(body)
        problem = ""
        for attempt in range(MOST_TRIES):
            self.delivered.retries += attempt > 0
            try:
                answer = self._clients[place].post(path, content=content, headers={"Content-Type": "application/json", **headers})
            except httpx.TransportError as error:
                problem, pause = type(error).__name__, min(LONGEST_PAUSE_SECONDS, 0.1 * 2**attempt)
            else:
                if answer.is_success:
                    self.delivered.events += events
                    self.delivered.requests += 1
                    return
                problem = f"{answer.status_code} {answer.text[:200]}"
                if answer.status_code < 500 and answer.status_code != 429:
                    break
                pause = min(LONGEST_PAUSE_SECONDS, float(answer.headers.get("Retry-After", 0.1 * 2**attempt)))
            time.sleep(pause)
        raise NotAccepted(problem)


class LiveTraffic:
    """A thread that plays a stream as if it happened now, at a steady number of events a second, round and round."""

    def __init__(self, collector: Collector, stream: Sequence[Sent], events_a_second: float) -> None:
        self.collector, self.stream, self.events_a_second = collector, stream, events_a_second
        self.problem: str | None = None
        self._ending = threading.Event()
        self._run = datetime.now(UTC).strftime("%y%m%d%H%M%S")
        self._thread = threading.Thread(target=self._play, name="live traffic", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the event in hand."""
        self._ending.set()
        self._thread.join(timeout=30)

    def _play(self) -> None:
        started, number = time.monotonic(), 0
        while self.stream and not self._ending.is_set():
            sent = self.stream[number % len(self.stream)]
            try:
                self.collector.send(sent, f"-{self._run}-{number // len(self.stream)}", datetime.now(UTC))
            except NotAccepted as error:
                self.problem = str(error)
            number += 1
            self._ending.wait(max(0.0, started + number / self.events_a_second - time.monotonic()))
