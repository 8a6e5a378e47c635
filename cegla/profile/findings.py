"""What analysers found, as PostgreSQL keeps it: findings by person, what was learnt from the own base, what is on and why."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec

from cegla.profile.catalogue import ANALYSERS, TRAITS
from cegla.profile.rules.analysis import AnalysedTrait, Analyser, Known, Params
from cegla.profile.store import SQL, as_stored, without_nul
from cegla.storage.arrays import numbers
from cegla.storage.workspace import Connection
from cegla.vocabulary.people import Trait


@dataclass(frozen=True)
class Switch:
    """Whether an analyser is on, for which purpose, and who said so; None: nobody, it is as its row says."""

    is_on: bool
    purpose: str
    changed_at: datetime | None = None
    changed_by: str | None = None


@dataclass(frozen=True)
class Learnt:
    """What an analyser knows of the own base; version 0 and empty before its first night."""

    version: int = 0
    params: Mapping[str, Any] | None = None
    learnt_at: datetime | None = None
    people: int = 0

    @property
    def given(self) -> Params:
        """As the analyser's `read` gets it."""
        return self.params or {}


LAST_NUMBER = 2**62  #: beyond every person
FIRST_RETRY, LAST_RETRY = timedelta(minutes=1), timedelta(days=1)


@dataclass(frozen=True)
class Failing:
    """How an analyser fails: how often ever and in a row (0: it works again), with what kind of error, from which line of ours, when last, and whether
    anybody is due to it for that, or everybody."""

    failures: int
    in_a_row: int
    error: str
    line: str
    failed_at: datetime
    is_due: bool
    is_everybody_due: bool

    @property
    def retry_at(self) -> datetime:
        """When it is tried again: twice as long after each failure, a day at most."""
        return self.failed_at + min(FIRST_RETRY * 2 ** min(max(self.in_a_row - 1, 0), 20), LAST_RETRY)


NOTHING_LEARNT = Learnt()


def switches(conn: Connection) -> dict[str, Switch]:
    """How every analyser of the table stands."""
    said = {key: Switch(*found) for key, *found in SQL.find_switches(conn)}
    return {row.key: said.get(row.key) or Switch(row.on_by_default, row.purpose) for row in ANALYSERS}


def learnt(conn: Connection, keys: Sequence[str]) -> dict[str, Learnt]:
    """What these analysers learnt last."""
    found = {key: Learnt(version, params, at, people) for key, version, params, at, people in SQL.newest_parameters(conn, analysers=list(keys))}
    return {key: found.get(key, NOTHING_LEARNT) for key in keys}


def keep_learnt(conn: Connection, key: str, params: Params, people: int, now: datetime) -> int:
    """Keep what an analyser learnt as its newest version, unless it is what it knew already; returns the version's number."""
    before = learnt(conn, [key])[key]
    text = as_stored(params)
    if before.version and as_stored(before.given) == text:
        return before.version
    version = SQL.keep_parameters(conn, analyser=key, now=now, people=people, parameters=text)
    version = version[0] if isinstance(version, tuple) else version
    SQL.forget_parameters(conn, analyser=key, version=version)
    return version


def keep(
    conn: Connection, analyser: Analyser, found: Sequence[tuple[int, str]], asked: Sequence[int] | tuple[int, int], context: tuple[int, str, datetime]
) -> None:
    """Put what an analyser found (person, JSON text) in place of what it knew of the people asked about: a list, or everybody in the range (after, upto].

    `context` is the version of what it learnt, the purpose, and the moment. What did not change is not written, nor read: each row bears a digest.
    """
    parameters, purpose, now = context
    said = "\t".join((analyser.key, str(analyser.version), analyser.data, str(parameters), purpose))
    before = dict(_digests(conn, analyser.key, asked))
    begun = blake2b(f"{said}\t".encode(), digest_size=8)
    fresh: list[bytes] = []
    changed: list[bytes] = []
    for person, text in found:
        content = text.encode()
        digest = _digest(begun, content)
        if person not in before:
            fresh.append(b"%d\t%d\t%b" % (person, digest, content))
        elif before.pop(person) != digest:
            changed.append(b"%d\t%d\t%b" % (person, digest, content))
    if before:  # nothing is known of them any more
        SQL.drop_findings_of(conn, people=list(before), analysers=[analyser.key])
    if fresh:
        _copy(conn, SQL.fill_findings.sql, fresh, "\t".join(("", said, now.isoformat())))
    if changed:
        SQL.make_incoming_findings(conn)
        _copy(conn, SQL.fill_incoming_findings.sql, changed)
        SQL.keep_findings(
            conn, analyser=analyser.key, version=analyser.version, data_version=analyser.data, parameters=parameters, purpose=purpose, now=now
        )  # fmt: skip
        SQL.empty_incoming_findings(conn)


def _digests(conn: Connection, key: str, asked: Sequence[int] | tuple[int, int]) -> Iterable[tuple[int, int | None]]:
    if isinstance(asked, tuple):
        return SQL.find_digests_between(conn, analyser=key, after=asked[0], upto=asked[1])
    return SQL.find_digests_of(conn, analyser=key, people=numbers(asked))


def _digest(begun: blake2b, content: bytes) -> int:
    """Of a finding, behind the digest `begun` with what it rests on: equal ones are the same row."""
    whole = begun.copy()
    whole.update(content)
    return int.from_bytes(whole.digest(), signed=True)


def _copy(conn: Connection, statement: Any, lines: Sequence[bytes], of_all: str = "") -> None:
    """Copy rows, each with `of_all` behind it. Of a base they are megabytes, so they stay bytes."""
    rows = f"{of_all}\n".encode().join(lines) + of_all.encode()
    if b"\\u0000" in rows:
        rows = without_nul(rows.decode()).encode()
    with conn.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(rows.replace(b"\\", b"\\\\"))


def note_failure(conn: Connection, key: str, why: tuple[str, str], asked: Sequence[int] | tuple[int, int], now: datetime) -> None:
    """An analyser failed (kind of error, line) on these people, or on everybody in a range: they are due to it until a later run looked at them."""
    SQL.note_failure(conn, analyser=key, error=why[0], line=why[1], now=now)
    ranges = [asked] if isinstance(asked, tuple) else [(person - 1, person) for person in asked]
    SQL.keep_due(conn, analyser=key, after=[after for after, _ in ranges], upto=[upto for _, upto in ranges])


def failing(conn: Connection) -> dict[str, Failing]:
    """The analysers that failed ever, and how they stand."""
    return {key: Failing(*found) for key, *found in SQL.find_failures(conn, most=LAST_NUMBER)}


def traits_of(conn: Connection, person_ids: Sequence[int]) -> dict[int, dict[str, Trait]]:
    """What is known of these people by the key of the trait, the unknown too; analysers that are no longer in the table say nothing."""
    rows = {row.key: row for row in ANALYSERS}
    known: dict[int, dict[str, Trait]] = {person: {} for person in person_ids}
    for person, key, document, version, data_version, purpose, at in SQL.find_findings(conn, people=list(person_ids)):
        if row := rows.get(key):
            said = (version, data_version, purpose, at)
            known[person] |= {trait.key: trait_of(row, trait, document, said) for trait in row.traits if trait.key in document["traits"]}
    return known


def known_of(conn: Connection, people: Sequence[int], keys: Sequence[str]) -> dict[str, dict[int, Known]]:
    """What is kept of some traits of these people, by trait and person; what is unknown is left out."""
    rows = {TRAITS[key][0].key for key in keys if key in TRAITS}
    columns: dict[str, dict[int, Known]] = {key: {} for key in keys}
    for person, document in SQL.find_findings_of(conn, people=numbers(people), analysers=sorted(rows)):
        for key, one in document["traits"].items():
            if key in columns and one["value"] is not None:
                columns[key][person] = Known(one["value"], one["confidence"], one["n"])
    return columns


def by_person(conn: Connection, keys: Sequence[str], people: Sequence[int] | None) -> dict[int, dict[str, tuple[Any, float]]]:
    """What analysers found, by person and key of the trait: the value (None: unknown) and the confidence; of `people`, or of everybody (None)."""
    found: dict[int, dict[str, tuple[Any, float]]] = {}
    for key in keys:
        analyser = TRAITS[key][0].key
        for person, value, confidence in SQL.find_findings_of_trait(conn, analyser=analyser, trait=key, people=None if people is None else numbers(people)):
            found.setdefault(person, {})[key] = (value, confidence)
    return {person: {key: known.get(key, (None, 0.0)) for key in keys} for person, known in found.items()}


def changed_at(conn: Connection, analysers: Sequence[str], at: datetime) -> list[int]:
    """Of whom these analysers found something new at a moment."""
    return [person for (person,) in SQL.find_changed_findings(conn, analysers=list(analysers), at=at)]


def trait_of(analyser: Analyser, trait: AnalysedTrait, document: Mapping[str, Any], said: tuple[int, str, str, datetime]) -> Trait:
    """One trait out of a document; `said` is version, data version, purpose and time of the finding."""
    version, data_version, purpose, at = said
    one = document["traits"][trait.key]
    value = one["value"]
    if trait.value_type == "moment" and value is not None:
        value = datetime.fromisoformat(value)
    return Trait(
        trait.key, value, one["confidence"], one["n"], document["facts"], f"{analyser.key}@{version}", at, purpose,
        analyser.legal_class, data_version=data_version, valid_until=analyser.valid_until(at), reason=one.get("reason"),
    )  # fmt: skip


def decoded(text: str) -> Any:
    """A document as it is read back."""
    return msgspec.json.decode(text)
