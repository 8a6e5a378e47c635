"""The collector: `check_key`, `write_down`, and the answer after the commit.

    Request ─► path ─► room? ─► unpack ─► read as JSON ─► key ─► limits ─► committer ─► (commit) ─► answer

The way of an event is plain calls from the socket to the committer, and plain calls back; only a question that must wait (a key
that is not known yet) becomes a task.
"""

import asyncio
import shutil
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING

from cegla.collect import answers, heads, log
from cegla.collect.committer import BUCKETS, NO_TRACE, GroupCommitter, Outcome, Room, Row, facts, sender, traced
from cegla.collect.figures import FigureBook, Key
from cegla.collect.keyring import Keyring
from cegla.collect.pace import Pace
from cegla.collect.refusals import Refusals
from cegla.collect.rules import door, envelope, pixel
from cegla.collect.rules.door import Does, Grant
from cegla.collect.rules.frame import WEBHOOK
from cegla.collect.rules.stamps import truncated
from cegla.collect.shelf import FILES, SNIPPET, File, carried
from cegla.collect.webhook_door import judge
from cegla.http.answer import Answer
from cegla.http.protocol import Request, Server, Trouble
from cegla.http.proxies import WARNING, Proxies

if TYPE_CHECKING:  # a collector is given its settings checked, and starts without pydantic
    from cegla.storage.settings import CollectorSettings

LEAST_FREE_SHARE = 0.05
SPACE_EVERY_SECONDS = 2.0

BY_OUTCOME = {Outcome.COMMITTED: answers.DONE, Outcome.AWAY: answers.AWAY, Outcome.FULL: answers.BUSY, Outcome.NO_SPACE: answers.NO_SPACE}
BY_JUDGEMENT = {401: answers.WRONG_SIGNATURE, 405: answers.WRONG_METHOD, 503: answers.KEYS_UNKNOWN}
PREFLIGHT = Answer(
    204, b"", ("access-control-allow-methods", "GET, POST, OPTIONS"), ("access-control-max-age", "86400"), when="the question a browser asks first"
)
ALLOWED_HEADERS = b"authorization, content-type, content-encoding, x-retry-count"


@dataclass(slots=True)
class _Call:
    """A request on its way through the door."""

    request: Request
    kind: str | None  #: the call its path names; None for a batch
    body: bytes
    events: int
    done: Answer


class Door:
    """One collector process. It needs PostgreSQL only, and listens also while that is away."""

    make_committer = GroupCommitter

    def __init__(self, dsn: str, limits: "CollectorSettings", data_dir: Path) -> None:
        self.dsn = dsn
        self.limits = limits
        self.data_dir = data_dir
        self.answered: dict[int, int] = {}
        self.events = 0
        self.space = True  # enough of the disk is free
        self.committer: GroupCommitter
        self.keyring: Keyring
        self.refusals = Refusals()
        self._pace = Pace(data_dir)
        self._proxies = Proxies(limits.trusted_proxies, lambda peer: log.warning(WARNING, setting="collector.trusted_proxies", peer=truncated(peer)))
        self._server: Server
        self._working: list[asyncio.Task[None]] = []
        self._asking: set[asyncio.Task[None]] = set()
        self._asked_bytes = 0  # of bodies whose key is looked for

    @property
    def largest_body_bytes(self) -> int:
        """The largest body that is read at all; whose it is shows only afterwards."""
        return max(self.limits.largest_request_bytes, self.keyring.largest_request_bytes)

    def handle(self, request: Request) -> None:
        """Answer a request, now or once it is committed."""
        if request.method == b"POST" and request.path in door.TAKING:
            self._collect(request, door.TAKING[request.path])
        elif request.method == b"OPTIONS":
            self._preflight(request)
        else:
            self._other(request)

    # the hot path ----------------------------------------------------------------------------------------------------

    def _collect(self, request: Request, kind: str | None, done: Answer = answers.DONE) -> None:
        """Check the key, write the request down; the answer follows the commit."""
        headers, body = request.headers, request.body
        if refusal := self._no_room(request):
            self._refuse(request, refusal)
            return
        try:
            if request.trouble is not None:
                raise door.TooLarge
            if body[:1] != b"{" or b"content-encoding" in headers:
                body = door.unpacked(body, headers.get(b"content-encoding", b""), self.largest_body_bytes)
            parts = envelope.read(body)
        except door.TooLarge:
            self._refuse(request, answers.TOO_LARGE)
            return
        except door.Unreadable:
            self._refuse(request, answers.UNREADABLE)
            return
        except envelope.NotJson:
            self._refuse(request, answers.MALFORMED)
            return
        call = _Call(request, kind, body, len(parts.events), done)
        key = _shown(request) or parts.write_key or door.key_in_query(request.query)
        grant = self.keyring.find(key) if key else None
        if grant is not None:
            self._admit(call, grant)
        elif not key:
            self._answer(request, answers.WRONG_KEY)
        elif self._asked_bytes + len(body) > self.limits.most_waiting_bytes:
            self._refuse(request, answers.BUSY)
        else:
            self._asked_bytes += len(body)
            self._later(request, self._ask(call, key))

    def _no_room(self, request: Request) -> Answer | None:
        """The refusal when there is no room for another request, asked before anything is spent on it."""
        if self.committer.full or request.trouble is Trouble.NO_ROOM:
            return answers.BUSY
        return None if self.space else answers.LITTLE_SPACE

    async def _ask(self, call: _Call, key: str) -> None:
        """Let a list decide that is read from now on. Until then the body waits, and all that wait are bounded together."""
        try:
            grant = await self.keyring.find_surely(key)
        except TimeoutError:
            self._answer(call.request, answers.KEYS_UNKNOWN)
            return
        finally:
            self._asked_bytes -= len(call.body)
        if grant is None:
            self._answer(call.request, answers.WRONG_KEY)
        else:
            self._admit(call, grant)

    def _admit(self, call: _Call, grant: Grant) -> None:
        """What a known source may do, and then the request goes to be committed."""
        request = call.request
        origin = request.headers.get(b"origin")
        if not grant.enabled:
            self._answer(request, answers.DISABLED, grant)
        elif origin is not None and grant.origins and not grant.serves(origin.decode("latin-1")):
            self._answer(request, answers.WRONG_ORIGIN, grant)
        elif len(call.body) > (grant.largest_request_bytes or self.limits.largest_request_bytes):
            self._answer(request, answers.TOO_LARGE, grant)
        elif (per_second := grant.requests_per_second or self.limits.requests_per_second) and (
            early := self._pace.early_seconds(grant.source_id, per_second)
        ):
            self._answer(request, answers.too_fast(early, time.time()), grant)
        else:
            self._write_down(call, grant)

    def _write_down(self, call: _Call, grant: Grant) -> None:
        request, headers = call.request, call.request.headers
        forwarded = headers.get(b"x-forwarded-for")
        address = request.peer if forwarded is None else self._proxies.client(request.peer, forwarded.decode("latin-1"))
        who = sender(address, headers.get(b"user-agent", b""))
        trace = traced(headers[b"traceparent"]) if b"traceparent" in headers else NO_TRACE
        columns = facts(grant, call.kind, call.events, headers.get(b"sec-gpc") == b"1", who, trace)

        def settled(outcome: Outcome) -> None:
            if outcome is Outcome.COMMITTED:
                self.events += call.events
                self._answer(request, call.done)
            else:
                self._answer(request, BY_OUTCOME[outcome], grant)

        self.committer.commit(Row(grant.source_id, columns, call.body, settled))

    def _answer(self, request: Request, answer: Answer, grant: Grant | None = None) -> None:
        self.answered[answer.status] = self.answered.get(answer.status, 0) + 1
        if grant is not None and answer.counted:
            self.refusals.count(grant.source_id, answer.counted)
        origin = request.headers.get(b"origin")
        request.answer(answer, _shared_with(origin) if origin is not None and answer is not answers.WRONG_ORIGIN else b"")

    def _refuse(self, request: Request, answer: Answer) -> None:
        """Refuse what was not read as JSON; it counts for the source whose key it shows, if it shows one."""
        key = ""
        if answer.counted:
            key = _shown(request) or door.key_in_query(request.query) or (door.key_in_beginning(request.body) if request.trouble is not None else "")
        self._answer(request, answer, self.keyring.find(key) if key else None)

    # the rest --------------------------------------------------------------------------------------------------------

    def _other(self, request: Request) -> None:
        path = request.path.decode("latin-1")
        rows, key = door.find(path)
        method = "GET" if request.method == b"HEAD" else request.method.decode()
        row = rows.get(method)
        if row is None:
            file = FILES.get(path) if method == "GET" else None
            self._answer(request, _served(file, request) if file else answers.WRONG_METHOD if rows else answers.NO_SUCH_PATH)
        elif row.does is Does.SCRIPT:
            file = carried(SNIPPET if row.path == door.SNIPPET_PATH else key)
            self._answer(request, _served(file, request) if file else answers.NO_SUCH_PATH)
        elif row.does is Does.TAKE:
            self._collect(request, row.call)
        elif row.does is Does.DRAW:
            self._draw(request, row.call)
        elif row.does is Does.HOOK:
            self._later(request, self._hook(request, key))
        elif row.does is Does.SWALLOW:
            self._answer(request, answers.DONE)
        elif row.does is Does.SETTINGS:
            self._answer(request, self._settings(request, key))
        elif row.does is Does.SOURCE_CONFIG:
            self._later(request, self._source_config(request))
        else:
            self._answer(request, {Does.ALIVE: _alive, Does.READY: self._ready, Does.METRICS: self._metrics}[row.does]())

    def _draw(self, request: Request, call: str | None) -> None:
        """An event in the address of a picture. HEAD asks about the picture and is no event."""
        if request.method == b"HEAD":
            self._answer(request, answers.DRAWN)
            return
        body = pixel.body_of(request.query)
        request.body, request.trouble = body or b"", None
        request.headers.pop(b"content-encoding", None)
        self._collect(request, call, answers.DRAWN)

    async def _hook(self, request: Request, token: str) -> None:
        """A request to a webhook's address: whose it is, genuine or not, then into the inbox as received; intake maps it to events."""
        if refusal := self._no_room(request):
            self._answer(request, refusal)
            return
        try:
            if request.trouble is not None:
                raise door.TooLarge
            hook = await self.keyring.hook_surely(token)  # before anything is unpacked: nobody's body shall not grow while it waits
            body = door.unpacked(request.body, request.headers.get(b"content-encoding", b""), self.limits.largest_request_bytes)
        except door.TooLarge:
            self._answer(request, answers.TOO_LARGE)
            return
        except door.Unreadable:
            self._answer(request, answers.UNREADABLE)
            return
        except TimeoutError:
            self._answer(request, answers.KEYS_UNKNOWN)
            return
        if hook is None or not hook.grant.enabled:
            self._answer(request, answers.NO_SUCH_PATH if hook is None else answers.DISABLED, hook and hook.grant)
            return
        judged = judge(hook, request.method.decode(), request.headers, request.query, body, time.time())
        if judged.stored is not None:
            self._write_down(_Call(request, WEBHOOK, judged.stored, 1, answers.DONE), hook.grant)
            return
        if judged.refusal is not None:
            self.refusals.count(hook.grant.source_id, judged.refusal)
        self._answer(request, BY_JUDGEMENT.get(judged.status) or _challenge(judged.text))

    def _preflight(self, request: Request) -> None:
        """A preflight shows no key, so any origin that some source allows may go on to the real request."""
        origin = request.headers.get(b"origin", b"")
        keyring = self.keyring
        lines = b"vary: origin, access-control-request-headers\r\n"
        if door.ORIGIN(origin) and (keyring.open_to_any_origin or not keyring.fresh or origin.decode("latin-1") in keyring.origins):
            wanted = request.headers.get(b"access-control-request-headers", b"")
            lines += b"access-control-allow-origin: %b\r\naccess-control-allow-credentials: true\r\naccess-control-allow-headers: %b\r\n" % (
                origin,
                wanted if door.HEADER_NAMES(wanted) else ALLOWED_HEADERS,
            )
        request.answer(PREFLIGHT, lines)

    def _address(self, request: Request) -> str:
        return door.address_of(request.headers, by_proxy=self._proxies.trusts(request.peer))

    def _settings(self, request: Request, key: str) -> Answer:
        grant = self.keyring.find(key)
        if grant is None or grant.trusted or not grant.enabled:
            return answers.NO_SUCH_PATH if self.keyring.fresh else answers.KEYS_UNKNOWN
        named = self.limits.public_url
        kept = "public" if named else "private"  # an address that a client named is for that client's own cache
        return _document(door.settings_document(key, named or self._address(request)), f"{kept}, max-age=300")

    async def _source_config(self, request: Request) -> None:
        key = _shown(request) or door.key_in_query(request.query)
        try:
            grant = self.keyring.find(key) or await self.keyring.find_surely(key)
        except TimeoutError:
            self._answer(request, answers.KEYS_UNKNOWN)
            return
        if grant is None or not grant.enabled:
            self._answer(request, answers.WRONG_KEY if grant is None else answers.DISABLED)
            return
        address = self.limits.public_url or self._address(request)
        self._answer(request, _document(door.source_config(grant.write_key, grant.source_id, address.rstrip("/")), "no-cache"))

    def _later(self, request: Request, work: Coroutine[None, None, None]) -> None:
        """Answer a request by a task; one that fails is answered, too, so that its sender keeps what it sent."""

        def ended(task: asyncio.Task[None]) -> None:
            self._asking.discard(task)
            if not task.cancelled() and (error := task.exception()) is not None:
                log.error("a request failed and was answered 500", error=type(error).__name__, place=log.place_of(error))
                self._answer(request, answers.FAILED)

        task = asyncio.get_running_loop().create_task(work)
        self._asking.add(task)
        task.add_done_callback(ended)

    def _ready(self) -> Answer:
        """Whether requests can be committed here."""
        checks = {"store": self.committer.ready and not self.committer.hangs and self.keyring.recent, "keys": self.keyring.fresh, "disk": self.space}
        body = "{" + ",".join(f'"{name}":{str(good).lower()}' for name, good in checks.items()) + "}"
        return Answer(200, body.encode()) if all(checks.values()) else Answer(503, body.encode(), ("retry-after", "1"))

    def _counted(self) -> dict[Key, float]:
        """What is summed over all collectors (collect/figures.py)."""
        figures = self.committer.figures
        counted: dict[Key, float] = {("answers", str(status)): count for status, count in self.answered.items()}
        counted |= {("commit_seconds_bucket", str(bound)): within for bound, within in zip(BUCKETS, figures.within, strict=True)}
        counted |= {("commit_seconds_bucket", "+Inf"): figures.groups, ("commit_seconds_count", ""): figures.groups}
        return counted | {("commit_seconds_sum", ""): figures.seconds, ("commit_errors", ""): figures.failures}

    def _metrics(self) -> Answer:
        """Prometheus text of this process; the counters of all processes since the beginning are in the app's metrics."""
        figures = self.committer.figures
        writer = self.committer.writer
        lines = [f'cegla_collector_answers_total{{writer="{writer}",status="{status}"}} {count}' for status, count in sorted(self.answered.items())]
        lines += [
            f'cegla_collector_events_total{{writer="{writer}"}} {self.events}',
            f'cegla_collector_waiting_requests{{writer="{writer}"}} {self.committer.waiting}',
            f'cegla_collector_connections{{writer="{writer}"}} {len(self._server.connections)}',
            f'cegla_collector_held_bytes{{writer="{writer}"}} {self._server.held_bytes}',
            f'cegla_collector_commit_errors_total{{writer="{writer}"}} {figures.failures}',
            *(f'cegla_collector_commit_seconds_bucket{{writer="{writer}",le="{bound}"}} {figures.within[place]}' for place, bound in enumerate(BUCKETS)),
            f'cegla_collector_commit_seconds_bucket{{writer="{writer}",le="+Inf"}} {figures.groups}',
            f'cegla_collector_commit_seconds_sum{{writer="{writer}"}} {figures.seconds:.6f}',
            f'cegla_collector_commit_seconds_count{{writer="{writer}"}} {figures.groups}',
        ]
        return Answer(200, "\n".join([*lines, ""]).encode(), kind=answers.TEXT)

    # from start to end -----------------------------------------------------------------------------------------------

    async def open(self, sockets: Sequence[socket]) -> None:
        """Listen, and connect in the background."""
        limits = self.limits
        room = Room(limits.most_waiting_requests, limits.most_waiting_bytes, limits.most_waiting_milliseconds / 1_000)
        self.keyring = Keyring(self.dsn, [self.refusals, FigureBook(self._counted)], self.data_dir / "keys")
        self.committer = self.make_committer(self.dsn, limits.group_milliseconds / 1_000, room, self.data_dir / heads.FOLDER)
        self._server = Server(self)
        self._working = [asyncio.create_task(work) for work in (self.committer.run(), self.keyring.run(), self._watch_space())]
        await self._server.listen(sockets)

    async def serve(self, until: asyncio.Event) -> None:
        """Stay open until the event is set, then `close`. Whatever ends one of the parts ends the process: it stops rather than lies."""
        told = asyncio.create_task(until.wait())
        ended, _ = await asyncio.wait([told, *self._working], return_when=asyncio.FIRST_COMPLETED)
        for task in ended - {told}:
            task.result()
        await self.close()

    async def close(self) -> None:
        """Answer what is under way, commit what waits, end."""
        await self._server.stop()
        self.committer.finish()
        committing, *others = self._working
        await committing
        for task in others:
            task.cancel()

    async def _watch_space(self) -> None:
        """Whether the disk of the data directory has room; asked here, so that no request waits for a disk."""
        while True:
            disk = shutil.disk_usage(self.data_dir if self.data_dir.exists() else Path("/"))
            self.space = disk.free / disk.total > LEAST_FREE_SHARE
            await asyncio.sleep(SPACE_EVERY_SECONDS)


def _shown(request: Request) -> str:
    authorization = request.headers.get(b"authorization")
    return door.key_in_header(authorization) if authorization else ""


@lru_cache(maxsize=1_024)
def _shared_lines(origin: bytes) -> bytes:
    return (
        b"access-control-allow-origin: %b\r\naccess-control-allow-credentials: true\r\n"
        b"access-control-expose-headers: Retry-After, X-RateLimit-Reset\r\nvary: origin\r\n"
    ) % origin


def _shared_with(origin: bytes) -> bytes:
    """The header lines that let a page of this origin read the answer."""
    return _shared_lines(origin) if door.ORIGIN(origin) else b""


def _document(body: bytes, kept: str) -> Answer:
    return Answer(200, body, ("cache-control", kept))


def _served(file: File, request: Request) -> Answer:
    status, headers, body = file.answer(request.headers, request.query)
    return Answer(status, body, *((name.decode(), value.decode()) for name, value in headers), kind="")


def _challenge(text: bytes) -> Answer:
    """Text that no browser reads as a page: the answer to a provider's challenge."""
    return Answer(200, text, ("x-content-type-options", "nosniff"), kind="text/plain; charset=utf-8")


def _alive() -> Answer:
    return Answer(200, b'{"alive":true}')
