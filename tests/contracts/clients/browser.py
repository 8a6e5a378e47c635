"""Pages of a shop in Chromium, each with an SDK that its own origin serves, so that the collector is of another origin as on a real site."""

import asyncio
import mimetypes
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

HERE = Path(__file__).parent
CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)


class Browser:
    """One Chromium for all pages, and the server of the shop."""

    def __init__(self, chromium: Any, address: str) -> None:
        self._chromium = chromium
        self._address = address
        self.heard: list[str] = []  #: what the console said and which requests failed, for whoever asks why a test is red

    @asynccontextmanager
    async def page(self, file: str, **query: str) -> AsyncGenerator[None]:
        """A visit to a page of this folder, as a new visitor."""
        context = await self._chromium.new_context()
        page = await context.new_page()
        page.on("console", lambda message: self.heard.append(f"{query['package']}: {message.text}"))
        page.on("pageerror", lambda error: self.heard.append(f"{query['package']}: {error}"))
        page.on("requestfailed", lambda request: self.heard.append(f"{query['package']}: {request.method} {request.url} {request.failure}"))
        try:
            await page.goto(f"{self._address}/{file}{'&' if '?' in file else '?'}{urlencode(query)}")
            yield
        finally:
            await context.close()


@asynccontextmanager
async def open_browser() -> AsyncGenerator[Browser | None]:
    """Chromium and the shop; None where there is no Chromium."""
    if CHROMIUM is None:
        yield None
        return
    from playwright.async_api import async_playwright

    shop = await asyncio.start_server(_serve, "127.0.0.1", 0)
    async with async_playwright() as tools:
        chromium = await tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield Browser(chromium, f"http://127.0.0.1:{shop.sockets[0].getsockname()[1]}")
        finally:
            await chromium.close()
            shop.close()


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request with a file of this folder."""
    try:
        target = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
        file = HERE / target.partition("?")[0].lstrip("/")
        found = file.is_file() and file.suffix in (".html", ".js")
        body = file.read_bytes() if found else b""
        kind = mimetypes.guess_type(file.name)[0] if found else "text/plain"
        head = f"HTTP/1.1 {'200 OK' if found else '404 Not Found'}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()
