"""A disk that fills up under load: refused with a time to come back, nothing acknowledged lost, and everything goes on by itself."""

import pytest

from bench.trials import full_disk

pytestmark = [pytest.mark.whole, pytest.mark.timeout(600)]


def test_a_full_disk_refuses_loses_nothing_and_comes_back_by_itself() -> None:
    with full_disk.small_disk() as disk:
        if disk is None:
            pytest.skip("a small disk of its own takes root to mount")
        report = full_disk.trial(disk)
    assert set(report.little) == {429}
    assert report.ready_while_little == 0
    assert report.full.total() > report.full[200]  # the control: nothing fitted, and that was seen
    assert report.without_retry_after == 0
    assert report.acknowledged > 0
    assert (report.lost, report.doubled) == (0, 0)
    assert report.adds_up
