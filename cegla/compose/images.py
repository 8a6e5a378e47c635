"""Images that we host: taken in when they are images, written anew, and kept under a name made of their content."""

import hashlib
from datetime import datetime

from cegla.compose.rules import pictures
from cegla.compose.store import SQL, Image
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.errors.messages import ImageRefused
from cegla.vocabulary.text import Text

REASONS: dict[str, Text] = {
    "too_large": Text(f"plik jest większy niż {pictures.MOST_BYTES // 1000} kB", f"the file is larger than {pictures.MOST_BYTES // 1000} kB"),
    "unknown": Text("to nie jest PNG, JPEG ani GIF", "it is no PNG, JPEG or GIF"),
    "broken": Text("plik jest uszkodzony", "the file is damaged"),
    "too_wide": Text(f"bok ma więcej niż {pictures.MOST_PIXELS} pikseli", f"a side has more than {pictures.MOST_PIXELS} pixels"),
}


def host(conn: Connection, raw: bytes, label: str, now: datetime) -> Image:
    """Take an upload in as an image of ours, told by its content and cleaned of everything but the picture. Raises ImageRefused."""
    try:
        made = pictures.cleaned(raw)
    except pictures.Wrong as wrong:
        raise ImageRefused(where="image", seen=label, detail=REASONS[str(wrong)]) from None
    name = f"{hashlib.sha256(made.content).hexdigest()[:32]}.{made.ending}"
    image = Image(name, made.media_type, made.width, made.height, len(made.content), label[:200], now)
    SQL.add_image(conn, **{field: value for field, value in image._asdict().items() if field != "added_at"}, now=now, content=made.content)
    return image


def hosted(conn: Connection) -> list[Image]:
    """The images we host, newest first, 500 at most."""
    return [Image(*row) for row in SQL.images(conn)]


def content(conn: Connection, name: str) -> tuple[str, bytes]:
    """Media type and bytes of an image. Raises NotFound."""
    row = SQL.image(conn, name=name)
    if row is None:
        raise NotFound(where="image", seen=name, thing=Text("obraz", "image"))
    return row[0], bytes(row[1])
