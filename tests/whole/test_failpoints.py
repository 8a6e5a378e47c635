"""A process dies between two stores, or between a store and the world: after the restart each effect is there, once.

All points: `python -m bench failpoints`.
"""

import re
from pathlib import Path

import pytest

import cegla
from bench.trials import failpoints
from cegla.storage.failpoint import POINTS

pytestmark = [pytest.mark.whole, pytest.mark.timeout(600)]

IN_EVERY_RUN = (
    "collector: after the commit",
    "intake: after the append",
    "send: after the content",
    "erase: after the warehouse",
    "undo: after the history",
)


def test_every_point_lies_in_the_code_once_and_those_of_the_history_in_the_one_elsewhere_too() -> None:
    home = Path(cegla.__file__).parent
    elsewhere = home / "storage" / "engines" / "elsewhere.py"
    assert sorted(point for file in home.rglob("*.py") if file != elsewhere for point in _points_in(file)) == sorted(POINTS)
    assert sorted(_points_in(elsewhere)) == sorted(_points_in(home / "storage" / "warehouse.py")) != []


def _points_in(file: Path) -> list[str]:
    return re.findall(r'passing\("([^"]+)"\)', file.read_text())


def test_after_death_at_a_point_every_effect_is_there_once() -> None:
    report = failpoints.trial(IN_EVERY_RUN)
    assert report.lies_seen == report.lies > 0  # the control: the judge sees a doubled event, a lost one, a doubled letter ...
    assert report.died == list(IN_EVERY_RUN)
    assert report.letters > 0
    assert report.ambiguous > 0
    assert report.faults == []
