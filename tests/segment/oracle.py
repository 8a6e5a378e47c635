"""The language once more, in plain Python over lists of events: what the compiled expressions are compared with."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Warsaw")
ORDER, REFUNDS = "Order Completed", ("Order Refunded", "Order Cancelled")
DEEDS = {"bought": ORDER, "viewed": "Product Viewed", "added": "Product Added"}
Row = Mapping[str, Any]


@dataclass(frozen=True)
class World:
    """Everybody's events and order lines by person, the moment, and the traits that take more than one pass."""

    events: Mapping[int, Sequence[Row]]
    lines: Mapping[int, Sequence[Row]]
    now: datetime
    traits: Any  #: `get(person, otherwise)` gives the traits that take more than one pass, by key
    accounts: Mapping[int, Sequence[Row]] = field(default_factory=dict)  #: where each person belongs: role, traits, fields
    told: Mapping[str, Mapping[int, Any]] = field(default_factory=dict)  #: what other stores say: the gate, findings (value, confidence), homes
    segments: Mapping[Any, Row] = field(default_factory=dict)  #: the rules of others
    zone: ZoneInfo = ZONE


def members(rule: Row, world: World) -> set[int]:
    """Who a rule matches, of people with an event of their own up to now."""
    known = {person for person in world.events if past(world, person)}
    return {person for person in known if holds(rule, world, person)}


def past(world: World, person: int) -> list[Row]:
    """The person's events up to now, without those of bots."""
    return [event for event in world.events.get(person, ()) if event["occurred_at"] <= world.now and not event["is_bot"]]


def holds(rule: Row, world: World, person: int) -> bool:
    """Whether a rule holds for a person."""
    if "all" in rule:
        return all(holds(one, world, person) for one in rule["all"])
    if "any" in rule:
        return any(holds(one, world, person) for one in rule["any"])
    if "not" in rule:
        return not holds(rule["not"], world, person)
    op = rule["op"]
    if op == "in_segment":
        return holds(world.segments[rule["segment"]], world, person)
    if op in SPECIAL:
        return SPECIAL[op](rule, world, person)
    if op.startswith("trait_"):
        return trait_holds(op, rule, trait_of(rule["trait"], world, person), world)
    if op == "in_account":
        return any(in_account(rule, one) for one in world.accounts.get(person, ()))
    if op in ("rfm_group", "rfm_score", "life_cycle"):
        return group_holds(op, rule, world, person)
    return event_holds(op, rule, world, person)


# events ------------------------------------------------------------------------------------------------------------------


def event_holds(op: str, rule: Row, world: World, person: int) -> bool:
    if op == "everyone":
        return True
    if op == "active_days":
        return len({event["local_at"].date() for event in recent(past(world, person), rule, world)}) >= rule.get("at_least", 1)
    if op.split("_")[0] in DEEDS:
        deed, _, column = op.partition("_")
        lines = [line for line in world.lines.get(person, ()) if line["occurred_at"] <= world.now and line["name"] == DEEDS[deed] and line[column] == rule[column]]
        return len({line["event_id"] for line in recent(lines, rule, world)}) >= rule.get("at_least", 1)
    windowed = op not in ("first_did_within", "last_did_before")
    found = [event for event in past(world, person) if event["name"] == rule["event"] and all(passes(event, one) for one in rule.get("where", ()))]
    found = recent(found, rule, world) if windowed else found
    return counted(op, rule, found, world)


def counted(op: str, rule: Row, found: Sequence[Row], world: World) -> bool:
    values = [event["value_micros"] for event in found if event["value_micros"] is not None]
    days = timedelta(days=rule.get("days") or 0)
    match op:
        case "did":
            return len(found) >= rule.get("at_least", 1)
        case "did_not":
            return not found
        case "did_exactly":
            return len(found) == rule["times"]
        case "did_at_most":
            return len(found) <= rule["times"]
        case "total_over":
            return sum(values) > round(rule["more_than"] * 1_000_000)
        case "total_under":
            return sum(values) < round(rule["less_than"] * 1_000_000)
        case "average_over":
            return bool(values) and sum(values) > len(values) * round(rule["more_than"] * 1_000_000)
        case "average_under":
            return bool(values) and sum(values) < len(values) * round(rule["less_than"] * 1_000_000)
        case "property_average_over":
            numbers = [value for event in found if (value := number(text(event, rule["property"]))) is not None]
            return bool(numbers) and sum(numbers) > len(numbers) * rule["above"]
        case "last_matches" | "first_matches":
            pick = max if op == "last_matches" else min
            return bool(found) and all(passes(pick(found, key=lambda event: (event["occurred_at"], event["event_id"])), one) for one in rule["which"])
        case "property_total_over":
            return sum(number(text(event, rule["property"])) or 0 for event in found) > rule["above"]
        case "distinct_over":
            return len({text(event, rule["property"]) for event in found} - {None}) >= rule.get("at_least", 1)
        case "first_did_within":
            return bool(found) and min(event["occurred_at"] for event in found) > world.now - days
        case "last_did_before":
            return bool(found) and max(event["occurred_at"] for event in found) < world.now - days
        case "did_at_hours":
            start, end = rule["from_hour"], rule["to_hour"]
            hours = [event["local_at"].hour for event in found]
            return sum(start <= hour < end if start < end else hour >= start or hour < end for hour in hours) >= rule.get("at_least", 1)
        case _:
            assert op == "did_on_weekdays"
            return sum(event["local_at"].isoweekday() in rule["weekdays"] for event in found) >= rule.get("at_least", 1)


def recent(rows: Sequence[Row], rule: Row, world: World) -> list[Row]:
    if rule.get("days") is not None:
        rows = [row for row in rows if row["occurred_at"] > world.now - timedelta(days=rule["days"])]
    day = lambda row: row["occurred_at"].replace(tzinfo=UTC).astimezone(world.zone).date().isoformat()  # noqa: E731
    return [row for row in rows if rule.get("since", "") <= day(row) <= rule.get("until", "9999")]


def text(event: Row, name: str) -> str | None:
    value = event["properties_dict"].get(name)
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def number(value: str | None) -> float | None:
    try:
        found = float(value) if value is not None else None
    except ValueError:
        return None
    return found if found is not None and math.isfinite(found) else None


def passes(event: Row, filter_: Row) -> bool:
    if "property" in filter_:
        known = text(event, filter_["property"])
    elif filter_["field"] == "value":
        known = None if event["value_micros"] is None else str(event["value_micros"] / 1_000_000)
    else:
        known = event[filter_["field"]]
    key, wanted = next((key, value) for key, value in filter_.items() if key not in ("property", "field"))
    return compare(key, known, wanted)


def same(known: str, wanted: Any) -> bool:
    if isinstance(wanted, bool):
        return known == str(wanted).lower()
    return known == wanted if isinstance(wanted, str) else number(known) == wanted


def compare(key: str, known: str | None, wanted: Any) -> bool:
    if key == "known":
        return (known is not None) == wanted
    if known is None:
        return False
    value = number(known)
    match key:
        case "is":
            return same(known, wanted)
        case "is_not":
            return not same(known, wanted) and (isinstance(wanted, (str, bool)) or value is not None)
        case "in":
            return any(same(known, one) for one in wanted)
        case "contains":
            return wanted.lower() in known.lower()
        case "starts_with":
            return known.lower().startswith(wanted.lower())
        case "over":
            return value is not None and value > wanted
        case _:
            return value is not None and value < wanted


def in_account(rule: Row, belonging: Row) -> bool:
    asked = [(belonging["traits"] if "property" in one else belonging["fields"], one) for one in rule.get("where", ())]
    fits = (compare(key, known.get(one.get("property") or one["field"]), wanted) for known, one in asked for key, wanted in one.items() if key not in ("property", "field"))
    return rule.get("role") in (None, belonging["role"]) and all(fits)


# traits ------------------------------------------------------------------------------------------------------------------


def orders_in(events: Sequence[Row]) -> int:
    return len({event["order_id"] for event in events} - {None}) + sum(event["order_id"] is None for event in events)


def trait_of(key: str, world: World, person: int) -> Any:
    events = past(world, person)
    ordered = [event for event in events if event["name"] == ORDER]
    times = [event["occurred_at"] for event in ordered]
    visits = [event for event in events if event["session_id"] is not None]
    refunded = [event for event in events if event["name"] in REFUNDS]
    if key.startswith("declared."):
        return world.told[key].get(person)
    match key:
        case "first_seen":
            return min(event["occurred_at"] for event in events)
        case "last_seen":
            return max((event["occurred_at"] for event in visits), default=None)
        case "visit_count":
            return len({event["session_id"] for event in visits})
        case "order_count":
            return orders_in(ordered)
        case "first_order_at":
            return min(times, default=None)
        case "last_order_at":
            return max(times, default=None)
        case "monetary":
            return sum(event["value_micros"] or 0 for event in [*ordered, *refunded])
        case "average_basket":
            return sum(event["value_micros"] or 0 for event in ordered) // orders_in(ordered) if ordered else None
        case "refund_count":
            return orders_in(refunded)
        case _:
            return world.traits.get(person, {}).get(key)


def trait_holds(op: str, rule: Row, value: Any, world: World) -> bool:
    if op in ("trait_known", "trait_unknown"):
        return (value is not None) == (op == "trait_known")
    if value is None:
        return False
    if op in ("trait_within_days", "trait_before_days"):
        edge = world.now - timedelta(days=rule["days"])
        return value > edge if op == "trait_within_days" else value < edge
    if op == "trait_has":
        return rule["value"] in value
    if isinstance(value, str):
        key = {"trait_is": "is", "trait_is_not": "is_not", "trait_in": "in", "trait_over": "over", "trait_under": "under"}.get(op, op.removeprefix("trait_"))
        if op == "trait_between":
            held = number(value)
            return held is not None and rule["low"] <= held <= rule["high"]
        return compare(key, value, rule["values"] if op == "trait_in" else rule["value"])
    factor = 1_000_000 if rule["trait"] in ("monetary", "average_basket") else 1
    wanted = {key: [round(one * factor) for one in given] if isinstance(given, list) else round(given * factor) for key, given in rule.items() if key in ("value", "values", "low", "high")}
    match op:
        case "trait_is":
            return value == wanted["value"]
        case "trait_is_not":
            return value != wanted["value"]
        case "trait_in":
            return value in wanted["values"]
        case "trait_over":
            return value > wanted["value"]
        case "trait_under":
            return value < wanted["value"]
        case _:
            return wanted["low"] <= value <= wanted["high"]


# order in time, carts, days, places, permissions, parts ----------------------------------------------------------------------


def span(text_: str) -> timedelta:
    return int(text_[:-1]) * {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}[text_[-1]]


def named(world: World, person: int, name: str | None, where: Sequence[Row] = ()) -> list[Row]:
    return [event for event in past(world, person) if event["name"] == name and all(passes(event, one) for one in where)]


def did_then(rule: Row, world: World, person: int) -> bool:
    """Straight from the sentence: some A, some B later within the time, and no C strictly between the two."""
    starts, breaks = (named(world, person, rule["event"], rule.get("where", ())), named(world, person, rule.get("without")))
    ends = recent(named(world, person, rule["then"], rule.get("then_where", ())), rule, world)
    at = lambda event: event["occurred_at"]  # noqa: E731
    fits = [
        end for end in ends
        if any(at(start) < at(end) <= at(start) + span(rule["within"]) and not any(at(start) < at(one) < at(end) for one in breaks) for start in starts)
    ]  # fmt: skip
    return len(fits) >= rule.get("at_least", 1)


def did_without_then(rule: Row, world: World, person: int) -> bool:
    starts = recent(named(world, person, rule["event"], rule.get("where", ())), rule, world)
    ends = named(world, person, rule["then"], rule.get("then_where", ()))
    at, within = (lambda event: event["occurred_at"]), span(rule["within"])
    alone = [start for start in starts if at(start) + within <= world.now and not any(at(start) < at(end) <= at(start) + within for end in ends)]
    return len(alone) >= rule.get("at_least", 1)


def abandoned(rule: Row, world: World, person: int) -> bool:
    column = rule["op"].removeprefix("abandoned_")
    rows = past(world, person) if column == "cart" else [line for line in world.lines.get(person, ()) if line["occurred_at"] <= world.now and line[column] == rule[column]]
    added = [row["occurred_at"] for row in recent([row for row in rows if row["name"] == "Product Added"], rule, world)]
    bought = [row["occurred_at"] for row in rows if row["name"] == ORDER]
    return bool(added) and max(added) <= world.now - span(rule.get("after", "1h")) and (not bought or max(bought) < max(added))


def day_of(rule: Row, world: World, person: int) -> date | None:
    value = trait_of(rule["trait"], world, person)
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).astimezone(world.zone).date()
    try:
        return date.fromisoformat(value[:10]) if value and value[2:3] != "." else date(int(value[6:10]), int(value[3:5]), int(value[:2])) if value else None
    except ValueError:
        return None


def date_in_days(rule: Row, world: World, person: int) -> bool:
    day = day_of(rule, world, person)
    today = world.now.replace(tzinfo=UTC).astimezone(world.zone).date()
    return day is not None and rule.get("from_days", 0) <= (day - today).days <= rule["to_days"]


def anniversary(rule: Row, world: World, person: int) -> bool:
    day = day_of(rule, world, person)
    today = world.now.replace(tzinfo=UTC).astimezone(world.zone).date()
    return day is not None and any(celebrated(day, today + timedelta(days=ahead)) for ahead in range(rule.get("from_days", 0), rule["to_days"] + 1))


def celebrated(born: date, on: date) -> bool:
    try:
        return born.replace(year=on.year) == on
    except ValueError:  # 29 February in another year
        return (on.month, on.day) == (2, 28)


def lives(rule: Row, world: World, person: int) -> bool:
    home = world.told["home"].get(person)
    if home is None or home["confidence"] < (rule.get("confidence") or 0) / 100:
        return False
    if rule["op"] == "lives_near":
        return home["city"] in NEAR_KRAKOW
    return bool({home["country"], home["city"]} & set(rule["places"]))


def was(rule: Row, world: World, person: int) -> bool:
    inside = (lambda event: event["city"] in NEAR_KRAKOW) if rule["op"] == "was_near" else (lambda event: bool({event["country"], event["city"]} & set(rule["places"])))
    return len(recent([event for event in past(world, person) if inside(event)], rule, world)) >= rule.get("at_least", 1)


NEAR_KRAKOW = ("Kraków", "Wieliczka")
PRIME = 2**31 - 1


def random_part(rule: Row, world: World, person: int) -> bool:
    x = person
    for number_ in range(3):
        factor, summand = (int.from_bytes(sha256(f"{2 * number_ + side}:{rule['salt']}".encode()).digest()[:8]) for side in (0, 1))
        x = pow(x * (1 + factor % (PRIME - 1)) + summand % PRIME, 2, PRIME)
    return round(rule.get("from_percent", 0) / 100 * PRIME) <= x < round(rule["to_percent"] / 100 * PRIME)


def tenth(rule: Row, world: World, person: int) -> bool:
    """The share of people whose value is not larger, in tenths, rounded up."""
    known = [one for one in world.events if past(world, one)]
    values = [value for one in known if (value := trait_of(rule["trait"], world, one)) is not None]
    own = trait_of(rule["trait"], world, person)
    return own is not None and rule["from_tenth"] <= -(-10 * sum(value <= own for value in values) // len(values)) <= rule.get("to_tenth", 10)


def gate(rule: Row, world: World, person: int) -> bool:
    return world.told["gate"].get(person) in rule.get("states", ["ok"])


SPECIAL: dict[str, Callable[[Row, World, int], bool]] = {
    "did_then": did_then, "did_without_then": did_without_then, "abandoned_cart": abandoned, "abandoned_product": abandoned, "abandoned_category": abandoned,
    "date_in_days": date_in_days, "anniversary_in_days": anniversary, "lives_in": lives, "lives_near": lives, "was_in": was, "was_near": was,
    "random_part": random_part, "trait_tenth": tenth, "reachable": gate, "unreachable": gate, "consent_is": gate,
}  # fmt: skip


# groups ------------------------------------------------------------------------------------------------------------------


def group_holds(op: str, rule: Row, world: World, person: int) -> bool:
    if op == "life_cycle":
        return stage(world, person) in rule["groups"]
    if not trait_of("order_count", world, person):
        return False
    scores = {name: score(name, world, person) for name in ("recency", "frequency", "monetary")}
    if op == "rfm_score":
        return scores[rule["dimension"]] >= rule["at_least"]
    return rfm_group(scores, trait_of("order_count", world, person)) in rule["groups"]


def score(name: str, world: World, person: int) -> int:
    """Straight from the definition: the share of customers whose value is not larger, in fifths, rounded up."""
    customers = [one for one in world.events if past(world, one) and trait_of("order_count", world, one)]
    values = [dimension(name, world, one) for one in customers]
    own = dimension(name, world, person)
    return -(-5 * sum(value <= own for value in values) // len(values))


def dimension(name: str, world: World, person: int) -> int:
    if name == "recency":
        seconds = lambda moment: (moment - datetime(1970, 1, 1)) // timedelta(seconds=1)  # noqa: E731
        return -((seconds(world.now) - seconds(trait_of("last_order_at", world, person))) // 86_400)
    return trait_of("order_count" if name == "frequency" else "monetary", world, person)


def rfm_group(scores: Mapping[str, int], orders: int) -> str:
    recency, often, much = scores["recency"], scores["frequency"] >= 4 and orders >= 2, scores["monetary"] >= 4
    if often:
        if recency >= 4 and much:
            return "champions"
        if recency == 1 and much:
            return "cannot_lose"
        return "at_risk" if recency <= 2 else "loyal"
    if recency >= 4:
        return "new" if orders == 1 else "potential"
    return {3: "need_attention", 2: "hibernating", 1: "lost"}[recency]


def stage(world: World, person: int) -> str:
    times = [event["occurred_at"] for event in past(world, person) if event["name"] == ORDER]
    if not times:
        return "prospect"
    ago = lambda days: world.now - timedelta(days=days)  # noqa: E731
    if min(times) > ago(30):
        return "new"
    silent = not any(ago(270) < time <= ago(90) for time in times)
    if max(times) > ago(90):
        return "won_back" if silent and min(times) <= ago(270) else "active"
    return "at_risk" if max(times) > ago(180) else "lost"
