"""What became of a campaign's messages, for reports: rows that fit a wish, counts by destination and by day, its letter with what was clicked on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from cegla.activate import store
from cegla.activate.letters import Occasion, Writer
from cegla.activate.renderer import Renderer
from cegla.activate.rules.content import with_clicks
from cegla.activate.rules.destinations import label
from cegla.activate.store import SQL
from cegla.storage.workspace import Connection, Workspace


class Wanted(NamedTuple):
    """Which messages of a campaign: of a state, skipped for a reason, of an arm, to a destination; None: whichever."""

    state: str | None = None
    reason: str | None = None
    arm: str | None = None
    destination: str | None = None


@dataclass(frozen=True)
class Place:
    """A destination of a campaign's messages: how many are for it, and what became of them."""

    key: str
    label: str
    messages: int
    sent: int
    bounced: int
    complained: int
    waiting: int


@dataclass(frozen=True)
class Ahead:
    """Messages of a campaign that wait for a day of the shop's calendar; for one that is scheduled nobody is decided on yet, so `messages` is None."""

    day: date
    campaign_id: int
    name: str
    state: str
    first_at: datetime
    messages: int | None


def rows(conn: Connection, campaign_id: int, wanted: Wanted, before: int | None = None, limit: int = 50) -> list[store.Message]:
    """Messages of a campaign that fit a wish, newest first; `before` is the number a page goes on from."""
    return store.messages(conn, limit, campaign_id=campaign_id, before=before, **wanted._asdict())


def places(conn: Connection, campaign_id: int) -> list[Place]:
    """Where a campaign's messages go, the most first; those that were decided against are left out."""
    return [Place(key, label(key), *counts) for key, *counts in SQL.campaign_places(conn, campaign_id=campaign_id)]


def calendar(conn: Connection, ws: Workspace, first: date, last: date) -> list[Ahead]:
    """What goes out on each day of the shop's calendar, and what went: messages by campaign, and campaigns that are scheduled."""
    found = SQL.calendar(conn, zone=ws.settings.zone.key, first=first, last=last)
    return [Ahead(*row) for row in found]


def links(conn: Connection, campaign_id: int) -> list[tuple[int, str, int]]:
    """The links of a campaign's messages: number, address, and how often somebody followed it of whom nobody may know who."""
    tallies = dict(SQL.tallies(conn, campaign_id=campaign_id))
    return [(number, url, int(tallies.get(number, 0))) for number, url in SQL.links_of(conn, campaign_id=campaign_id)]


def map_of_links(ws: Workspace, campaign_id: int, variant: str, clicks: Mapping[int, tuple[int, int]]) -> str:
    """The letter of a variant as anybody would see it, with clicks and people by each link (`clicks` by its number), and how many clicks are nobody's.

    Raises NotFound, TemplateInvalid.
    """
    with ws.transaction() as conn, Renderer() as renderer:
        campaign = store.campaign(conn, campaign_id)
        occasion = Occasion(campaign.id, campaign.name, campaign.version_of(variant), campaign.sender)
        html = Writer(ws, conn, renderer).render(occasion, {}).html
        counted = links(conn, campaign_id)
    found = {url: (*clicks.get(number, (0, 0)), nobodys) for number, url, nobodys in counted}
    return with_clicks(html, found, (f"{ws.settings.app.address}/u/", f"{ws.settings.app.address}/p/"))
