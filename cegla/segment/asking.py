"""What rules ask that the history does not know: accounts, declared traits, findings, places to live, the gate. Each question is one table of
`person_id` with the answer's columns, about some people or about everybody; it lives in memory for as long as the question that needs it."""

import json
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa

from cegla.account import actions as account
from cegla.govern import actions as govern
from cegla.profile import actions as profile
from cegla.resolve import actions as resolve
from cegla.segment import store
from cegla.segment.rules.language import Question, Rule, leaves
from cegla.segment.rules.permissions import NO_ADDRESS
from cegla.storage.keys import Keys
from cegla.storage.warehouse import Readable, history
from cegla.storage.workspace import Connection
from cegla.vocabulary.consent import Channel

AT_ONCE = 20_000
TYPES: dict[str, pa.DataType] = {"text": pa.string(), "number": pa.float64(), "hour": pa.float64(), "moment": pa.timestamp("us"), "list": pa.list_(pa.string())}
HOME = {"country": "geo.country", "voivodeship": "geo.voivodeship", "powiat": "geo.powiat", "city": "geo.city"}


@dataclass(frozen=True)
class AsOf:
    """What an evaluation stands on besides the stores: the moment, the shop's time zone, the keys that suppressed addresses are known by
    (None: nobody asks about reach), and who is in no segment because of an objection to profiling."""

    now: datetime
    zone: tzinfo = UTC
    keys: Keys | None = None
    excluded: frozenset[int] = field(default=frozenset())


def questions_of(trees: Iterable[Rule]) -> list[Question]:
    """What these rules ask, each question once."""
    return list(dict.fromkeys(question for tree in trees for leaf in leaves(tree) if (question := leaf.question) is not None))


def account_questions(questions: Iterable[Question]) -> dict[Question, account.Question]:
    """Those of the questions that are about accounts, as accounts are asked."""
    asked = {question: json.loads(question.about) for question in questions if question.kind == "accounts"}
    return {question: account.Question(tuple(where), role) for question, (where, role) in asked.items()}


@contextmanager
def answered(
    conn: Connection, warehouse: Readable, questions: Sequence[Question], as_of: AsOf, people: Sequence[int] | None
) -> Generator[dict[Question, ir.Table]]:
    """The answers as tables to join with, about `people` or about everybody (None)."""
    if people is None and any(question.kind == "reach" for question in questions):
        people = with_events(warehouse)
    with ExitStack() as stack:
        found: dict[Question, ir.Table] = {}
        if about_accounts := account_questions(questions):
            belonging = account.belonging(conn, list(about_accounts.values()), as_of.now, people)
            for question, members in zip(about_accounts, belonging, strict=True):
                counted = Counter(members)
                found[question] = stack.enter_context(warehouse.keep(_table({"value": pa.int64()}, counted, [list(counted.values())])))
        for question in questions:
            if question not in found:
                found[question] = stack.enter_context(warehouse.keep(ANSWERS[question.kind](conn, json.loads(question.about), as_of, people)))
        yield found


def with_events(warehouse: Readable) -> list[int]:
    """All people with an event."""
    return warehouse.run(history().select("person_id").distinct())["person_id"].to_pylist()


def _table(columns: Mapping[str, pa.DataType], people: Iterable[int], values: Sequence[Sequence[Any]]) -> pa.Table:
    schema = pa.schema([("person_id", pa.int64()), *columns.items()])
    return pa.Table.from_arrays(
        [pa.array(list(people), pa.int64()), *(pa.array(value, kind) for value, kind in zip(values, columns.values(), strict=True))], schema=schema
    )


def _declared(conn: Connection, about: Sequence[Any], as_of: AsOf, people: Sequence[int] | None) -> pa.Table:
    """The word that holds about a declared trait, as text: "red", "2.5", "true"."""
    said = profile.declared.by_person(conn, about[0], people)
    return _table({"value": pa.string()}, said, [[_text(value) for value in said.values()]])


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _found(conn: Connection, about: Sequence[Any], as_of: AsOf, people: Sequence[int] | None) -> pa.Table:
    """What an analyser found, and how sure it is."""
    key, kind = about
    rows = profile.findings.by_person(conn, [key], people)
    values = [_plain(document[key][0], kind) for document in rows.values()]
    return _table({"value": TYPES[kind], "confidence": pa.float64()}, rows, [values, [document[key][1] for document in rows.values()]])


def _plain(value: Any, kind: str) -> Any:
    """A finding's value as rules compare it; of shares the greatest, by name when two are equal."""
    match value:
        case None:
            return None
        case dict():
            shares: dict[str, float] = value
            return min(shares, key=lambda name: (-shares[name], name), default=None)
        case bool():
            return str(value).lower()
        case str() if kind == "moment":
            return datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None)
        case list() if kind == "list":
            return [str(one) for one in value]
        case _:
            return str(value) if kind == "text" else value


def _home(conn: Connection, about: Sequence[Any], as_of: AsOf, people: Sequence[int] | None) -> pa.Table:
    """Where people live, as far as it is known, by level; the confidence is that of the most exact level."""
    rows = profile.findings.by_person(conn, list(HOME.values()), people)
    columns: list[list[Any]] = [[document.get(key, (None, 0.0))[0] for document in rows.values()] for key in HOME.values()]
    sure = [next((found[1] for key in reversed(HOME.values()) if (found := document.get(key)) and found[0] is not None), 0.0) for document in rows.values()]
    return _table({**dict.fromkeys(HOME, pa.string()), "confidence": pa.float64()}, rows, [*columns, sure])


def _reach(conn: Connection, about: Sequence[Any], as_of: AsOf, people: Sequence[int] | None) -> pa.Table:
    """The gate's word on a purpose and a channel: ok, or why not. With an address in question, "no_address" where there is none."""
    purpose, channel, by_address = about[0], Channel(about[1]), about[2]
    kind = govern.ADDRESS_TYPES.get(channel) if by_address else None
    asked = list(people or ())
    answers: list[str] = []
    for start in range(0, len(asked), AT_ONCE):
        subjects = profile.places.subjects(conn, resolve.reach.addresses(conn, asked[start : start + AT_ONCE], kind or ""))
        verdicts = govern.allowed(conn, as_of.keys, subjects, purpose, channel, as_of.now) if as_of.keys is not None else []
        for subject, verdict in zip(subjects, verdicts, strict=True):
            answers.append(NO_ADDRESS if by_address and subject.address is None else verdict.reason)
    return _table({"value": pa.string()}, asked, [answers])


def _portrait(conn: Connection, about: Sequence[Any], as_of: AsOf, people: Sequence[int] | None) -> pa.Table:
    """What portraits said last night; of who has objected to profiling since, nothing."""
    kind, of = about
    said = {person: words for person, words in store.portraits(conn, kind, people).items() if person not in as_of.excluded}
    values: list[Any] = [words if of == "list" else float(words[0]) if of == "number" else words[0] for words in said.values()]
    return _table({"value": TYPES[of]}, said, [values])


ANSWERS: dict[str, Callable[[Connection, Sequence[Any], AsOf, Sequence[int] | None], pa.Table]] = {
    "declared": _declared, "found": _found, "home": _home, "reach": _reach, "portrait": _portrait,
}  # fmt: skip
