"""Addresses that are one mailbox by the rules: links that no event stated, made and taken back as the rules change.

Identities keep the form in which they were first read, and events go on pointing at them. When the rules begin to read
"anna+shop@example.pl" as "anna@example.pl", the two are linked (rule "same"); when they cease to, that link goes.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from cegla.resolve import store
from cegla.resolve.store import SQL, NewEdge, NewIdentity
from cegla.storage.workspace import Connection
from cegla.vocabulary.identifier_rules import IdentifierRules
from cegla.vocabulary.identifiers import Identifier, normalized

BY_RULES = "rules"  #: who takes such a link back


class Fold(NamedTuple):
    """An address and the one it is read as."""

    identity_id: int
    address: Identifier
    read_as: Identifier
    at: datetime
    source_id: int


class Folds(NamedTuple):
    """What the rules make of addresses: links to make, and of those made earlier the ones to take back and to bring back."""

    new: list[Fold]
    gone: list[int]
    back: list[int]


def folds(conn: Connection, rules: IdentifierRules) -> Folds:
    """Compare the addresses there are with how these rules read them."""
    new, gone, back = list[Fold](), list[int](), list[int]()
    linked: set[tuple[str, str]] = set()
    for edge, one, other, retracted in SQL.same_edges(conn):
        alike = normalized("email", one, rules) == normalized("email", other, rules)
        linked.add((one, other))
        if alike and retracted:
            back.append(edge)
        elif not alike and not retracted:
            gone.append(edge)
    for identity, value, at, source in SQL.foldable_addresses(conn) if (rules.plus_addressing, rules.gmail_dots) != ("keep", "keep") else ():
        read_as = normalized("email", value, rules)
        if read_as is not None and read_as != value and (read_as, value) not in linked:
            new.append(Fold(identity, Identifier("email", value), Identifier("email", read_as), at, source))
    return Folds(new, gone, back)


def write(conn: Connection, found: Folds, now: datetime) -> None:
    """Make the links, and take back or bring back those of earlier versions. For the only writer."""
    if found.gone:
        SQL.retract_edges(conn, ids=found.gone, actor=BY_RULES, now=now)
    if found.back:
        SQL.restore_edges(conn, ids=found.back, actor=BY_RULES)
    if not found.new:
        return
    targets = _targets(conn, found.new)
    known = store.edges(conn, [(targets[fold.read_as], fold.identity_id) for fold in found.new])
    fresh = [fold for fold in found.new if (targets[fold.read_as], fold.identity_id) not in known]
    if fresh:
        first = SQL.reserve_edges(conn, number=len(fresh))
        store.add_edges(conn, [
            NewEdge(edge, targets[fold.read_as], fold.identity_id, "same", True, fold.at, fold.at, fold.source_id, "", None)
            for edge, fold in enumerate(fresh, first)
        ])  # fmt: skip


def _targets(conn: Connection, new: Sequence[Fold]) -> dict[Identifier, int]:
    """The identities of the addresses read, made where they are missing."""
    wanted = {fold.read_as: fold for fold in reversed(new)}
    ids = {identifier: found.identity_id for identifier, found in store.identities(conn, list(wanted)).items()}
    missing = [fold for identifier, fold in wanted.items() if identifier not in ids]
    if missing:
        first = SQL.reserve_identities(conn, number=len(missing))
        rows = [NewIdentity(identity, fold.read_as, 0, fold.at, fold.source_id) for identity, fold in enumerate(missing, first)]
        store.add_identities(conn, rows, {})
        ids |= {row.identifier: row.identity_id for row in rows}
    return ids
