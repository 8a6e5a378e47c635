"""The door to accounts: what calls say of them, who belongs where since when, what their people come to, which conditions they meet.

An account is named by its group id, normalized like an identifier, and written a12 by its number. Group ids never join people.
Who belongs is kept by identity: joining and parting people moves it exactly, and an import that is taken back takes its part
along. Times are UTC, money is in micros. See docs/explanation/accounts.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from cegla.account import figures, store
from cegla.account.belonging import members, stays_in, stays_of
from cegla.account.rules.conditions import Figures as Figures
from cegla.account.rules.conditions import meets
from cegla.account.rules.statements import NAME, PARENT, Stay, concerns_accounts, heard
from cegla.account.rules.tree import Parents, above, below, children_of, concerned
from cegla.account.store import SQL, TraitRow
from cegla.resolve import actions as resolve
from cegla.storage.warehouse import Readable
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.events import Event
from cegla.vocabulary.folding import folded
from cegla.vocabulary.text import Text

LETTER = "a"


@dataclass(frozen=True)
class AccountRow:
    """An account in a list: its key, the name it was told to have, and what its people come to."""

    id: int
    key: str
    name: str | None
    figures: Figures


@dataclass(frozen=True)
class KnownTrait:
    """One trait of an account and where it is from: the event that told it, its source and time, the import if it was one (0: none)."""

    key: str
    value: Any
    declared_at: datetime
    source_id: int
    message_id: str
    import_id: int


@dataclass(frozen=True)
class Account(AccountRow):
    """Everything about an account. `above` has the nearest first; `known_since` is when somebody first belonged to it."""

    traits: tuple[KnownTrait, ...]
    above: tuple[AccountRow, ...]
    below: tuple[AccountRow, ...]
    known_since: datetime | None
    own_people: int  #: without the accounts below


@dataclass(frozen=True)
class Belonging:
    """One person in one account. `left_at` None: there now."""

    account_id: int
    key: str
    name: str | None
    person_id: int
    since: datetime
    left_at: datetime | None
    role: str | None


class Question(NamedTuple):
    """Who belongs to an account that meets all conditions, in this role (None: in any)?"""

    conditions: tuple[Mapping[str, Any], ...] = ()
    role: str | None = None

    @property
    def condition(self) -> str:
        """The conditions as one text, the same for the same."""
        return msgspec.json.encode(self.conditions, order="sorted").decode()


def note(conn: Connection, batch: int, events: Sequence[Event], identity_ids: Sequence[int], import_of: Mapping[int, int]) -> None:
    """Write down what events say of accounts, in the caller's batch. `identity_ids` run along `events`; imports by the writers of their events."""
    about = [
        (event, identity, import_of.get(event.writer, 0)) for event, identity in zip(events, identity_ids, strict=True) if concerns_accounts(event)
    ]
    if about and (found := heard(about)).said:
        before = store.parents(conn) if any(one.key == PARENT for one in found.told) else {}
        SQL.touch(conn, batch=batch, accounts=list(concerned(store.note(conn, found), before)))


def refresh(conn: Connection, past: Readable, people: Sequence[int] | None, upto: int, now: datetime) -> list[int]:
    """Work out the figures of all accounts that these people, or batches up to `upto`, concern; of all for None. Returns which."""
    if not SQL.any_account(conn):
        return []
    if people is None:
        changed = [account for (account,) in SQL.every(conn)]
    else:
        touched = {account for (account,) in SQL.touched(conn, upto=upto)}
        found = {account for stays in stays_of(conn, people).values() for account in stays}
        changed = sorted(concerned(touched | found, store.parents(conn)))
    figures.renew(conn, past, changed, now)
    SQL.untouch(conn, upto=upto)
    return changed


def belonging(conn: Connection, questions: Sequence[Question], now: datetime, people: Iterable[int] | None = None) -> list[list[int]]:
    """For each question the people it is true of, as often as there are accounts it is true of; of `people`, or of everybody."""
    if people is None:
        every = [account for (account,) in SQL.every(conn)]
        stays = [(account, person, one) for account, some in stays_in(conn, every).items() for person, one in some.items()]
    else:
        stays = [(account, person, one) for person, some in stays_of(conn, people).items() for account, one in some.items()]
    facts = store.facts_of(conn, list({account for account, _, _ in stays}))
    found: list[list[int]] = []
    for question in questions:
        fit = {account for account, known in facts.items() if meets(known, question.conditions, now)}
        found.append([person for account, person, one in stays if account in fit and one.left_at is None and question.role in (None, one.role)])
    return found


def members_seen_otherwise(conn: Connection, questions: Sequence[Question], accounts: Sequence[int] | None, now: datetime) -> list[int]:
    """People of those of these accounts, or of all (None), that meet other conditions than when they were last looked at; remembers what they meet now."""
    if accounts is None:
        accounts = [account for (account,) in SQL.every(conn)]
    if not questions or not accounts:
        return []
    asked = {question.condition: question.conditions for question in questions}
    before: dict[int, dict[str, bool]] = dict(SQL.met_by(conn, accounts=list(accounts)))
    now_met = {account: {key: meets(facts, conditions, now) for key, conditions in asked.items()} for account, facts in store.facts_of(conn, accounts).items()}
    changed = {account: met for account, met in now_met.items() if met != before.get(account)}
    store.put_met(conn, changed)
    return sorted({person for stays in stays_in(conn, list(changed)).values() for person in stays})


def accounts(conn: Connection, text: str = "", after: int = 0, limit: int = 50) -> list[AccountRow]:
    """Accounts by number behind `after`: all, or those whose key or name holds the text (diacritics do not matter) or whose number it is ("a12")."""
    text = text.strip()
    digits = text.lower().removeprefix(LETTER)
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else None
    pattern = f"%{_literally(folded(text))}%" if text else None
    return _rows(conn, dict(SQL.page(conn, after=after, pattern=pattern, number=number, limit=limit)))


def count(conn: Connection) -> int:
    """How many accounts there are."""
    return SQL.count(conn)


def account(conn: Connection, account_id: int) -> Account:
    """Everything about one account. Raises NotFound."""
    row = _row(conn, account_id)
    parents = store.parents(conn)
    upper, lower = above(account_id, parents), children_of(parents).get(account_id, [])
    rows = {row.id: row for row in _rows(conn, dict(SQL.keys(conn, accounts=[*upper, *lower])))}
    stays = stays_in(conn, [account_id])[account_id]
    traits = tuple(_trait(row) for row in store.traits_of(conn, [account_id])[account_id])
    since = min((one.since for one in stays.values()), default=None)
    up, down = tuple(rows[one] for one in upper), tuple(rows[one] for one in lower)
    return Account(row.id, row.key, row.name, row.figures, traits, up, down, since, len(members(stays)))


def people_of(conn: Connection, account_id: int, after: int = 0, limit: int = 50) -> list[Belonging]:
    """A page of the people who belong to an account now, by number behind `after`. Raises NotFound."""
    row = _row(conn, account_id)
    stays = sorted((person, one) for person, one in stays_in(conn, [account_id])[account_id].items() if one.left_at is None and person > after)
    return [_belonging(row, person, one) for person, one in stays[:limit]]


def accounts_of(conn: Connection, people: Iterable[int]) -> dict[int, list[Belonging]]:
    """For each person the accounts he or she belongs to or has left, present ones first, then by time."""
    stays = stays_of(conn, people)
    rows = {row.id: row for row in _rows(conn, dict(SQL.keys(conn, accounts=list({account for some in stays.values() for account in some}))))}
    found = {person: [_belonging(rows[account], person, one) for account, one in some.items()] for person, some in stays.items()}
    return {person: sorted(some, key=lambda one: (one.left_at is not None, one.since, one.account_id)) for person, some in found.items()}


def take_back_import(conn: Connection, import_id: int) -> None:
    """Forget what an import said of accounts, and accounts of which nobody else ever spoke."""
    before = store.parents(conn)
    _forget_empty(conn, store.forget_import(conn, import_id), before)


def export_person(conn: Connection, identity_ids: Sequence[int]) -> dict[str, Any]:
    """Where the person with these identities belongs: each account with the role and the times."""
    stays = stays_of(conn, set(resolve.reach.owners(conn, identity_ids).values()))
    rows = {row.id: row for row in _rows(conn, dict(SQL.keys(conn, accounts=list({account for some in stays.values() for account in some}))))}
    shown = ("role", "since", "left_at")
    held = [(rows[account], one) for some in stays.values() for account, one in sorted(some.items())]
    return {"accounts": [{"account": row.key, "name": row.name, **dict(zip(shown, (one.role, one.since, one.left_at), strict=True))} for row, one in held]}


def erase_person(conn: Connection, identity_ids: Sequence[int]) -> int:
    """Forget where the person with these identities belongs; an account goes too when nobody is left in it or below it. Returns how many rows went."""
    gone = [account for (account,) in SQL.erase_statements(conn, identities=list(identity_ids))]
    return len(gone) + _forget_empty(conn, gone, store.parents(conn))


# inside ------------------------------------------------------------------------------------------------------------------


def _forget_empty(conn: Connection, accounts: Iterable[int], before: Parents) -> int:
    """Accounts that nobody ever belonged to any more, neither to them nor to one below; the others, and those that stood above, are looked at in the
    next refresh."""
    looked_at = concerned(set(accounts), before)
    if not looked_at:
        return 0
    children = children_of(store.parents(conn))
    trees = {account: below(account, children) for account in looked_at}
    inhabited = {account for (account,) in SQL.inhabited(conn, accounts=sorted({one for tree in trees.values() for one in tree}))}
    gone = SQL.erase_accounts(conn, accounts=[account for account, tree in trees.items() if not tree & inhabited])
    SQL.touch(conn, batch=0, accounts=[account for account, _ in SQL.keys(conn, accounts=sorted(looked_at))])
    return gone


def _row(conn: Connection, account_id: int) -> AccountRow:
    found = _rows(conn, dict(SQL.keys(conn, accounts=[account_id])))
    if not found:
        raise NotFound(where="account", seen=f"{LETTER}{account_id}", thing=Text(f"firma {LETTER}{account_id}", f"account {LETTER}{account_id}"))
    return found[0]


def _rows(conn: Connection, keys: Mapping[int, str]) -> list[AccountRow]:
    known = store.facts_of(conn, list(keys))
    return [AccountRow(one, key, _name(known[one].traits), known[one].figures) for one, key in sorted(keys.items())]


def _name(traits: Mapping[str, Any]) -> str | None:
    name = traits.get(NAME)
    return name if isinstance(name, str) and name.strip() else None


def _trait(row: TraitRow) -> KnownTrait:
    return KnownTrait(row.key, row.value, row.declared_at, row.source_id, row.message_id, row.import_id)


def _belonging(row: AccountRow, person: int, one: Stay) -> Belonging:
    return Belonging(row.id, row.key, row.name, person, one.since, one.left_at, one.role)


def _literally(text: str) -> str:
    """`like` takes these characters for themselves."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
