"""Accounts: the list and the search, and one account with its people. A name may be somebody's own, so a search travels in the form."""

from typing import Any

from starlette.responses import Response

from cegla.account import actions as account
from cegla.collect import actions as collect
from cegla.console.digits import whole
from cegla.console.screens.names import display_names
from cegla.console.visit import Visit, see_other

AT_ONCE = 50


def show(visit: Visit) -> Response:
    """All accounts; `after` is the last one of the page before."""
    return visit.page("accounts.html", _found(visit, "", visit.asked_number("after")))


def search(visit: Visit) -> Response:
    """Accounts whose name or key holds the text."""
    text, after = visit.field("q"), visit.field("after")
    if not text:
        return see_other("/accounts")
    return visit.page("accounts.html", _found(visit, text, whole(after) or 0))


def show_one(visit: Visit) -> Response:
    """One account: what is known and from where, what its people come to, who belongs to it."""
    number, after = visit.number("id"), visit.asked_number("after")
    with visit.ws.transaction() as conn:
        found = account.account(conn, number)
        people = account.people_of(conn, number, after, AT_ONCE + 1)
        names = display_names(conn, [one.person_id for one in people[:AT_ONCE]])
        sources = {source.id: source.name for source in collect.sources(conn)}
    more = people[AT_ONCE - 1].person_id if len(people) > AT_ONCE else None
    return visit.page("account.html", {"account": found, "people": people[:AT_ONCE], "names": names, "sources": sources, "after": after, "more": more})


def _found(visit: Visit, text: str, after: int) -> dict[str, Any]:
    with visit.ws.transaction() as conn:
        rows = account.accounts(conn, text, after, AT_ONCE + 1)
        whole = account.count(conn)
    more = rows[AT_ONCE - 1].id if len(rows) > AT_ONCE else None
    return {"rows": rows[:AT_ONCE], "text": text, "after": after, "more": more, "whole": whole}
