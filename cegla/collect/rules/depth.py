"""How deep JSON nests, counted before it is read."""

_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))


def depth(raw: bytes, enough: int) -> int:
    """How deep brackets nest. Brackets within strings count only when the plain count is too deep, since leaving them out is slow."""
    deepest = _deepest(raw.translate(None, _ALL_BUT_BRACKETS))
    return deepest if deepest <= enough else _deepest(_without_strings(raw).translate(None, _ALL_BUT_BRACKETS))


def _deepest(brackets: bytes) -> int:
    depth = deepest = 0
    for bracket in brackets:
        depth += 1 if bracket in b"{[" else -1
        deepest = max(deepest, depth)
    return deepest


def _without_strings(raw: bytes) -> bytes:
    pieces = raw.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
    return b"".join(pieces[::2])
