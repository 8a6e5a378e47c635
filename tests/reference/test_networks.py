"""What an address tells, and what it does not."""

import numpy as np
import pytest

from cegla.reference.library import Library
from cegla.reference.ranges import Ranges, merged
from cegla.vocabulary.world import UNKNOWN_NETWORK

LIBRARY = Library()


def test_a_campus_is_in_its_city() -> None:
    found = LIBRARY.network("149.156.96.0")
    assert (found.country, found.powiat, found.city, found.asn, found.kind) == ("PL", "1261", "Kraków", 8267, "education")
    assert not found.is_datacentre


@pytest.mark.parametrize("address", ["213.180.141.0", "83.0.12.0"])
def test_the_default_point_in_warsaw_is_the_country_alone(address: str) -> None:
    found = LIBRARY.network(address)
    assert (found.country, found.powiat, found.city, found.timezone) == ("PL", None, None, "Europe/Warsaw")


def test_a_phones_network_is_the_country_alone() -> None:
    found = LIBRARY.network("5.172.236.0")
    assert (found.country, found.powiat, found.kind) == ("PL", None, "mobile")


@pytest.mark.parametrize(("address", "centre", "proxy"), [
    ("51.83.0.0", True, False), ("34.116.128.0", True, False), ("185.220.101.1", False, True), ("212.77.98.0", False, False), ("149.156.1.0", False, False), ("2a01:4f8::", True, False),
])  # fmt: skip
def test_data_centres_and_proxies_are_flagged(address: str, centre: bool, proxy: bool) -> None:
    found = LIBRARY.network(address)
    assert (found.is_datacentre or found.is_proxy) == (centre or proxy)


@pytest.mark.parametrize("address", ["", "x", "10.0.0.0", "127.0.0.1", "::1", "999.1.1.1", "fe80::1"])
def test_what_is_no_public_address_tells_nothing(address: str) -> None:
    assert LIBRARY.network(address) == UNKNOWN_NETWORK


def test_one_exit_node_does_not_make_a_street_a_relay() -> None:
    columns = {"x_gap": np.array([1_000, 5], np.uint64), "x_length": np.array([0, 255], np.uint64), "x_value": np.array([1, 1], np.uint32)}
    ranges = Ranges(columns, "x")
    assert ranges.covered(1_000, 1_000) == 1.0
    assert ranges.covered(1_000, 1_255) > 0.9
    assert ranges.covered(768, 1_001) < 0.5
    assert [ranges.at(number) for number in (999, 1_000, 1_001, 1_006, 1_261, 1_262)] == [None, 1, None, 1, 1, None]


def test_neighbours_with_one_answer_become_one_range() -> None:
    assert list(merged([(1, 3, 7), (4, 9, 7), (8, 12, 8), (20, 20, 8)])) == [(1, 9, 7), (10, 12, 8), (20, 20, 8)]
