"""Damage to PostgreSQL's log and pages: noticed with the number of requests gone, or harmless; `python -m bench damage` does more of it."""

import pytest

from bench.trials import damage

pytestmark = [pytest.mark.whole, pytest.mark.timeout(600)]


def test_damage_is_noticed_or_harmless_and_the_number_of_requests_gone_is_told() -> None:
    report = damage.trial(1, seed=3)
    assert report.fates.total() > report.fates["harmless"]  # the control: the damage is real, some of it is noticed
    assert report.false_alarms == 0
    assert report.silent == []
