"""Deciding: many rules over everybody or over a few people, as of a moment, with what other stores say about them."""

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import pyarrow as pa

from cegla.profile import actions as profile
from cegla.segment import computed, some, store
from cegla.segment.asking import AsOf, answered, questions_of
from cegla.segment.operators import Known, Named, known_of, parsed
from cegla.segment.rules import compile as compiler
from cegla.segment.rules import rfm, tenths
from cegla.segment.rules.compile import History
from cegla.segment.rules.history import Ground, Scale
from cegla.segment.rules.language import Leaf, Question, Rule, leaves
from cegla.segment.some import Ruled
from cegla.storage.warehouse import Readable, history, table
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors.people import RuleInvalid

RULES_AT_ONCE = 50  #: how many segments one expression decides about everybody, who are read once for all of them,
RULES_AT_ONCE_OF_SOME = 10  #: and about some people, whose rows are in memory: planning a long question takes longer than answering it


def known(conn: Connection) -> Known:
    """What rules may speak of now."""
    named = tuple(Named(row.id, row.key, row.name, json.dumps(row.rule, sort_keys=True)) for row in store.named_rules(conn))
    return known_of(tuple(computed.rows(conn).values()), named)


@lru_cache(maxsize=4_096)
def tree_of(named: Named, about: Known) -> Rule | None:
    """The rule of a stored segment, or None when it can no longer be read."""
    try:
        return parsed(json.loads(named.rule), about, (named.id,))
    except RuleInvalid:
        return None


def minute(now: datetime) -> datetime:
    """The end of the running minute: the moment that stored membership is decided for.

    Membership is right to the minute, and all batches of a minute ask one and the same question, whose SQL is then at hand.
    """
    whole = now.replace(second=0, microsecond=0)
    return whole if whole == now else whole + timedelta(minutes=1)


def readable(about: Known) -> list[Named]:
    """The segments whose rules can be read."""
    return [one for one in about.segments if tree_of(one, about) is not None]


def trees_of(rules: Sequence[Named], about: Known) -> list[Rule]:
    """The rules of these segments, as far as they can be read."""
    return [tree for one in rules if (tree := tree_of(one, about)) is not None]


@contextmanager
def looking(
    conn: Connection, warehouse: Readable, rules: Sequence[Rule] | Ruled, as_of: AsOf, people: Sequence[int] | None
) -> Generator[tuple[History, Ground]]:
    """The history of the people asked about (None: everybody) with the answers that these rules need, and the ground they stand on.

    Of people asked about all of it lies aside, and so what is asked of it is asked there.
    """
    ruled = rules if isinstance(rules, Ruled) else Ruled(tuple(rules))
    ground = ground_of(conn, warehouse, ruled.trees, as_of)
    with answered(conn, warehouse if people is None else warehouse.aside, ruled.questions, as_of, people) as answers:
        if people is None:
            yield _everybody(as_of.now, answers), ground
        else:
            with some.rows_of(warehouse, people, ruled.columns) as (events, lines):
                yield some.past(as_of.now, answers, events, lines), ground


def evaluated(
    conn: Connection, warehouse: Readable, rules: Sequence[Named], about: Known, as_of: AsOf, people: Sequence[int] | None
) -> tuple[list[tuple[list[int], pa.Table]], pa.Table]:
    """For some segments at a time their ids, and a table of `person_id`, one boolean column a segment, `r0`, `r1`, …, and `due_at`; and who has an
    event that lies ahead, with its moment, `due_at`.

    About some people most rules are decided between two questions to the warehouse (see `some`), the others, as about everybody, by it.
    """
    ordered, ruled = _in_order(tuple(rules), about)
    with looking(conn, warehouse, ruled, as_of, people) as (past, ground):
        done: list[tuple[list[int], pa.Table]] = []
        place = warehouse if people is None else warehouse.aside
        rows: Any = None if people is None else (past.events.op(), past.order_lines.op())
        answers = tuple((question, one.op()) for question, one in past.answers.items())
        if people is not None:
            found, numbers, left = some.decided(place, ruled, past, ground)
            done += [([ordered[number].id for number in numbers], found)] if found is not None else []
            ordered = tuple(ordered[number] for number in left)
        size = RULES_AT_ONCE if people is None else RULES_AT_ONCE_OF_SOME
        parts = [ordered[start : start + size] for start in range(0, len(ordered), size)]
        done += [([one.id for one in part], place.run(_question(part, about, ground, as_of.now, rows, answers))) for part in parts]
        return done, place.run(compiler.coming(past.events if people is not None else history(columns=compiler.ALWAYS), ground))


@lru_cache(maxsize=16)
def _in_order(rules: tuple[Named, ...], about: Known) -> tuple[tuple[Named, ...], Ruled]:
    """The segments in such an order that those which need the same stand together, and their rules."""
    ordered = tuple(sorted(rules, key=lambda one: _passes(one, about)))
    return ordered, Ruled(tuple(trees_of(ordered, about)))


def _passes(one: Named, about: Known) -> tuple[str, ...]:
    """What a rule needs beside counting events: order lines, traits of several passes, sequences, answers. Who needs the same shares it in one question."""
    tree = tree_of(one, about)
    every = leaves(tree) if tree is not None else []
    needed = {f"traits {row.key}" for leaf in every if (row := leaf.values.get("row")) is not None and row.joined}
    needed |= {f"pass {leaf.operator.key}" for leaf in every if leaf.operator.apart is not None}
    needed |= {"lines" for leaf in every if any(parameter.name in compiler.LINE_COLUMNS for parameter in leaf.operator.parameters)}
    return tuple(sorted({*needed, *(f"asks {leaf.question.kind}" for leaf in every if leaf.question is not None)}))


@lru_cache(maxsize=256)
def _question(rules: tuple[Named, ...], about: Known, ground: Ground, now: datetime, rows: Any, answers: tuple[tuple[Question, Any], ...]) -> Any:
    """The one expression that decides these rules; kept, because every batch of a minute asks it again."""
    trees = trees_of(rules, about)
    told = {question: one.to_expr() for question, one in answers}
    past = _everybody(now, told) if rows is None else some.past(now, told, *(one.to_expr() for one in rows))
    return compiler.membership(trees, past, ground)


def members(conn: Connection, warehouse: Readable, rule: object, now: AsOf, people: Sequence[int] | None) -> pa.Table:
    """`person_id` of those whom a rule holds for, of `people` or of everybody, as of the end of the running minute. Raises RuleInvalid.

    As with stored membership: so a page that asks again, and whoever asks the same, finds the question as it was put, which takes long.
    """
    about, as_of = known(conn), replace(now, now=minute(now.now))
    tree = parsed(rule, about)
    if people is not None:
        with looking(conn, warehouse, [tree], as_of, people) as (past, ground):
            return warehouse.run(compiler.members(tree, past, ground))
    ground = ground_of(conn, warehouse, [tree], as_of)
    with answered(conn, warehouse, questions_of([tree]), as_of, None) as answers:
        told = tuple((question, one.op()) for question, one in answers.items())
        return warehouse.run(_members_question(json.dumps(rule, sort_keys=True), about, ground, as_of.now, told))


@lru_cache(maxsize=256)
def _members_question(rule: str, about: Known, ground: Ground, now: datetime, answers: tuple[tuple[Question, Any], ...]) -> Any:
    """The one expression that finds the people of a rule."""
    tree, told = parsed(json.loads(rule), about), {question: one.to_expr() for question, one in answers}
    return compiler.members(tree, _everybody(now, told), ground)


def _everybody(now: datetime, answers: Mapping[Question, Any]) -> History:
    """The whole history, of which each question reads the columns it looks at."""
    return History(
        history(),
        history("order_lines"),
        lambda keys: profile.past.traits_of(now, None, keys),
        None,
        answers,
        lambda columns: history(columns=columns),
        table("events", compiler.ALWAYS),
    )


# what is worked out over everybody ---------------------------------------------------------------------------------------


def ground_of(conn: Connection, warehouse: Readable, trees: Sequence[Rule], as_of: AsOf) -> Ground:
    """The moment, and where rules need them the newest RFM scale and tenths; worked out now when there are none yet."""
    bare = Ground(as_of.now.astimezone(UTC).replace(tzinfo=None), None, as_of.zone)
    scale = _scale_at_hand(conn, warehouse, bare.now) if needs_scale(trees) else None
    kept = store.tenths(conn)
    wanted = tenth_leaves(trees)
    missing = {trait: leaf for trait, leaf in wanted.items() if trait not in kept}
    if missing:
        kept |= renew_tenths(conn, warehouse, missing, as_of)
    return Ground(bare.now, scale, as_of.zone, tuple((trait, kept[trait]) for trait in sorted(wanted)))


def renew(conn: Connection, warehouse: Readable, trees: Sequence[Rule], as_of: AsOf) -> None:
    """Work out anew what rests on everybody at once: the RFM scale and the tenths of traits, where rules need them."""
    if needs_scale(trees):
        renew_scale(conn, warehouse, as_of.now)
    if leaves_of_tenths := tenth_leaves(trees):
        renew_tenths(conn, warehouse, leaves_of_tenths, as_of)


def renew_scale(conn: Connection, warehouse: Readable, now: datetime) -> None:
    """Work the RFM scale out anew."""
    store.save_scale(conn, _scale(warehouse, now.astimezone(UTC).replace(tzinfo=None)))


def renew_tenths(conn: Connection, warehouse: Readable, wanted: Mapping[str, Leaf], as_of: AsOf) -> dict[str, tuple[float, ...]]:
    """Work the tenths of these traits out anew over everybody."""
    found: dict[str, tuple[float, ...]] = {}
    ground = Ground(as_of.now.astimezone(UTC).replace(tzinfo=None), None, as_of.zone)
    for trait, leaf in wanted.items():
        with answered(conn, warehouse, questions_of([leaf]), as_of, None) as answers:
            values = warehouse.run(compiler.values_of(leaf, tenths.known, _everybody(as_of.now, answers), ground))["value"]
        found[trait] = tenths.bounds(values.to_numpy())
        store.save_tenths(conn, trait, found[trait], len(values), as_of.now)
    return found


def needs_scale(trees: Sequence[Rule]) -> bool:
    """Whether one of the rules asks for RFM scores."""
    return any(leaf.operator.key.startswith("rfm_") for tree in trees for leaf in leaves(tree))


def tenth_leaves(trees: Sequence[Rule]) -> dict[str, Leaf]:
    """The traits whose tenths the rules ask for, each with a leaf that does."""
    return {leaf.values["trait"]: leaf for tree in trees for leaf in leaves(tree) if leaf.operator.key == "trait_tenth"}


def _scale_at_hand(conn: Connection, warehouse: Readable, moment: datetime) -> Scale | None:
    if (scale := store.newest_scale(conn)) is None:
        scale = _scale(warehouse, moment)
        if scale.people:
            store.save_scale(conn, scale)
    return scale


def _scale(warehouse: Readable, moment: datetime) -> Scale:
    return rfm.scale(warehouse.run(rfm.bounds(history(), moment)).to_pylist()[0], moment)
