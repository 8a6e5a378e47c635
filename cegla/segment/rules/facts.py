"""Operators about what is known of a person: comparisons of traits. What is not known compares to nothing."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import ibis

from cegla.segment.rules.history import COMPARISONS, Ground, Measure, Rows, later
from cegla.segment.rules.language import Kind, Operator, Parameter, Past, Values
from cegla.segment.rules.traits import TraitRow
from cegla.vocabulary.money import to_micros
from cegla.vocabulary.text import Text

CONFIDENCE = Parameter("confidence", Kind.PERCENT, Text("pewność co najmniej (%)", "confidence at least (%)"), required=False)
COMPARABLE = ("count", "money", "hour", "text", "number")
MEASURED = ("count", "money", "hour", "number")


def _trait(*kinds: str) -> Parameter:
    return Parameter("trait", Kind.TRAIT, Text("cecha", "trait"), traits=kinds)


def _value(name: str, pl: str, en: str) -> Parameter:
    return Parameter(name, Kind.VALUE, Text(pl, en))


def _row_of(values: Values) -> TraitRow:
    return values["row"]


def _measures(values: Values, rows: Rows) -> dict[str, Measure]:
    return _row_of(values).measures(rows)


def known(values: Values, seen: Any, ground: Ground) -> Any:
    """The trait's value, null when unknown or not sure enough; money in micros."""
    value = _row_of(values).value(seen, ground)
    least = values.get("confidence")
    return value if least is None else ibis.ifelse(seen["confidence"] >= least / 100, value, ibis.null())


def _threshold_moments(values: Values, seen: Any, ground: Ground) -> list[Any]:
    """When a score that falls with time will have fallen to a value it is compared with: 100·p / (p + 10) halves p at a known pace."""
    pace = _row_of(values).halves_every_seconds
    if pace is None:
        return []
    score = known(values, seen, ground)
    points = score * 10 / (100 - score)
    moments: list[Any] = []
    for wanted in (values[name] for name in ("value", "low", "high") if isinstance(values.get(name), (int, float)) and 0 < values[name] < 100):
        seconds = (points / (wanted * 10 / (100 - wanted))).log2() * pace
        ahead: Any = ibis.ifelse((points > 0) & (seconds > 0), seconds, ibis.null("float64"))
        moments.append(ground.ago(0) + (ahead.ceil().cast("int64") + 1).as_interval("s"))
    return moments


def _dated_moments(values: Values, seen: Any, ground: Ground) -> list[Any]:
    return [later(known(values, seen, ground), values["days"])]


def _wanted(values: Values, value: Any) -> Any:
    """The typed value as the history has it: money in micros."""
    return to_micros(value) if _row_of(values).kind == "money" else value


def _is_text(values: Values) -> bool:
    return _row_of(values).kind == "text"


def _same(values: Values, value: Any, wanted: Any) -> Any:
    return COMPARISONS["is"].holds(value, wanted) if _is_text(values) else value == _wanted(values, wanted)


def _over(values: Values, value: Any, wanted: Any) -> Any:
    return COMPARISONS["over"].holds(value, wanted) if _is_text(values) else value > _wanted(values, wanted)


def _under(values: Values, value: Any, wanted: Any) -> Any:
    return COMPARISONS["under"].holds(value, wanted) if _is_text(values) else value < _wanted(values, wanted)


def _between(values: Values, value: Any) -> Any:
    return ~_under(values, value, values["low"]) & ~_over(values, value, values["high"])


def _has_zero(values: Values) -> bool:
    """Whether somebody without a trace has a value: then nobody can be left unread."""
    return _row_of(values).zero


def _zero_is_over(values: Values) -> bool:
    return _has_zero(values) and values["value"] < 0


class Like(NamedTuple):
    """An example: the rule without its operator, somebody it matches, somebody it does not."""

    rule: dict[str, Any]
    inside: tuple[Past, ...]
    outside: tuple[Past, ...]
    told: tuple[dict[str, Any] | None, dict[str, Any] | None] = (None, None)


def _row(key: str, label: Text, sentence: Text, parameters: tuple[Parameter, ...], holds: Callable[[Values, Any, Ground], Any], like: Like) -> Operator:
    return Operator(
        key=key,
        group="traits",
        label=label,
        sentence=sentence,
        parameters=(*parameters, CONFIDENCE),
        measures=_measures,
        holds=lambda values, seen, ground: holds(values, known(values, seen, ground), ground),
        empty=_has_zero,
        shows=known,
        example={"op": key, **like.rule},
        inside=like.inside,
        outside=like.outside,
        told=like.told,
        moments=_dated_moments if key in ("trait_within_days", "trait_before_days") else _threshold_moments,
    )


def _order(days_ago: float, value: float | None = None) -> Past:
    return Past("Order Completed", days_ago, value)


def _page(days_ago: float, **columns: Any) -> Past:
    return Past("Page Viewed", days_ago, columns=columns)


_ROWS: tuple[Operator, ...] = (
    _row(
        "trait_is",
        Text("cecha jest równa", "trait equals"),
        Text("których {trait} to {value}", "whose {trait} is {value}"),
        (_trait(*COMPARABLE), _value("value", "równa", "equal to")),
        lambda values, value, ground: _same(values, value, values["value"]),
        Like(
            {"trait": "country", "value": "PL"}, (_page(9, country="DE"), _page(1, country="PL"), _page(0.5)), (_page(9, country="PL"), _page(1, country="DE"))
        ),
    ),
    _row(
        "trait_is_not",
        Text("cecha jest znana i inna niż", "trait is known and other than"),
        Text("których {trait} to coś innego niż {value}", "whose {trait} is something other than {value}"),
        (_trait(*COMPARABLE), _value("value", "inna niż", "other than")),
        lambda values, value, ground: ~_same(values, value, values["value"]),
        Like({"trait": "device", "value": "phone"}, (_page(1, device_type="desktop"),), (_page(1, device_type="phone"), _page(2, device_type="desktop"))),
    ),
    _row(
        "trait_in",
        Text("cecha jest jedną z", "trait is one of"),
        Text("których {trait} to {values}", "whose {trait} is {values}"),
        (_trait(*COMPARABLE), Parameter("values", Kind.VALUES, Text("jedna z", "one of"))),
        lambda values, value, ground: ibis.or_(*(_same(values, value, one) for one in values["values"])),
        Like({"trait": "language", "values": ["pl", "uk"]}, (_page(1, language="uk"),), (_page(1, language="en"),)),
    ),
    _row(
        "trait_over",
        Text("cecha jest większa niż", "trait is more than"),
        Text("których {trait} to więcej niż {value}", "whose {trait} is more than {value}"),
        (_trait(*MEASURED, "text"), _value("value", "większa niż", "more than")),
        lambda values, value, ground: _over(values, value, values["value"]),
        Like({"trait": "monetary", "value": 99.99}, (_order(1, 120), Past("Order Refunded", 0.5, -20)), (_order(1, 99.99),)),
    ),
    _row(
        "trait_under",
        Text("cecha jest mniejsza niż", "trait is less than"),
        Text("których {trait} to mniej niż {value}", "whose {trait} is less than {value}"),
        (_trait(*MEASURED, "text"), _value("value", "mniejsza niż", "less than")),
        lambda values, value, ground: _under(values, value, values["value"]),
        Like({"trait": "average_basket", "value": 100}, (_order(1, 150), _order(2, 49)), (_order(1, 150), _order(2, 50))),
    ),
    _row(
        "trait_between",
        Text("cecha jest w przedziale", "trait is between"),
        Text("których {trait} to od {low} do {high}", "whose {trait} is from {low} to {high}"),
        (_trait(*MEASURED, "text"), _value("low", "od", "from"), _value("high", "do (włącznie)", "to (included)")),
        lambda values, value, ground: _between(values, value),
        Like({"trait": "order_count", "low": 2, "high": 3}, (_order(1), _order(2), _order(3)), (_order(1),)),
    ),
    _row(
        "trait_contains",
        Text("cecha zawiera tekst", "trait contains"),
        Text("których {trait} zawiera {value}", "whose {trait} contains {value}"),
        (_trait("text"), Parameter("value", Kind.TEXT, Text("zawiera", "contains"))),
        lambda values, value, ground: COMPARISONS["contains"].holds(value, values["value"]),
        Like(
            {"trait": "top_referrer", "value": "GOOGLE"},
            (_page(1, referrer_kind="search", referrer_host="google.pl"), _page(2, referrer_kind="search", referrer_host="google.pl")),
            (_page(1, referrer_kind="direct"), _page(2, referrer_kind="direct")),
        ),
    ),
    _row(
        "trait_starts_with",
        Text("cecha zaczyna się od", "trait starts with"),
        Text("których {trait} zaczyna się od {value}", "whose {trait} starts with {value}"),
        (_trait("text"), Parameter("value", Kind.TEXT, Text("zaczyna się od", "starts with"))),
        lambda values, value, ground: COMPARISONS["starts_with"].holds(value, values["value"]),
        Like({"trait": "declared.plan", "value": "Gold"}, (_page(1),), (_page(1),), ({"value": "gold+"}, {"value": "free gold"})),
    ),
    _row(
        "trait_has",
        Text("lista zawiera", "list includes"),
        Text("których {trait} to między innymi {value}", "whose {trait} include {value}"),
        (_trait("list"), Parameter("value", Kind.TEXT, Text("zawiera", "includes"))),
        lambda values, value, ground: value.contains(values["value"]),
        Like(
            {"trait": "favourite_categories", "value": "Kuchnia"},
            (Past("Order Completed", 1, 5, lines=(("Kubek", "Kuchnia"),) * 3),),
            (Past("Order Completed", 1, 5, lines=(("Piła", "Ogród"),) * 3),),
        ),
    ),
    _row(
        "trait_known",
        Text("cecha jest znana", "trait is known"),
        Text("o których wiemy: {trait}", "whose {trait} is known"),
        (_trait(),),
        lambda values, value, ground: value.notnull(),
        Like({"trait": "last_order_at"}, (_order(400),), (_page(1),)),
    ),
    _row(
        "trait_within_days",
        Text("cecha: data w ostatnich … dniach", "trait: date in the last … days"),
        Text("których {trait} przypada{days}", "whose {trait} was{days}"),
        (_trait("moment"), Parameter("days", Kind.DAYS, Text("w ciągu ostatnich … dni", "in the last … days"))),
        lambda values, value, ground: value > ground.ago(values["days"]),
        Like({"trait": "last_seen", "days": 7}, (_page(100), _page(6)), (_page(8),)),
    ),
    _row(
        "trait_before_days",
        Text("cecha: data dawniej niż … dni temu", "trait: date more than … days ago"),
        Text("których {trait} przypada dawniej niż {days:ago}", "whose {trait} was more than {days:ago}"),
        (_trait("moment"), Parameter("days", Kind.DAYS, Text("dawniej niż … dni temu", "more than … days ago"))),
        lambda values, value, ground: value < ground.ago(values["days"]),
        Like({"trait": "first_seen", "days": 365}, (_page(400), _page(1)), (_page(300),)),
    ),
)
#: nobody without a trace has more than nothing, unless the amount is negative
TRAIT_OPERATORS = tuple(replace(row, empty=_zero_is_over) if row.key == "trait_over" else row for row in _ROWS)

UNKNOWN = Operator(
    "trait_unknown",
    "traits",
    Text("cecha jest nieznana", "trait is unknown"),
    Text("o których nie wiemy: {trait}", "whose {trait} is unknown"),
    (_trait(),),
    _measures,
    lambda values, seen, ground: known(values, seen, ground).isnull(),
    lambda values: True,
    known,
    {"op": "trait_unknown", "trait": "country"},
    (_page(1),),
    (_page(1, country="PL"),),
)
