"""cegla person: show, correct, export, erase."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from cegla.cli.desk import AsJson, Desk, DryRun, Yes, desk_of
from cegla.cli.tables import both, facts, table
from cegla.vocabulary.money import from_micros
from cegla.vocabulary.text import Text

Who = Annotated[str, typer.Argument(metavar="PERSON", help="p12, or an identifier: an e-mail address, a phone number, a user id")]
Trait = Annotated[str, typer.Argument(metavar="TRAIT", help="the trait's name, such as city")]
Value = Annotated[str | None, typer.Argument(metavar="[VALUE]", help="what is true; left out: the trait is not true of them")]
TakeBack = Annotated[bool, typer.Option("--take-back", help="let the sources speak again")]
Reveal = Annotated[bool, typer.Option("--reveal")]

PERSON, TYPE, VALUE, FIRST_SEEN = Text("Osoba", "Person"), Text("Rodzaj", "Type"), Text("Wartość", "Value"), Text("Od", "Since")
TRAIT, CONFIDENCE, EVIDENCE, WHY = Text("Cecha", "Trait"), Text("Pewność", "Confidence"), Text("Dowody", "Evidence"), Text("Skąd to wiemy", "How it is known")
SEGMENTS = Text("Segmenty", "Segments")
CORRECTED = Text("Sprostowano {trait} osoby {person}; liczy się bardziej niż każde źródło.", "Corrected {trait} of {person}; it counts more than any source.")
SPEAK_AGAIN = Text("O cesze {trait} osoby {person} znów mówią źródła.", "Sources speak again about {trait} of {person}.")
SAVED = Text("Zapisano w {file}", "Written to {file}")
WOULD_GO = Text(
    "Usunięcie zabrałoby {rows} wierszy osoby {person}; użyj --yes bez --dry-run, aby usunąć.",
    "Erasing would remove {rows} rows of {person}; run it without --dry-run to do it.",
)
GONE = Text("Usunięto {rows} wierszy osoby {person}.", "Removed {rows} rows of {person}.")
SURE = Text("Usunąć na zawsze wszystko o osobie {person} ({rows} wierszy)?", "Erase everything about {person} ({rows} rows) for good?")


def show(context: typer.Context, person: Who, reveal: Reveal = False, as_json: AsJson = False) -> None:
    """Print the person with the reason for each trait."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get(f"/people/{api.person(person)}", reveal=reveal or None)
    desk.answer(found, _show)


def export(context: typer.Context, person: Who, output: Path | None = None, as_json: AsJson = False) -> None:
    """Print or save everything held on the person."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        held = api.post(f"/people/{api.person(person)}/export")
    if output is None:
        desk.out.print_json(data=held)
    else:
        output.write_text(json.dumps(held, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        desk.tell(SAVED, file=output)


def erase(context: typer.Context, person: Who, dry_run: DryRun = False, yes: Yes = False, as_json: AsJson = False) -> None:
    """Erase the person, after saying how much goes."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        label = api.person(person)
        done = api.post(f"/people/{label}/erase", {"dry_run": True})
        if not dry_run:
            desk.confirm(SURE, yes, person=label, rows=_rows(done))
            done = api.post(f"/people/{label}/erase", {"dry_run": False})
    desk.answer(done, _erased)


def correct(context: typer.Context, person: Who, trait: Trait, value: Value = None, take_back: TakeBack = False, as_json: AsJson = False) -> None:
    """Write down what a person had corrected; without a value: the trait is not true of them."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        done = api.post(f"/people/{api.person(person)}/correct", {"trait": trait, "value": value, "take_back": take_back})
    desk.answer(done, lambda at, answer: at.tell(SPEAK_AGAIN if take_back else CORRECTED, **answer))


def _show(desk: Desk, found: dict[str, Any]) -> None:
    facts(desk, [(PERSON, found["person"])])
    table(desk, [TYPE, VALUE, FIRST_SEEN], ([one["type"], one["value"], one["first_seen_at"]] for one in found["identifiers"]))
    desk.out.print()
    table(desk, [TRAIT, VALUE, CONFIDENCE, EVIDENCE, WHY], (_trait(desk, one) for one in found["traits"]))
    if found["segments"]:
        desk.out.print()
        table(desk, [SEGMENTS, FIRST_SEEN], ([one["name"], one["entered_at"]] for one in found["segments"]))


def _trait(desk: Desk, known: dict[str, Any]) -> list[Any]:
    trait = known["trait"]
    value = trait["value"]
    if known["value_type"] == "micros" and isinstance(value, int):
        value = f"{from_micros(value):,.2f}"
    return [both(known["label"], desk.language), value, f"{trait['confidence']:.0%}", trait["n_evidence"], both(known["why"], desk.language)]


def _erased(desk: Desk, done: dict[str, Any]) -> None:
    table(desk, [TYPE, VALUE], done["rows"].items())
    desk.tell(WOULD_GO if done["dry_run"] else GONE, person=done["person"], rows=_rows(done))


def _rows(done: dict[str, Any]) -> int:
    return sum(done["rows"].values())
