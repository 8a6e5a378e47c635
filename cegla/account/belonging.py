"""Who belongs to which account today: statements are kept by identity, and people are looked up, so joining and parting people moves them exactly."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from cegla.account import store
from cegla.account.rules.statements import Said, Stay, stay
from cegla.resolve import actions as resolve
from cegla.storage.workspace import Connection

Stays = dict[int, dict[int, Stay]]


def stays_in(conn: Connection, accounts: Sequence[int]) -> Stays:
    """account → person → stay, past ones too."""
    said = store.said_in(conn, accounts)
    owners = resolve.reach.owners(conn, list({one.identity_id for _, one in said}))
    return _by(said, owners, lambda account, person: (account, person), accounts)


def stays_of(conn: Connection, people: Iterable[int]) -> Stays:
    """person → account → stay, past ones too. People in no account have an empty one."""
    asked = list(people)
    owners = resolve.links.identities_of(conn, asked)
    return _by(store.said_of(conn, list(owners)), owners, lambda account, person: (person, account), asked)


def members(stays: Mapping[int, Stay]) -> set[int]:
    """Those who are there now."""
    return {one for one, found in stays.items() if found.left_at is None}


def members_of(conn: Connection, accounts: Sequence[int]) -> dict[int, set[int]]:
    """Who is in these accounts now, by account: as `stays_in` has it, without the beginning and the role of each stay, for accounts of many people."""
    said = store.presence_in(conn, accounts)
    owners = resolve.reach.owners(conn, list({identity for _, identity, _, _ in said}))
    left: dict[tuple[int, int], datetime] = {}
    for account, identity, joins, at in said:
        if not joins and (person := owners.get(identity)) is not None:
            left[account, person] = max(at, left.get((account, person), at))
    found: dict[int, set[int]] = {one: set() for one in accounts}
    for account, identity, joins, at in said:
        person = owners.get(identity)
        if joins and person is not None and ((account, person) not in left or at > left[account, person]):
            found[account].add(person)
    return found


def _by(said: Sequence[tuple[int, Said]], owners: Mapping[int, int], order: Callable[[int, int], tuple[int, int]], asked: Iterable[int]) -> Stays:
    grouped: dict[tuple[int, int], list[Said]] = {}
    for account, one in said:
        if (person := owners.get(one.identity_id)) is not None:
            grouped.setdefault(order(account, person), []).append(one)
    found: Stays = {one: {} for one in asked}
    for (outer, inner), rows in grouped.items():
        if outer in found and (known := stay(rows)) is not None:
            found[outer][inner] = known
    return found
