"""Calls of an ASGI application within this process: the same requests and answers as over a socket, without one."""

from types import TracebackType
from typing import Any, Self

import httpx
from anyio.from_thread import start_blocking_portal


class Inside(httpx.BaseTransport):
    """For `httpx.Client(transport=Inside(app))`. The application runs in an event loop of its own thread until the client closes."""

    def __init__(self, app: Any) -> None:
        self._running = start_blocking_portal()
        self._portal = self._running.__enter__()
        self._app = httpx.ASGITransport(app, raise_app_exceptions=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type[BaseException] | None = None, exc_value: BaseException | None = None, traceback: TracebackType | None = None) -> None:
        self.close()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One call; waits for the whole answer."""
        body = request.read()

        async def call() -> httpx.Response:
            asked = httpx.Request(request.method, request.url, headers=request.headers, content=body)
            answer = await self._app.handle_async_request(asked)
            return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())

        return self._portal.call(call)

    def close(self) -> None:
        """End the thread."""
        self._running.__exit__(None, None, None)
