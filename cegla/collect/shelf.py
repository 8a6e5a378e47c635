"""The files that websites load from a collector, answered from memory: our own script, and Segment's for pages that have its snippet."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).parent / "static"
CARRIED = HERE / "analytics-next"  #: @segment/analytics-next as its makers built it, under its licence
CARRIED_NAMES = frozenset(file.name for file in CARRIED.glob("*.js"))
SNIPPET = "standalone.js"  #: what the snippet loads; the others are its parts
CACHED = b"public, max-age=86400, stale-while-revalidate=604800"  # the address in the page never changes, so an update needs at most a day
CACHED_FOR_GOOD = b"public, max-age=31536000, immutable"  # for an address that names this very content: c.js?v=...
JAVASCRIPT = b"text/javascript; charset=utf-8"
Header = tuple[bytes, bytes]


@dataclass(frozen=True)
class File:
    """One file with what its answers need. `version` changes with the content."""

    content_type: bytes
    body: bytes
    packed: bytes  #: the body as gzip
    version: str

    def answer(self, headers: Mapping[bytes, bytes], query: bytes) -> tuple[int, list[Header], bytes]:
        """Status, headers and body for a request with these headers: 304 when the browser has this version already."""
        packs = b"gzip" in headers.get(b"accept-encoding", b"")
        etag = f'"{self.version}{"-gz" if packs else ""}"'.encode()
        shared: list[Header] = [
            (b"cache-control", CACHED_FOR_GOOD if query == f"v={self.version}".encode() else CACHED),
            (b"etag", etag),
            (b"vary", b"accept-encoding, origin"),
        ]
        known = [one.strip().removeprefix(b"W/") for one in headers.get(b"if-none-match", b"").split(b",")]
        if etag in known or b"*" in known:
            return 304, shared, b""
        body = self.packed if packs else self.body
        shared += [
            (b"content-type", self.content_type),
            (b"content-length", str(len(body)).encode()),
            (b"cross-origin-resource-policy", b"cross-origin"),
            (b"x-content-type-options", b"nosniff"),
        ]
        return 200, [*shared, (b"content-encoding", b"gzip")] if packs else shared, body


def carried(name: str) -> File | None:
    """A file of analytics.js 2, or None when there is none of that name."""
    return _carried(name) if name in CARRIED_NAMES else None


@cache
def _carried(name: str) -> File:
    """Read when it is first asked for: few collectors ever are."""
    return _read(f"{CARRIED.name}/{name}", JAVASCRIPT)


def _read(name: str, content_type: bytes) -> File:
    body = (HERE / name).read_bytes()
    return File(content_type, body, gzip.compress(body, 9, mtime=0), sha256(body).hexdigest()[:16])


#: By path, as in <script async src="https://HOST/c.js" data-key="wk_...">.
FILES: Mapping[str, File] = {"/c.js": _read("c.js", JAVASCRIPT), "/push-worker.js": _read("push-worker.js", JAVASCRIPT)}
