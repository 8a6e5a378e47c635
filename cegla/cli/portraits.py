"""cegla portrait: movements, baskets, affinity, groups."""

from datetime import datetime
from typing import Annotated, Any

import typer

from cegla.cli.desk import AsJson, Desk, desk_of
from cegla.cli.tables import both, table
from cegla.vocabulary.text import Text

Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]
Somebody = Annotated[str, typer.Argument(metavar="PERSON")]
Of = Annotated[str, typer.Option("--of", metavar="category|brand|colour|topic")]
By = Annotated[str, typer.Option("--by", metavar="age|town|sex")]

WAS, NOW, PEOPLE = Text("Skąd", "From"), Text("Dokąd", "To"), Text("Osób", "People")
GROUP, ORDERS, EACH = Text("Grupa", "Group"), Text("Zamówień", "Orders"), Text("Na osobę", "Each")
AVERAGE, MEDIAN = Text("Średni koszyk", "Average basket"), Text("Mediana", "Median")
VALUE, SHARE, TIMES, DRAWN = Text("Wartość", "Value"), Text("Udział", "Share"), Text("Razy", "Times"), Text("Wyraźnie", "Clearly")
WORDS, LATER = Text("Kto to jest", "Who they are"), Text("Potem wydali", "Spent later")
UNKNOWN = Text("nie wiadomo", "not known")


def movements(context: typer.Context, first: Day = None, second: Day = None, as_json: AsJson = False) -> None:
    """Print how customers moved between RFM groups."""
    desk = desk_of(context, as_json)
    given = {name: day.date().isoformat() for name, day in (("first", first), ("second", second)) if day is not None}
    with desk.api() as api:
        found = api.get("/portraits/movements" + ("?" + "&".join(f"{name}={day}" for name, day in given.items()) if given else ""))
    desk.answer(found, lambda desk, value: _told(desk, value, [WAS, NOW, PEOPLE], [[row["was"], row["is_now"], row["people"]] for row in value["rows"]]))


def baskets(context: typer.Context, by: By = "age", as_json: AsJson = False) -> None:
    """Print orders and baskets by age, size of town or sex."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get(f"/portraits/baskets?by={by}")
    rows = [
        [row["group"] or desk.say(UNKNOWN), row["people"], row["orders"], row["orders_a_person"], row["average_micros"] / 1e6, row["median_micros"] / 1e6]
        for row in found["rows"]
    ]
    desk.answer(found, lambda desk, value: _told(desk, value, [GROUP, PEOPLE, ORDERS, EACH, AVERAGE, MEDIAN], rows))


def affinity(context: typer.Context, person: Somebody = "", of: Of = "category", as_json: AsJson = False) -> None:
    """Print what people are drawn to, or one person."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get(f"/portraits/affinities/{api.person(person)}?kind={of}" if person else f"/portraits/affinities?kind={of}")
    if person:
        desk.answer(found, lambda desk, value: table(desk, [VALUE, TIMES, DRAWN], ([row["value"], row["times"], row["clear"]] for row in value["likings"])))
    else:
        rows = [[row["value"], row["drawn"], row["people"], f"{row['share']:.1%}"] for row in found["rows"]]
        desk.answer(found, lambda desk, value: _told(desk, value, [VALUE, DRAWN, PEOPLE, SHARE], rows))


def groups(context: typer.Context, as_json: AsJson = False) -> None:
    """Print groups of alike customers, in words."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get("/portraits/groups")
    rows = [[f"{row['number']}. {both(row['words'], desk.language)}", row["all"], f"{row['share']:.1%}", row["later_micros"] / 1e6] for row in found["rows"]]
    desk.answer(found, lambda desk, value: _told(desk, value, [WORDS, PEOPLE, SHARE, LATER], rows))


def _told(desk: Desk, found: dict[str, Any], head: list[Text], rows: list[list[Any]]) -> None:
    """A table, and what its numbers mean."""
    table(desk, head, rows)
    desk.tell(Text("{means}", "{means}"), means=both(found["definition"], desk.language))
