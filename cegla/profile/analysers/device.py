"""Subscriber device: what a person holds in the hand, which of it at work, and whose line it hangs on.

A vote is a visit on a device; votes lose half their weight every 90 days. A browser that froze its user agent tells no model, so that such a
visit votes for type and system alone. Which device is for work is guessed from the hours it is used at, and only of five days or more.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import ibis
import numpy as np
import phonenumbers
from phonenumbers import carrier

from cegla.profile.rules.analysis import AnalysedTrait, Analyser, Facts, Found, Params
from cegla.profile.rules.confidence import share_lower_bounds
from cegla.profile.rules.guards import DAYPARTS, Seen, Table, daypart_of, half_life, joined_facts
from cegla.reference.models import Launch, launch_of
from cegla.reference.network_kinds import operators
from cegla.vocabulary.text import Text

HALF_LIFE_DAYS = 90.0
FEWEST_DAYS = 5  #: on which a device was seen before anything is guessed of it
WORK_SHARE, PRIVATE_SHARE = 0.6, 0.25  #: of a device's visits in office hours
HINT_SURETY = 0.4  #: numbers are ported, so that a prefix only hints at the operator
NOT_HELD = ("bot", "server", "unknown")


class Held(NamedTuple):
    """What a person's visits in one part of the day say of one device; `all_days` are its days in any part."""

    type: str
    os: str | None
    brand: str | None
    model: str | None
    daypart: str
    weight: float
    visits: int
    all_days: int

    @property
    def name(self) -> str:
        """As it is shown: the model, or type and system where none is known."""
        return " ".join(part for part in ((self.brand, self.model) if self.model else (self.type, self.os)) if part)


class Line(NamedTuple):
    """What a person's visits say of one operator's network."""

    asn: int
    kind: str | None
    weight: float
    visits: int


def facts(seen: Seen) -> Table:
    """For each person their devices by part of the day, and their lines, as lists of structs."""
    events = seen.events
    active = events.filter(events.session_id.notnull())
    held = active.filter(active.device_type.notnull() & active.device_type.notin(NOT_HELD))
    names = {"type": held.device_type, "os": held.os, "brand": held.device_brand, "model": held.device_model}
    votes = held.group_by("person_id", "session_id", **names).agg(
        age_days=held.age_days.min(), weight=held.weight.max(), began=held.local_at.min(), day=held.days_ago.max(),
    )  # fmt: skip
    votes = votes.mutate(daypart=daypart_of(votes.began), vote=votes.weight * half_life(votes.age_days, HALF_LIFE_DAYS))
    devices = votes.group_by("person_id", "type", "os", "brand", "model", "daypart").agg(
        weight=votes.vote.sum().round(6), visits=votes.count(),
    )  # fmt: skip
    whole = votes.group_by(holder="person_id", **{f"whole_{name}": votes[name] for name in names}).agg(all_days=votes.day.nunique())
    devices = devices.join(whole, [devices.person_id == whole.holder, *(devices[name].identical_to(whole[f"whole_{name}"]) for name in names)])
    row: Any = ibis.struct({name: devices[name] for name in Held._fields})
    order = [devices[name].fill_null("") for name in ("type", "os", "brand", "model", "daypart")]
    people = active.group_by("person_id").agg(seen=active.session_id.nunique())
    return joined_facts(people, devices.group_by("person_id").agg(devices=row.collect(order_by=order)), _lines(active))


def read(facts: Facts, params: Params, now: datetime) -> Mapping[str, Found]:
    """The favourite of each kind is the one with most weight; equal weights go to the first by name."""
    people, lines = list(facts.records("devices", Held, Held._fields)), list(facts.records("lines", Line, Line._fields))
    visits = np.array([sum(one.visits for one in own) for own in people])
    counts = [_count(own) for own in people]
    dayparts, guesses = [_by_daypart(own) for own in people], [_guesses(own) for own in people]
    guessed = np.array([max((_days(own) for own in _by_device(devices).values()), default=0) for devices in people])
    return {
        "device.type": _favourite(people, "type", "kind_share"),
        "device.brand": _favourite(people, "brand", "brand_share"),
        "device.model": _favourite(people, "model", "model_share"),
        **_launched(people),
        "device.count": Found([count or None for count in counts], share_lower_bounds(visits, visits), visits, {"visits": visits}),
        "device.primary_by_daypart": Found(dayparts, share_lower_bounds(visits, visits), visits, {"visits": visits}),
        "device.work_private_guess": Found(guesses, 0.8 * share_lower_bounds(guessed, guessed), guessed, {"days": guessed}),
        **_line_traits(lines),
        "line.operator_hint": _hints(facts),
    }


def _lines(active: Table) -> Table:
    shown = active.filter(active.asn.notnull() & ~active.is_proxy.fill_null(False))
    votes = shown.group_by("person_id", "session_id", "asn").agg(kind=shown.network_kind.max(), age_days=shown.age_days.min(), weight=shown.weight.max())
    vote: Any = votes.weight * half_life(votes.age_days, HALF_LIFE_DAYS)
    counted = votes.group_by("person_id", "asn").agg(kind=votes.kind.max(), weight=vote.sum().round(6), visits=votes.count())
    row: Any = ibis.struct({name: counted[name] for name in Line._fields})
    return counted.group_by("person_id").agg(lines=row.collect(order_by=counted.asn))


def _favourite(people: Sequence[Sequence[Held]], field: str, share_name: str) -> Found:
    values: list[str | None] = []
    shares: list[float] = []
    visits: list[int] = []
    for own in people:
        weights: dict[str, float] = defaultdict(float)
        for one in own:
            if (what := getattr(one, field)) is not None:
                weights[what] += one.weight
        best = max(sorted(weights), key=lambda what: weights[what], default=None)
        total = sum(weights.values())
        values.append(best)
        shares.append(round(weights[best] / total, 3) if best and total else 0.0)
        visits.append(sum(one.visits for one in own if getattr(one, field) is not None))
    counted = np.array(visits)
    return Found(values, share_lower_bounds(np.array(shares) * counted, counted), counted, {share_name: shares, f"{field}_visits": counted})


def _launched(people: Sequence[Sequence[Held]]) -> dict[str, Found]:
    """Year and price at launch of the favourite among the models that are written down."""
    names: list[str | None] = []
    launches: list[Launch | None] = []
    visits: list[int] = []
    for own in people:
        weights: dict[tuple[str, str], float] = defaultdict(float)
        for one in own:
            if one.brand and one.model and launch_of(one.brand, one.model):
                weights[one.brand, one.model] += one.weight
        best = max(sorted(weights), key=lambda what: weights[what], default=None)
        names.append(" ".join(best) if best else None)
        launches.append(launch_of(*best) if best else None)
        visits.append(sum(one.visits for one in own if (one.brand, one.model) == best))
    counted = np.array(visits)
    sure, shown = share_lower_bounds(counted, counted), {"launched": names}
    dated = np.array([visited if launch and launch.year else 0 for launch, visited in zip(launches, visits, strict=True)])
    return {
        "device.year": Found([launch and launch.year for launch in launches], sure, dated,
            shown | {"year": [str(launch.year) if launch and launch.year else None for launch in launches]}),
        "device.tier": Found([launch and launch.tier for launch in launches], sure, counted, shown),
    }


def _by_device(own: Sequence[Held]) -> dict[str, list[Held]]:
    devices: dict[str, list[Held]] = defaultdict(list)
    for one in own:
        devices[one.name].append(one)
    return devices


def _count(own: Sequence[Held]) -> int:
    """Devices told apart: models, and of each type and system without a model one, unless a model of it is known."""
    models: dict[tuple[str, str | None], set[str]] = defaultdict(set)
    for one in own:
        models[one.type, one.os].update({one.model} if one.model else ())
    return sum(max(1, len(known)) for known in models.values())


def _by_daypart(own: Sequence[Held]) -> list[dict[str, str]] | None:
    found: list[dict[str, str]] = []
    for part in DAYPARTS:
        weights: dict[str, float] = defaultdict(float)
        for one in own:
            if one.daypart == part:
                weights[one.name] += one.weight
        if weights:
            found.append({"daypart": part, "device": max(sorted(weights), key=lambda name: weights[name])})
    return found or None


def _days(own: Sequence[Held]) -> int:
    """On how many days a device was seen: a day with a morning and an evening is one."""
    return max((one.all_days for one in own), default=0)


def _guesses(own: Sequence[Held]) -> list[dict[str, Any]] | None:
    """Of each device seen on enough days: for work, private, or both."""
    found: list[dict[str, Any]] = []
    for name, parts in sorted(_by_device(own).items()):
        if _days(parts) >= FEWEST_DAYS:
            total = sum(one.visits for one in parts)
            share = sum(one.visits for one in parts if one.daypart == "work") / total
            found.append({"device": name, "use": "work" if share >= WORK_SHARE else "private" if share <= PRIVATE_SHARE else "both", "share": round(share, 2)})
    return found or None


def _line_traits(people: Sequence[Sequence[Line]]) -> dict[str, Found]:
    first = [max(own, key=lambda one: (one.weight, -one.asn), default=None) for own in people]
    visits = np.array([sum(one.visits for one in own) for own in people])
    total = [sum(one.weight for one in own) for own in people]
    share = np.array([one.weight / weight if one and weight else 0.0 for one, weight in zip(first, total, strict=True)])
    kinds: list[str | None] = []
    for own in people:
        weights: dict[str, float] = defaultdict(float)
        for one in own:
            if one.kind:
                weights[one.kind] += one.weight
        kinds.append(max(sorted(weights), key=lambda kind: weights[kind], default=None))
    shown = {"line_share": share.round(3), "line_visits": visits}
    sure = share_lower_bounds(share * visits, visits)
    names = [one and operators().get(one.asn, f"AS{one.asn}") for one in first]
    return {"line.isp": Found(names, sure, visits, shown), "line.kind": Found(kinds, sure, visits, shown)}


def _hints(facts: Facts) -> Found:
    """The operator that the prefix of a Polish mobile number once belonged to."""
    names: list[str | None] = []
    for numbers in facts.told.get("identifier.phone", [None] * len(facts)):
        found = [name for number in numbers or () if (name := _carrier(number))]
        names.append(found[0] if found else None)
    told = np.array([0 if name is None else 1 for name in names])
    return Found(names, np.where(told > 0, HINT_SURETY, 0.0), told, {"numbers": told})


@lru_cache(maxsize=65_536)
def _carrier(number: str) -> str | None:
    try:
        return carrier.name_for_number(phonenumbers.parse(number, "PL"), "en") or None
    except phonenumbers.NumberParseException:
        return None


_KINDS = {
    "mobile": Text("sieć komórkowa", "mobile network"), "fixed": Text("łącze stałe", "fixed line"), "business": Text("sieć firmowa", "business network"),
    "hosting": Text("serwerownia", "hosting"), "education": Text("uczelnia", "education"), "public": Text("urząd", "public office"),
}  # fmt: skip
_TYPES = {
    "desktop": Text("komputer", "computer"), "phone": Text("telefon", "phone"), "tablet": Text("tablet", "tablet"), "tv": Text("telewizor", "television"),
    "console": Text("konsola do gier", "games console"), "wearable": Text("zegarek", "wearable"), "car": Text("samochód", "car"), "camera": Text("aparat",
    "camera"),
    "speaker": Text("głośnik", "speaker"),
}  # fmt: skip

ANALYSER = Analyser(
    key="device",
    label=Text("Urządzenie abonenckie", "Subscriber device"),
    promise=Text("Jakie urządzenia ma osoba, które służy do pracy i na czyim łączu.",
        "Which devices a person has, which of them is for work, and on whose line."),
    inputs=("device_type", "os", "device_brand", "device_model", "asn", "network_kind", "is_proxy", "identifier.phone"),
    facts=facts,
    read=read,
    traits=(
        AnalysedTrait("device.type", Text("Rodzaj urządzenia", "Type of device"), "word",
            Text("{kind_share} wagi wizyt ({type_visits}): {value}.", "{kind_share} of the weight of {type_visits} visits: {value}."), _TYPES),
        AnalysedTrait("device.brand", Text("Marka urządzenia", "Brand of device"), "word",
            Text("{brand_share} wagi wizyt z podaną marką ({brand_visits}): {value}.",
                "{brand_share} of the weight of {brand_visits} visits with a known brand: {value}.")),
        AnalysedTrait("device.model", Text("Model urządzenia", "Model of device"), "word",
            Text("{model_share} wagi wizyt z podanym modelem ({model_visits}): {value}.",
                "{model_share} of the weight of {model_visits} visits with a known model: {value}.")),
        AnalysedTrait("device.year", Text("Rok premiery modelu", "Year of the model's launch"), "number",
            Text("Model {launched} wszedł na rynek w roku {year}.", "The model {launched} was launched in {year}.")),
        AnalysedTrait("device.tier", Text("Półka cenowa modelu", "Price tier of the model"), "word",
            Text("Cena modelu {launched} w dniu premiery: {value}.", "The price of {launched} at its launch: {value}."),
            {"budget": Text("niska, do ok. 1000 zł", "budget, to about 1,000 zł"), "middle": Text("średnia, do ok. 2700 zł", "middle, to about 2,700 zł"),
                "premium": Text("wysoka, od ok. 2700 zł", "premium, from about 2,700 zł")}),
        AnalysedTrait("device.count", Text("Liczba urządzeń", "Number of devices"), "number",
            Text("Urządzenia rozróżnione w {visits} wizytach: {value}.", "Devices told apart in {visits} visits: {value}.")),
        AnalysedTrait("device.primary_by_daypart", Text("Urządzenie według pory dnia", "Device by part of the day"), "records",
            Text("Najczęstsze urządzenie w każdej porze, z {visits} wizyt.", "The most frequent device at each part of the day, of {visits} visits."),
            named_by="device"),
        AnalysedTrait("device.work_private_guess", Text("Do pracy czy prywatne", "For work or private"), "records",
            Text("Udział wizyt w godzinach pracy; dni z najczęstszym urządzeniem: {days}.",
                "The share of visits in office hours; days with the device seen most: {days}."), {}, FEWEST_DAYS, named_by="use"),
        AnalysedTrait("line.isp", Text("Operator łącza", "Operator of the line"), "word",
            Text("{line_share} wagi wizyt z wiadomą siecią ({line_visits}): {value}.",
                "{line_share} of the weight of {line_visits} visits with a known network: {value}.")),
        AnalysedTrait("line.kind", Text("Rodzaj łącza", "Kind of line"), "word",
            Text("Najwięcej wagi z {line_visits} wizyt ({line_share} u jednego operatora): {value}.",
                "Most weight of {line_visits} visits ({line_share} with one operator): {value}."), _KINDS),
        AnalysedTrait("line.operator_hint", Text("Operator komórkowy, wskazówka", "Mobile operator, a hint"), "word",
            Text("Prefiks numeru należał do: {value}; numery bywają przenoszone (numerów: {numbers}).",
                "The number's prefix belonged to {value}; numbers get ported (numbers: {numbers}).")),
    ),
    method=Text(
        "Udział wizyt na urządzeniu i w sieci, tracących połowę wagi co 90 dni; praca lub dom z pór użycia, od 5 dni.",
        "The share of visits on a device and in a network, which lose half their weight every 90 days; work or private by the hours of use, from 5 days.",
    ),
    purpose="analytics",
    schedule="hourly",
    half_life_days=HALF_LIFE_DAYS,
    version=3,
    ages=True,
    data="models 2026-11, device-detector 6.5, networks_pl 2026-11, phonenumbers 9",
)  # fmt: skip
