"""A history that is moved to another engine is the same there, and what is in the way is refused."""

import json
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cegla.cli.main import exit_code
from cegla.storage.engines.connecting import connect
from cegla.storage.engines.moving import move
from cegla.storage.engines.remote import Remote
from cegla.storage.warehouse import TABLES, Warehouse, history, table
from cegla.storage.workspace import DataDirectory
from cegla.vocabulary.errors.installation import EngineUnknown, MoveRefused
from tests.contracts.engines.expressions import OWNERS, world

pytest.importorskip("chdb", reason="no chdb here: requirements/test.txt has it")


@pytest.fixture
def source(tmp_path: Path) -> Generator[Warehouse]:
    warehouse = Warehouse(tmp_path / "w.duckdb")
    for batch in world():
        warehouse.append(batch)
    warehouse.reset_people(OWNERS)
    yield warehouse
    warehouse.close()


@pytest.fixture
def target(tmp_path: Path) -> Generator[Remote]:
    engine = connect(f"chdb://{tmp_path}/engine")
    yield engine
    engine.close()


def rows(one: Any) -> dict[str, list[Any]]:
    return {name: sorted(map(repr, one.run(table(name)).to_pylist())) for name in TABLES}


def test_a_move_tries_first_goes_on_where_it_stopped_and_keeps_every_row(source: Warehouse, target: Remote) -> None:
    before = rows(source)
    tried = move(source, target, OWNERS, upto=2, dry_run=True)
    assert [one.written for one in tried] == [len(before[name]) for name in TABLES]
    assert rows(target) == {name: [] for name in TABLES}

    first = move(source, target, OWNERS, upto=1)
    rest = move(source, target, OWNERS, upto=2)
    assert [a.written + b.written for a, b in zip(first, rest, strict=True)] == [len(before[name]) for name in TABLES]
    assert rows(target) == rows(source) == before
    again = move(source, target, OWNERS, upto=2)
    assert again == [replace(one, written=0) for one in rest]

    events: Any = history()
    asked = events.group_by("person_id").agg(n=events.count()).order_by("person_id")
    assert target.run(asked).equals(source.run(asked))


def test_a_target_with_other_rows_is_left_alone(source: Warehouse, target: Remote) -> None:
    foreign = world()[0]["events"].slice(0, 5)
    target.write("events", foreign, 1, 1)
    with pytest.raises(MoveRefused, match="events"):
        move(source, target, OWNERS, upto=2)
    assert len(rows(target)["events"]) == 5


def test_the_command_says_what_was_moved(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("CEGLA_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CEGLA_DSN", dsn)
    monkeypatch.setenv("CEGLA_LANGUAGE", "en")
    monkeypatch.setattr("cegla.storage.workspace.refuse_unsafe", lambda _: None)  # the tests' server does without fsync

    def cegla(*words: str) -> int:
        return exit_code(words, lambda _: pytest.fail("no API is needed"), lambda _: None)

    assert cegla("warehouse", "move", f"chdb://{tmp_path}/copy", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert [one["table"] for one in said["tables"]] == list(TABLES)
    assert cegla("warehouse", "move", "mysql://elsewhere") == EngineUnknown.exit_code
    assert cegla("warehouse", "move", "chdb://copy") == EngineUnknown.exit_code, "it would lie wherever the command was called"
    capsys.readouterr()
    running = DataDirectory(tmp_path / "data")
    running.take()
    assert cegla("warehouse", "move", f"chdb://{tmp_path}/copy", "--json") == MoveRefused.exit_code
    assert "stop the installation" in capsys.readouterr().err
    running.release()
