"""cegla campaign: list, preview, dry-run, send, pause, resume, cancel, choose, report."""

import time
from typing import Annotated, Any
from urllib.parse import quote

import typer

from cegla.activate import actions as activate
from cegla.cli.desk import Api, AsJson, Desk, Yes, desk_of
from cegla.cli.people import Who
from cegla.cli.tables import both, table
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.money import from_micros
from cegla.vocabulary.text import Text

Which = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="its number or name")]

OfVariant = Annotated[str, typer.Option("--variant", metavar="A|B|…")]
Missed = Annotated[str, typer.Option(help="what becomes of what came due meanwhile: send, skip or spread")]

NUMBER, NAME, STATE, SUBJECT = Text("Nr", "No."), Text("Nazwa", "Name"), Text("Stan", "State"), Text("Temat", "Subject")
OUTCOME, PEOPLE, FIGURE, VALUE = Text("Wynik", "Outcome"), Text("Osób", "People"), Text("Wielkość", "Figure"), Text("Wartość", "Value")
SURE = Text("Wysłać kampanię „{name}” do {count} osób?", "Send the campaign “{name}” to {count} people?")
WOULD_GET, VALUE_OF_ORDERS = Text("dostaną", "would get it"), Text("Wartość zamówień", "Value of orders")
FIGURES = {
    "sent": Text("Wysłane", "Sent"),
    "delivered": Text("Przyjęte przez serwer", "Delivered"),
    "bounced": Text("Odbite", "Bounced"),
    "clicked": Text("Kliknęło osób", "People who clicked"),
    "unsubscribed": Text("Wypisało się", "Unsubscribed"),
    "buyers": Text("Kupujący potem", "Buyers after"),
    "orders": Text("Zamówienia potem", "Orders after"),
}
REASONS = {str(reason): text for reason, text in activate.SKIP_REASONS.items()}
SENDING = Text("Wysyłanie", "Sending")
NEXT = Text("Zobacz, co z tego wyszło: cegla campaign report {number}", "See what came of it: cegla campaign report {number}")


def listed(context: typer.Context, as_json: AsJson = False) -> None:
    """Print every campaign with its state."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get("/campaigns")
    desk.answer(
        found,
        lambda desk, value: table(
            desk, [NUMBER, NAME, STATE, SUBJECT], ([one["id"], one["name"], _stands(desk, one), one["subject"] or one["text"]] for one in value["campaigns"])
        ),
    )


def preview(context: typer.Context, campaign: Which, person: Who, of_variant: OfVariant = activate.FIRST, as_json: AsJson = False) -> None:
    """Print the message as this person would get it, of the variant asked for."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.post(f"/campaigns/{campaign_meant(api, campaign)['id']}/preview?variant={quote(of_variant)}", {"person": api.person(person)})
    desk.answer(found, lambda desk, value: desk.out.print(f"{value['subject']}\n\n{value['text']}", markup=False))


def dry_run(context: typer.Context, campaign: Which, as_json: AsJson = False) -> None:
    """Print who would get it, who would not, and why; nothing is sent."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get(f"/campaigns/{campaign_meant(api, campaign)['id']}/audience")
    desk.answer(found, _audience)


def send(context: typer.Context, campaign: Which, yes: Yes = False, as_json: AsJson = False) -> None:
    """Launch the campaign and follow it to its end."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = campaign_meant(api, campaign)
        path = f"/campaigns/{found['id']}"
        audience = api.get(f"{path}/audience")
        desk.confirm(SURE, yes, name=found["name"], count=audience["reachable"])
        api.post(f"{path}/launch")
        _follow(desk, api, path, audience["reachable"])
        report = api.get(f"{path}/report")
    desk.answer(report, _report)
    desk.tell(NEXT, number=found["id"])


def pause(context: typer.Context, campaign: Which, as_json: AsJson = False) -> None:
    """Stop handing messages over until the campaign is resumed."""
    _steer(context, campaign, "pause", as_json)


def resume(context: typer.Context, campaign: Which, missed: Missed = "send", as_json: AsJson = False) -> None:
    """Go on with a paused campaign."""
    _steer(context, campaign, f"launch?missed={missed}", as_json)


def cancel(context: typer.Context, campaign: Which, as_json: AsJson = False) -> None:
    """Stop the campaign for good; one that only waits in the calendar is a draft again."""
    _steer(context, campaign, "cancel", as_json)


def choose(context: typer.Context, campaign: Which, variant: Annotated[str, typer.Argument(help="A to H, or none")], as_json: AsJson = False) -> None:
    """Give the rest of a tested audience this variant, or nothing."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        path = f"/campaigns/{campaign_meant(api, campaign)['id']}/choose"
        found = api.post(path, {"variant": None if variant == "none" else variant})
    desk.answer(found, _state)


def report(context: typer.Context, campaign: Which, as_json: AsJson = False) -> None:
    """Print what came of the campaign."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get(f"/campaigns/{campaign_meant(api, campaign)['id']}/report")
    desk.answer(found, _report)


def _steer(context: typer.Context, campaign: str, act: str, as_json: bool) -> None:
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.post(f"/campaigns/{campaign_meant(api, campaign)['id']}/{act}")
    desk.answer(found, _state)


def _state(desk: Desk, found: dict[str, Any]) -> None:
    table(desk, [NUMBER, NAME, STATE], [[found["id"], found["name"], _stands(desk, found)]])


def _stands(desk: Desk, found: dict[str, Any]) -> str:
    state = found["state"]
    return desk.say(activate.CAMPAIGN_STATES[state]) if state in activate.CAMPAIGN_STATES else state


def _follow(desk: Desk, api: Api, path: str, of_all: int) -> None:
    """Wait until nothing is left to send; the state says so."""
    with desk.progress() as bar:
        task = bar.add_task(desk.say(SENDING), total=of_all)
        while (now := api.get(path))["state"] == "sending":
            bar.update(task, completed=sum(now["counts"].get(state, 0) for state in ("sent", "failed", "bounced", "ambiguous")))
            time.sleep(0.5)


def campaign_meant(api: Api, text: str) -> dict[str, Any]:
    """The campaign of this number or name. Raises NotFound."""
    for one in api.get("/campaigns")["campaigns"]:
        if text in (str(one["id"]), one["name"]):
            return one
    raise NotFound(where="CAMPAIGN", seen=text, thing=text)


def _audience(desk: Desk, found: dict[str, Any]) -> None:
    rows = [(desk.say(WOULD_GET), found["reachable"]), *(_reason(desk, reason, count) for reason, count in found["reasons"].items())]
    table(desk, [OUTCOME, PEOPLE], rows)


def _reason(desk: Desk, reason: str, count: int) -> tuple[str, int]:
    return (desk.say(REASONS[reason]) if reason in REASONS else reason), count


def _report(desk: Desk, found: dict[str, Any]) -> None:
    rows = [(desk.say(label), found[key]) for key, label in FIGURES.items()]
    rows.append((desk.say(VALUE_OF_ORDERS), f"{from_micros(found['order_value_micros']):,.2f} {found['currency']}"))
    table(desk, [FIGURE, VALUE], rows)
    desk.tell(Text("{definition}", "{definition}"), definition=both(found["definition"], desk.language))
