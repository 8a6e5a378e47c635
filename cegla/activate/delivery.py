"""What an operator sees and sets of delivery: speeds of destinations, warm-up plans, and the word on messages of which nobody knows."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from cegla.activate.rules.destinations import label, usual_speed
from cegla.activate.store import SQL
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors import InvalidInput
from cegla.vocabulary.text import Text

SHOWN_DAYS = 30


@dataclass(frozen=True)
class Destination:
    """A mailbox provider or domain: its speed, what it asked for until when, and 30 days of figures. `set_speed` None means the usual one."""

    key: str
    label: str
    messages_per_minute: int
    set_speed: int | None
    slow_until: datetime | None
    suspended_until: datetime | None
    said: str
    sent: int
    bounced: int
    complained: int
    deferred: int


@dataclass(frozen=True)
class Plan:
    """The warm-up plan of a sender's domain: messages a day to each destination, at first, growing by percent, at most."""

    domain: str
    first_day: int
    growth_percent: int
    most: int
    started_on: date


def destinations(conn: Connection, now: datetime) -> list[Destination]:
    """Where mail went of late, the busiest first, and every destination with something set."""
    rows = SQL.shown_destinations(conn, since=(now - timedelta(days=SHOWN_DAYS)).date())
    return [Destination(key, label(key), speed or usual_speed(key), speed, *rest) for key, speed, *rest in rows]


def set_speed(conn: Connection, key: str, messages_per_minute: int | None, now: datetime) -> None:
    """Set how fast a destination may be written to (None: as usual), and forget what it asked for. Raises InvalidInput."""
    if messages_per_minute is not None and messages_per_minute < 1:
        raise InvalidInput(where="messages_per_minute", seen=messages_per_minute, detail=Text("co najmniej 1", "at least 1"))
    SQL.set_speed(conn, key=key.strip().lower(), messages_per_minute=messages_per_minute, now=now)


def plans(conn: Connection) -> list[Plan]:
    """Every warm-up plan."""
    return [Plan(*row) for row in SQL.warm_ups(conn)]


def warm_up(conn: Connection, plan: Plan) -> None:
    """Begin or change a plan; a plan that has begun keeps its first day. Raises InvalidInput."""
    if not (1 <= plan.first_day <= plan.most and 1 <= plan.growth_percent <= 300):
        raise InvalidInput(where="warm_up", detail=Text("liczby poza zakresem", "numbers out of range"))
    values = {"first_day": plan.first_day, "growth_percent": plan.growth_percent, "most": plan.most, "started_on": plan.started_on}
    SQL.set_warm_up(conn, domain=plan.domain.strip().lower(), **values)


def end_warm_up(conn: Connection, domain: str) -> None:
    """The domain is warm: no ceiling any more."""
    SQL.end_warm_up(conn, domain=domain.strip().lower())


def settle_ambiguous(conn: Connection, campaign_id: int, now: datetime, *, again: bool) -> int:
    """The operator's word on the ambiguous messages of a campaign: take them as sent, or send them again. Returns how many they were.

    A campaign that ended goes on for those that are sent again; one that is paused stays so.
    """
    state = SQL.lock_campaign(conn, id=campaign_id)
    settled = int(SQL.settle_ambiguous(conn, campaign_id=campaign_id, again=again, now=now))
    if settled and again and state != "paused":
        SQL.set_state(conn, id=campaign_id, state="sending", finished_at=None)
    return settled
