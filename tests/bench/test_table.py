"""The table of the benches: every figure with its goal, and the machine it was measured on."""

import pytest

from bench import __main__ as bench
from bench.result import Result


def test_a_name_that_is_no_bench_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["speed"]) == 2
    assert "collect, intake, import" in capsys.readouterr().err


@pytest.mark.parametrize(("reached", "code", "word"), [(True, 0, "ok"), (False, 1, "MISS")])
def test_a_figure_that_misses_its_goal_fails_the_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], reached: bool, code: int, word: str) -> None:
    monkeypatch.setitem(bench.BENCHES, "intake", lambda _: [Result("intake", 12_345.6, "events/s", ">= 15,000", reached, "a note")])
    assert bench.main(["intake"]) == code
    shown = capsys.readouterr().out
    assert word in shown
    assert "12,346" in shown
    assert "cores" in shown
