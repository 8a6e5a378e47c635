"""The front of the app's address: hot routes are answered by the house's own HTTP, all else goes to the ASGI server behind.

    socket ─► first bytes of a request ─┬─ a hot route ─► protocol of our own ─► hot.answered ─► answer
                                        └─ anything else ─► ASGI server, for the rest of the connection

It is the same process, the same address and the same handlers: whoever arrives at the server behind, because a connection began with
another request, gets the same answer, only slower (docs/decisions/0018-hot-reads-have-a-front-of-their-own.md).
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import Response
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cegla.api.hot import HOT, answered
from cegla.api.refusals import refusal
from cegla.http.answer import TOO_LARGE, Answer
from cegla.http.protocol import Connection, Server, Trouble
from cegla.http.protocol import Request as Received
from cegla.vocabulary.errors import Busy
from cegla.vocabulary.text import Text

MOUNT = "/api/v1"
ROUTES = {f"{MOUNT}{route.path}".encode(): route for route in HOT}
BEGINNINGS = tuple(b"%b %b HTTP/1." % (route.method.encode(), path) for path, route in ROUTES.items())
LARGEST_BODY_BYTES = 500_000
MISDIRECTED = Answer(421, b"", when="a request was sent before the answer to the one before it")
NO_ROOM = Text("zbyt wiele danych czeka na odpowiedź", "too much data waits for its answer")
Behind = Callable[[], asyncio.Protocol]


class Front:
    """Answers hot routes of an API (the `Application` of an `http.protocol.Server`)."""

    largest_body_bytes = LARGEST_BODY_BYTES

    def __init__(self, api: FastAPI) -> None:
        self._api = api
        self._answering: set[asyncio.Task[Response]] = set()

    def handle(self, request: Received) -> None:
        """Answer a request, once its handler did."""
        route = ROUTES.get(request.path)
        if route is None or request.method != route.method.encode():
            request.close = True  # what follows an unanswered request on its connection cannot be handed over any more
            request.answer(MISDIRECTED)
            return
        if request.trouble is Trouble.TOO_LARGE:
            request.answer(TOO_LARGE)
            return
        asked = Request(self._scope(request))
        if request.trouble is Trouble.NO_ROOM:
            request.answer(_sendable(refusal(asked, Busy(where="/", detail=NO_ROOM))))
            return
        task = asyncio.get_running_loop().create_task(answered(route, asked, request.body))
        self._answering.add(task)
        task.add_done_callback(partial(self._settle, request, asked))

    def _settle(self, request: Received, asked: Request, task: "asyncio.Task[Response]") -> None:
        self._answering.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        request.answer(_sendable(task.result() if error is None else refusal(asked, error)))

    def _scope(self, request: Received) -> dict[str, Any]:
        """What a handler sees of the request: the same as from the server behind."""
        return {
            "type": "http", "http_version": "1.1", "method": request.method.decode(), "path": request.path.decode("latin-1"), "query_string": request.query,
            "root_path": "", "scheme": "http", "headers": list(request.headers.items()), "client": (request.peer, 0), "app": self._api,
        }  # fmt: skip


class FrontConnection(Connection):
    """A connection whose next request may be one for the server behind: each says so with its first bytes, and who says nothing is timed out."""

    __slots__ = ("_behind",)

    def __init__(self, server: Server, behind: Behind) -> None:
        super().__init__(server)
        self._behind = behind

    def data_received(self, data: bytes) -> None:
        """Read on, or hand over between two requests: whoever is not surely asking for a hot route is for the server behind, which answers all."""
        if not self.idle or data.startswith(BEGINNINGS):
            super().data_received(data)
        elif (transport := self.give_up()) is not None:
            _take_over(transport, self._behind(), data)


def _take_over(transport: asyncio.Transport, protocol: asyncio.Protocol, data: bytes) -> None:
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    protocol.data_received(data)


class FrontedServer(uvicorn.Server):
    """The ASGI server with the front before it, on one address."""

    def __init__(self, config: uvicorn.Config, api: FastAPI) -> None:
        super().__init__(config)
        self._front = Server(Front(api))
        config.http = cast("type[asyncio.Protocol]", self._enter)  # a maker of protocols; uvicorn calls it with what its own need

    def _enter(self, **given: Any) -> asyncio.Protocol:
        return FrontConnection(self._front, lambda: HttpToolsProtocol(**given))

    async def startup(self, sockets: Any = None) -> None:
        """Begin with the front's watch over time-outs."""
        await self._front.listen(())
        await super().startup(sockets)

    async def shutdown(self, sockets: Any = None) -> None:
        """Accept nothing more, answer what is under way on both sides, end."""
        for listening in self.servers:
            listening.close()
        await self._front.stop()
        await super().shutdown(sockets)


def _sendable(response: Response) -> Answer:
    headers = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.raw_headers)
    return Answer(response.status_code, bytes(response.body), *headers, kind="")
