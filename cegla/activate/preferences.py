"""What recipients decide themselves: the preference center behind the signed link of a message. No login; the link acts for one mailbox.

It is found by the mailbox's address, so it serves whoever that belongs to today, and nobody once the person was erased. Looking
changes nothing; a change takes a POST, says what was shown, and is proved by the message whose link was used.
"""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from cegla.activate import store
from cegla.activate.audience import Reader, readers_at
from cegla.activate.links import genuine, no_such_link
from cegla.activate.rules import tokens
from cegla.activate.rules.channels import masked
from cegla.activate.telling import internal_source
from cegla.govern import actions as govern
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Channel, Decision, State, Verdict
from cegla.vocabulary.text import Language

Slot = tuple[str, Channel]
PAUSE_DAYS = (14, 30, 90)
METHOD = "preference_page"
LATELY = timedelta(days=30)


@dataclass(frozen=True)
class Choice:
    """One switch: a channel of a purpose, whether it is on, and what that rests on."""

    channel: Channel
    on: bool
    verdict: Verdict
    decision: govern.Recorded | None
    page: str = ""  #: where it was decided, if that was a page

    @property
    def since(self) -> datetime | None:
        """When it was decided."""
        return self.decision.at if self.decision else None


@dataclass(frozen=True)
class Offer:
    """A purpose as the person sees it: the words, the switches; none where a contract needs it, so that it can be known but not refused."""

    purpose: govern.Purpose
    notice: govern.Notice | None
    choices: tuple[Choice, ...]
    consent: bool  #: rests on a yes; else on our interest, which can be objected to

    def name(self, choice: Choice) -> str:
        """The name of a switch in the form."""
        return f"{self.purpose.key}.{choice.channel}"


@dataclass(frozen=True)
class Preferences:
    """The whole page. `lately` counts the messages of the last 30 days."""

    address: str
    campaign: str
    offers: tuple[Offer, ...]
    paused_until: datetime | None
    lately: int
    controller: govern.Controller

    @property
    def on(self) -> list[str]:
        """The names of the switches that are on."""
        return [offer.name(choice) for offer in self.offers for choice in offer.choices if choice.on]


@dataclass(frozen=True)
class Wish:
    """A submitted form: switches that were on when it was shown, those that are on now, and for how many days to pause (None: as it was, 0: no more)."""

    was: Set[str]
    on: Set[str]
    pause_days: int | None = None
    nothing: bool = False  #: stop every message that no contract needs
    language: Language = "pl"


def preferences(ws: Workspace, token: str, language: Language) -> Preferences:
    """What the person behind a message's mailbox gets, from what, and what they decided. Raises NotFound for a forged or dead link."""
    now = ws.clock()
    with ws.transaction() as conn:
        row, reader = _behind(ws, conn, token)
        return _preferences(ws, conn, row, reader, language, now)


def prefer(ws: Workspace, token: str, wish: Wish) -> Preferences:
    """Do what a form wishes; only what differs from what it showed is decided. Holds from the next message on. Raises NotFound."""
    now = ws.clock()
    with ws.transaction() as conn:
        row, reader = _behind(ws, conn, token)
        held = govern.register.current(conn)
        shown = _preferences(ws, conn, row, reader, wish.language, now)
        switches: dict[str, Slot] = {offer.name(choice): (offer.purpose.key, choice.channel) for offer in shown.offers for choice in offer.choices}
        yes = [slot for name, slot in switches.items() if name in wish.on and name not in wish.was]
        no = [slot for name, slot in switches.items() if name in wish.was and name not in wish.on]
        if wish.nothing:
            refusable = [one for one in held.purposes.values() if not one.by_contract]
            yes, no = [], [(one.key, channel) for one in refusable for channel in one.channels if channel is not Channel.NONE]
        proof: dict[str, object] = {"message_id": row.id, "campaign_id": row.campaign_id, "language": wish.language, "register": held.number}
        _decide(conn, reader, (yes, no), proof, now)
        if wish.pause_days is not None:
            govern.pauses.pause(conn, reader.identity_ids, now + timedelta(days=wish.pause_days), METHOD, proof, now)
        return _preferences(ws, conn, row, reader, wish.language, now)


def _decide(conn: Connection, reader: Reader, slots: tuple[list[Slot], list[Slot]], proof: dict[str, object], now: datetime) -> None:
    """A no ends every yes of the person and is said for the mailbox; a yes is said wherever a no stands, and for the mailbox."""
    mailbox = reader.identity_id if reader.identity_id is not None else reader.person_id
    source_id, held = internal_source(conn, now), govern.register.current(conn)
    decisions: list[Decision] = []
    for wanted, states in zip(slots, (State.GIVEN, State.WITHDRAWN), strict=True):
        for purpose, channel in wanted:
            notice = held.newest_notice(purpose, str(proof["language"]))
            shown = proof | ({"noticeVersion": notice.version, "textHash": notice.digest} if notice else {})
            given = govern.standing(conn, reader.identity_ids, purpose, channel, State.GIVEN, now)
            if states is State.GIVEN:
                noes = [
                    one for state in (State.WITHDRAWN, State.REFUSED, State.EXPIRED, State.REQUESTED)
                    for one in govern.standing(conn, reader.identity_ids, purpose, channel, state, now)
                ]  # fmt: skip
                decisions += [Decision(one, purpose, channel, State.GIVEN, now, source_id, METHOD, shown) for one in sorted({mailbox, *noes})]
            else:
                decisions += [Decision(one, purpose, channel, State.WITHDRAWN, now, source_id, METHOD, shown) for one in given]
                if not given:
                    decisions.append(Decision(mailbox, purpose, channel, State.REFUSED, now, source_id, METHOD, shown))
    govern.record(conn, decisions, now)


def _behind(ws: Workspace, conn: Connection, token: str) -> tuple[store.Message, Reader]:
    read = genuine(ws, token, tokens.PREFERENCES)
    found = store.messages(conn, 1, id=read.message_id)
    address = found[0].address if found else None
    reader = readers_at(conn, [address], Channel(found[0].channel))[0] if address else None
    if reader is None:
        raise no_such_link()
    return found[0], reader


def _preferences(ws: Workspace, conn: Connection, row: store.Message, reader: Reader, language: Language, now: datetime) -> Preferences:
    held = govern.register.current(conn)
    decisions = {one.record_id: one for one in govern.decisions_of(conn, reader.identity_ids)}
    pages = govern.receipts.pages_of(conn, list(decisions))
    subject = reader.subject(reader.address)
    decided = {(one.purpose, one.channel) for one in decisions.values()}
    offers: list[Offer] = []
    for purpose in sorted(held.purposes.values(), key=lambda one: (one.by_contract, not one.commercial)):
        if not purpose.listed:
            continue
        choices: list[Choice] = []
        for channel in () if purpose.by_contract else purpose.channels:
            if channel not in (Channel.NONE, Channel.EMAIL) and (purpose.key, channel) not in decided:
                continue
            verdict = govern.allowed(conn, ws.keys, [subject], purpose.key, channel, now)[0]
            decision = decisions.get(verdict.record_id) if verdict.record_id is not None else None
            held_back = verdict.reason in ("paused", "suppressed") and bool(govern.standing(conn, reader.identity_ids, purpose.key, channel, State.GIVEN, now))
            choices.append(Choice(channel, verdict.allowed or held_back, verdict, decision, pages.get(verdict.record_id or 0, "")))
        if choices or purpose.by_contract:
            consent = any(govern.needs_consent(purpose, one.channel, held.country(None)) for one in choices)
            offers.append(Offer(purpose, held.newest_notice(purpose.key, language), tuple(choices), consent))
    paused = govern.pauses.standing(conn, reader.identity_ids, now)
    lately = store.recent_for(conn, reader.identity_ids, now - LATELY)
    return Preferences(masked(reader.address or ""), row.campaign, tuple(offers), max(paused.values(), default=None), lately, held.controller)
