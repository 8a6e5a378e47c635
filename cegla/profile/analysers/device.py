"""Subscriber device: what a person holds in the hand, which of it at work, and whose line it hangs on.

A vote is a visit on a device; votes lose half their weight every 90 days. A browser that froze its user agent tells no model, so that such a
visit votes for type and system alone. Which device is for work is guessed from the hours it is used at, and only of five days or more.
"""

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
from cegla.profile.rules.guards import DAYPARTS, Seen, Table, daypart_of, half_life, in_order, joined_facts
from cegla.profile.rules.leading import Leading, coded, leading, numbered
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


class Line(NamedTuple):
    """What a person's visits say of one operator's network."""

    asn: int
    kind: str | None
    weight: float
    visits: int


class Device(NamedTuple):
    """A device as it is told apart."""

    type: str
    os: str | None
    brand: str | None
    model: str | None

    @property
    def name(self) -> str:
        """As it is shown: the model, or type and system where none is known."""
        return " ".join(part for part in ((self.brand, self.model) if self.model else (self.type, self.os)) if part)


class Use(NamedTuple):
    """The devices of all people in columns, one row a person, device and part of the day: places of people and in `devices`, parts in `DAYPARTS`."""

    people: int
    owners: Any
    places: Any
    devices: list[Device]
    parts: Any
    weights: Any
    visits: Any
    days: Any

    def count(self, rows: Any) -> Any:
        """How many visits of each person lie in these rows."""
        return np.bincount(self.owners[rows], self.visits[rows], self.people).astype(np.int64)

    def told(self, names: Sequence[Any]) -> tuple[Leading, list[Any], Any]:
        """What leads of what each device has for a name (None: nothing is told), by its place among the names, and the rows that tell one."""
        among, places = numbered(names)
        of_row = places[self.places]
        rows = np.flatnonzero(of_row >= 0)
        return leading(self.owners[rows], of_row[rows], self.weights[rows], self.people, among), among, rows


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
    use = _use(facts)
    visits = np.bincount(use.owners, use.visits, use.people).astype(np.int64)
    counts = _count(use)
    names = [device.name for device in use.devices]
    guesses, guessed = _guesses(use, names)
    return {
        "device.type": _favourite(use, "type", "kind_share"),
        "device.brand": _favourite(use, "brand", "brand_share"),
        "device.model": _favourite(use, "model", "model_share"),
        **_launched(use),
        "device.count": Found([count or None for count in counts.tolist()], share_lower_bounds(visits, visits), visits, {"visits": visits}),
        "device.primary_by_daypart": Found(_by_daypart(use, names), share_lower_bounds(visits, visits), visits, {"visits": visits}),
        "device.work_private_guess": Found(guesses, 0.8 * share_lower_bounds(guessed, guessed), guessed, {"days": guessed}),
        **_line_traits(facts),
        "line.operator_hint": _hints(facts),
    }


def _lines(active: Table) -> Table:
    shown = active.filter(active.asn.notnull() & ~active.is_proxy.fill_null(False))
    votes = shown.group_by("person_id", "session_id", "asn").agg(kind=shown.network_kind.max(), age_days=shown.age_days.min(), weight=shown.weight.max())
    vote: Any = votes.weight * half_life(votes.age_days, HALF_LIFE_DAYS)
    counted = votes.group_by("person_id", "asn").agg(kind=votes.kind.max(), weight=vote.sum().round(6), visits=votes.count())
    row: Any = ibis.struct({name: counted[name] for name in Line._fields})
    return counted.group_by("person_id").agg(lines=in_order(row))


def _use(facts: Facts) -> Use:
    owners, flat = facts.flat("devices")
    rows: Any = [coded(flat.field(name)) for name in Device._fields]
    distinct, places = np.unique(np.column_stack([codes for codes, _ in rows]), axis=0, return_inverse=True)
    devices = [Device._make(names[code] if code >= 0 else None for code, (_, names) in zip(row, rows, strict=True)) for row in distinct.tolist()]
    part, parts = coded(flat.field("daypart"))
    of_part = np.array([DAYPARTS.index(name) for name in parts] or [0], np.int64)[part]
    numbers = [flat.field(name).to_numpy(zero_copy_only=False) for name in ("weight", "visits", "all_days")]
    return Use(len(facts), owners, places.reshape(-1), devices, of_part, *numbers)


def _favourite(use: Use, field: str, share_name: str) -> Found:
    best, names, rows = use.told([getattr(device, field) for device in use.devices])
    shares = np.round(best.weight / np.where(best.total > 0, best.total, 1.0), 3)
    counted = use.count(rows)
    return Found(best.of(names), share_lower_bounds(shares * counted, counted), counted, {share_name: shares, f"{field}_visits": counted})


def _launched(use: Use) -> dict[str, Found]:
    """Year and price at launch of the favourite among the models that are written down."""
    models = [(one.brand, one.model) if one.brand and one.model and launch_of(one.brand, one.model) else None for one in use.devices]
    best, names, rows = use.told(models)
    of_row = numbered(models)[1][use.places[rows]]
    counted = use.count(rows[of_row == best.place[use.owners[rows]]])
    known = [launch_of(*name) for name in names]
    launches: list[Launch | None] = best.of(known)
    sure, shown = share_lower_bounds(counted, counted), {"launched": best.of([" ".join(name) for name in names])}
    years = [launch and launch.year for launch in launches]
    dated = np.where([bool(year) for year in years], counted, 0)
    return {
        "device.year": Found(years, sure, dated, shown | {"year": [str(year) if year else None for year in years]}),
        "device.tier": Found([launch and launch.tier for launch in launches], sure, counted, shown),
    }


def _count(use: Use) -> Any:
    """Devices told apart: models, and of each type and system without a model one, unless a model of it is known."""
    _, system_of = numbered([(one.type, one.os or "") for one in use.devices])
    _, model_of = numbered([one.model or None for one in use.devices])
    held = np.unique(np.column_stack([use.owners, system_of[use.places], model_of[use.places]]), axis=0)
    if not len(held):
        return np.zeros(use.people, np.int64)
    first = np.r_[True, (held[1:, :2] != held[:-1, :2]).any(axis=1)]
    alone = first & np.r_[first[1:], True]  # a device without a model counts where it is the only one of its type and system
    return np.bincount(held[(held[:, 2] >= 0) | alone, 0], minlength=use.people)


def _by_daypart(use: Use, names: Sequence[str]) -> list[list[dict[str, str]] | None]:
    among, places = numbered(names)
    place = places[use.places]
    best = leading(use.owners * len(DAYPARTS) + use.parts, place, use.weights, use.people * len(DAYPARTS), among).place.reshape(use.people, -1)
    found: list[list[dict[str, str]] | None] = []
    for row in best.tolist():
        found.append([{"daypart": part, "device": among[first]} for part, first in zip(DAYPARTS, row, strict=True) if first >= 0] or None)
    return found


def _guesses(use: Use, names: Sequence[str]) -> tuple[list[list[dict[str, Any]] | None], Any]:
    """Of each device seen on enough days: for work, private, or both; and of each person on how many days the device seen most was."""
    among, places = numbered(names)
    place = places[use.places]
    pairs, which = np.unique(use.owners * max(len(among), 1) + place, return_inverse=True)
    owner, device = pairs // max(len(among), 1), pairs % max(len(among), 1)
    days, longest = np.zeros(len(pairs), np.int64), np.zeros(use.people, np.int64)
    np.maximum.at(days, which, use.days)  # a day with a morning and an evening is one
    np.maximum.at(longest, owner, days)
    at_work = np.bincount(which, use.visits * (use.parts == DAYPARTS.index("work")), len(pairs))
    share = at_work / np.maximum(np.bincount(which, use.visits, len(pairs)), 1)
    enough = days >= FEWEST_DAYS
    uses = np.where(share >= WORK_SHARE, "work", np.where(share <= PRIVATE_SHARE, "private", "both"))
    found: list[list[dict[str, Any]]] = [[] for _ in range(use.people)]
    for person, one, what, part in zip(*(column[enough].tolist() for column in (owner, device, uses, share)), strict=True):
        found[person].append({"device": among[one], "use": what, "share": round(part, 2)})
    return [one or None for one in found], longest


def _line_traits(facts: Facts) -> dict[str, Found]:
    owners, flat = facts.flat("lines")
    asns, weights, visited = (flat.field(name).to_numpy(zero_copy_only=False) for name in ("asn", "weight", "visits"))
    networks, places = np.unique(asns, return_inverse=True)
    best = leading(owners, places, weights, len(facts), networks.tolist())
    kind, kinds = coded(flat.field("kind"))
    named = kind >= 0
    lines = leading(owners[named], kind[named], weights[named], len(facts), kinds)
    visits = np.bincount(owners, visited, len(facts)).astype(np.int64)
    share = best.weight / np.where(best.total > 0, best.total, 1.0)
    shown = {"line_share": share.round(3), "line_visits": visits}
    sure = share_lower_bounds(share * visits, visits)
    names = [operators().get(asn, f"AS{asn}") for asn in networks.tolist()]
    return {"line.isp": Found(best.of(names), sure, visits, shown), "line.kind": Found(lines.of(kinds), sure, visits, shown)}


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
