"""cegla up, status, doctor, demo."""

import runpy
import signal
import sys
import threading
from typing import Any

import typer

from cegla.cli.desk import AsJson, Desk, desk_of
from cegla.cli.tables import both, facts, table
from cegla.vocabulary.text import Text

BUSY = Text(
    "Zdarzenia są przyjmowane. Aplikacja jeszcze pracuje, być może zapisuje historię od nowa; konsola otworzy się potem.",
    "Events are accepted. The app is at work still, maybe it writes the history again; the console opens when that is done.",
)
OPEN = Text("Konsola: {app_url}", "Console: {app_url}")
COLLECT = Text("Zdarzenia przyjmuje: {collector_url}", "Events are accepted at: {collector_url}")
LOGIN = Text("Login: admin, hasło: {password} (pokazane tylko teraz)", "Login: admin, password: {password} (shown this once)")
STOP = Text("Zatrzymanie: Ctrl+C", "Stop with Ctrl+C")
STOPPING = Text("Zatrzymuję …", "Stopping …")

VERSION, PEOPLE, SEGMENTS, CAMPAIGNS = Text("Wersja", "Version"), Text("Osób", "People"), Text("Segmentów", "Segments"), Text("Kampanii", "Campaigns")
ACCEPTED, APPLIED, REPEATED = Text("Przyjętych zdarzeń", "Events accepted"), Text("W historii", "In history"), Text("Powtórzonych", "Repeated")
ASIDE, WAITING, LAG, WHOLE = (
    Text("Odłożonych", "Set aside"),
    Text("Czeka", "Waiting"),
    Text("Opóźnienie (s)", "Lag (s)"),
    Text("Bilans się zgadza", "It adds up"),
)
IN_QUARANTINE = Text("W kwarantannie teraz", "In quarantine now")
GONE = Text("Zginęło potwierdzonych żądań", "Acknowledged requests lost")
OK, CHECK, SEEN, TODO = Text("Dobrze", "Well"), Text("Sprawdzenie", "Check"), Text("Jest", "Seen"), Text("Co zrobić", "What to do")


def up(context: typer.Context) -> None:
    """Start an installation and stay until it is stopped."""
    desk = desk_of(context)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    running = desk.start(desk.settings)
    try:
        desk.tell(OPEN, app_url=running.app_url)
        if running.app_is_busy:
            desk.tell(BUSY)
        desk.tell(COLLECT, collector_url=running.collector_url)
        if running.first_password:
            desk.tell(LOGIN, password=running.first_password)
        desk.tell(STOP)
        running.wait(stopping)
        desk.tell(STOPPING)
    finally:
        running.stop()


def demo(context: typer.Context) -> None:
    """Hand over to the demo, with the words that follow."""
    sys.argv = ["cegla demo", *context.args]
    runpy.run_module("demo", run_name="__main__", alter_sys=True)


def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Print counts and how far intake is."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get("/status")
    desk.answer(found, _status)


def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Print what needs a person; exit code 1 when something does."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get("/doctor")
    desk.answer(found, _doctor)
    if not found["ok"]:
        raise typer.Exit(1)


def _status(desk: Desk, found: dict[str, Any]) -> None:
    events = found["events"]
    counts = [(ACCEPTED, "accepted"), (APPLIED, "applied"), (REPEATED, "repeated"), (ASIDE, "quarantined"), (WAITING, "waiting")]
    counts += [(IN_QUARANTINE, "in_quarantine")]
    facts(
        desk,
        [
            (VERSION, found["version"]), (PEOPLE, found["people"]), (SEGMENTS, found["segments"]), (CAMPAIGNS, found["campaigns"]),
            *((label, events[name]) for label, name in counts), (LAG, f"{found['lag_seconds']:.1f}"), (WHOLE, found["adds_up"]),
            *([(GONE, found["gone"])] if found["gone"] else []),
        ],
    )  # fmt: skip


def _doctor(desk: Desk, found: dict[str, Any]) -> None:
    rows = ([one["ok"], both(one["label"], desk.language), one["seen"], both(one["todo"], desk.language) if one["todo"] else ""] for one in found["checks"])
    table(desk, [OK, CHECK, SEEN, TODO], rows)
