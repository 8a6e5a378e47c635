"""cegla trait: list, show, check, preview, apply, remove. Checking a file needs no installation."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cegla.cli.desk import DRY, AsJson, DryRun, Yes, desk_of
from cegla.cli.files import text_of
from cegla.cli.sources import source_meant
from cegla.cli.tables import table
from cegla.segment import actions as segment
from cegla.vocabulary.text import Text

TraitFile = Annotated[Path, typer.Argument(metavar="TRAITS.yaml")]
Sources = Annotated[list[str] | None, typer.Argument(metavar="[SOURCE]...")]
Key = Annotated[str, typer.Argument(metavar="TRAIT")]

KEY, LABEL, WHAT, PEOPLE, VERSION = Text("Cecha", "Trait"), Text("Nazwa", "Label"), Text("Co", "What"), Text("Osób", "People"), Text("Wersja", "Version")
PLACE, SOURCE = Text("Miejsce", "Place"), Text("Źródło", "Source")
OF, SAMPLE = Text("Z ilu", "Of"), Text("Na przykład", "For example")
GOOD = Text("Plik jest poprawny; cech: {count}.", "The file is valid; traits: {count}.")
SAME = Text("Bez zmian: takie definicje już obowiązują.", "Nothing changed: these definitions hold already.")
GONE = Text("Cecha {key} usunięta; wartość miało osób: {people}.", "The trait {key} is gone; people who had a value: {people}.")
SURE = Text("Usunąć cechę {key} z wartościami osób: {people}?", "Remove the trait {key} with the values of {people} people?")


def listed(context: typer.Context, as_json: AsJson = False) -> None:
    """Print every computed trait with its sentence and coverage."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get("/traits")
    desk.answer(
        found,
        lambda desk, value: table(desk, [KEY, LABEL, WHAT, PEOPLE, VERSION], (
            [one["key"], one["label"][desk.language], one["sentence"][desk.language], one["people"], one["version"]] for one in value["traits"])),
    )  # fmt: skip


def show(context: typer.Context, as_json: AsJson = False) -> None:
    """Print all definitions as one YAML file."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get("/traits")
    desk.answer(found, lambda desk, value: desk.write(value["text"]))


def check(context: typer.Context, file: TraitFile, as_json: AsJson = False) -> None:
    """Check a file of definitions; exit code 3 and the place when something is wrong."""
    desk = desk_of(context, as_json)
    found = segment.computed.read(text_of(file))
    desk.answer({"ok": True, "traits": [one.key for one in found]}, lambda desk, value: None)
    desk.tell(GOOD, count=len(found))


def preview(context: typer.Context, file: TraitFile, as_json: AsJson = False) -> None:
    """Say how many people would have a value of each trait, and show some."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.post("/traits/preview", {"text": text_of(file)})
    desk.answer(
        found,
        lambda desk, value: table(desk, [KEY, WHAT, PEOPLE, OF, SAMPLE], (
            [one["key"], one["sentence"][desk.language], one["known"], one["people"], _sample(one["sample"])] for one in value["traits"])),
    )  # fmt: skip


def apply(context: typer.Context, file: TraitFile, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Put the definitions of a file in force; traits that it does not name stay."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        done = api.post("/traits", {"text": text_of(file), "dry_run": dry_run})
    desk.answer(done, lambda desk, value: table(desk, [KEY, VERSION], ([one["key"], one.get("version", "")] for one in value["changed"])))
    if dry_run or not done["changed"]:
        desk.tell(SAME if not done["changed"] else DRY)


def ranking(context: typer.Context, sources: Sources = None, as_json: AsJson = False) -> None:
    """Print or set whose word counts more where sources declare the same trait: sources, the most credible first."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        ids = [source_meant(api, name) for name in sources or []]
        found = api.post("/traits/ranking", {"sources": ids}) if ids else api.get("/traits/ranking")
    desk.answer(found, lambda desk, value: table(desk, [PLACE, SOURCE], ([place, one["name"]] for place, one in enumerate(value["sources"], 1))))


def remove(context: typer.Context, trait: Key, dry_run: DryRun = False, yes: Yes = False, as_json: AsJson = False) -> None:
    """Take a computed trait away, with everybody's values."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        done = api.post(f"/traits/{trait}/remove", {"dry_run": True})
        if not dry_run:
            desk.confirm(SURE, yes, key=trait, people=done["people"])
            done = api.post(f"/traits/{trait}/remove", {"dry_run": False})
    desk.answer(done, lambda desk, value: desk.tell(DRY if dry_run else GONE, **value))


def _sample(rows: list[dict[str, Any]]) -> str:
    return ", ".join(f"{row['person']}: {row['value']}" for row in rows[:3])
