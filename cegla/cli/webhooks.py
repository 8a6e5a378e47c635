"""cegla webhook add, show, try."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cegla.cli.desk import AsJson, desk_of
from cegla.cli.files import text_of
from cegla.cli.tables import both, facts, table
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.text import Text

Ready = Annotated[str, typer.Option("--from", metavar="KEY")]
MappingFile = Annotated[Path | None, typer.Option("--map", metavar="MAP.yaml")]
LawfulBasis = Annotated[str, typer.Option("--basis", metavar="consent|contract|legal_obligation|legitimate_interest")]

SOURCE, ADDRESS, SCHEME = Text("Źródło", "Source"), Text("Ścieżka adresu (tajna)", "Path of the address (secret)"), Text("Podpis", "Signature")
ITEM, EVENT, ID, PROBLEM = Text("Pozycja", "Item"), Text("Zdarzenie", "Event"), Text("Identyfikator", "Message id"), Text("Problem", "Problem")
KEY, NAME = Text("Klucz", "Key"), Text("Nazwa", "Name")
LEFT_OUT = Text("pominięta celowo", "left out on purpose")


def ready(context: typer.Context, as_json: AsJson = False) -> None:
    """Print the mappings that come with the product."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get("/webhooks/ready")
    rows = ([one["key"], both(one["label"], desk.language), one["scheme"]] for one in found["ready"])
    desk.answer(found, lambda desk, _: table(desk, [KEY, NAME, SCHEME], rows))


def add(context: typer.Context, name: str, ready: Ready = "", mapping: MappingFile = None, basis: LawfulBasis = "consent", as_json: AsJson = False) -> None:
    """Make a source with a webhook and print the path of its address."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        made = api.post("/webhooks", {"name": name, "ready": ready, "mapping": text_of(mapping) if mapping else "", "basis": basis})
    desk.answer(made, lambda desk, value: facts(desk, [(SOURCE, value["source"]), (ADDRESS, value["path"]), (SCHEME, value["scheme"])]))


def try_out(
    context: typer.Context, file: Path, ready: Ready = "", mapping: MappingFile = None, content_type: str = "application/json", as_json: AsJson = False
) -> None:
    """Print what a mapping makes of the request body in a file; nothing is written."""
    desk = desk_of(context, as_json)
    body = {"ready": ready, "mapping": text_of(mapping) if mapping else "", "headers": {"content-type": content_type}, "body": text_of(file)}
    if not ready and mapping is None:
        raise NotFound(where="--map", thing="--map, --from")
    with desk.api() as api:
        found = api.post("/webhooks/try", body)
    desk.answer(found, lambda desk, value: table(desk, [ITEM, EVENT, ID, PROBLEM], _rows(desk.say(LEFT_OUT), value)))
    if found["problem"] or any(item["problems"] for item in found["items"]):
        raise typer.Exit(3)


def _rows(left_out: str, found: dict[str, Any]) -> list[list[Any]]:
    rows: list[list[Any]] = [["-", "", "", found["problem"]]] if found["problem"] else []
    for place, item in enumerate(found["items"], 1):
        rows += [[place, event.get("event") or event["type"], event["messageId"], ""] for event in item["events"]]
        rows += [[place, "", "", problem] for problem in item["problems"]]
        rows += [[place, left_out, "", ""]] if item["ignored"] else []
    return rows


