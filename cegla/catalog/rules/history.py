"""Which products a person looked at, left in the cart, and bought, from the lines of their history."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

VIEWED, ADDED, ORDERED = "Product Viewed", "Product Added", "Order Completed"
MOST = 12


class Line(NamedTuple):
    """One line of the history: of whom, in which event, which product, when."""

    person_id: int
    event: str
    product_id: str
    at: datetime


class Told(NamedTuple):
    """Product ids of one person, the newest first: looked at lately, in the cart since the last order, and bought."""

    viewed: list[str]
    abandoned: list[str]
    bought: list[str]


def told(lines: Iterable[Line]) -> dict[int, Told]:
    """What each person's lines say; lines may come in any order. What was ordered after it was put in the cart is not left there."""
    found: dict[int, Told] = {}
    ordered_at: dict[int, datetime] = {}
    newest = sorted(lines, key=lambda line: line.at, reverse=True)
    for line in newest:
        if line.event == ORDERED:
            ordered_at.setdefault(line.person_id, line.at)
    for line in newest:
        own = found.setdefault(line.person_id, Told([], [], []))
        last = ordered_at.get(line.person_id)
        if line.event == VIEWED:
            _once(own.viewed, line.product_id)
        elif line.event == ADDED and (last is None or line.at > last):
            _once(own.abandoned, line.product_id)
        elif line.event == ORDERED:
            _once(own.bought, line.product_id)
    return found


def together(bought: Iterable[str], beside: dict[str, list[str]]) -> list[str]:
    """What others bought with what a person bought, the most frequent first, without what they have."""
    have = list(bought)
    made: list[str] = []
    for product in have:
        for other in beside.get(product, []):
            if other not in have:
                _once(made, other)
    return made


def _once(products: list[str], product: str) -> None:
    if product not in products and len(products) < MOST:
        products.append(product)
