"""Who calls, and what a handler gets: the workspace, the caller, the language and the time of the call."""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from cegla.collect import actions as collect
from cegla.govern import actions as govern
from cegla.storage.workspace import Workspace
from cegla.vocabulary.errors import InvalidInput, NotFound
from cegla.vocabulary.errors.access import ForeignRequest, NotPermitted, WrongKey
from cegla.vocabulary.people import parse_person_label, person_label
from cegla.vocabulary.text import Language, Text

SESSION_COOKIES = ("__Host-cegla_session", "cegla_session")
NO_PLACE = Text("miejsce w historii ma postać 2026-01-31T12:00:00Z_123", "a place in a timeline looks like 2026-01-31T12:00:00Z_123")
READING = frozenset({"GET", "HEAD", "OPTIONS"})
POLISH = {"source": "źródło", "quarantine": "odłożone zdarzenie", "run": "przebieg"}  #: what calls name by number
#: What a source's secret key may do beside sending events: look, masked, and send single messages that a contract needs.
SECRET_KEY_PERMISSIONS = frozenset({"reports.read", "events.read", "people.read", "segments.read", "campaigns.read", "sources.read", "messages.send"})


@dataclass(frozen=True)
class Caller:
    """Somebody with permissions; `name` goes to the audit log."""

    name: str
    permissions: frozenset[str]


@dataclass(frozen=True)
class Call:
    """One call that came in."""

    ws: Workspace
    holders: Sequence[govern.Holder]
    caller: Caller
    language: Language
    now: datetime
    trace: str | None = None  #: its traceparent

    def may(self, permission: str) -> bool:
        """Whether the caller holds this permission."""
        return permission in self.caller.permissions

    def note(self, action: str, target: str, **detail: str | int | bool | None) -> None:
        """Tell the audit log."""
        with self.ws.transaction() as conn:
            govern.note(conn, self.caller.name, action, target, detail, self.now)


def opened(request: Request) -> Call:
    """The call behind a request. Raises WrongKey when nobody known is calling."""
    ws: Workspace = request.app.state.ws
    return Call(ws, request.app.state.holders, _caller(request, ws), language_of(request), ws.clock(), collect.traceparent(request.headers.get("traceparent")))


Opened = Annotated[Call, Depends(opened)]


def needs(permission: str) -> Callable[[Call], None]:
    """A check for one route: the caller holds `permission`, else NotPermitted."""

    def check(call: Opened) -> None:
        if not call.may(permission):
            raise NotPermitted(where="Authorization", seen=call.caller.name, permission=permission)

    return check


def language_of(request: Request) -> Language:
    """Polish when the caller asks for it, else English."""
    return "pl" if request.headers.get("accept-language", "").lower().startswith("pl") else "en"


def person_number(label: str) -> int:
    """The number in "p123" or "123". Raises NotFound."""
    number = parse_person_label(label)
    if number is None:
        raise NotFound(where="person", seen=label, thing=label)
    return number


def timeline_place(text: str) -> tuple[datetime, int] | None:
    """Where a page of a timeline begins: the time and number of the last event already seen. Raises InvalidInput."""
    if not text:
        return None
    moment, _, number = text.partition("_")
    try:
        place = datetime.fromisoformat(moment).astimezone(UTC), int(number)
    except (ValueError, OverflowError):
        place = None
    if place is None or abs(place[1]) >= 1 << 63:
        raise InvalidInput(where="before", seen=text, detail=NO_PLACE)
    return place


def not_found(what: str, number: int) -> NotFound:
    """The error for a thing that does not exist."""
    label = person_label(number) if what == "person" else f"{what} {number}"
    return NotFound(where=what, seen=label, thing=Text(f"{POLISH[what]} {number}", label) if what in POLISH else label)


def _caller(request: Request, ws: Workspace) -> Caller:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return _by_token(request, ws, token.strip())
    for name in SESSION_COOKIES:
        if session := request.cookies.get(name):
            return _by_session(request, ws, session)
    raise WrongKey(where="Authorization")


def _by_token(request: Request, ws: Workspace, token: str) -> Caller:
    if hmac.compare_digest(token.encode(), request.app.state.token.encode()):
        return Caller("local", frozenset(govern.PERMISSIONS))
    with ws.transaction() as conn:
        source = collect.secret_holder(conn, token)
    if source is not None and source.enabled:
        return Caller(f"source {source.id}", SECRET_KEY_PERMISSIONS)
    raise WrongKey(where="Authorization", seen=f"{token[:6]}…")


def _by_session(request: Request, ws: Workspace, token: str) -> Caller:
    with ws.transaction() as conn:
        user = govern.session_of(conn, token, ws.clock())
    if user is None:
        raise WrongKey(where="Cookie")
    if request.method not in READING:
        _refuse_foreign(request)
    return Caller(user.name, frozenset(user.role.permissions))


def _refuse_foreign(request: Request) -> None:
    """A browser says where a call comes from; one made by a page of another site is refused, and so is one that does not say."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if site != "same-origin" and (origin is None or urlsplit(origin).netloc != request.headers.get("host")):
        raise ForeignRequest(where="Origin", seen=origin or site or "")
