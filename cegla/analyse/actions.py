"""The door of reports: what happened today, day by day, and after a campaign. Money is in micros, times are aware and UTC.

Days are calendar days of the shop's time zone. Bots are left out everywhere. Each report carries its own `definition`.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from cegla.activate import actions as activate
from cegla.analyse import portraits as portraits
from cegla.analyse.clicking import ClickMap as ClickMap
from cegla.analyse.clicking import click_map_of as click_map_of
from cegla.analyse.experimenting import Experiment as Experiment
from cegla.analyse.experimenting import choose_winners as choose_winners
from cegla.analyse.experimenting import experiment_of as experiment_of
from cegla.analyse.rules import campaigns, sales
from cegla.collect import actions as collect
from cegla.repair import actions as repair
from cegla.segment import actions as segment
from cegla.storage.warehouse import history
from cegla.storage.workspace import Workspace
from cegla.vocabulary.errors import InvalidInput
from cegla.vocabulary.messages import MessageState
from cegla.vocabulary.text import Text

MOST_DAYS = 3_660

TODAY = Text(
    "Dzień od północy do teraz (strefa {zone}), obok tego samego dnia tygodnia 7 dni wcześniej do tej samej godziny. "
    "Zamówienia: różne numery zamówień. Nowe osoby: pierwsze zdarzenie w tym czasie. Bez robotów.",
    "The day from midnight to now (time zone {zone}), beside the same weekday 7 days earlier up to the same time of day. "
    "Orders: different order numbers. New people: first event within that time. Without bots.",
)
REVENUE = Text(
    "Zamówienia i przychód według dnia kalendarzowego (strefa {zone}), {currency}. Przychód: zamówienia minus zwroty w dniu zwrotu. "
    "Dzisiejszy dzień jest niepełny. Bez robotów.",
    "Orders and revenue by calendar day (time zone {zone}), {currency}. Revenue: orders less refunds on the day of the refund. "
    "Today is not finished. Without bots.",
)
CAMPAIGN = Text(
    "Liczone w osobach. Dostarczone: wysłane bez zwrotki. Kliknięcia: tylko osób, które zgodziły się na śledzenie, bez automatów. "
    "Zamówienia: złożone w ciągu {days} dni po wysłaniu wiadomości do tej osoby; to następstwo w czasie, nie dowód przyczyny.",
    "Counted in people. Delivered: sent without a bounce. Clicks: only of people who agreed to be tracked, without machines. "
    "Orders: placed within {days} days after the message was sent to that person; this is order in time, not proof of cause.",
)


@dataclass(frozen=True)
class Sales:
    """Orders (different order numbers), what they came to, what was refunded (zero or less), and people who ordered."""

    orders: int
    gross_micros: int
    refunded_micros: int
    buyers: int

    @property
    def revenue_micros(self) -> int:
        """Orders less refunds."""
        return self.gross_micros + self.refunded_micros


@dataclass(frozen=True)
class Day:
    """One calendar day; the last one is unfinished until midnight."""

    day: date
    sales: Sales
    finished: bool


@dataclass(frozen=True)
class Revenue:
    """Sales day by day, oldest first, days without sales included; `total` is their sum except for `buyers`, who count once a day."""

    days: tuple[Day, ...]
    total: Sales
    currency: str
    as_of: datetime
    definition: Text


@dataclass(frozen=True)
class Health:
    """How the intake of data stands: events accepted and set aside since the beginning, waiting and in quarantine now, and the lag in seconds."""

    accepted: int
    waiting: int
    quarantined: int
    in_quarantine: int
    lag_seconds: float
    adds_up: bool


@dataclass(frozen=True)
class Today:
    """The shop today up to now, beside the same weekday a week ago up to the same time of day."""

    day: date
    sales: Sales
    sales_before: Sales
    new_people: int
    new_people_before: int
    segments: int  #: segments with somebody in them
    campaigns_sending: int
    messages_sent: int  #: of campaigns launched today
    health: Health
    currency: str
    as_of: datetime
    definition: Text


@dataclass(frozen=True)
class CampaignReport:
    """What came of a campaign. `messages` are outbox rows by state; the rest counts people, except `clicks` and `orders`.

    `delivered` are sent messages without a bounce. `clicked` knows only people who agreed to be tracked.
    """

    campaign_id: int
    name: str
    messages: dict[str, int]
    sent: int
    delivered: int
    bounced: int
    clicked: int
    clicks: int
    unsubscribed: int
    buyers: int
    orders: int
    order_value_micros: int
    currency: str
    as_of: datetime
    definition: Text


def today(ws: Workspace, now: datetime) -> Today:
    """Orders, revenue and new people today up to `now` and a week earlier up to the same wall clock; segments, messages, data health."""
    local = now.astimezone(ws.settings.zone).replace(tzinfo=None)
    start = datetime.combine(local.date(), time())
    week = timedelta(days=7)
    moment = _utc(now)
    fresh, fresh_before = (_row(ws, sales.new_people(history(), start - back, local - back, moment))["people"] for back in (timedelta(), week))
    sold, sold_before = (Sales(**_row(ws, sales.until(history(), start - back, local - back, moment))) for back in (timedelta(), week))
    with ws.transaction() as conn:
        segments = sum(1 for one in segment.segments(conn) if one.members)
        standing = collect.standing(conn)
        launched = activate.campaigns(conn)
        in_quarantine = sum(repair.figures.waiting(conn).values())
    health = Health(
        sum(one.accepted for one in standing),
        sum(one.waiting for one in standing),
        sum(one.quarantined for one in standing),
        in_quarantine,
        max((one.lag_seconds for one in standing), default=0.0),
        all(one.adds_up for one in standing),
    )
    of_today = [one for one in launched if one.launched_at is not None and one.launched_at.astimezone(ws.settings.zone).date() == local.date()]
    return Today(
        local.date(),
        sold,
        sold_before,
        fresh,
        fresh_before,
        segments,
        sum(1 for one in launched if one.state == "sending"),
        sum(one.counts.get(MessageState.SENT, 0) for one in of_today),
        health,
        ws.settings.currency,
        now,
        _defined(TODAY, zone=ws.settings.timezone),
    )


def revenue_by_day(ws: Workspace, days: int, now: datetime) -> Revenue:
    """Sales of the last `days` calendar days, today included. Raises InvalidInput outside 1 to 3660."""
    if not 1 <= days <= MOST_DAYS:
        raise InvalidInput(where="days", seen=days, detail=Text(f"liczba dni od 1 do {MOST_DAYS}", f"days from 1 to {MOST_DAYS}"))
    last = now.astimezone(ws.settings.zone).date()
    first = last - timedelta(days=days - 1)
    found = {row.pop("day"): Sales(**row) for row in ws.warehouse.run(sales.by_day(history(), first, last, _utc(now))).to_pylist()}
    shown = [first + timedelta(days=number) for number in range(days)]
    nothing = Sales(0, 0, 0, 0)
    rows = tuple(Day(day, found.get(day, nothing), day < last) for day in shown)
    total = Sales(*(sum(getattr(row.sales, name) for row in rows) for name in ("orders", "gross_micros", "refunded_micros", "buyers")))
    return Revenue(
        rows,
        total,
        ws.settings.currency,
        now,
        _defined(REVENUE, zone=ws.settings.timezone, currency=ws.settings.currency),
    )


def campaign_report(ws: Workspace, campaign_id: int, now: datetime | None = None) -> CampaignReport:
    """What came of a campaign up to `now`, in people: sent, bounced, clicked, unsubscribed, and their orders in the 7 days after. Raises NotFound."""
    at = now or ws.clock()
    with ws.transaction() as conn:
        campaign = activate.campaign(conn, campaign_id)
    answers = _row(ws, campaigns.answers(history(), campaign_id, _utc(at)))
    after = _row(ws, campaigns.orders_after(history(), campaign_id, _utc(at)))
    sent, bounced = campaign.counts.get(MessageState.SENT, 0), campaign.counts.get(MessageState.BOUNCED, 0)
    return CampaignReport(
        campaign_id,
        campaign.name,
        dict(campaign.counts),
        sent + bounced,
        sent,
        bounced,
        answers["clicked"],
        answers["clicks"],
        answers["unsubscribed"],
        after["buyers"],
        after["orders"],
        after["value_micros"],
        ws.settings.currency,
        at,
        _defined(CAMPAIGN, days=campaigns.DAYS_AFTER),
    )


def reached(ws: Workspace, campaign_id: int, step: str, now: datetime) -> list[int]:
    """The people behind a number of the report: those who "clicked", "unsubscribed" or "ordered". Raises InvalidInput for another step."""
    if step not in (*campaigns.EVENTS, "ordered"):
        raise InvalidInput(where="step", seen=step, detail=Text("nieznany krok", "unknown step"))
    return ws.warehouse.run(campaigns.reached(history(), campaign_id, step, _utc(now)))["person_id"].to_pylist()


def clicks_by_link(ws: Workspace, campaign_id: int, now: datetime) -> dict[int, tuple[int, int]]:
    """Clicks and people by the number of each link of a campaign that somebody followed."""
    found = ws.warehouse.run(campaigns.links(history(), campaign_id, _utc(now))).to_pylist()
    return {int(row["link"]): (row["clicks"], row["people"]) for row in found if row["link"] is not None}


def _defined(text: Text, **facts: object) -> Text:
    return Text(text.say("pl", **facts), text.say("en", **facts))


def _row(ws: Workspace, expression: Any) -> dict[str, Any]:
    return ws.warehouse.run(expression).to_pylist()[0]


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
