"""The correlation: what all analysers found, joined into one consumer profile.

    traits of the others ──┬─► do they fit? (rules/consistency) ──────────────► consistency, conflicts with both sides
    own facts of history ──┼─► at work, at home: hours, devices, subjects ────► working hours, kind of day, devices, subjects by daypart
    addresses ─────────────┴─► for work or private? (rules/addresses) ────────► B2B or B2C ──► the plan (rules/contact)

It comes after every run of the others and works with whichever of them are on: what they do not know stays unknown here. Where a person
lives and works is told by `place` alone, which is off until a purpose is set; without it, work is what happens on a network of an office.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import ibis
import numpy as np
import phonenumbers

from cegla.profile.rules import addresses, consistency, contact
from cegla.profile.rules.addresses import Address, Judged, Kinds, Owner, Use
from cegla.profile.rules.analysis import AnalysedTrait, Analyser, Facts, Found, Known, Params
from cegla.profile.rules.consistency import Outcome
from cegla.profile.rules.contact import Ground, Subject
from cegla.profile.rules.guards import DAYPARTS, Seen, Table, daypart_of, gathered, half_life, in_order, joined_facts
from cegla.profile.rules.sides import SIDE_SIGNS, SIDES, side_of
from cegla.profile.rules.working_day import FEWEST_DAYS, KINDS_OF_DAY, Held, Spot, Worked, devices_by_place, kind_of_day, work_of
from cegla.reference.places import poland
from cegla.reference.words import WORDS
from cegla.vocabulary.folding import folded
from cegla.vocabulary.text import Text

HALF_LIFE_DAYS = 60.0
PAST_DAYS = 180.0  #: what is older says nothing of today's places
OFFICE = ("business", "education", "public")
NOT_HELD = ("bot", "server", "unknown")
CLICKS = ("Message Clicked", "Email Link Clicked", "SMS Link Clicked")
LOOKS = ("Product Viewed", "Product Added", "Order Completed", "Product List Viewed")
MOST_TOPICS = 3
#: What an address given weighs little, so the zone of the shop's country will do to tell working hours.
GIVEN_IN = ZoneInfo("Europe/Warsaw")


class Used(NamedTuple):
    """What was done under one identity."""

    identity: int
    deeds: int
    working: int
    office: int
    hour: int | None


class One(NamedTuple):
    """One person as `read` sees them."""

    traits: Mapping[str, Known]
    spots: Sequence[Spot]
    held: Sequence[Held]
    subjects: Sequence[Subject]
    used: Mapping[int, Used]
    days: int


def facts(seen: Seen) -> Table:
    """For each person places of working days, devices by place, subjects by part of the week, and what was done under each identity."""
    events = seen.events
    active = events.filter(events.session_id.notnull() & (events.age_days < PAST_DAYS))
    clear: Any = ~active.is_proxy.fill_null(False)
    office: Any = (active.network_kind.isin(OFFICE) & clear).fill_null(False)
    placed = active.mutate(office=office, spot=clear.ifelse(active.powiat, None), hour=active.local_at.hour())
    people = active.group_by("person_id").agg(days=active.days_ago.nunique())
    return joined_facts(people, _spots(placed), _devices(placed), _subjects(seen), _used(events))


def read(facts: Facts, params: Params, now: datetime) -> Mapping[str, Found]:
    """Everything of one person follows from their traits and own facts; nobody else is looked at."""
    people = list(_people(facts))
    worked = [work_of(one.traits, one.spots) for one in people]
    by_place = [devices_by_place(one.held, work) for one, work in zip(people, worked, strict=True)]
    outcomes = [consistency.checked(_with_devices(one.traits, devices)) for one, devices in zip(people, by_place, strict=True)]
    owners = _owners(facts)
    judged = [addresses.judged(found, owner, KINDS) for found, owner in zip(_addresses(facts, people, worked), owners, strict=True)]
    sides = [side_of(one.traits, known, outcome) for one, known, outcome in zip(people, judged, outcomes, strict=True)]
    plans = [contact.plan(_ground(*row)) for row in zip(people, judged, sides, worked, _weeks(people), strict=True)]
    return {
        **_consistency(outcomes), **_places(people, worked), **_held(people, by_place), **_by_daypart(people),
        "consumer.side": Found([side for side, _, _ in sides], [sure for _, sure, _ in sides], [len(signs) for _, _, signs in sides],
            {"signs": [signs or None for _, _, signs in sides]}),
        **_contact(judged, plans),
    }  # fmt: skip


# facts -------------------------------------------------------------------------------------------------------------------


def _structs(rows: Table, name: str, fields: Iterable[str], order: Sequence[str]) -> Table:
    """One list of structs a person, in a fixed order."""
    row: Any = ibis.struct({field: rows[field] for field in fields})
    ordered = [rows[field].cast("string").fill_null("") for field in order]
    return rows.group_by("person_id").agg(**{name: row.collect(order_by=ordered)})


def _spots(placed: Table) -> Table:
    on_workdays: Any = placed.local_at.day_of_week.index() < 5
    hours = placed.filter(on_workdays & (placed.spot.notnull() | placed.office)).select("person_id", "spot", "office", "days_ago", "hour").distinct()
    spots = hours.group_by("person_id", "office", powiat=hours.spot).agg(
        days=hours.days_ago.nunique(), begins=hours.hour.quantile(0.05), ends=hours.hour.quantile(0.95)
    )
    return _structs(spots, "spots", Spot._fields, ("powiat", "office"))


def _devices(placed: Table) -> Table:
    held = placed.filter(placed.device_type.notnull() & placed.device_type.notin(NOT_HELD))
    model: Any = held.device_brand.fill_null("") + " " + held.device_model
    plain: Any = held.device_type + " " + held.os.fill_null("")
    named = held.mutate(device=model.fill_null(plain).strip())
    counted = named.group_by("person_id", "device", "office", powiat=named.spot).agg(visits=named.session_id.nunique())
    return _structs(counted, "held", Held._fields, ("device", "powiat", "office"))


def _subjects(seen: Seen) -> Table:
    events, lines = seen.events, seen.lines
    at = events.select(at_id="event_id", local_at=events.local_at)
    looked = lines.filter(lines.category.notnull() & lines.name.isin(LOOKS))
    looked = looked.inner_join(at, looked.event_id == at.at_id)
    products = looked.select("person_id", "local_at", "age_days", "weight", topic="category")
    pages = events.filter(events.property_section.notnull() & events.session_id.notnull())
    long = products.union(pages.select("person_id", "local_at", "age_days", "weight", topic="property_section"))
    left: Any = long.weight * half_life(long.age_days, HALF_LIFE_DAYS)
    parts = long.select("person_id", what=long.topic + "\t" + daypart_of(long.local_at), weight=left)
    return gathered(parts, "subjects")


def _used(events: Table) -> Table:
    """Clicks and own deeds under each identity: how many, in working hours, on an office's line, and the hour of most of them."""
    done = events.filter((events.session_id.notnull() | events.name.isin(CLICKS)) & (events.age_days < PAST_DAYS))
    hour, workday = done.local_at.hour(), done.local_at.day_of_week.index() < 5
    working: Any = workday & (hour >= addresses.WORKING_HOURS[0]) & (hour < addresses.WORKING_HOURS[1])
    hours = done.group_by("person_id", "identity_id", hour=hour).agg(
        deeds=done.count(), working=done.count(where=working), office=done.count(where=done.network_kind.isin(OFFICE)),
    )  # fmt: skip
    rank: Any = hours.deeds * 100 - hours.hour
    used = hours.group_by("person_id", identity=hours.identity_id).agg(
        deeds=hours.deeds.sum().cast("int32"), working=hours.working.sum().cast("int32"), office=hours.office.sum().cast("int32"),
        hour=hours.hour.argmax(rank),
    )
    row: Any = ibis.struct({field: used[field] for field in Used._fields})
    return used.group_by("person_id").agg(used=in_order(row))


# one person --------------------------------------------------------------------------------------------------------------


def _people(facts: Facts) -> Iterable[One]:
    columns = {key: facts.told.get(f"trait.{key}") or [None] * len(facts) for key in JOINED}
    joined = {key: column for key, column in columns.items() if column.count(None) < len(column)}
    known: Iterable[tuple[Known | None, ...]] = zip(*joined.values(), strict=True) if joined else [()] * len(facts)
    lists = zip(
        facts.records("spots", Spot, Spot._fields), facts.records("held", Held, Held._fields), _subjects_of(facts),
        facts.records("used", Used, Used._fields), facts.counts("days").tolist(), strict=True,
    )  # fmt: skip
    for told, (spots, held, subjects, used, days) in zip(known, lists, strict=True):
        traits = {key: one for key, one in zip(joined, told, strict=True) if one is not None}
        yield One(traits, spots, held, subjects, {one.identity: one for one in used}, days)


def _subjects_of(facts: Facts) -> Iterable[list[Subject]]:
    """Of each person what they look at. A category and a section of one name are one subject, whatever their capitals; texts are read once for all."""
    rows, places, whats, (weights,) = facts.coded("subjects", "weight")
    parts = [what.rpartition("\t")[::2] for what in whats]
    known = [(folded(topic), topic, part) for topic, part in parts]
    lengths, looks = np.bincount(rows, minlength=len(facts)).tolist(), zip(places.tolist(), weights.tolist(), strict=True)
    for length in lengths:
        names: dict[str, str] = {}
        merged: dict[tuple[str, str], float] = {}
        for place, weight in islice(looks, length):
            plain, topic, part = known[place]
            key = names.setdefault(plain, topic), part
            merged[key] = merged.get(key, 0.0) + weight
        yield [Subject(topic, part, weight) for (topic, part), weight in merged.items()]


def _with_devices(traits: Mapping[str, Known], devices: Sequence[Mapping[str, Any]]) -> Mapping[str, Known]:
    if not devices:
        return traits
    visits = sum(one["visits"] for one in devices)
    return {**traits, consistency.BY_PLACE: Known([{"device": one["device"], "use": one["use"]} for one in devices], devices[0]["sure"], visits)}


def _weeks(people: Sequence[One]) -> Iterable[contact.Week | None]:
    """The weekly rhythm of each person, None where it is unknown."""
    known = [one.traits.get("rhythm.hist") for one in people]
    weeks = iter(contact.weeks([one.value for one in known if one]))
    return (next(weeks) if one else None for one in known)


def _ground(one: One, judged: Sequence[Judged], side: tuple[str | None, float, list[str]], work: Worked, week: contact.Week | None) -> Ground:
    rhythm, channels, arrives = (one.traits.get(key) for key in ("rhythm.hist", "engage.by_channel", "quality.deliverability"))
    shares = {name: share for name, share in (channels.value if channels else {}).items() if name in ("email", "sms")}
    refused = one.traits.get("call.do_not_call")
    wanted = [address for address in judged if address.address.channel == "email"] if refused is not None and refused.value else judged
    return Ground(
        wanted, one.subjects, side[0], week, work.hours or addresses.WORKING_HOURS, shares, arrives.value if arrives else None,
        rhythm.confidence if rhythm else 0.0,
    )  # fmt: skip


def _owners(facts: Facts) -> list[Owner]:
    nothing = [None] * len(facts)
    surnames, companies = (facts.told.get(name, nothing) for name in ("declared.last_name", "declared.company"))
    return [Owner(_text(surname), _text(company)) for surname, company in zip(surnames, companies, strict=True)]


def _addresses(facts: Facts, people: Sequence[One], worked: Sequence[Worked]) -> Iterable[list[Address]]:
    """Every address of each person, with what was done under it."""
    nothing = [None] * len(facts)
    columns = {"email": facts.told.get("identity.email", nothing), "sms": facts.told.get("identity.phone", nothing)}
    for row, (one, work) in enumerate(zip(people, worked, strict=True)):
        hours = work.hours or addresses.WORKING_HOURS
        found: list[Address] = []
        for channel, column in columns.items():
            for identity, text, first_seen in column[row] or ():
                used = one.used.get(identity)
                found.append(Address(identity, channel, text, _at_work(first_seen, hours), Use(*used[1:]) if used else Use()))
        yield found


def _at_work(moment: datetime, hours: tuple[int, int]) -> bool:
    local = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(GIVEN_IN)
    return local.weekday() < 5 and hours[0] <= local.hour < hours[1]


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("name")
    return value.strip() if isinstance(value, str) else ""


# traits ------------------------------------------------------------------------------------------------------------------


def _consistency(outcomes: Sequence[Sequence[Outcome]]) -> dict[str, Found]:
    counts = np.array([len(found) for found in outcomes])
    against = [[one.record for one in found if not one.agrees] for found in outcomes]
    score = [consistency.consistency(found) for found in outcomes]
    shown = {"checks": counts, "conflicts": np.array([len(found) for found in against])}
    return {
        "consumer.consistency": Found([None if one is None else round(one, 3) for one in score], counts / (counts + 1.0), counts, shown),
        "consumer.conflicts": Found(against, [max((one["weight"] for one in found), default=0.9) for found in against], counts, shown),
    }


def _places(people: Sequence[One], worked: Sequence[Worked]) -> dict[str, Found]:
    homes, works = ([one.traits.get(key) for one in people] for key in ("place.home", "place.work"))
    hours = [work.hours for work in worked]
    days = np.array([work.spot.days if work.spot else 0 for work in worked])
    sure = [work.sure if found else 0.0 for work, found in zip(worked, hours, strict=True)]
    kinds = [kind_of_day(one.traits, one.spots, work) for one, work in zip(people, worked, strict=True)]
    return {
        "consumer.home": _place(homes, "home_name"),
        "consumer.work": _place(works, "work_name"),
        "consumer.working_hours": Found([f"{found[0]}–{found[1]}" if found else None for found in hours], sure, np.where([bool(one) for one in hours], days, 0),
            {"work_days": days, "work_place": [_work_place(work) for work in worked]}),
        "consumer.day": Found([kind for kind, _ in kinds], [surety for _, surety in kinds], [one.days if kind else 0 for one, (kind, _) in zip(people, kinds,
            strict=True)], {"days": [one.days for one in people]}),
    }  # fmt: skip


def _place(found: Sequence[Known | None], name: str) -> Found:
    codes = [one.value if one else None for one in found]
    days = [one.n if one else 0 for one in found]
    return Found(codes, [one.confidence if one else 0.0 for one in found], days, {name: [poland().powiat_name(code) for code in codes], f"{name}_days": days})


def _work_place(work: Worked) -> str | None:
    if work.spot is None:
        return None
    return poland().powiat_name(work.spot.powiat) or "office_line"


def _held(people: Sequence[One], by_place: Sequence[list[dict[str, Any]]]) -> dict[str, Found]:
    """By place where that is known, else by the hours alone."""
    devices: list[list[dict[str, Any]] | None] = []
    for one, placed in zip(people, by_place, strict=True):
        guessed = one.traits.get("device.work_private_guess")
        told = [{**guess, "visits": guessed.n, "sure": guessed.confidence} for guess in guessed.value] if guessed else []
        devices.append((placed or told) or None)
    visits = np.array([sum(device["visits"] for device in found or ()) for found in devices])
    sure = [min((device["sure"] for device in found), default=0.0) if found else 0.0 for found in devices]
    return {"consumer.devices": Found(devices, sure, visits, {"visits": visits, "work_devices": [_names(found, "work") for found in devices],
        "private_devices": [_names(found, "private") for found in devices]})}  # fmt: skip


def _names(devices: Sequence[Mapping[str, Any]] | None, use: str) -> list[str]:
    return [one["device"] for one in devices or () if one["use"] == use] or ["nothing"]


def _by_daypart(people: Sequence[One]) -> dict[str, Found]:
    values: list[list[dict[str, Any]] | None] = []
    weights: list[float] = []
    for one in people:
        parts: dict[str, list[tuple[float, str]]] = defaultdict(list)
        for subject in one.subjects:
            parts[subject.part].append((-subject.weight, subject.topic))
        values.append([{"daypart": part, "topics": [name for _, name in sorted(parts[part])[:MOST_TOPICS]]} for part in DAYPARTS if part in parts] or None)
        weights.append(sum(subject.weight for subject in one.subjects))
    counted = np.array(weights)
    looks = np.ceil(counted)
    return {"consumer.topics_by_daypart": Found(values, counted / (counted + 4.0), looks, {"looks": looks})}


def _contact(judged: Sequence[Sequence[Judged]], plans: Sequence[list[dict[str, Any]]]) -> dict[str, Found]:
    known = [[_address_record(one) for one in found] or None for found in judged]
    counts = np.array([len(found) for found in judged])
    sure = [min((one.sure for one in found), default=0.0) for found in judged]
    work = [sum(one.side == "work" for one in found) for found in judged]
    private = [sum(one.side == "private" for one in found) for found in judged]
    return {
        "contact.addresses": Found(known, sure, counts, {"addresses": counts, "for_work": work, "for_private": private}),
        "contact.plan": Found([found or None for found in plans], [max((one["sure"] for one in found), default=0.0) for found in plans], counts,
            {"lines": [len(found) for found in plans], "addresses": counts}),
    }  # fmt: skip


def _address_record(one: Judged) -> dict[str, Any]:
    return {
        "identity": one.address.identity, "channel": one.address.channel, "use": one.side or "unclear", "sure": round(one.sure, 3), "signs": list(one.signs),
        "deeds": one.address.use.deeds,
    }  # fmt: skip


# the row -----------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8_192)
def _is_landline(number: str) -> bool:
    try:
        kind = phonenumbers.number_type(phonenumbers.parse(number, "PL"))
    except phonenumbers.NumberParseException:
        return False
    return kind == phonenumbers.PhoneNumberType.FIXED_LINE


#: What ships of mailboxes and numbers, for the rules that judge addresses.
KINDS = Kinds(WORDS.is_free_mail, WORDS.is_disposable, WORDS.is_role, _is_landline)
JOINED = tuple(
    dict.fromkeys(
        [key for check in consistency.CHECKS for key in (check.one, check.other) if not key.startswith("consumer.")]
        + ["geo.source", "place.work", "place.home", "device.work_private_guess", "rhythm.hist", "rhythm.shift_worker", "engage.by_channel",
           "quality.deliverability", "legal.segment", "line.kind", "call.do_not_call"]
    )
)  # fmt: skip
USES = {
    "work": Text("do pracy", "for work"), "private": Text("prywatnie", "private"), "both": Text("tu i tu", "both"), "unclear": Text("nie wiadomo", "unclear"),
}  # fmt: skip
PARTS_OF_DAY = {
    "morning": Text("rano", "in the morning"), "work": Text("w godzinach pracy", "in working hours"), "evening": Text("wieczorem", "in the evening"),
    "night": Text("w nocy", "at night"), "weekend": Text("w weekend", "at the weekend"),
}  # fmt: skip
_NOTHING = {"nothing": Text("żadne", "none")}

ANALYSER = Analyser(
    key="consumer",
    label=Text("Profil konsumenta", "Consumer profile"),
    promise=Text("Co z cech składa się w całość: praca i dom, B2B czy B2C, na który adres pisać o czym i kiedy; i gdzie cechy sobie przeczą.",
        "What the traits come to: work and home, B2B or B2C, which address to write to about what and when; and where traits are at odds."),
    inputs=(
        "identity_id", "powiat", "network_kind", "is_proxy", "device_type", "os", "device_brand", "device_model", "property.section", "line.category",
        "identity.email", "identity.phone", "declared.last_name", "declared.company", *(f"trait.{key}" for key in JOINED),
    ),
    facts=facts,
    read=read,
    traits=(
        AnalysedTrait("consumer.side", Text("B2B czy B2C (całość)", "B2B or B2C (joined)"), "word", Text("Za tym stoją: {signs}.", "The signs: {signs}."),
            SIDES | SIDE_SIGNS),
        AnalysedTrait("consumer.day", Text("Dzień roboczy", "Working day"), "word",
            Text("Z {days} dni aktywności: {value}.", "Out of {days} days of activity: {value}."), KINDS_OF_DAY),
        AnalysedTrait("consumer.working_hours", Text("Godziny pracy", "Working hours"), "word",
            Text("W {work_days} dni roboczych wizyty w miejscu pracy ({work_place}) wypadają w godzinach {value}.",
                "On {work_days} working days the visits from the place of work ({work_place}) lie within {value}."),
            {"office_line": Text("sieć firmowa", "a business network")}, FEWEST_DAYS),
        AnalysedTrait("consumer.home", Text("Dom", "Home"), "word",
            Text("Powiat {home_name} ({value}): {home_name_days} nocy i weekendów.",
                "The powiat {home_name} ({value}): {home_name_days} nights and weekends.")),
        AnalysedTrait("consumer.work", Text("Praca", "Work"), "word",
            Text("Powiat {work_name} ({value}): {work_name_days} dni roboczych.",
                "The powiat {work_name} ({value}): {work_name_days} working days.")),
        AnalysedTrait("consumer.devices", Text("Urządzenia służbowe i prywatne", "Devices for work and private ones"), "records",
            Text("Służbowe: {work_devices}; prywatne: {private_devices} (wizyt: {visits}).",
                "For work: {work_devices}; private: {private_devices} ({visits} visits)."),
            _NOTHING | USES, named_by="use"),
        AnalysedTrait("consumer.topics_by_daypart", Text("Tematy według pory", "Subjects by daypart"), "records",
            Text("Z {looks} obejrzeń, tracących połowę wagi co 60 dni.", "Out of {looks} looks, which lose half their weight every 60 days."),
            PARTS_OF_DAY, named_by="daypart"),
        AnalysedTrait("contact.addresses", Text("Adresy: służbowe i prywatne", "Addresses: for work and private"), "records",
            Text("Adresów: {addresses}, w tym służbowych: {for_work}, prywatnych: {for_private}.",
                "Addresses: {addresses}, of them for work: {for_work}, private: {for_private}."), USES, named_by="use"),
        AnalysedTrait("contact.plan", Text("Na który adres pisać o czym i kiedy", "Which address to write to about what and when"), "records",
            Text("Wskazówek: {lines}, adresów: {addresses}. O tym, czy wolno pisać, rozstrzygają zgody.",
                "Lines: {lines}, addresses: {addresses}. Whether a message may be sent is for consents to say."), contact.ABOUT, named_by="about"),
        AnalysedTrait("consumer.consistency", Text("Zgodność cech", "Consistency of traits"), "share",
            Text("Sprawdzono par cech: {checks}; sprzecznych: {conflicts}.", "Pairs of traits checked: {checks}; at odds: {conflicts}.")),
        AnalysedTrait("consumer.conflicts", Text("Sprzeczności", "Conflicts"), "records",
            Text("Sprzecznych: {conflicts} z {checks} sprawdzonych par cech.", "At odds: {conflicts} of {checks} pairs of traits checked."),
            {check.key: check.label for check in consistency.CHECKS}, named_by="check"),
    ),
    method=Text(
        "Cechy pozostałych analizatorów zestawione parami; adresy według sumy znaków jako logarytm szans; plan z adresu, tematu i pory.",
        "Traits of the other analysers set side by side; addresses by a sum of signs as log-odds; the plan from address, subject and hour.",
    ),
    purpose="profiling",
    schedule="on_event",
    version=2,
    half_life_days=HALF_LIFE_DAYS,
    ages=True,
    data="postcodes, mailboxes 2026-11, phonenumbers 9",
)  # fmt: skip
