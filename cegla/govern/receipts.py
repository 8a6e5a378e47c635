"""The consent record in full: who, what, purpose, channel, when, where, how, by which words, with which proof (ISO/IEC TS 27560:2023).

The ledger keeps what only it can know; the rest is read from the register as it was at the moment of the decision.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cegla.govern import register
from cegla.govern.rules.purposes import Notice, Purpose, Register
from cegla.govern.store import SQL
from cegla.storage.workspace import Connection
from cegla.vocabulary.consent import Channel, State
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.text import Text

SCHEMA = "ISO/IEC TS 27560:2023"
RIGHTS = ("access", "rectification", "erasure", "restriction", "portability", "objection", "withdrawal", "complaint")  #: GDPR art. 7(3), 13, 15-21
STORED = "PostgreSQL of this installation"
#: How a decision was made, by the words the ledger knows, and whether the person acted themselves (event_type).
METHODS: dict[str, tuple[Text, str]] = {
    "event": (Text("formularz lub ustawienia strony", "a form or the site's settings"), "explicit"),
    "preference_event": (Text("zmiana ustawień na stronie", "a change of preferences on the site"), "explicit"),
    "gpc": (Text("sygnał przeglądarki (GPC)", "the browser's signal (GPC)"), "explicit"),
    "import": (Text("wczytany plik", "an imported file"), "recorded"),
    "import undone": (Text("cofnięcie importu", "an import taken back"), "recorded"),
    "one_click": (Text("wypisanie jednym kliknięciem", "one-click unsubscribe"), "explicit"),
    "withdrawal_event": (Text("wypisanie przekazane przez źródło", "a withdrawal told by a source"), "explicit"),
    "mail": (Text("wypisanie e-mailem", "unsubscribed by e-mail"), "explicit"),
    "preference_page": (Text("strona preferencji", "the preference page"), "explicit"),
    "double_opt_in": (Text("potwierdzenie z listu", "confirmed from a letter"), "explicit"),
    "operator": (Text("zapisane przez pracownika", "recorded by a member of staff"), "recorded"),
    "sms": (Text("odpowiedź SMS", "a reply by SMS"), "explicit"),
}


@dataclass(frozen=True)
class Record:
    """One decision with everything it was made with; `purpose` and `notice` are those of its time."""

    record_id: int
    identity_id: int
    purpose_key: str
    channel: Channel
    state: State
    at: datetime
    recorded_at: datetime
    source_id: int
    method: str
    proof: Mapping[str, Any]
    follows: int | None
    link: bytes
    purpose: Purpose | None
    notice: Notice | None
    register: Register

    @property
    def page(self) -> str:
        """Where it was made: the page, else the form."""
        return str(self.proof.get("page") or self.proof.get("form") or "")

    @property
    def notice_version(self) -> str:
        """Which words the person saw, as the source named them."""
        return str(self.proof.get("noticeVersion") or self.proof.get("textVersion") or "")

    @property
    def words_match(self) -> bool | None:
        """Whether the words the person saw, by their hash, are those of the register; None when either is not known."""
        told = self.proof.get("textHash")
        return told == self.notice.digest if told and self.notice else None

    @property
    def valid_until(self) -> datetime | None:
        """When a consent ends by itself."""
        days = self.purpose.valid_days if self.purpose else 0
        return self.at + timedelta(days=days) if days else None


def records(conn: Connection, record_ids: Sequence[int]) -> dict[int, Record]:
    """Decisions by their numbers; those that are gone with an erased person are left out."""
    found: dict[int, Record] = {}
    for row in SQL.records(conn, ids=list(record_ids)):
        record_id, identity_id, key, channel, state, at, recorded_at, source_id, method, proof, follows, link = row
        then = register.current(conn, at)
        version = str(proof.get("noticeVersion") or proof.get("textVersion") or "")
        notice = then.notice(key, version, str(proof.get("language") or "")) or register.current(conn).notice(key, version, str(proof.get("language") or ""))
        found[record_id] = Record(
            record_id, identity_id, key, Channel(channel), State(state), at, recorded_at, source_id, method, proof, follows, bytes(link),
            then.purposes.get(key), notice if version else None, then,
        )  # fmt: skip
    return found


def record(conn: Connection, record_id: int) -> Record:
    """One decision. Raises NotFound."""
    found = records(conn, [record_id]).get(record_id)
    if found is None:
        raise NotFound(where="record", seen=record_id, thing=Text(f"decyzja {record_id}", f"decision {record_id}"))
    return found


def pages_of(conn: Connection, record_ids: Sequence[int]) -> dict[int, str]:
    """Where decisions were made."""
    return {row.record_id: row.page for row in records(conn, record_ids).values() if row.page}


def receipt(one: Record, person: str) -> dict[str, Any]:
    """The record as the standard lays it out: header, processing, parties, events, and our proof. `person` is how we name the person."""
    purpose, held, controller = one.purpose, one.register, one.register.controller
    country = held.country(None)
    return {
        "header": {"schema_version": SCHEMA, "record_id": one.record_id, "pii_principal_id": person},
        "processing": {
            "privacy_notice": {"version": one.notice_version, "sha256": one.notice.digest if one.notice else one.proof.get("textHash", "")},
            "privacy_notice_text": one.notice.text if one.notice else "", "language": one.proof.get("language", ""),
            "purposes": [{"purpose_type": one.purpose_key, "label": _both(purpose.label) if purpose else {}, "about": _both(purpose.about) if purpose else {}}],
            "lawful_basis": purpose.basis.value if purpose else "", "pii_information": [{"pii_type": kind} for kind in (purpose.categories if purpose else ())],
            "pii_controllers": [controller.name], "collection_method": _both(METHODS[one.method][0]) if one.method in METHODS else one.method,
            "processing_method": "automated", "storage_locations": [STORED], "retention_period": f"P{purpose.retention_days}D" if purpose else "",
            "recipient_third_parties": list(purpose.recipients) if purpose else [], "jurisdiction": country.code, "privacy_rights": list(RIGHTS),
            "withdrawal_method": "the preference page and the unsubscribe link in every message", "impact_assessment": purpose.assessment if purpose else "",
            "authority_party": country.authority,
        },
        "parties": [{
            "party_id": "controller", "role": "pii_controller", "name": controller.name, "url": controller.url,
            "contact": {"address": controller.address, "email": controller.email, "officer": controller.officer},
        }],
        "events": [{
            "event_type": METHODS[one.method][1] if one.method in METHODS else "explicit", "event_state": one.state.value, "event_time": one.at,
            "recorded_time": one.recorded_at, "validity_duration": f"P{purpose.valid_days}D" if purpose and purpose.valid_days else "until withdrawn",
            "entity_id": person, "channel": one.channel.value, "method": one.method, "source_id": one.source_id,
        }],
        "proof": {**one.proof, "register_version": held.number, "follows": one.follows, "link": one.link.hex()},
    }  # fmt: skip


def _both(text: Text) -> dict[str, str]:
    return {"pl": text.pl, "en": text.en}
