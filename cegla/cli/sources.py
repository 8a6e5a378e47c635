"""cegla source, cegla send-test-event."""

import time
from typing import Annotated, Any

import typer

from cegla.cli.desk import Api, AsJson, Desk, Yes, desk_of
from cegla.cli.tables import facts, table
from cegla.collect import actions as collect
from cegla.vocabulary.errors import Busy, NotFound, WrongUsage
from cegla.vocabulary.text import Text

Kind = Annotated[str, typer.Option(metavar="website|server|import")]
LawfulBasis = Annotated[str, typer.Option("--basis", metavar="consent|contract|legal_obligation|legitimate_interest")]
SourceWord = Annotated[str, typer.Argument(metavar="SOURCE")]
OnOff = Annotated[bool | None, typer.Option("--enable/--disable")]
Origins = Annotated[list[str] | None, typer.Option("--origin", metavar="https://shop.example|any")]
OwnLimits = Annotated[list[str] | None, typer.Option("--set", metavar="LIMIT=NUMBER|default")]
PATIENCE_SECONDS = 20.0

NUMBER, NAME, KIND, BASIS, KEY = Text("Nr", "No."), Text("Nazwa", "Name"), Text("Rodzaj", "Kind"), Text("Podstawa", "Basis"), Text("Klucz zapisu", "Write key")
ACCEPTED, APPLIED, REPEATED = Text("Przyjęte", "Accepted"), Text("W historii", "In history"), Text("Powtórzone", "Repeated")
NOW = Text("W kwarantannie", "In quarantine")
IGNORED = Text("Pominięte", "Left out")
ASIDE, WAITING, SECRET = Text("Odłożone", "Set aside"), Text("Czeka", "Waiting"), Text("Klucz tajny (tylko teraz)", "Secret key (shown this once)")
ENABLED, ORIGINS, ANY, DEFAULT = Text("Włączone", "Enabled"), Text("Strony", "Origins"), Text("każda", "any"), Text("jak instalacja", "as the installation")
YES, NO = Text("tak", "yes"), Text("nie", "no")
STILL_WORKS = Text("Poprzedni klucz działa, dopóki go nie unieważnisz.", "The key before works until you revoke it.")
WILL_BE_REFUSED = Text("Kto wysyła ze starym kluczem, dostanie 401 i porzuci zdarzenia. Unieważnić?", "Senders with an old key get 401, drop events. Revoke?")
REVOKED = Text("Unieważnione klucze: {revoked}.", "Keys revoked: {revoked}.")
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


def change(
    context: typer.Context, source: SourceWord, enabled: OnOff = None, origin: Origins = None, own: OwnLimits = None, as_json: AsJson = False
) -> None:
    """Change what a source may do and how much."""
    desk = desk_of(context, as_json)
    body: dict[str, Any] = {} if enabled is None else {"enabled": enabled}
    if origin:
        body["origins"] = [] if origin == ["any"] else origin
    for text in own or ():
        name, value = _own_limit(text)
        body[name] = value
    with desk.api() as api:
        saved = api.post(f"/sources/{_chosen(api, source)['id']}", body)
    desk.answer(saved, _limits)


def rotate_key(context: typer.Context, source: SourceWord, secret: Annotated[bool, typer.Option("--secret")] = False, as_json: AsJson = False) -> None:
    """Give a source a new key."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        made = api.post(f"/sources/{_chosen(api, source)['id']}/keys", {"secret": secret})
    desk.answer(made, lambda desk, value: facts(desk, [(NUMBER, value["source"]), (SECRET if value["secret"] else KEY, value["key"])]))
    desk.tell(STILL_WORKS)


def revoke_keys(context: typer.Context, source: SourceWord, yes: Yes = False, as_json: AsJson = False) -> None:
    """Revoke the keys that a source had before."""
    desk = desk_of(context, as_json)
    desk.confirm(WILL_BE_REFUSED, yes)
    with desk.api() as api:
        done = api.post(f"/sources/{_chosen(api, source)['id']}/former-keys/revoke")
    desk.answer(done, lambda desk, value: desk.tell(REVOKED, **value))


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


def source_meant(api: Api, text: str) -> int:
    """The number of the source meant by number or name. Raises NotFound."""
    for one in api.get("/sources")["sources"]:
        if text in (str(one["id"]), one["name"]):
            return int(one["id"])
    raise NotFound(where="--source", seen=text, thing=text)


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


def _own_limit(text: str) -> tuple[str, float | None]:
    """A limit as it is typed: "most_events=100", or "most_events=default" for the installation's."""
    name, _, value = text.partition("=")
    known = {one.key for one in collect.SOURCE_LIMITS}
    try:
        if name not in known:
            raise ValueError
        return name, None if value == "default" else float(value) if name == "requests_per_second" else int(value)
    except ValueError:
        raise WrongUsage(where="--set", seen=text, detail=f"{', '.join(sorted(known))} = NUMBER") from None


def _limits(desk: Desk, source: dict[str, Any]) -> None:
    rows: list[tuple[Text, Any]] = [
        (NUMBER, source["id"]), (NAME, source["name"]), (ENABLED, desk.say(YES if source["enabled"] else NO)),
        (ORIGINS, ", ".join(source["origins"]) or desk.say(ANY)),
    ]  # fmt: skip
    facts(desk, [*rows, *((one.label, desk.say(DEFAULT) if source[one.key] is None else source[one.key]) for one in collect.SOURCE_LIMITS)])


def _listed(desk: Desk, found: dict[str, Any]) -> None:
    columns = [NUMBER, NAME, KIND, BASIS, ACCEPTED, APPLIED, REPEATED, ASIDE, IGNORED, WAITING, NOW, KEY]
    counts = ("accepted", "applied", "repeated", "quarantined", "ignored", "waiting")
    rows = (
        [one["id"], one["name"], one["kind"], one["basis"], *((one["standing"] or {}).get(name, 0) for name in counts), one["in_quarantine"], one["key"]]
        for one in found["sources"]
    )
    table(desk, columns, rows, whole=[KEY])
