"""What events say about consent: Segment's consent object, the preference event, and the Global Privacy Control signal."""

from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from cegla.govern.rules.gate import Recorded, newest
from cegla.govern.rules.purposes import SHIPPED
from cegla.vocabulary.consent import Channel, Decision, State
from cegla.vocabulary.events import Event

PREFERENCE_EVENT = "Segment Consent Preference Updated"

MOST_STATEMENTS = 10_000  #: are remembered between batches
NOT_YET_STORED = 1 << 62

_BEGINNING = datetime.min.replace(tzinfo=UTC)
_END = datetime.max.replace(tzinfo=UTC)
_encode = msgspec.json.Encoder().encode

_LEAVINGS = (  # what tools call it when somebody leaves a list, and the channel that is meant where the event names none
    ("unsubscribed", Channel.EMAIL), ("unsubscribe", Channel.EMAIL), ("email unsubscribed", Channel.EMAIL), ("email unsubscribe", Channel.EMAIL),
    ("newsletter unsubscribed", Channel.EMAIL), ("newsletter unsubscribe", Channel.EMAIL), ("email marked as spam", Channel.EMAIL),
    ("opted out", Channel.EMAIL), ("opt out", Channel.EMAIL), ("consent withdrawn", Channel.EMAIL), ("marketing consent withdrawn", Channel.EMAIL),
    ("sms unsubscribed", Channel.SMS), ("sms unsubscribe", Channel.SMS), ("push unsubscribed", Channel.PUSH), ("push unsubscribe", Channel.PUSH),
)  # fmt: skip
MESSAGES = (Channel.EMAIL, Channel.SMS, Channel.PUSH)
LEAVING_EVENT = "withdrawal_event"
HEARD_OF = frozenset(("event", "preference_event", "gpc", "import"))  #: ways of deciding that a browser can know of; all others it has not heard of

OBJECTION = ("profiling", Channel.NONE)  #: what the Global Privacy Control signal objects to
TOLD = ("noticeVersion", "textVersion", "textHash", "language", "form", "evidence", "operator", "doubleOptIn")  #: of the consent object, kept as proof

Slot = tuple[int, str, Channel]  #: whose decision, on which purpose and channel
Ledger = dict[Slot, list[Recorded]]


class Statement(NamedTuple):
    """What a context says about consent, in the same words as every event that says it."""

    said: tuple[tuple[str, Channel, bool], ...]  #: purpose, channel, answer; categories that are unknown or no yes or no say nothing
    refuses_profiling: bool  #: by the Global Privacy Control signal
    analytics: object  #: the answer on analytics, as it was sent
    plain: bool  #: every answer is true or false
    leaves: tuple[tuple[str, Channel], ...] = ()  #: purposes and channels that the event itself withdraws: somebody unsubscribed elsewhere


class House(NamedTuple):
    """What holds for all decisions here: where a yes is to be confirmed, and which sources are browsers, which repeat what they remember."""

    confirmed: Set[tuple[str, Channel]] = frozenset()
    browsers: Set[int] = frozenset()


NOTHING_SAID = Statement((), False, None, True)


class Statements:
    """What contexts say, each read once; equal words are one object, so that who repeats themselves is known at a glance.

    Contexts are told apart by where they lie in memory, so they must live until `begin` is called again.
    """

    def __init__(self, categories: Mapping[str, tuple[str, Channel]] = SHIPPED.categories) -> None:
        self._categories = categories
        self._by_words: dict[bytes, Statement] = {}
        self._by_context: dict[int, Statement] = {}

    def begin(self) -> None:
        """Other contexts come."""
        self._by_context = {}
        if len(self._by_words) > MOST_STATEMENTS:
            self._by_words = {}

    def of(self, context: Mapping[str, Any]) -> Statement:
        """What a context says."""
        found = self._by_context.get(id(context))
        if found is None:
            found = self._by_context[id(context)] = self._read(context)
        return found

    def left(self, event: Event, statement: Statement) -> Statement:
        """What an event says whose name is in `LEAVING`: the channel it names, or every purpose of it unless it names one."""
        wanted, purpose = str(event.properties.get("channel", "")).lower(), event.properties.get("purpose")
        channel = wanted if wanted in MESSAGES else LEAVING[event.name].value
        slots = dict.fromkeys(self._categories.values())
        meant = [slot for slot in slots if wanted == "all" or slot[1].value == channel]
        return statement._replace(leaves=tuple([slot for slot in meant if slot[0] == purpose] or meant))

    def _read(self, context: Mapping[str, Any]) -> Statement:
        if "consent" not in context and "gpc" not in context:
            return NOTHING_SAID
        words = _encode((context.get("consent"), context.get("gpc")))
        found = self._by_words.get(words)
        if found is None:
            found = self._by_words[words] = _statement(context, self._categories)
        return found


def _statement(context: Mapping[str, Any], known: Mapping[str, tuple[str, Channel]]) -> Statement:
    consent = context.get("consent")
    categories = consent.get("categoryPreferences") if isinstance(consent, dict) else None
    answers: dict[str, object] = categories if isinstance(categories, dict) else {}
    said = tuple((*known[name], answer) for name, answer in answers.items() if name in known and isinstance(answer, bool))
    plain = all(isinstance(answer, bool) for answer in answers.values())
    return Statement(said, context.get("gpc") in (True, "1", 1), answers.get("analytics"), plain)


def _spelled(words: str) -> tuple[str, ...]:
    parts = words.split()
    joined = "".join(part.title() for part in parts)
    plain = (words, words.title(), words.title().replace(" As ", " as "), words.capitalize(), words.upper())
    return (*plain, *(mark.join(parts) for mark in "_-."), "_".join(parts).upper(), joined, joined[0].lower() + joined[1:])


LEAVING: Mapping[str, Channel] = {name: channel for words, channel in _LEAVINGS for name in _spelled(words)}  #: names of events that withdraw


class Settled(NamedTuple):
    """What an identity said last. Saying it again is no news from its newest decision by then to the next one: `since` ≤ moment < `until`."""

    statement: Statement
    since: datetime
    until: datetime


def repeats(settled: Settled, event: Event) -> bool:
    """Whether an event that makes the settled statement says nothing new by it."""
    said_at = event.occurred_at if event.occurred_at <= event.received_at else event.received_at
    return settled.since <= said_at < settled.until and event.name != PREFERENCE_EVENT


def settled_by(event: Event, statement: Statement, known: Ledger) -> Settled | None:
    """What is settled by an event whose news the ledger has; nothing, when it says 1 for true."""
    if not statement.plain or statement.leaves or event.name == PREFERENCE_EVENT:
        return None
    said_at = min(event.occurred_at, event.received_at)
    since, until = _BEGINNING, _END
    for rows in known.values():
        for row in rows:
            if row.at > said_at:
                until = min(until, row.at)
            elif row.at > since:
                since = row.at
    return Settled(statement, since, until)


def news_in(
    event: Event, statement: Statement, identity_id: int, known: Ledger, imported: Mapping[str, object] | None = None,
    house: House = House(),
) -> list[Decision]:
    """The decisions of an event that are news. Browsers repeat their state with every event; only a change is a decision.

    A refusal after a given consent is a withdrawal. `known` is what the ledger says about the same identity, and grows by what is
    returned, under record ids after every stored one, so that `in_force` sees it too. `imported` is the origin and basis of a file
    import, by which its decisions are proved; what it repeats of another import is recorded too, since each of them may be taken back.
    On purposes and channels to be confirmed a yes is a request until the mailbox confirms it, unless the source says it saw to that.
    A browser that still remembers a yes takes back no withdrawal made elsewhere, by a link in a letter, say: only a new choice there does.
    """
    at = min(_agreed_at(event) if imported else event.occurred_at, event.received_at)  # a clock that runs ahead cannot consent in the future
    how = "import" if imported else "preference_event" if event.name == PREFERENCE_EVENT else "event"
    import_id = _number(imported["import"]) if imported else 0
    said = [(*answer, how) for answer in statement.said if answer[:2] not in statement.leaves]
    said += [(*slot, False, LEAVING_EVENT) for slot in statement.leaves]
    if statement.refuses_profiling:
        said.append((*OBJECTION, False, "gpc"))
    news: list[Decision] = []
    proof: dict[str, object] = {}
    for purpose, channel, answer, method in said:
        slot = (identity_id, purpose, channel)
        rows = known.get(slot)
        if answer and how == "event" and event.source_id in house.browsers and _left_elsewhere(rows, at):
            continue
        asks = (purpose, channel) in house.confirmed and not imported and not _confirmed_there(event)
        state = _state_if_news(rows, (State.REQUESTED if asks else State.GIVEN) if answer else State.REFUSED, at, (method, import_id))
        if state is not None:
            proof = proof or _proof(event) | dict(imported or {})
            news.append(Decision(identity_id, purpose, channel, state, at, event.source_id, method, proof))
            if rows is None:
                rows = known[slot] = []
            rows.append(Recorded(NOT_YET_STORED + len(rows), identity_id, purpose, channel, state, at, event.source_id, method, import_id))
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


def _left_elsewhere(rows: Sequence[Recorded] | None, at: datetime) -> bool:
    before = newest(rows, at) if rows else None
    return before is not None and before.state in (State.WITHDRAWN, State.REFUSED) and before.method not in HEARD_OF


def _state_if_news(rows: Sequence[Recorded] | None, state: State, at: datetime, how: tuple[str, int]) -> State | None:
    method, import_id = how
    before = newest(rows, at) if rows else None
    if before is None:
        return state
    if state is State.REFUSED and before.state in (State.GIVEN, State.WITHDRAWN):
        state = State.WITHDRAWN
    if state is State.REQUESTED and before.state is State.GIVEN:
        state = State.GIVEN  # who confirmed once is not asked again, and nobody can undo it by signing them up anew
    if before.state is state and before.import_id not in (0, import_id):
        return state
    return None if before.state is state and method != "preference_event" else state


def _confirmed_there(event: Event) -> bool:
    """Whether the source says that it had the mailbox confirm."""
    consent = event.context.get("consent")
    return isinstance(consent, dict) and consent.get("doubleOptIn") is True


def _proof(event: Event) -> dict[str, object]:
    """Where to find the event again, which text the person saw, where, from which network and with what."""
    context = event.context
    consent, page = context.get("consent"), context.get("page")
    proof: dict[str, object] = {"message_id": event.message_id, "event": event.name or event.kind}
    if isinstance(consent, dict):
        proof |= {key: str(consent[key])[:200] for key in TOLD if key in consent}
    url = page.get("url") if isinstance(page, dict) else None
    if isinstance(url, str):
        proof["page"] = url.partition("?")[0].partition("#")[0][:300]
    for name, source in (("ip", "ip"), ("user_agent", "userAgent")):
        if isinstance(context.get(source), str) and context[source]:
            proof[name] = str(context[source])[:200]
    return proof


def in_force(known: Ledger, slot: Slot, at: datetime) -> bool:
    """Whether consent was given and stood at `at`."""
    found = newest(known.get(slot, ()), at)
    return found is not None and found.state is State.GIVEN
