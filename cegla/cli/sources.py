"""cegla source, cegla quarantine, cegla send-test-event."""

import time
from typing import Annotated, Any

import typer

from cegla.cli.desk import Api, AsJson, Desk, desk_of
from cegla.cli.tables import facts, table
from cegla.vocabulary.errors import Busy, NotFound
from cegla.vocabulary.text import Text

Kind = Annotated[str, typer.Option(metavar="website|server|import")]
LawfulBasis = Annotated[str, typer.Option("--basis", metavar="consent|contract|legal_obligation|legitimate_interest")]
PATIENCE_SECONDS = 20.0

NUMBER, NAME, KIND, BASIS, KEY = Text("Nr", "No."), Text("Nazwa", "Name"), Text("Rodzaj", "Kind"), Text("Podstawa", "Basis"), Text("Klucz zapisu", "Write key")
ACCEPTED, APPLIED, REPEATED = Text("Przyjęte", "Accepted"), Text("W historii", "In history"), Text("Powtórzone", "Repeated")
ASIDE, WAITING, SECRET = Text("Kwarantanna", "Quarantine"), Text("Czeka", "Waiting"), Text("Klucz tajny (tylko teraz)", "Secret key (shown this once)")
REASON, DETAIL, AT = Text("Powód", "Reason"), Text("Szczegół", "Detail"), Text("Kiedy", "When")
REPLAYED = Text("Zdarzeń wysłanych ponownie: {done} z {events}.", "Events sent again: {done} of {events}.")
ARRIVED = Text("Zdarzenie {message_id} dotarło do historii po {seconds:.1f} s.", "The event {message_id} reached the history after {seconds:.1f} s.")


def listed(context: typer.Context, as_json: AsJson = False) -> None:
    """Print every source and what became of its events."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get("/sources")
    desk.answer(found, _listed)


def add(context: typer.Context, name: str, kind: Kind = "website", basis: LawfulBasis = "consent", as_json: AsJson = False) -> None:
    """Make a source and print its keys."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        made = api.post("/sources", {"name": name, "kind": kind, "basis": basis})
    desk.answer(made, lambda desk, value: facts(desk, [(NUMBER, value["id"]), (NAME, value["name"]), (KEY, value["key"]), (SECRET, value["secret"])]))


def quarantine(context: typer.Context, reason: str | None = None, limit: int = 50, as_json: AsJson = False) -> None:
    """Print events that could not be used, newest first."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get("/quarantine", reason=reason, limit=limit)
    desk.answer(
        found,
        lambda desk, value: table(
            desk, [NUMBER, REASON, DETAIL, AT], ([one["id"], one["reason"], one["detail"], one["set_aside_at"]] for one in value["events"])
        ),
    )


def replay(context: typer.Context, ids: list[int], as_json: AsJson = False) -> None:
    """Send these events of the quarantine through the door again."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        done = api.post("/quarantine/replay", {"filter": {"ids": ids}})
    desk.answer(done, lambda desk, value: desk.tell(REPLAYED, **value))


def send_test_event(context: typer.Context, source: str = "", as_json: AsJson = False) -> None:
    """Send one event and wait until it is in the history."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        chosen = _chosen(api, source)
        before, started = chosen["standing"]["applied"] if chosen["standing"] else 0, time.monotonic()
        sent = api.post(f"/sources/{chosen['id']}/test-event")
        while (_chosen(api, str(chosen["id"]))["standing"] or {}).get("applied", 0) <= before:
            if time.monotonic() - started > PATIENCE_SECONDS:
                raise Busy(where="intake", seen=sent["message_id"], detail=desk.say(Text("zdarzenie jeszcze nie dotarło", "the event has not arrived yet")))
            time.sleep(0.1)
    desk.answer(sent | {"seconds": time.monotonic() - started}, lambda desk, value: desk.tell(ARRIVED, **value))


def _chosen(api: Api, text: str) -> dict[str, Any]:
    """The source meant by number or name; without one, a source whose events need no consent, made when there is none."""
    known = api.get("/sources")["sources"]
    if text:
        for one in known:
            if text in (str(one["id"]), one["name"]):
                return one
        raise NotFound(where="--source", seen=text, thing=text)
    made = api.post("/sources", {"name": "Test", "kind": "server", "basis": "contract"})
    return next((one for one in known if one["id"] == made["id"]), made)


def _listed(desk: Desk, found: dict[str, Any]) -> None:
    columns = [NUMBER, NAME, KIND, BASIS, ACCEPTED, APPLIED, REPEATED, ASIDE, WAITING, KEY]
    counts = ("accepted", "applied", "repeated", "quarantined", "waiting")
    rows = (
        [one["id"], one["name"], one["kind"], one["basis"], *((one["standing"] or {}).get(name, 0) for name in counts), one["key"]] for one in found["sources"]
    )
    table(desk, columns, rows, whole=[KEY])
