"""What a collector brings along, and what it is told."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cegla.collect import log
from cegla.storage.settings import load_settings
from cegla.worker import collector

LATE = {"pydantic", "yaml", "structlog", "rich", "cryptography", "duckdb", "ibis", "pyarrow", "fastapi", "starlette"}


def test_a_collector_imports_the_door_and_nothing_that_keeps_it_from_being_there() -> None:
    program = "import sys, cegla.worker.collector; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert {"psycopg", "uvloop"} <= set(loaded)
    assert not LATE & set(loaded)


def test_what_a_supervisor_hands_over_is_what_the_settings_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(environment={"CEGLA_DATA_DIR": str(tmp_path), "CEGLA_COLLECTOR_MOST_EVENTS": "17", "CEGLA_COLLECTOR_PORT": "0"})
    monkeypatch.setenv(collector.VARIABLE, collector.handed_over(settings, "host=somewhere", 9_001))
    told = collector.duty()
    assert (told.dsn, told.data_dir) == ("host=somewhere", tmp_path)
    assert vars(told.limits) == {**settings.collector.model_dump(mode="json"), "port": 9_001}


def test_a_collector_without_a_supervisor_reads_its_settings_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(collector.VARIABLE, raising=False)
    monkeypatch.setenv("CEGLA_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CEGLA_COLLECTOR_MOST_EVENTS", "18")
    told = collector.duty()
    assert told.limits.most_events == 18
    assert "dbname=cegla" in told.dsn


def test_its_log_is_one_json_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    log.warning("PostgreSQL is away", error="OperationalError", requests=3, found=None)
    line = json.loads(capsys.readouterr().out)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "PostgreSQL is away", "level": "warning", "error": "OperationalError", "requests": 3, "found": None}
