"""How people are called in lists: their most telling identifier, masked."""

from collections.abc import Iterable, Sequence
from typing import Any

from cegla.resolve import actions as resolve
from cegla.storage.workspace import Connection
from cegla.vocabulary.identifier_rules import DEFAULT_RULES
from cegla.vocabulary.masking import masked


def display_names(conn: Connection, people: Sequence[int]) -> dict[int, str]:
    """A short masked name for each person: the e-mail, else the phone, else the user id, else the browser."""
    return {person: short_name(known) for person, known in resolve.identifiers_of(conn, sorted(set(people))).items()}


def short_name(known: Iterable[Any], *, reveal: bool = False) -> str:
    """The most telling of a person's identifiers."""
    order = {"email": 0, "phone": 1}
    best = min(known, key=lambda one: (order.get(one.type, 2), DEFAULT_RULES.type(one.type).priority, one.value), default=None)
    if best is None:
        return ""
    return best.value if reveal else masked(best.value, best.type)
