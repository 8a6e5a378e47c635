"""Geolocation: where in Poland a person is, down to the powiat, and how settled they are there.

    declared postcode or city ──┐
    votes of addresses, one a day, operator and place ──┴─► place with most weight ─► powiat, city, its size, time zone, mobility

A phone's operator, a data centre, a relay and DB-IP's default point in Warsaw show no place: intake has left it out there (see
`reference/addresses.py`), so such a day votes for the country alone. Who declared a postcode is there; addresses then only say how settled.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import ibis
import numpy as np

from cegla.profile.rules.analysis import AnalysedTrait, Analyser, Facts, Found, Params
from cegla.profile.rules.confidence import share_lower_bounds
from cegla.profile.rules.guards import Seen, Table, half_life
from cegla.reference.places import City, poland
from cegla.vocabulary.folding import folded
from cegla.vocabulary.text import Text

HALF_LIFE_DAYS = 90.0
DECLARED_SURETY, ADDRESS_PRIOR = 0.95, 0.9  #: how far each source can be trusted at best
SETTLED, COMMUTES = 0.8, 0.5  #: shares of the days at the favourite powiat, and at the two favourites together, that make stable and commuter
FEWEST_DAYS_OF_MOBILITY = 3


class Vote(NamedTuple):
    """What a person's days say of one place: their weight, and how many."""

    country: str
    powiat: str | None
    city: str | None
    zone: str | None
    weight: float
    days: int


class Place(NamedTuple):
    """Where a person is, as far as one source knows."""

    country: str | None = None
    powiat: str | None = None
    city: str | None = None
    zone: str | None = None
    source: str | None = None
    surety: float = 0.0
    evidence: int = 0
    share: float = 0.0


def facts(seen: Seen) -> Table:
    """For each person the places of their days as a list of structs."""
    events = seen.events
    shown = events.filter(events.session_id.notnull() & events.country.notnull() & ~events.is_proxy.fill_null(False))
    days = shown.group_by("person_id", "days_ago", "asn", country=shown.country, powiat=shown.powiat, city=shown.city, zone=shown.timezone).agg(
        age_days=shown.age_days.min(), weight=shown.weight.max(),
    )  # fmt: skip
    vote: Any = days.weight * half_life(days.age_days, HALF_LIFE_DAYS)
    places = days.group_by("person_id", "country", "powiat", "city", "zone").agg(weight=vote.sum().round(6), days=days.days_ago.nunique())
    row: Any = ibis.struct({name: places[name] for name in Vote._fields})
    ordered = [places[name].fill_null("") for name in ("country", "powiat", "city", "zone")]
    return places.group_by("person_id").agg(places=row.collect(order_by=ordered))


def read(facts: Facts, params: Params, now: datetime) -> Mapping[str, Found]:
    """What was declared goes before what addresses show."""
    votes = list(facts.records("places", Vote, Vote._fields))
    found = [_declared(told) or _voted(own) for told, own in zip(_told(facts), votes, strict=True)]
    countries = [one if one.country else _country(own) for one, own in zip(found, votes, strict=True)]
    moving = [_mobility(own) for own in votes]
    powiats = [one.powiat for one in found]
    surety, evidence = np.array([one.surety for one in found]), np.array([one.evidence for one in found])
    days = np.array([sum(one.days for one in own if one.powiat) for own in votes])
    shown = {"source": [one.source for one in found], "share": np.array([one.share for one in found]), "days": evidence}
    names = {"name": [poland().powiat_name(code) for code in powiats], **shown}
    return {
        "geo.country": Found([one.country for one in countries], [one.surety for one in countries], [one.evidence for one in countries],
            {"country_days": [one.evidence for one in countries], "country_share": [one.share for one in countries],
                "country_source": [one.source for one in countries]}),
        "geo.voivodeship": Found([code and code[:2] for code in powiats], surety, evidence,
            {"region": [poland().voivodeships.get(code[:2]) if code else None for code in powiats], **shown}),
        "geo.powiat": Found(powiats, surety, evidence, names),
        "geo.city": Found([one.city for one in found], surety, evidence, shown),
        "geo.city_size": Found([_size(one.city) for one in found], surety, evidence, {"city": [one.city for one in found]}),
        "geo.tz": Found([one.zone for one in countries], [one.surety for one in countries], [one.evidence for one in countries],
            {"country_days": [one.evidence for one in countries]}),
        "geo.mobility": Found(moving, share_lower_bounds(days, days), days, {"placed_days": days, "places": [len({one.powiat for one in own if one.powiat})
            for own in votes]}),
        "geo.source": Found([one.source for one in found], surety, evidence, {"days": evidence}),
    }  # fmt: skip


def _told(facts: Facts) -> Iterator[Mapping[str, str]]:
    """What each person declared of their address: texts that are not blank."""
    names = ("postcode", "postal_code", "zip", "city", "address")
    columns = {name: facts.told.get(f"declared.{name}", [None] * len(facts)) for name in names}
    for row in range(len(facts)):
        own: dict[str, Any] = {name: column[row] for name, column in columns.items()}
        inner = own.pop("address", None)
        if isinstance(inner, dict):
            own |= {key: inner[key] for key in ("postcode", "postal_code", "postalCode", "zip", "city") if inner.get(key)}
        yield {name: value.strip() for name, value in own.items() if isinstance(value, str) and value.strip()}


def _voted(votes: Sequence[Vote]) -> Place:
    """The place that most of the weight of days with a place is for."""
    placed = [one for one in votes if one.powiat or one.city]
    if not placed:
        return Place()
    total = sum(one.weight for one in placed)
    weights: dict[str, float] = {}
    for one in placed:
        weights[one.powiat or one.city or ""] = weights.get(one.powiat or one.city or "", 0.0) + one.weight
    best = max(sorted(weights), key=lambda key: weights[key])
    here = [one for one in placed if (one.powiat or one.city) == best]
    first = max(here, key=lambda one: one.weight)
    days, share = sum(one.days for one in placed), weights[best] / total if total else 0.0
    surety = ADDRESS_PRIOR * _posterior(share * days, days)
    return Place(first.country, first.powiat, first.city, first.zone, "ip", surety, days, round(share, 3))


def _country(votes: Sequence[Vote]) -> Place:
    """The country alone, where no day shows a place."""
    if not votes:
        return Place()
    weights: dict[str, float] = {}
    for one in votes:
        weights[one.country] = weights.get(one.country, 0.0) + one.weight
    best = max(sorted(weights), key=lambda key: weights[key])
    days = sum(one.days for one in votes)
    share = weights[best] / sum(weights.values()) if sum(weights.values()) else 0.0
    zone = next((one.zone for one in votes if one.country == best and one.zone), None)
    return Place(best, None, None, zone, "ip", _posterior(share * days, days), days, round(share, 3))


def _posterior(hits: float, tries: float) -> float:
    """The mean of a Beta posterior over the uniform prior."""
    return (hits + 1.0) / (tries + 2.0)


def _mobility(votes: Sequence[Vote]) -> str | None:
    """stable: nearly always in one powiat; commuter: in two; traveller: in more."""
    days: dict[str, int] = {}
    for one in votes:
        if one.powiat:
            days[one.powiat] = days.get(one.powiat, 0) + one.days
    total, ranked = sum(days.values()), sorted(days.values(), reverse=True)
    if total < FEWEST_DAYS_OF_MOBILITY:
        return None
    if ranked[0] / total >= SETTLED:
        return "stable"
    return "commuter" if sum(ranked[:2]) / total >= SETTLED and ranked[0] / total >= COMMUTES - 0.1 else "traveller"


def _declared(told: Mapping[str, str]) -> Place | None:
    """The place of a declared Polish postcode; of a declared city, where its name stands for one place alone."""
    for name in ("postcode", "postal_code", "postalCode", "zip"):
        if (code := told.get(name)) and (found := poland().postcode(code)):
            city = poland().city_at(found.latitude, found.longitude)
            return Place("PL", found.powiat, city.name if city else found.locality, "Europe/Warsaw", "address", DECLARED_SURETY, 1, 1.0)
    city = _cities().get(folded(told.get("city", "")))
    if city is None:
        return None
    return Place("PL", poland().powiat_at(city.latitude, city.longitude), city.name, "Europe/Warsaw", "address", DECLARED_SURETY, 1, 1.0)


def _size(city: str | None) -> str | None:
    """How large a city is, by the largest of its name."""
    population = _populations().get(city or "")
    return poland().size_of(population) if population else None


@cache
def _populations() -> dict[str, int]:
    found: dict[str, int] = {}
    for city in poland().cities:
        found[city.name] = max(city.population, found.get(city.name, 0))
    return found


@cache
def _cities() -> dict[str, City]:
    """Cities whose folded name is theirs alone, or that are ten times as large as all others of that name."""
    by_name: dict[str, list[City]] = {}
    for city in poland().cities:
        by_name.setdefault(folded(city.name), []).append(city)
    found: dict[str, City] = {}
    for name, cities in by_name.items():
        largest, *others = sorted(cities, key=lambda city: -city.population)
        if largest.population >= 10 * sum(city.population for city in others):
            found[name] = largest
    return found


_SOURCES = {"address": Text("podany adres", "the declared address"), "ip": Text("adres IP", "IP address")}
_POWIAT = Text("{name}: {share} wskazań ({days}), źródło: {source}.", "{name}: {share} of the evidence ({days}), source: {source}.")
_REGION = Text("{region}: {share} wskazań ({days}), źródło: {source}.", "{region}: {share} of the evidence ({days}), source: {source}.")
_CITY = Text("{value}: {share} wskazań ({days}), źródło: {source}.", "{value}: {share} of the evidence ({days}), source: {source}.")
_COUNTRY = Text("{value}: {country_share} wskazań ({country_days}), źródło: {country_source}.",
    "{value}: {country_share} of the evidence ({country_days}), source: {country_source}.")

ANALYSER = Analyser(
    key="geo",
    label=Text("Miejsce", "Place"),
    promise=Text("Gdzie osoba przebywa, z dokładnością do powiatu, i czy jest w jednym miejscu.",
        "Where a person is, down to the powiat, and whether in one place."),
    inputs=(
        "country", "powiat", "city", "timezone", "asn", "is_proxy", "declared.postcode", "declared.postal_code", "declared.zip", "declared.city",
        "declared.address",
    ),
    facts=facts,
    read=read,
    traits=(
        AnalysedTrait("geo.country", Text("Kraj", "Country"), "word", _COUNTRY, _SOURCES),
        AnalysedTrait("geo.voivodeship", Text("Województwo", "Voivodeship"), "word", _REGION, _SOURCES),
        AnalysedTrait("geo.powiat", Text("Powiat", "Powiat"), "word", _POWIAT, _SOURCES),
        AnalysedTrait("geo.city", Text("Miejscowość", "City"), "word", _CITY, _SOURCES),
        AnalysedTrait("geo.city_size", Text("Wielkość miejscowości", "Size of the city"), "word",
            Text("{city} to miejscowość tej wielkości: {value}.", "{city} is a place of this size: {value}."),
            {"metropolis": Text("metropolia, od 500 tys.", "metropolis, from 500,000"), "large": Text("duża, od 100 tys.", "large, from 100,000"),
                "medium": Text("średnia, od 20 tys.", "medium, from 20,000"), "small": Text("mała", "small")}),
        AnalysedTrait("geo.tz", Text("Strefa czasowa", "Time zone"), "word",
            Text("Strefa podana przez urządzenie lub adres (wskazań: {country_days}): {value}.",
                "The zone told by device or address (evidence: {country_days}): {value}.")),
        AnalysedTrait("geo.mobility", Text("Mobilność", "Mobility"), "word",
            Text("Dni z wiadomym miejscem: {placed_days}, powiatów: {places}: {value}.", "Days with a known place: {placed_days}, powiats: {places}: {value}."),
            {"stable": Text("w jednym miejscu", "settled"), "commuter": Text("między dwoma miejscami", "between two places"),
                "traveller": Text("w podróży", "on the move")}, FEWEST_DAYS_OF_MOBILITY),
        AnalysedTrait("geo.source", Text("Źródło miejsca", "Source of the place"), "word",
            Text("Miejsce wiadomo z: {value} (dowodów: {days}).", "The place is known from: {value} (evidence: {days})."),
            _SOURCES),
    ),
    method=Text(
        "Podany kod pocztowy lub miasto, a bez nich jeden głos na dzień, operatora i miejsce, tracący połowę wagi co 90 dni; pewność z rozkładu beta.",
        "The declared postcode or city; without them one vote a day, operator and place, which loses half its weight every 90 days; "
        "confidence from a beta posterior.",
    ),
    purpose="analytics",
    schedule="hourly",
    half_life_days=HALF_LIFE_DAYS,
    ages=True,
    data="DB-IP Lite 2026-06, GeoNames, ODbL postcodes 2.0.1, TERYT 2021",
)  # fmt: skip
