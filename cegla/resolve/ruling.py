"""Changing the rules of identity: try them on all history, put them in force, and derive everybody by them.

    attempt ──► apply ──► unsettled ──► settle, some people at a time ──► settled
    changes     the new    who is not     short transactions, so that intake
    nothing     version    as derived     goes on between them

From `apply` on, intake decides by the new rules. People are a pure function of their links, so whatever intake decided beside
people not derived yet comes out right once they are, and stopping anywhere loses nothing: `unsettled` says what is left.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from cegla.resolve import folds, store
from cegla.resolve.cache import LONG_AGO
from cegla.resolve.deriving import Cause, rederive
from cegla.resolve.resolution import Resolution, without_events
from cegla.resolve.rules.clusters import Link
from cegla.resolve.rules.difference import Difference, Stored, compare
from cegla.resolve.store import SQL
from cegla.storage import documents
from cegla.storage.identifier_rules import add_rules, current_rules, note_settling, rule_versions
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors.people import IdentityRulesInvalid, RuleVersionOld
from cegla.vocabulary.identifier_rules import IdentifierRules, read_rules
from cegla.vocabulary.identifiers import UNSTORABLE, Identifier
from cegla.vocabulary.text import Text

NO_COUNTRY = Text("nie ma kraju o takim kodzie ISO 3166-1 (Wielka Brytania to GB)", "no country has this code of ISO 3166-1 (the United Kingdom is GB)")
NO_NUL = Text("wzorzec ma znak NUL, którego żaden identyfikator nie ma", "a pattern has the character NUL, which no identifier has")
EDGES_AT_A_TIME = 50_000
PEOPLE_AT_A_TIME = 200


@dataclass(frozen=True)
class Trial:
    """What rules would do to the people there are. `version` is the one in force when it was tried, 0 for the defaults."""

    version: int
    people: int
    difference: Difference


def attempt(conn: Connection, document: Mapping[str, Any]) -> Trial:
    """Try rules on all history and change nothing. Reads every link once; takes no lock. Raises IdentityRulesInvalid."""
    rules = _read_new(document)
    found = Difference()
    _compare_all(conn, rules, folds.folds(conn, rules), found)
    return Trial(_version(conn), SQL.count_people(conn), found)


def apply(conn: Connection, document: Mapping[str, Any], actor: str, now: datetime, tried: int | None = None) -> int:
    """Put rules in force as a new version and return its number; who is to be derived again says `unsettled`.

    `tried` is the version that was in force when the change was tried: RuleVersionOld when another has come since.
    """
    rules = _read_new(document)
    store.only_writer(conn)
    version = _version(conn)
    if tried is not None and tried != version:
        raise RuleVersionOld(where="version", seen=tried, number=version)
    number = add_rules(conn, document, actor, now)
    folds.write(conn, folds.folds(conn, rules), now)
    SQL.new_stamp(conn)
    return number


def unsettled(conn: Connection) -> list[int]:
    """Everybody who is not as the rules in force derive them; nobody, unless the rules changed of late."""
    found = Difference()
    _compare_all(conn, current_rules(conn), folds.Folds([], [], []), found)
    return sorted(found.people | {person for (person,) in SQL.people_of_strays(conn)})


def settle(conn: Connection, people: Sequence[int], actor: str) -> Resolution:
    """Derive these people by the rules in force, in the caller's transaction; intake waits for its end. Returns what moved."""
    store.only_writer(conn)
    rederived = rederive(conn, set(store.people_of(conn, people).values()), LONG_AGO, Cause("rules", actor), current_rules(conn))
    SQL.new_stamp(conn)
    note_settling(conn, len(rederived.moved), None)
    return without_events(conn, rederived)


def settled(conn: Connection, now: datetime) -> None:
    """Note that everybody is derived by the newest version."""
    note_settling(conn, 0, now)


def is_settled(conn: Connection) -> bool:
    """Whether everybody had been derived by the rules in force; true while the defaults hold."""
    newest = next(iter(rule_versions(conn)), None)
    return newest is None or newest.settled_at is not None


def _read_new(document: Mapping[str, Any]) -> IdentifierRules:
    """The rules of a document that is not in force yet. By a country that has no numbers (UK, not GB) no number would be a phone's, without a word."""
    import phonenumbers  # here, not above: its tables are for whoever reads numbers

    with documents.in_both_languages(IdentityRulesInvalid):
        rules = read_rules(document)
    if rules.phone_region not in phonenumbers.SUPPORTED_REGIONS:
        raise IdentityRulesInvalid(where="phone_region", seen=rules.phone_region, detail=NO_COUNTRY)
    unstorable = next((pattern for row in (rules, rules.other, *rules.types) for pattern in row.blocked if UNSTORABLE in pattern), None)
    if unstorable is not None:
        raise IdentityRulesInvalid(where="blocked", seen=unstorable, detail=NO_NUL)
    return rules


def _version(conn: Connection) -> int:
    newest = next(iter(rule_versions(conn)), None)
    return newest.number if newest else 0


def _compare_all(conn: Connection, rules: IdentifierRules, changed: folds.Folds, found: Difference) -> None:
    """Go through the graph in connected parts, some of them at a time."""
    gone = set(changed.gone)
    pairs = [row for row in chain(_live_edges(conn), SQL.edges_of_ids(conn, ids=changed.back)) if row[0] not in gone]
    extra = _imagined(conn, changed.new)
    for part in _connected(pairs, [(row.link.strong_id, row.link.weak_id) for row in extra]):
        stored = [_stored(row) for row in SQL.links_of_ids(conn, ids=[edge for edge in part if edge >= 0])] + [extra[~edge] for edge in part if edge < 0]
        owners = dict(chain.from_iterable(_ends(row) for row in stored))
        compare(stored, owners, rules, found, store.eras(conn, list(owners)))


def _live_edges(conn: Connection) -> Iterator[tuple[int, int, int]]:
    after = 0
    while page := list(SQL.live_edges(conn, after=after, limit=EDGES_AT_A_TIME)):
        yield from page
        after = page[-1][0]


def _imagined(conn: Connection, new: Sequence[folds.Fold]) -> list[Stored]:
    """Links that the rules would make, to identities that may not be there yet."""
    known = store.identities(conn, list({fold.read_as for fold in new})) if new else {}
    ids = {identifier: (found.identity_id, found.person_id) for identifier, found in known.items()}
    next_id = SQL.greatest_identity(conn) + 1
    rows: list[Stored] = []
    people = store.people_of(conn, [fold.identity_id for fold in new])
    for fold in new:
        if fold.read_as not in ids:
            ids[fold.read_as] = (next_id, people[fold.identity_id])
            next_id += 1
        target, person = ids[fold.read_as]
        link = Link(fold.at, fold.read_as, fold.address, target, fold.identity_id, "same", True)
        rows.append(Stored(0, link, person, people[fold.identity_id], None))
    return rows


def _connected(pairs: Sequence[tuple[int, int, int]], extra: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    """Edges by the part of the graph they hang together in, whole parts at a time; an edge that is not stored yet has the number ~index."""
    edges = [*pairs, *((~index, one, other) for index, (one, other) in enumerate(extra))]
    parents: dict[int, int] = {}

    def root(one: int) -> int:
        top = one
        while (above := parents.get(top, top)) != top:
            top = above
        while parents.get(one, one) != top:
            parents[one], one = top, parents[one]
        return top

    for _, one, other in edges:
        one, other = root(one), root(other)
        if one != other:
            parents[max(one, other)] = min(one, other)
    roots = [root(one) for _, one, _ in edges]
    part: list[int] = []
    last = -1
    for index in sorted(range(len(edges)), key=roots.__getitem__):
        if roots[index] != last and len(part) >= EDGES_AT_A_TIME:
            yield part
            part = []
        last = roots[index]
        part.append(edges[index][0])
    if part:
        yield part


def _stored(row: Sequence[Any]) -> Stored:
    edge, at, strong_type, strong, strong_id, strong_person, weak_type, weak, weak_id, weak_person, rule, trusted, refused = row
    link = Link(at, Identifier(strong_type, strong), Identifier(weak_type, weak), strong_id, weak_id, rule, trusted)
    return Stored(edge, link, strong_person, weak_person, refused)


def _ends(row: Stored) -> Iterator[tuple[int, tuple[Identifier, int]]]:
    yield row.link.strong_id, (row.link.strong, row.strong_person)
    yield row.link.weak_id, (row.link.weak, row.weak_person)
