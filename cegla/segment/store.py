"""This slice's tables: segments, memberships, RFM scales."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
from psycopg.types.json import Jsonb

from cegla.segment.rules.history import Scale
from cegla.storage import statements
from cegla.storage.arrays import numbers
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


def put(conn: Connection, key: str, name: str, rule: Mapping[str, Any], now: datetime) -> int:
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


class NamedRule(NamedTuple):
    """What a segment is called and its rule."""

    id: int
    key: str | None
    name: str
    rule: dict[str, Any]


class ChangeRow(NamedTuple):
    """One person who entered or left one segment; `id` grows in the order in which it was found."""

    id: int
    segment_id: int
    person_id: int
    entered: bool
    at: datetime


def named_rules(conn: Connection) -> list[NamedRule]:
    """Name and rule of every segment, oldest first."""
    return [NamedRule(*row) for row in SQL.list_rules(conn)]


def members_among(conn: Connection, ids: Sequence[int], people: Sequence[int]) -> dict[int, Any]:
    """Who of these people is in each of these segments now: int64, ascending."""
    found = dict(_read(conn, SQL.members_among.sql, ids=list(ids), people=numbers(people)))
    return {segment_id: _people(found.get(segment_id)) for segment_id in ids}


def members_now(conn: Connection, segment_id: int) -> Any:
    """Everybody in this segment now: int64, ascending."""
    return _people(_read(conn, SQL.members_now.sql, segment_id=segment_id)[0][0])


def people_kept(conn: Connection) -> Any:
    """Everybody who is in some segment now, or is to be looked at again: int64, ascending."""
    return _people(_read(conn, SQL.people_kept.sql)[0][0])


def _read(conn: Connection, statement: Any, **values: Any) -> list[Any]:
    """Rows in binary: bytes come as they are."""
    return conn.execute(statement, values, binary=True).fetchall()


def _people(numbers_sent: bytes | None) -> Any:
    """Numbers out of PostgreSQL's eight bytes each: one value of a statement, since a row for each of them costs the driver a hundred times as much."""
    return np.frombuffer(numbers_sent or b"", ">i8").astype(np.int64)


def enter(conn: Connection, pairs: Pairs, now: datetime) -> None:
    """Open memberships, and say so."""
    if pairs:
        segments, people = _as_arrays(pairs)
        SQL.enter(conn, segments=segments, people=people, now=now)
        SQL.note_changes(conn, segments=segments, people=people, entered=True, now=now)


def leave(conn: Connection, pairs: Pairs, now: datetime) -> None:
    """Close memberships, and say so."""
    if pairs:
        segments, people = _as_arrays(pairs)
        SQL.leave(conn, segments=segments, people=people, now=now)
        SQL.note_changes(conn, segments=segments, people=people, entered=False, now=now)


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
    gone = [(row.segment_id, row.person_id) for row in memberships_of(conn, absorbed) if row.left_at is None]
    there = members_among(conn, sorted({segment_id for segment_id, _ in gone}), sorted(set(absorbed.values())))
    carried = sorted({(segment_id, into) for segment_id, person in gone if (into := absorbed[person]) not in there[segment_id].tolist()})
    SQL.carry_memberships(conn, people=list(absorbed), into=list(absorbed.values()))
    SQL.close_memberships(conn, people=list(absorbed), now=now)
    SQL.erase_portraits(conn, people=list(absorbed))
    for pairs, entered in ((gone, False), (carried, True)):
        segments, people = _as_arrays(pairs)
        SQL.note_changes(conn, segments=segments, people=people, entered=entered, now=now)


def _as_arrays(pairs: Pairs) -> tuple[str, str]:
    """The segments and the people of pairs, as parameters."""
    return numbers(pair[0] for pair in pairs), numbers(pair[1] for pair in pairs)


def erase(conn: Connection, people: Sequence[int]) -> int:
    """Remove these people; returns how many rows went."""
    SQL.drop_due(conn, people=list(people))
    went = [erase(conn, people=list(people)) for erase in (SQL.erase_memberships, SQL.erase_changes, SQL.erase_portraits)]
    return sum(went)


def portraits(conn: Connection, kind: str, people: Sequence[int] | None) -> dict[int, list[str]]:
    """What portraits of a kind say of these people, or of everybody (None)."""
    return dict(SQL.find_portraits(conn, kind=kind, people=None if people is None else numbers(people)))


def portraits_of(conn: Connection, people: Sequence[int]) -> list[tuple[str, list[str], datetime]]:
    """Kind, words and moment of everything portraits say of these people."""
    return [(row[0], row[1], row[2]) for row in SQL.portraits_of_people(conn, people=list(people))]


def newest_scale(conn: Connection) -> Scale | None:
    """The newest RFM scale; its moment is naive UTC."""
    row = SQL.find_scale(conn)
    return Scale(row[0].astimezone(UTC).replace(tzinfo=None), row[1], tuple(row[2]), tuple(row[3]), tuple(row[4])) if row else None


def save_scale(conn: Connection, scale: Scale) -> None:
    """Note an RFM scale."""
    at = scale.at.replace(tzinfo=UTC)
    SQL.save_scale(conn, at=at, people=scale.people, recency=list(scale.recency), frequency=list(scale.frequency), monetary=list(scale.monetary))


def put_due(conn: Connection, people: Sequence[int] | None, due: Mapping[int, datetime], *, instead: bool) -> None:
    """Say when to look at people again (aware, UTC). `instead`: of whatever was known of `people`, or of everybody (None); else whichever is earlier."""
    if instead:
        SQL.drop_due(conn, people=None if people is None else numbers(people))
    if due:
        SQL.put_due(conn, people=numbers(due), moments="{" + ",".join(map(datetime.isoformat, due.values())) + "}")


def due(conn: Connection, now: datetime, limit: int) -> list[int]:
    """Up to `limit` people to look at again by now."""
    return [person for (person,) in SQL.find_due(conn, now=now, limit=limit)]


def tenths(conn: Connection) -> dict[str, tuple[float, ...]]:
    """The bounds of the tenths of every trait that has them."""
    return {trait: tuple(bounds) for trait, bounds in SQL.find_tenths(conn)}


def save_tenths(conn: Connection, trait: str, bounds: Sequence[float], people: int, now: datetime) -> None:
    """Note the bounds of the tenths of a trait."""
    SQL.save_tenths(conn, trait=trait, bounds=list(bounds), people=people, now=now)
