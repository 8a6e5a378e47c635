"""What events say about consent: Segment's consent object, the preference event, and the Global Privacy Control signal."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from cegla.govern.rules.gate import Recorded, newest
from cegla.govern.rules.purposes import CATEGORIES
from cegla.vocabulary.consent import Channel, Decision, State
from cegla.vocabulary.events import Event

PREFERENCE_EVENT = "Segment Consent Preference Updated"

NOT_YET_STORED = 1 << 62

Slot = tuple[int, str, Channel]  #: whose decision, on which purpose and channel
Ledger = dict[Slot, list[Recorded]]


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


def decisions_in(event: Event, identity_id: int) -> list[Decision]:
    """The decisions an event states. Categories that are not known, or whose value is not true or false, say nothing."""
    at = min(event.occurred_at, event.received_at)  # a clock that runs ahead cannot consent in the future
    found: list[Decision] = []
    explicit = event.name == PREFERENCE_EVENT
    method = "preference_event" if explicit else "event"
    for category, answer in (preferences(event) or {}).items():
        slot = CATEGORIES.get(category)
        if slot is not None and isinstance(answer, bool):
            state = State.GIVEN if answer else State.REFUSED
            found.append(Decision(identity_id, *slot, state, at, event.source_id, method, _proof(event)))
    if event.context.get("gpc") in (True, "1", 1):
        found.append(Decision(identity_id, "profiling", Channel.NONE, State.REFUSED, at, event.source_id, "gpc", _proof(event)))
    return found


def _proof(event: Event) -> dict[str, object]:
    """Where to find the event again, and which text the person saw. Nothing that names the person."""
    consent = event.context.get("consent")
    proof: dict[str, object] = {"message_id": event.message_id, "event": event.name or event.kind}
    if isinstance(consent, dict):
        proof |= {key: str(consent[key])[:200] for key in ("noticeVersion", "textVersion", "language", "form") if key in consent}
    return proof


def worth_recording(stated: Iterable[Decision], known: Ledger) -> list[Decision]:
    """The decisions that are news. Browsers repeat their state with every event; only a change is a decision.

    A refusal after a given consent is a withdrawal. `known` is what the ledger says about the same identities, and grows
    by what is returned, under record ids after every stored one, so that `in_force` sees it too.
    """
    news: list[Decision] = []
    for decision in stated:
        slot = (decision.identity_id, decision.purpose, decision.channel)
        before = newest(known.get(slot, ()), decision.at)
        state = decision.state
        if state is State.REFUSED and before is not None and before.state in (State.GIVEN, State.WITHDRAWN):
            state = State.WITHDRAWN
        if before is not None and before.state is state and decision.method != "preference_event":
            continue
        if state is not decision.state:
            decision = replace(decision, state=state)
        news.append(decision)
        known.setdefault(slot, []).append(Recorded(NOT_YET_STORED + len(news), *slot, state, decision.at, decision.source_id, decision.method))
    return news


def in_force(known: Ledger, slot: Slot, at: datetime) -> bool:
    """Whether consent was given and stood at `at`."""
    found = newest(known.get(slot, ()), at)
    return found is not None and found.state is State.GIVEN
