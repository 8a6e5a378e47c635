"""cegla sync: who else is told who enters and leaves segments."""

from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from cegla.cli.desk import AsJson, Yes, desk_of
from cegla.cli.segments import number_of
from cegla.cli.tables import facts, table
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.text import Text

Receiver = Annotated[str, typer.Argument(metavar="RECEIVER")]
Channel = Annotated[str, typer.Option("--channel", metavar="none|email|sms")]
Off = Annotated[bool, typer.Option("--off")]

SURE = Text("Usunąć odbiorcę {id} razem z tym, co jeszcze czeka?", "Remove receiver {id} with what still waits for it?")
NUMBER, NAME, URL, STATE = Text("Nr", "No."), Text("Nazwa", "Name"), Text("Adres", "Address"), Text("Stan", "State")
SEGMENTS, PURPOSE, TOLD = Text("Segmenty", "Segments"), Text("Cel", "Purpose"), Text("Zna osób", "Knows of")
WAITING, REFUSED, PROBLEM = Text("Czeka", "Waiting"), Text("Odrzucone", "Refused"), Text("Problem", "Problem")
SECRET = Text("Sekret (pokazany tylko teraz)", "Secret (shown only now)")
TRIES, MADE, DONE = Text("Prób", "Tries"), Text("Powstał", "Made"), Text("Koniec", "Done")
REMOVED = Text("Usunięto odbiorcę {id}.", "Receiver {id} was removed.")
AGAIN = Text("Komunikat {id} czeka na wysłanie.", "Message {id} waits to be sent.")
TELLING = Text("Odbiorca {id} dostaje zmiany.", "Receiver {id} is told of changes.")
SILENT = Text("Odbiorca {id} już nic nie dostaje.", "Receiver {id} is not told any more.")


def listed(context: typer.Context, as_json: AsJson = False) -> None:
    """Print who is told of what."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get("/syncs")
    head = [NUMBER, NAME, URL, SEGMENTS, PURPOSE, TOLD, WAITING, REFUSED, PROBLEM]
    keys = ("id", "name", "url", "segments", "purpose", "told", "waiting", "refused", "problem")
    desk.answer(found, lambda desk, value: table(desk, head, ([one[key] for key in keys] for one in value["receivers"])))


def add(
    context: typer.Context,
    url: str,
    segments: Annotated[list[str], typer.Argument(metavar="SEGMENT...")],
    purpose: Annotated[str, typer.Option("--purpose")] = "marketing",
    channel: Channel = "none",
    as_json: AsJson = False,
) -> None:
    """Tell an address who enters and leaves segments; print the secret. The receiver is called by its host and path."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        parts, numbers = urlsplit(url), [number_of(api, one) for one in segments]
        told = {"name": f"{parts.netloc}{parts.path}", "url": url, "segments": numbers, "purpose": purpose, "channel": channel}
        made = api.post("/syncs", told)
    desk.answer(made, lambda desk, value: facts(desk, [(NUMBER, value["id"]), (URL, value["url"]), (SECRET, value["secret"])]))


def switch(context: typer.Context, receiver: Receiver, off: Off = False, as_json: AsJson = False) -> None:
    """Tell a receiver again, or with --off not any more."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.post(f"/syncs/{_number(api, receiver)}/enabled", {"enabled": not off})
    desk.answer(found, lambda desk, value: desk.tell(TELLING if value["enabled"] else SILENT, id=value["id"]))


def remove(context: typer.Context, receiver: Receiver, yes: Yes = False, as_json: AsJson = False) -> None:
    """Take a receiver away."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        number = _number(api, receiver)
        desk.confirm(SURE, yes, id=number)
        found = api.post(f"/syncs/{number}/remove", {})
    desk.answer(found, lambda desk, value: desk.tell(REMOVED, id=value["removed"]))


def messages(context: typer.Context, receiver: Receiver, as_json: AsJson = False) -> None:
    """Print the newest messages of a receiver."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get(f"/syncs/{_number(api, receiver)}/messages")
    keys = ("id", "state", "tries", "problem", "made_at", "done_at")
    desk.answer(found, lambda desk, value: table(desk, [NUMBER, STATE, TRIES, PROBLEM, MADE, DONE], ([one[key] for key in keys] for one in value["messages"])))


def again(context: typer.Context, receiver: Receiver, message: int, as_json: AsJson = False) -> None:
    """Send a refused message once more."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.post(f"/syncs/{_number(api, receiver)}/messages/{message}/again", {})
    desk.answer(found, lambda desk, value: desk.tell(AGAIN, id=value["message"]))


def _number(api: Any, text: str) -> int:
    """The number of the receiver meant by number or name. Raises NotFound."""
    for one in api.get("/syncs")["receivers"]:
        if text in (str(one["id"]), one["name"]):
            return int(one["id"])
    raise NotFound(where="RECEIVER", seen=text, thing=text)
