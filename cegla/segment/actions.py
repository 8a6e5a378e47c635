"""The door of segments: define, count, keep membership up to date, explain.

A rule is given as JSON (see rules/language.py and docs/reference/segments.md); every function that takes one raises
RuleInvalid with a JSON pointer when it does not fit the language. People are person ids, times are aware and UTC, days are
24 hours back from `now`. "Everybody" means people with at least one event up to `now`.
"""

import json
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import pyarrow as pa

from cegla.account import actions as account
from cegla.profile import actions as profile
from cegla.segment import computed as computed
from cegla.segment import marks as marks
from cegla.segment import store
from cegla.segment.operators import NONE_COMPUTED, OPERATORS, parsed
from cegla.segment.rules import compile as compiler
from cegla.segment.rules import rfm
from cegla.segment.rules.compile import History
from cegla.segment.rules.events import WEEKDAYS
from cegla.segment.rules.explain import Explanation, explained
from cegla.segment.rules.history import COMPARISONS, FIELDS, Ground, Scale
from cegla.segment.rules.language import Rule, leaves, question
from cegla.segment.rules.sentence import Speaker
from cegla.segment.rules.traits import DECLARED, TRAITS, TraitRow
from cegla.storage.warehouse import Readable, history
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.errors import InvalidInput, NotFound
from cegla.vocabulary.errors.people import RuleInvalid
from cegla.vocabulary.people import person_label
from cegla.vocabulary.text import Language, Text

RULES_AT_ONCE = 50  #: how many segments one expression decides
SAMPLE = 5
LONGEST_NAME = 200

#: what the form, the API and the documentation are derived from
__all__ = ["COMPARISONS", "FIELDS", "OPERATORS", "TRAITS", "WEEKDAYS"]


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
    """Define a segment, or redefine the one with this key. Its members follow with the next `refresh`.

    Raises RuleInvalid, and InvalidInput when the name is empty, longer than 200 characters or unreadable.
    """
    title = name.strip()
    if not title or len(title) > LONGEST_NAME or not title.isprintable() or (key is not None and not key.isprintable()):
        raise InvalidInput(where="/name", seen=ascii(name), detail=Text("nazwa ma mieć od 1 do 200 znaków", "a name has 1 to 200 characters"))
    segment_id = store.put(conn, key, title, parsed(rule, computed.rows(conn)).to_json(), now)
    return segment(conn, segment_id)


def segments(conn: Connection) -> list[Segment]:
    """Every segment, oldest first, with the number of people in it now."""
    defined = computed.rows(conn)
    return [_segment(row, defined) for row in store.all_segments(conn)]


def segment(conn: Connection, segment_id: int) -> Segment:
    """One segment. Raises NotFound."""
    row = store.find(conn, segment_id)
    if row is None:
        raise NotFound(where="segment", seen=segment_id, thing=Text(f"segment {segment_id}", f"segment {segment_id}"))
    return _segment(row, computed.rows(conn))


def count(ws: Workspace, rule: object, now: datetime, excluded: Iterable[int] = ()) -> Count:
    """How many people a rule matches now, who they are, and five of them. Nothing is stored."""
    people = members_of(ws, rule, now, excluded=excluded)
    size = len(people)
    sample = tuple(people[place * size // min(size, SAMPLE)].as_py() for place in range(min(size, SAMPLE)))
    return Count(size, people, sample, now)


def members_of(ws: Workspace, rule: object, now: datetime, people: Iterable[int] | None = None, excluded: Iterable[int] = ()) -> "pa.Array[Any]":
    """Person ids (int64, ascending) that a rule matches at `now`: of `people`, or of everybody; never those `excluded`."""
    with ws.transaction() as conn:
        tree = parsed(rule, computed.rows(conn))
        ground = _ground(conn, ws.warehouse, [tree], now)
        asked = None if people is None else list(people)
        belonging = _belonging(conn, [tree], now, asked)
    with _tables(ws.warehouse, asked, belonging) as (table, answers):
        found = ws.warehouse.run(compiler.members(tree, _history(now, table, answers), ground))
    ids = found.sort_by("person_id")["person_id"].combine_chunks()
    left_out = set(excluded)
    return pa.array([one for one in ids.to_pylist() if one not in left_out], pa.int64()) if left_out else ids


def refresh(
    conn: Connection, warehouse: Readable, people: Sequence[int] | None, now: datetime, only: Sequence[int] | None = None, excluded: Iterable[int] = ()
) -> list[Change]:
    """Bring stored membership up to date: of `people`, or of everybody (None), which also works out the RFM scale anew.

    `only`: just these segments. `excluded`: people who are in no segment, because they objected to profiling. A segment
    whose rule can no longer be read keeps its members. Returns what changed, without segments in which nothing did.
    """
    defined = tuple(computed.rows(conn).values())
    rules = {segment_id: text for segment_id, rule in store.rules(conn, only) if _tree(text := json.dumps(rule, sort_keys=True), defined) is not None}
    left_out, minute = set(excluded), _minute(now)
    if people is None:
        _renew_scale(conn, warehouse, _trees(rules, defined), minute)
        changes = [_put(conn, ids, found, None, now, left_out) for ids, found in _evaluated(conn, warehouse, rules, None, (minute, defined))]
        store.mark_refreshed(conn, list(rules), now)
    else:
        asked = _evaluated(conn, warehouse, rules, people, (minute, defined)) if people else []
        changes = [_put(conn, ids, found, people, now, left_out) for ids, found in asked]
    return [change for some in changes for change in some]


def seen_otherwise(conn: Connection, changed: Sequence[int], now: datetime) -> list[int]:
    """Whoever belongs, or belonged, to one of these accounts that the rules of segments see otherwise than at the last refresh."""
    if not changed:
        return []
    defined = tuple(computed.rows(conn).values())
    questions = _asked(tree for _, rule in store.rules(conn, None) if (tree := _tree(json.dumps(rule, sort_keys=True), defined)) is not None)
    return account.members_seen_otherwise(conn, list(questions.values()), changed, _minute(now))


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
    """`explain` for many people with one question to the history; who has no events is left out."""
    with ws.transaction() as conn:
        tree = parsed(rule, computed.rows(conn))
        ground = _ground(conn, ws.warehouse, [tree], now)
        belonging = _belonging(conn, [tree], now, people)
    with _tables(ws.warehouse, people, belonging) as (table, answers):
        rows = ws.warehouse.run(compiler.reasons(tree, _history(now, table, answers), ground)).to_pylist()
    polish, english = (Speaker(language, ws.settings.currency, ws.settings.zone) for language in ("pl", "en"))
    return {row["person_id"]: explained(tree, row, (polish, english)) for row in rows}


def sentence(rule: object, language: Language, currency: str = "PLN", defined: Mapping[str, TraitRow] = NONE_COMPUTED) -> str:
    """A rule in words: "Osoby, które złożyły zamówienie co najmniej 3 razy w ciągu ostatnich 90 dni." `defined`: see `computed.rows`."""
    return Speaker(language, currency).sentence(parsed(rule, defined))


def install_ready_made(conn: Connection, now: datetime) -> None:
    """Add the RFM groups and the life-cycle stages as segments, unless they are there. Changed ones stay as they are."""
    for row in rfm.GROUPS:
        store.add_ready_made(conn, f"rfm.{row.key}", f"RFM: {row.label.pl}", {"op": "rfm_group", "groups": [row.key]}, now)
    for stage in rfm.STAGES:
        store.add_ready_made(conn, f"life_cycle.{stage.key}", f"Etap: {stage.label.pl.partition(':')[0]}", {"op": "life_cycle", "groups": [stage.key]}, now)


def export_person(conn: Connection, identity_ids: Sequence[int]) -> dict[str, Any]:
    """Everything this slice holds about the person with these identities: each stay in a segment."""
    return {"segments": [{"segment": row.name, "entered_at": row.entered_at, "left_at": row.left_at} for row in store.memberships_of(conn, identity_ids)]}


def erase_person(conn: Connection, identity_ids: Sequence[int]) -> int:
    """Remove everything this slice holds about the person with these identities; returns how many rows went."""
    return store.erase(conn, identity_ids)


def _segment(row: store.SegmentRow, defined: Mapping[str, TraitRow]) -> Segment:
    try:
        parsed(row.rule, defined)
    except RuleInvalid as error:
        return Segment(*row, problem=Text(error.say("pl"), error.say("en")))
    return Segment(*row, problem=None)


def _history(now: datetime, people: Any, belonging: Mapping[str, Any]) -> History:
    return History(history(), history("order_lines"), lambda: profile.person_traits(now, people), people, belonging)


def _asked(trees: Iterable[Rule]) -> dict[str, account.Question]:
    """What these rules ask about accounts."""
    about = [leaf.values for tree in trees for leaf in leaves(tree) if leaf.operator.group == "accounts"]
    return {question(values): account.Question(tuple(values["where"]), values["role"]) for values in about}


def _belonging(conn: Connection, trees: Iterable[Rule], now: datetime, people: Sequence[int] | None) -> dict[str, list[int]]:
    """The answers to what these rules ask about accounts, by question; nothing is looked up when they ask nothing."""
    questions = _asked(trees)
    return dict(zip(questions, account.belonging(conn, list(questions.values()), now, people), strict=True)) if questions else {}


@contextmanager
def _tables(warehouse: Readable, people: Sequence[int] | None, belonging: Mapping[str, Sequence[int]]) -> Generator[tuple[Any, dict[str, Any]]]:
    """The people asked about (None: everybody) and the answers about accounts as tables to join with."""
    with ExitStack() as stack:
        table = None if people is None else stack.enter_context(warehouse.people(people))
        yield table, {key: stack.enter_context(warehouse.people(found)) for key, found in belonging.items()}


def _evaluated(
    conn: Connection, warehouse: Readable, rules: Mapping[int, str], people: Sequence[int] | None, as_of: tuple[datetime, tuple[TraitRow, ...]]
) -> list[tuple[list[int], pa.Table]]:
    """For some segments at a time their ids, and a table of `person_id` and one boolean column a segment, `r0`, `r1`, …"""
    now, defined = as_of
    trees = _trees(rules, defined)
    ground = _ground(conn, warehouse, trees, now)
    ids = list(rules)
    parts = [ids[start : start + RULES_AT_ONCE] for start in range(0, len(ids), RULES_AT_ONCE)]
    questions = [(part, tuple(rules[one] for one in part)) for part in parts]
    with _tables(warehouse, people, _belonging(conn, trees, now, people)) as (table, answers):
        asked: Any = table if table is None else table.op()
        belonging = tuple((key, one.op()) for key, one in answers.items())
        return [(part, warehouse.run(_question(texts, defined, ground, now, asked, belonging))) for part, texts in questions]


@lru_cache(maxsize=64)
def _question(
    rules: tuple[str, ...], defined: tuple[TraitRow, ...], ground: Ground, now: datetime, people: Any, belonging: tuple[tuple[str, Any], ...]
) -> Any:
    """The one expression that decides these rules; kept, because every batch of a minute asks it again."""
    answers = {key: one.to_expr() for key, one in belonging}
    return compiler.membership(_trees(dict(enumerate(rules)), defined), _history(now, people and people.to_expr(), answers), ground)


@lru_cache(maxsize=4_096)
def _tree(rule: str, defined: tuple[TraitRow, ...]) -> Rule | None:
    """A stored rule, or None when it can no longer be read."""
    try:
        return parsed(json.loads(rule), {row.key: row for row in defined})
    except RuleInvalid:
        return None


def _trees(rules: Mapping[int, str], defined: tuple[TraitRow, ...]) -> list[Rule]:
    return [tree for rule in rules.values() if (tree := _tree(rule, defined)) is not None]


def _put(conn: Connection, ids: list[int], found: pa.Table, people: Sequence[int] | None, now: datetime, excluded: set[int]) -> list[Change]:
    """Store who entered and left these segments, of the people looked at."""
    before = store.members_among(conn, ids, people) if people is not None else {one: store.members_now(conn, one) for one in ids}
    changes: list[Change] = []
    for number, segment_id in enumerate(ids):
        inside = set(found["person_id"].filter(found[f"r{number}"]).to_pylist()) - excluded
        entered, left = sorted(inside - before[segment_id]), sorted(before[segment_id] - inside)
        if entered or left:
            changes.append(Change(segment_id, tuple(entered), tuple(left), now))
    store.leave(conn, [(change.segment_id, person) for change in changes for person in change.left], now)
    store.enter(conn, [(change.segment_id, person) for change in changes for person in change.entered], now)
    return changes


def _minute(now: datetime) -> datetime:
    """The end of the running minute: the moment that stored membership is decided for.

    Membership is right to the minute, and all batches of a minute ask one and the same question, whose SQL is then at hand.
    """
    whole = now.replace(second=0, microsecond=0)
    return whole if whole == now else whole + timedelta(minutes=1)


def _ground(conn: Connection, warehouse: Readable, trees: Sequence[Rule], now: datetime) -> Ground:
    """The moment, and the newest RFM scale where a rule needs it; worked out now when there is none yet."""
    moment, ranks = now.astimezone(UTC).replace(tzinfo=None), tuple(profile.declared.ranking(conn))
    names = {row.key.removeprefix(DECLARED) for tree in trees for leaf in leaves(tree) if (row := leaf.values.get("row")) and row.key.startswith(DECLARED)}
    corrections = tuple(profile.declared.corrections(conn, names)) if names else ()
    if not _needs_scale(trees):
        return Ground(moment, None, ranks, corrections)
    if (scale := store.newest_scale(conn)) is None:
        scale = _scale(warehouse, moment)
        if scale.people:
            store.save_scale(conn, scale)
    return Ground(moment, scale, ranks, corrections)


def _renew_scale(conn: Connection, warehouse: Readable, trees: Sequence[Rule], now: datetime) -> None:
    if _needs_scale(trees):
        store.save_scale(conn, _scale(warehouse, now.astimezone(UTC).replace(tzinfo=None)))


def _needs_scale(trees: Sequence[Rule]) -> bool:
    return any(leaf.operator.key.startswith("rfm_") for tree in trees for leaf in leaves(tree))


def _scale(warehouse: Readable, moment: datetime) -> Scale:
    return rfm.scale(warehouse.run(rfm.bounds(history(), moment)).to_pylist()[0], moment)
