"""Record quality: can a person be reached and addressed by what is written about them, and what should be mended?

Dimensions after ISO/IEC 25012: completeness, validity, consistency (postcode and city, given name and gender), timeliness. The checks are
in `profile/rules/record.py`. A field is judged as it was given; what an address did since then (bounces) counts for deliverability.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from cegla.profile.rules.analysis import AnalysedTrait, Analyser, Facts, Found, Params
from cegla.profile.rules.guards import Seen, Table
from cegla.profile.rules.record import FINE, Checked, checked, text_of
from cegla.reference.places import poland
from cegla.vocabulary.text import Text

#: What each field is worth in the score; those of `WANTED` should be there.
WORTH = {"email": 30, "phone": 20, "first_name": 12, "last_name": 12, "postcode": 8, "city": 8, "birthday": 4, "gender": 2, "nip": 2, "regon": 1, "company": 1}
WANTED = ("email", "phone", "first_name", "last_name", "postcode", "city")
#: Where a field is looked for, the first that is there; "identifier.…" are the addresses that intake knows the person by.
PLACES: dict[str, tuple[str, ...]] = {
    "email": ("declared.email", "identifier.email"), "phone": ("declared.phone", "declared.mobile", "identifier.phone"),
    "first_name": ("declared.first_name", "declared.firstname"), "last_name": ("declared.last_name", "declared.lastname", "declared.surname"),
    "postcode": ("declared.postcode", "declared.postal_code", "declared.zip"), "city": ("declared.city",), "birthday": ("declared.birthday",),
    "gender": ("declared.gender",), "nip": ("declared.nip",), "regon": ("declared.regon",), "company": ("declared.company",),
}  # fmt: skip
_WITHIN_ADDRESS = {"postcode": ("postalCode", "postal_code", "postcode", "zip"), "city": ("city",)}
FRESH_DAYS = 365.0  #: after a year without a sign of life, a record is half as fresh
SURE_OF_CHECKS = 0.98
#: How likely mail arrives at an address about which a check says this; 0.97 for one with nothing against it (bounce rates of kept lists are 1 to 3 %).
ARRIVES = {"": 0.97, "typo": 0.1, "disposable": 0.15, "placeholder": 0.02, "encoding": 0.3}
#: Signs that the person may be recorded a second time, and how far each raises the risk.
TWICE = {"no_address": 0.35, "disposable": 0.3, "typo": 0.3, "several_emails": 0.15, "swapped": 0.1}


def facts(seen: Seen) -> Table:
    """When each person last gave a sign of life, and what became of messages to them."""
    events = seen.events
    return events.group_by("person_id").agg(
        quiet_days=events.days_ago.min(where=~events.name.startswith("Message ")),
        bounced=(events.name == "Message Bounced").sum(),
        answered=events.name.isin(["Message Clicked", "Message Opened"]).sum(),
        sent=(events.name == "Message Sent").sum(),
    )  # fmt: skip


def read(facts: Facts, params: Params, now: datetime) -> Mapping[str, Found]:
    """The score is the worth of the fields that are fine, out of those that are there or should be, times half of freshness."""
    records = _records(facts)
    fields = [checked(record, now.date(), poland()) for record in records]
    known = np.array([len(record) for record in records], np.int64)
    valid = np.array([_valid_share(one) for one in fields])
    complete = np.array([sum(name in record for name in WANTED) / len(WANTED) for record in records])
    quiet = facts.numbers("quiet_days")
    fresh = np.where(np.isnan(quiet), np.nan, np.exp2(-np.nan_to_num(quiet) / FRESH_DAYS))
    score = np.round(100 * valid * (0.75 + 0.25 * np.nan_to_num(fresh, nan=0.5)))
    arrives = _arrives(facts, fields)
    risk = [_risk(one, facts.told.get("identifier.email", [None] * len(records))[row]) for row, one in enumerate(fields)]
    wrong = [[name for name, one in found.items() if not one.valid] for found in fields]
    shown = {"wrong": [names or ["nothing"] for names in wrong], "fields": known, "missing": [_missing(record) or ["nothing"] for record in records]}
    addresses = np.array(["email" in record for record in records], np.int64)
    return {
        "quality.score": Found(score, np.full(len(records), 0.9), known, {"wrong": shown["wrong"], "missing": shown["missing"]}),
        "quality.fields": Found([_described(found) or None for found in fields], np.full(len(records), SURE_OF_CHECKS), known,
            {"fields": known, "wrong": shown["wrong"]}),
        "quality.completeness": Found(np.round(complete, 3), np.ones(len(records)), known, {"missing": shown["missing"]}),
        "quality.freshness": Found(np.round(fresh, 3), np.ones(len(records)), ~np.isnan(quiet), {"quiet_days": quiet}),
        "quality.duplicate_risk": Found(np.round([one for one, _ in risk], 2), np.full(len(records), 0.5), known,
            {"signs": [signs or ["nothing"] for _, signs in risk]}),
        "quality.deliverability": Found(np.round(arrives, 3), np.full(len(records), 0.8), addresses,
            {"email": [found.get("email", FINE).reason or "fine" for found in fields], "bounced": facts.counts("bounced"), "sent": facts.counts("sent")}),
    }  # fmt: skip


def _records(facts: Facts) -> list[dict[str, str]]:
    """Of each person the fields that are there, as text."""
    nothing = [None] * len(facts)
    given = {place: column for place, column in facts.told.items() if any(one is not None for one in column)}  # most places are nobody's
    columns = {field: [given[place] for place in places if place in given] for field, places in PLACES.items()}
    address = facts.told.get("declared.address", nothing)
    records: list[dict[str, str]] = []
    for row in range(len(facts)):
        found = {field: next(filter(None, (_told(column[row]) for column in places)), "") for field, places in columns.items()}
        within = address[row]
        if isinstance(within, Mapping):
            for field, names in _WITHIN_ADDRESS.items():
                found[field] = found[field] or next(filter(None, (text_of(within.get(name)) for name in names)), "")
        records.append({field: text for field, text in found.items() if text.strip()})
    return records


def _told(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("name")
    return text_of(min(value, default="") if isinstance(value, (list, tuple)) else value)


def _valid_share(fields: Mapping[str, Checked]) -> float:
    """The worth of what is fine, out of what is there or is wanted."""
    asked = sum(WORTH[name] for name in {*fields, *WANTED})
    return sum(WORTH[name] for name, one in fields.items() if one.valid) / asked


def _missing(record: Mapping[str, str]) -> list[str]:
    return [name for name in WANTED if name not in record]


def _described(fields: Mapping[str, Checked]) -> list[dict[str, Any]]:
    """The fields as the trait shows them; `normalised` is there only where something else was meant."""
    return [
        {"field": name, "valid": one.valid} | ({"reason": one.reason} if one.reason else {}) | ({"normalised": one.meant} if one.meant else {})
        for name, one in fields.items()
    ]


def _arrives(facts: Facts, fields: Sequence[Mapping[str, Checked]]) -> Any:
    """By the address alone, then by what happened to it: a bounce without a later sign of life leaves little."""
    by_address = np.array([ARRIVES.get(one["email"].reason, 0.0) if "email" in one else np.nan for one in fields], np.float64)
    bounced, answered = facts.counts("bounced"), facts.counts("answered")
    return np.where((bounced > 0) & (answered == 0), by_address * 0.05, by_address)


def _risk(fields: Mapping[str, Checked], addresses: Sequence[str] | None) -> tuple[float, list[str]]:
    reasons = {one.reason for one in fields.values()}
    signs = [sign for sign in ("disposable", "typo", "swapped") if sign in reasons]
    if not {"email", "phone"} & {name for name, one in fields.items() if one.valid}:
        signs.append("no_address")
    if len(addresses or ()) > 1:
        signs.append("several_emails")
    risk = 1.0
    for sign in signs:
        risk *= 1.0 - TWICE[sign]
    return max(0.02, 1.0 - risk), signs


FIELDS = {
    "email": Text("e-mail", "e-mail"), "phone": Text("telefon", "phone"), "first_name": Text("imię", "given name"), "last_name": Text("nazwisko", "surname"),
    "postcode": Text("kod pocztowy", "postcode"), "city": Text("miejscowość", "city"), "birthday": Text("data urodzenia", "birthday"),
    "gender": Text("płeć", "gender"),
    "nip": Text("NIP", "NIP"), "regon": Text("REGON", "REGON"), "company": Text("firma", "company"), "nothing": Text("nic", "nothing"),
}  # fmt: skip
REASONS = {
    "fine": Text("bez zastrzeżeń", "nothing against it"), "syntax": Text("zły zapis", "malformed"), "typo": Text("literówka", "mistyped"),
    "disposable": Text("skrzynka jednorazowa", "throw-away mailbox"), "placeholder": Text("wpis na niby", "placeholder"),
    "encoding": Text("zepsute litery", "broken letters"),
    "swapped": Text("zamienione pola", "fields exchanged"), "phone_in_email": Text("telefon zamiast adresu", "a phone instead of an address"),
    "no_address": Text("brak dobrego adresu i telefonu", "no good address or phone"), "several_emails": Text("kilka adresów", "several addresses"),
    "nothing": FIELDS["nothing"],
}  # fmt: skip
INPUTS = (*dict.fromkeys(place for places in PLACES.values() for place in places), "declared.address")

ANALYSER = Analyser(
    key="quality",
    label=Text("Jakość danych", "Record quality"),
    promise=Text("Czy do osoby da się dotrzeć i zwrócić po tym, co o niej zapisano, i co trzeba poprawić.",
        "Whether a person can be reached and addressed by what is written about them, and what to mend."),
    inputs=INPUTS,
    facts=facts,
    read=read,
    traits=(
        AnalysedTrait("quality.score", Text("Jakość danych", "Record quality"), "score",
            Text("Do poprawy: {wrong}. Brakuje: {missing}.", "To mend: {wrong}. Missing: {missing}."), FIELDS),
        AnalysedTrait("quality.fields", Text("Pola", "Fields"), "records",
            Text("Sprawdzono pól: {fields}. Do poprawy: {wrong}.", "Fields checked: {fields}. To mend: {wrong}."), FIELDS | REASONS, named_by="field"),
        AnalysedTrait("quality.completeness", Text("Kompletność", "Completeness"), "share", Text("Brakuje: {missing}.", "Missing: {missing}."), FIELDS),
        AnalysedTrait("quality.freshness", Text("Świeżość", "Freshness"), "share",
            Text("Dni od ostatniego znaku życia: {quiet_days}.", "Days since the last sign of life: {quiet_days}.")),
        AnalysedTrait("quality.duplicate_risk", Text("Ryzyko powtórzenia", "Risk of a duplicate"), "share",
            Text("Znaki, że osoba może być zapisana dwa razy: {signs}.", "Signs that the person may be recorded twice: {signs}."), REASONS),
        AnalysedTrait("quality.deliverability", Text("Czy poczta dojdzie", "Whether mail arrives"), "share",
            Text("Adres: {email}; zwrotów {bounced} z {sent} wysłanych.", "The address: {email}; {bounced} bounced of {sent} sent."), REASONS),
    ),
    method=Text(
        "Każde pole jest sprawdzane osobno i między polami, bez pytania sieci; wynik to udział wartości pól dobrych w polach potrzebnych.",
        "Each field is checked by itself and against the others, asking no network; the score is the worth of good fields out of those needed.",
    ),
    purpose="service",
    schedule="hourly",
    ages=True,
    data="postcodes, mailboxes 2026-11",
)  # fmt: skip
