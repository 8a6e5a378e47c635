"""The collector's HTTP: `check_key`, `write_down`, and the answer after the commit.

A bare ASGI callable with one table of routes instead of a framework: on the hot path a router, request and response objects
would cost as much as everything else here together, and nothing here may ever redirect.
"""

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from cegla.collect import heads
from cegla.collect.committer import BUCKETS, GroupCommitter, Outcome, Row, facts
from cegla.collect.keyring import Keyring
from cegla.collect.rules import door, envelope
from cegla.collect.rules.door import Grant
from cegla.collect.rules.frame import WEBHOOK
from cegla.collect.shelf import FILES, File
from cegla.collect.webhook_door import judge
from cegla.storage.settings import CollectorSettings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = dict[bytes, bytes]

DRAINED_TIMES = 8  # a body this many times too large is still read to its end, so that its sender sees the 413
LEAST_FREE_SHARE = 0.05
JSON = (b"content-type", b"application/json")
PREFLIGHT = [
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (b"access-control-max-age", b"86400"),
    (b"content-length", b"0"),
]
ALLOWED_HEADERS = b"authorization, content-type, content-encoding, x-retry-count"


class Answer:
    """A complete answer with its messages made beforehand."""

    def __init__(self, status: int, body: bytes, *more: tuple[bytes, bytes]) -> None:
        self.status = status
        self.headers = [JSON, (b"content-length", str(len(body)).encode()), *more]
        self.start = {"type": "http.response.start", "status": status, "headers": self.headers}
        self.body = {"type": "http.response.body", "body": body}


def _refusal(status: int, code: str, message: str, *more: tuple[bytes, bytes]) -> Answer:
    return Answer(status, f'{{"success":false,"message":"{message}","code":"{code}"}}'.encode(), *more)


def _plain(text: bytes) -> Answer:
    """Text that no browser reads as a page: the answer to a provider's challenge."""
    answer = Answer(200, text, (b"x-content-type-options", b"nosniff"))
    answer.headers[0] = (b"content-type", b"text/plain; charset=utf-8")
    return answer


RETRY = (b"retry-after", b"1")
DONE = Answer(200, b'{"success": true}')
MALFORMED = _refusal(400, "invalid_request", "malformed JSON")
UNREADABLE = _refusal(400, "invalid_request", "the content encoding cannot be read")
WRONG_KEY = _refusal(401, "invalid_write_key", "invalid write key")
WRONG_ORIGIN = _refusal(403, "origin_not_allowed", "the source does not allow this origin")
NO_SUCH_PATH = _refusal(404, "not_found", "there is no such path")
DISABLED = _refusal(404, "source_disabled", "source is disabled")
WRONG_METHOD = _refusal(405, "method_not_allowed", "this path takes POST", (b"allow", b"POST, OPTIONS"))
TOO_LARGE = _refusal(413, "too_large", "the request is too large")
KEYS_UNKNOWN = _refusal(503, "keys_not_loaded", "the list of keys is out of date; try again", RETRY)
BY_OUTCOME = {
    Outcome.COMMITTED: DONE,
    Outcome.AWAY: _refusal(503, "unavailable", "the store is away; try again", RETRY),
    Outcome.FULL: _refusal(429, "too_many_requests", "too many requests wait; try again", RETRY),
    Outcome.NO_SPACE: _refusal(507, "no_space", "the disk is full; try again later", (b"retry-after", b"30")),
}
BY_JUDGEMENT = {
    401: _refusal(401, "invalid_signature", "the signature is missing, wrong or too old"),
    405: WRONG_METHOD,
    503: KEYS_UNKNOWN,
}


class Door:
    """The ASGI application of one collector process. It needs PostgreSQL only, and listens also while that is away."""

    make_committer = GroupCommitter

    def __init__(self, dsn: str, limits: CollectorSettings, data_dir: Path) -> None:
        self.dsn = dsn
        self.limits = limits
        self.data_dir = data_dir
        self.answered: dict[int, int] = {}
        self.events = 0
        self.refused: dict[tuple[int, str], int] = {}
        self.committer: GroupCommitter
        self.keyring: Keyring
        self.pages: dict[str, Callable[[], Awaitable[Answer]]] = {"/healthz": self._healthy, "/readyz": self._ready, "/metrics": self._metrics}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        path: str = scope["path"]
        method: str = scope["method"]
        headers: Headers = dict(scope["headers"])
        if method == "POST" and path in door.PATHS:
            answer = await self._collect(door.PATHS[path], scope, headers, receive)
        elif method == "OPTIONS":
            await self._preflight(headers, send)
            return
        else:
            answer = await self._other(method, path, scope, headers, receive)
        if answer is not None:
            await self._answer(answer, headers, send)

    # the hot path ----------------------------------------------------------------------------------------------------

    async def _collect(self, kind: str | None, scope: Scope, headers: Headers, receive: Receive) -> Answer | None:
        """Check the key, write the request down; the answer once it is committed. None when the sender is gone."""
        message = await receive()
        body: bytes | None = message.get("body", b"")
        if message.get("more_body"):
            body = await self._rest(receive, body or b"")
            if body is None:
                return TOO_LARGE
        if message["type"] == "http.disconnect" or body is None:
            return None
        try:
            if body[:1] != b"{" or len(body) > self.limits.largest_request_bytes or b"content-encoding" in headers:
                body = door.unpacked(body, headers.get(b"content-encoding", b""), self.limits.largest_request_bytes)
            parts = envelope.read(body)
        except door.TooLarge:
            return TOO_LARGE
        except door.Unreadable:
            return UNREADABLE
        except envelope.NotJson:
            return MALFORMED
        grant = await self._check_key(headers, scope["query_string"], parts.write_key)
        if isinstance(grant, Answer):
            return grant
        return await self._write_down(grant, kind, scope, headers, body, len(parts.events))

    async def _check_key(self, headers: Headers, query: bytes, in_body: str) -> Grant | Answer:
        """What the request may do, by the first key it shows: in its header, its body or its address."""
        authorization = headers.get(b"authorization")
        key = (door.key_in_header(authorization) if authorization else "") or in_body or door.key_in_query(query)
        if not key:
            return WRONG_KEY
        grant = self.keyring.find(key)
        if grant is None:
            try:
                grant = await self.keyring.find_surely(key)
            except TimeoutError:
                return KEYS_UNKNOWN
        if grant is None:
            return WRONG_KEY
        if not grant.enabled:
            return DISABLED
        origin = headers.get(b"origin")
        return grant if origin is None or grant.serves(origin.decode("latin-1")) else WRONG_ORIGIN

    async def _write_down(self, grant: Grant, kind: str | None, scope: Scope, headers: Headers, body: bytes, events: int) -> Answer:
        client = scope["client"]
        address = door.client_address(client[0] if client else "", headers)
        columns = facts(grant, kind, events, headers.get(b"sec-gpc") == b"1", address, headers.get(b"user-agent", b""))
        row = Row(grant.source_id, columns, body, asyncio.get_running_loop().create_future())
        self.committer.commit(row)
        outcome = await row.answer
        if outcome is Outcome.COMMITTED:
            self.events += events
        return BY_OUTCOME[outcome]

    async def _rest(self, receive: Receive, first: bytes) -> bytes | None:
        """The whole body; None when it is too large. What is too large is read on for a while, so that the answer arrives."""
        pieces, size, more = [first], len(first), True
        while more and size <= self.limits.largest_request_bytes * DRAINED_TIMES:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            piece = message.get("body", b"")
            size += len(piece)
            if size <= self.limits.largest_request_bytes:
                pieces.append(piece)
            more = message.get("more_body", False)
        return b"".join(pieces) if size <= self.limits.largest_request_bytes else None

    async def _answer(self, answer: Answer, headers: Headers, send: Send) -> None:
        self.answered[answer.status] = self.answered.get(answer.status, 0) + 1
        origin = headers.get(b"origin")
        if origin is None:
            await send(answer.start)
        else:
            allowed = [(b"access-control-allow-origin", origin), (b"vary", b"origin"), (b"access-control-expose-headers", b"Retry-After")]
            await send({"type": "http.response.start", "status": answer.status, "headers": [*answer.headers, *allowed]})
        await send(answer.body)

    # the rest --------------------------------------------------------------------------------------------------------

    async def _other(self, method: str, path: str, scope: Scope, headers: Headers, receive: Receive) -> Answer | None:
        page = self.pages.get(path)
        if page is not None and method in ("GET", "HEAD"):
            return await page()
        if path in FILES and method in ("GET", "HEAD"):
            return _shown(FILES[path], scope, headers)
        if path.startswith(door.SETTINGS_PREFIX) and path.rstrip("/").endswith(door.SETTINGS_SUFFIX):
            return await self._settings(path, scope, headers)
        if path.startswith(door.WEBHOOK_PREFIX):
            return await self._webhook(method, path, scope, headers, receive)
        if path in ("/v1/m", "/v1/m/"):  # the SDK's own metrics: taken, not kept
            return DONE
        return WRONG_METHOD if path in door.PATHS else NO_SUCH_PATH

    async def _webhook(self, method: str, path: str, scope: Scope, headers: Headers, receive: Receive) -> Answer | None:
        """A request to a webhook's address: whose it is, genuine or not, then into the inbox as received; intake maps it to events."""
        body = await self._rest(receive, b"")
        if body is None:
            return TOO_LARGE
        try:
            body = door.unpacked(body, headers.get(b"content-encoding", b""), self.limits.largest_request_bytes)
            hook = await self.keyring.hook_surely(path.removeprefix(door.WEBHOOK_PREFIX).rstrip("/"))
        except door.TooLarge:
            return TOO_LARGE
        except door.Unreadable:
            return UNREADABLE
        except TimeoutError:
            return KEYS_UNKNOWN
        if hook is None:
            return NO_SUCH_PATH
        if not hook.grant.enabled:
            return DISABLED
        judged = judge(hook, method, headers, scope["query_string"], body, time.time())
        if judged.stored is not None:
            return await self._write_down(hook.grant, WEBHOOK, scope, headers, judged.stored, 1)
        if judged.refusal is not None:
            self.refused[hook.grant.source_id, judged.refusal] = self.refused.get((hook.grant.source_id, judged.refusal), 0) + 1
        return BY_JUDGEMENT.get(judged.status) or _plain(judged.text)

    async def _preflight(self, headers: Headers, send: Send) -> None:
        """A preflight shows no key, so any origin that some source allows may go on to the real request."""
        origin = headers.get(b"origin", b"*")
        if self.keyring.open_to_any_origin or not self.keyring.fresh or origin.decode("latin-1") in self.keyring.origins:
            wanted = headers.get(b"access-control-request-headers", ALLOWED_HEADERS)
            more = [(b"access-control-allow-origin", origin), (b"access-control-allow-headers", wanted), (b"vary", b"origin, access-control-request-headers")]
        else:
            more = [(b"vary", b"origin")]
        await send({"type": "http.response.start", "status": 204, "headers": [*PREFLIGHT[:-1], *more]})
        await send({"type": "http.response.body", "body": b""})

    async def _settings(self, path: str, scope: Scope, headers: Headers) -> Answer:
        key = path.rstrip("/").removeprefix(door.SETTINGS_PREFIX).removesuffix(door.SETTINGS_SUFFIX)
        grant = self.keyring.find(key)
        if grant is None or grant.trusted:
            return NO_SUCH_PATH if self.keyring.fresh else KEYS_UNKNOWN
        host = headers.get(b"host", b"localhost").decode("latin-1")
        scheme = headers[b"x-forwarded-proto"].decode("latin-1") if b"x-forwarded-proto" in headers else str(scope["scheme"])
        return Answer(200, door.settings_document(key, scheme, host), (b"cache-control", b"public, max-age=300"))

    async def _healthy(self) -> Answer:
        return Answer(200, b'{"alive":true}')

    async def _ready(self) -> Answer:
        """Whether requests can be committed here."""
        disk = shutil.disk_usage(self.data_dir if self.data_dir.exists() else Path("/"))
        checks = {"store": self.committer.ready, "keys": self.keyring.fresh, "disk": disk.free / disk.total > LEAST_FREE_SHARE}
        body = ",".join(f'"{name}":{str(good).lower()}' for name, good in checks.items())
        return Answer(200, f"{{{body}}}".encode()) if all(checks.values()) else Answer(503, f"{{{body}}}".encode(), RETRY)

    async def _metrics(self) -> Answer:
        """Prometheus text of this process; the counters of all processes since the beginning are in the app's metrics."""
        figures = self.committer.figures
        writer = self.committer.writer
        lines = [f'cegla_collector_answers_total{{writer="{writer}",status="{status}"}} {count}' for status, count in sorted(self.answered.items())]
        lines += [
            f'cegla_collector_events_total{{writer="{writer}"}} {self.events}',
            f'cegla_collector_waiting_requests{{writer="{writer}"}} {self.committer.waiting}',
            f'cegla_collector_commit_errors_total{{writer="{writer}"}} {figures.failures}',
            *(f'cegla_collector_commit_seconds_bucket{{writer="{writer}",le="{bound}"}} {figures.within[place]}' for place, bound in enumerate(BUCKETS)),
            f'cegla_collector_commit_seconds_bucket{{writer="{writer}",le="+Inf"}} {figures.groups}',
            f'cegla_collector_commit_seconds_sum{{writer="{writer}"}} {figures.seconds:.6f}',
            f'cegla_collector_commit_seconds_count{{writer="{writer}"}} {figures.groups}',
        ]
        answer = Answer(200, "\n".join([*lines, ""]).encode())
        answer.headers[0] = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
        return answer

    # from start to end -----------------------------------------------------------------------------------------------

    async def _live(self, receive: Receive, send: Send) -> None:
        """The ASGI lifespan: connect in the background at the start, commit what waits at the end."""
        await receive()
        self.keyring = Keyring(self.dsn, self.data_dir / "keys")
        self.committer = self.make_committer(self.dsn, self.limits.group_milliseconds / 1_000, self.limits.most_waiting_requests, self.data_dir / heads.FOLDER)
        committing = asyncio.create_task(self.committer.run())
        reading = asyncio.create_task(self.keyring.run())
        for task in (committing, reading):
            task.add_done_callback(_stop_rather_than_lie)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.committer.finish()
        await committing
        reading.cancel()
        await send({"type": "lifespan.shutdown.complete"})


def _shown(file: File, scope: Scope, headers: Headers) -> Answer:
    status, head, body = file.answer(headers, scope["query_string"])
    answer = Answer(status, body)
    answer.headers[:] = head
    return answer


def _stop_rather_than_lie(task: "asyncio.Task[None]") -> None:
    """A collector whose background work died for an unknown reason ends, and the supervisor starts a new one."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        asyncio.get_running_loop().call_soon(_raise, error)


def _raise(error: BaseException) -> None:
    raise SystemExit(1) from error
