"""Pauses: a person wants no messages for a while, and changes no consent by it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from cegla.govern.store import SQL
from cegla.storage.arrays import numbers
from cegla.storage.workspace import Connection


def standing(conn: Connection, identity_ids: Sequence[int], at: datetime) -> dict[int, datetime]:
    """Which of these identities wanted no messages at a moment, and until when."""
    return dict(SQL.paused(conn, ids=numbers(identity_ids), at=at))


def pause(conn: Connection, identity_ids: Sequence[int], until: datetime, method: str, proof: Mapping[str, Any], now: datetime) -> None:
    """Hold messages back until a moment; one that has passed ends the pause."""
    SQL.add_pauses(conn, ids=list(identity_ids), until=until, now=now, method=method, proof=Jsonb(dict(proof)))


def export(conn: Connection, identity_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Every pause of these identities, as the person gets them."""
    names = ("identity_id", "until", "at", "method", "proof")
    return [dict(zip(names, row, strict=True)) for row in SQL.pauses_of(conn, ids=list(identity_ids))]
