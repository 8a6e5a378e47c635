"""What the door can answer: every answer is a row with its words and headers, made once and sent as it is."""

from functools import lru_cache

from cegla.http.answer import CROWDED, HEAD_TOO_LARGE, NOT_HTTP, TOO_LARGE, TOO_SLOW, Answer, refusal

TEXT = "text/plain; version=0.0.4; charset=utf-8"
GIF = "image/gif"

_PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")

DONE = Answer(200, b'{"success": true}', when="committed and flushed to disk; also what is taken and not kept (the SDKs' own metrics)")
DRAWN = Answer(200, _PIXEL, ("cache-control", "no-store"), kind=GIF, when="a pixel's event is committed: a transparent picture of one point")
MALFORMED = refusal(400, "invalid_request", "malformed JSON", when="the body is not JSON", counted="malformed")
UNREADABLE = refusal(400, "invalid_request", "the content encoding cannot be read", when="damaged gzip, or no gzip", counted="unreadable_encoding")
WRONG_KEY = refusal(401, "invalid_write_key", "invalid write key", when="no key, or a key that a list read after the request does not hold, or a revoked one")
WRONG_SIGNATURE = refusal(401, "invalid_signature", "the signature is missing, wrong or too old", when="a webhook's request that its sender did not sign")
WRONG_ORIGIN = refusal(403, "origin_not_allowed", "the source does not allow this origin", when="a page of another origin", counted="origin_not_allowed")
NO_SUCH_PATH = refusal(404, "not_found", "there is no such path", when="any other path; nothing is ever redirected")
DISABLED = refusal(404, "source_disabled", "source is disabled", when="the source was switched off", counted="source_disabled")
WRONG_METHOD = refusal(405, "method_not_allowed", "this path takes another method", 0, ("allow", "GET, HEAD, POST"), when="the path takes another method")
TOO_FAST = refusal(429, "rate_limited", "the source sends too fast; try again", 1, when="more requests a second than allowed", counted="rate_limited")
BUSY = refusal(429, "too_many_requests", "too many requests wait; try again", 1, when="too much waits: in number, bytes or time", counted="too_many_requests")
LITTLE_SPACE = refusal(429, "little_space", "the disk is nearly full; try again later", 30, when="less than 5 % of the disk is free")
FAILED = refusal(500, "failed", "an unexpected failure; try again", when="an unexpected failure, which is in the log; nothing was kept")
KEYS_UNKNOWN = refusal(503, "keys_not_loaded", "the key list is out of date; try again", 1, when="the key list may be out of date, so the key may be good")
AWAY = refusal(503, "unavailable", "the store is away; try again", 1, when="PostgreSQL is away or a commit failed; repeats are dropped if it did arrive")
NO_SPACE = refusal(507, "no_space", "the disk is full; try again later", 30, when="PostgreSQL found no space for the commit")

#: Every answer to an event, for docs/reference/collector.md.
ANSWERS = (
    DONE, DRAWN, MALFORMED, UNREADABLE, NOT_HTTP, WRONG_KEY, WRONG_SIGNATURE, WRONG_ORIGIN, NO_SUCH_PATH, DISABLED, WRONG_METHOD, TOO_SLOW, TOO_LARGE,
    TOO_FAST, BUSY, LITTLE_SPACE, HEAD_TOO_LARGE, FAILED, KEYS_UNKNOWN, AWAY, CROWDED, NO_SPACE,
)  # fmt: skip


def too_fast(wait_seconds: float, now: float) -> Answer:
    """TOO_FAST with the whole seconds to wait, and the Unix time at which the source may send again."""
    seconds = max(1, int(wait_seconds + 0.999))
    return _too_fast(seconds, int(now) + seconds)


@lru_cache(maxsize=64)
def _too_fast(seconds: int, reset: int) -> Answer:
    return refusal(
        429, "rate_limited", "the source sends too fast; try again", seconds, ("x-ratelimit-reset", str(reset)), when=TOO_FAST.when, counted=TOO_FAST.counted
    )
