"""Images that we host: taken in when they are images, written anew, and kept under a name made of their content."""

import hashlib
import re
from datetime import datetime
from typing import NamedTuple

from cegla.activate import actions as activate
from cegla.compose.rules import pictures
from cegla.compose.store import SQL, Image
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors import InvalidInput, NotFound
from cegla.vocabulary.errors.messages import ImageRefused
from cegla.vocabulary.text import Text

ADDRESS = r"/images/([0-9a-f]{32}\.[a-z]+)"  #: of a hosted image, however it is written
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


class User(NamedTuple):
    """What shows an image: a letter, a snippet or a campaign, by its number and name."""

    kind: str
    id: int
    name: str


def users(conn: Connection) -> dict[str, list[User]]:
    """What shows each hosted image: drafts and versions of letters and snippets, and campaigns, for letters that were sent ask for it still."""
    found: dict[str, list[User]] = {}
    for image, number, kind, name in SQL.drafts_mentioning(conn, pattern=ADDRESS):
        found.setdefault(image, []).append(User(kind, number, name))
    for image, number, name in activate.contents.mentioning(conn, ADDRESS):
        found.setdefault(image, []).append(User("campaign", number, name))
    return found


def remove(conn: Connection, name: str, *, dry_run: bool = False) -> Image:
    """Forget an image that nothing shows; with `dry_run` only see whether that may be. Raises NotFound, InvalidInput when something shows it.

    A draft that is being kept at the same moment is waited for.
    """
    if not dry_run:
        SQL.hold_drafts(conn)
        activate.contents.hold(conn)
    row = SQL.image_facts(conn, name=name)
    if row is None:
        raise _absent(name)
    shown = users(conn).get(name)
    if shown:
        names = ", ".join(dict.fromkeys(one.name for one in shown))
        raise InvalidInput(where="image", seen=name, detail=Text(f"pokazują go: {names}", f"shown by: {names}"))
    if not dry_run:
        SQL.remove_image(conn, name=name)
    return Image(*row)


def require(conn: Connection, said: str, base: str) -> None:
    """Raise InvalidInput when something shows an image of ours that is no more; `base` is what our addresses begin with."""
    named = set(re.findall(rf"(?:{re.escape(base)}|(?<![\w.:]))" + ADDRESS, said))
    absent = sorted(named - {name for (name,) in SQL.hosted_among(conn, names=list(named))}) if named else []
    if absent:
        names = ", ".join(absent)
        said_so = Text(f"obraz usunięto: {names}; wybierz inny", f"the image was removed: {names}; choose another")
        raise InvalidInput(where="image", seen=absent[0], detail=said_so)


def hosted(conn: Connection) -> list[Image]:
    """The images we host, newest first, 500 at most."""
    return [Image(*row) for row in SQL.images(conn)]


def content(conn: Connection, name: str) -> tuple[str, bytes]:
    """Media type and bytes of an image. Raises NotFound."""
    row = SQL.image(conn, name=name)
    if row is None:
        raise _absent(name)
    return row[0], bytes(row[1])


def _absent(name: str) -> NotFound:
    return NotFound(where="image", seen=name, thing=Text("obraz", "image"))
