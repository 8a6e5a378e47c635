"""The power goes at random moments: every request that was acknowledged before is there, and the store is whole.

Controls first, and they must fail: commits that do not wait for the disk, a server without fsync, and the warehouse on a disk that lies.
`CEGLA_CUTS=2000` makes it longer; so does `python -m bench power_cuts`.
"""

import os

import pytest

from bench.trials import disk, power_cuts

pytestmark = [pytest.mark.whole, pytest.mark.timeout(1800)]

CUTS = int(os.environ.get("CEGLA_CUTS", "20"))


@pytest.mark.skipif(disk.shim() is None, reason="the recorder of writes needs a C compiler (cc), and there is none here")
def test_power_cuts_lose_nothing_and_relaxed_commits_are_caught() -> None:
    report = power_cuts.trial(CUTS, seed=5, control_cuts=8)
    assert report.relaxed.lost > 0
    assert report.unsynced.lost + report.unsynced.corrupt > 0
    assert report.real.acknowledged > 0
    assert (report.real.lost, report.real.corrupt) == (0, 0), report.real.faults
    assert report.lying.lost > 0 and report.warehouse.acknowledged > 0
    assert (report.warehouse.lost, report.warehouse.corrupt) == (0, 0), report.warehouse.faults
