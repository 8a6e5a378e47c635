"""Portraits of customers: movements between RFM groups, baskets, affinities, groups of alike ones; people are told by number."""

from datetime import date, timedelta
from typing import Any

from cegla.analyse import actions as analyse
from cegla.api.call import Opened, person_number
from cegla.api.plain import plain
from cegla.vocabulary.people import person_label

MOST_PEOPLE = 1_000
MONTH = timedelta(days=30)


def movements(call: Opened, first: date | None = None, second: date | None = None) -> Any:
    """How customers moved between RFM groups from the end of one day to the end of another; without days: over the last 30."""
    return plain(analyse.portraits.movements(call.ws, *_days(call, first, second)))


def moved(call: Opened, was: str, is_now: str, first: date | None = None, second: date | None = None) -> Any:
    """The people behind one movement, at most 1,000."""
    people = analyse.portraits.moved(call.ws, _days(call, first, second), was, is_now)
    return {"people": [person_label(one) for one in people[:MOST_PEOPLE]], "all": len(people)}


def baskets(call: Opened, by: analyse.portraits.By = "age", days: int = analyse.portraits.YEAR_DAYS) -> Any:
    """Customers, orders and basket values by age, size of town or sex; who is not known of stands last."""
    found = analyse.portraits.baskets(call.ws, by, call.now, max(1, min(days, 3_660)))
    rows = [plain(row) | {"average_micros": row.average_micros, "orders_a_person": round(row.orders_a_person, 3)} for row in found.rows]
    return plain(found) | {"rows": rows}


def affinities(call: Opened, kind: str = "category") -> Any:
    """How many people are drawn to which categories, brands, colours or topics."""
    return plain(analyse.portraits.affinities(call.ws, kind, call.now))


def drawn(call: Opened, value: str, kind: str = "category") -> Any:
    """The people clearly drawn to a value, the most first, at most 1,000."""
    people = analyse.portraits.drawn_to(call.ws, kind, value, call.now)
    return {"people": [person_label(one) for one in people[:MOST_PEOPLE]], "all": len(people)}


def likings(call: Opened, person: str, kind: str = "category") -> Any:
    """What one person is drawn to: how many times everybody's odds."""
    number = person_number(person)
    return {"person": person_label(number), "kind": kind, "likings": plain(analyse.portraits.likings(call.ws, kind, number, call.now))}


def groups(call: Opened) -> Any:
    """Groups of alike customers in words, the numbers of groups that were tried, and people of each, at most 1,000."""
    found = analyse.portraits.groups(call.ws, call.now)
    rows = [plain(row) | {"people": [person_label(one) for one in row.people[:MOST_PEOPLE]], "all": len(row.people)} for row in found.rows]
    return plain(found) | {"rows": rows}


def _days(call: Opened, first: date | None, second: date | None) -> tuple[date, date]:
    until = second or call.now.astimezone(call.ws.settings.zone).date()
    return first or until - MONTH, until
