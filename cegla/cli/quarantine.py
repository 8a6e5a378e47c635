"""cegla quarantine: what could not be used; look at it, fix it, replay it, or decide that it may go."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from cegla.cli.desk import Api, AsJson, Desk, DryRun, Yes, desk_of
from cegla.cli.files import values_of
from cegla.cli.sources import source_meant
from cegla.cli.tables import both, facts, table
from cegla.vocabulary.errors import WrongUsage
from cegla.vocabulary.text import Text

FixFile = Annotated[Path, typer.Argument(metavar="FIX.yaml")]
Where = Annotated[list[str] | None, typer.Option("--where", metavar="FIELD=VALUE")]
All = Annotated[bool, typer.Option("--all")]
Why = Annotated[str, typer.Option("--why", metavar="REASON")]
Ids = Annotated[list[int] | None, typer.Argument(metavar="[ID]...")]
FIELDS = ("reason", "source", "event", "text", "since", "until", "state")

NUMBER, REASON, EVENT, DETAIL, AT = Text("Nr", "No."), Text("Powód", "Reason"), Text("Zdarzenie", "Event"), Text("Szczegół", "Detail"), Text("Kiedy", "When")
BEFORE, AFTER, THEN, SOURCE = Text("Przed", "Before"), Text("Po", "After"), Text("Potem", "Then"), Text("Źródło", "Source")
CONTENT, OBSTACLE = Text("Treść", "Content"), Text("Przeszkoda", "Obstacle")
REPLAYED, DISCARDED = Text("Powtórzone", "Replayed"), Text("Odrzucone", "Discarded")
STATE, TIMES, WAITS = Text("Stan", "State"), Text("Ile razy", "Times"), Text("Czeka", "Waiting")
WHAT, BY, DONE, OF, LEFT = Text("Co", "What"), Text("Kto", "By"), Text("Zrobione", "Done"), Text("Z", "Of"), Text("Zostało", "Left out")
KEY, ADDRESS, SECRET, PUBLIC = Text("Klucz", "Key"), Text("Adres", "Address"), Text("tajny lub własny", "secret, or our own"), Text("publiczny", "public")
TAKEN, STAYS, ASIDE = Text("zostanie przyjęte", "will be taken in"), Text("zostaje: {why}", "stays: {why}"), Text("wróci: {why}", "comes back: {why}")
SENT = Text("Zdarzeń wysłanych ponownie: {done} z {events}.", "Events sent again: {done} of {events}.")
LEFT_OUT = Text("Zostało w kwarantannie: {count} ({why}).", "Left in quarantine: {count} ({why}).")
GONE = Text("Zdarzeń odrzuconych: {done} z {events}.", "Events discarded: {done} of {events}.")
ASK = Text("Odrzucić te zdarzenia na zawsze?", "Discard these events for good?")
DRY = Text("Próba na sucho: nic nie zmieniono. Powtórz bez --dry-run.", "A dry run: nothing was changed. Run it again without --dry-run.")
SOME = Text("podaj numery, --where albo --all", "give numbers, --where, or --all")
UNKNOWN_FIELD = Text("--where zna: {fields}", "--where knows: {fields}")


def listed(context: typer.Context, reason: str | None = None, where: Where = None, limit: int = 50, as_json: AsJson = False) -> None:
    """Print events that could not be used, newest first."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        wanted = _filter(desk, api, None, where) | ({"reason": reason} if reason else {})
        found = api.post("/quarantine/search", wanted | {"limit": limit})
    rows = (
        [one["id"], _reason(desk, one), one["event"], both(one["detail_said"], desk.language), one["set_aside_at"], one["times"], _state(desk, one)]
        for one in found["events"]
    )
    desk.answer(found, lambda desk, _: table(desk, [NUMBER, REASON, EVENT, DETAIL, AT, TIMES, STATE], rows))


def show(context: typer.Context, number: int, as_json: AsJson = False) -> None:
    """Print one event of the quarantine with its history."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get(f"/quarantine/events/{number}")
    desk.answer(found, _shown)


def fix(context: typer.Context, fix_file: FixFile, ids: Ids = None, where: Where = None, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Change events by a fix and replay them; --dry-run shows the newest ten before and after."""
    desk = desk_of(context, as_json)
    steps = values_of(fix_file)
    with desk.api() as api:
        body = {"filter": _some(desk, _filter(desk, api, ids, where), everything=False), "fix": steps}
        done = api.post("/quarantine/preview", body) if dry_run else _moved(desk, api, api.post("/quarantine/replay", body))
    desk.answer(done, _preview if dry_run else _replayed)
    if dry_run:
        desk.tell(DRY)


def replay(context: typer.Context, ids: Ids = None, where: Where = None, everything: All = False, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Send these events of the quarantine through the door again, as they are."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        body = {"filter": _some(desk, _filter(desk, api, ids, where), everything), "everything": everything}
        done = api.post("/quarantine/preview", body) if dry_run else _moved(desk, api, api.post("/quarantine/replay", body))
    desk.answer(done, _preview if dry_run else _replayed)
    if dry_run:
        desk.tell(DRY)


def discard(context: typer.Context, why: Why, ids: Ids = None, where: Where = None, yes: Yes = False, as_json: AsJson = False) -> None:
    """Decide that events are not needed; the audit log keeps who, why and how many."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        wanted = _some(desk, _filter(desk, api, ids, where), everything=False)
        desk.confirm(ASK, yes)
        done = _moved(desk, api, api.post("/quarantine/discard", {"filter": wanted, "why": why}))
    desk.answer(done, lambda desk, value: desk.tell(GONE, **value))


def runs(context: typer.Context, as_json: AsJson = False) -> None:
    """Print decisions on many events, and how far they are."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get("/quarantine/runs")
    rows = ([one["id"], one["what"], one["started_by"], one["started_at"], one["done"], one["events"], sum(one["left_out"].values())] for one in found["runs"])
    desk.answer(found, lambda desk, _: table(desk, [NUMBER, WHAT, BY, AT, DONE, OF, LEFT], rows))


def _state(desk: Desk, one: dict[str, Any]) -> str:
    return desk.say(REPLAYED if one["replayed_at"] else DISCARDED if one["discarded_at"] else WAITS)


def _reason(desk: Desk, one: dict[str, Any]) -> str:
    """Why it was set aside, in words, with the key that --reason takes."""
    return f"{both(one['label'], desk.language)} ({one['reason']})"


def _filter(desk: Desk, api: Api, ids: list[int] | None, where: list[str] | None) -> dict[str, Any]:
    wanted: dict[str, Any] = {"ids": ids} if ids else {}
    for text in where or ():
        key, equals, value = text.partition("=")
        if not equals or key not in FIELDS:
            raise WrongUsage(where="--where", seen=text, detail=desk.say(UNKNOWN_FIELD, fields=", ".join(FIELDS)))
        wanted |= {"source_id": source_meant(api, value)} if key == "source" else {key: value}
    return wanted


def _some(desk: Desk, wanted: dict[str, Any], everything: bool) -> dict[str, Any]:
    if not wanted and not everything:
        raise WrongUsage(where="--where", detail=desk.say(SOME))
    return wanted


def _moved(desk: Desk, api: Api, run: dict[str, Any]) -> dict[str, Any]:
    """Wait until a run has come to its end."""
    with desk.progress() as bar:
        task = bar.add_task(desk.say(DONE), total=run["events"])
        while run["ended_at"] is None:
            bar.update(task, completed=run["done"])
            time.sleep(0.2)
            run = api.get(f"/quarantine/runs/{run['id']}")
    return run


def _replayed(desk: Desk, run: dict[str, Any]) -> None:
    desk.tell(SENT, **run)
    for why, count in run["left_out"].items():
        desk.tell(LEFT_OUT, why=both(run["left_out_said"][why], desk.language), count=count)


def _preview(desk: Desk, found: dict[str, Any]) -> None:
    for one in found["events"]:
        why = both(one["why"] or one["outcome_said"], desk.language)
        detail = both(one["detail_said"], desk.language)
        then = desk.say(STAYS, why=f"{why} {detail}".strip()) if one["obstacle"] else desk.say(ASIDE, why=why) if one["outcome"] else desk.say(TAKEN)
        facts(desk, [(NUMBER, one["id"]), (BEFORE, one["before"]), (AFTER, one["after"]), (THEN, then)])


def _shown(desk: Desk, one: dict[str, Any]) -> None:
    facts(
        desk,
        [
            (NUMBER, one["id"]), (REASON, _reason(desk, one)), (DETAIL, both(one["detail_said"], desk.language)), (EVENT, one["event"]),
            (SOURCE, one["source_id"]), (KEY, desk.say(SECRET if one["trusted"] else PUBLIC)), (ADDRESS, one["ip"]),
            (AT, one["set_aside_at"]), (REPLAYED, one["replayed_at"]),
            (DISCARDED, one["discarded_at"]), (BY, one["run"] and one["run"]["started_by"]),
            (STATE, _state(desk, one)), (TIMES, one["times"]),
            (OBSTACLE, both(one["obstacle"], desk.language) if one["obstacle"] else None), (CONTENT, one["payload"]),
        ],
    )  # fmt: skip
    if len(one["history"]) > 1:
        times = ([time_["id"], both(time_["label"], desk.language), time_["set_aside_at"], time_["replayed_at"]] for time_ in one["history"])
        table(desk, [NUMBER, REASON, AT, REPLAYED], times)
