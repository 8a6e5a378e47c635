"""Answers as they are sent: made once with their headers, and those that the protocol itself gives."""

from http import HTTPStatus

JSON = "application/json"


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


def refusal(status: int, code: str, message: str, retry_after_seconds: int = 0, *more: tuple[str, str], when: str, counted: str = "") -> Answer:
    """The row of a refusal, with its body in JSON."""
    retry = (("retry-after", str(retry_after_seconds)),) if retry_after_seconds else ()
    body = f'{{"success":false,"message":"{message}","code":"{code}"}}'.encode()
    return Answer(status, body, *retry, *more, when=when, counted=counted)


NOT_HTTP = refusal(400, "not_http", "not a HTTP request", when="the bytes are no HTTP/1.1 request; the connection is closed")
TOO_SLOW = refusal(408, "too_slow", "the request did not arrive in time", when="a request is not complete after 60 seconds; the connection is closed")
TOO_LARGE = refusal(413, "too_large", "the request is too large", when="the body, decompressed, is larger than the source allows", counted="too_large")
HEAD_TOO_LARGE = refusal(431, "headers_too_large", "the headers are too large", when="more than 32 kB of headers; the connection is closed")
CROWDED = refusal(503, "too_many_connections", "too many connections; try again", 1, when="10,000 connections are open in this process")
