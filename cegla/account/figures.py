"""What the people of accounts come to: their number, orders, money, last activity and mean engagement, with all accounts below."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from cegla.account import store
from cegla.account.belonging import members_of
from cegla.account.rules.conditions import Figures
from cegla.account.rules.tree import below, children_of
from cegla.profile import actions as profile
from cegla.storage.warehouse import Readable
from cegla.storage.workspace import Connection

ACCOUNTS_AT_A_TIME = 5_000
COLUMNS = ("order_count", "monetary_micros", "last_seen", "engagement")
Facts = tuple[int | None, int | None, datetime | None, float | None]  #: of one person, as in COLUMNS


def renew(conn: Connection, past: Readable, accounts: Sequence[int], now: datetime) -> None:
    """Work out the figures of these accounts from the history, and keep them."""
    children = children_of(store.parents(conn))
    for start in range(0, len(accounts), ACCOUNTS_AT_A_TIME):
        trees = {account: below(account, children) for account in accounts[start : start + ACCOUNTS_AT_A_TIME]}
        present = members_of(conn, list({one for tree in trees.values() for one in tree}))
        people = {account: set[int]().union(*(present[one] for one in tree)) for account, tree in trees.items()}
        known = _known(past, {person for some in people.values() for person in some}, now)
        store.put_figures(conn, {account: together(some, known) for account, some in people.items()}, now)


def together(people: Iterable[int], known: Mapping[int, Facts]) -> Figures:
    """The figures of some people, each counted once; who has no history counts as a person and nothing more."""
    every = list(people)
    rows = [row for person in every if (row := known.get(person)) is not None]
    if not rows:
        return Figures(people=len(every))
    orders, spent, seen, engagement = zip(*rows, strict=True)
    last_seen = max(filter(None, seen), default=None)
    engaged = sorted(one for one in engagement if one is not None)  # one order, one sum
    return Figures(
        people=len(every), orders=int(sum(filter(None, orders))), revenue_micros=int(sum(filter(None, spent))),
        last_seen_at=last_seen and last_seen.replace(tzinfo=UTC), engagement=sum(engaged) / len(engaged) if engaged else None,
    )  # fmt: skip


def _known(past: Readable, people: Iterable[int], now: datetime) -> dict[int, Facts]:
    with past.people(people) as asked:
        found = past.run(profile.past.traits_of(now, asked, COLUMNS).select("person_id", *COLUMNS))
    return dict(zip(found["person_id"].to_pylist(), zip(*(found[name].to_pylist() for name in COLUMNS), strict=True), strict=True))
