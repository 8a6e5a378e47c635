"""cegla event show, trace."""

from typing import Annotated, Any

import typer

from cegla.cli.desk import Api, AsJson, Desk, Problem, desk_of
from cegla.cli.tables import both, facts, table
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.text import Text

EventWord = Annotated[str, typer.Argument(metavar="ID")]
OfSource = Annotated[str | None, typer.Option("--source", metavar="SOURCE")]
ByMessage = Annotated[bool, typer.Option("--message")]
TraceWord = Annotated[str, typer.Argument(metavar="TRACE")]
Why = Annotated[str, typer.Option("--reveal", metavar="WHY")]

NAME, SOURCE, FATE, PLACE = Text("Zdarzenie", "Event"), Text("Źródło", "Source"), Text("Co się stało", "What became of it"), Text("Miejsce", "Place")
RECEIVED, WRITTEN, REPEATS = Text("Odebrane", "Received"), Text("Zatwierdzone", "Committed"), Text("Powtarza", "Repeats")
REASON, DETAIL, BATCH, PERSON = Text("Powód", "Reason"), Text("Szczegół", "Detail"), Text("Partia", "Batch"), Text("Osoba", "Person")
TRAITS, ENTERED, LEFT = Text("Cechy", "Traits"), Text("Weszła do segmentów", "Entered segments"), Text("Wyszła z segmentów", "Left segments")
MESSAGES, ALSO = Text("Wiadomości", "Messages"), Text("Pod tym samym id przyszło też:", "Under the same id also came:")
MEANT = {
    "e": Text(
        "{id} to zdarzenie nr {n} w historii; messageId o tej treści: --message {id}",
        "{id} is event {n} of the history; a messageId that reads so: --message {id}",
    ),
    "q": Text(
        "{id} to pozycja {n} kwarantanny; messageId o tej treści: --message {id}",
        "{id} is number {n} of the quarantine; a messageId that reads so: --message {id}",
    ),
}
TRACE, MESSAGE, CAMPAIGN, STATE = Text("Ślad W3C", "W3C trace"), Text("Wiadomość", "Message"), Text("Kampania", "Campaign"), Text("Stan", "State")
MORE = Text("Pokazano {n} z {all}; wszystkie daje --json.", "{n} of {all} are shown; --json gives all of them.")
AT_ONCE = 50
CUT_OFF = Text("Ten ślad ma więcej, niż podano: wiadomości, zdarzeń lub żądań.", "This trace has more than is listed: messages, events or requests.")
INCOMPLETE = Text("Nie przejrzano wszystkich żądań: podaj --source.", "Not all requests were looked through: give --source.")


def show(
    context: typer.Context, event_id: EventWord, source: OfSource = None, by_message: ByMessage = False, reveal: Why = "", as_json: AsJson = False
) -> None:
    """Follow one event from its request to what came of it. ID is a messageId, e12 in the history, q5 in quarantine, or a place such as 3-17-0.

    Of a messageId that came in several times, as after a replay, the newest is shown and the others are listed. With --message, or when nothing
    bears such a number, e12, q5 and 3-17-0 are messageIds, too.
    """
    desk = desk_of(context, as_json)
    with desk.api() as api:
        answer = None if by_message or not _is_place(event_id) else _at(api, event_id, reveal)
        others: list[str] = []
        if answer is None:
            first, *others = _places_of(desk, api, event_id, _source_number(api, source))
            answer = _asked(api, first, reveal)
        elif event_id[:1] in MEANT:
            desk.tell(MEANT[event_id[:1]], id=event_id, n=event_id[1:])
        also = [api.get(f"/events/{place}") for place in others]
    desk.answer(answer | {"also": [{key: one[key] for key in ("place", "received_at", "fate", "label")} for one in also]}, _shown)


def trace(context: typer.Context, trace_word: TraceWord, as_json: AsJson = False) -> None:
    """List everything that came with a W3C trace: events in whatever state, and messages that its calls asked for. A whole traceparent will do."""
    desk = desk_of(context, as_json)
    parts = trace_word.strip().lower().split("-")
    with desk.api() as api:
        found = api.post("/events/find", {"trace_id": parts[1] if len(parts) > 1 else parts[0]})
        events = [api.get(f"/events/{one['place']}") for one in found["events"][:AT_ONCE]]
    desk.answer(found, lambda desk, value: _traced(desk, value, events))


def _at(api: Api, place: str, reveal: str) -> dict[str, Any] | None:
    """The event of a number or a place; None where there is none."""
    try:
        return _asked(api, place, reveal)
    except Problem as problem:
        if problem.details.get("status") == 404:
            return None
        raise


def _asked(api: Api, place: str, reveal: str) -> dict[str, Any]:
    return api.post(f"/events/{place}/reveal", {"why": reveal}) if reveal else api.get(f"/events/{place}")


def _places_of(desk: Desk, api: Api, message_id: str, source_id: int | None) -> list[str]:
    """Where a message id came in: a repeat, or a replay out of quarantine, has a place of its own. The newest first."""
    found = api.post("/events/find", {"message_id": message_id, "source_id": source_id})
    if not found["complete"]:
        desk.tell(INCOMPLETE)
    if not found["events"]:
        raise NotFound(where="event", thing=message_id)
    return [one["place"] for one in found["events"]]


def _is_place(text: str) -> bool:
    parts = text.split("-")
    return (text[:1] in ("e", "q") and text[1:].isdigit()) or (len(parts) == 3 and all(part.isdigit() for part in parts))


def _source_number(api: Api, wanted: str | None) -> int | None:
    if wanted is None:
        return None
    for row in api.get("/sources")["sources"]:
        if wanted in (str(row["id"]), row["name"]):
            return int(row["id"])
    raise NotFound(where="--source", seen=wanted, thing=wanted)


def _traced(desk: Desk, found: dict[str, Any], events: list[dict[str, Any]]) -> None:
    if not found["complete"]:
        desk.tell(CUT_OFF)
    table(desk, [PLACE, NAME, SOURCE, RECEIVED, FATE], [[place_of(one), one["name"], one["source"], one["received_at"], one["label"]] for one in events])
    if len(found["events"]) > len(events):
        desk.tell(MORE, n=len(events), all=len(found["events"]))
    if found["messages"]:
        table(desk, [MESSAGE, CAMPAIGN, STATE], [[one["id"], one["campaign"], one["state"]] for one in found["messages"]])


def place_of(one: dict[str, Any]) -> str:
    """By what `show` finds an event again."""
    return one["place"] or f"e{one['outcome']['event']['event_id']}"


def _shown(desk: Desk, found: dict[str, Any]) -> None:
    outcome, aside = found["outcome"], found["quarantined"]
    rows: list[tuple[Text, Any]] = [
        (NAME, found["name"]), (SOURCE, found["source"]), (PLACE, found["place"]), (RECEIVED, found["received_at"]), (WRITTEN, found["written_at"]),
        (FATE, found["label"]),
    ]  # fmt: skip
    if found.get("trace_id"):
        rows.append((TRACE, found["trace_id"]))
    if found["repeat_of"]:
        rows.append((REPEATS, found["repeat_of"]))
    if aside:
        rows += [(REASON, aside["label"]), (DETAIL, both(aside["detail_said"], desk.language))]
    if outcome:
        rows += [(BATCH, outcome["batch"]), (PERSON, f"p{outcome['event']['person_id']}")]
        rows.append((TRAITS, ", ".join(both(label, desk.language) for label in outcome["traits"])))
        rows += [(label, ", ".join(name for _, name in outcome[key])) for label, key in ((ENTERED, "entered"), (LEFT, "left"))]
        rows.append((MESSAGES, ", ".join(f"{one['campaign']} ({one['state']})" for one in outcome["messages"])))
    facts(desk, rows)
    if found["also"]:
        desk.tell(ALSO)
        table(desk, [PLACE, RECEIVED, FATE], [[one["place"], one["received_at"], one["label"]] for one in found["also"]])
    if found["payload"] is not None:
        desk.out.print_json(data=found["payload"], ensure_ascii=False)
