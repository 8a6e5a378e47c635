"""Damage to PostgreSQL's log and pages: noticed with the number of requests gone, or harmless; `python -m bench damage` does more of it."""

import pytest

from bench.trials import damage

pytestmark = [pytest.mark.whole, pytest.mark.timeout(600)]


def test_damage_is_noticed_or_harmless_and_the_number_of_requests_gone_is_told() -> None:
    report = damage.trial(1, seed=3)
    assert report.called_itself_healthy > 0  # the control: PostgreSQL alone did not notice
    assert report.false_alarms == 0
    assert report.silent == []
