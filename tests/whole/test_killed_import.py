"""An import whose process is killed goes on where it stopped: the inbox holds what an uninterrupted one would have written, once."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cegla.collect import actions as collect
from cegla.collect import file_import
from cegla.collect.rules.mapping import read_mapping
from cegla.storage.settings import Settings
from cegla.storage.workspace import Workspace
from tests.collect.test_file_import import NoStores

pytestmark = pytest.mark.whole
ROWS = 150_000
LIST: dict[str, Any] = {
    "name": "list", "source": "Fair", "basis": "contract", "acquired": {"from": "fair", "date": "2026-04-04"}, "event": "identify", "time": "acquired",
    "ids": {"user_id": "{id}"}, "traits": {"email": "{email}", "first_name": "{name}"},
}  # fmt: skip
IMPORTER = """
import sys
from pathlib import Path
from cegla.collect import actions, file_import
from cegla.storage.settings import Settings
from cegla.storage.workspace import Workspace
from tests.collect.test_file_import import NoStores
file_import.BYTES_IN_A_TRANSACTION = 100_000
dsn, data_dir, file, mapping = sys.argv[1:]
ws = Workspace(Settings.model_validate({"data_dir": data_dir}), dsn, pool_size=2)
actions.import_file(ws, Path(file), Path(mapping))
"""


def test_an_import_killed_half_way_and_resumed_is_as_if_never_interrupted(workspace: Workspace, dsn: str, tmp_path: Path) -> None:
    path, mapping = tmp_path / "list.csv", tmp_path / "list.yaml"
    path.write_text("id,email,name\n" + "".join(f"{row},u{row}@example.pl,Świętosław\n" for row in range(ROWS)), encoding="utf-8")
    mapping.write_text(str(LIST), encoding="utf-8")
    words = [sys.executable, "-c", IMPORTER, dsn, str(workspace.settings.data_dir), str(path), str(mapping)]
    killed_at = _kill_half_way(workspace, words)
    result = collect.import_file(workspace, path, read_mapping(LIST, "test"))
    assert (result.rows_used, result.import_id) == (ROWS, 1)
    expected: list[bytes] = []
    target = file_import.Target(lambda _conn, bodies, _now: expected.extend(body.content for body in bodies))
    file_import.run_import(NoStores(Settings.model_validate({}), ""), path, read_mapping(LIST, "test"), target)
    with workspace.transaction() as conn:
        written = [bytes(row[0]) for row in conn.execute("select body from collect.inbox order by writer, number").fetchall()]
        assert [one.state for one in collect.imports(conn)] == ["done"]
    assert 0 < killed_at < len(expected)
    assert written == expected


def _kill_half_way(workspace: Workspace, words: list[str]) -> int:
    """Start the importer and kill -9 it as soon as it committed something; returns how many requests were written by then."""
    process = subprocess.Popen(words)
    try:
        for _ in range(6_000):
            if _written(workspace):
                break
            assert process.poll() is None, "the importer ended before anything was written"
            time.sleep(0.01)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == -9, "the importer was faster than the test"
    return _written(workspace)


def _written(workspace: Workspace) -> int:
    with workspace.transaction() as conn:
        row = conn.execute("select count(*) from collect.inbox").fetchone()
    return int(row[0]) if row else 0


