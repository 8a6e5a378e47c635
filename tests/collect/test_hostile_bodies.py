"""A body may not cost more than its length: whoever sends it without a key must not hold a collector.

Counted is work, not time: lines of our reader that run, and bytes handed to the readers below it.
"""

import json
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cegla.collect.rules import envelope
from cegla.collect.rules.envelope import NotJson, read

SIZE = 6_000
READERS = ("_read_body", "_read_key", "_read_anything", "_read_text")
OPENINGS = (b"", b'{"batch":[', b'{"writeKey":"', b'{"a":{"b":', b"\xef\xbb\xbf", b'{"batch":[' + b"[" * 1_500 + b"]" * 1_500 + b",")
PIECES = (
    b"[", b"]", b"{", b'{"a":', b'[""', b"[]", b'"', b'""', b"\\", b"\\\\", b'\\"', b"NaN,", b"Infinity", b'"\\ud800",', b"\xef\xbb\xbf", b"1", b"-", b"0.", b"e9", b",",
    b":", b"null,", b'"x":1,', b'{"a":NaN},', b"\x00", b"\xff", b" ", b"[" * 300 + b"]" * 300 + b",", b'{"batch":', b'"batch":[],',
)  # fmt: skip
bodies = st.tuples(st.sampled_from(OPENINGS), st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map(b"".join), st.sampled_from((b"", b"1]}", b'"}', b"]" * 50)))


def made(parts: tuple[bytes, bytes, bytes], size: int) -> bytes:
    opening, piece, ending = parts
    return opening + piece * (size // len(piece) + 1) + ending


class Work:
    """What reading a body takes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lines = self.bytes = 0
        for name in READERS:
            monkeypatch.setattr(envelope, name, self._counting(getattr(envelope, name)))
        monkeypatch.setattr(envelope.json, "loads", self._counting(json.loads))

    def of(self, body: bytes) -> tuple[int, int]:
        self.lines = self.bytes = 0
        before = sys.gettrace()
        sys.settrace(self._trace)
        try:
            read(body)
        except NotJson:
            pass
        finally:
            sys.settrace(before)
        return self.lines, self.bytes

    def _counting(self, reader: Callable[..., Any]) -> Callable[..., Any]:
        def counted(text: Any, **more: Any) -> Any:
            self.bytes += len(bytes(text))
            return reader(text, **more)

        return counted

    def _trace(self, frame: FrameType, event: str, _arg: object) -> Any:
        if frame.f_code.co_filename != envelope.__file__:
            return None
        self.lines += event == "line"
        return self._trace


@settings(deadline=None)
@given(bodies)
def test_a_body_of_any_pieces_costs_no_more_than_its_length(parts: tuple[bytes, bytes, bytes]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        work = Work(patched)
        for size in (SIZE, 4 * SIZE):
            body = made(parts, size)
            lines, handed = work.of(body)
            assert lines <= 5 * len(body) + 2_000
            assert handed <= 6 * len(body) + 2_000


def test_the_count_sees_a_reader_that_tries_anew_at_every_quote(monkeypatch: pytest.MonkeyPatch) -> None:
    """The counts can fail: a reader as it once was, which looked at the rest of the body again and again."""
    work = Work(monkeypatch)

    def again(body: bytes) -> Any:
        for start in range(0, len(body), 100):
            try:
                envelope._read_anything(body[start:])
            except (ValueError, RecursionError):
                continue
        raise NotJson

    monkeypatch.setattr(envelope, "_read_around_the_deep", again)
    body = b'{"batch":[' + b"[" * 12_000
    assert work.of(body)[1] > 6 * len(body) + 2_000


@pytest.mark.parametrize("event", [b"NaN", b"{}", b"1", b'{"a":NaN}'])
def test_a_batch_of_thousands_of_crumbs_with_a_nan_among_them_is_refused_before_each_is_written_anew(event: bytes) -> None:
    crumbs = b'{"batch":[NaN,' + b",".join([event] * 50_000) + b"]}"
    with pytest.raises(NotJson):
        read(crumbs)
    few = read(b'{"batch":[NaN,' + b",".join([event] * 500) + b"]}")
    assert len(few.events) == 501


def test_a_long_batch_of_real_events_with_a_nan_in_one_loses_none() -> None:
    event = b'{"type":"page","anonymousId":"a"}'
    assert len(read(b'{"batch":[' + b",".join([event] * 10_000) + b',{"type":"page","properties":{"n":NaN}}]}').events) == 10_001
