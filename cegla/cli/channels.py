"""cegla gateway list, set, drop; cegla sms measure."""

import os
from typing import Annotated, Any

import typer

from cegla.cli.desk import AsJson, Desk, desk_of
from cegla.cli.tables import facts, table
from cegla.vocabulary.errors.intake import FieldMissing
from cegla.vocabulary.money import from_micros, to_micros
from cegla.vocabulary.text import Text

ChannelName = Annotated[str, typer.Argument(metavar="sms|email")]
Provider = Annotated[str, typer.Argument(metavar="PROVIDER")]
Words = Annotated[str, typer.Argument(metavar="TEXT")]
Settings = Annotated[list[str], typer.Argument(metavar="NAME=VALUE")]

CHANNEL, PROVIDER, SENDER = Text("Kanał", "Channel"), Text("Dostawca", "Provider"), Text("Nadawca", "Sender")
RECEIPTS, PRICE, SPEED = Text("Adres raportów", "Address of receipts"), Text("Cena części", "Price of a part"), Text("Na minutę", "Per minute")
ENCODING, PARTS = Text("Alfabet", "Alphabet"), Text("Części", "Parts")
LEFT, BLAMED = Text("Zostało znaków", "Characters left"), Text("Wymuszają UCS-2", "Force UCS-2")
PLAIN, PLAIN_PARTS = Text("Bez polskich liter", "Without Polish letters"), Text("Części bez polskich liter", "Parts without Polish letters")
NONE = Text("Nie ustawiono żadnej bramki. Dostawcy: {providers}", "No gateway is set. Providers: {providers}")
DROPPED = Text("Bramka usunięta.", "The gateway is gone.")
NEXT = Text("Podaj dostawcy ten adres raportów i odpowiedzi: {url}", "Give the provider this address for receipts and replies: {url}")


def listed(context: typer.Context, as_json: AsJson = False) -> None:
    """Print the gateways that are set, without their secrets."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get("/gateways")
    desk.answer(found, _gateways)


def set_up(context: typer.Context, channel: ChannelName, provider: Provider, settings: Settings, as_json: AsJson = False) -> None:
    """Put a gateway at work. Secrets come from environment variables, so that they stay out of the shell's history."""
    desk = desk_of(context, as_json)
    given: dict[str, str] = {name: value for name, _, value in (one.partition("=") for one in settings)}
    unknown = given.keys() - {"sender", "url", "price", "per-minute", "key-from", "receipt-secret-from"}
    price, speed = to_micros(given.get("price", "0").replace(",", ".")), given.get("per-minute", "600")
    if unknown or price is None or not speed.isdigit():
        raise FieldMissing(where=" ".join(sorted(unknown)) or "price per-minute", field="NAME=VALUE")
    wish = {
        "channel": channel, "provider": provider, "sender": given.get("sender", ""), "url": given.get("url", ""), "part_micros": price,
        "messages_per_minute": int(speed), "key": _secret(given.get("key-from", "")), "receipt_secret": _secret(given.get("receipt-secret-from", "")),
    }  # fmt: skip
    with desk.api() as api:
        saved = api.post("/gateways", wish)
    desk.answer(saved, lambda desk, one: facts(desk, [(CHANNEL, one["channel"]), (PROVIDER, one["provider"]), (RECEIPTS, one["receipts_url"])]))
    if not as_json:
        desk.tell(NEXT, url=saved["receipts_url"])


def drop(context: typer.Context, channel: ChannelName, as_json: AsJson = False) -> None:
    """Forget a gateway."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        gone = api.post("/gateways/drop", {"channel": channel})
    desk.answer(gone, lambda desk, _: desk.tell(DROPPED))


def measure(context: typer.Context, words: Words, as_json: AsJson = False) -> None:
    """Print in how many parts a text message would travel, and what that costs."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.post("/sms/measure", {"text": words})
    desk.answer(found, _measured)


def _secret(variable: str) -> str:
    if variable and variable not in os.environ:
        raise FieldMissing(where=variable, field=variable)
    return os.environ[variable] if variable else ""


def _gateways(desk: Desk, found: dict[str, Any]) -> None:
    if not found["gateways"]:
        desk.tell(NONE, providers=", ".join(f"{one['channel']} {one['key']}" for one in found["providers"]))
        return
    rows = [
        (one["channel"], one["provider"], one["sender"], f"{from_micros(one['part_micros']):.4f}", one["messages_per_minute"], one["receipts_url"] or "")
        for one in found["gateways"]
    ]
    table(desk, [CHANNEL, PROVIDER, SENDER, PRICE, SPEED, RECEIPTS], rows)


def _measured(desk: Desk, found: dict[str, Any]) -> None:
    facts(desk, [
        (ENCODING, found["encoding"]), (PARTS, found["parts"]), (LEFT, found["left"]), (BLAMED, " ".join(found["blamed"])),
        (PRICE, f"{from_micros(found['price_micros']):.4f}"), (PLAIN, found["plain_text"]), (PLAIN_PARTS, found["plain_parts"]),
    ])  # fmt: skip
