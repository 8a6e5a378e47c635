import json

import pytest
import structlog

from cegla.collect import log
from cegla.worker.logs import write_logs_as_json


def test_a_failure_is_logged_without_the_data_it_failed_on(capsys: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    write_logs_as_json()
    try:
        event = {"email": "canary@example.pl"}
        raise ValueError(f"cannot use {event}")
    except ValueError:
        structlog.get_logger().exception("a batch failed", most_events=1)
    finally:
        structlog.configure(**before)
    written = capsys.readouterr().out
    line = json.loads(written)
    assert "canary" not in written
    assert (line["event"], line["failure"], line["level"]) == ("a batch failed", "ValueError", "error")
    assert "test_a_failure_is_logged" in line["places"][-1]


def test_a_log_on_a_full_disk_loses_lines_and_ends_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OSError, match="No space left"), open("/dev/full", "w") as full:  # the control; closing it fails again
        with monkeypatch.context() as patch:
            patch.setattr("sys.stdout", full)
            write_logs_as_json()
            structlog.get_logger("intake").warning("waiting for a store to come back")
            log.error("a commit failed", requests=1)
        print("a line", file=full, flush=True)
