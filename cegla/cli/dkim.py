"""cegla dkim list, make, use, drop."""

from typing import Annotated

import typer

from cegla.cli.desk import AsJson, desk_of
from cegla.cli.tables import facts, table
from cegla.vocabulary.text import Text

Domain = Annotated[str, typer.Argument(metavar="DOMAIN")]
Selector = Annotated[str, typer.Argument(metavar="SELECTOR")]
Algorithm = Annotated[str, typer.Option("--algorithm", metavar="rsa|ed25519")]

DOMAIN, SELECTOR, ALGORITHM, STATE = Text("Domena", "Domain"), Text("Selektor", "Selector"), Text("Algorytm", "Algorithm"), Text("Stan", "State")
KEPT = Text("Rekord potrzebny do", "Record needed until")
NAME, RECORD, ZONE = Text("Nazwa rekordu TXT", "Name of the TXT record"), Text("Treść", "Content"), Text("W pliku strefy", "In a zone file")
STATES = {"new": Text("nowy: opublikuj rekord", "new: publish its record"), "signing": Text("podpisuje", "signing"), "retired": Text("odstawiony", "retired")}
NEXT = Text(
    "Opublikuj rekord w DNS, a potem: cegla dkim use {domain} {selector}",
    "Publish the record in DNS, and then: cegla dkim use {domain} {selector}",
)
DROPPED = Text("Klucz usunięty.", "The key is gone.")


def listed(context: typer.Context, as_json: AsJson = False) -> None:
    """Print every key and its state."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get("/dkim")
    rows = (
        [one["domain"], one["selector"], one["algorithm"], desk.say(STATES[one["state"]]), (one["record_needed_until"] or "")[:10]] for one in found["keys"]
    )
    desk.answer(found, lambda desk, _: table(desk, [DOMAIN, SELECTOR, ALGORITHM, STATE, KEPT], rows))


def make(context: typer.Context, domain: Domain, algorithm: Algorithm = "rsa", selector: str = "", as_json: AsJson = False) -> None:
    """Make a key and print the record to publish."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        made = api.post("/dkim", {"domain": domain, "algorithm": algorithm, "selector": selector})
    desk.answer(made, lambda desk, value: facts(desk, [(NAME, value["name"]), (RECORD, value["record"]), (ZONE, value["zone_line"])]))
    if not as_json:
        desk.tell(NEXT, domain=made["domain"], selector=made["selector"])


def use(context: typer.Context, domain: Domain, selector: Selector, as_json: AsJson = False) -> None:
    """Sign with this key from now on."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        used = api.post("/dkim/use", {"domain": domain, "selector": selector})
    desk.answer(used, lambda desk, value: facts(desk, [(NAME, value["name"]), (STATE, desk.say(STATES[value["state"]]))]))


def drop(context: typer.Context, domain: Domain, selector: Selector, as_json: AsJson = False) -> None:
    """Forget a key that does not sign."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        gone = api.post("/dkim/drop", {"domain": domain, "selector": selector})
    desk.answer(gone, lambda desk, _: desk.tell(DROPPED))
