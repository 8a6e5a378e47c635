"""What events say about accounts: who joined or left one, in which role, and what an account is like.

    group call                                   joined; its traits are the account's
    context.membership {role, left}              of a group call: the role there; left: true says the person left
    "Account Added User" {role, account_name}    joined   } the account in groupId, context.groupId or the property account_id:
    "Account Removed User"                       left     } the B2B events of the tracking contract, and rows of file imports

Everything here is a fold that does not depend on order or repetition.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from cegla.vocabulary.events import Event, trait_key
from cegla.vocabulary.identifiers import normalized

ADDED, REMOVED = "Account Added User", "Account Removed User"
MOVES = frozenset({ADDED, REMOVED})
LONGEST_ROLE = 100
PARENT_NAMES = frozenset({"parent", "parent_id", "parent_group_id", "parent_account_id"})
PARENT, NAME = "parent_id", "name"


class Said(NamedTuple):
    """That an identity joined or left an account, once or all through a day (UTC): `at` is the first time, `last_at` the last."""

    account: str  #: the account's key
    identity_id: int
    joins: bool
    at: datetime
    last_at: datetime
    role: str | None
    role_at: datetime | None
    source_id: int
    message_id: str
    import_id: int = 0

    @property
    def slot(self) -> tuple[str, int, date, bool, int]:
        """What says the same thing: one row."""
        return self.account, self.identity_id, self.at.astimezone(UTC).date(), self.joins, self.import_id


class Told(NamedTuple):
    """One trait of an account as a group call told it. `value` None takes it back."""

    account: str
    key: str
    value: Any
    declared_at: datetime
    source_id: int
    message_id: str
    import_id: int = 0


class Stay(NamedTuple):
    """A person in an account. `left_at` None: still there. `role` is the newest one told since the person came."""

    since: datetime
    left_at: datetime | None
    role: str | None


class Heard(NamedTuple):
    """All that some events say: at most one row a slot."""

    said: Sequence[Said]
    told: Sequence[Told]


def concerns_accounts(event: Event) -> bool:
    """Whether an event says anything about accounts."""
    return event.kind == "group" or (event.name in MOVES and event.kind == "track")


def heard(events: Iterable[tuple[Event, int, int]]) -> Heard:
    """What events say together; each comes with the identity it points at and its import (0: none)."""
    said: dict[Any, Said] = {}
    told: dict[Any, Told] = {}
    for event, identity_id, import_id in events:
        key = _account(event)
        if key is None:
            continue
        one = _said(event, key, identity_id, import_id)
        said[one.slot] = _together(said[one.slot], one) if one.slot in said else one
        for trait in _traits(event, key, import_id):
            slot = (key, trait.key, import_id)
            if slot not in told or _newer(trait) > _newer(told[slot]):
                told[slot] = trait
    return Heard(list(said.values()), list(told.values()))


def stay(said: Iterable[Said]) -> Stay | None:
    """The stay of one person in one account from all that was said; None when nobody ever said that the person joined.

    Who joined and left at the same moment left. After having left, a person is back with the first call after that.
    """
    rows = list(said)
    if len(rows) == 1:  # of nearly everybody
        one = rows[0]
        return Stay(one.at, None, None if one.role_at is None else one.role) if one.joins else None
    left_at = max((one.last_at for one in rows if not one.joins), default=None)
    joined = [one for one in rows if one.joins]
    if not joined:
        return None
    here = [one for one in joined if left_at is None or one.last_at > left_at]
    counted = here or joined
    since = min(one.at if left_at is None or one.at > left_at or not here else one.last_at for one in counted)
    after = left_at if here else None
    roles = [(one.role_at, one.role) for one in counted if one.role is not None and one.role_at is not None and (after is None or one.role_at > after)]
    return Stay(since, None if here else left_at, max(roles)[1] if roles else None)


def _account(event: Event) -> str | None:
    """The account an event is about; None when its id is a placeholder, too long or missing."""
    told = (event.group_id, event.context.get("groupId"), event.properties.get("account_id") if event.kind == "track" else None)
    return next((key for known in told if isinstance(known, (str, int)) and (key := normalized("group_id", known)) is not None), None)


def _said(event: Event, key: str, identity_id: int, import_id: int) -> Said:
    if event.kind == "group":
        membership = event.context.get("membership")
        fields: Mapping[str, Any] = membership if isinstance(membership, dict) else {}
        joins, role = fields.get("left") is not True, _role(fields.get("role"))
    else:
        joins, role = event.name == ADDED, _role(event.properties.get("role")) if event.name == ADDED else None
    at = event.occurred_at
    return Said(key, identity_id, joins, at, at, role, at if role is not None else None, event.source_id, event.message_id, import_id)


def _role(value: object) -> str | None:
    text = value.strip()[:LONGEST_ROLE] if isinstance(value, str) else ""
    return text or None


def _traits(event: Event, key: str, import_id: int) -> Iterable[Told]:
    named = event.properties.get("account_name") if event.name == ADDED else None
    told = event.traits if event.kind == "group" else {NAME: named} if isinstance(named, str) and named else {}
    for raw, value in told.items():
        name = trait_key(raw)
        if name in PARENT_NAMES:
            name, value = PARENT, _parent(value)
        yield Told(key, name, value, event.occurred_at, event.source_id, event.message_id, import_id)


def _parent(value: Any) -> Any:
    """The account above in the one form its own key has; what can be no key stays as it was told."""
    return (normalized("group_id", value) or value) if isinstance(value, str) else value


def _together(one: Said, other: Said) -> Said:
    first = min(one, other, key=lambda row: (row.at, row.source_id, row.message_id))
    roles = [(row.role_at, row.role) for row in (one, other) if row.role is not None and row.role_at is not None]
    role_at, role = max(roles) if roles else (None, None)
    return first._replace(last_at=max(one.last_at, other.last_at), role=role, role_at=role_at)


def _newer(told: Told) -> tuple[datetime, int, str]:
    return told.declared_at, told.source_id, told.message_id
