"""What events are worth."""

from typing import Any

import pytest

from cegla.profile.rules.commerce import NOTHING, read_commerce

LINES = [{"product_id": "p1", "name": "Kubek", "price": 10.1, "quantity": 3}, {"sku": "s2", "price": "5", "quantity": "2", "category": "Inne"}]


@pytest.mark.parametrize(("properties", "micros"), [
    ({"total": 12.5, "revenue": 10, "value": 1}, 12_500_000), ({"revenue": "10.01", "value": 1}, 10_010_000), ({"value": 1}, 1_000_000), ({"products": LINES}, 40_300_000),
    ({"total": None, "products": LINES}, 40_300_000), ({"total": "free", "products": "none"}, 0), ({}, 0), ({"total": -11062.06}, -11_062_060_000), ({"total": True}, 0),
])  # fmt: skip
def test_an_order_is_worth_its_total_or_its_lines(properties: dict[str, Any], micros: int) -> None:
    assert read_commerce("Order Completed", properties).value_micros == micros


@pytest.mark.parametrize("total", [20, -20, "20"])
@pytest.mark.parametrize("name", ["Order Refunded", "Order Cancelled"])
def test_what_is_taken_back_counts_below_zero_whatever_its_sign(name: str, total: Any) -> None:
    assert read_commerce(name, {"total": total}).value_micros == -20_000_000


@pytest.mark.parametrize("sign", [1, -1])
def test_the_lines_of_a_refund_are_negative_too(sign: int) -> None:
    sold = read_commerce("Order Refunded", {"products": [{**line, "quantity": sign * int(line["quantity"])} for line in LINES]})
    assert [line.value_micros for line in sold.lines] == [-30_300_000, -10_000_000]
    assert [line.quantity for line in sold.lines] == [-3.0, -2.0]
    assert sold.value_micros == -40_300_000


def test_a_look_at_a_product_has_a_line_without_a_value() -> None:
    sold = read_commerce("Product Viewed", {"product_id": 7, "name": "Kubek", "category": "Kubki", "price": 24.99})
    assert sold.value_micros is None
    assert sold.lines == [("7", "Kubek", "Kubki", None, 24_990_000, None)]


def test_other_events_move_no_money_but_keep_their_order_number() -> None:
    assert read_commerce("Song Played", {"value": 3}) == NOTHING
    assert read_commerce("Checkout Started", {"order_id": "A1", "total": 5}).order_id == "A1"


@pytest.mark.parametrize("quantity", [None, "many", float("nan"), True, 1e300, {}])
def test_an_unreadable_quantity_is_one(quantity: Any) -> None:
    assert read_commerce("Order Completed", {"products": [{"product_id": "p", "price": 2, "quantity": quantity}]}).value_micros == 2_000_000


def test_lines_that_name_nothing_are_left_out() -> None:
    assert read_commerce("Order Completed", {"products": [{}, None, 7, {"price": 1}], "currency": "zloty"}).lines == []


def test_a_sum_beyond_64_bits_is_held_at_the_edge() -> None:
    products = [{"product_id": "p", "price": 8_000_000_000_000, "quantity": 900_000_000}] * 3
    assert abs(read_commerce("Order Completed", {"products": products}).value_micros or 0) <= 2**63 - 1
