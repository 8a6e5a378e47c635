"""cegla segment: list, show, save, explain."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from cegla.cli.desk import DRY, AsJson, Desk, DryRun, desk_of
from cegla.cli.files import values_of
from cegla.cli.people import Who
from cegla.cli.tables import both, facts, table
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.text import Text

Which = Annotated[str, typer.Argument(metavar="SEGMENT", help="its number, key or name")]
RuleFile = Annotated[Path, typer.Argument(metavar="RULE", help="a JSON or YAML file with the rule")]

Off = Annotated[bool, typer.Option("--off")]

SEEN_NOW = Text("Skrypt na stronie widzi teraz segment {id}.", "The script on the site sees segment {id} now.")
HIDDEN_NOW = Text("Skrypt na stronie nie widzi już segmentu {id}.", "The script on the site does not see segment {id} any more.")
NUMBER, NAME, SENTENCE, MEMBERS = Text("Nr", "No."), Text("Nazwa", "Name"), Text("Kto", "Who"), Text("Osób", "People")
PERSON, ENTERED, AT, DAY = Text("Osoba", "Person"), Text("Weszła", "Entered"), Text("Kiedy", "When"), Text("Dzień", "Day")
CAME, WENT = Text("Weszło", "Entered"), Text("Wyszło", "Left")
FIRST, SECOND, BOTH, SHARE = Text("Segment", "Segment"), Text("i", "and"), Text("Wspólnych", "In both"), Text("Udział", "Share")
WROTE = Text("Zapisano {file}.", "Wrote {file}.")
HOLDS, CONDITION, SEEN = Text("Spełnia", "Holds"), Text("Warunek", "Condition"), Text("Jest", "Seen")


def listed(context: typer.Context, as_json: AsJson = False) -> None:
    """Print every segment with its sentence."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get("/segments")
    desk.answer(
        found,
        lambda desk, value: table(
            desk, [NUMBER, NAME, SENTENCE], ([one["id"], both(one["name"], desk.language), one["sentence"] or one.get("problem")] for one in value["segments"])
        ),
    )


def show(context: typer.Context, segment: Which, as_json: AsJson = False) -> None:
    """Print one segment with its count now."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get(f"/segments/{number_of(api, segment)}")
    desk.answer(
        found,
        lambda desk, value: facts(
            desk,
            [
                (NUMBER, value["id"]),
                (NAME, both(value["name"], desk.language)),
                (SENTENCE, value["sentence"] or value.get("problem")),
                (MEMBERS, (value["count"] or value)["members"]),
            ],
        ),
    )


def on_site(context: typer.Context, segment: Which, off: Off = False, as_json: AsJson = False) -> None:
    """Let a page's own script see a segment, or with --off not any more."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.post(f"/segments/{number_of(api, segment)}/on-site", {"visible": not off})
    desk.answer(found, lambda desk, value: desk.tell(SEEN_NOW if value["on_site"] else HIDDEN_NOW, id=value["id"]))


def save(context: typer.Context, name: str, rule: RuleFile, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Make a segment, or change the one of this name; --dry-run says whom the rule means and how many they are."""
    desk = desk_of(context, as_json)
    tree = values_of(rule)
    with desk.api() as api:
        if dry_run:
            meant = {"sentence": api.post("/segments/sentence", {"rule": tree}), "members": api.post("/segments/count", {"rule": tree})["members"]}
            desk.answer(meant, lambda desk, value: facts(desk, [(SENTENCE, value["sentence"]), (MEMBERS, value["members"])]))
            desk.tell(DRY)
            return
        key = next((one.get("key") for one in api.get("/segments")["segments"] if one["name"] == name), None)
        saved = api.post("/segments", {"name": name, "rule": tree, "key": key})
    desk.answer(saved, lambda desk, value: facts(desk, [(NUMBER, value["id"]), (SENTENCE, value["sentence"])]))


def explain(context: typer.Context, segment: Which, person: Who, as_json: AsJson = False) -> None:
    """Print why the person is in the segment, or not."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get(f"/segments/{number_of(api, segment)}/explain/{api.person(person)}")
    desk.answer(found, _explained)


def changes(context: typer.Context, segment: Which, after: Annotated[int, typer.Option("--after")] = 0, as_json: AsJson = False) -> None:
    """Print who entered and left, oldest first, after a change."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get(f"/segments/changes?segment_id={number_of(api, segment)}&after={after}&limit=500")
    desk.answer(
        found,
        lambda desk, value: table(desk, [NUMBER, PERSON, ENTERED, AT], ([one["id"], one["person"], one["entered"], one["at"]] for one in value["changes"])),
    )


def sizes(context: typer.Context, segment: Which, days: Annotated[int, typer.Option("--days")] = 30, as_json: AsJson = False) -> None:
    """Print the size at the end of each day."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get(f"/segments/{number_of(api, segment)}/sizes?days={days}")
    desk.answer(
        found,
        lambda desk, value: table(desk, [DAY, MEMBERS, CAME, WENT], ([one["day"], one["members"], one["entered"], one["left"]] for one in value["days"])),
    )


def overlap(context: typer.Context, segments: Annotated[list[str], typer.Argument(metavar="SEGMENT...")], as_json: AsJson = False) -> None:
    """Print how many people segments share, pair by pair."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.post("/segments/overlap", {"segments": [number_of(api, one) for one in segments]})
    desk.answer(
        found,
        lambda desk, value: table(desk, [FIRST, SECOND, BOTH, SHARE], ([one["first"], one["second"], one["both"], one["share"]] for one in value["overlaps"])),
    )


def export(
    context: typer.Context,
    segment: Which,
    output: Path,
    form: Annotated[str, typer.Option("--form")] = "csv",
    purpose: Annotated[str, typer.Option("--purpose")] = "",
    as_json: AsJson = False,
) -> None:
    """Write the members to a file that others take."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        output.write_bytes(api.raw(f"/segments/{number_of(api, segment)}/list", form=form, purpose=purpose or None))
    desk.tell(WROTE, file=output)


def number_of(api: Any, text: str) -> int:
    """The number of the segment meant by number, key or name. Raises NotFound."""
    for one in api.get("/segments")["segments"]:
        if text in (str(one["id"]), one.get("key"), *(one["name"].values() if isinstance(one["name"], dict) else [one["name"]])):
            return int(one["id"])
    raise NotFound(where="SEGMENT", seen=text, thing=text)


def _explained(desk: Desk, found: dict[str, Any]) -> None:
    table(desk, [HOLDS, CONDITION, SEEN], _lines(desk, found["explanation"], 0))


def _lines(desk: Desk, node: dict[str, Any], depth: int) -> Iterator[list[Any]]:
    yield [node.get("holds"), "  " * depth + both(node.get("sentence", node.get("op", "")), desk.language), node.get("seen")]
    for part in node.get("children", []):
        yield from _lines(desk, part, depth + 1)
