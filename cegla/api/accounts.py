"""Accounts: list, search, one of them, who belongs to it. People are told by number."""

from typing import Any

from cegla.account import actions as account
from cegla.api.call import Call, Opened
from cegla.api.plain import plain
from cegla.api.shapes import After, Limit, Search
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.people import person_label


def listed(call: Opened, after: After = 0, limit: Limit = 50) -> Any:
    """Accounts in the order in which they were first heard of, with what their people and those of the accounts below come to."""
    return _page(call, "", after, limit)


def search(call: Opened, body: Search) -> Any:
    """Accounts whose key or name holds the text, or whose number it is ("a12"); diacritics do not matter."""
    return _page(call, body.text, body.after, body.limit)


def shown(call: Opened, account_id: str) -> Any:
    """Everything about an account: traits with where each is from, figures, the accounts above and below."""
    with call.ws.transaction() as conn:
        found = account.account(conn, number_of(account_id))
    up, down = [row_shape(one) for one in found.above], [row_shape(one) for one in found.below]
    own = {"traits": [plain(one) for one in found.traits], "known_since": found.known_since, "own_people": found.own_people}
    return row_shape(found) | own | {"above": up, "below": down}


def people(call: Opened, account_id: str, after: After = 0, limit: Limit = 100) -> Any:
    """Who belongs to an account now, with role and since when; `after` is the person number of the last one already seen."""
    with call.ws.transaction() as conn:
        rows = account.people_of(conn, number_of(account_id), after, limit)
    people = [{"person": person_label(one.person_id), "role": one.role, "since": one.since} for one in rows]
    return {"people": people, "next_after": rows[-1].person_id if len(rows) == limit else None}


def belonging_shape(one: account.Belonging) -> dict[str, Any]:
    """Where a person belongs, for the person's own page."""
    return {"account": f"a{one.account_id}", "key": one.key, "name": one.name, "role": one.role, "since": one.since, "left_at": one.left_at}


def row_shape(row: account.AccountRow) -> dict[str, Any]:
    """An account in a list."""
    return {"account": f"a{row.id}", "key": row.key, "name": row.name, **plain(row.figures)}


def number_of(label: str) -> int:
    """The number in "a12" or "12". Raises NotFound."""
    digits = label.removeprefix("a")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        raise NotFound(where="account", seen=label, thing=label)
    return int(digits)


def _page(call: Call, text: str, after: int, limit: int) -> Any:
    with call.ws.transaction() as conn:
        rows = account.accounts(conn, text, after, limit)
    return {"accounts": [row_shape(one) for one in rows], "next_after": rows[-1].id if len(rows) == limit else None}
