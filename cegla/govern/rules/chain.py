"""The audit log's hash chain: each row's hash covers its content and the hash before it, so a changed, moved or missing row shows."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

START = bytes(32)


@dataclass(frozen=True)
class Noted:
    """One row of the audit log: who did what to what. `detail` holds no personal data."""

    number: int
    at: datetime
    actor: str
    action: str
    target: str
    detail: dict[str, Any]
    hash: bytes


def link(before: bytes, number: int, at: datetime, what: tuple[str, str, str], detail: dict[str, Any]) -> bytes:
    """The hash of a row after `before`; `what` is actor, action, target. Canonical JSON: sorted keys, no blanks, UTC."""
    row = [number, at.astimezone(UTC).isoformat(timespec="microseconds"), *what, detail]
    content = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(before + content.encode()).digest()


def first_broken(rows: Iterable[Noted], before: bytes = START, number: int = 0) -> int | None:
    """The number of the first row, in order, that does not follow from the one before; None when the chain holds."""
    for row in rows:
        number += 1
        before = link(before, number, row.at, (row.actor, row.action, row.target), row.detail)
        if row.number != number or row.hash != before:
            return number
    return None
