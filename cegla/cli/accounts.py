"""cegla account: list, show."""

from typing import Annotated, Any

import typer

from cegla.cli.desk import AsJson, Desk, desk_of
from cegla.cli.tables import facts, table
from cegla.vocabulary.money import from_micros
from cegla.vocabulary.text import Text

Which = Annotated[str, typer.Argument(metavar="ACCOUNT", help="its number, a12")]
Words = Annotated[str, typer.Argument(metavar="[TEXT]", help="part of its name or key")]

ACCOUNT, KEY, NAME = Text("Firma", "Account"), Text("Identyfikator", "Key"), Text("Nazwa", "Name")
PEOPLE, ORDERS, REVENUE = Text("Osób", "People"), Text("Zamówień", "Orders"), Text("Wartość", "Spent")
LAST, ENGAGEMENT, ABOVE, BELOW = Text("Ostatnio", "Last seen"), Text("Zaangażowanie", "Engagement"), Text("Nad nią", "Above"), Text("Pod nią", "Below")
TRAIT, VALUE, SAID_AT, EVENT = Text("Cecha", "Trait"), Text("Wartość", "Value"), Text("Kiedy podana", "Told at"), Text("Zdarzenie", "Event")
PERSON, ROLE, SINCE = Text("Osoba", "Person"), Text("Rola", "Role"), Text("Od", "Since")


def listed(context: typer.Context, text: Words = "", limit: int = 50, as_json: AsJson = False) -> None:
    """Print accounts with what their people come to."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.post("/accounts/search", {"text": text, "limit": limit})
    desk.answer(found, _list)


def show(context: typer.Context, account: Which, limit: int = 50, as_json: AsJson = False) -> None:
    """Print an account with its traits and the people who belong to it."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get(f"/accounts/{account}") | {"people_now": api.get(f"/accounts/{account}/people", limit=limit)["people"]}
    desk.answer(found, _show)


def _list(desk: Desk, found: dict[str, Any]) -> None:
    rows = ([one["account"], one["key"], one["name"], one["people"], one["orders"], _money(one), one["last_seen_at"]] for one in found["accounts"])
    table(desk, [ACCOUNT, KEY, NAME, PEOPLE, ORDERS, REVENUE, LAST], rows)


def _show(desk: Desk, found: dict[str, Any]) -> None:
    about = [(ACCOUNT, found["account"]), (KEY, found["key"]), (NAME, found["name"]), (PEOPLE, found["people"]), (ORDERS, found["orders"])]
    about += [(REVENUE, _money(found)), (LAST, found["last_seen_at"]), (ENGAGEMENT, found["engagement"])]
    about += [(label, [one["name"] or one["key"] for one in found[key]]) for label, key in ((ABOVE, "above"), (BELOW, "below")) if found[key]]
    facts(desk, about)
    desk.out.print()
    table(desk, [TRAIT, VALUE, SAID_AT, EVENT], ([one["key"], one["value"], one["declared_at"], one["message_id"]] for one in found["traits"]))
    desk.out.print()
    table(desk, [PERSON, ROLE, SINCE], ([one["person"], one["role"], one["since"]] for one in found["people_now"]))


def _money(one: dict[str, Any]) -> str:
    return f"{from_micros(one['revenue_micros']):,.2f}"
