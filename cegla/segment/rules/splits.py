"""Random and stable parts of everybody: a person's number and a salt decide, so the same people stay in the same part for good.

The mixing is whole-number arithmetic that every engine does alike, no hash function of one of them: x ↦ (a·x + b)² modulo the prime 2³¹ − 1,
three times, with a and b from the salt. Tests hold that parts are as large as they say and that those of different salts have nothing to do with
each other.
"""

from hashlib import sha256
from typing import Any

import ibis

from cegla.segment.rules.history import Column, Measure, Rows
from cegla.segment.rules.language import Kind, Operator, Parameter, Past, Values
from cegla.vocabulary.text import Text

PRIME = 2**31 - 1
ROUNDS = 3
SALT = Parameter("salt", Kind.TEXT, Text("nazwa podziału", "name of the split"))
FROM = Parameter("from_percent", Kind.PERCENT, Text("od ilu procent", "from percent"), required=False, default=0)
TO = Parameter("to_percent", Kind.PERCENT, Text("do ilu procent", "to percent"))


def constants(salt: str) -> list[tuple[int, int]]:
    """The factor (never 0) and the summand of each round."""
    drawn = [int.from_bytes(sha256(f"{number}:{salt}".encode()).digest()[:8]) for number in range(2 * ROUNDS)]
    return [(1 + factor % (PRIME - 1), summand % PRIME) for factor, summand in zip(drawn[::2], drawn[1::2], strict=True)]


def place(person: Any, salt: str) -> Any:
    """Where a person stands among all, 0 to `PRIME` - 1; `person` is a whole number or a column of them."""
    x = person % PRIME
    for factor, summand in constants(salt):
        x = (x * factor + summand) % PRIME
        x = x * x % PRIME
    return x


def edge(percent: float) -> int:
    """The first place that lies outside so many percent."""
    return round(percent / 100 * PRIME)


def _person(values: Values, rows: Rows) -> dict[str, Measure]:
    """Everybody's own number, out of a group in which it is always the same; one measure for all splits, so each costs a sum a person, not one an event."""
    return {"person": Measure(rows["person_id"].max(), None)}


def _inside(values: Values, seen: Any, ground: Any) -> Column:
    return place(seen["person"], values["salt"]).between(edge(values["from_percent"]), edge(values["to_percent"]) - 1)


SPLIT_OPERATORS: tuple[Operator, ...] = (
    Operator(
        "random_part",
        "groups",
        Text("losowa, stała część", "a random, lasting part"),
        Text(
            "są w losowej części od {from_percent} do {to_percent} podziału {salt}",
            "are in the random part from {from_percent} to {to_percent} of the split {salt}",
        ),
        (SALT, FROM, TO),
        _person,
        _inside,
        lambda values: True,
        lambda values, seen, ground: (ibis.literal(100.0) * place(seen["person"], values["salt"]) / PRIME).round(2),
        {"op": "random_part", "salt": "2026-jesień", "from_percent": 60, "to_percent": 80},
        (Past("Page Viewed", 1),),
        (Past("Page Viewed", 1),),
    ),
)
