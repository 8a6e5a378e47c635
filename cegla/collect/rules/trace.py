"""The header `traceparent` of W3C Trace Context: by its id a request is followed to what came of it, here and in whatever made it."""

import re

_HEADER = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})(-.*)?").fullmatch
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
LONGEST = 200


def traceparent(header: object) -> str | None:
    """The header as version 00 writes it; None when it names no trace. A later version may add to it, which is left out."""
    found = _HEADER(header.strip()) if isinstance(header, str) and len(header) <= LONGEST else None
    if found is None or found[1] == "ff" or (found[1] == "00" and found[3]):
        return None
    trace, span, _ = found[2].split("-")
    return None if trace == _NO_TRACE or span == _NO_SPAN else f"00-{found[2]}"


def trace_id(parent: str) -> str:
    """The id of the whole trace: 32 hexadecimal digits."""
    return parent[3:35]
