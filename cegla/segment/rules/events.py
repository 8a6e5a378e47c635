"""Operators about what people did: how often, how long ago, for how much, with which product."""

from collections.abc import Mapping
from typing import Any

import ibis

from cegla.segment.rules.history import ORDER, Measure, Rows, later, passes, property_number, property_text
from cegla.segment.rules.language import Choice, Kind, Operator, Parameter, Past, Values
from cegla.vocabulary.money import to_micros
from cegla.vocabulary.text import Text

EVENT = Parameter("event", Kind.EVENT, Text("zdarzenie", "event"))
DAYS = Parameter("days", Kind.DAYS, Text("w ciągu ostatnich … dni", "in the last … days"), required=False)
SINCE = Parameter("since", Kind.DATE, Text("od dnia", "from the day"), required=False)
UNTIL = Parameter("until", Kind.DATE, Text("do dnia (włącznie)", "to the day (included)"), required=False)
WINDOW = (DAYS, SINCE, UNTIL)  #: the last so many days, or from one calendar day to another
WHERE = Parameter("where", Kind.FILTERS, Text("warunki zdarzenia", "conditions on the event"), required=False, default=())
AT_LEAST = Parameter("at_least", Kind.TIMES, Text("co najmniej", "at least"), required=False, default=1)
WHICH = Parameter("which", Kind.FILTERS, Text("takie, że", "such that"))
PROPERTY = Parameter("property", Kind.PROPERTY, Text("właściwość", "property"))
MORE_THAN = Parameter("more_than", Kind.MONEY, Text("więcej niż", "more than"))
LESS_THAN = Parameter("less_than", Kind.MONEY, Text("mniej niż", "less than"))
WEEKDAYS = tuple(
    Choice(str(number), label)
    for number, label in enumerate(
        (
            Text("poniedziałek", "Monday"),
            Text("wtorek", "Tuesday"),
            Text("środa", "Wednesday"),
            Text("czwartek", "Thursday"),
            Text("piątek", "Friday"),
            Text("sobota", "Saturday"),
            Text("niedziela", "Sunday"),
        ),
        start=1,
    )
)


def _named(values: Values, rows: Rows) -> Any:
    return rows.named(values["event"], values)


def _times(values: Values, rows: Rows) -> dict[str, Measure]:
    return {"times": rows.count(_named(values, rows))}


def _total(values: Values, rows: Rows) -> dict[str, Measure]:
    return {"total": rows.total(rows["value_micros"], _named(values, rows))}


def _average(values: Values, rows: Rows) -> dict[str, Measure]:
    priced = _named(values, rows) & rows["value_micros"].notnull()
    return {"total": rows.total(rows["value_micros"], priced), "times": rows.count(priced)}


def _property_total(values: Values, rows: Rows) -> dict[str, Measure]:
    return {"sum": rows.total(property_number(rows.table, values["property"]), _named(values, rows))}


def _property_average(values: Values, rows: Rows) -> dict[str, Measure]:
    number = property_number(rows.table, values["property"])
    told = _named(values, rows) & number.notnull()
    return {"sum": rows.total(number, told), "times": rows.count(told)}


def _matching(values: Values, rows: Rows, *, newest: bool) -> dict[str, Measure]:
    """Whether the newest, or the oldest, such event is as asked; of two at one moment the one that was taken in later is newer."""
    every: Any = ibis.and_(*(passes(rows.table, one) for one in values["which"]))
    fits = every.cast("int8")
    when = ibis.struct({"at": rows["occurred_at"], "number": rows["event_id"]})
    pick = fits.argmax if newest else fits.argmin
    return {"fits": rows.measure(lambda only: pick(when, where=only), _named(values, rows))}


def _distinct(values: Values, rows: Rows) -> dict[str, Measure]:
    return {"distinct": rows.distinct(property_text(rows.table, values["property"]), _named(values, rows))}


def _first(values: Values, rows: Rows) -> dict[str, Measure]:
    return {"first": rows.first(_named(values, rows))}


def _last(values: Values, rows: Rows) -> dict[str, Measure]:
    return {"last": rows.last(_named(values, rows))}


def _at_hours(values: Values, rows: Rows) -> dict[str, Measure]:
    start, end = values["from_hour"], values["to_hour"]
    hour = rows["local_at"].hour()
    inside = (hour >= start) & (hour < end) if start < end else (hour >= start) | (hour < end)
    return {"times": rows.count(_named(values, rows) & inside)}


def _on_weekdays(values: Values, rows: Rows) -> dict[str, Measure]:
    weekday = rows["local_at"].day_of_week.index() + 1
    return {"times": rows.count(_named(values, rows) & weekday.isin(values["weekdays"]))}


def _active_days(values: Values, rows: Rows) -> dict[str, Measure]:
    recent = rows.windowed(ibis.literal(True), values) if any(values[row.name] is not None for row in WINDOW) else None
    return {"distinct": rows.distinct(rows["local_at"].date(), recent)}


def _micros(amount: Any) -> int:
    return to_micros(amount) or 0


def _enough(values: Values, seen: Mapping[str, Any], _: Any) -> Any:
    return seen["times"] >= values["at_least"]


def _never(_: Values) -> bool:
    return False


EVENT_OPERATORS: tuple[Operator, ...] = (
    Operator(
        "everyone",
        "events",
        Text("każda znana osoba", "every known person"),
        Text("są znane", "are known"),
        (),
        lambda values, rows: {"times": rows.count()},
        lambda values, seen, ground: seen["times"] >= 1,
        lambda values: True,
        None,
        {"op": "everyone"},
        (Past("Page Viewed", 1),),
        (),
    ),
    Operator(
        "did",
        "events",
        Text("zrobiły … co najmniej … razy", "did … at least … times"),
        Text("{event}{where} co najmniej {at_least}{days}{since}{until}", "{event}{where} at least {at_least}{days}{since}{until}"),
        (EVENT, AT_LEAST, *WINDOW, WHERE),
        _times,
        _enough,
        _never,
        "times",
        {"op": "did", "event": "Order Completed", "at_least": 2, "days": 90},
        (Past(ORDER, 3), Past(ORDER, 80)),
        (Past(ORDER, 3), Past(ORDER, 91)),
    ),
    Operator(
        "did_not",
        "events",
        Text("ani razu nie zrobiły …", "did not do … at all"),
        Text("{event:not}{where}{days}{since}{until}", "{event:not}{where}{days}{since}{until}"),
        (EVENT, *WINDOW, WHERE),
        _times,
        lambda values, seen, ground: seen["times"] == 0,
        lambda values: True,
        "times",
        {"op": "did_not", "event": "Order Completed", "days": 60},
        (Past("Page Viewed", 1), Past(ORDER, 61)),
        (Past(ORDER, 59),),
    ),
    Operator(
        "did_exactly",
        "events",
        Text("zrobiły … dokładnie … razy", "did … exactly … times"),
        Text("{event}{where} dokładnie {times}{days}{since}{until}", "{event}{where} exactly {times}{days}{since}{until}"),
        (EVENT, Parameter("times", Kind.TIMES, Text("dokładnie", "exactly")), *WINDOW, WHERE),
        _times,
        lambda values, seen, ground: seen["times"] == values["times"],
        _never,
        "times",
        {"op": "did_exactly", "event": "Order Completed", "times": 1},
        (Past(ORDER, 400),),
        (Past(ORDER, 400), Past(ORDER, 1)),
    ),
    Operator(
        "did_at_most",
        "events",
        Text("zrobiły … najwyżej … razy", "did … at most … times"),
        Text("{event}{where} najwyżej {times}{days}{since}{until}", "{event}{where} at most {times}{days}{since}{until}"),
        (EVENT, Parameter("times", Kind.TIMES, Text("najwyżej", "at most")), *WINDOW, WHERE),
        _times,
        lambda values, seen, ground: seen["times"] <= values["times"],
        lambda values: True,
        "times",
        {"op": "did_at_most", "event": "Product Viewed", "times": 1},
        (Past("Product Viewed", 1),),
        (Past("Product Viewed", 1), Past("Product Viewed", 2)),
    ),
    Operator(
        "total_over",
        "events",
        Text("łączna wartość ponad …", "total value over …"),
        Text(
            "mają {event:of}{where}{days}{since}{until} na łączną kwotę ponad {more_than}",
            "have {event:of}{where}{days}{since}{until} worth more than {more_than} in total",
        ),
        (EVENT, MORE_THAN, *WINDOW, WHERE),
        _total,
        lambda values, seen, ground: seen["total"].fill_null(0) > _micros(values["more_than"]),
        lambda values: values["more_than"] < 0,
        "total",
        {"op": "total_over", "event": "Order Completed", "more_than": 500, "days": 90},
        (Past(ORDER, 1, 250), Past(ORDER, 2, 250.01)),
        (Past(ORDER, 1, 250), Past(ORDER, 2, 250), Past(ORDER, 91, 1000)),
    ),
    Operator(
        "total_under",
        "events",
        Text("łączna wartość poniżej …", "total value below …"),
        Text(
            "mają {event:of}{where}{days}{since}{until} na łączną kwotę poniżej {less_than} (także zero)",
            "have {event:of}{where}{days}{since}{until} worth less than {less_than} in total (zero too)",
        ),
        (EVENT, LESS_THAN, *WINDOW, WHERE),
        _total,
        lambda values, seen, ground: seen["total"].fill_null(0) < _micros(values["less_than"]),
        lambda values: True,
        "total",
        {"op": "total_under", "event": "Order Completed", "less_than": 100},
        (Past(ORDER, 1, 99.99),),
        (Past(ORDER, 1, 100),),
    ),
    Operator(
        "average_over",
        "events",
        Text("średnia wartość ponad …", "average value over …"),
        Text(
            "mają {event:of}{where}{days}{since}{until} średnio na ponad {more_than}",
            "have {event:of}{where}{days}{since}{until} worth more than {more_than} on average",
        ),
        (EVENT, MORE_THAN, *WINDOW, WHERE),
        _average,
        lambda values, seen, ground: seen["total"] > seen["times"] * _micros(values["more_than"]),
        _never,
        "total",
        {"op": "average_over", "event": "Order Completed", "more_than": 150},
        (Past(ORDER, 1, 100), Past(ORDER, 2, 201)),
        (Past(ORDER, 1, 100), Past(ORDER, 2, 200)),
    ),
    Operator(
        "property_total_over",
        "events",
        Text("suma właściwości ponad …", "sum of a property over …"),
        Text(
            "mają {event:of}{where}{days}{since}{until}, w których suma {property} przekracza {above}",
            "have {event:of}{where}{days}{since}{until} whose {property} adds up to more than {above}",
        ),
        (EVENT, PROPERTY, Parameter("above", Kind.NUMBER, Text("więcej niż", "more than")), *WINDOW, WHERE),
        _property_total,
        lambda values, seen, ground: seen["sum"].fill_null(0) > float(values["above"]),
        lambda values: values["above"] < 0,
        "sum",
        {"op": "property_total_over", "event": "Video Watched", "property": "minutes", "above": 30},
        (Past("Video Watched", 1, properties={"minutes": 20}), Past("Video Watched", 2, properties={"minutes": "10.5"})),
        (Past("Video Watched", 1, properties={"minutes": 30}), Past("Video Watched", 1, properties={"minutes": "many"})),
    ),
    Operator(
        "average_under",
        "events",
        Text("średnia wartość poniżej …", "average value below …"),
        Text(
            "mają {event:of}{where}{days}{since}{until} średnio na mniej niż {less_than}",
            "have {event:of}{where}{days}{since}{until} worth less than {less_than} on average",
        ),
        (EVENT, LESS_THAN, *WINDOW, WHERE),
        _average,
        lambda values, seen, ground: seen["total"] < seen["times"] * _micros(values["less_than"]),
        _never,
        "total",
        {"op": "average_under", "event": "Order Completed", "less_than": 150},
        (Past(ORDER, 1, 100), Past(ORDER, 2, 199)),
        (Past(ORDER, 1, 100), Past(ORDER, 2, 200)),
    ),
    Operator(
        "property_average_over",
        "events",
        Text("średnia właściwości ponad …", "average of a property over …"),
        Text(
            "mają {event:of}{where}{days}{since}{until}, w których średnia {property} przekracza {above}",
            "have {event:of}{where}{days}{since}{until} whose {property} averages more than {above}",
        ),
        (EVENT, PROPERTY, Parameter("above", Kind.NUMBER, Text("więcej niż", "more than")), *WINDOW, WHERE),
        _property_average,
        lambda values, seen, ground: seen["sum"] > seen["times"] * float(values["above"]),
        _never,
        lambda values, seen, ground: seen["sum"] / seen["times"].nullif(0),
        {"op": "property_average_over", "event": "Video Watched", "property": "minutes", "above": 10},
        (Past("Video Watched", 1, properties={"minutes": 20}), Past("Video Watched", 2, properties={"minutes": "1"}), Past("Video Watched", 3)),
        (Past("Video Watched", 1, properties={"minutes": 20}), Past("Video Watched", 1, properties={"minutes": 0})),
    ),
    Operator(
        "last_matches",
        "events",
        Text("ostatnie zdarzenie jest takie, że …", "the last event is such that …"),
        Text(
            "{event}{where}{days}{since}{until}, przy czym ostatnim razem {which:bare}",
            "{event}{where}{days}{since}{until}, the last time so that {which:bare}",
        ),
        (EVENT, WHICH, *WINDOW, WHERE),
        lambda values, rows: _matching(values, rows, newest=True),
        lambda values, seen, ground: seen["fits"] == 1,
        _never,
        None,
        {"op": "last_matches", "event": "Order Completed", "which": ({"property": "payment", "is": "blik"},)},
        (Past(ORDER, 9, properties={"payment": "card"}), Past(ORDER, 1, properties={"payment": "blik"})),
        (Past(ORDER, 9, properties={"payment": "blik"}), Past(ORDER, 1, properties={"payment": "card"})),
    ),
    Operator(
        "first_matches",
        "events",
        Text("pierwsze zdarzenie jest takie, że …", "the first event is such that …"),
        Text(
            "{event}{where}{days}{since}{until}, przy czym za pierwszym razem {which:bare}",
            "{event}{where}{days}{since}{until}, the first time so that {which:bare}",
        ),
        (EVENT, WHICH, *WINDOW, WHERE),
        lambda values, rows: _matching(values, rows, newest=False),
        lambda values, seen, ground: seen["fits"] == 1,
        _never,
        None,
        {"op": "first_matches", "event": "Page Viewed", "which": ({"field": "campaign_source", "is": "google"},)},
        (Past("Page Viewed", 9, columns={"campaign_source": "google"}), Past("Page Viewed", 1)),
        (Past("Page Viewed", 9), Past("Page Viewed", 1, columns={"campaign_source": "google"})),
    ),
    Operator(
        "distinct_over",
        "events",
        Text("co najmniej … różnych wartości", "at least … different values"),
        Text(
            "{event}{where} z co najmniej {at_least:different} {property}{days}{since}{until}",
            "{event}{where} with at least {at_least:different} of {property}{days}{since}{until}",
        ),
        (EVENT, PROPERTY, AT_LEAST, *WINDOW, WHERE),
        _distinct,
        lambda values, seen, ground: seen["distinct"] >= values["at_least"],
        _never,
        "distinct",
        {"op": "distinct_over", "event": "Product Viewed", "property": "brand", "at_least": 2},
        (Past("Product Viewed", 1, properties={"brand": "A"}), Past("Product Viewed", 1, properties={"brand": "B"})),
        (Past("Product Viewed", 1, properties={"brand": "A"}), Past("Product Viewed", 2, properties={"brand": "A"}), Past("Product Viewed", 3)),
    ),
    Operator(
        "first_did_within",
        "events",
        Text("po raz pierwszy w ostatnich … dniach", "for the first time in the last … days"),
        Text("po raz pierwszy {event}{where}{days}", "{event}{where} for the first time{days}"),
        (EVENT, Parameter("days", Kind.DAYS, Text("w ciągu ostatnich … dni", "in the last … days")), WHERE),
        lambda values, rows: _first({**values, "days": None}, rows),
        lambda values, seen, ground: seen["first"] > ground.ago(values["days"]),
        _never,
        "first",
        {"op": "first_did_within", "event": "Order Completed", "days": 30},
        (Past(ORDER, 29), Past(ORDER, 1)),
        (Past(ORDER, 31), Past(ORDER, 1)),
        moments=lambda values, seen, ground: [later(seen["first"], values["days"])],
    ),
    Operator(
        "last_did_before",
        "events",
        Text("ostatni raz dawniej niż … dni temu", "last more than … days ago"),
        Text("{event}{where}, ale ostatni raz dawniej niż {days:ago}", "{event}{where}, but last more than {days:ago}"),
        (EVENT, Parameter("days", Kind.DAYS, Text("dawniej niż … dni temu", "more than … days ago")), WHERE),
        lambda values, rows: _last({**values, "days": None}, rows),
        lambda values, seen, ground: seen["last"] < ground.ago(values["days"]),
        _never,
        "last",
        {"op": "last_did_before", "event": "Order Completed", "days": 60},
        (Past(ORDER, 61),),
        (Past(ORDER, 61), Past(ORDER, 59)),
        moments=lambda values, seen, ground: [later(seen["last"], values["days"])],
    ),
    Operator(
        "did_at_hours",
        "events",
        Text("zrobiły … o porze dnia", "did … at a time of day"),
        Text(
            "{event}{where} co najmniej {at_least} od godziny {from_hour} do {to_hour}{days}{since}{until}",
            "{event}{where} at least {at_least} from {from_hour} to {to_hour} o'clock{days}{since}{until}",
        ),
        (
            EVENT,
            Parameter("from_hour", Kind.HOUR, Text("od godziny", "from hour")),
            Parameter("to_hour", Kind.HOUR, Text("do godziny (bez niej)", "to hour (not included)")),
            AT_LEAST,
            *WINDOW,
            WHERE,
        ),
        _at_hours,
        _enough,
        _never,
        "times",
        {"op": "did_at_hours", "event": "Page Viewed", "from_hour": 22, "to_hour": 6},
        (Past("Page Viewed", 1, columns={"local_hour": 23}),),
        (Past("Page Viewed", 1, columns={"local_hour": 6}), Past("Page Viewed", 1, columns={"local_hour": 21})),
    ),
    Operator(
        "did_on_weekdays",
        "events",
        Text("zrobiły … w dni tygodnia", "did … on weekdays"),
        Text(
            "{event}{where} co najmniej {at_least} w dni: {weekdays}{days}{since}{until}",
            "{event}{where} at least {at_least} on: {weekdays}{days}{since}{until}",
        ),
        (EVENT, Parameter("weekdays", Kind.WEEKDAYS, Text("dni tygodnia", "days of the week"), choices=WEEKDAYS), AT_LEAST, *WINDOW, WHERE),
        _on_weekdays,
        _enough,
        _never,
        "times",
        {"op": "did_on_weekdays", "event": "Order Completed", "weekdays": [6, 7]},
        (Past(ORDER, 1, columns={"weekday": 7}),),
        (Past(ORDER, 1, columns={"weekday": 1}),),
    ),
    Operator(
        "active_days",
        "events",
        Text("aktywne przez co najmniej … dni", "active on at least … days"),
        Text("były aktywne przez co najmniej {at_least:days}{days}{since}{until}", "were active on at least {at_least:days}{days}{since}{until}"),
        (AT_LEAST, *WINDOW),
        _active_days,
        lambda values, seen, ground: seen["distinct"] >= values["at_least"],
        _never,
        "distinct",
        {"op": "active_days", "at_least": 2, "days": 30},
        (Past("Page Viewed", 1), Past("Page Viewed", 5)),
        (Past("Page Viewed", 1), Past("Page Viewed", 31.5)),
    ),
)
