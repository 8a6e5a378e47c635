"""Operators about calendar days that lie before or after today: a birthday in a week, a contract that ends next month.

Days are the shop's. Whoever was born on 29 February has the birthday on 28 February in other years than leap years.
"""

from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any

import ibis

from cegla.segment.rules.facts import CONFIDENCE, known
from cegla.segment.rules.history import Column, Ground
from cegla.segment.rules.language import Kind, Operator, Parameter, Past, Seen, Values
from cegla.vocabulary.text import Text

TRAIT = Parameter("trait", Kind.TRAIT, Text("cecha", "trait"), traits=("text", "moment"))
FROM = Parameter("from_days", Kind.OFFSET, Text("od ilu dni od dziś", "from how many days from today"), required=False, default=0)
TO = Parameter("to_days", Kind.OFFSET, Text("do ilu dni od dziś (włącznie)", "to how many days from today (included)"))
AHEAD_DAYS = 7  #: as far as the next change is looked for; who has none by then is looked at again


def day_of(values: Values, seen: Seen, ground: Ground) -> Column:
    """The calendar day of a trait: of a text "1990-02-28…" or "28.02.1990", or of a moment; null when it is none."""
    value: Any = known(values, seen, ground)
    if values["row"].kind == "moment":
        return (value + _offset(ground)).date()
    nothing: Any = ibis.literal("")
    polish = nothing.concat(value.substr(6, 4), "-", value.substr(3, 2), "-", value.substr(0, 2))
    written = ibis.ifelse(value.substr(2, 1) == ".", polish, value.substr(0, 10))
    return written.try_cast("date")


def _offset(ground: Ground) -> Any:
    """How far the shop's clock is ahead of UTC now."""
    ahead = ground.now.replace(tzinfo=UTC).astimezone(ground.zone).utcoffset() or timedelta()
    return ibis.interval(seconds=int(ahead.total_seconds()))


def _of_year(day: Any) -> Any:
    """Month and day as one number: 1123 for 23 November."""
    return day.month() * 100 + day.day()


def days_of_year(ground: Ground, first: int, last: int) -> list[int]:
    """The numbers of `_of_year` that are celebrated from `first` to `last` days from today."""
    found: set[int] = set()
    for day in (ground.today + timedelta(days=offset) for offset in range(first, min(last, first + 366) + 1)):
        found.add(day.month * 100 + day.day)
        if (day.month, day.day) == (2, 28) and (day + timedelta(days=1)).month == 3:
            found.add(229)
    return sorted(found)


def _celebrates(values: Values, seen: Seen, ground: Ground, now: Ground) -> Column:
    wanted = days_of_year(now, values["from_days"], values["to_days"])
    return _of_year(day_of(values, seen, ground)).isin(wanted) if wanted else ibis.literal(False)


def _falls(values: Values, seen: Seen, ground: Ground, now: Ground) -> Column:
    first, last = (ibis.literal(now.today + timedelta(days=values[name])) for name in ("from_days", "to_days"))
    day: Any = day_of(values, seen, ground)
    return (day >= first) & (day <= last)


Holds = Callable[[Values, Seen, Ground, Ground], Column]


def _midnights(holds: Holds, values: Values, seen: Seen, ground: Ground) -> list[Column]:
    """The next midnight at which the answer is another one."""
    answers = [holds(values, seen, ground, ground.after(days)).fill_null(False) for days in range(AHEAD_DAYS + 1)]
    changes = [(answers[days] != answers[days - 1], ground.midnight(days)) for days in range(1, AHEAD_DAYS + 1)]
    known_day = day_of(values, seen, ground).notnull()
    midnight = ibis.cases(*changes, else_=ibis.ifelse(known_day, ground.midnight(AHEAD_DAYS + 1), ibis.null("timestamp")))
    return [midnight, *(_clock_changes(ground) if values["row"].kind == "moment" else ())]


def _clock_changes(ground: Ground) -> list[Column]:
    """When the shop's clock is put forward or back, as far as is looked ahead: the day of a moment may be another one from then on."""
    begins = (ground.now - timedelta(days=1)).replace(minute=0, second=0, microsecond=0, tzinfo=UTC)
    hours = [begins + timedelta(minutes=30 * number) for number in range(48 * (AHEAD_DAYS + 3))]
    ahead = [one.astimezone(ground.zone).utcoffset() for one in hours]
    return [ibis.literal(at.replace(tzinfo=None), type="timestamp") for at, was, is_now in zip(hours[1:], ahead, ahead[1:], strict=False) if was != is_now]


def _row(key: str, label: Text, sentence: Text, holds: Holds, example: tuple[dict[str, Any], str, str]) -> Operator:
    rule, inside, outside = example
    return Operator(
        key,
        "traits",
        label,
        sentence,
        (TRAIT, FROM, TO, CONFIDENCE),
        lambda values, rows: values["row"].measures(rows),
        lambda values, seen, ground: holds(values, seen, ground, ground),
        lambda values: False,
        lambda values, seen, ground: day_of(values, seen, ground).cast("timestamp"),
        {"op": key, **rule},
        (Past("Page Viewed", 1),),
        (Past("Page Viewed", 1),),
        told=({"value": inside}, {"value": outside}),
        moments=lambda values, seen, ground: _midnights(holds, values, seen, ground),
    )


DAY_OPERATORS: tuple[Operator, ...] = (
    _row(
        "anniversary_in_days",
        Text("urodziny albo rocznica za … dni", "birthday or anniversary in … days"),
        Text("których {trait}: rocznica przypada {from_days} {to_days}", "whose {trait} has its anniversary {from_days} {to_days}"),
        _celebrates,
        ({"trait": "declared.birthday", "to_days": 7}, "1990-11-30", "1990-12-01"),
    ),
    _row(
        "date_in_days",
        Text("data za … dni", "date in … days"),
        Text("których {trait} przypada {from_days} {to_days}", "whose {trait} is {from_days} {to_days}"),
        _falls,
        ({"trait": "declared.contract_end", "from_days": 1, "to_days": 30}, "23.12.2026", "2026-11-23"),
    ),
)
