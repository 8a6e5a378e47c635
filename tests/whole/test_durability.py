"""Accepted means committed: parts are killed at random under load, and every acknowledged event is found, once.

`CEGLA_KILLS=30` makes it longer. The control is a collector that answers before the commit; the same trial must catch it.
"""

import os
import sys
from pathlib import Path

import pytest

from bench.crashes import collectors_and_store, everything

pytestmark = [pytest.mark.whole, pytest.mark.timeout(600)]

KILLS = int(os.environ.get("CEGLA_KILLS", "6"))
HASTY = [sys.executable, str(Path(__file__).with_name("hasty_collector.py"))]


def test_a_collector_that_answers_before_the_commit_is_caught() -> None:
    for seed in (7, 8, 9):  # whether a kill falls between an answer and its commit is chance
        report = collectors_and_store(4, seed=seed, command=HASTY)
        if report.lost:
            break
    assert report.lost > 0
    assert not report.good


def test_kills_of_collectors_and_postgresql_lose_and_double_nothing() -> None:
    report = collectors_and_store(KILLS, seed=11)
    assert report.acknowledged > 0
    assert (report.lost, report.doubled, report.damaged) == (0, 0, 0)
    assert report.adds_up


def test_kills_of_intake_too_leave_every_event_in_the_history_once() -> None:
    report = everything(KILLS, seed=13)
    assert report.acknowledged > 0
    assert (report.lost, report.doubled, report.damaged) == (0, 0, 0)
    assert report.adds_up
