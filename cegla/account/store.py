"""The tables of accounts: what was said about who belongs where, what was told of accounts, what their people come to."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from cegla.account.rules.conditions import Facts, Figures
from cegla.account.rules.statements import NAME, Heard, Said
from cegla.storage import statements
from cegla.storage.workspace import Connection
from cegla.vocabulary.folding import folded

SQL = statements.load(__file__)


class TraitRow(NamedTuple):
    """The newest value of a trait of an account, and where it is from. A value of None was taken back."""

    account_id: int
    key: str
    value: Any
    declared_at: datetime
    source_id: int
    message_id: str
    import_id: int


def note(conn: Connection, heard: Heard) -> list[int]:
    """Write down what a batch said; returns the accounts concerned. Accounts never heard of get a number."""
    keys = sorted({one.account for one in (*heard.said, *heard.told)})
    SQL.add_accounts(conn, keys=keys, folded=[folded(key) for key in keys])
    numbers: dict[str, int] = dict(SQL.numbers_of_keys(conn, keys=keys))
    SQL.add_statements(
        conn, accounts=[numbers[one.account] for one in heard.said], identities=[one.identity_id for one in heard.said],
        days=[one.at.astimezone(UTC).date() for one in heard.said], joins=[one.joins for one in heard.said], imports=[one.import_id for one in heard.said],
        ats=[one.at for one in heard.said], last_ats=[one.last_at for one in heard.said], roles=[one.role for one in heard.said],
        role_ats=[one.role_at for one in heard.said], sources=[one.source_id for one in heard.said], messages=[one.message_id for one in heard.said],
    )  # fmt: skip
    told = heard.told
    SQL.put_traits(
        conn, accounts=[numbers[one.account] for one in told], keys=[one.key for one in told], imports=[one.import_id for one in told],
        values=[None if one.value is None else msgspec.json.encode(one.value).decode() for one in told], ats=[one.declared_at for one in told],
        sources=[one.source_id for one in told], messages=[one.message_id for one in told],
        folded=[folded(one.value) if one.key == NAME and isinstance(one.value, str) else None for one in told],
    )  # fmt: skip
    return list(numbers.values())


def said_in(conn: Connection, accounts: Sequence[int]) -> list[tuple[int, Said]]:
    """Everything said about who belongs to these accounts, each with the account's number."""
    return [(account, Said("", *rest)) for account, *rest in SQL.statements_in(conn, accounts=list(accounts))] if accounts else []


def presence_in(conn: Connection, accounts: Sequence[int]) -> list[tuple[int, int, bool, datetime]]:
    """Who was said to be in these accounts or out of them: account, identity, whether in, and when that was said last."""
    return list(SQL.presence_in(conn, accounts=list(accounts))) if accounts else []


def said_of(conn: Connection, identities: Sequence[int]) -> list[tuple[int, Said]]:
    """Everything said about where these identities belong, each with the account's number."""
    return [(account, Said("", *rest)) for account, *rest in SQL.statements_of(conn, identities=list(identities))] if identities else []


def traits_of(conn: Connection, accounts: Sequence[int]) -> dict[int, list[TraitRow]]:
    """The newest value of each trait of these accounts, by name; what was taken back is left out."""
    found: dict[int, list[TraitRow]] = {account: [] for account in accounts}
    for row in map(TraitRow._make, SQL.traits_of(conn, accounts=list(accounts))):
        if row.value is not None:
            found[row.account_id].append(row)
    return found


def parents(conn: Connection) -> dict[int, int]:
    """Who stands above whom: account → the account above it."""
    return dict(SQL.parents(conn))


def figures_of(conn: Connection, accounts: Sequence[int]) -> dict[int, Figures]:
    """What the people of these accounts came to at the last refresh."""
    return {account: Figures(*rest) for account, *rest in SQL.figures_of(conn, accounts=list(accounts))}


def facts_of(conn: Connection, accounts: Sequence[int]) -> dict[int, Facts]:
    """All that a condition may ask about these accounts."""
    traits, figures = traits_of(conn, accounts), figures_of(conn, accounts)
    return {
        account: Facts(key, {row.key: row.value for row in traits[account]}, figures.get(account, Figures()))
        for account, key in SQL.keys(conn, accounts=list(accounts))
    }


def put_figures(conn: Connection, figures: Mapping[int, Figures], now: datetime) -> None:
    """Put new figures in place of the ones before."""
    rows = list(figures.values())
    SQL.put_figures(
        conn, accounts=list(figures), people=[one.people for one in rows], orders=[one.orders for one in rows], revenues=[one.revenue_micros for one in rows],
        seen=[one.last_seen_at for one in rows], engagements=[one.engagement for one in rows], now=now,
    )  # fmt: skip


def put_met(conn: Connection, met: Mapping[int, Mapping[str, bool]]) -> None:
    """Remember which conditions accounts meet."""
    if met:
        SQL.put_met(conn, accounts=list(met), meets=[msgspec.json.encode(one).decode() for one in met.values()])


def forget_import(conn: Connection, import_id: int) -> set[int]:
    """Take back all that an import said; returns the accounts concerned."""
    rows: Iterable[tuple[int]] = [*SQL.forget_import_statements(conn, import_id=import_id), *SQL.forget_import_traits(conn, import_id=import_id)]
    return {account for (account,) in rows}
