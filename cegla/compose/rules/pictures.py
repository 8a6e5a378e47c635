"""Images as mail programs show them: PNG, JPEG and GIF, told by their content and written anew piece by piece.

Only the pieces that draw the picture are kept: a camera's place and time, comments, profiles, and whatever hangs behind the end are gone, and
so is a second file hidden in the first. Anything else (SVG, WebP, HTML under a false name) is refused: it can hold code, or half of
the mail programs do not show it. Pixels are not decoded, so no decoder can be attacked.
"""

import struct
import zlib
from typing import NamedTuple

MOST_BYTES = 1_000_000
MOST_PIXELS = 4_000  #: along one side
PNG, JPEG, GIF = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", (b"GIF87a", b"GIF89a")
DRAWS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"gAMA", b"sRGB", b"acTL", b"fcTL", b"fdAT", b"bKGD"}
FRAMES = {0xC0, 0xC1, 0xC2}  #: baseline, extended, progressive
DROPPED = {0xFE, *range(0xE1, 0xF0)} - {0xEE}  #: comments and application data; APP0 (JFIF) and APP14 (how colors are coded) stay


class Wrong(ValueError):
    """Why an image is refused: one of the keys of `REASONS` in the door."""


class Picture(NamedTuple):
    """An image made anew: its media type, the ending of its name, its size in pixels, its bytes."""

    media_type: str
    ending: str
    width: int
    height: int
    content: bytes


def cleaned(raw: bytes) -> Picture:
    """The image of an upload, told by its content. Raises Wrong: too_large, unknown, broken or too_wide."""
    if len(raw) > MOST_BYTES:
        raise Wrong("too_large")
    try:
        if raw.startswith(PNG):
            made = _png(raw)
        elif raw.startswith(JPEG):
            made = _jpeg(raw)
        elif raw.startswith(GIF):
            made = _gif(raw)
        else:
            raise Wrong("unknown")
    except (struct.error, IndexError):
        raise Wrong("broken") from None
    if not (0 < made.width <= MOST_PIXELS and 0 < made.height <= MOST_PIXELS):
        raise Wrong("too_wide")
    return made


def _png(raw: bytes) -> Picture:
    at, kept, size, seen = len(PNG), [PNG], (0, 0), set[bytes]()
    while b"IEND" not in seen:
        length, kind = struct.unpack_from(">I4s", raw, at)
        body = raw[at + 8 : at + 8 + length]
        if len(body) != length or struct.unpack_from(">I", raw, at + 8 + length)[0] != zlib.crc32(kind + body):
            raise Wrong("broken")
        if not seen:
            if kind != b"IHDR" or length != 13:
                raise Wrong("broken")
            size = struct.unpack_from(">II", body)
        if kind in DRAWS:
            kept.append(raw[at : at + 12 + length])
        seen.add(kind)
        at += 12 + length
    if b"IDAT" not in seen:
        raise Wrong("broken")
    return Picture("image/png", "png", *size, b"".join(kept))


def _jpeg(raw: bytes) -> Picture:
    at, kept, size = 2, [raw[:2]], (0, 0)
    while True:
        if raw[at] != 0xFF:
            raise Wrong("broken")
        while raw[at + 1] == 0xFF:
            at += 1
        marker = raw[at + 1]
        if marker == 0xD9:
            break
        (length,) = struct.unpack_from(">H", raw, at + 2)
        end = at + 2 + length
        if marker in FRAMES:
            height, width = struct.unpack_from(">HH", raw, at + 5)
            size = (width, height)
        if marker not in DROPPED:
            kept.append(raw[at:end])
        if marker == 0xDA:
            end = _scan_end(raw, end)
            kept.append(raw[at + 2 + length : end])
        at = end
    return Picture("image/jpeg", "jpg", *size, b"".join([*kept, b"\xff\xd9"]))


def _scan_end(raw: bytes, at: int) -> int:
    """Where the coded picture ends: the next marker that is no stuffed zero and no restart."""
    while True:
        at = raw.find(b"\xff", at)
        if at < 0:
            raise Wrong("broken")
        following = raw[at + 1]
        if following == 0 or 0xD0 <= following <= 0xD7 or following == 0xFF:
            at += 2 if following != 0xFF else 1
            continue
        return at


def _gif(raw: bytes) -> Picture:
    width, height, flags = struct.unpack_from("<HHB", raw, 6)
    at = 13 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
    kept, frames = [raw[:at]], 0
    while raw[at] != 0x3B:
        start = at
        if raw[at] == 0x2C:
            own = raw[at + 9]
            at = _blocks_end(raw, at + 11 + (3 << ((own & 7) + 1) if own & 0x80 else 0))
            frames += 1
            kept.append(raw[start:at])
        elif raw[at] == 0x21:
            kind = raw[at + 1]
            at = _blocks_end(raw, at + 2)
            if kind == 0xF9 or (kind == 0xFF and raw[start + 3 : start + 14] == b"NETSCAPE2.0"):
                kept.append(raw[start:at])
        else:
            raise Wrong("broken")
    if not frames:
        raise Wrong("broken")
    return Picture("image/gif", "gif", width, height, b"".join([*kept, b"\x3b"]))


def _blocks_end(raw: bytes, at: int) -> int:
    while raw[at]:
        at += raw[at] + 1
    return at + 1
