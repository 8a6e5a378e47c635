"""What events say about consent: Segment's consent object, the preference event, and the Global Privacy Control signal."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from cegla.govern.rules.gate import Recorded, newest
from cegla.govern.rules.purposes import CATEGORIES
from cegla.vocabulary.consent import Channel, Decision, State
from cegla.vocabulary.events import Event

PREFERENCE_EVENT = "Segment Consent Preference Updated"

NOT_YET_STORED = 1 << 62

Slot = tuple[int, str, Channel]  #: whose decision, on which purpose and channel
Ledger = dict[Slot, list[Recorded]]


class Settled(NamedTuple):
    """What an identity said last, when it was no news any more; `since` is when its newest decision was made."""

    consent: object
    gpc: object
    since: datetime


def says_the_same(event: Event, settled: Settled) -> bool:
    """Whether the event repeats a settled statement, so that `news_in` would find nothing."""
    context = event.context
    return (
        settled.consent == context.get("consent") and settled.gpc == context.get("gpc") and event.name != PREFERENCE_EVENT
        and event.occurred_at >= settled.since and event.received_at >= settled.since
    )  # fmt: skip


def settled_by(event: Event, known: Ledger) -> Settled | None:
    """What is settled by an event that brought no news: nothing, when somebody decided after it, or when it says 1 for true."""
    if not all(isinstance(answer, bool) for answer in (preferences(event) or {}).values()):
        return None
    since = max((row.at for rows in known.values() for row in rows), default=min(event.occurred_at, event.received_at))
    if since > min(event.occurred_at, event.received_at) or event.name == PREFERENCE_EVENT:
        return None
    return Settled(event.context.get("consent"), event.context.get("gpc"), since)


def preferences(event: Event) -> Mapping[str, object] | None:
    """The categories the event states, or None when it says nothing about consent."""
    consent = event.context.get("consent")
    if not isinstance(consent, dict):
        return None
    categories = consent.get("categoryPreferences")
    return categories if isinstance(categories, dict) else None


def says_anything(event: Event) -> bool:
    """Whether the event carries a consent object or a privacy signal."""
    return "consent" in event.context or "gpc" in event.context


def news_in(event: Event, identity_id: int, known: Ledger, imported: Mapping[str, object] | None = None) -> list[Decision]:
    """The decisions of an event that are news. Browsers repeat their state with every event; only a change is a decision.

    Categories that are not known, or whose value is not true or false, say nothing. A refusal after a given consent is a
    withdrawal. `known` is what the ledger says about the same identity, and grows by what is returned, under record ids
    after every stored one, so that `in_force` sees it too. `imported` is the origin and basis of a file import, by which its
    decisions are proved; what it repeats of another import is recorded too, since each of them may be taken back.
    """
    at = min(_agreed_at(event) if imported else event.occurred_at, event.received_at)  # a clock that runs ahead cannot consent in the future
    method = "import" if imported else "preference_event" if event.name == PREFERENCE_EVENT else "event"
    import_id = _number(imported["import"]) if imported else 0
    answers = (preferences(event) or {}).items()
    said = [(CATEGORIES[category], answer, method) for category, answer in answers if category in CATEGORIES and isinstance(answer, bool)]
    if event.context.get("gpc") in (True, "1", 1):
        said.append((CATEGORIES["profiling"], False, "gpc"))
    news: list[Decision] = []
    proof: dict[str, object] = {}
    for (purpose, channel), answer, how in said:
        slot = (identity_id, purpose, channel)
        state = _state_if_news(known.get(slot), answer, at, (how, import_id))
        if state is not None:
            proof = proof or _proof(event) | dict(imported or {})
            news.append(Decision(*slot, state, at, event.source_id, how, proof))
            rows = known.setdefault(slot, [])
            rows.append(Recorded(NOT_YET_STORED + len(rows), *slot, state, at, event.source_id, how, import_id))
    return news


def _agreed_at(event: Event) -> datetime:
    """When an imported consent was given: the list's own column, else the time of the event."""
    consent = event.context.get("consent")
    said = consent.get("at") if isinstance(consent, dict) else None
    try:
        moment = datetime.fromisoformat(said) if isinstance(said, str) else event.occurred_at
    except ValueError:
        return event.occurred_at
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _state_if_news(rows: Sequence[Recorded] | None, answer: bool, at: datetime, how: tuple[str, int]) -> State | None:
    method, import_id = how
    before = newest(rows, at) if rows else None
    state = State.GIVEN if answer else State.REFUSED
    if before is None:
        return state
    if not answer and before.state in (State.GIVEN, State.WITHDRAWN):
        state = State.WITHDRAWN
    if before.state is state and before.import_id not in (0, import_id):
        return state
    return None if before.state is state and method != "preference_event" else state


def _proof(event: Event) -> dict[str, object]:
    """Where to find the event again, and which text the person saw. Nothing that names the person."""
    consent = event.context.get("consent")
    proof: dict[str, object] = {"message_id": event.message_id, "event": event.name or event.kind}
    if isinstance(consent, dict):
        proof |= {key: str(consent[key])[:200] for key in ("noticeVersion", "textVersion", "language", "form") if key in consent}
    return proof


def in_force(known: Ledger, slot: Slot, at: datetime) -> bool:
    """Whether consent was given and stood at `at`."""
    found = newest(known.get(slot, ()), at)
    return found is not None and found.state is State.GIVEN
