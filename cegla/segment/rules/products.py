"""Operators about products and categories: bought, viewed, put into the cart, and left in it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import ibis

from cegla.segment.rules.events import AT_LEAST, WINDOW
from cegla.segment.rules.history import ORDER, Column, Ground, Measure, Rows
from cegla.segment.rules.language import Kind, Operator, Parameter, Past, Seen, Values
from cegla.vocabulary.text import Text

ADDED, VIEWED = "Product Added", "Product Viewed"
WITHIN = Parameter("after", Kind.SPAN, Text("po jakim czasie bez zakupu", "after how long without a purchase"), required=False, default="1h")
PRODUCT = Parameter("product", Kind.TEXT, Text("nazwa produktu", "name of the product"))
CATEGORY = Parameter("category", Kind.TEXT, Text("kategoria", "category"))


class Deed(NamedTuple):
    """What was done with a product: the key, the event, and the words for product and category."""

    key: str
    event: str
    label: Text
    product: Text
    category: Text


DEEDS = (
    Deed("bought", ORDER, Text("kupiły", "bought"), Text("kupiły produkt", "bought the product"), Text("kupiły coś z kategorii", "bought from the category")),
    Deed(
        "viewed", VIEWED, Text("obejrzały", "viewed"), Text("obejrzały produkt", "viewed the product"),
        Text("obejrzały coś z kategorii", "viewed something of the category"),
    ),
    Deed(
        "added", ADDED, Text("dodały do koszyka", "added to the cart"), Text("dodały do koszyka produkt", "added to the cart the product"),
        Text("dodały do koszyka coś z kategorii", "added to the cart something of the category"),
    ),
)  # fmt: skip
NOUNS = {"product": (PRODUCT, Text("produkt", "a product")), "category": (CATEGORY, Text("coś z kategorii", "something of a category"))}


def span_minutes(span: str) -> int:
    """The minutes of "45m", "3h" or "2d"."""
    return int(span[:-1]) * {"m": 1, "h": 60, "d": 1_440}[span[-1]]


def _times(event: str, column: str, values: Values, rows: Rows) -> dict[str, Measure]:
    wanted = rows.named(event, values) & (rows[column] == values[column])
    return {"times": rows.measure_lines(lambda only: rows["event_id"].nunique(where=only), wanted)}


def _done(deed: Deed, column: str) -> Operator:
    parameter, noun = NOUNS[column]
    said: Text = getattr(deed, column)
    line = ("Kubek", "Kuchnia")
    return Operator(
        f"{deed.key}_{column}",
        "products",
        Text(f"{deed.label.pl} {noun.pl}", f"{deed.label.en} {noun.en}"),
        Text(*(f"{words} {{{column}}} {least} {{at_least}}{{days}}{{since}}{{until}}" for words, least in ((said.pl, "co najmniej"), (said.en, "at least")))),
        (parameter, AT_LEAST, *WINDOW),
        lambda values, rows: _times(deed.event, column, values, rows),
        lambda values, seen, ground: seen["times"] >= values["at_least"],
        lambda values: False,
        "times",
        {"op": f"{deed.key}_{column}", column: line[column == "category"], "at_least": 2},
        (Past(deed.event, 1, lines=(line,)), Past(deed.event, 2, lines=(line,))),
        (Past(deed.event, 1, lines=(line, line)), Past("Order Refunded", 2, lines=(line,))),
    )


# left in the cart --------------------------------------------------------------------------------------------------------


def _left(column: str, values: Values, rows: Rows) -> dict[str, Measure]:
    """When it was last put into the cart, and last bought."""
    last = lambda only: rows["occurred_at"].max(where=only)  # noqa: E731
    same = rows[column] == values[column]
    return {
        "added": rows.measure_lines(last, rows.named(ADDED, values) & same),
        "bought": rows.measure_lines(last, rows.named(ORDER) & same),
    }


def _left_cart(values: Values, rows: Rows) -> dict[str, Measure]:
    return {"added": rows.last(rows.named(ADDED, values)), "bought": rows.last(rows.named(ORDER))}


def _is_left(values: Values, seen: Seen, ground: Ground) -> Column:
    waited = seen["added"] <= ground.ago(span_minutes(values["after"]) / 1_440)
    return waited & (seen["bought"].isnull() | (seen["bought"] < seen["added"]))


def _left_moments(values: Values, seen: Seen, ground: Ground) -> list[Column]:
    return [seen["added"] + ibis.interval(minutes=span_minutes(values["after"]))]


def _left_row(key: str, label: Text, sentence: Text, parameter: tuple[Parameter, ...], example: Mapping[str, Any]) -> Operator:
    line = ("Kubek", "Kuchnia")
    return Operator(
        key,
        "products",
        label,
        sentence,
        (*parameter, WITHIN, *WINDOW),
        _left_cart if not parameter else lambda values, rows: _left(parameter[0].name, values, rows),
        _is_left,
        lambda values: False,
        "added",
        {"op": key, **example, "after": "3h", "days": 7},
        (Past(ORDER, 3, lines=(line,)), Past(ADDED, 2, lines=(line,))),
        (Past(ADDED, 2, lines=(line,)), Past(ORDER, 1, lines=(line,)), Past(ADDED, 0.1, lines=(line,))),
        moments=_left_moments,
    )


PRODUCT_OPERATORS: tuple[Operator, ...] = (
    *(_done(deed, column) for deed in DEEDS for column in ("product", "category")),
    _left_row(
        "abandoned_cart",
        Text("porzuciły koszyk", "abandoned a cart"),
        Text(
            "dodały coś do koszyka{days}{since}{until} i przez {after} niczego nie kupiły",
            "added something to the cart{days}{since}{until} and bought nothing for {after}",
        ),
        (),
        {},
    ),
    _left_row(
        "abandoned_product",
        Text("porzuciły w koszyku produkt", "left a product in the cart"),
        Text(
            "dodały do koszyka produkt {product}{days}{since}{until} i przez {after} go nie kupiły",
            "added the product {product} to the cart{days}{since}{until} and did not buy it for {after}",
        ),
        (PRODUCT,),
        {"product": "Kubek"},
    ),
    _left_row(
        "abandoned_category",
        Text("porzuciły w koszyku coś z kategorii", "left something of a category in the cart"),
        Text(
            "dodały do koszyka coś z kategorii {category}{days}{since}{until} i przez {after} niczego z niej nie kupiły",
            "added something of the category {category} to the cart{days}{since}{until} and bought nothing of it for {after}",
        ),
        (CATEGORY,),
        {"category": "Kuchnia"},
    ),
)
