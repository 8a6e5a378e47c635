"""Releasing an identifier: from a day on it is somebody else's. And taking that back, which leaves everything as if it had never been.

    release ──► the bearer's identity is closed at that moment; what was seen of it since goes to a new identity
    undo    ──► the later identity's links go back to the earlier one, which holds it from now on

Events never move: those before the release point at the earlier identity, those after it at the later one. So an identifier cannot
be released from before an event that the history already has of it, where nothing but the identifier says whose that event is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time

from cegla.resolve import evidence, store
from cegla.resolve.cache import LONG_AGO
from cegla.resolve.deriving import Cause, rederive
from cegla.resolve.resolution import Resolution, without_events
from cegla.resolve.rules import releases
from cegla.resolve.rules.mentions import stronger
from cegla.resolve.store import SQL, NewEdge
from cegla.storage.identifier_rules import current_rules
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.errors.people import IdentifierStays, ReleaseAhead, ReleaseOutOfOrder
from cegla.vocabulary.identifiers import Identifier
from cegla.vocabulary.masking import masked
from cegla.vocabulary.text import Text


@dataclass(frozen=True)
class Release:
    """An identifier names somebody else from `at` on, the beginning of a day in UTC. `reason` is personal data, as is the value."""

    release_id: int
    type: str
    value: str
    at: datetime
    reason: str
    actor: str
    made_at: datetime


def former_bearers(conn: Connection, identifier: Identifier, day: date) -> list[int]:
    """The identities that bore an identifier until its release on a day: its own, and those given back to it by releases undone."""
    rows = list(SQL.identity_until(conn, type=identifier.type, value=identifier.value, at=datetime.combine(day, time(), UTC)))
    return [one for identity, _ in rows for one in (identity, *(held for (held,) in SQL.held_by(conn, identity=identity, type=identifier.type)))]


def release(conn: Connection, identifier: Identifier, day: date, reason: str, actor: str, now: datetime) -> Resolution:
    """Let a normalized identifier name somebody else from the beginning of `day` (UTC) on.

    Whoever bore it keeps what happened before; a link to it that is seen from then on belongs to a new bearer, and never joins
    the two. Returns what moved. Raises ReleaseAhead for a day still to come, IdentifierStays for a type that is not given away, ReleaseOutOfOrder when it was
    released that day or later already, NotFound when nobody ever had it.
    """
    if not releases.may_be_released(identifier.type):
        raise IdentifierStays(where="type", seen=identifier.type, type=identifier.type)
    store.only_writer(conn)
    at = datetime.combine(day, time(), UTC)
    if at > now:
        raise ReleaseAhead(where="since", seen=day.isoformat(), day=day.isoformat(), today=now.date().isoformat())
    earlier = store.releases(conn).get(identifier, [])
    if earlier and at <= earlier[-1]:
        raise ReleaseOutOfOrder(where="since", seen=day.isoformat(), day=earlier[-1].date().isoformat())
    found = store.identities(conn, [identifier]).get(identifier)
    if found is None:
        shown = masked(identifier.value, identifier.type)
        raise NotFound(where="identifier", seen=shown, thing=shown)
    SQL.add_release(conn, type=identifier.type, value=identifier.value, at=at, reason=reason, actor=actor, now=now)
    SQL.close_identity(conn, identity=found.identity_id, at=at)
    concerned = {found.person_id}
    later = [NewEdge(*row) for row in SQL.edges_seen_since(conn, identity=found.identity_id, at=at)]
    if later:
        bearer: int = SQL.reserve_identities(conn, number=1)
        SQL.add_bearer(conn, identity=bearer, like=found.identity_id, at=min(max(edge.at, at) for edge in later), edges=[edge.edge_id for edge in later])
        SQL.move_edges(conn, ids=[edge.edge_id for edge in later if edge.at >= at], old=found.identity_id, new=bearer)
        _copy_on(conn, [edge for edge in later if edge.at < at], (found.identity_id, bearer), at)
        concerned |= {bearer} | set(store.people_of(conn, [end for edge in later for end in (edge.strong_id, edge.weak_id)]).values())
    return _settled(conn, concerned, at, Cause("release", actor))


def undo_release(conn: Connection, release_id: int, actor: str, now: datetime) -> Resolution:
    """Take the last release of an identifier back: all is as if it had never been. Raises NotFound, ReleaseOutOfOrder."""
    store.only_writer(conn)
    gone = next((Release(*row) for row in SQL.release_of(conn, release_id=release_id)), None)
    if gone is None:
        raise NotFound(thing=Text(f"zwolnienie {release_id}", f"release {release_id}"), where="release_id", seen=release_id)
    identifier = Identifier(gone.type, gone.value)
    last = store.releases(conn)[identifier][-1]
    if last != gone.at:
        raise ReleaseOutOfOrder(where="release_id", seen=release_id, day=last.date().isoformat())
    SQL.drop_release(conn, release_id=release_id)
    later = store.identities(conn, [identifier]).get(identifier)
    earlier = next(iter(SQL.identity_until(conn, type=gone.type, value=gone.value, at=gone.at)), None)
    concerned = {later.person_id} if later else set[int]()
    if earlier is not None:
        if later is not None:
            concerned |= _give_back(conn, later.identity_id, earlier[0], now)
        concerned.add(earlier[1])
        SQL.close_identity(conn, identity=earlier[0], at=None)
    return _settled(conn, concerned, gone.at, Cause("release_undone", actor))


def given_up(conn: Connection, identity_ids: Sequence[int] | None) -> list[tuple[int, Identifier]]:
    """Which of these identities, or of all (None), bore an identifier that is somebody else's today, and which identifier that is."""
    ids = None if identity_ids is None else list(identity_ids)
    return [(identity, Identifier(kind, value)) for identity, kind, value in SQL.given_up(conn, ids=ids)]


def releases_of(conn: Connection, identity_ids: Sequence[int]) -> list[Release]:
    """Every release of an identifier that one of these identities bears or bore, oldest first."""
    return [Release(*row) for row in SQL.releases_of_identities(conn, ids=list(identity_ids))]


def forget(conn: Connection, released: Sequence[Release]) -> int:
    """Delete those of these releases whose identifier no identity bears any more."""
    return SQL.drop_idle_releases(conn, ids=[one.release_id for one in released]) if released else 0


def _copy_on(conn: Connection, edges: Sequence[NewEdge], bearers: tuple[int, int], at: datetime) -> None:
    """What was seen of links before a release and after it holds for the next bearer from then on, as whoever saw it then."""
    if edges:
        first: int = SQL.reserve_edges(conn, number=len(edges))
        copies = dict(enumerate(edges, first))
        SQL.copy_edges_on(conn, ids=[edge.edge_id for edge in edges], copies=list(copies), old=bearers[0], new=bearers[1], at=at)
        evidence.part(conn, copies, at)


def _give_back(conn: Connection, later: int, earlier: int, now: datetime) -> set[int]:
    """What was seen of the later bearer's identity, as if it had been seen of the earlier one's."""
    moved = [NewEdge(*row) for row in SQL.edges_seen_since(conn, identity=later, at=LONG_AGO)]
    kept = [NewEdge(*row) for row in SQL.edges_seen_since(conn, identity=earlier, at=LONG_AGO)]
    known = {_other_end(edge, earlier): edge for edge in kept}
    twice = [(known[end], edge) for edge in moved if (end := _other_end(edge, later)) in known]
    for one, other in twice:
        SQL.join_edges(
            conn, edge_id=one.edge_id, other=other.edge_id, rule=stronger(one.rule, other.rule), trusted=one.trusted or other.trusted,
            last_at=max(one.last_at, other.last_at),
        )  # fmt: skip
    evidence.join(conn, twice)
    dropped = {other.edge_id for _, other in twice}
    SQL.drop_edges(conn, ids=list(dropped))
    SQL.move_edges(conn, ids=[edge.edge_id for edge in moved if edge.edge_id not in dropped], old=later, new=earlier)
    SQL.hold(conn, identity=later, holder=earlier, now=now)
    return set(store.people_of(conn, [end for edge in moved for end in (edge.strong_id, edge.weak_id)]).values())


def _other_end(edge: NewEdge, identity: int) -> tuple[int, bool]:
    """Which identity this one is linked with, and whether that is the stronger end."""
    return (edge.strong_id, True) if edge.weak_id == identity else (edge.weak_id, False)


def _settled(conn: Connection, people: set[int], since: datetime, cause: Cause) -> Resolution:
    """What moved; whose identifier it is or was has changed even if nothing did, for their traits and segments go by it."""
    rederived = rederive(conn, people, since, cause, current_rules(conn))
    SQL.new_stamp(conn)
    found = without_events(conn, rederived)
    return replace(found, changed=sorted({*found.changed, *store.people_of(conn, list(people)).values()}))
