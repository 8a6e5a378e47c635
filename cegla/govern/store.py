"""The tables of `govern`: rows in, frozen values out."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from cegla.govern.rules import links
from cegla.govern.rules.chain import START, Noted, link
from cegla.govern.rules.gate import Recorded
from cegla.govern.rules.signals import Ledger
from cegla.storage import statements
from cegla.storage.arrays import blobs, numbers
from cegla.storage.workspace import Connection
from cegla.vocabulary.consent import Channel, Decision, State

SQL = statements.load(__file__)
EVER = datetime.min.replace(tzinfo=UTC)
_encode = msgspec.json.Encoder(enc_hook=str).encode
_NUL = re.compile(r"((?<!\\)(?:\\\\)*)\\u0000")  # an escaped backslash before u0000 is no escape of NUL
CHANNELS = {channel.value: channel for channel in Channel}
STATES = {state.value: state for state in State}


def ledger_of(conn: Connection, identity_ids: Iterable[int]) -> Ledger:
    """Every decision of these identities, by whose and on what."""
    ledger: Ledger = {}
    for row in SQL.decisions_of_identities(conn, ids=list(identity_ids)):
        decision = _recorded(row)
        ledger.setdefault((decision.identity_id, decision.purpose, decision.channel), []).append(decision)
    return ledger


def in_force(
    conn: Connection, identity_ids: Sequence[int], purpose: str, channel: Channel, at: datetime, known: datetime | None = None
) -> dict[int, Recorded]:
    """For each identity that ever decided on this, the decision that stood at `at`, of those we knew of at `known` (None: of all)."""
    asked = {"purpose": purpose, "channel": channel.value, "at": at, "known": known}
    with SQL.newest_decisions_cursor(conn, ids=numbers(identity_ids), **asked) as cursor:
        rows = cursor.fetchall()
    return {row[1]: _recorded(row) for row in rows}


def append(conn: Connection, decisions: Sequence[Decision], now: datetime) -> None:
    """Add to the ledger, each decision linked to the one of the same identity before it."""
    if not decisions:
        return
    try:
        rows = _linked(conn, decisions, now)
        copied = SQL.append_linked_decisions.sql
    except links.NotPlain:  # then the database writes the text, and makes the links of it
        rows = _unlinked(decisions, now)
        copied = SQL.append_decisions.sql
    with conn.cursor() as cursor, cursor.copy(copied) as copy:
        copy.write("\n".join(rows))


def remove(conn: Connection, identity_ids: Sequence[int]) -> int:
    """Remove the decisions of identities, and return how many. Nobody adds to their chains meanwhile, so nothing is left behind that follows
    what is gone."""
    SQL.keep_seals_out(conn)
    SQL.hold_chains(conn, ids=list(identity_ids))
    removed: int = SQL.delete_decisions(conn, ids=list(identity_ids))
    return removed


def _linked(conn: Connection, decisions: Sequence[Decision], now: datetime) -> list[str]:
    """Rows with their numbers and links, made here for all at once: the database would look for the one before of each alone. Raises NotPlain."""
    SQL.keep_seals_out(conn)
    identities = list({one.identity_id for one in decisions})
    SQL.hold_chains(conn, ids=identities)  # before anything is read or numbered, also for the rows that the database will link
    last: dict[int, tuple[int | str, bytes]] = {row[0]: row[1:] for row in SQL.last_links(conn, ids=identities)}
    recorded_at, recorded = now.isoformat(), links.seconds(now)
    seen: tuple[dict[str, Any] | None, datetime | None] = (None, None)
    proof, copied, made_at, moments = "", "", "", ("", recorded)
    rows: list[str] = []
    for (record_id,), decision in zip(SQL.next_records(conn, count=len(decisions)), decisions, strict=True):
        identity_id, purpose, channel, state, at, source_id, method, proved = decision
        if proved is not seen[0] or at is not seen[1]:  # the decisions of one event share theirs
            seen, proof = (proved, at), links.canonical(proved)
            copied, made_at, moments = _copied(proof), at.isoformat(), (links.seconds(at), recorded)
        follows, before = last.get(identity_id, ("\\N", b""))
        made = links.link(before, record_id, decision, moments, proof)
        last[identity_id] = (record_id, made)
        said = f"{purpose}\t{channel}\t{state}\t{made_at}\t{recorded_at}\t{source_id}\t{method}"
        rows.append(f"{record_id}\t{identity_id}\t{said}\t{copied}\t{follows}\t\\\\x{made.hex()}")
    return rows


def _unlinked(decisions: Sequence[Decision], now: datetime) -> list[str]:
    rows: list[str] = []
    for identity_id, purpose, channel, state, at, source_id, method, proved in decisions:
        proof = _copied(_NUL.sub(r"\1", _encode(proved).decode()))
        rows.append(f"{identity_id}\t{purpose}\t{channel}\t{state}\t{at.isoformat()}\t{now.isoformat()}\t{source_id}\t{method}\t{proof}")
    return rows


def _copied(text: str) -> str:
    """A JSON text as COPY takes it."""
    return text.replace("\\", "\\\\") if "\\" in text else text


def export_ledger(conn: Connection, identity_ids: Sequence[int]) -> list[dict[str, Any]]:
    """The decisions with proof, as the person gets them."""
    names = ("record_id", "identity_id", "purpose", "channel", "state", "at", "recorded_at", "source_id", "method", "proof")
    return [dict(zip(names, row, strict=True)) for row in SQL.ledger_of_identities(conn, ids=list(identity_ids))]


def suppressions(conn: Connection, fingerprints: Sequence[bytes], channel: Channel, at: datetime, since: datetime = EVER) -> dict[bytes, list[str]]:
    """Reasons by fingerprint, of those on the list, or that came there after `since`."""
    found: dict[bytes, list[str]] = defaultdict(list)
    for fingerprint, reason in SQL.suppressions(conn, fingerprints=blobs(fingerprints), channel=channel.value, at=at, since=since):
        found[bytes(fingerprint)].append(reason)
    return found


def lengthen_audit(conn: Connection, at: datetime, what: tuple[str, str, str], detail: dict[str, Any]) -> int:
    """Add a row to the audit chain and return its number; others wait until this transaction ends."""
    SQL.lock_audit(conn)
    last = SQL.last_audit_row(conn)
    number, before = (last[0] + 1, bytes(last[1])) if last else (1, START)
    actor, action, target = what
    digest = link(before, number, at, what, detail)
    SQL.append_audit_row(conn, number=number, at=at, actor=actor, action=action, target=target, detail=Jsonb(detail), hash=digest)
    return number


def noted(rows: Iterable[tuple[Any, ...]]) -> Iterable[Noted]:
    """Rows of the audit log as values."""
    return (Noted(*row[:6], hash=bytes(row[6])) for row in rows)


def _recorded(row: tuple[Any, ...]) -> Recorded:
    return Recorded(row[0], row[1], row[2], CHANNELS[row[3]], STATES[row[4]], row[5], row[6], row[7], row[8] or 0)
