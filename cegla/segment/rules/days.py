"""Operators about calendar days that lie before or after today: a birthday in a week, a contract that ends next month.

Days are the shop's. Whoever was born on 29 February has the birthday on 28 February in other years than leap years.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

import ibis

from cegla.segment.rules.facts import CONFIDENCE, known
from cegla.segment.rules.history import Column, Ground
from cegla.segment.rules.language import Kind, Operator, Parameter, Past, Seen, Values
from cegla.vocabulary.text import Text

TRAIT = Parameter("trait", Kind.TRAIT, Text("cecha", "trait"), traits=("text", "moment"))
FROM = Parameter("from_days", Kind.OFFSET, Text("od ilu dni od dziś", "from how many days from today"), required=False, default=0)
TO = Parameter("to_days", Kind.OFFSET, Text("do ilu dni od dziś (włącznie)", "to how many days from today (included)"))
YEARS_BACK, YEARS_AHEAD = 20, 5  #: for how long every change of the shop's clock is known; moments farther away are told by its winter time
AHEAD_DAYS = 7  #: as far as the next change is looked for; who has none by then is looked at again


def day_of(values: Values, seen: Seen, ground: Ground) -> Column:
    """The calendar day of a trait: of a text "1990-02-28…" or "28.02.1990", or of a moment; null when it is none."""
    value: Any = known(values, seen, ground)
    if values["row"].kind == "moment":
        return _on_clock(value, ground).date()
    nothing: Any = ibis.literal("")
    polish = nothing.concat(value.substr(6, 4), "-", value.substr(3, 2), "-", value.substr(0, 2))
    written = ibis.ifelse(value.substr(2, 1) == ".", polish, value.substr(0, 10))
    return written.try_cast("date")


def _on_clock(moment: Any, ground: Ground) -> Any:
    """A moment as the shop's clock showed it, or will show it, at that moment."""
    usual, others = clock(ground.zone, ground.now.year)
    shown = moment + ibis.interval(seconds=usual)
    for seconds, spans in others:
        inside = ibis.or_(*((moment >= _literal(begin)) & (moment < _literal(end)) for begin, end in spans))
        shown = ibis.ifelse(inside, moment + ibis.interval(seconds=seconds), shown)
    return shown


def _literal(moment: datetime) -> Any:
    return ibis.literal(moment, type="timestamp")


Spans = tuple[tuple[int, tuple[tuple[datetime, datetime], ...]], ...]


@lru_cache(maxsize=64)
def clock(zone: tzinfo, year: int) -> tuple[int, Spans]:
    """How many seconds the clock of a zone is ahead of UTC in winter, or most of the time, and for each other number the spans (naive UTC) in which it is that,
    from `YEARS_BACK` before a year to `YEARS_AHEAD` after it."""
    first, last = (datetime(one, 1, 1, tzinfo=UTC) for one in (year - YEARS_BACK, year + YEARS_AHEAD + 1))
    edges = [first]
    day, step = first, timedelta(days=7)  # no zone changes its clock twice a week
    while day < last:
        if _ahead(zone, day) != _ahead(zone, day + step):
            edges.append(_change(zone, day, day + step))
        day += step
    spans = list(zip(edges, [*edges[1:], last], strict=True))
    winter = _ahead(zone, datetime(year, 1, 1, tzinfo=UTC))
    others: dict[int, list[tuple[datetime, datetime]]] = {}
    for begin, end in spans:
        if (seconds := _ahead(zone, begin)) != winter:
            others.setdefault(seconds, []).append((begin.replace(tzinfo=None), end.replace(tzinfo=None)))
    return winter, tuple((seconds, tuple(found)) for seconds, found in others.items())


def _change(zone: tzinfo, before: datetime, after: datetime) -> datetime:
    """The minute at which the clock changes between two moments."""
    was = _ahead(zone, before)
    while after - before > timedelta(minutes=1):
        middle = (before + (after - before) / 2).replace(second=0, microsecond=0)
        middle = middle if middle > before else before + timedelta(minutes=1)
        before, after = (middle, after) if _ahead(zone, middle) == was else (before, middle)
    return after


def _ahead(zone: tzinfo, moment: datetime) -> int:
    return int((moment.astimezone(zone).utcoffset() or timedelta()).total_seconds())


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


def _celebrates(values: Values, day: Column, now: Ground) -> Column:
    wanted = days_of_year(now, values["from_days"], values["to_days"])
    return _of_year(day).isin(wanted) if wanted else ibis.literal(False)


def _falls(values: Values, day: Column, now: Ground) -> Column:
    first, last = (ibis.literal(now.today + timedelta(days=values[name])) for name in ("from_days", "to_days"))
    return (day >= first) & (day <= last)


Holds = Callable[[Values, Column, Ground], Column]


def _midnights(holds: Holds, values: Values, seen: Seen, ground: Ground) -> list[Column]:
    """The next midnight at which the answer is another one; for a moment by each time that the shop's clock ever showed, since looking once too often does
    no harm and this is asked of every day ahead."""
    if values["row"].kind != "moment":
        return [_midnight(holds, values, day_of(values, seen, ground), ground)]
    moment: Any = known(values, seen, ground)
    usual, others = clock(ground.zone, ground.now.year)
    days = [(moment + ibis.interval(seconds=seconds)).date() for seconds in (usual, *(seconds for seconds, _ in others))]
    return [_midnight(holds, values, day, ground) for day in days]


def _midnight(holds: Holds, values: Values, day: Any, ground: Ground) -> Column:
    answers = [holds(values, day, ground.after(days)).fill_null(False) for days in range(AHEAD_DAYS + 1)]
    changes = [(answers[days] != answers[days - 1], ground.midnight(days)) for days in range(1, AHEAD_DAYS + 1)]
    return ibis.cases(*changes, else_=ibis.ifelse(day.notnull(), ground.midnight(AHEAD_DAYS + 1), ibis.null("timestamp")))


def _row(key: str, label: Text, sentence: Text, holds: Holds, example: tuple[dict[str, Any], str, str]) -> Operator:
    rule, inside, outside = example
    return Operator(
        key,
        "traits",
        label,
        sentence,
        (TRAIT, FROM, TO, CONFIDENCE),
        lambda values, rows: values["row"].measures(rows),
        lambda values, seen, ground: holds(values, day_of(values, seen, ground), ground),
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
