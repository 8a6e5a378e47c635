"""What a page's own script may know of its visitor: marked traits and segments of the very browser that asks, and nothing when in doubt.

    key ─► source is a website, on, and lists this origin ─► not too often ─► browser of one person ─► agreed ─► marked traits and segments

Whoever asks shows the browser's anonymous id, which only that browser knows; no other identifier is taken. A browser that is unknown, is
shared or did not agree to marketing on the site gets the same empty answer, so that an answer tells nothing else.
"""

import json
import math
import time
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from cegla.api.message_shapes import BrowserSubscription
from cegla.api.plain import plain
from cegla.api.shapes import VisitorBody
from cegla.collect import actions as collect
from cegla.govern import actions as govern
from cegla.profile import actions as profile
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.errors.access import SiteNotAllowed
from cegla.vocabulary.errors.people import AskedTooOften

SHORTEST_ID = 20  #: shorter ids can be guessed, and then anybody could ask for anybody
WINDOW_SECONDS, MOST_OF_BROWSER, MOST_OF_SOURCE, MOST_REMEMBERED = 60.0, 30, 6_000, 100_000
NOTHING: dict[str, Any] = {"traits": {}, "segments": []}
Body = TypeVar("Body", VisitorBody, BrowserSubscription)


class Turnstile:
    """Counts who passes within a minute; one for each API."""

    def __init__(self) -> None:
        self._since = 0.0
        self._passed: dict[str, int] = {}

    def passes(self, name: str, most: int, now: float) -> bool:
        """Whether one more may pass."""
        if now - self._since >= WINDOW_SECONDS or len(self._passed) > MOST_REMEMBERED:
            self._since, self._passed = now, {}
        self._passed[name] = self._passed.get(name, 0) + 1
        return self._passed[name] <= most

    def opens_in_seconds(self, now: float) -> int:
        """When counting begins anew."""
        return max(1, math.ceil(self._since + WINDOW_SECONDS - now))


async def read(request: Request, body: VisitorBody) -> Response:
    """The traits and segments that are marked for the site, of the browser with this anonymous id; empty for any other.

    Needs the public write key of a website that lists the page's origin. Raises SiteNotAllowed, AskedTooOften.
    """
    return await answered(request, body, _found)


async def answered(request: Request, body: Body, find: Callable[[Workspace, Body, str], dict[str, Any]]) -> Response:
    """What `find` says to a browser of a website, for the page's own origin alone and kept nowhere. Raises AskedTooOften, and what `find` raises."""
    origin = request.headers.get("origin", "")
    turnstile: Turnstile = request.app.state.turnstile
    now = time.monotonic()
    if not turnstile.passes(f"b {body.anonymous_id}", MOST_OF_BROWSER, now) or not turnstile.passes(f"s {body.write_key}", MOST_OF_SOURCE, now):
        raise AskedTooOften(where="/anonymous_id", seconds=turnstile.opens_in_seconds(now))
    found = await run_in_threadpool(find, request.app.state.ws, body, origin)
    headers = {"access-control-allow-origin": origin, "vary": "origin", "cache-control": "private, no-store"}
    content = json.dumps(plain(found), ensure_ascii=False)
    return Response(content, media_type="application/json", headers=headers)


def _found(ws: Workspace, body: VisitorBody, origin: str) -> dict[str, Any]:
    with ws.transaction() as conn:
        website_of(conn, body.write_key, origin)
        if len(body.anonymous_id) < SHORTEST_ID:
            return NOTHING
        person = resolve.links.sole_user_of(conn, body.anonymous_id)
        if person is None or not _agreed(ws, conn, person):
            return NOTHING
        return _shown(ws, conn, person)


def website_of(conn: Connection, write_key: str, origin: str) -> collect.Source:
    """The website whose page asks: its public key, at an origin it lists. Raises SiteNotAllowed."""
    source = next((one for one in collect.sources(conn) if one.key == write_key), None)
    if source is None or not source.enabled or source.kind != "website" or not origin or origin not in source.origins:
        raise SiteNotAllowed(where="Origin", seen=origin)
    return source


def _agreed(ws: Workspace, conn: Connection, person: int) -> bool:
    identities = resolve.links.identities_by_person(conn, [person])[person]
    subject, now = govern.Subject(person, identities), ws.clock()
    asked = (("marketing", Channel.SITE), ("profiling", Channel.NONE))
    return all(govern.allowed(conn, ws.keys, [subject], purpose, channel, now)[0].allowed for purpose, channel in asked)


def _shown(ws: Workspace, conn: Connection, person: int) -> dict[str, Any]:
    marked = {profile.computed.field_name(one) for one in profile.computed.definitions(conn) if one.on_site}
    values = profile.computed.values_of(conn, [person]).get(person, {})
    here = set(segment.marks.on_site(conn))
    standing = segment.segments_of(conn, [person])[person]
    return {
        "traits": {key: value for key, value in values.items() if key in marked},
        "segments": [{"id": one.segment_id, "name": one.name} for one in standing if one.segment_id in here],
    }
