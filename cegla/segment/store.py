"""This slice's tables: segments, memberships, RFM scales."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from cegla.segment.rules.history import Scale
from cegla.storage import statements
from cegla.storage.workspace import Connection

SQL = statements.load(__file__)
Pairs = Sequence[tuple[int, int]]  #: (segment_id, person_id)


class SegmentRow(NamedTuple):
    """A segment as it is stored, with the number of people in it now."""

    id: int
    key: str | None
    name: str
    rule: dict[str, Any]
    created_at: datetime
    changed_at: datetime
    refreshed_at: datetime | None
    members: int


class MembershipRow(NamedTuple):
    """One stay of a person in a segment; `left_at` None: still there."""

    person_id: int
    segment_id: int
    name: str
    entered_at: datetime
    left_at: datetime | None


def put(conn: Connection, key: str | None, name: str, rule: Mapping[str, Any], now: datetime) -> int:
    """A new segment's id, or that of the redefined one with this key."""
    return SQL.insert_segment(conn, key=key, name=name, rule=Jsonb(rule), now=now)


def add_ready_made(conn: Connection, key: str, name: str, rule: Mapping[str, Any], now: datetime) -> None:
    """A ready-made segment, unless it is there."""
    SQL.insert_ready_made(conn, key=key, name=name, rule=Jsonb(rule), now=now)


def all_segments(conn: Connection) -> list[SegmentRow]:
    """Every segment."""
    return [SegmentRow(*row) for row in SQL.list_segments(conn)]


def find(conn: Connection, segment_id: int) -> SegmentRow | None:
    """One segment."""
    row = SQL.find_segment(conn, segment_id=segment_id)
    return SegmentRow(*row) if row else None


def rules(conn: Connection, ids: Sequence[int] | None) -> list[tuple[int, dict[str, Any]]]:
    """Ids and rules of these segments; None: of all."""
    return [(row[0], row[1]) for row in SQL.list_rules(conn, ids=None if ids is None else list(ids))]


def members_among(conn: Connection, ids: Sequence[int], people: Sequence[int]) -> dict[int, set[int]]:
    """Who of these people is in each of these segments now."""
    found: dict[int, set[int]] = {segment_id: set() for segment_id in ids}
    for segment_id, person_id in SQL.members_among(conn, ids=list(ids), people=list(people)):
        found[segment_id].add(person_id)
    return found


def members_now(conn: Connection, segment_id: int) -> set[int]:
    """Everybody in this segment now."""
    return {person_id for (person_id,) in SQL.members_now(conn, segment_id=segment_id)}


def enter(conn: Connection, pairs: Pairs, now: datetime) -> None:
    """Open memberships."""
    if pairs:
        SQL.enter(conn, segments=[pair[0] for pair in pairs], people=[pair[1] for pair in pairs], now=now)


def leave(conn: Connection, pairs: Pairs, now: datetime) -> None:
    """Close memberships."""
    if pairs:
        SQL.leave(conn, segments=[pair[0] for pair in pairs], people=[pair[1] for pair in pairs], now=now)


def mark_refreshed(conn: Connection, ids: Sequence[int], now: datetime) -> None:
    """Note that everybody was looked at for these segments."""
    SQL.mark_refreshed(conn, ids=list(ids), now=now)


def page(conn: Connection, segment_id: int, after: int, limit: int) -> list[tuple[int, datetime]]:
    """People in a segment now with the time they entered, by person, after this one."""
    return [(row[0], row[1]) for row in SQL.list_membership(conn, segment_id=segment_id, after=after, limit=limit)]


def memberships_of(conn: Connection, people: Iterable[int]) -> list[MembershipRow]:
    """Every stay of these people, ended ones too."""
    return [MembershipRow(*row) for row in SQL.list_memberships_of_people(conn, people=list(people))]


def changes_at(conn: Connection, person_id: int, at: datetime) -> list[tuple[int, str, bool]]:
    """What a person entered (True) or left (False) at a moment."""
    return [(row[0], row[1], row[2]) for row in SQL.membership_changes(conn, person_id=person_id, at=at)]


def join(conn: Connection, absorbed: Mapping[int, int], now: datetime) -> None:
    """People who were joined into others hand their memberships on."""
    SQL.carry_memberships(conn, people=list(absorbed), into=list(absorbed.values()))
    SQL.close_memberships(conn, people=list(absorbed), now=now)


def erase(conn: Connection, people: Sequence[int]) -> int:
    """Remove these people; returns how many rows went."""
    return SQL.erase_memberships(conn, people=list(people))


def newest_scale(conn: Connection) -> Scale | None:
    """The newest RFM scale; its moment is naive UTC."""
    row = SQL.find_scale(conn)
    return Scale(row[0].astimezone(UTC).replace(tzinfo=None), row[1], tuple(row[2]), tuple(row[3]), tuple(row[4])) if row else None


def save_scale(conn: Connection, scale: Scale) -> None:
    """Note an RFM scale."""
    at = scale.at.replace(tzinfo=UTC)
    SQL.save_scale(conn, at=at, people=scale.people, recency=list(scale.recency), frequency=list(scale.frequency), monetary=list(scale.monetary))
