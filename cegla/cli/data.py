"""cegla data status, update: what is known of the world, and fetching more. Works on the data directory itself; a running installation notices."""

from typing import Annotated, Any

import typer

from cegla.cli.desk import AsJson, Desk, desk_of
from cegla.cli.tables import both, table
from cegla.reference import fetching, sets
from cegla.vocabulary.text import Text

Sets = Annotated[list[str] | None, typer.Argument()]

SET, VERSION, LICENCE = Text("Zbiór", "Set"), Text("Wersja", "Version"), Text("Licencja", "Licence")
SIZE, ORIGIN = Text("Rozmiar (kB)", "Size (kB)"), Text("Skąd", "Origin")
LACKING = Text("Brakuje: {label}. Skutek: {without}.", "Missing: {label}. So: {without}.")
FETCHED = Text("Pobrano: {key} {version}", "Fetched: {key} {version}")
FETCHING = Text("Pobieram dane o świecie …", "Fetching data about the world …")
UNKNOWN = Text("nie ma takiego zbioru do pobrania: {name}; są: {names}", "no such set to fetch: {name}; there are: {names}")


def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Print every data set with its version, licence and origin, and what is missing."""
    desk = desk_of(context, as_json)
    desk.answer(_found(desk), _show)


def update(context: typer.Context, data_sets: Sets = None, as_json: AsJson = False) -> None:
    """Fetch the sets named, or all that can be."""
    desk = desk_of(context, as_json)
    known = [row.key for row in fetching.FETCHABLE]
    for name in data_sets or ():
        if name not in known:
            raise typer.BadParameter(desk.say(UNKNOWN, name=name, names=", ".join(known)))
    desk.tell(FETCHING)
    for one in fetching.update(desk.settings.data_dir / "reference", desk.settings.reference.registry, data_sets or ()):
        desk.tell(FETCHED, key=one.key, version=one.version)
    desk.answer(_found(desk), _show)


def _found(desk: Desk) -> list[dict[str, Any]]:
    return [
        {
            "key": found.row.key, "label": found.row.label._asdict(), "kind": found.row.kind, "present": found.present, "version": found.version or None,
            "bytes": found.bytes, "licence": found.row.licence,
            "origin": desk.say(found.row.origin) if isinstance(found.row.origin, Text) else found.row.origin,
            "attribution": found.row.attribution and found.row.attribution._asdict(), "link": found.row.link or None,
            "without": None if found.present or found.row.without is None else found.row.without._asdict(),
        }
        for found in sets.statuses(desk.settings.data_dir / "reference", (desk.settings.weather.provider,))
    ]  # fmt: skip


def _show(desk: Desk, found: list[dict[str, Any]]) -> None:
    rows = [[both(one["label"], desk.language), one["version"], one["licence"], one["bytes"] // 1_000 or None, one["origin"]] for one in found]
    table(desk, [SET, VERSION, LICENCE, SIZE, ORIGIN], rows)
    for one in found:
        if one["without"]:
            desk.tell(LACKING, label=both(one["label"], desk.language), without=both(one["without"], desk.language))
