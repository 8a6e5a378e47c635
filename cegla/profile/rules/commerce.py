"""Commerce: what an order, a refund or a look at a product is worth, and its lines.

Names follow Segment's e-commerce events. Refunds and cancellations count below zero, whatever sign they came with.
"""

from functools import lru_cache
from typing import Any, NamedTuple

from cegla.vocabulary.money import LARGEST_MICROS, to_micros

ORDERED = "Order Completed"
TAKEN_BACK = frozenset({"Order Refunded", "Order Cancelled"})
LOOKED_AT = frozenset({"Product Viewed", "Product Added"})
LONGEST_NAME = 300
_NOT_COUNTED = object()


class Line(NamedTuple):
    """One line of an order, or one product looked at (then without a value)."""

    product_id: str | None
    product: str | None
    category: str | None
    quantity: float | None
    price_micros: int | None
    value_micros: int | None


class Commerce(NamedTuple):
    """What one event says about money. `value_micros` is None for events that move none."""

    order_id: str | None
    value_micros: int | None
    currency: str | None
    lines: list[Line]


NOTHING = Commerce(None, None, None, [])


def read_commerce(name: str, properties: dict[str, Any]) -> Commerce:
    """Order id, value, currency and lines of an event; value is total, else revenue, else value, else price × quantity of the lines."""
    if name in LOOKED_AT:
        line = _line(properties, False)
        return Commerce(_text(properties.get("order_id")), None, _currency(properties), [line] if line else [])
    if name != ORDERED and name not in TAKEN_BACK:
        return Commerce(_text(properties.get("order_id")), None, _currency(properties), []) if "order_id" in properties else NOTHING
    products = properties.get("products")
    lines = [line for one in products if isinstance(one, dict) and (line := _line(one, True))] if isinstance(products, list) else []
    if name in TAKEN_BACK and sum(line.value_micros or 0 for line in lines) > 0:
        lines = [_turned(line) for line in lines]
    value = _first_amount(properties)
    if value is None:
        value = sum(line.value_micros or 0 for line in lines) if lines else 0
    if name in TAKEN_BACK:
        value = -abs(value)
    return Commerce(_text(properties.get("order_id")), _bounded(value), _currency(properties), lines)


def _line(product: dict[str, Any], counted: bool) -> Line | None:
    """A line of an order (`counted`), or a product looked at. The same products come again and again."""
    get = product.get
    told = (get("product_id"), get("sku"), get("name"), get("category"), get("price"), get("quantity") if counted else _NOT_COUNTED)
    try:
        return _line_of(*told)
    except TypeError:  # a list for a name, for one
        return _line_of.__wrapped__(*told)


@lru_cache(maxsize=4_096, typed=True)
def _line_of(product_id: Any, sku: Any, name: Any, category: Any, price: Any, quantity: Any) -> Line | None:
    product_id, name, category = _text(product_id) or _text(sku), _text(name), _text(category)
    if product_id is None and name is None and category is None:
        return None
    micros = to_micros(price)
    if quantity is _NOT_COUNTED:
        return Line(product_id, name, category, None, micros, None)
    number = _quantity(quantity)
    return Line(product_id, name, category, float(number), micros, None if micros is None else _bounded(round(micros * number)))


def _turned(line: Line) -> Line:
    return line._replace(quantity=-(line.quantity or 0.0), value_micros=-(line.value_micros or 0))


def _first_amount(properties: dict[str, Any]) -> int | None:
    for key in ("total", "revenue", "value"):
        amount = to_micros(properties.get(key))
        if amount is not None:
            return amount
    return None


def _quantity(value: object) -> int | float:
    """As sent when it is a finite number (also as text); one when it is absent or unreadable."""
    if value.__class__ is int and -1_000_000_000 < value < 1_000_000_000:  # pyright: ignore[reportOperatorIssue]
        return value  # pyright: ignore[reportReturnType]
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return 1
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -1e9 < value < 1e9:
        return 1
    return int(value) if value == int(value) else value


def _bounded(micros: int) -> int:
    return max(-LARGEST_MICROS, min(LARGEST_MICROS, micros))


def _currency(properties: dict[str, Any]) -> str | None:
    value = properties.get("currency")
    return value.upper() if isinstance(value, str) and len(value) == 3 and value.isascii() and value.isalpha() else None


def _text(value: object) -> str | None:
    if value.__class__ is str:
        return value.strip()[:LONGEST_NAME] or None  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return str(value)
