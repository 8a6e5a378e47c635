"""Reading segments beside each other: what rests on what, how large they were, what they share, who came and went, which are of no use."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from cegla.profile import actions as profile
from cegla.segment import store
from cegla.segment.asking import HOME, questions_of
from cegla.segment.evaluating import known, tree_of
from cegla.segment.operators import Known, Named
from cegla.segment.rules.references import named_in
from cegla.storage.workspace import Connection

KEEP_CHANGES_DAYS = 30
MOST_COMPARED = 30


@dataclass(frozen=True)
class Size:
    """A segment at the end of a day of the shop: how many people were in it, and how many came and went that day."""

    day: date
    members: int
    entered: int
    left: int


@dataclass(frozen=True)
class Dependency:
    """One segment that rests on another."""

    segment_id: int
    rests_on: int


@dataclass(frozen=True)
class Overlap:
    """Two segments: how many people are in each, and in both."""

    first: int
    second: int
    first_members: int
    second_members: int
    both: int

    @property
    def share(self) -> float:
        """Of those in either, how many are in both (the Jaccard index), 0 to 1."""
        either = self.first_members + self.second_members - self.both
        return self.both / either if either else 0.0


def rests_on(one: Named, wanted: Collection[int], about: Known) -> bool:
    """Whether a segment is one of these, or speaks of one of these, however far away."""
    return bool(wanted) and not _reached(one, about).isdisjoint(wanted)


def dependencies(conn: Connection) -> list[Dependency]:
    """Which segment speaks of which, as their rules are now."""
    about = known(conn)
    return [Dependency(one.id, other.id) for one in about.segments for other in _named(one, about)]


def analysers_asked(conn: Connection, keys: Collection[str]) -> list[str]:
    """Those of these analysers whose findings some segment speaks of."""
    about = known(conn)
    questions = questions_of(tree for one in about.segments if (tree := tree_of(one, about)) is not None)
    traits = [
        key
        for question in questions
        for key in (HOME.values() if question.kind == "home" else json.loads(question.about)[:1])
        if question.kind in ("home", "found")
    ]
    return sorted({profile.ANALYSED[key][0].key for key in traits}.intersection(keys))


def sizes(conn: Connection, segment_id: int, now: datetime, zone: tzinfo, days: int) -> list[Size]:
    """The size of a segment at the end of each of the last `days` days of the shop, today's as it is now, oldest first."""
    today = now.astimezone(zone).date()
    since = today - timedelta(days=days - 1)
    moved = {day: (entered, left) for day, entered, left in store.SQL.moves_by_day(conn, segment_id=segment_id, zone=str(zone), since=since)}
    row = store.find(conn, segment_id)
    members = row.members if row is not None else 0
    found: list[Size] = []
    for day in (today - timedelta(days=back) for back in range(days)):
        entered, left = moved.get(day, (0, 0))
        found.append(Size(day, members, entered, left))
        members += left - entered
    return found[::-1]


def overlaps(conn: Connection, segment_ids: Sequence[int]) -> list[Overlap]:
    """Each pair of these segments (at most 30), as they are stored now."""
    counted = {(first, second): both for first, second, both in store.SQL.overlaps(conn, ids=list(segment_ids[:MOST_COMPARED]))}
    size: Mapping[int, int] = {first: both for (first, second), both in counted.items() if first == second}
    ids = sorted(set(segment_ids[:MOST_COMPARED]))
    pairs = [(first, second) for place, first in enumerate(ids) for second in ids[place + 1 :]]
    return [Overlap(first, second, size.get(first, 0), size.get(second, 0), counted.get((first, second), 0)) for first, second in pairs]


def changes(conn: Connection, after: int, limit: int, segment_id: int | None = None) -> list[store.ChangeRow]:
    """Who entered and left after a change (0: as far back as is kept, 30 days), in the order in which it was found: what a listener hears.

    A listener keeps the id of the last change it heard; each is heard once, whatever happens in between.
    """
    return [store.ChangeRow(*row) for row in store.SQL.list_changes(conn, after=after, segment_id=segment_id, limit=limit)]


def newest_change(conn: Connection) -> int:
    """The number of the newest change, to listen from now on; 0 when there is none."""
    return store.SQL.newest_change(conn)


def newest_changes(conn: Connection, segment_id: int, limit: int, before: int | None = None) -> list[store.ChangeRow]:
    """Who entered and left one segment, newest first, before a change."""
    return [store.ChangeRow(*row) for row in store.SQL.newest_changes(conn, segment_id=segment_id, before=before, limit=limit)]


def forget_old(conn: Connection, now: datetime) -> None:
    """Drop changes that everybody has had the time to hear."""
    store.SQL.forget_changes(conn, before=now - timedelta(days=KEEP_CHANGES_DAYS))


def _named(one: Named, about: Known) -> list[Named]:
    """The segments that a rule names itself; what it names and is not there is left out."""
    return [other for reference in named_in(one.rule) if (other := about.by_reference.get(reference)) is not None]


def _reached(one: Named, about: Known) -> set[int]:
    """A segment and all that it rests on; circles cannot be saved, but what is broken must not hang."""
    reached: set[int] = set()
    waiting: list[Any] = [one]
    while waiting:
        if (here := waiting.pop()).id not in reached:
            reached.add(here.id)
            waiting += _named(here, about)
    return reached
