"""The first traits, one row each: what is known of a person, out of the facts, and the sentence that says why.

A row reads its value from facts with plain operators, so the same function answers for one person's facts (a mapping) and for
everybody's (an Ibis table). Docs, console and segment operators are derived from the rows.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import ibis

from cegla.profile.rules.confidence import share_lower_bound
from cegla.profile.rules.facts import HALF_LIFE_SECONDS, HEAT_EPOCH_SECONDS, MOMENTS, Table
from cegla.vocabulary.people import Trait
from cegla.vocabulary.text import Text

ValueType = Literal["moment", "number", "micros", "hour", "word", "list", "score"]
Read = Callable[[Any, Any], Any]  #: (facts of one person or an Ibis table of facts, half-lives until now) → value


@dataclass(frozen=True)
class TraitRow:
    """One trait. `evidence` names the fact that counts its evidence, `share` the two whose ratio tells how sure it is."""

    key: str
    label: Text
    sentence: Text  #: its placeholders are filled by `sentences.why`
    value_type: ValueType
    purpose: str
    method: str
    evidence: str
    read: Read
    share: tuple[str, str] | None = None
    min_evidence: int = 1
    otherwise: int | None = None  #: the value without evidence, where that is known and not unknown: no orders are 0 orders

    def column(self, facts: Table, now: datetime) -> Any:
        """The trait of everybody, as an Ibis column over `facts`; null where it is unknown."""
        enough = facts[self.evidence] >= self.min_evidence
        missing = ibis.null() if self.otherwise is None else self.otherwise
        return ibis.ifelse(enough, self.read(facts, half_lives(now)), missing)

    def of(self, facts: Mapping[str, Any], computed_at: datetime, now: datetime) -> Trait:
        """The trait of one person."""
        evidence = facts.get(self.evidence) or 0
        if evidence < self.min_evidence:
            confidence = 0.0 if self.otherwise is None else 1.0
            return self._trait(self.otherwise, confidence, evidence, facts, computed_at)
        value = self.read(facts, half_lives(now))
        return self._trait(value, 0.0 if value is None else self._confidence(facts), evidence, facts, computed_at)

    def _confidence(self, facts: Mapping[str, Any]) -> float:
        if self.share is None:
            return 1.0 if self.value_type != "micros" or (facts.get("currencies") or 0) <= 1 else 0.5
        hits, total = facts.get(self.share[0]) or 0, facts.get(self.share[1]) or 0
        evidence = facts.get(self.evidence) or 0
        return round(share_lower_bound(evidence * hits / total, evidence), 3) if total else 0.0

    def _trait(self, value: Any, confidence: float, evidence: int, facts: Mapping[str, Any], computed_at: datetime) -> Trait:
        return Trait(self.key, value, confidence, evidence, dict(facts), self.method, computed_at, self.purpose)


def readable(document: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as they were kept (see `facts.document`), with their moments as aware times in UTC."""
    known = dict(document)
    for name in MOMENTS:
        if value := known.get(name):
            known[name] = datetime.fromisoformat(value).replace(tzinfo=UTC)
    return known


def half_lives(now: datetime) -> float:
    """How many half-lives of engagement have passed since the moment that `heat` counts from."""
    return (now.timestamp() - HEAT_EPOCH_SECONDS) / HALF_LIFE_SECONDS


def fact(name: str) -> Read:
    """A trait that is a fact as it stands."""
    return lambda facts, _: facts[name]


def engagement(facts: Any, elapsed: Any) -> Any:
    """0 to 100: p / (p + 10) of the points that are left today; a fresh order counts 10 points, so alone it gives 50."""
    points = 2.0 ** (facts["heat"] - elapsed)
    return 100.0 * points / (points + 10.0)


def _favourite(name: str) -> tuple[str, str]:
    return (f"{name}_hits", f"{name}_of")


_ANALYTICS, _PROFILING = "analytics", "profiling"

TRAITS: tuple[TraitRow, ...] = (
    TraitRow("first_seen", Text("Pierwszy raz", "First seen"),
        Text("Najwcześniejsze z {events} zdarzeń jest z {first_seen}.", "The earliest of {events} events is from {first_seen}."),
        "moment", _ANALYTICS, "earliest@1", "events", fact("first_seen")),
    TraitRow("last_seen", Text("Ostatnio", "Last seen"),
        Text("Ostatnie własne działanie: {last_seen} ({last_seen_ago}). Wysłane wiadomości się nie liczą.",
            "Last own action: {last_seen} ({last_seen_ago}). Messages we sent do not count."),
        "moment", _ANALYTICS, "latest@1", "deeds", fact("last_seen")),
    TraitRow("visit_count", Text("Wizyty", "Visits"), Text("Liczba sesji rozdzielonych przerwą co najmniej 30 minut: {visits}, od {first_seen}.",
        "Sessions set apart by 30 minutes or more: {visits}, since {first_seen}."),
        "number", _ANALYTICS, "sessions@1", "visits", fact("visits"), otherwise=0),
    TraitRow("order_count", Text("Zamówienia", "Orders"), Text("Liczba różnych numerów zamówień: {orders}.", "Distinct order numbers: {orders}."),
        "number", _ANALYTICS, "count@1", "orders", fact("orders"), otherwise=0),
    TraitRow("first_order_at", Text("Pierwsze zamówienie", "First order"),
        Text("Najwcześniejsze z zamówień ({orders}): {first_order}.", "The earliest of the orders ({orders}): {first_order}."),
        "moment", _ANALYTICS, "earliest@1", "orders", fact("first_order")),
    TraitRow("last_order_at", Text("Ostatnie zamówienie", "Last order"),
        Text("Ostatnie z zamówień ({orders}): {last_order} ({last_order_ago}).", "The latest of the orders ({orders}): {last_order} ({last_order_ago})."),
        "moment", _ANALYTICS, "latest@1", "orders", fact("last_order")),
    TraitRow("monetary_micros", Text("Wartość zakupów", "Money spent"),
        Text("Zamówienia {gross} minus zwroty {refunded} daje {net}.{mixed}", "Orders {gross} less refunds {refunded} makes {net}.{mixed}"),
        "micros", _ANALYTICS, "net@1", "payments", lambda facts, _: facts["gross_micros"] + facts["refunded_micros"], otherwise=0),
    TraitRow("average_basket_micros", Text("Średni koszyk", "Average basket"),
        Text("{gross} w zamówieniach, podzielone przez ich liczbę ({orders}).{mixed}", "{gross} of orders, divided by their number ({orders}).{mixed}"),
        "micros", _ANALYTICS, "mean@1", "orders", lambda facts, _: facts["gross_micros"] // facts["orders"]),
    TraitRow("refund_count", Text("Zwroty", "Refunds"), Text("Zwroty i anulowania: {refunds}, razem {refunded}.",
        "Refunds and cancellations: {refunds}, together {refunded}."),
        "number", _ANALYTICS, "count@1", "refunds", fact("refunds"), otherwise=0),
    TraitRow("usual_hour", Text("Zwykła godzina", "Usual hour"),
        Text("Sesji zaczętych o godzinie {hour}: {hour_hits} z {hour_of} (czas sklepu).",
            "Sessions begun in the hour of {hour}: {hour_hits} of {hour_of} (the shop's time)."),
        "hour", _PROFILING, "mode_wilson@1", "hour_of", fact("hour"), _favourite("hour"), min_evidence=3),
    TraitRow("device", Text("Urządzenie", "Device"), Text("Sesje na urządzeniu typu {device}: {device_hits} z {device_of}.",
        "Sessions on a {device}: {device_hits} of {device_of}."),
        "word", _ANALYTICS, "mode_wilson@1", "device_of", fact("device"), _favourite("device")),
    TraitRow("country", Text("Kraj", "Country"), Text("Sesje z krajem {country}: {country_hits} z {country_of}, w których kraj był podany.",
        "Sessions that name {country}: {country_hits} of {country_of} that name a country."),
        "word", _ANALYTICS, "mode_wilson@1", "country_of", fact("country"), _favourite("country")),
    TraitRow("language", Text("Język", "Language"), Text("Sesje w języku: {language}: {language_hits} z {language_of}.",
        "Sessions in {language}: {language_hits} of {language_of}."),
        "word", _ANALYTICS, "mode_wilson@1", "language_of", fact("language"), _favourite("language")),
    TraitRow("top_referrer", Text("Skąd przychodzi", "Comes from"),
        Text("Sesje zaczęte z „{origin}”: {origin_hits} z {origin_of}.", "Sessions begun from “{origin}”: {origin_hits} of {origin_of}."),
        "word", _ANALYTICS, "mode_wilson@1", "origin_of", fact("origin"), _favourite("origin"), min_evidence=2),
    TraitRow("favourite_categories", Text("Ulubione kategorie", "Favourite categories"),
        Text("„{category}” zebrała {category_hits} z {category_of} punktów: 3 za kupno, 2 za koszyk, 1 za obejrzenie ({category_evidence} razy).",
            "“{category}” got {category_hits} of {category_of} points: 3 a purchase, 2 a basket, 1 a look ({category_evidence} times)."),
        "list", _PROFILING, "weighted_wilson@1", "category_evidence", fact("categories"), _favourite("category"), min_evidence=3),
    TraitRow("favourite_product", Text("Najczęściej kupowany produkt", "Most bought product"),
        Text("„{product}” kupowano {product_hits} razy na {product_of} pozycji zamówień.",
            "“{product}” was bought {product_hits} times in {product_of} order lines."),
        "word", _PROFILING, "mode_wilson@1", "product_of", fact("product"), _favourite("product"), min_evidence=3),
    TraitRow("engagement", Text("Zaangażowanie", "Engagement"),
        Text("Działania ({deeds}) ważone i tracące połowę wagi co 21 dni; ostatnie {last_seen} ({last_seen_ago}).",
            "Actions ({deeds}), weighted and losing half their weight every 21 days; the latest {last_seen} ({last_seen_ago})."),
        "score", _PROFILING, "half_life@1", "deeds", engagement),
)  # fmt: skip
BY_KEY: dict[str, TraitRow] = {row.key: row for row in TRAITS}


def trait_columns(facts: Table, now: datetime, keys: Collection[str] | None = None) -> Table:
    """`person_id` and one column a trait (of these `keys`, or of all), null where unknown: what segments compare with."""
    return facts.select(facts.person_id, **{row.key: row.column(facts, now) for row in TRAITS if keys is None or row.key in keys})


def favourites_of(keys: Collection[str]) -> tuple[list[str], bool]:
    """The favourites among the facts that these traits rest on, and whether one of them rests on what is counted, too."""
    found = [row.share for row in TRAITS if row.key in keys]
    return [share[0].removesuffix("_hits") for share in found if share is not None], None in found
