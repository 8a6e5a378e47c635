"""Marta Zielińska, who works in an office: the person by whom the whole consumer profile can be seen at once.

She logs in at home in Józefów at seven on an Android, is in an office in Warsaw from nine to five with an iPhone and a computer, and at home
again in the evening. At work she reads of printers and orders from the firm's address, at home of bicycles from her own. Everything she does
is made from the moment given; nothing here is known to Cegla.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from demo.visits import WARSAW, Sent

USER, PRIVATE, WORK = "marta-z", "marta.zielinska84@wp.pl", "m.zielinska@drukmax.pl"
HOME_ADDRESS, WORK_ADDRESS = "83.5.212.17", "213.172.163.40"  #: a fixed line in the powiat otwocki, a firm's in Warsaw
HOME_POWIAT, WORK_POWIAT = "1417", "1465"
ANDROID = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/154.0.0.0 Mobile Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1"
DESKTOP = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/154.0.0.0 Safari/537.36 Edg/154.0.0.0"
AGREED = {"categoryPreferences": {"analytics": True, "marketing_email": True, "email_tracking": True, "profiling": True}}
SELF = {"email": PRIVATE, "first_name": "Marta", "last_name": "Zielińska", "postcode": "05-410", "city": "Józefów"}
DAYS = 42
BIKES = {"product_id": "rower-7", "name": "Rower miejski „Sowa”", "category": "Rowery", "price": 2_490}
PRINTERS = {"product_id": "druk-3", "name": "Drukarka laserowa A4", "category": "Drukarki i tonery", "price": 1_190}


def stream(until: datetime) -> list[Sent]:
    """Her last six weeks, up to a moment, in order of time."""
    days = [until.astimezone(WARSAW).date() - timedelta(days=back) for back in range(DAYS, 0, -1)]
    found: list[Sent] = []
    for number, day in enumerate(days):
        begins = datetime(day.year, day.month, day.day, tzinfo=WARSAW)
        found += _working_day(begins, number) if day.weekday() < 5 else _day_off(begins, number)
    return sorted((one for one in found if one.at < until), key=lambda one: one.at)


def _working_day(day: datetime, number: int) -> Iterator[Sent]:
    dice = Random(number)
    yield from _visit(day + timedelta(hours=7, minutes=dice.randrange(50)), ANDROID, HOME_ADDRESS, BIKES, "rowery")
    for hour in (9, 12, 16):
        agent = IPHONE if hour == 12 else DESKTOP
        yield from _visit(day + timedelta(hours=hour, minutes=dice.randrange(50)), agent, WORK_ADDRESS, PRINTERS, "drukarki")
    yield from _visit(day + timedelta(hours=20, minutes=dice.randrange(50)), ANDROID, HOME_ADDRESS, BIKES, "rowery")
    if number % 3 == 0:
        yield from _clicks(day + timedelta(hours=10, minutes=dice.randrange(40)), WORK, DESKTOP, WORK_ADDRESS)
        yield from _clicks(day + timedelta(hours=20, minutes=55), PRIVATE, ANDROID, HOME_ADDRESS)


def _day_off(day: datetime, number: int) -> Iterator[Sent]:
    yield from _visit(day + timedelta(hours=11, minutes=number % 50), ANDROID, HOME_ADDRESS, BIKES, "rowery")


def _visit(at: datetime, agent: str, address: str, product: dict[str, Any], section: str) -> Iterator[Sent]:
    """She signs in, reads a page and looks at a product."""
    read = {"path": f"/{section}", "title": section.capitalize(), "section": section}
    yield _sent(at, agent, address, "identify", traits=SELF)
    yield _sent(at + timedelta(minutes=1), agent, address, "page", name="Poradnik", properties=read)
    yield _sent(at + timedelta(minutes=3), agent, address, "track", event="Product Viewed", properties=product)


def _clicks(at: datetime, mailbox: str, agent: str, address: str) -> Iterator[Sent]:
    """She follows the link of a letter; the firm's address is known from there."""
    if mailbox == WORK:
        yield _sent(at, agent, address, "identify", traits={"email": mailbox})
    yield Sent(at + timedelta(minutes=1), "server", _base(at + timedelta(minutes=1), agent, address) | {
        "type": "track", "event": "Email Link Clicked", "messageId": f"marta-click-{mailbox}-{at:%Y%m%d%H%M}",
        "context": _context(agent, address) | {"traits": {"email": mailbox}}, "properties": {"link_id": "1"}}, agent)  # fmt: skip


def _sent(at: datetime, agent: str, address: str, kind: str, **fields: Any) -> Sent:
    event = _base(at, agent, address) | {"type": kind, "userId": USER, "messageId": f"marta-{kind}-{at:%Y%m%d%H%M}"} | fields
    return Sent(at, "server", event, agent)


def _base(at: datetime, agent: str, address: str) -> dict[str, Any]:
    return {"timestamp": at.isoformat(), "context": _context(agent, address)}


def _context(agent: str, address: str) -> dict[str, Any]:
    return {"userAgent": agent, "locale": "pl-PL", "ip": address, "timezone": "Europe/Warsaw", "consent": AGREED}
