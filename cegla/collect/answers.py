"""What the door can answer: every answer is a row with its words and headers, made once and sent as it is."""

from functools import lru_cache
from http import HTTPStatus

TEXT = "text/plain; version=0.0.4; charset=utf-8"
JSON = "application/json"
GIF = "image/gif"

_PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")


class Answer:
    """A complete answer. `when` says in which case it is given, for the reference page; `counted` under which name a source's owner sees it."""

    __slots__ = ("body", "counted", "head", "plain", "status", "when")

    def __init__(self, status: int, body: bytes, *more: tuple[str, str], kind: str = JSON, when: str = "", counted: str = "") -> None:
        self.status = status
        self.body = body
        self.when = when
        self.counted = counted
        given = {name for name, _ in more}
        own = [("content-type", kind)] if body and kind else []
        headers = [*own, *more] if "content-length" in given or status == HTTPStatus.NOT_MODIFIED else [*own, ("content-length", str(len(body))), *more]
        lines = (f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in headers))
        self.head = "".join(f"{line}\r\n" for line in lines).encode("latin-1")
        self.plain = self.head + b"\r\n" + body

    def written(self, lines: bytes, *, close: bool, head_only: bool) -> bytes:
        """The bytes to send, with more header lines."""
        if not (lines or close or head_only):
            return self.plain
        return b"".join((self.head, lines, b"connection: close\r\n" if close else b"", b"\r\n", b"" if head_only else self.body))

    @property
    def retry_after_seconds(self) -> int | None:
        """The value of `Retry-After`, when there is one."""
        _, found, rest = self.head.partition(b"retry-after: ")
        return int(rest.partition(b"\r")[0]) if found else None


def _refusal(status: int, code: str, message: str, retry_after_seconds: int = 0, *more: tuple[str, str], when: str, counted: str = "") -> Answer:
    retry = (("retry-after", str(retry_after_seconds)),) if retry_after_seconds else ()
    body = f'{{"success":false,"message":"{message}","code":"{code}"}}'.encode()
    return Answer(status, body, *retry, *more, when=when, counted=counted)


DONE = Answer(200, b'{"success": true}', when="committed and flushed to disk; also what is taken and not kept (the SDKs' own metrics)")
DRAWN = Answer(200, _PIXEL, ("cache-control", "no-store"), kind=GIF, when="a pixel's event is committed: a transparent picture of one point")
MALFORMED = _refusal(400, "invalid_request", "malformed JSON", when="the body is not JSON", counted="malformed")
UNREADABLE = _refusal(400, "invalid_request", "the content encoding cannot be read", when="damaged gzip, or no gzip", counted="unreadable_encoding")
NOT_HTTP = _refusal(400, "not_http", "not a HTTP request", when="the bytes are no HTTP/1.1 request; the connection is closed")
WRONG_KEY = _refusal(401, "invalid_write_key", "invalid write key", when="no key, or a key that a list read after the request does not hold, or a revoked one")
WRONG_SIGNATURE = _refusal(401, "invalid_signature", "the signature is missing, wrong or too old", when="a webhook's request that its sender did not sign")
WRONG_ORIGIN = _refusal(403, "origin_not_allowed", "the source does not allow this origin", when="a page of another origin", counted="origin_not_allowed")
NO_SUCH_PATH = _refusal(404, "not_found", "there is no such path", when="any other path; nothing is ever redirected")
DISABLED = _refusal(404, "source_disabled", "source is disabled", when="the source was switched off", counted="source_disabled")
WRONG_METHOD = _refusal(405, "method_not_allowed", "this path takes another method", 0, ("allow", "GET, HEAD, POST"), when="the path takes another method")
TOO_SLOW = _refusal(408, "too_slow", "the request did not arrive in time", when="a request is not complete after 60 seconds; the connection is closed")
TOO_LARGE = _refusal(413, "too_large", "the request is too large", when="the body, decompressed, is larger than the source allows", counted="too_large")
TOO_FAST = _refusal(429, "rate_limited", "the source sends too fast; try again", 1, when="more requests a second than allowed", counted="rate_limited")
BUSY = _refusal(429, "too_many_requests", "too many requests wait; try again", 1, when="too much waits: in number, bytes or time", counted="too_many_requests")
LITTLE_SPACE = _refusal(429, "little_space", "the disk is nearly full; try again later", 30, when="less than 5 % of the disk is free")
HEAD_TOO_LARGE = _refusal(431, "headers_too_large", "the headers are too large", when="more than 32 kB of headers; the connection is closed")
KEYS_UNKNOWN = _refusal(503, "keys_not_loaded", "the key list is out of date; try again", 1, when="the key list may be out of date, so the key may be good")
AWAY = _refusal(503, "unavailable", "the store is away; try again", 1, when="PostgreSQL is away or a commit failed; repeats are dropped if it did arrive")
CROWDED = _refusal(503, "too_many_connections", "too many connections; try again", 1, when="10,000 connections are open in this process")
NO_SPACE = _refusal(507, "no_space", "the disk is full; try again later", 30, when="PostgreSQL found no space for the commit")

#: Every answer to an event, for docs/reference/collector.md.
ANSWERS = (
    DONE, DRAWN, MALFORMED, UNREADABLE, NOT_HTTP, WRONG_KEY, WRONG_SIGNATURE, WRONG_ORIGIN, NO_SUCH_PATH, DISABLED, WRONG_METHOD, TOO_SLOW, TOO_LARGE,
    TOO_FAST, BUSY, LITTLE_SPACE, HEAD_TOO_LARGE, KEYS_UNKNOWN, AWAY, CROWDED, NO_SPACE,
)  # fmt: skip


def too_fast(wait_seconds: float, now: float) -> Answer:
    """TOO_FAST with the whole seconds to wait, and the Unix time at which the source may send again."""
    seconds = max(1, int(wait_seconds + 0.999))
    return _too_fast(seconds, int(now) + seconds)


@lru_cache(maxsize=64)
def _too_fast(seconds: int, reset: int) -> Answer:
    return _refusal(
        429, "rate_limited", "the source sends too fast; try again", seconds, ("x-ratelimit-reset", str(reset)), when=TOO_FAST.when, counted=TOO_FAST.counted
    )
