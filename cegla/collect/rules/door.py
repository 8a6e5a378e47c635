"""What the door decides without asking anybody: what a path means, which key a request shows, how large it may be."""

import base64
import binascii
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from urllib.parse import parse_qs

import msgspec

SNIPPET_PATH = "/analytics.js/v1/{key}/analytics.min.js"
CALLS = ("identify", "track", "page", "screen", "group", "alias")


class Does(Enum):
    """What a path is for."""

    TAKE = "takes events"
    DRAW = "takes one event, answers a picture"
    SETTINGS = "settings of the Segment SDKs"
    SOURCE_CONFIG = "settings of the RudderStack SDKs"
    SCRIPT = "a file of analytics.js 2"
    HOOK = "takes what other systems send"
    SWALLOW = "taken, not kept"
    ALIVE = "whether the process lives"
    READY = "whether events can be committed here"
    METRICS = "figures of this process"


@dataclass(frozen=True, slots=True)
class Path:
    """One path. `{key}` stands for a write key or a token; `call` is the call it means, None for a batch."""

    method: str
    path: str
    does: Does
    call: str | None
    callers: str


#: Every path of the contract; each also works with slashes at its end or doubled, since a redirect would lose the body.
PATHS: tuple[Path, ...] = (
    *(Path("POST", f"/v1/{call}", Does.TAKE, call, "any HTTP client") for call in CALLS),
    *(Path("POST", f"/v1/{call[0]}", Does.TAKE, call, "analytics.js 2 (`@segment/analytics-next`)") for call in CALLS),
    Path("POST", "/v1/merge", Does.TAKE, "merge", "RudderStack: two identifiers are one person"),
    Path("POST", "/v1/batch", Does.TAKE, None, "server SDKs of Segment and RudderStack"),
    Path("POST", "/v1/b", Does.TAKE, None, "analytics.js 2 when batching, mobile SDKs"),
    Path("POST", "/v1/import", Does.TAKE, None, "RudderStack and Segment: history"),
    Path("POST", "/beacon/v1/batch", Does.TAKE, None, "RudderStack's `sendBeacon`, with `?writeKey=`"),
    Path("GET", "/pixel/v1/track", Does.DRAW, "track", "RudderStack's pixel: fields in the query"),
    Path("GET", "/pixel/v1/page", Does.DRAW, "page", "RudderStack's pixel: fields in the query"),
    *(Path("GET", f"/v1/pixel/{call}", Does.DRAW, call, "Segment's pixel: `?data=` and JSON in Base64") for call in CALLS),
    Path("GET", "/v1/projects/{key}/settings", Does.SETTINGS, None, "analytics.js 2 and mobile SDKs at their start"),
    Path("GET", "/sourceConfig", Does.SOURCE_CONFIG, None, "RudderStack SDKs at their start (`configUrl`)"),
    Path("GET", SNIPPET_PATH, Does.SCRIPT, None, "Segment's snippet in a page"),
    Path("GET", "/analytics-next/bundles/{key}", Does.SCRIPT, None, "analytics.js 2: a part it loads later; `{key}` is its name"),
    *(Path(method, "/v1/webhooks/{key}", Does.HOOK, None, "webhooks; `{key}` is the token of one") for method in ("POST", "GET")),
    *(Path("POST", path, Does.SWALLOW, None, "the SDKs' metrics about themselves") for path in ("/v1/m", "/m", "/rsaMetrics")),
    Path("GET", "/healthz", Does.ALIVE, None, "supervisors"),
    Path("GET", "/readyz", Does.READY, None, "load balancers"),
    Path("GET", "/metrics", Does.METRICS, None, "Prometheus"),
)

#: The call each path means, by the path as it is sent most often: looked up first, for every request.
TAKING: dict[bytes, str | None] = {
    f"{row.path}{slash}".encode(): row.call for row in PATHS if row.does is Does.TAKE for slash in ("", "/")
}
_LITERAL: dict[str, dict[str, Path]] = {}
for _row in PATHS:
    _LITERAL.setdefault(_row.path, {})[_row.method] = _row
_WITH_KEY = {pattern: rows for pattern, rows in _LITERAL.items() if "{key}" in pattern}

ORIGIN = re.compile(rb"[\x21-\x7e]{1,200}").fullmatch
HEADER_NAMES = re.compile(rb"[A-Za-z0-9_\-, ]{1,1000}").fullmatch
_GZIP_MAGIC = b"\x1f\x8b"
_KEY_IN_TEXT = re.compile(rb'"writeKey"\s*:\s*"([\w\-]{1,200})"')
LONGEST_AUTHORIZATION = 1_024
MOST_MEMBERS = 64  #: of one gzip: parallel packers write several; thousands of empty ones would only cost time


class TooLarge(Exception):
    """The request is larger than allowed, as sent or decompressed."""


class Unreadable(Exception):
    """The request claims an encoding that it does not have, or that nobody here can read."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a key allows. None for a limit means the installation's."""

    source_id: int
    write_key: str  #: the source's present one, whichever was shown
    trusted: bool  #: the secret key was shown
    enabled: bool
    origins: tuple[str, ...]
    largest_request_bytes: int | None = None
    requests_per_second: float | None = None

    def serves(self, origin: str) -> bool:
        """Whether a page of this origin may use the key."""
        return not self.origins or self.trusted or origin in self.origins


def find(path: str) -> tuple[dict[str, Path], str]:
    """The rows of a path by method (none: there is no such path), and the key in it. Slashes at the end or doubled do not matter."""
    segments = [segment for segment in path.split("/") if segment]
    if rows := _LITERAL.get("/" + "/".join(segments)):
        return rows, ""
    for pattern, rows in _WITH_KEY.items():
        key = key_in_path(pattern, segments)
        if key is not None:
            return rows, key
    return {}, ""


def key_in_path(pattern: str, segments: list[str]) -> str | None:
    """The key that stands for `{key}` in a pattern, "" when the pattern has none; None when the path is another."""
    wanted = pattern.strip("/").split("/")
    if len(wanted) != len(segments):
        return None
    key = ""
    for part, segment in zip(wanted, segments, strict=True):
        if part == "{key}":
            key = segment
        elif part != segment:
            return None
    return key


def unpacked(body: bytes, encoding: bytes, largest: int) -> bytes:
    """The body without compression, never more than `largest` bytes of it in memory. Some SDKs send gzip without saying so."""
    if len(body) > largest:
        raise TooLarge
    if body[:2] != _GZIP_MAGIC:
        if encoding.strip().lower() in (b"", b"identity", b"gzip"):  # a body that says gzip and is none is judged as it is
            return body
        raise Unreadable(f"content-encoding {encoding.decode('latin-1')[:20]}")
    plain = b""
    for _ in range(MOST_MEMBERS):
        unpacker = zlib.decompressobj(31)
        try:
            plain += unpacker.decompress(body, largest + 1 - len(plain))
        except zlib.error:
            raise Unreadable("damaged gzip") from None
        if len(plain) > largest:
            raise TooLarge
        if not unpacker.eof:
            raise Unreadable("truncated gzip")
        body = unpacker.unused_data
        if body[:2] != _GZIP_MAGIC:
            return plain
    raise Unreadable("gzip in too many members")


@lru_cache(maxsize=4_096)
def _key_of_basic(authorization: bytes) -> str:
    scheme, _, rest = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return ""
    try:
        return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[0].strip()
    except (binascii.Error, ValueError):
        return ""


def key_in_header(authorization: bytes) -> str:
    """The key of a Basic header, with or without the colon after it; "" when there is none (OAuth sends Bearer and a key in the body)."""
    return _key_of_basic(authorization) if len(authorization) <= LONGEST_AUTHORIZATION else ""


def key_in_query(query: bytes) -> str:
    """The key of `?writeKey=`, as beacons and pixels send it."""
    if b"writeKey" not in query:
        return ""
    try:
        found = parse_qs(query.decode("latin-1"), max_num_fields=1_000).get("writeKey")
    except ValueError:
        return ""
    return found[0].strip() if found else ""


def key_in_beginning(beginning: bytes) -> str:
    """The key in the first part of a body too large to be read whole; "" when it is not there."""
    if beginning[:2] == _GZIP_MAGIC:
        try:
            beginning = zlib.decompressobj(31).decompress(beginning, 65_536)
        except zlib.error:
            return ""
    found = _KEY_IN_TEXT.search(beginning)
    return found[1].decode() if found else ""


def address_of(headers: Mapping[bytes, bytes], *, by_proxy: bool) -> str:
    """How the client reached this door: scheme and host, "https://events.example.com"; by a trusted proxy, as that says."""
    scheme = headers.get(b"x-forwarded-proto", b"http") if by_proxy else b"http"
    host = headers.get(b"host", b"localhost").decode("latin-1")
    return f"{'https' if scheme.strip().lower() == b'https' else 'http'}://{host}"


def settings_document(write_key: str, address: str) -> bytes:
    """What Segment's SDKs ask for before they send anything. More names in `integrations`, or a `plan`, would make them fetch code from this host first."""
    scheme, _, host = address.partition("://")
    return msgspec.json.encode(
        {
            "integrations": {"Segment.io": {"apiKey": write_key, "apiHost": f"{host.rstrip('/')}/v1", "protocol": scheme}},
            "metrics": {"sampleRate": 0},
        }
    )


def source_config(write_key: str, source_id: int, address: str) -> bytes:
    """What RudderStack's SDKs ask for before they send anything: a source without device-mode destinations, sending here."""
    return msgspec.json.encode(
        {
            "source": {
                "id": str(source_id),
                "name": str(source_id),
                "writeKey": write_key,
                "enabled": True,
                "config": {"statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}}},
                "dataplanes": {"EU": [{"url": address, "default": True}], "US": [{"url": address, "default": True}]},
                "destinations": [],
                "workspaceId": "cegla",
                "updatedAt": "2026-01-01T00:00:00.000Z",
            },
            "updatedAt": "2026-01-01T00:00:00.000Z",
        }
    )
