"""The table of the contract: every expression of the product, asked of one small world.

Nobody keeps this list: operators, analysers and calculations come from their own rows, and `test_engines` looks through the modules of reports for one
that is missing here. A question is asked through the door that the product itself uses, so what is kept aside for it is kept on the engine, too.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import pyarrow as pa

from cegla.analyse.rules import affinity, campaigns, click_map, purchases, sales
from cegla.plan import observation
from cegla.profile import actions as profile
from cegla.profile import analysing, past
from cegla.profile.analysing import Devices, When
from cegla.profile.catalogue import ANALYSERS
from cegla.profile.rules.facts import document, facts
from cegla.segment.operators import OPERATORS, Named, known_of, parsed
from cegla.segment.rules import rfm, tenths
from cegla.segment.rules.calculations import CALCULATIONS, read_counted
from cegla.segment.rules.compile import History, coming, members, membership, reasons, values_of
from cegla.segment.rules.computing import columns, documents
from cegla.segment.rules.history import Ground
from cegla.segment.rules.language import Operator, Question, leaves
from cegla.storage.warehouse import EVENTS, MOVES, ORDER_LINES, Readable, history
from tests.contracts.analysers import worlds as deeds
from tests.segment.worlds import NOW, event_row, line_rows

ZONE = ZoneInfo("Europe/Warsaw")
MOMENT = NOW.replace(tzinfo=None)
SINCE = MOMENT - timedelta(days=365)
FIRST_PERSON = 10_001
ABOUT = known_of((), (Named(1, "life_cycle.new", "Nowi", '{"op": "life_cycle", "groups": ["new"]}'),))
INSIDE = {key: FIRST_PERSON + 2 * number for number, key in enumerate(OPERATORS)}
PEOPLE = range(1, deeds.PEOPLE + 1)
#: identities of the world and whose they are; the others are their own
OWNERS = [(4, 3), (FIRST_PERSON + 3, FIRST_PERSON + 2)]


@dataclass(frozen=True)
class Case:
    """One expression with its name."""

    name: str
    ask: Callable[[Readable], pa.Table]


def world() -> list[dict[str, pa.Table]]:
    """Two batches: the examples of all operators, and a year of every kind of deed."""
    return [_examples(), _deeds()]


def _examples() -> dict[str, pa.Table]:
    events: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    for key, operator in OPERATORS.items():
        for person, done in ((INSIDE[key], operator.inside), (INSIDE[key] + 1, operator.outside)):
            for one in done:
                events.append(event_row(person, len(events) + 1, one, NOW) | {"currency": "PLN"})
                lines += line_rows(person, len(events), one, events[-1]["occurred_at"])
    moved = {"batch": 1, "move_id": 1, "moved_at": MOMENT, "identity_id": 4, "from_person": 4, "to_person": 3, "cause": "link", "rule": "same"}
    return {
        "events": pa.Table.from_pylist(events, EVENTS),
        "order_lines": pa.Table.from_pylist(lines, ORDER_LINES),
        "moves": pa.Table.from_pylist([moved], MOVES),
    }


def _deeds() -> dict[str, pa.Table]:
    drawn = random.Random(6)
    done = [
        deeds.Deed(
            drawn.choice(PEOPLE), drawn.randrange(500_000), drawn.choice(deeds.NAMES), drawn.randrange(4), drawn.randrange(10_000), drawn.randrange(1, 500)
        )
        for _ in range(600)
    ]
    rows = deeds.rows_of(done, first_event_id=100_001)
    rows = {name: table.set_column(table.schema.get_field_index("batch"), "batch", pa.array([2] * len(table), pa.int64())) for name, table in rows.items()}
    return {"events": rows["events"].select(EVENTS.names), "order_lines": rows["order_lines"].select(ORDER_LINES.names)}


def cases() -> list[Case]:
    """Every expression, by the name that a declared gap uses."""
    return [*_segments(), *_people(), *_reports(), *_sources(), *_analysers()]


def _segments() -> Iterator[Case]:
    for key, operator in OPERATORS.items():
        yield Case(f"segment:{key}", lambda engine, row=operator: _asked(engine, row, lambda rule, tables, ground: membership([rule], tables, ground)))
        yield Case(f"reasons:{key}", lambda engine, row=operator: _asked(engine, row, reasons))
    for name, rule in MORE_RULES.items():
        yield Case(f"segment:{name}", lambda engine, rule=rule: engine.run(membership([parsed(rule)], _history(), GROUND)))
        yield Case(f"members:{name}", lambda engine, rule=rule: engine.run(members(parsed(rule), _history(), GROUND)))
    yield Case("segment:coming", lambda engine: engine.run(coming(history(), Ground(MOMENT, zone=ZONE))))
    yield Case("rfm:bounds", lambda engine: engine.run(rfm.bounds(history(), MOMENT)))
    yield Case("tenths:values", lambda engine: engine.run(_tenth_values()))


#: what no example of an operator has: days of moments, conditions that several leaves share, order lines alone
MORE_RULES: dict[str, Any] = {
    "day of a moment": {"op": "date_in_days", "trait": "last_seen", "from_days": -200, "to_days": -30},
    "anniversary of a moment": {"op": "anniversary_in_days", "trait": "first_seen", "from_days": -200, "to_days": -100},
    "shared conditions": {"all": [{"op": "did", "event": "Order Completed", "days": 200}, {"op": "first_did_within", "event": "Order Completed", "days": 300}]},
    "lines alone": {"op": "bought_category", "category": "Kuchnia", "days": 400},
}


def _history(answers: dict[Question, Any] | None = None) -> History:
    return History(history(), history("order_lines"), lambda keys: profile.past.traits_of(NOW, None, keys), None, answers or {})


def _asked(engine: Readable, operator: Operator, question: Callable[..., Any]) -> pa.Table:
    rule = parsed(operator.example, ABOUT)
    inside = INSIDE[operator.key]
    with ExitStack() as stack:
        said = [{"person_id": person, **one} for person, one in zip((inside, inside + 1), operator.told, strict=True) if one is not None]
        answers = {asked: stack.enter_context(engine.keep(pa.Table.from_pylist(said))) for leaf in leaves(rule) if (asked := leaf.question) is not None}
        return engine.run(question(rule, _history(answers), GROUND))


def _tenth_values() -> Any:
    leaf = leaves(parsed(OPERATORS["trait_tenth"].example, ABOUT))[0]
    return values_of(leaf, tenths.known, _history(), Ground(MOMENT, zone=ZONE))


SCALE = rfm.Scale(MOMENT, 40, (-200, -60, -9, -2), (1, 2, 3, 4), (10_000_000, 100_000_000, 300_000_000, 900_000_000))
GROUND = Ground(MOMENT, SCALE, ZONE, (("monetary", tuple(float(10**power) for power in range(1, 10))),))


def _people() -> Iterator[Case]:
    asked = [(key, read_counted(row.example)) for key, row in CALCULATIONS.items()]
    yield Case("traits:columns", lambda engine: engine.run(profile.past.traits_of(NOW)))
    yield Case("traits:facts", lambda engine: engine.run(document(facts(history(), history("order_lines")))))
    yield Case("traits:some", _some_traits)
    for one in asked:
        yield Case(f"computed:{one[0]}", lambda engine, one=one: engine.run(columns([one], history(), Ground(MOMENT, zone=ZONE))))
    yield Case("computed:documents", lambda engine: engine.run(documents(asked, history(), Ground(MOMENT, zone=ZONE))))
    yield Case("past:timeline", lambda engine: _rows(past.timeline(engine, 3, (NOW, 100_300), 30, past.Wanted(kind="track"))))
    yield Case("past:kinds_of_events", lambda engine: _rows(past.kinds_of_events(engine, 3)))
    yield Case("past:latest_events", lambda engine: _rows(past.latest_events(engine, 100_010)))
    yield Case("past:event_of", lambda engine: _rows(past.event_of(engine, 100_010)))
    yield Case("past:events_of_batch", lambda engine: _rows(past.events_of_batch(engine, 1)))
    yield Case("past:traits_owed_to", lambda engine: _rows(past.traits_owed_to(engine, 3, 100_010, NOW)))
    yield Case("past:days_of_places", lambda engine: _rows(past.days_of_places(engine, NOW - timedelta(days=300))))
    yield Case("past:event_volumes", lambda engine: _rows(past.event_volumes(engine, NOW - timedelta(days=300))))


def _some_traits(engine: Readable) -> pa.Table:
    with engine.people([1, 3, INSIDE["did"], 999_999]) as people:
        return engine.run(profile.past.traits_of(NOW, people))


def _rows(found: Any) -> pa.Table:
    """What a function of the product made of its answer, as one column to compare."""
    return pa.table({"said": [repr(one) for one in (found if isinstance(found, list) else [found])]})


def _reports() -> Iterator[Case]:
    day = date(2026, 11, 23)
    start, end = MOMENT - timedelta(days=30), MOMENT + timedelta(hours=1)
    page = (history(), "/oferta/4", "phone", SINCE, MOMENT)
    asked: dict[str, Any] = {
        "sales.by_day": lambda: sales.by_day(history(), day - timedelta(days=90), day, MOMENT),
        "sales.until": lambda: sales.until(history(), start, end, MOMENT),
        "sales.new_people": lambda: sales.new_people(history(), start, end, MOMENT),
        "campaigns.answers": lambda: campaigns.answers(history(), 7, MOMENT),
        "campaigns.orders_after": lambda: campaigns.orders_after(history(), 7, MOMENT),
        "click_map.pages": lambda: click_map.pages(history(), SINCE, MOMENT),
        "click_map.clicks_of": lambda: click_map.clicks_of(*page),
        "click_map.elements": lambda: click_map.elements(click_map.clicks_of(*page)),
        "click_map.cells": lambda: click_map.cells(click_map.clicks_of(*page)),
        "click_map.within": lambda: click_map.within(click_map.clicks_of(*page), "#hero-banner"),
        "click_map.views": lambda: click_map.views(history(), "/oferta/4", SINCE, MOMENT),
        "campaigns.links": lambda: campaigns.links(history(), 7, MOMENT),
        **{f"campaigns.reached.{step}": lambda step=step: campaigns.reached(history(), 7, step, MOMENT) for step in (*campaigns.EVENTS, "ordered")},
        "purchases.bought": lambda: purchases.bought(history(), MOMENT_SAID - ibis.interval(days=365), MOMENT_SAID),
        "purchases.customers": lambda: purchases.customers(history(), history("order_lines"), MOMENT_SAID - ibis.interval(days=90), MOMENT_SAID),
        **{f"affinity.told.{kind}": lambda kind=kind: _told(kind) for kind in affinity.KINDS},
        "affinity.affinities": lambda: affinity.affinities(_told("category")),
        "affinity.by_value": lambda: affinity.by_value(affinity.affinities(_told("category"))),
        "rfm.groups_at": lambda: rfm.groups_at(history(), SCALE),
        "rfm.movements": lambda: rfm.movements(history(), replace(SCALE, at=MOMENT - timedelta(days=60)), SCALE),
    }
    for name, made in asked.items():
        yield Case(f"report:{name}", lambda engine, made=made: engine.run(made()))
    yield Case("report:campaigns.outcomes", lambda engine: _drawn(engine, lambda arms: campaigns.outcomes(history(), arms, start, end)))
    yield Case("report:campaigns.clickers", lambda engine: _drawn(engine, lambda arms: campaigns.clickers(history(), arms, 7, end)))
    yield Case("report:purchases.by_group", lambda engine: _drawn(engine, _by_group))


MOMENT_SAID: Any = ibis.literal(MOMENT, type="timestamp")


def _told(kind: str) -> Any:
    return affinity.told(history(), history("order_lines"), kind, MOMENT_SAID)


def _by_group(arms: Any) -> Any:
    return purchases.by_group(purchases.bought(history(), MOMENT_SAID - ibis.interval(days=365), MOMENT_SAID), arms.select("person_id", group=arms.arm))


def _drawn(engine: Readable, ask: Callable[[Any], Any]) -> pa.Table:
    """A question that has people by their arm aside."""
    arms = pa.table({"person_id": list(PEOPLE), "arm": ["ab"[one % 2] for one in PEOPLE], "measured": [one % 3 > 0 for one in PEOPLE]})
    with engine.keep(arms) as kept:
        return engine.run(ask(kept))


def _sources() -> Iterator[Case]:
    yield Case("plan:volumes", lambda engine: _rows(sorted(observation.volumes(engine, 1).items())))
    yield Case("plan:by_day", lambda engine: _rows(sorted(observation.by_day(engine, 1, date(2026, 11, 23)).items())))
    yield Case("plan:past_contents", lambda engine: _rows(sorted(vars(observation.past_contents(engine, 1, "Product Viewed")))))


def _analysers() -> Iterator[Case]:
    for row in ANALYSERS:
        yield Case(f"analyser:{row.key}", lambda engine, row=row: _seen(engine, row, row.facts))
        if row.fit is not None:
            yield Case(f"learns:{row.key}", lambda engine, row=row: _seen(engine, row, row.fit.learn_from))


def _seen(engine: Readable, row: Any, ask: Any) -> pa.Table:
    when = When(deeds.NOW, deeds.ZONE, weather=deeds.skies)
    with analysing.seen_of(engine, list(PEOPLE), [row], when, Devices(((2, 3),), frozenset({2}))) as seen:
        return engine.run(ask(seen).order_by("person_id"))
