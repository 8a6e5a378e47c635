"""cegla purpose list, show, check, apply; cegla consent ask, campaign, receipt, check."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from cegla.activate import actions as activate
from cegla.cli.campaigns import Which, campaign_meant
from cegla.cli.desk import AsJson, Desk, DryRun, desk_of
from cegla.cli.files import text_of
from cegla.cli.people import Who
from cegla.cli.tables import facts, table
from cegla.govern import actions as govern
from cegla.vocabulary.text import Text

RegisterFile = Annotated[Path, typer.Argument(metavar="REGISTER.yaml")]
Why = Annotated[str, typer.Option("--why", metavar="TEXT")]
Purpose = Annotated[str, typer.Option("--purpose", metavar="PURPOSE")]
Channel = Annotated[str, typer.Option("--channel", metavar="email|sms|push|site|none")]
At = Annotated[str, typer.Option("--at", metavar="TIME")]
Record = Annotated[int, typer.Argument(metavar="RECORD")]

KEY, NAME, BASIS, CHANNELS = Text("Cel", "Purpose"), Text("Nazwa", "Name"), Text("Podstawa", "Basis"), Text("Kanały", "Channels")
SAME = Text("Bez zmian: taki rejestr już obowiązuje.", "Nothing changed: this register holds already.")
DONE = Text("Wersja {version} obowiązuje.", "Version {version} is in force.")
DRY = Text("Próba na sucho: nic nie zapisano.", "A dry run: nothing was written.")
GOOD = Text("Plik jest poprawny; celów: {count}.", "The file is valid; purposes: {count}.")
AT, COULD, REASON, PROOF = Text("Kiedy", "When"), Text("Wolno było?", "Allowed?"), Text("Powód", "Reason"), Text("Decyzja", "Decision")
YES, NO, HOW, WORDS = Text("tak", "yes"), Text("nie", "no"), Text("Jak", "How"), Text("Treść", "Words")
MESSAGE, PERSON, STATE, LATER = Text("Wiadomość", "Message"), Text("Osoba", "Person"), Text("Stan", "State"), Text("Dziś wiadomo", "As known today")
WROTE = Text("Zapisano {file}.", "Wrote {file}.")
WHOLE = Text("Księga jest cała; pod ostatnią pieczęcią decyzji: {sealed}.", "The ledger is whole; decisions under the last seal: {sealed}.")
BROKEN = Text("Księga jest naruszona: decyzja {broken_record}, pieczęć {broken_seal}.", "The ledger is broken: decision {broken_record}, seal {broken_seal}.")

REASONS = {
    "ok": Text("nic nie stoi na przeszkodzie", "nothing stands in the way"),
    "no_consent": Text("nie ma na to zgody", "nobody agreed to it"),
    "unconfirmed": Text("zgody nie potwierdzono", "the consent was not confirmed"),
    "expired": Text("zgoda wygasła", "the consent has run out"),
    "withdrawn": Text("zgodę wycofano", "the consent was withdrawn"),
    "objected": Text("osoba zgłosiła sprzeciw", "the person objected"),
    "paused": Text("osoba prosiła o przerwę", "the person asked for a pause"),
    "suppressed": Text("adres jest na liście wykluczeń", "the address is on the suppression list"),
}
MESSAGE_STATES = {channel: {str(state): text for state, text in words.items()} for channel, words in activate.STATES_BY_CHANNEL.items()}


def purposes(context: typer.Context, as_json: AsJson = False) -> None:
    """Print every purpose in force."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get("/purposes")
    rows = ([one["key"], one["label"][desk.language], one["basis"], ", ".join(one["channels"])] for one in found["purposes"])
    desk.answer(found, lambda desk, _: table(desk, [KEY, NAME, BASIS, CHANNELS], rows))


def show(context: typer.Context, as_json: AsJson = False) -> None:
    """Print the whole register as one YAML file."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get("/purposes")
    desk.answer(found, lambda desk, value: desk.write(value["text"]))


def check_file(context: typer.Context, file: RegisterFile, as_json: AsJson = False) -> None:
    """Check a register; needs no installation."""
    desk = desk_of(context, as_json)
    found = govern.register.read(text_of(file))
    desk.answer({"ok": True, "purposes": list(found.purposes)}, lambda desk, value: desk.tell(GOOD, count=len(value["purposes"])))


def apply(context: typer.Context, file: RegisterFile, why: Why = "", dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Put a register in force as a new version."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        done = api.post("/purposes", {"text": text_of(file), "why": why, "dry_run": dry_run})
    desk.answer(done, lambda desk, value: desk.tell(SAME if not value["changed"] else DRY if dry_run else DONE, version=value["version"]))


def ask(context: typer.Context, person: Who, purpose: Purpose = "marketing", channel: Channel = "email", at: At = "", as_json: AsJson = False) -> None:
    """Could we send this to a person at that moment, on what basis, with which proof?"""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get(f"/people/{api.person(person)}/consent", purpose=purpose, channel=channel, at=at or None)
    desk.answer(found, _answer)


def campaign(context: typer.Context, campaign: Which, at: At = "", output: Path | None = None, as_json: AsJson = False) -> None:
    """The same for everybody a campaign decided on; with --output as CSV."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        path = f"/campaigns/{campaign_meant(api, campaign)['id']}/basis"
        if output is not None:
            output.write_bytes(api.raw(f"{path}.csv", at=at or None))
            desk.tell(WROTE, file=output)
            return
        rows: list[dict[str, Any]] = []
        before: int | None = None
        while True:
            page = api.get(path, at=at or None, before=before)
            rows += page["people"]
            before = page["next_before"]
            if before is None:
                break
    shown = (_row(desk, one) for one in rows)
    desk.answer({"people": rows}, lambda desk, _: table(desk, [MESSAGE, PERSON, STATE, COULD, REASON, PROOF], shown))


def receipt(context: typer.Context, record: Record, as_json: AsJson = False) -> None:
    """Print one consent record in full."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get(f"/consents/{record}")
    desk.answer(found, lambda desk, value: desk.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n"))


def check(context: typer.Context, as_json: AsJson = False) -> None:
    """Check every chain and seal of the ledger; exit code 1 when it is not what it was."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get("/consents/check")
    desk.answer(found, lambda desk, value: desk.tell(WHOLE if value["holds"] else BROKEN, **value))
    if not found["holds"]:
        raise typer.Exit(1)


def _row(desk: Desk, one: dict[str, Any]) -> list[object]:
    then, proof = one.get("then"), one.get("proof") or {}
    words = MESSAGE_STATES.get(one.get("channel", "email"), {})
    state = desk.say(words[one["state"]]) if one["state"] in words else one["state"]
    return [one["message"], one["person"], state, _yes(desk, then), _why(desk, then) if then else "", proof.get("record", "")]


def _answer(desk: Desk, found: dict[str, Any]) -> None:
    proof = found["proof"] or {}
    rows = [
        (AT, found["at"]), (COULD, _yes(desk, found["then"])), (REASON, _why(desk, found["then"])), (BASIS, found["basis"] or "–"),
        (PROOF, proof.get("record", "–")),
        (HOW, " · ".join(str(part) for part in (proof.get("method"), proof.get("at"), proof.get("page")) if part) or "–"), (WORDS, proof.get("notice") or "–"),
    ]  # fmt: skip
    if found["hindsight"]["allowed"] != found["then"]["allowed"]:
        rows.append((LATER, f"{_yes(desk, found['hindsight'])}: {_why(desk, found['hindsight'])}"))
    facts(desk, rows)


def _yes(desk: Desk, verdict: dict[str, Any] | None) -> str:
    return "–" if verdict is None else desk.say(YES if verdict["allowed"] else NO)


def _why(desk: Desk, verdict: dict[str, Any]) -> str:
    """The gate's reason as a sentence; a word this version does not know is shown as it is."""
    reason = verdict["reason"]
    return desk.say(REASONS[reason]) if reason in REASONS else str(reason)
