"""cegla deliverability look, rates."""

from typing import Any

import typer

from cegla.cli.desk import AsJson, Desk, desk_of
from cegla.cli.tables import both, table
from cegla.vocabulary.text import Text

CHECK, OF, STATE, SAID, TODO = Text("Co", "What"), Text("Czego", "Of"), Text("Stan", "State"), Text("Jest", "It is"), Text("Co zrobić", "What to do")
LEVELS = {
    "ok": Text("w porządku", "in order"), "advice": Text("warto poprawić", "worth mending"), "wrong": Text("źle", "wrong"),
    "unknown": Text("nie wiadomo", "unknown"),
}  # fmt: skip
PLACE, SENT = Text("Dokąd", "Destination"), Text("Wysłane", "Sent")
COMPLAINTS, BOUNCES, DEFERRED = Text("Skargi", "Complaints"), Text("Odbite", "Bounced"), Text("Odłożone", "Deferred")
STANDINGS = {
    "fine": Text("dobrze", "fine"), "near": Text("blisko granicy", "near the limit"), "over": Text("ponad granicą", "over the limit"),
    "few": Text("za mało wysłano", "too few sent"),
}  # fmt: skip


def look(context: typer.Context, as_json: AsJson = False) -> None:
    """Look at SPF, DKIM, DMARC, PTR and TLS now, and print what to mend."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.post("/deliverability")
    desk.answer(found, _findings)


def rates(context: typer.Context, as_json: AsJson = False) -> None:
    """Print what each destination made of our mail in seven days, against the providers' limits."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get("/deliverability")
    desk.answer(found, _rates)


def _findings(desk: Desk, found: dict[str, Any]) -> None:
    rows = [
        (one["check"].upper(), one["of"], desk.say(LEVELS[one["level"]]), both(one["said"], desk.language), both(one["todo"], desk.language))
        for one in found["findings"]
    ]
    table(desk, [CHECK, OF, STATE, SAID, TODO], rows)


def _rates(desk: Desk, found: dict[str, Any]) -> None:
    rows = [
        (one["label"], one["sent"], *(f"{one[count]} · {desk.say(STANDINGS[one[stands]])}" for count, stands in COLUMNS)) for one in found["destinations"]
    ]
    table(desk, [PLACE, SENT, COMPLAINTS, BOUNCES, DEFERRED], rows)


COLUMNS = (("complained", "complaints"), ("bounced", "bounces"), ("deferred", "deferrals"))
