"""The door to `govern`. The gate is `allowed`; the intake asks `ask`; users, sessions and passwords come from `govern.access`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from cegla.govern import ledger as ledger
from cegla.govern import optin as optin
from cegla.govern import pauses as pauses
from cegla.govern import receipts as receipts
from cegla.govern import register as register
from cegla.govern import retention as retention
from cegla.govern import store
from cegla.govern.access import User as User
from cegla.govern.access import ensure_first_user as ensure_first_user
from cegla.govern.access import session_of as session_of
from cegla.govern.access import set_password as set_password
from cegla.govern.access import sign_in as sign_in
from cegla.govern.access import sign_out as sign_out
from cegla.govern.memory import LedgerMemory as LedgerMemory
from cegla.govern.objections import objectors as objectors
from cegla.govern.receipts import METHODS as METHODS
from cegla.govern.rules.chain import Noted, first_broken
from cegla.govern.rules.gate import Recorded as Recorded
from cegla.govern.rules.gate import Terms, binding, judge, newest
from cegla.govern.rules.purposes import SHIPPED as SHIPPED
from cegla.govern.rules.purposes import Controller as Controller
from cegla.govern.rules.purposes import Notice as Notice
from cegla.govern.rules.purposes import Purpose as Purpose
from cegla.govern.rules.purposes import Register as Register
from cegla.govern.rules.purposes import needs_consent as needs_consent
from cegla.govern.rules.roles import PERMISSIONS as PERMISSIONS
from cegla.govern.rules.roles import ROLES as ROLES
from cegla.govern.rules.roles import Role as Role
from cegla.govern.rules.signals import LEAVING, NOTHING_SAID, House, Statement, in_force, news_in, repeats, settled_by
from cegla.govern.store import SQL
from cegla.storage.batches import only_intake_worker, only_refresher
from cegla.storage.failpoint import passing
from cegla.storage.identifier_rules import current_rules
from cegla.storage.keys import Keys
from cegla.storage.warehouse import TABLES
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Basis, Channel, Decision, State, Verdict
from cegla.vocabulary.events import Event, Reason, SetAside
from cegla.vocabulary.identifier_rules import IdentifierRules
from cegla.vocabulary.identifiers import normalized
from cegla.vocabulary.people import person_label

AT_ONCE = 50_000
REASON_DAYS = 90  #: how long words of people are kept beside the audit log (privacy: free text)
ADDRESS_TYPES = {Channel.EMAIL: "email", Channel.SMS: "phone"}


@dataclass(frozen=True)
class Asked:
    """What intake learns from the gate: which events to keep (along the events given) and the rows for those it may not."""

    kept: list[bool]
    set_aside: list[SetAside]
    decisions: int  #: how many decisions were news and went to the ledger


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom the gate is asked about: a person, all their identities, and the address a message would go to (None: there is none)."""

    person_id: int
    identity_ids: Sequence[int]
    address: str | None = None
    country: str | None = None  #: two capital letters; None: not known, so the default country's rule holds
    company: bool = False


@dataclass(frozen=True)
class Holder:
    """A slice that stores personal data: gives out and erases what it holds on a set of identities, in the caller's transaction.

    `export` returns lists of rows by the name of what they are; `erase` returns how many rows went.
    """

    name: str
    export: Callable[[Connection, Sequence[int]], Mapping[str, Any]]
    erase: Callable[[Connection, Sequence[int]], int]


@dataclass(frozen=True)
class Erasure:
    """What an erasure did, or would do: rows by holder, and how many addresses went on the suppression list."""

    rows: dict[str, int]
    addresses: int
    dry_run: bool


def ask(
    conn: Connection, events: Sequence[Event], identity_ids: Sequence[int], basis_by_source: Mapping[int, Basis], now: datetime,
    memory: LedgerMemory | None = None,
) -> Asked:
    """Take the decisions that events state into the ledger, and say which events may be kept; `identity_ids` run along `events`.

    An event of a source that rests on consent is kept only when consent to analytics stood at the moment of the event, given by
    the event itself or before; else it is set aside as NO_CONSENT without its content. Events of erased people are SUPPRESSED.
    `memory` makes those cheap who say what they said before; it must be made anew when a transaction it was used in did not commit.
    Its `origins` prove the decisions that file imports bring.
    """
    known = LedgerMemory() if memory is None else memory
    if memory is not None:
        memory.begin(conn)
    known.follow(register.current(conn))
    needy = {source for source in {event.source_id for event in events} if basis_by_source.get(source, Basis.CONSENT) is Basis.CONSENT}
    barred: set[int] = set()
    if SQL.any_barred(conn):
        barred = {row[0] for row in SQL.barred_identities(conn, ids=list(set(identity_ids)))}
    open_ones = _unsettled(events, identity_ids, known, (needy, barred))
    known.load(conn, {one.identity_id for one in open_ones if one.statement is not NOTHING_SAID or one.event.source_id in needy})
    news = _news(open_ones, known)
    store.append(conn, news, now)
    kept = [True] * len(events)
    set_aside: list[SetAside] = []
    for place, event, identity, statement in open_ones:
        if statement.analytics is True and not barred:
            continue
        reason = Reason.SUPPRESSED if identity in barred else None
        if reason is None and event.source_id in needy and statement.analytics is not True:
            refused = statement.analytics is False
            if refused or not in_force(known.ledgers[identity], (identity, "analytics", Channel.NONE), event.occurred_at):
                reason = Reason.NO_CONSENT
        if reason is not None:
            kept[place] = False
            set_aside.append(_set_aside(event, reason))
    return Asked(kept, set_aside, len(news))


class _Open(NamedTuple):
    """An event that is not settled at a glance, and its place among all."""

    place: int
    event: Event
    identity_id: int
    statement: Statement


def _unsettled(events: Sequence[Event], identity_ids: Sequence[int], known: LedgerMemory, doubts: tuple[set[int], set[int]]) -> list[_Open]:
    """The events that may bring news or may not be kept, in their order: all but those of identities that say what they said before.

    `doubts` are the sources that rest on consent, and the identities that were erased. Once an identity has such an event, its later
    ones are looked at as well.
    """
    needy, barred = doubts
    settled, origins, statement_of = known.settled, known.origins, known.statements.of
    found: list[_Open] = []
    moving: set[int] = set()
    for place, event in enumerate(events):
        identity, statement = identity_ids[place], statement_of(event.context)
        if event.name in LEAVING and event.source_id not in known.own:
            statement = known.statements.left(event, statement)
        if (statement.analytics is True or event.source_id not in needy) and identity not in barred and identity not in moving:
            if statement is NOTHING_SAID:
                continue
            before = settled.get(identity)
            if before is not None and before.statement is statement and event.writer not in origins and repeats(before, event):
                continue
        moving.add(identity)
        found.append(_Open(place, event, identity, statement))
    return found


def _news(asked: Sequence[_Open], known: LedgerMemory) -> list[Decision]:
    """The decisions that are news, in the order of the events."""
    news: list[Decision] = []
    settled, origins, house = known.settled, known.origins, House(known.register.confirmed_slots, known.browsers)
    for _, event, identity, statement in asked:
        if statement is NOTHING_SAID:
            continue
        before = settled.get(identity)
        if before is not None and before.statement is statement and event.writer not in origins and repeats(before, event):
            continue
        origin = origins.get(event.writer)
        ledger = known.ledgers[identity]
        found = news_in(event, statement, identity, ledger, origin, house)
        news += found
        settles = settled_by(event, statement, ledger) if origin is None else None
        if settles is not None:
            settled[identity] = settles
        elif found:
            settled.pop(identity, None)
    return news


def allowed(conn: Connection, keys: Keys, asked: Sequence[Subject], purpose: str, channel: Channel, at: datetime) -> list[Verdict]:
    """The gate: for each subject, whether this purpose may use this channel at `at`, why, and the decision it rests on.

    Fails closed: no decision, an unknown purpose or a channel the purpose does not name is a no. Across the identities of a person
    the most restrictive decision holds. `at` may lie in the past: then register, ledger, suppressions and pauses answer as of that
    moment. Raises RegisterUnreadable.
    """
    return _verdicts(conn, keys, asked, _Use(purpose, channel, at, None))


def could(conn: Connection, keys: Keys, asked: Sequence[Subject], purpose: str, channel: Channel, at: datetime) -> list[Verdict]:
    """What the gate said at `at`: as `allowed`, but only by the decisions that had reached us until then."""
    return _verdicts(conn, keys, asked, _Use(purpose, channel, at, at))


class _Use(NamedTuple):
    purpose: str
    channel: Channel
    at: datetime
    known: datetime | None


def _verdicts(conn: Connection, keys: Keys, asked: Sequence[Subject], use: _Use) -> list[Verdict]:
    purpose, channel, at, known = use
    verdicts: list[Verdict] = []
    rules, held = current_rules(conn), register.current(conn, at)
    wanted = held.purposes.get(purpose)
    terms: dict[tuple[str | None, bool], Terms] = {}
    silent: dict[tuple[str | None, bool], Verdict] = {}  # who decided nothing is judged by the law alone
    for start in range(0, len(asked), AT_ONCE):
        part = asked[start : start + AT_ONCE]
        everybody = [identity for subject in part for identity in subject.identity_ids]
        decisions = store.in_force(conn, everybody, purpose, channel, at, known)
        paused = pauses.standing(conn, everybody, at) if channel is not Channel.NONE else {}
        marks = [_fingerprint(keys, channel, subject.address, rules) for subject in part]
        listed = store.suppressions(conn, [mark for mark in marks if mark is not None], channel, at)
        for subject, mark in zip(part, marks, strict=True):
            theirs = [decisions[identity] for identity in subject.identity_ids if identity in decisions]
            reasons = listed.get(mark, ()) if mark is not None else ()
            quiet = bool(paused) and not paused.keys().isdisjoint(subject.identity_ids)
            law = subject.country, subject.company
            if law not in terms:
                terms[law] = Terms(wanted, channel, at, held.country(subject.country), subject.company)
            if theirs or reasons or quiet:
                verdicts.append(judge(terms[law], theirs, reasons, paused=quiet))
                continue
            if law not in silent:
                silent[law] = judge(terms[law], ())
            verdicts.append(silent[law])
    return verdicts


def record(conn: Connection, decisions: Sequence[Decision], now: datetime) -> None:
    """Append decisions of people to the ledger, as they are."""
    store.append(conn, decisions, now)
    SQL.note_changed_outside(conn, ids=list({decision.identity_id for decision in decisions}))


def take_back_import(conn: Connection, import_id: int, gone: Sequence[int], now: datetime) -> None:
    """Take back the decisions that a file import brought, by a record beside each; those of identities that are `gone` go with them."""
    SQL.keep_seals_out(conn)
    SQL.hold_chains_of_import(conn, import_id=import_id, ids=list(gone))
    store.remove(conn, gone)
    SQL.note_import_outside(conn, import_id=import_id)
    SQL.invalidate_import(conn, import_id=import_id, now=now)


def decisions_of(conn: Connection, identity_ids: Sequence[int]) -> list[Recorded]:
    """Every decision of these identities, newest first."""
    decisions = [row for rows in store.ledger_of(conn, identity_ids).values() for row in rows]
    return sorted(decisions, key=lambda row: (row.at, row.record_id), reverse=True)


def binding_decisions(conn: Connection, identity_ids: Sequence[int], at: datetime) -> list[Recorded]:
    """What a person has decided, as it stands at `at`: for each purpose and channel the one decision that binds, a no of any identity first."""
    by_slot: dict[tuple[str, Channel], list[Recorded]] = {}
    for (_, purpose, channel), rows in store.ledger_of(conn, identity_ids).items():
        if (found := newest(rows, at)) is not None:
            by_slot.setdefault((purpose, channel), []).append(found)
    return [found for _, rows in sorted(by_slot.items()) if (found := binding(rows)) is not None]


def standing(conn: Connection, identity_ids: Sequence[int], purpose: str, channel: Channel, state: State, at: datetime) -> list[int]:
    """Those of these identities whose newest decision on a purpose and channel, at a moment, is of this state."""
    return sorted(identity for identity, row in store.in_force(conn, identity_ids, purpose, channel, at).items() if row.state is state)


def standing_as_known(conn: Connection, identity_ids: Sequence[int], purpose: str, channel: Channel, at: datetime) -> list[int]:
    """Those of these identities that agreed at a moment, by what had reached us then."""
    return sorted(identity for identity, row in store.in_force(conn, identity_ids, purpose, channel, at, at).items() if row.state is State.GIVEN)


def suppressed_for(
    conn: Connection, keys: Keys, addresses: Sequence[str], channel: Channel, at: datetime, since: datetime = store.EVER
) -> dict[str, list[str]]:
    """Why addresses are on the suppression list of a channel, of those that are, or came there after `since`."""
    rules = current_rules(conn)
    marks = {address: mark for address in addresses if (mark := _fingerprint(keys, channel, address, rules)) is not None}
    listed = store.suppressions(conn, list(marks.values()), channel, at, since)
    return {address: listed[mark] for address, mark in marks.items() if mark in listed}


def suppress(conn: Connection, keys: Keys, address: str, channel: Channel, reason: str, now: datetime) -> None:
    """Put an address on the suppression list of a channel, for "bounced", "complained", "erased" or "manual"; it stays there for good."""
    mark = _fingerprint(keys, channel, address, current_rules(conn))
    if mark is not None:
        SQL.suppress(conn, fingerprint=mark, channel=channel.value, reason=reason, now=now)


def note(conn: Connection, actor: str, action: str, target: str, detail: Mapping[str, str | int | bool | None], now: datetime) -> None:
    """Add to the audit log who did what to what ("p12", "campaign 3"). `detail` never holds personal data.

    What a person wrote, "why", may: it is kept beside the log for `REASON_DAYS`, and erased with the person it is about.
    """
    number = store.lengthen_audit(conn, now, (actor, action, target), {key: value for key, value in detail.items() if key != "why"})
    if why := detail.get("why"):
        SQL.forget_reasons(conn, before=now - timedelta(days=REASON_DAYS))
        SQL.keep_reason(conn, number=number, at=now, target=target, why=str(why))


def audit(conn: Connection, limit: int = 100) -> list[Noted]:
    """The newest rows of the audit log, newest first, each with the reason somebody gave while that is kept."""
    rows = list(store.noted(SQL.newest_audit_rows(conn, most=limit)))
    said = dict(SQL.reasons_of(conn, numbers=[row.number for row in rows]))
    return [replace(row, detail=row.detail | {"why": said[row.number]}) if row.number in said else row for row in rows]


def audit_about(conn: Connection, target: str, limit: int = 100) -> list[Noted]:
    """The newest rows of the audit log about one target ("campaign 3"), newest first, without the reasons people gave."""
    return list(store.noted(SQL.audit_rows_about(conn, target=target, most=limit)))


def first_broken_audit(conn: Connection) -> int | None:
    """The number of the first audit row that was changed, moved or lacks the one before; None when the chain holds."""
    return first_broken(store.noted(SQL.audit_rows(conn)))


def export_person(conn: Connection, identity_ids: Sequence[int]) -> dict[str, Any]:
    """What `govern` itself holds on a person: decisions with their proof, pauses, why somebody looked. For everything, see `export_everything`."""
    looked = [{"at": at, "why": why} for at, why in SQL.reasons_about(conn, targets=_targets(identity_ids))]
    held = {"decisions": store.export_ledger(conn, identity_ids), "pauses": pauses.export(conn, identity_ids), "looked": looked}
    return held | {"confirmations": optin.export(conn, identity_ids)}


def erase_person(conn: Connection, identity_ids: Sequence[int]) -> int:
    """Erase the person's decisions and pauses and return how many rows went. For everything, see `erase_everything`."""
    SQL.note_changed_outside(conn, ids=list(identity_ids))
    ids = list(identity_ids)
    SQL.erase_reasons(conn, targets=_targets(ids))
    return store.remove(conn, ids) + SQL.delete_pauses(conn, ids=ids) + SQL.delete_confirmations(conn, ids=ids)


def export_everything(ws: Workspace, identity_ids: Sequence[int], holders: Sequence[Holder], actor: str, now: datetime) -> dict[str, Any]:
    """Everything held on a person, by holder: the answer to a request under GDPR art. 15 and 20. The audit log remembers it."""
    with ws.transaction() as conn:
        given = _export(conn, identity_ids, holders) | {"warehouse": ws.warehouse.rows_of(identity_ids)}
        note(conn, actor, "person.export", f"p{min(identity_ids)}", {"holders": len(holders)}, now)
    return given


def erase_everything(ws: Workspace, identity_ids: Sequence[int], holders: Sequence[Holder], actor: str, now: datetime, *, dry_run: bool = False) -> Erasure:
    """Erase a person from every holder in one transaction, suppress their addresses and refuse what still arrives for them.

    With `dry_run` nothing changes and the counts say what would go. `holders` are asked in the order given.
    """
    with ws.transaction() as conn:
        only_intake_worker(conn)
        only_refresher(conn)  # who is erased now is not in a snapshot that somebody still works on
        given = _export(conn, identity_ids, holders) | {"warehouse": ws.warehouse.rows_of(identity_ids)}
        addresses = _addresses(given)
        if dry_run:
            return Erasure({name: _count_rows(part) for name, part in given.items()}, len(addresses), True)
        for channel, address in addresses:
            suppress(conn, ws.keys, address, channel, "erased", now)
        SQL.bar_identities(conn, ids=list(identity_ids), now=now)
        rows = {holder.name: holder.erase(conn, identity_ids) for holder in holders}
        passing("erase: before the warehouse")
        rows["warehouse"] = ws.warehouse.erase(identity_ids)
        ws.recent.forget()
        for name in TABLES:  # the same rows once more, so they are not counted
            ws.snapshots.remove(name, "identity_id", [(one, one) for one in identity_ids])
        passing("erase: after the warehouse")
        note(conn, actor, "person.erase", f"p{min(identity_ids)}", {f"rows_{name}": count for name, count in rows.items()}, now)
    passing("erase: after the commit")
    return Erasure(rows, len(addresses), False)


def _targets(identity_ids: Sequence[int]) -> list[str]:
    """By which names the audit log speaks of a person: each of their identities may have been a person once."""
    return [person_label(identity) for identity in identity_ids]


def _export(conn: Connection, identity_ids: Sequence[int], holders: Sequence[Holder]) -> dict[str, Any]:
    return {holder.name: dict(holder.export(conn, identity_ids)) for holder in holders}


def _set_aside(event: Event, reason: Reason) -> SetAside:
    return SetAside(
        source_id=event.source_id, reason=reason, detail="", payload=None, message_id=event.message_id,
        received_at=event.received_at, writer=event.writer, number=event.number, index=event.index,
    )  # fmt: skip


def _fingerprint(keys: Keys, channel: Channel, address: str | None, rules: IdentifierRules) -> bytes | None:
    """The mark of an address on the suppression list, after the one normalization its type has."""
    if not address:
        return None
    kind = ADDRESS_TYPES.get(channel)
    clean = normalized(kind, address, rules) if kind else address
    return keys.fingerprint(clean or address.strip().lower())


def _addresses(value: object) -> set[tuple[Channel, str]]:
    """Every e-mail address and phone number among exported identifiers: rows with a `type` and a `value`.

    Those that the person gave up are left out: they may be somebody else's today.
    """
    if isinstance(value, Mapping):
        if value.get("released_at") is not None or "release_id" in value:
            return set()
        found = {(channel, str(value["value"])) for channel, kind in ADDRESS_TYPES.items() if value.get("type") == kind and value.get("value")}
        return found.union(*(_addresses(part) for part in value.values()))
    if isinstance(value, list):
        return set[tuple[Channel, str]]().union(*(_addresses(part) for part in value))
    return set()


def _count_rows(part: Mapping[str, Any]) -> int:
    return sum(len(rows) if isinstance(rows, (list, tuple)) else 1 for rows in part.values() if rows)
