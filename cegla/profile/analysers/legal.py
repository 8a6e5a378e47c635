"""Legal form: is a person here for a firm, for a one-person business, for an office, or for themselves?

Additive evidence in log-odds, as in naive Bayes: each sign has a weight, their sum is the log-odds of "business". A legal form in the
company's name decides by itself. A sole trader (JDG) is a business and a natural person at once, so it has a segment of its own: the
rules for personal data and for firms both hold. Registers (VIES, the white list of VAT payers) are not asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from stdnum.pl import nip as polish_nip

from cegla.profile.rules.analysis import AnalysedTrait, Analyser, Facts, Found, Params
from cegla.profile.rules.blocked import reveals_membership
from cegla.profile.rules.guards import Seen, Table, joined_facts
from cegla.reference.words import WORDS, LegalForm
from cegla.vocabulary.folding import folded
from cegla.vocabulary.text import Text

ORDERED = "Order Completed"
#: Log-odds towards business. Set by hand: each is about the logarithm of how much likelier the sign is among firms than among consumers.
POINTS: dict[str, float] = {
    "legal_form": 4.0, "nip": 2.5, "company": 1.8, "role_mailbox": 1.8, "own_domain": 1.2, "invoices": 1.5, "work_hours": 0.7, "bulk": 0.9,
    "business_network": 0.6, "free_mailbox": -1.3, "pesel": -2.5, "receipts": -1.0, "evenings": -0.8,
    "own_name": -2.4,
}  # fmt: skip
PRIOR = -0.4
DECIDED = 0.68  #: how probable a side must be to be named
FEW_ORDERS = 3  #: hours and documents of fewer orders say nothing
BULK_PIECES = 10  #: pieces of one product in an order line, on average
LEGAL_FORM_SURE, TRADER_SURE = 0.97, 0.85
_COMPANY = ("declared.company", "declared.company_name", "declared.organization")
_NIP = ("declared.nip", "declared.vat_id", "declared.vat_number", "declared.tax_id")


class Company(NamedTuple):
    """A company as it was declared: its legal form, and its name without it."""

    form: LegalForm | None
    base: str


@dataclass
class Record:
    """What one person's record says: signs for and against, in the order they were found."""

    signs: list[str] = field(default_factory=list[str])
    company: Company | None = None
    nip: bool | None = None
    role: bool | None = None
    domain: str | None = None
    named_after: bool = False  #: the company bears the person's surname
    own_name: bool = False  #: a mailbox does

    @property
    def points(self) -> float:
        """The log-odds of its signs."""
        return sum(POINTS[sign] for sign in self.signs)


def facts(seen: Seen) -> Table:
    """Orders of each person: how many, with an invoice, with a receipt, in working hours, at weekends and in the evening; pieces a line."""
    events = seen.events
    orders = events.filter(events.name == ORDERED)
    document = orders.property_invoice.fill_null("") + " " + orders.property_document.fill_null("")
    hour, workday = orders.local_at.hour(), orders.local_at.day_of_week.index() < 5
    counted = orders.group_by("person_id").agg(
        orders=orders.count(),
        invoices=document.lower().re_search("true|faktura|invoice|^1 ").sum(),
        receipts=document.lower().re_search("paragon|receipt").sum(),
        working=(workday & hour.between(7, 16)).sum(),
        evening=(~workday | ~hour.between(7, 17)).sum(),
    )
    lines = seen.lines.filter(seen.lines.name == ORDERED)
    pieces = lines.group_by("person_id").agg(pieces=lines.quantity.cast("float64").mean().round(3))
    visits = events.filter(events.session_id.notnull() & events.network_kind.notnull())
    networks = visits.group_by("person_id").agg(
        visits=visits.session_id.nunique(), business=visits.session_id.nunique(where=visits.network_kind == "business")
    )
    everybody = events.select("person_id").distinct()
    return joined_facts(everybody, counted, pieces, networks)


def read(facts: Facts, params: Params, now: datetime) -> Mapping[str, Found]:
    """A legal form decides; else the sum of the signs, when it is clear enough."""
    records = [record_of(told) for told in _told(facts)]
    behaviour = _behaviour(facts)
    for record, signs in zip(records, behaviour, strict=True):
        record.signs += signs
    decided = [segment_of(record) for record in records]
    counts = np.array([len(record.signs) for record in records], np.int64)
    companies = [_shown(record.company) for record in records]
    company = np.array([record.company is not None for record in records], np.int64)
    forms = [one.form if one else None for one in companies]
    domains = [None if one.domain and reveals_membership(one.domain) else one.domain for one in records]
    signs = {"signs": [record.signs or None for record in records]}
    return {
        "legal.segment": Found([segment for segment, _ in decided], [sure for _, sure in decided], counts, signs),
        "legal.form": Found([form and form.key for form in forms], np.where(company, LEGAL_FORM_SURE, 0.0), company, {}),
        "legal.nip_valid": Found([one.nip for one in records], np.ones(len(records)), [one.nip is not None for one in records], {}),
        "contact.role_address": Found([one.role for one in records], np.full(len(records), 0.95), [one.role is not None for one in records], {}),
        "company.name_base": Found([one.base if one else None for one in companies], np.full(len(records), 0.9), company, {}),
        "company.domain": Found(domains, np.full(len(records), 0.9), [one is not None for one in domains], {}),
    }


def _shown(company: Company | None) -> Company | None:
    """What may be written of a company: nothing of one whose name tells the belief of who belongs to it (GDPR art. 9). Its segment stays."""
    if company is None or (company.form and company.form.key == "parafia") or reveals_membership(company.base):
        return None
    return company


def record_of(told: Mapping[str, Any]) -> Record:
    """The signs in what a person declared, and in their addresses. Keys are those of `INPUTS`."""
    record = Record()
    surname = folded(_text(told, "declared.last_name"))
    if len(name := _text(told, *_COMPANY)) > 1:
        record.company = company_of(name)
        record.signs.append("legal_form" if record.company.form and record.company.form.segment != "jdg" else "company")
        record.named_after = len(surname) > 2 and surname in folded(name).split()
    if number := _text(told, *_NIP):
        record.nip = polish_nip.is_valid(number.upper().removeprefix("PL"))
        record.signs += ["nip"] if record.nip else []
    if _text(told, "declared.pesel"):
        record.signs.append("pesel")
    _read_addresses(record, told.get("identifier.email") or (), surname)
    return record


def company_of(name: str) -> Company:
    """A company's name taken apart: "Nowak i Syn Sp. z o.o." is a limited company called "Nowak i Syn"."""
    bare = " ".join(name.split()).strip(" ,\"'„”")
    return Company(WORDS.legal_form(bare), WORDS.without_legal_form(bare) or bare)


def segment_of(record: Record) -> tuple[str | None, float]:
    """The segment and how sure it is; None when the signs do not say."""
    form = record.company.form if record.company else None
    if form is not None:
        return form.segment, LEGAL_FORM_SURE
    if not record.signs:
        return None, 0.0
    business = 1.0 / (1.0 + np.exp(-(PRIOR + record.points)))
    if record.nip and (record.named_after or (record.company is None and (record.own_name or record.domain is None))):
        return "jdg", TRADER_SURE
    if business >= DECIDED:
        return "b2b", float(business)
    return ("b2c", float(1.0 - business)) if business <= 1.0 - DECIDED else (None, 0.0)


def _read_addresses(record: Record, addresses: Sequence[str], surname: str) -> None:
    for address in sorted(addresses):
        mailbox, _, domain = address.rpartition("@")
        if not mailbox:
            continue
        free = WORDS.is_free_mail(domain)
        record.own_name |= len(surname) > 2 and surname in folded(mailbox)
        record.role = bool(record.role) or (WORDS.is_role(mailbox) and not record.own_name)
        if not free and not WORDS.is_disposable(domain):
            record.domain = record.domain or domain
    if record.role is None:
        return
    record.signs += ["role_mailbox"] if record.role else []
    record.signs += ["own_name"] if record.own_name and record.company is None else []
    record.signs.append("own_domain" if record.domain else "free_mailbox")


def _behaviour(facts: Facts) -> list[list[str]]:
    """The signs in what people did."""
    orders, known = facts.counts("orders"), np.maximum(facts.counts("orders"), 1)
    enough = orders >= FEW_ORDERS
    signs = {
        "invoices": facts.counts("invoices") * 2 >= known,
        "receipts": facts.counts("receipts") * 2 >= known,
        "work_hours": enough & (facts.counts("working") / known >= 0.8),
        "evenings": enough & (facts.counts("evening") / known >= 0.8),
        "bulk": np.nan_to_num(facts.numbers("pieces")) >= BULK_PIECES,
        "business_network": (facts.counts("visits") >= FEW_ORDERS) & (facts.counts("business") * 2 >= np.maximum(facts.counts("visits"), 1)),
    }
    signs["invoices"] &= orders > 0
    signs["receipts"] &= orders > 0
    return [[name for name, column in signs.items() if column[row]] for row in range(len(facts))]


def _told(facts: Facts) -> list[dict[str, Any]]:
    columns = {name: facts.told.get(name, [None] * len(facts)) for name in INPUTS if name.startswith(("declared.", "identifier."))}
    return [{name: column[row] for name, column in columns.items() if column[row]} for row in range(len(facts))]


def _text(told: Mapping[str, Any], *names: str) -> str:
    """The first of these that is there, as text; an object's own name for `company: {name: …}`."""
    for name in names:
        value = told.get(name)
        if value is None:
            continue
        if isinstance(value, Mapping):
            value = value.get("name")
        if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()
    return ""


SEGMENTS = {
    "b2b": Text("firma", "company"), "b2c": Text("konsument", "consumer"), "jdg": Text("jednoosobowa działalność", "sole trader"),
    "public": Text("instytucja publiczna", "public body"), "ngo": Text("organizacja społeczna", "non-profit"),
}  # fmt: skip
SIGNS = {
    "legal_form": Text("forma prawna w nazwie", "a legal form in the name"), "nip": Text("poprawny NIP", "a valid NIP"),
    "company": Text("nazwa firmy", "a company's name"), "role_mailbox": Text("skrzynka działu", "a mailbox of a role"),
    "own_domain": Text("własna domena", "a domain of its own"), "invoices": Text("faktury", "invoices"), "bulk": Text("duże ilości", "large quantities"),
    "work_hours": Text("zamówienia w godzinach pracy", "orders in working hours"), "business_network": Text("sieć firmowa", "a business network"),
    "free_mailbox": Text("darmowa skrzynka", "a free mailbox"), "pesel": Text("PESEL", "PESEL"), "receipts": Text("paragony", "receipts"),
    "own_name": Text("nazwisko w adresie e-mail", "the surname in the e-mail address"),
    "evenings": Text("zamówienia wieczorami i w weekendy", "orders in the evening and at weekends"),
}  # fmt: skip
FORMS = {
    "z_oo": Text("spółka z o.o.", "limited company (sp. z o.o.)"), "akcyjna": Text("spółka akcyjna", "joint-stock company (S.A.)"),
    "prosta_akcyjna": Text("prosta spółka akcyjna", "simple joint-stock company (P.S.A.)"),
    "komandytowa": Text("spółka komandytowa", "limited partnership (sp. k.)"),
    "komandytowo_akcyjna": Text("spółka komandytowo-akcyjna", "partnership limited by shares (S.K.A.)"),
    "partnerska": Text("spółka partnerska", "professional partnership (sp. p.)"), "jawna": Text("spółka jawna", "general partnership (sp. j.)"),
    "cywilna": Text("spółka cywilna", "civil partnership (s.c.)"), "spoldzielnia": Text("spółdzielnia", "cooperative"),
    "przedsiebiorstwo_panstwowe": Text("przedsiębiorstwo państwowe", "state enterprise"), "fundacja": Text("fundacja", "foundation"),
    "stowarzyszenie": Text("stowarzyszenie", "association"), "wspolnota": Text("wspólnota mieszkaniowa", "housing community"),
    "uczelnia": Text("uczelnia", "university"), "szkola": Text("szkoła", "school"), "urzad": Text("urząd", "public office"),
    "zdrowie": Text("publiczna placówka zdrowia", "public health care"), "parafia": Text("parafia", "parish"),
    "jdg": Text("działalność jednoosobowa", "sole trader"), "zagraniczna": Text("spółka zagraniczna", "foreign company"),
}  # fmt: skip
INPUTS = (
    *_COMPANY, *_NIP, "declared.pesel", "declared.last_name", "identifier.email", "network_kind", "property.invoice", "property.document", "line.quantity",
)  # fmt: skip

ANALYSER = Analyser(
    key="legal",
    label=Text("Forma prawna", "Legal form"),
    promise=Text("Czy osoba kupuje dla firmy, dla siebie, czy w imieniu instytucji.",
        "Whether a person buys for a company, for themselves, or for a public body."),
    inputs=INPUTS,
    facts=facts,
    read=read,
    traits=(
        AnalysedTrait("legal.segment", Text("B2B czy B2C", "B2B or B2C"), "word", Text("Wskazują na to: {signs}.", "The signs: {signs}."), SEGMENTS | SIGNS),
        AnalysedTrait("legal.form", Text("Forma prawna", "Legal form"), "word",
            Text("Forma w podanej nazwie firmy: {value}.", "The form in the company's name as given: {value}."), FORMS),
        AnalysedTrait("legal.nip_valid", Text("NIP poprawny", "NIP valid"), "flag",
            Text("Cyfra kontrolna NIP zgadza się: {value}.", "The check digit of the NIP is right: {value}.")),
        AnalysedTrait("contact.role_address", Text("Adres działu", "Address of a role"), "flag",
            Text("Adres e-mail należy do działu, nie do osoby: {value}.", "The e-mail address belongs to a role, not to a person: {value}.")),
        AnalysedTrait("company.name_base", Text("Nazwa firmy", "Company's name"), "word",
            Text("Podana nazwa bez formy prawnej: {value}.", "The name as given, without the legal form: {value}.")),
        AnalysedTrait("company.domain", Text("Domena firmy", "Company's domain"), "word",
            Text("Domena adresu e-mail, która nie jest darmową skrzynką: {value}.", "The domain of an e-mail address that is not a free mailbox: {value}.")),
    ),
    method=Text(
        "Forma prawna w nazwie rozstrzyga; bez niej suma znaków (NIP, domena, skrzynka, dokumenty, godziny) jako logarytm szans.",
        "A legal form in the name decides; without one, the sum of signs (NIP, domain, mailbox, documents, hours) as log-odds.",
    ),
    purpose="profiling",
    schedule="hourly",
    version=2,
    data="legal forms, mailboxes 2026-11",
)  # fmt: skip
