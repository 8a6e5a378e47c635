"""cegla letter: list, show, save, preview, test, publish, give. A letter is shown as YAML that `save` reads."""

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from cegla.cli.campaigns import campaign_meant
from cegla.cli.desk import Api, AsJson, Desk, DryRun, desk_of
from cegla.cli.files import fields_of
from cegla.cli.tables import both, table
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.errors.intake import FileUnreadable
from cegla.vocabulary.text import Text

Which = Annotated[str, typer.Argument(metavar="LETTER")]
LetterFile = Annotated[Path, typer.Argument(metavar="LETTER.yaml")]
Viewer = Annotated[str, typer.Argument(metavar="[PERSON]")]
Address = Annotated[str, typer.Argument(metavar="E-MAIL")]
Variant = Annotated[str, typer.Option("--variant")]
AsHtml = Annotated[bool, typer.Option("--html")]

KEPT = ("name", "kind", "document")  #: of a letter, what its file holds
NUMBER, NAME, KIND, SUBJECT, VERSION = Text("Nr", "No."), Text("Nazwa", "Name"), Text("Rodzaj", "Kind"), Text("Temat", "Subject"), Text("Wersja", "Version")
KINDS = {"letter": Text("list", "letter"), "snippet": Text("wstawka", "snippet")}
NEXT = Text("Zapisz to do pliku, zmień i wczytaj: cegla letter save PLIK", "Save this to a file, change it and read it in: cegla letter save FILE")
NO_LETTER = Text("to nie jest list: potrzebne są name i document", "it is no letter: name and document are needed")
DRY = Text("Próba na sucho: list się składa, nic nie zapisano.", "A dry run: the letter compiles, nothing was written.")
SAVED = Text("Zapisano szkic listu {number}. Podgląd: cegla letter preview {number}", "Saved the draft of letter {number}: cegla letter preview {number}")
PUBLISHED = Text("Wersja {version}; dostały ją kampanie: {campaigns}.", "Version {version}; given to campaigns: {campaigns}.")
SENT = Text("Wysłano próbę.", "The trial was sent.")
GIVEN = Text("Kampania {campaign} mówi teraz to, co list.", "Campaign {campaign} says now what the letter says.")
NOT_ALLOWED = Text("Ten list do tej osoby nie wyjdzie: bramka zgód mówi nie.", "This letter will not go to this person: the consent gate says no.")


def listed(context: typer.Context, as_json: AsJson = False) -> None:
    """Print every letter and snippet."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get("/letters")
    desk.answer(found, _listed)


def show(context: typer.Context, letter: Which, as_json: AsJson = False) -> None:
    """Print a letter's draft as YAML that `save` reads, or all that is known of it as JSON."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get(f"/letters/{number_of(api, letter)}")
    desk.answer(found, lambda desk, value: desk.write(yaml.safe_dump({key: value[key] for key in KEPT}, allow_unicode=True, sort_keys=False, width=140)))
    desk.tell(NEXT)


def save(context: typer.Context, letter_file: LetterFile, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Begin a letter from a YAML or JSON file, or change the draft of the one of its name; "-" reads standard input."""
    desk = desk_of(context, as_json)
    given = _read(letter_file)
    with desk.api() as api:
        alike = [one["id"] for one in api.get("/letters")["letters"] if (one["name"], one["kind"]) == (given["name"], given["kind"])]
        saved = api.post("/letters", {**given, "id": alike[0] if alike else None, "dry_run": dry_run})
    desk.answer(saved, lambda desk, value: desk.tell(DRY) if dry_run else desk.tell(SAVED, number=value["id"]))


def preview(context: typer.Context, letter: Which, person: Viewer = "", html: AsHtml = False, as_json: AsJson = False) -> None:
    """Print the letter as a person would see it, or with every fallback, and what the checks say."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.post(f"/letters/{number_of(api, letter)}/preview", {"person": api.person(person) if person else None})
    desk.answer(found, lambda desk, value: desk.write(value["html"] if html else f"{value['subject']}\n\n{value['text']}\n"))
    for one in found["findings"]:
        desk.tell(Text("{kind}: {said}", "{kind}: {said}"), kind=one["kind"], said=both(one["said"], desk.language))
    if found["allowed"] is False:
        desk.tell(NOT_ALLOWED)


def test(context: typer.Context, letter: Which, address: Address, as_json: AsJson = False) -> None:
    """Send one copy of the draft to an address of your own; it counts nowhere."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.post(f"/letters/{number_of(api, letter)}/test", {"address": address})
    desk.answer(found, lambda desk, value: desk.tell(SENT))


def publish(context: typer.Context, letter: Which, as_json: AsJson = False) -> None:
    """Make the draft the next version; campaigns not sent yet that use it are given it."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.post(f"/letters/{number_of(api, letter)}/publish")
    names = ", ".join(one["campaign"] for one in found["campaigns"]) or "–"
    desk.answer(found, lambda desk, value: desk.tell(PUBLISHED, version=value["version"], campaigns=names))


def give(context: typer.Context, letter: Which, campaign: str, variant: Variant = "A", as_json: AsJson = False) -> None:
    """Give the newest version to a campaign that was not sent yet."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        number = campaign_meant(api, campaign)["id"]
        found = api.post(f"/letters/{number_of(api, letter)}/give", {"campaign_id": number, "variant": variant})
    desk.answer(found, lambda desk, value: desk.tell(GIVEN, campaign=value["campaign"]))


def number_of(api: Api, text: str) -> int:
    """The number of the letter or snippet of this number or name. Raises NotFound."""
    for one in api.get("/letters")["letters"]:
        if text in (str(one["id"]), one["name"]):
            return int(one["id"])
    raise NotFound(where="LETTER", seen=text, thing=text)


def _listed(desk: Desk, found: dict[str, Any]) -> None:
    rows = ([one["id"], one["name"], desk.say(KINDS[one["kind"]]), one["subject"], one["version"] or "–"] for one in found["letters"])
    table(desk, [NUMBER, NAME, KIND, SUBJECT, VERSION], rows)


def _read(file: Path) -> dict[str, Any]:
    """What a letter's file holds. Raises FileUnreadable."""
    given = fields_of(file)
    if not {"name", "document"} <= given.keys():
        raise FileUnreadable(where=str(file), detail=NO_LETTER)
    return {"kind": "letter"} | {key: given[key] for key in KEPT if key in given}
