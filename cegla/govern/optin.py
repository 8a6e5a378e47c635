"""Double opt-in: who asked for e-mail confirms from the mailbox. Until then it counts as no consent.

    asked ──► one letter ──► the link's page, whose button confirms ──► given, chained to the request it confirms
      │            └─ no answer within the purpose's hours: the link only says that it is too late
      └─ asked again: at most `LETTERS` letters in `WINDOW`, `REST` apart, so that nobody can be flooded by a stranger's form
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from cegla.govern import register, store
from cegla.govern.store import SQL
from cegla.storage.workspace import Connection
from cegla.vocabulary.consent import Channel, Decision, State

LETTERS, WINDOW, REST = 3, timedelta(days=30), timedelta(minutes=10)
METHOD = "double_opt_in"


class Standing(StrEnum):
    """How a request stands."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    TOO_LATE = "too_late"
    OVERTAKEN = "overtaken"  #: the person said no since, so an old link gives nothing


@dataclass(frozen=True)
class Request:
    """A yes that waits to be confirmed."""

    record_id: int
    identity_id: int
    purpose: str
    at: datetime
    until: datetime
    language: str  #: that the form was in; empty when it did not say


def waiting(conn: Connection, now: datetime, most: int) -> list[Request]:
    """Requests that a letter should go out for, oldest first. Those too many, too early after another or too late are settled without one."""
    held = register.current(conn)
    ready: list[Request] = []
    for record_id, identity_id, purpose, at, language, letters, last_at in SQL.requests_waiting(conn, most=most, since=now - WINDOW):
        known = held.purposes.get(purpose)
        until = at + timedelta(hours=known.confirm_hours if known else 0)
        if until <= now:
            SQL.settle_request(conn, record_id=record_id, letter_at=None, outcome="too_late", now=now)
        elif letters >= LETTERS or (last_at is not None and now - last_at < REST):
            SQL.settle_request(conn, record_id=record_id, letter_at=None, outcome="repeated", now=now)
        else:
            ready.append(Request(record_id, identity_id, purpose, at, until, language or ""))
    return ready


def begin_letter(conn: Connection, record_id: int, now: datetime) -> None:
    """A letter is about to leave; whatever happens, there is no second one for this request."""
    SQL.settle_request(conn, record_id=record_id, letter_at=now, outcome="letter", now=now)


def no_letter(conn: Connection, record_id: int, now: datetime) -> None:
    """There is no address to write to, or none that takes mail."""
    SQL.settle_request(conn, record_id=record_id, letter_at=None, outcome="no_address", now=now)


def letter_came_back(conn: Connection, record_id: int) -> None:
    """No server took it, so it may be tried again."""
    SQL.forget_request(conn, record_id=record_id)


def request(conn: Connection, record_id: int, now: datetime) -> tuple[Request, Standing] | None:
    """A request and how it stands; None when there is none, also after erasure."""
    row = SQL.request(conn, record_id=record_id)
    if row is None:
        return None
    identity_id, purpose, at, language = row
    known = register.current(conn).purposes.get(purpose)
    until = at + timedelta(hours=known.confirm_hours if known else 0)
    newest = store.in_force(conn, [identity_id], purpose, Channel.EMAIL, now).get(identity_id)
    standing = Standing.WAITING if now < until else Standing.TOO_LATE
    if newest is not None and newest.state is not State.REQUESTED:
        standing = Standing.CONFIRMED if newest.state is State.GIVEN else Standing.OVERTAKEN
    return Request(record_id, identity_id, purpose, at, until, language or ""), standing


def confirmed(found: Request, source_id: int, proof: Mapping[str, Any], now: datetime) -> Decision:
    """The yes that confirms a request; the caller records it."""
    return Decision(found.identity_id, found.purpose, Channel.EMAIL, State.GIVEN, now, source_id, METHOD, {"requested": str(found.record_id), **proof})


def export(conn: Connection, identity_ids: Sequence[int]) -> list[dict[str, Any]]:
    """What became of these identities' requests, as the person gets it."""
    names = ("record_id", "identity_id", "purpose", "letter_at", "outcome")
    return [dict(zip(names, row, strict=True)) for row in SQL.confirmations_of(conn, ids=list(identity_ids))]
