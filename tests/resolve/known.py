"""Events and questions in few words, for the tests of this slice."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from cegla.resolve import actions as resolve
from cegla.storage.workspace import Connection
from cegla.vocabulary.events import Event
from cegla.vocabulary.identifiers import Identifier

NOON = datetime(2026, 10, 5, 10, tzinfo=UTC)


def event(minute: float, user: str | None = None, browser: str | None = None, kind: str = "track", **more: Any) -> Event:
    """An event `minute` minutes after noon; by default from a source with a secret key."""
    at = NOON + timedelta(minutes=minute)
    given = {"trusted": True, "source_id": 1, "message_id": f"{minute}-{user}-{browser}-{kind}"} | more
    return Event(kind=kind, name=kind, occurred_at=at, received_at=at, user_id=user, anonymous_id=browser, **given)


def identify(minute: float, user: str | None = None, browser: str | None = None, trusted: bool = True, **traits: Any) -> Event:
    """An identify call."""
    return event(minute, user, browser, "identify", trusted=trusted, traits=traits)


def alias(minute: float, user: str | None, previous: str, trusted: bool = True) -> Event:
    """An alias call."""
    return event(minute, user, None, "alias", previous_id=previous, trusted=trusted)


def user(value: str) -> Identifier:
    return Identifier("user_id", value)


def browser(value: str) -> Identifier:
    return Identifier("anonymous_id", value)


def email(value: str) -> Identifier:
    return Identifier("email", value)


def person(conn: Connection, identifier: Identifier) -> int:
    """Whose an identifier is."""
    found = resolve.look_up(conn, [identifier])[0]
    assert found is not None, identifier
    return found


def clusters(conn: Connection) -> frozenset[frozenset[Identifier]]:
    """Everybody, by their identifiers; rows held on shared browsers left out."""
    members: dict[int, set[Identifier]] = {}
    for person_id, kind, value in conn.execute("select person_id, type, value from resolve.identities where holder_id = 0").fetchall():
        members.setdefault(person_id, set()).add(Identifier(kind, value))
    return frozenset(map(frozenset, members.values()))


def take_in(conn: Connection, *batches: Sequence[Event] | Iterable[Event]) -> list[resolve.Resolution]:
    """Take in one batch after the other with one cache, and check the books after each."""
    cache = resolve.IdentityCache()
    found = []
    for batch in batches:
        found.append(resolve.find_people(conn, list(batch), cache))
        check_books(conn)
    return found


def check_books(conn: Connection) -> None:
    """What must hold after every transaction."""
    wrong = conn.execute(
        """
        select count(*) from resolve.identities i left join resolve.identities p on p.identity_id = i.person_id
        where p.person_id is distinct from p.identity_id or i.person_id > i.identity_id
        """
    ).fetchone()
    assert wrong == (0,), "a person is the smallest identity of its cluster"
    stray = conn.execute(
        "select count(*) from resolve.identities i join resolve.identities h on h.identity_id = i.holder_id where i.person_id <> h.person_id"
    ).fetchone()
    assert stray == (0,), "a held browser belongs to its holder's person"
