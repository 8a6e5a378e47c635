"""The embedded PostgreSQL as its owner lives with it: started twice, killed, run by an ordinary user."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from cegla.storage.migrations import migrate
from cegla.storage.postgres import EmbeddedPostgres, first_sync, memory_bytes, refuse_unsafe, shared_buffers
from cegla.storage.settings import Settings
from cegla.storage.workspace import DataDirectory, open_workspace
from cegla.vocabulary.errors import Broken
from cegla.vocabulary.errors.installation import AlreadyRunning, DatabaseAway, UnsafeDatabase

pytestmark = pytest.mark.whole


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.model_validate({"data_dir": tmp_path / "data"})


def test_what_was_committed_is_there_after_the_next_start(settings: Settings) -> None:
    with open_workspace(settings) as ws, ws.transaction() as conn:
        conn.execute("create table kept as select 42 as number")
    with open_workspace(settings) as ws, ws.transaction() as conn:
        assert conn.execute("select number from kept").fetchone() == (42,)


def test_a_second_owner_is_refused_with_the_first_ones_process_id(tmp_path: Path) -> None:
    first = DataDirectory(tmp_path)
    first.take()
    with pytest.raises(AlreadyRunning) as refused:
        DataDirectory(tmp_path).take()
    assert str(os.getpid()) in refused.value.say("en")
    first.release()
    second = DataDirectory(tmp_path)
    second.take()
    second.release()


def test_while_one_runs_another_command_is_its_guest(settings: Settings) -> None:
    with open_workspace(settings) as owner, open_workspace(settings) as guest:
        with owner.transaction() as conn:
            conn.execute("create table shared as select 1 as number")
        with guest.transaction() as conn:
            assert conn.execute("select number from shared").fetchone() == (1,)


def test_a_killed_server_comes_back_with_everything_committed(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres")
    server.start()
    with psycopg.connect(server.dsn, autocommit=True) as conn:
        conn.execute("create table kept as select 7 as number")
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    again = EmbeddedPostgres(tmp_path / "postgres")
    again.start()
    with psycopg.connect(again.dsn) as conn:
        assert conn.execute("select number from kept").fetchone() == (7,)
    again.stop()


def test_a_server_left_behind_by_a_killed_owner_is_ended_first(tmp_path: Path) -> None:
    left = EmbeddedPostgres(tmp_path / "postgres")
    left.start()
    again = EmbeddedPostgres(tmp_path / "postgres")
    again.start()
    assert left.process is not None
    left.process.wait(60)
    again.stop()


def test_the_data_directory_is_closed_to_others(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres")
    server.start()
    server.stop()
    assert server.data.stat().st_mode & 0o077 == 0


def test_settings_that_could_lose_events_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cegla.storage import postgres

    monkeypatch.setitem(postgres.SERVER_OPTIONS, "fsync", "off")
    server = EmbeddedPostgres(tmp_path / "postgres")
    server.start()
    with pytest.raises(UnsafeDatabase, match="fsync=off"):
        refuse_unsafe(server.dsn)
    server.stop()


@pytest.mark.parametrize(
    ("system", "release", "how"),
    [("Linux", "6.18.44-fc", "syncfs"), ("Linux", "5.8.0", "syncfs"), ("Linux", "5.7.19", "fsync"), ("Linux", "4.18.0", "fsync"), ("Darwin", "25.1.0", "fsync"), ("Linux", "?", "fsync")],
)
def test_recovery_flushes_the_file_system_only_where_failures_are_reported(system: str, release: str, how: str) -> None:
    assert first_sync(system, release) == how


@pytest.mark.parametrize(
    ("line", "limited", "name"),
    [("0::/system.slice/cegla.service", "system.slice", "memory.max"), ("0::/../other", "", "memory.max"), ("4:cpu,memory:/docker/1", "memory/docker/1", "memory.limit_in_bytes")],
)
def test_the_server_takes_its_part_of_what_a_container_or_a_unit_may_have(tmp_path: Path, line: str, limited: str, name: str) -> None:
    groups, root = tmp_path / "cgroup", tmp_path / "root"
    groups.write_text(f"1:name=systemd:/\n{line}\n")
    (root / "system.slice/cegla.service").mkdir(parents=True)
    (root / "system.slice/cegla.service/memory.max").write_text("max\n")
    machine = memory_bytes(groups, root)
    assert machine == memory_bytes(tmp_path / "none", root) > 2**28
    (root / limited).mkdir(parents=True, exist_ok=True)
    (root / limited / name).write_text(f"{2**28}\n")
    assert memory_bytes(groups, root) == 2**28


def test_the_part_has_a_least_and_a_most() -> None:
    assert [shared_buffers(gigabytes * 2**30) for gigabytes in (1, 8, 64)] == ["128MB", "256MB", "512MB"]


def test_an_address_where_nobody_answers_is_a_message() -> None:
    with pytest.raises(DatabaseAway):
        refuse_unsafe("host=127.0.0.1 port=1 dbname=x user=x connect_timeout=2")


def test_a_migration_runs_once_and_may_not_change_afterwards(dsn: str, tmp_path: Path) -> None:
    (tmp_path / "0001.first.sql").write_text("create table one (n integer)")
    assert migrate(dsn, tmp_path) == ["0001.first"]
    assert migrate(dsn, tmp_path) == []
    (tmp_path / "0001.first.sql").write_text("create table other (n integer)")
    with pytest.raises(Broken):
        migrate(dsn, tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become an ordinary user; as an ordinary user every other test shows it")
def test_an_ordinary_user_can_run_it_too() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        program = "from cegla.storage.settings import *; from cegla.storage.workspace import *\nwith open_workspace(load_settings()) as ws, ws.transaction() as c: print(c.execute('show data_checksums').fetchone()[0])"
        environment = {"PATH": os.environ["PATH"], "CEGLA_DATA_DIR": f"{folder}/data", "HOME": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        ordinary = {"user": "nobody", "group": "nogroup", "extra_groups": []}
        if subprocess.run(["test", "-x", sys.executable], check=False, **ordinary).returncode:
            pytest.skip("this Python lies in a folder that only root may enter")
        ran = subprocess.run([sys.executable, "-c", program], env=environment, cwd=folder, capture_output=True, text=True, timeout=90, check=False, **ordinary)
        assert (ran.stdout, ran.stderr) == ("on\n", "")
