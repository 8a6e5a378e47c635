"""What the people of accounts come to: their number, orders, money, last activity and mean engagement, with all accounts below."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cegla.account import store
from cegla.account.belonging import members, stays_in
from cegla.account.rules.conditions import Figures
from cegla.account.rules.tree import below, children_of
from cegla.profile import actions as profile
from cegla.storage.warehouse import Readable
from cegla.storage.workspace import Connection

ACCOUNTS_AT_A_TIME = 5_000
COLUMNS = ("order_count", "monetary_micros", "last_seen", "engagement")


def renew(conn: Connection, past: Readable, accounts: Sequence[int], now: datetime) -> None:
    """Work out the figures of these accounts from the history, and keep them."""
    children = children_of(store.parents(conn))
    for start in range(0, len(accounts), ACCOUNTS_AT_A_TIME):
        trees = {account: below(account, children) for account in accounts[start : start + ACCOUNTS_AT_A_TIME]}
        stays = stays_in(conn, list({one for tree in trees.values() for one in tree}))
        people = {account: {person for one in tree for person in members(stays[one])} for account, tree in trees.items()}
        known = _known(past, {person for some in people.values() for person in some}, now)
        store.put_figures(conn, {account: together(some, known) for account, some in people.items()}, now)


def together(people: Iterable[int], known: Mapping[int, Mapping[str, Any]]) -> Figures:
    """The figures of some people, each counted once; who has no history counts as a person and nothing more."""
    every = list(people)
    rows = [known[person] for person in every if person in known]
    seen = [row["last_seen"] for row in rows if row["last_seen"] is not None]
    engaged = sorted(row["engagement"] for row in rows if row["engagement"] is not None)  # one order, one sum
    return Figures(
        people=len(every),
        orders=int(sum(row["order_count"] or 0 for row in rows)),
        revenue_micros=int(sum(row["monetary_micros"] or 0 for row in rows)),
        last_seen_at=max(seen).replace(tzinfo=UTC) if seen else None,
        engagement=sum(engaged) / len(engaged) if engaged else None,
    )


def _known(past: Readable, people: Iterable[int], now: datetime) -> dict[int, dict[str, Any]]:
    with past.people(people) as asked:
        rows = past.run(profile.past.traits_of(now, asked).select("person_id", *COLUMNS)).to_pylist()
    return {row["person_id"]: row for row in rows}
