"""The door of segments: define, count, keep membership up to date, explain.

A rule is given as JSON (see rules/language.py and docs/reference/segments.md); every function that takes one raises
RuleInvalid with a JSON pointer when it does not fit the language. People are person ids, times are aware and UTC, days are
24 hours back from `now`. "Everybody" means people with at least one event up to `now`.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from cegla.account import actions as account
from cegla.segment import computed as computed
from cegla.segment import everybody as everybody
from cegla.segment import marks as marks
from cegla.segment import movements as movements
from cegla.segment import portraits as portraits
from cegla.segment import reading as reading
from cegla.segment import store
from cegla.segment.asking import AsOf, account_questions, questions_of
from cegla.segment.estimating import Estimate as Estimate
from cegla.segment.estimating import estimate as estimate
from cegla.segment.evaluating import evaluated, known, looking, members, minute, readable, renew, trees_of
from cegla.segment.operators import FOUND, NOTHING, OPERATORS, Known, known_of, parsed
from cegla.segment.rules import compile as compiler
from cegla.segment.rules.events import WEEKDAYS
from cegla.segment.rules.explain import Explanation, explained
from cegla.segment.rules.history import COMPARISONS, FIELDS
from cegla.segment.rules.portrayed import PORTRAIT
from cegla.segment.rules.ready_made import READY_MADE
from cegla.segment.rules.sentence import Speaker
from cegla.segment.rules.traits import TRAITS
from cegla.segment.store import ChangeRow as ChangeRow
from cegla.storage.warehouse import Readable
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.errors import InvalidInput, NotFound
from cegla.vocabulary.errors.people import RuleInvalid
from cegla.vocabulary.people import person_label
from cegla.vocabulary.text import Language, Text

SAMPLE = 5
LONGEST_NAME = 200
DUE_AT_ONCE = 20_000
AGEING_FIELDS = ("silent_days", "engagement")  #: what is known of an account that time alone changes

#: what the form, the API and the documentation are derived from, and what an evaluation stands on
__all__ = ["COMPARISONS", "FIELDS", "FOUND", "NOTHING", "OPERATORS", "READY_MADE", "TRAITS", "WEEKDAYS", "AsOf", "Known", "known", "known_of"]


@dataclass(frozen=True)
class Segment:
    """A segment as it is stored; `rule` is its JSON, `members` the people in it now, `problem` why its rule can no longer be read."""

    id: int
    key: str | None
    name: str
    rule: dict[str, Any]
    created_at: datetime
    changed_at: datetime
    refreshed_at: datetime | None
    members: int
    problem: Text | None


@dataclass(frozen=True)
class Member:
    """A person in a segment, and since when."""

    person_id: int
    entered_at: datetime


@dataclass(frozen=True)
class Standing:
    """A segment a person is in, and since when."""

    segment_id: int
    name: str
    entered_at: datetime


@dataclass(frozen=True)
class Count:
    """Who a rule matches at a moment: exact, with a few people spread over all of them to look at."""

    members: int
    people: "pa.Array[Any]"  #: int64 person ids, ascending
    sample: tuple[int, ...]
    at: datetime


@dataclass(frozen=True)
class Change:
    """Who entered and who left one segment."""

    segment_id: int
    entered: tuple[int, ...]
    left: tuple[int, ...]
    at: datetime


def save(conn: Connection, name: str, rule: object, now: datetime, key: str | None = None) -> Segment:
    """Define a segment, or redefine the one with this key; without a key it is a new one and gets a key. Its members follow with the next `refresh`.

    Raises RuleInvalid, and InvalidInput when the name is empty, longer than 200 characters or unreadable.
    """
    title = name.strip()
    if not title or len(title) > LONGEST_NAME or not title.isprintable() or (key is not None and not key.isprintable()):
        raise InvalidInput(where="/name", seen=ascii(name), detail=Text("nazwa ma mieć od 1 do 200 znaków", "a name has 1 to 200 characters"))
    about = known(conn)
    itself = about.by_reference.get(key) if key is not None else None
    segment_id = store.put(conn, key or f"own.{secrets.token_hex(6)}", title, parsed(rule, about, () if itself is None else (itself.id,)).to_json(), now)
    return segment(conn, segment_id)


def segments(conn: Connection) -> list[Segment]:
    """Every segment, oldest first, with the number of people in it now."""
    about = known(conn)
    return [_segment(row, about) for row in store.all_segments(conn)]


def segment(conn: Connection, segment_id: int) -> Segment:
    """One segment. Raises NotFound."""
    row = store.find(conn, segment_id)
    if row is None:
        raise NotFound(where="segment", seen=segment_id, thing=Text(f"segment {segment_id}", f"segment {segment_id}"))
    return _segment(row, known(conn))


def count(ws: Workspace, rule: object, now: datetime, excluded: Iterable[int] = ()) -> Count:
    """How many people a rule matches now, who they are, and five of them. Nothing is stored."""
    people = members_of(ws, rule, now, excluded=excluded)
    size = len(people)
    sample = tuple(people[place * size // min(size, SAMPLE)].as_py() for place in range(min(size, SAMPLE)))
    return Count(size, people, sample, now)


def members_of(ws: Workspace, rule: object, now: datetime, people: Iterable[int] | None = None, excluded: Iterable[int] = ()) -> "pa.Array[Any]":
    """Person ids (int64, ascending) that a rule matches at the end of the minute of `now`: of `people`, or of everybody; never those `excluded`."""
    left_out, asked = set(excluded), None if people is None else list(people)
    with ws.transaction() as conn:
        found = members(conn, ws.warehouse, rule, AsOf(now, ws.settings.zone, ws.keys), asked)
    ids = found.sort_by("person_id")["person_id"].combine_chunks()
    return pa.array([one for one in ids.to_pylist() if one not in left_out], pa.int64()) if left_out else ids


def refresh(conn: Connection, warehouse: Readable, people: Sequence[int] | None, as_of: AsOf, only: Sequence[int] | None = None) -> list[Change]:
    """Bring stored membership up to date: of `people`, or of everybody (None), which also works out the RFM scale and the tenths anew.

    `only`: just these segments and those that rest on them. A segment whose rule can no longer be read keeps its members. Says when time alone may
    change something about the people looked at, for `refresh_due`. Returns what changed, without segments in which nothing did.
    """
    about, stored_for = known(conn), AsOf(minute(as_of.now), as_of.zone, as_of.keys)
    rules = [one for one in readable(about) if only is None or reading.rests_on(one, only, about)]
    if people is None:
        renew(conn, warehouse, trees_of(rules, about), stored_for)
    elif not people:
        return []
    changes: list[Change] = []
    parts, ahead = evaluated(conn, warehouse, rules, about, stored_for, people)
    due: list[pa.Table] = [ahead]
    for ids, found in parts:
        changes += _put(conn, ids, found, people, as_of)
        due.append(found.select(["person_id", "due_at"]))
    store.put_due(conn, people, _earliest(due), instead=only is None)
    if people is None:
        store.mark_refreshed(conn, [one.id for one in rules], as_of.now)
    return changes


def refresh_due(conn: Connection, warehouse: Readable, as_of: AsOf) -> tuple[list[Change], bool]:
    """Look again at people about whom time alone has changed something by now; returns what changed, and whether more people wait."""
    people = store.due(conn, minute(as_of.now), DUE_AT_ONCE)
    return refresh(conn, warehouse, people, as_of), len(people) == DUE_AT_ONCE


def look_again(conn: Connection, people: Iterable[int], now: datetime) -> None:
    """Have these people looked at within a minute: something is known of them otherwise than by an event."""
    store.put_due(conn, None, dict.fromkeys(people, now), instead=False)


def seen_otherwise(conn: Connection, changed: Sequence[int] | None, now: datetime) -> list[int]:
    """Whoever belongs, or belonged, to one of these accounts that the rules of segments see otherwise than at the last refresh.

    None: to any account, as far as time alone changes the answer.
    """
    if changed is not None and not changed:
        return []
    about = known(conn)
    questions = account_questions(questions_of(trees_of(about.segments, about)))
    if changed is None and not any(condition.get("field") in AGEING_FIELDS for one in questions.values() for condition in one.conditions):
        return []
    return account.members_seen_otherwise(conn, list(questions.values()), changed, minute(now))


def forget_people(conn: Connection, absorbed: Mapping[int, int], now: datetime) -> None:
    """People who were joined into others (absorbed → goes on) leave their segments; who goes on stays there in their place."""
    if absorbed:
        store.join(conn, absorbed, now)


def membership(conn: Connection, segment_id: int, after: int, limit: int) -> list[Member]:
    """A page of the people in a segment now: up to `limit` with an id above `after`, ascending."""
    return [Member(*row) for row in store.page(conn, segment_id, after, limit)]


def segments_of(conn: Connection, person_ids: Iterable[int]) -> dict[int, list[Standing]]:
    """For each person the segments he or she is in now, the newest first."""
    found: dict[int, list[Standing]] = {person_id: [] for person_id in person_ids}
    for row in store.memberships_of(conn, found):
        if row.left_at is None:
            found[row.person_id].append(Standing(row.segment_id, row.name, row.entered_at))
    return found


def changes_at(conn: Connection, person_id: int, at: datetime) -> list[tuple[int, str, bool]]:
    """The segments a person entered (True) or left (False) in the refresh of a moment: id and name of each."""
    return store.changes_at(conn, person_id, at)


def explain(ws: Workspace, rule: object, person_id: int, now: datetime) -> Explanation:
    """Why a person matches a rule or not: the tree with true or false, and the value seen at each leaf. Raises NotFound."""
    found = explain_all(ws, rule, [person_id], now)
    if person_id not in found:
        raise NotFound(
            where="person", seen=person_label(person_id), thing=Text(f"zdarzenia osoby {person_label(person_id)}", f"events of {person_label(person_id)}")
        )
    return found[person_id]


def explain_all(ws: Workspace, rule: object, people: Sequence[int], now: datetime) -> dict[int, Explanation]:
    """`explain` for many people with one question to the history, at the moment that membership is decided for; who has no events is left out."""
    with ws.transaction() as conn:
        tree = parsed(rule, known(conn))
        with looking(conn, ws.warehouse, [tree], AsOf(minute(now), ws.settings.zone, ws.keys), people) as (past, ground):
            rows = ws.warehouse.run(compiler.reasons(tree, past, ground)).to_pylist()
    polish, english = (Speaker(language, ws.settings.currency, ws.settings.zone) for language in ("pl", "en"))
    return {row["person_id"]: explained(tree, row, (polish, english)) for row in rows}


def sentence(rule: object, language: Language, currency: str = "PLN", about: Known = NOTHING) -> str:
    """A rule in words: "Osoby, które złożyły zamówienie co najmniej 3 razy w ciągu ostatnich 90 dni." `about`: see `known`."""
    return Speaker(language, currency).sentence(parsed(rule, about))


def install_ready_made(conn: Connection, now: datetime) -> None:
    """Add the segments every installation begins with, unless they are there. Changed ones stay as they are; one from when a key was no must gets one."""
    for row in READY_MADE:
        store.add_ready_made(conn, row.key, row.name.pl, row.rule, now)
    store.SQL.give_keys(conn)


def export_person(conn: Connection, identity_ids: Sequence[int]) -> dict[str, Any]:
    """Everything this slice holds about the person with these identities: each stay in a segment, and what portraits say."""
    return {
        "segments": [{"segment": row.name, "entered_at": row.entered_at, "left_at": row.left_at} for row in store.memberships_of(conn, identity_ids)],
        "portraits": [{"trait": f"{PORTRAIT}{kind}", "value": words, "found_at": at} for kind, words, at in store.portraits_of(conn, identity_ids)],
    }


def erase_person(conn: Connection, identity_ids: Sequence[int]) -> int:
    """Remove everything this slice holds about the person with these identities; returns how many rows went."""
    return store.erase(conn, identity_ids)


def _segment(row: store.SegmentRow, about: Known) -> Segment:
    try:
        parsed(row.rule, about, (row.id,))
    except RuleInvalid as error:
        return Segment(*row, problem=Text(error.say("pl"), error.say("en")))
    return Segment(*row, problem=None)


def _put(conn: Connection, ids: Sequence[int], found: pa.Table, people: Sequence[int] | None, as_of: AsOf) -> list[Change]:
    """Store who entered and left these segments, of the people looked at."""
    everybody, excluded = found["person_id"].to_numpy(), np.fromiter(as_of.excluded, np.int64)
    among = store.members_among(conn, ids, people) if people is not None else {}
    changes: list[Change] = []
    for number, segment_id in enumerate(ids):
        inside = np.setdiff1d(everybody[found[f"r{number}"].to_numpy(zero_copy_only=False)], excluded)
        before = among[segment_id] if people is not None else store.members_now(conn, segment_id)
        entered, left = np.setdiff1d(inside, before), np.setdiff1d(before, inside)
        if len(entered) or len(left):
            changes.append(Change(segment_id, tuple(entered.tolist()), tuple(left.tolist()), as_of.now))
    store.leave(conn, [(change.segment_id, person) for change in changes for person in change.left], as_of.now)
    store.enter(conn, [(change.segment_id, person) for change in changes for person in change.entered], as_of.now)
    return changes


def _earliest(tables: Sequence[pa.Table]) -> dict[int, datetime]:
    """The first moment, in UTC, of everybody who has one."""
    every = pa.concat_tables(tables)
    every = every.filter(every["due_at"].is_valid()).group_by("person_id").aggregate([("due_at", "min")])
    return {person: moment.replace(tzinfo=UTC) for person, moment in zip(every["person_id"].to_pylist(), every["due_at_min"].to_pylist(), strict=True)}
