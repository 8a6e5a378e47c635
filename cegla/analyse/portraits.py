"""Portraits of customers: baskets by age, size of town and sex, what people are drawn to, and groups of alike customers in words.

Age and sex are what somebody declared, never a guess; the size of a town is what an analyser found. Who objected to profiling is in no portrait,
and neither are bots. Money is in micros, times are aware and UTC.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import ibis
import numpy as np
import pyarrow as pa

from cegla.analyse.rules import affinity, clusters, purchases
from cegla.analyse.rules.clusters import FEATURES, Tried
from cegla.profile import actions as profile
from cegla.segment import actions as segment
from cegla.storage.warehouse import history
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.errors import InvalidInput
from cegla.vocabulary.text import Text

By = Literal["age", "town", "sex"]
AGE_KEYS, BIRTH_KEYS, SEX_KEYS = ("age", "wiek"), ("birthday", "birth_date", "birthdate", "date_of_birth", "data_urodzenia"), ("gender", "sex", "plec", "płeć")
YEAR_DAYS, FUTURE_DAYS = 365, 90
SEED, SHOWN = 20_261_123, 100
TOWN = "geo.city_size"

BASKETS = Text(
    "Zamówienia z ostatnich {days} dni. Średni koszyk: wartość zamówień przez ich liczbę; mediana: ze średnich koszyków osób. Wiek i płeć: tylko "
    "podane; wielkość miejscowości: z analizatora miejsca. Bez zwrotów, robotów i osób, które nie chcą profilowania.",
    "Orders of the last {days} days. Average basket: value of the orders by their number; median: of people's average baskets. Age and sex: only as "
    "declared; size of town: from the analyser of places. Without refunds, bots and people who objected to profiling.",
)
AFFINITY = Text(
    "Ściągnięte log-szanse: ile razy szanse osoby na tę wartość są większe niż wszystkich. Obejrzenie liczy się 1, koszyk 3, kupno 5, a wszystko o połowę "
    "mniej co {half} dni. „Wyraźnie” to co najmniej dwa razy, z pewnością 95% i wagą trzech obejrzeń. Pozycje zamówień nie mówią o marce, kolorze i temacie.",
    "Shrunken log-odds: how many times a person's odds of this value are those of everybody. A view counts 1, the cart 3, a purchase 5, and everything half "
    "as much each {half} days. “Clearly” means at least twice, at 95 % confidence, by three views or more. Order lines tell no brand, colour or topic.",
)
GROUPS = Text(
    "k-średnich na cechach sprzed {days} dni. Liczba grup: najmniejsza ze stabilnych (zgodność grup z losowych połówek), która niemal najlepiej wyjaśnia "
    "wydatki z ostatnich {days} dni (ε²). „Potem” to średnie wydatki osoby w tym czasie.",
    "k-means on what was known {days} days ago. Number of groups: of the stable ones (groups from random halves agree) the smallest that explains spending "
    "of the last {days} days nearly best (ε²). “Later” is what a person spent in that time on average.",
)


@dataclass(frozen=True)
class Basket:
    """Customers of one band of age, size of town or sex (None: not known) and what they bought."""

    group: str | None
    people: int
    orders: int
    gross_micros: int
    median_micros: int

    @property
    def average_micros(self) -> int:
        """The average basket."""
        return self.gross_micros // self.orders if self.orders else 0

    @property
    def orders_a_person(self) -> float:
        """How often each bought."""
        return self.orders / self.people if self.people else 0.0


@dataclass(frozen=True)
class Baskets:
    """All groups in their order, the unknown last; they add up to everybody who ordered."""

    by: By
    rows: tuple[Basket, ...]
    definition: Text
    as_of: datetime


@dataclass(frozen=True)
class Drawn:
    """One value: its share of everybody's weight (0 to 1), how many people had to do with it, how many are clearly drawn to it."""

    value: str
    share: float
    people: int
    drawn: int


@dataclass(frozen=True)
class Affinities:
    """Values of one kind, those with the most people drawn to them first, at most 100."""

    kind: str
    rows: tuple[Drawn, ...]
    definition: Text
    as_of: datetime


@dataclass(frozen=True)
class Liking:
    """One value of a person: how many times everybody's odds, and whether that is clear."""

    value: str
    times: float
    clear: bool


@dataclass(frozen=True)
class Group:
    """One group of alike customers, in words: its people (ascending), its share, medians by `FEATURES`, and what each spent later, in micros.

    `number` counts from 1, the group that spent the most later; rules of segments know the group by it.
    """

    number: int
    words: Text
    people: tuple[int, ...]
    share: float
    medians: Mapping[str, float]
    later_micros: int


@dataclass(frozen=True)
class Groups:
    """The groups, the largest spenders to come first; the numbers of groups that were tried, and what the chosen one came to."""

    rows: tuple[Group, ...]
    tried: tuple[Tried, ...]
    stability: float
    explains: float
    definition: Text
    as_of: datetime


def baskets(ws: Workspace, by: By, now: datetime, days: int = YEAR_DAYS) -> Baskets:
    """Orders and basket values by age, size of town or sex. Raises InvalidInput."""
    if by not in GROUPINGS:
        known = ", ".join(GROUPINGS)
        raise InvalidInput(where="/by", seen=ascii(by), detail=Text(f"podział to jedno z: {known}", f"a grouping is one of: {known}"))
    with ws.transaction() as conn:
        left_out, found = sorted(profile.places.objecting(conn)), GROUPINGS[by](conn, now.astimezone(ws.settings.zone).date())
    groups = pa.table({"person_id": pa.array(list(found), pa.int64()), "group": pa.array(list(found.values()), pa.string())})
    until: Any = _moment(now)
    events = _events("event_id", "order_id", "value_micros")
    with ws.warehouse.keep(groups) as named, ws.warehouse.keep(_people(left_out)) as excluded:
        bought = purchases.bought(events.anti_join(excluded, "person_id"), until - ibis.interval(days=days), until)
        rows = ws.warehouse.run(purchases.by_group(bought, named)).to_pylist()
    order = (*purchases.CITY_SIZES, "f", "m")
    made = [Basket(row["group"], row["people"], row["orders"], int(row["gross"]), round(row["median"] or 0)) for row in rows]
    ordered = sorted(made, key=lambda one: (one.group is None, order.index(one.group) if one.group in order else 0, _first_year(one.group)))
    return Baskets(by, tuple(ordered), _said(BASKETS, days=days), now)


def affinities(ws: Workspace, kind: str, now: datetime) -> Affinities:
    """To which categories, brands, colours or topics how many people are drawn. Raises InvalidInput."""
    rows = _affinity(ws, kind, now, lambda found: affinity.by_value(found).limit(SHOWN))
    made = tuple(Drawn(row["value"], row["share"], row["people"], row["drawn"]) for row in rows)
    return Affinities(kind, made, _said(AFFINITY, half=int(affinity.HALF_LIFE_DAYS)), now)


def drawn_to(ws: Workspace, kind: str, value: str, now: datetime) -> list[int]:
    """The people who are clearly drawn to a value, the most first. Raises InvalidInput."""
    rows = _affinity(ws, kind, now, lambda found: found.filter(found["clear"], found["value"] == value).order_by(found["odds"].desc(), found["person_id"]))
    return [row["person_id"] for row in rows]


def likings(ws: Workspace, kind: str, person_id: int, now: datetime) -> list[Liking]:
    """What one person is drawn to, the most first; nothing about who objected to profiling. Raises InvalidInput."""
    rows = _affinity(ws, kind, now, lambda found: found.filter(found["person_id"] == person_id).order_by(found["odds"].desc(), found["value"]))
    return [Liking(row["value"], round(float(np.exp(row["odds"])), 2), row["clear"]) for row in rows]


def groups(ws: Workspace, now: datetime) -> Groups:
    """Customers in groups of alike ones, as they were 90 days ago and by what they did since; everybody at once, so it takes some seconds."""
    moment, until = _moment(now - timedelta(days=FUTURE_DAYS)), _moment(now)
    with ws.transaction() as conn:
        left_out = sorted(profile.places.objecting(conn))
    with ws.warehouse.keep(_people(left_out)) as excluded:
        events = _events("event_id", "order_id", "value_micros").anti_join(excluded, "person_id")
        table = ws.warehouse.run(purchases.customers(events, history("order_lines"), moment, until)).sort_by("person_id")
    values = np.column_stack([table[feature.key].to_numpy().astype(np.float64) for feature in FEATURES])
    people, later = table["person_id"].to_numpy(), np.maximum(table["later"].to_numpy().astype(np.float64), 0)
    found = clusters.grouped(values, later, SEED)
    rows = tuple(
        Group(number, one.words, tuple(people[list(one.people)].tolist()), one.share, one.medians, round(one.later))
        for number, one in enumerate(found.groups, 1)
    )
    return Groups(rows, found.tried, found.stability, found.explains, _said(GROUPS, days=FUTURE_DAYS), now)


def of_everybody(ws: Workspace, now: datetime) -> dict[str, dict[int, list[str]]]:
    """What portraits say of each person, by kind: values that somebody is clearly drawn to (the most first), the number of the group of alike customers
    as `groups` has them, the declared band of age and sex. For rules of segments."""
    found: dict[str, dict[int, list[str]]] = {}
    for kind in affinity.KINDS:
        rows = _affinity(ws, kind, now, lambda one: one.filter(one["clear"]).order_by("person_id", one["odds"].desc(), "value"))
        found[kind] = {}
        for row in rows:
            found[kind].setdefault(row["person_id"], []).append(row["value"])
    found["group"] = {person: [str(row.number)] for row in groups(ws, now).rows for person in row.people}
    with ws.transaction() as conn:
        left_out, today = profile.places.objecting(conn), now.astimezone(ws.settings.zone).date()
        for kind in ("age", "sex"):
            found[kind] = {person: [word] for person, word in GROUPINGS[kind](conn, today).items() if person not in left_out}
    return found


def movements(ws: Workspace, first: date, second: date) -> segment.movements.Movements:
    """How customers moved between RFM groups from the end of one day of the shop to the end of another. Raises InvalidInput."""
    with ws.transaction() as conn:
        left_out = sorted(profile.places.objecting(conn))
    return segment.movements.between(ws.warehouse, _end_of(ws, first), _end_of(ws, second), left_out)


def moved(ws: Workspace, days: tuple[date, date], was: str, is_now: str) -> list[int]:
    """The people behind one movement, ascending. Raises InvalidInput."""
    with ws.transaction() as conn:
        left_out = sorted(profile.places.objecting(conn))
    return segment.movements.people_of(ws.warehouse, (_end_of(ws, days[0]), _end_of(ws, days[1])), was, is_now, left_out)


# whose -------------------------------------------------------------------------------------------------------------------


def _ages(conn: Connection, today: date) -> dict[int, str]:
    """The band of whoever declared an age or a day of birth; the day of birth counts before an age, which grows old."""
    found: dict[int, str] = {}
    for key in (*AGE_KEYS, *BIRTH_KEYS):
        for person, value in profile.declared.by_person(conn, key, None).items():
            band = purchases.age_band(age) if (age := _age(value, today, is_birth=key in BIRTH_KEYS)) is not None else None
            if band is not None:
                found[person] = band
    return found


def _age(value: Any, today: date, *, is_birth: bool) -> float | None:
    try:
        if not is_birth:
            return float(value)
        born = date.fromisoformat(str(value)[:10])
    except (TypeError, ValueError):
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _sexes(conn: Connection, today: date) -> dict[int, str]:
    found: dict[int, str] = {}
    for key in SEX_KEYS:
        for person, value in profile.declared.by_person(conn, key, None).items():
            if isinstance(value, str) and (known := purchases.SEXES.get(value.strip().lower())) is not None:
                found[person] = known
    return found


def _towns(conn: Connection, today: date) -> dict[int, str]:
    rows = profile.findings.by_person(conn, [TOWN], None)
    return {person: str(document[TOWN][0]) for person, document in rows.items() if document[TOWN][0] is not None}


GROUPINGS: Mapping[str, Callable[[Connection, date], dict[int, str]]] = {"age": _ages, "town": _towns, "sex": _sexes}


def _first_year(group: str | None) -> int:
    """Bands of age in their order; 0 for what is none."""
    text = (group or "").partition("-")[0].rstrip("+")
    return int(text) if text.isdecimal() else 0


def _affinity(ws: Workspace, kind: str, now: datetime, asked: Callable[[Any], Any]) -> list[dict[str, Any]]:
    if kind not in affinity.KINDS:
        known = ", ".join(affinity.KINDS)
        raise InvalidInput(where="/kind", seen=ascii(kind), detail=Text(f"rodzaj to jedno z: {known}", f"a kind is one of: {known}"))
    with ws.transaction() as conn:
        left_out = sorted(profile.places.objecting(conn))
    with ws.warehouse.keep(_people(left_out)) as excluded:
        rows = affinity.told(_events("event_id", "properties").anti_join(excluded, "person_id"), history("order_lines"), kind, _moment(now))
        shown = profile.past.telling_nothing(rows, "value", ws.settings.own_blocked)  # nobody is said to be drawn to medicines
        return ws.warehouse.run(asked(affinity.affinities(shown))).to_pylist()


def _people(ids: list[int]) -> pa.Table:
    return pa.table({"person_id": pa.array(ids, pa.int64())})


def _events(*columns: str) -> Any:
    return history(columns={"name", "occurred_at", "is_bot", *columns})


def _moment(at: datetime) -> Any:
    return ibis.literal(at.astimezone(UTC).replace(tzinfo=None), type="timestamp")


def _end_of(ws: Workspace, day: date) -> datetime:
    """The moment at which a day of the shop is over."""
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), ws.settings.zone).astimezone(UTC)


def _said(text: Text, **facts: object) -> Text:
    return Text(text.say("pl", **facts), text.say("en", **facts))
