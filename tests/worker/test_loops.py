"""When traits and segments follow: soon after a little, seldom under a flood."""

import threading

import pytest

from cegla.vocabulary.errors.installation import WarehouseHalted
from cegla.worker.loops import Loops, is_hurried, refresh_rest_seconds


@pytest.mark.parametrize("took", [0.01, 0.3, 5.0, 120.0])
def test_after_a_round_nobody_waits_longer_than_a_second_for_the_next(took: float) -> None:
    assert refresh_rest_seconds(took, behind=False) <= 1.0


@pytest.mark.parametrize("took", [0.01, 0.3, 5.0, 120.0])
def test_while_requests_wait_rounds_take_a_sixth_of_the_time_however_long_one_is(took: float) -> None:
    assert took / (took + refresh_rest_seconds(took, behind=True)) == pytest.approx(1 / 6)


@pytest.mark.parametrize(("behind", "seconds", "hurried"), [(False, 0.0, False), (True, 0.0, True), (True, 59.0, True), (True, 60.0, False)])
def test_analysers_wait_while_requests_do_but_no_longer_than_a_minute(behind: bool, seconds: float, hurried: bool) -> None:
    assert is_hurried(behind, seconds) is hurried


def test_a_warehouse_that_halted_is_opened_by_a_new_start_and_not_asked_again_and_again() -> None:
    told: list[str] = []
    loops = Loops.__new__(Loops)
    loops._ending, loops.on_damage = threading.Event(), lambda: told.append("a new start")

    def work() -> float:
        if told:
            loops._ending.set()
        raise WarehouseHalted(where="w")

    loops._repeat("intake", work)
    assert told == ["a new start"]
    assert not loops._ending.is_set()
