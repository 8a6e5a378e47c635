import json

import pytest
import structlog

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
