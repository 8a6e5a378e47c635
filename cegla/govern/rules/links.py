"""The chain through the decisions of one identity: each link is the hash of the link before and of the decision's content.

`govern.link` in the database says the same of one row; it is what the check of the ledger asks. Here the links of a whole batch are
made at once, so the text must be, to the byte, the one that PostgreSQL writes of a `jsonb`: keys by length and then by bytes, a blank
after each colon and comma, moments as seconds with six digits.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any, cast

import msgspec

from cegla.vocabulary.consent import Decision

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_text_of = msgspec.json.Encoder().encode


class NotPlain(Exception):
    """A value whose text only PostgreSQL knows, such as a number with a fraction."""


def canonical(value: Any) -> str:
    """A value of JSON as PostgreSQL writes it of a `jsonb`, without the character NUL, for which it has no place. Raises NotPlain."""
    if isinstance(value, str):
        return _text_of(value.replace("\0", "")).decode()
    if value is None or isinstance(value, bool):
        return _text_of(value).decode()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        return _object(cast("dict[str, Any]", value))
    if isinstance(value, list | tuple):
        return "[" + ", ".join([canonical(one) for one in cast("Sequence[Any]", value)]) + "]"
    raise NotPlain(type(value).__name__)


def _object(value: Mapping[str, Any]) -> str:
    pairs = {str(key).replace("\0", ""): one for key, one in value.items()}
    keys = sorted(pairs, key=_rank)
    return "{" + ", ".join([f"{_word(key)}: {canonical(pairs[key])}" for key in keys]) + "}"


@lru_cache(maxsize=1_024)
def _rank(key: str) -> tuple[int, bytes]:
    """The place of a key among the keys of an object."""
    raw = key.encode()
    return len(raw), raw


@lru_cache(maxsize=1_024)
def _word(text: str) -> str:
    return _text_of(text).decode()


def seconds(moment: datetime) -> str:
    """A moment as `extract(epoch from …)` gives it."""
    micros = (moment - _EPOCH) // _MICROSECOND
    whole, rest = divmod(abs(micros), 1_000_000)
    return f"{'-' if micros < 0 else ''}{whole}.{rest:06d}"


def link(before: bytes, record_id: int, decision: Decision, moments: tuple[str, str], proof: str) -> bytes:
    """The link of a decision after the link `before`, empty for an identity's first.

    `moments` are `seconds` of when it was made and recorded, `proof` is `canonical`: the decisions of one event share them.
    """
    identity_id, purpose, channel, state, _, source_id, method, _ = decision
    said = f"{_word(purpose)}, {_word(channel)}, {_word(state)}"
    content = f"[{record_id}, {identity_id}, {said}, {moments[0]}, {moments[1]}, {source_id}, {_word(method)}, {proof}]"
    return sha256(before + content.encode()).digest()
