"""cegla identity: links and undoing one, what was refused, and the rules: shown, tried, applied."""

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from cegla.cli.desk import AsJson, Desk, Yes, desk_of
from cegla.cli.files import fields_of
from cegla.cli.tables import both, facts, table
from cegla.vocabulary.text import Text

Who = Annotated[str, typer.Argument(metavar="PERSON", help="p12, or an identifier: an e-mail address, a phone number, a user id")]
RulesPath = Annotated[Path, typer.Argument(metavar="RULES", help="a YAML file with what differs from the default rules")]
Why = Annotated[str | None, typer.Option("--why", help="the reason, kept with the link")]
ReleaseWhy = Annotated[str, typer.Option("--why", help="the reason, kept with the release and erased with the people")]
TypeAndValue = Annotated[str, typer.Argument(metavar="TYPE:VALUE", help="email:anna@example.pl, phone:+48600100200, or another type of the rules")]
Since = Annotated[str, typer.Option("--since", metavar="DAY", help="the first day of the new owner, UTC, such as 2026-10-01")]
ReleaseNumber = Annotated[int, typer.Argument(metavar="RELEASE", help="the number of a release, from cegla identity releases")]
LinkNumber = Annotated[int, typer.Argument(metavar="LINK", help="the number of a link, from cegla identity links")]

LINK, BETWEEN, AND, RULE, SINCE = Text("Powiązanie", "Link"), Text("Między", "Between"), Text("a", "and"), Text("Podstawa", "Rule"), Text("Od", "Since")
STATE, REASON, TYPE, NUMBER, LAST = Text("Stan", "State"), Text("Powód", "Reason"), Text("Rodzaj", "Type"), Text("Ile", "Number"), Text("Ostatnio", "Last")
END = 2**62  #: beyond the number of any link: the other list goes on alone
WHY, PEOPLE, EXAMPLE = Text("Dlaczego", "Why"), Text("Osoby", "People"), Text("Przykład", "Example")
JOINS, UNDONE, REFUSED = Text("łączy", "joins"), Text("cofnięte", "undone"), Text("odmowa: {reason}", "refused: {reason}")
FIGURES = {
    "people": Text("osób jest", "people there are"),
    "joined": Text("osób zostałoby połączonych", "people would be joined"),
    "parted": Text("osób zostałoby rozdzielonych", "people would be parted"),
    "out_of_bounds": Text("osób przekracza nowe reguły", "people are out of bounds"),
    "identities_moved": Text("identyfikatorów zmieniłoby osobę", "identifiers would change their person"),
    "newly_accepted": Text("powiązań zostałoby przyjętych", "links would be accepted"),
}
SURE = Text("Zastosować te reguły? Zmienią osobę {n} identyfikatorów.", "Apply these rules? {n} identifiers will change their person.")
SURE_UNDO = Text("Cofnąć powiązanie {link} na zawsze?", "Undo link {link} for good?")
SURE_RELEASE = Text("Zwolnić {value}? Od {day} należy do kogoś innego.", "Release {value}? From {day} on it is somebody else's.")
SURE_UNRELEASE = Text("Cofnąć zwolnienie {release}?", "Take release {release} back?")
RELEASED = Text("Zwolniono; osobę zmieniło {n} identyfikatorów.", "Released; {n} identifiers changed their person.")
NUMBER_OF_IT, VALUE = Text("Nr", "No."), Text("Wartość", "Value")
APPLIED = Text("Obowiązuje wersja {version}; osobę zmieniło {n} identyfikatorów.", "Version {version} is in force; {n} identifiers changed their person.")
TAKEN_BACK = Text("Cofnięto; osobę zmieniło {n} identyfikatorów.", "Undone; {n} identifiers changed their person.")
MOST_SHOWN = 20
MORE = Text("Pokazano po {n} osób; całe listy (do 1000 każda) daje --json.", "{n} of each are shown; --json gives the whole lists, up to 1,000 each.")
VERSION, BY, WHEN = Text("Wersja", "Version"), Text("Kto", "By"), Text("Kiedy", "When")
JOINED, PARTED, OUT = Text("połączone", "joined"), Text("rozdzielone", "parted"), Text("poza regułami", "out of bounds")


def links(context: typer.Context, person: Who, as_json: AsJson = False) -> None:
    """Print a person's links."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        path = f"/people/{api.person(person)}/links"
        found = page = api.get(path, limit=500)
        while page["next_after"] or page["next_moves_after"]:
            page = api.get(path, after=page["next_after"] or END, moves_after=page["next_moves_after"] or END, limit=500)
            found["links"] += page["links"]
            found["merges"] += page["merges"]
    desk.answer(found, lambda at, answer: _links(at, answer["links"]))


def undo(context: typer.Context, link: LinkNumber, why: Why = None, yes: Yes = False, as_json: AsJson = False) -> None:
    """Undo one link."""
    desk = desk_of(context, as_json)
    desk.confirm(SURE_UNDO, yes, link=link)
    with desk.api() as api:
        done = api.post(f"/links/{link}/retract", {"why": why})
    desk.answer(done, lambda at, answer: at.tell(TAKEN_BACK, n=answer["identities_moved"]))


def release(context: typer.Context, identifier: TypeAndValue, since: Since, why: ReleaseWhy, yes: Yes = False, as_json: AsJson = False) -> None:
    """Let an identifier be somebody else's from a day on."""
    desk = desk_of(context, as_json)
    kind, _, value = identifier.partition(":")
    desk.confirm(SURE_RELEASE, yes, value=value, day=since)
    with desk.api() as api:
        done = api.post("/identity/release", {"identifier": {"type": kind, "value": value}, "since": since, "reason": why})
    desk.answer(done, lambda at, answer: at.tell(RELEASED, n=answer["identities_moved"]))


def releases(context: typer.Context, person: Who, as_json: AsJson = False) -> None:
    """List what was released of a person's identifiers."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get(f"/people/{api.person(person)}/releases")
    desk.answer(found, _releases)


def undo_release(context: typer.Context, release_number: ReleaseNumber, yes: Yes = False, as_json: AsJson = False) -> None:
    """Take a release back."""
    desk = desk_of(context, as_json)
    desk.confirm(SURE_UNRELEASE, yes, release=release_number)
    with desk.api() as api:
        done = api.post(f"/releases/{release_number}/undo")
    desk.answer(done, lambda at, answer: at.tell(TAKEN_BACK, n=answer["identities_moved"]))


def warnings(context: typer.Context, reason: Annotated[str | None, typer.Option("--reason")] = None, as_json: AsJson = False) -> None:
    """Print what was refused."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get("/identity/warnings", reason=reason)
    desk.answer(found, _warnings)


def rules(context: typer.Context, as_json: AsJson = False) -> None:
    """Print the rules in force and who changed them."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get("/identity/rules")
    desk.answer(found, _rules)


def try_rules(context: typer.Context, rules_file: RulesPath, as_json: AsJson = False) -> None:
    """Try rules on all history."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.post("/identity/rules/try", {"rules": fields_of(rules_file)})
    desk.answer(found, _trial)


def apply_rules(context: typer.Context, rules_file: RulesPath, yes: Yes = False, as_json: AsJson = False) -> None:
    """Try rules, ask, and put them in force."""
    desk = desk_of(context, as_json)
    document = fields_of(rules_file)
    with desk.api() as api:
        tried = api.post("/identity/rules/try", {"rules": document})
        if not as_json:
            _trial(desk, tried)
        desk.confirm(SURE, yes, n=tried["identities_moved"])
        done = api.post("/identity/rules", {"rules": document, "version": tried["version"]})
    desk.answer(done, lambda at, answer: at.tell(APPLIED, version=answer["version"], n=answer["identities_moved"]))


def _links(desk: Desk, rows: list[dict[str, Any]]) -> None:
    ends = ([f"{end['type']} {end['value']} ({end['person']})" for end in row["between"]] for row in rows)
    shown = ([str(row["link"]), *pair, row["rule"], row["at"], _state(desk, row)] for row, pair in zip(rows, ends, strict=True))
    table(desk, [LINK, BETWEEN, AND, RULE, SINCE, STATE], shown)


def _state(desk: Desk, row: dict[str, Any]) -> str:
    if row["retracted_at"]:
        return desk.say(UNDONE)
    return desk.say(REFUSED, reason=both(row["why"], desk.language)) if row["refused"] else desk.say(JOINS)


def _releases(desk: Desk, found: dict[str, Any]) -> None:
    columns = [NUMBER_OF_IT, TYPE, VALUE, SINCE, REASON, BY]
    table(desk, columns, ([row["release"], row["type"], row["value"], row["since"], row["reason"], row["made_by"]] for row in found["releases"]))


def _warnings(desk: Desk, found: dict[str, Any]) -> None:
    table(desk, [REASON, TYPE, NUMBER, LAST, WHY], ([row["reason"], row["type"], row["number"], row["last_at"], row["why"]] for row in found["counts"]))
    if found["links"]:
        desk.out.print()
        _links(desk, found["links"])


def _rules(desk: Desk, found: dict[str, Any]) -> None:
    desk.out.print(yaml.safe_dump(found["rules"], allow_unicode=True, sort_keys=False), markup=False)
    if found["versions"]:
        table(desk, [VERSION, BY, WHEN, NUMBER], ([row["number"], row["made_by"], row["made_at"], row["moved"]] for row in found["versions"]))


def _trial(desk: Desk, found: dict[str, Any]) -> None:
    facts(desk, [(label, found[key]) for key, label in FIGURES.items()])
    rows = [[desk.say(JOINED), ", ".join(people), None] for people in found["examples"]["joined"][:MOST_SHOWN]]
    rows += [[desk.say(PARTED), row["person"], " + ".join(map(str, row["identifiers"]))] for row in found["examples"]["parted"][:MOST_SHOWN]]
    rows += [[desk.say(OUT), row["person"], f"{row['type']}: {both(row['why'], desk.language)}"] for row in found["examples"]["out_of_bounds"][:MOST_SHOWN]]
    if rows:
        desk.out.print()
        table(desk, [EXAMPLE, PEOPLE, WHY], rows)
    if any(len(listed) > MOST_SHOWN for listed in found["examples"].values()):
        desk.tell(MORE, n=MOST_SHOWN)
