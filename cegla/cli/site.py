"""cegla data crawl: what the pages of the shop's own site are about, for pages whose script sent none of it. A running installation notices."""

import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cegla.cli.desk import AsJson, Desk, desk_of
from cegla.reference.crawling import Bounds, NotFetched
from cegla.reference.site import keep_site, read_site
from cegla.vocabulary.text import Text

Start = Annotated[str, typer.Argument()]
Most = Annotated[int, typer.Option("--most")]

FETCHING = Text("Czytam {start}, najwyżej {most} stron, {pace} na sekundę …", "Reading {start}, at most {most} pages, {pace} a second …")
READ = Text("Przeczytano stron: {pages}.", "Pages read: {pages}.")
LEFT = Text("Pominięto: {reason}: {count}", "Left out: {reason}: {count}")
NO_HOST = Text(
    "Tego adresu nie wolno czytać ({reason}). Wpisz swój serwis do ustawienia site.hosts; adres musi być publiczny.",
    "This address may not be read ({reason}). Put your site into the setting site.hosts; its address must be a public one.",
)
REASONS = {
    "robots": Text("nie pozwala robots.txt albo sama strona", "robots.txt or the page itself says no"),
    "type": Text("to nie strona HTML", "not an HTML page"),
    "size": Text("za duża", "too large"), "slow": Text("zbyt wolna", "too slow"), "status": Text("błąd serwera", "the server failed"),
    "absent": Text("nie ma jej", "not there"), "unreachable": Text("serwer nie odpowiada", "the server does not answer"),
    "redirect": Text("przekierowanie", "a redirect"), "host": Text("spoza listy", "not on the list"),
    "address": Text("adres niepubliczny", "not a public address"),
}  # fmt: skip


def run(context: typer.Context, start: Start, most: Most = 0, as_json: AsJson = False) -> None:
    """Read the site from an address on, at the pace of the settings, and keep what its pages say in place of what was known."""
    desk = desk_of(context, as_json)
    site = desk.settings.site
    bounds = Bounds(site.hosts, site.pages_per_second, most or site.most_pages)
    desk.tell(FETCHING, start=start, most=bounds.most_pages, pace=f"{bounds.pages_per_second:g}")
    try:
        found = read_site(start, bounds, time.sleep)
    except NotFetched as refused:
        raise typer.BadParameter(desk.say(NO_HOST, reason=REASONS[refused.reason].say(desk.language))) from None
    if found.pages:
        keep_site(desk.settings.data_dir / "site", found.pages, datetime.now(UTC))
    desk.answer({"pages": len(found.pages), "left_out": dict(found.left)}, _show)


def _show(desk: Desk, found: dict[str, Any]) -> None:
    desk.tell(READ, pages=found["pages"])
    for reason, count in sorted(found["left_out"].items()):
        desk.tell(LEFT, reason=REASONS[reason].say(desk.language), count=count)
