"""cegla duplicates: list, find, decide."""

from typing import Annotated, Any, Literal

import typer

from cegla.cli.desk import AsJson, Desk, Yes, desk_of
from cegla.cli.tables import both, table
from cegla.vocabulary.text import Text

NUMBER, PEOPLE, PROBABILITY, EVIDENCE = Text("Nr", "No."), Text("Osoby", "People"), Text("Szansa", "Chance"), Text("Co za tym stoi", "What stands behind it")
COMPARED = Text("Porównano {compared} osób z {people}; propozycji: {open}.", "Compared {compared} people of {people}; proposals: {open}.")
SURE = Text("Połączyć osoby {people} w jedną? Można to cofnąć.", "Join {people} into one person? It can be undone.")
SETTLED = Text("Zapisano: {state}.", "Noted: {state}.")
STATES = {"accepted": Text("jedna osoba", "one person"), "refused": Text("dwie osoby", "two people"), "open": Text("otwarta", "open")}

State = Annotated[Literal["open", "accepted", "refused"], typer.Option("--state")]
Number = Annotated[int, typer.Argument(metavar="NUMBER")]
Answer = Annotated[Literal["same", "different"], typer.Argument(metavar="same|different")]


def listed(context: typer.Context, state: State = "open", limit: int = 50, as_json: AsJson = False) -> None:
    """Print proposals, the likeliest first."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get("/duplicates", state=state, limit=limit)
    desk.answer(found, _list)


def find(context: typer.Context, as_json: AsJson = False) -> None:
    """Compare everybody now."""
    desk = desk_of(context, as_json)
    with desk.api() as api, desk.progress() as bar:
        bar.add_task(desk.say(Text("Porównywanie", "Comparing")), total=None)
        found = api.post("/duplicates/find")
    desk.answer(found, lambda desk, done: desk.out.print(desk.say(COMPARED, **done), markup=False))


def decide(context: typer.Context, proposal: Number, answer: Answer, yes: Yes = False, as_json: AsJson = False) -> None:
    """Settle a proposal."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        if answer == "same":
            desk.confirm(SURE, yes, people=str(proposal))
        done = api.post(f"/duplicates/{proposal}", {"decision": "accepted" if answer == "same" else "refused"})
    desk.answer(done, lambda desk, done: desk.out.print(desk.say(SETTLED, state=desk.say(STATES[done["state"]])), markup=False))


def _list(desk: Desk, found: dict[str, Any]) -> None:
    rows = ([one["id"], " = ".join(one["people"]), f"{one['probability']:.0%}", _evidence(desk, one)] for one in found["proposals"])
    table(desk, [NUMBER, PEOPLE, PROBABILITY, EVIDENCE], rows)


def _evidence(desk: Desk, one: dict[str, Any]) -> str:
    return ", ".join(f"{both(row['found'], desk.language)} ({row['bits']:+.0f})" for row in one["evidence"])
