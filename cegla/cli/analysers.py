"""cegla analyser: list, on, off, run."""

from typing import Annotated, Any

import typer

from cegla.cli.desk import AsJson, Desk, Yes, desk_of
from cegla.cli.tables import both, table
from cegla.vocabulary.text import Text

NAME, ON, PURPOSE, SCHEDULE = Text("Analizator", "Analyser"), Text("Włączony", "On"), Text("Cel", "Purpose"), Text("Kiedy", "When")
KNOWN, LAST, METHOD = Text("Zna coś o osobach", "Knows something of"), Text("Ostatni przebieg", "Last run"), Text("Metoda", "Method")
SCHEDULES = {
    "on_event": Text("po zdarzeniu", "after an event"), "hourly": Text("co godzinę", "hourly"), "nightly": Text("co noc", "nightly"),
}  # fmt: skip
TURNED_ON = Text(
    "Włączono analizator {analyser} w celu {purpose}. Następny krok: cegla analyser run {analyser}",
    "Turned {analyser} on for {purpose}. Next: cegla analyser run {analyser}"
)
TURNED_OFF = Text("Wyłączono analizator {analyser}; jego wyniki usunięto.", "Turned {analyser} off; what it found is removed.")
SURE = Text("Wyłączyć analizator {analyser} i usunąć jego wyniki?", "Turn {analyser} off and remove what it found?")
LOOKED_AT = Text("Przejrzano osób: {done}; analizatory: {analysers}.", "People looked at: {done}; analysers: {analysers}.")
NONE_ON = Text("Żaden z tych analizatorów nie jest włączony.", "None of these analysers is on.")
WORKING = Text("Osoby", "People")

Which = Annotated[str, typer.Argument(metavar="ANALYSER")]
Some = Annotated[list[str] | None, typer.Argument(metavar="[ANALYSER]...")]
For = Annotated[str, typer.Option("--purpose")]
Full = Annotated[bool, typer.Option("--full")]


def listed(context: typer.Context, as_json: AsJson = False) -> None:
    """Print every analyser."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get("/analysers")
    desk.answer(found, _list)


def on(context: typer.Context, analyser: Which, purpose: For = "", as_json: AsJson = False) -> None:
    """Turn an analyser on."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        done = api.post(f"/analysers/{analyser}/switch", {"on": True, "purpose": purpose})
    desk.answer(done, lambda desk, done: desk.out.print(desk.say(TURNED_ON, **done), markup=False))


def off(context: typer.Context, analyser: Which, yes: Yes = False, as_json: AsJson = False) -> None:
    """Turn an analyser off."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        desk.confirm(SURE, yes, analyser=analyser)
        done = api.post(f"/analysers/{analyser}/switch", {"on": False})
    desk.answer(done, lambda desk, done: desk.out.print(desk.say(TURNED_OFF, **done), markup=False))


def run(context: typer.Context, analysers: Some = None, full: Full = False, as_json: AsJson = False) -> None:
    """Run analysers and wait for them."""
    desk = desk_of(context, as_json)
    with desk.api() as api, desk.progress() as bar:
        keys = analysers or [one["analyser"] for one in api.get("/analysers")["analysers"] if one["on"]]
        asked = [one["id"] for one in api.post("/analysers/run", {"analysers": keys, "full": full})["runs"]]
        task = bar.add_task(desk.say(WORKING), total=None)
        ended: list[dict[str, Any]] = []
        for number in asked:
            while (found := api.get(f"/analysers/runs/{number}"))["finished_at"] is None:
                step = api.post("/analysers/work")["run"] or found
                bar.update(task, total=step["people"] or None, completed=step["done"])
            ended.append(found)
    desk.answer({"runs": ended}, _ran)


def _list(desk: Desk, found: dict[str, Any]) -> None:
    rows = (
        [f"{one['analyser']}: {both(one['label'], desk.language)}", one["on"], one["purpose"], desk.say(SCHEDULES[one["schedule"]]),
            f"{one['known']} / {one['people']}", one["last_run_at"], one["method"]]
        for one in found["analysers"]
    )  # fmt: skip
    table(desk, [NAME, ON, PURPOSE, SCHEDULE, KNOWN, LAST, METHOD], rows)


def _ran(desk: Desk, done: dict[str, Any]) -> None:
    for one in done["runs"]:
        desk.out.print(desk.say(LOOKED_AT, done=one["done"], analysers=", ".join(one["analysers"])), markup=False)
    if not done["runs"]:
        desk.tell(NONE_ON)
