"""What was accepted is counted against what became of it: a loss behind our back is found, said since when, and said to be over."""

import json
from datetime import UTC, datetime

import psycopg
import pytest

from cegla.collect import actions as collect
from cegla.collect import heads
from cegla.flow import Intake
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis


def sent(ws: Workspace, requests: int) -> None:
    with ws.transaction() as conn:
        source, _ = collect.add_source(conn, "Shop", "server", Basis.CONTRACT, ws.clock())
        bodies = [json.dumps({"type": "track", "event": "X", "messageId": f"m{number}", "userId": "u"}).encode() for number in range(requests)]
        collect.write_down(conn, source.id, bodies, ws.clock())


def counted(ws: Workspace) -> collect.Balance:
    with ws.transaction() as conn:
        return collect.check_balance(conn, ws.settings.data_dir, ws.clock())


def spoil(ws: Workspace, statement: str) -> None:
    with psycopg.connect(ws.dsn, autocommit=True) as conn:
        conn.execute(statement.encode())


def test_what_waits_and_what_was_taken_in_adds_up(workspace: Workspace) -> None:
    assert counted(workspace).holds
    sent(workspace, 3)
    assert counted(workspace).holds
    Intake(workspace).drain()
    sent(workspace, 2)
    assert counted(workspace).holds


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("delete from collect.inbox where number = 4", "1 of 2 waiting requests are there"),
        ("delete from collect.inbox where number = 5", "number 5 was written and 4 is there"),
        ("update collect.inbox set link = decode('00', 'hex') where number = 3", "request 3 is not the one that was taken in"),
        ("update collect.inbox set link = decode('00', 'hex') where number = 5", "request 5 is not the one that was written"),
        ("update collect.counters set applied = applied - 1", "5 accepted, 4 accounted for"),
    ],
)
def test_a_row_that_goes_behind_our_back_is_found(workspace: Workspace, statement: str, words: str) -> None:
    sent(workspace, 3)
    Intake(workspace).drain()
    sent(workspace, 2)
    spoil(workspace, statement)
    found = counted(workspace)
    assert not found.holds
    assert words in " ".join(found.findings)


def test_since_when_it_is_wrong_stays_and_ends_when_it_is_mended(workspace: Workspace) -> None:
    sent(workspace, 1)
    Intake(workspace).drain()
    spoil(workspace, "update collect.counters set applied = applied - 1")
    first = counted(workspace).wrong_since
    assert first is not None
    assert counted(workspace).wrong_since == first
    spoil(workspace, "update collect.counters set applied = applied + 1")
    assert counted(workspace).wrong_since is None


def test_a_head_outside_postgresql_counts_too(workspace: Workspace) -> None:
    head = heads.HeadFile(workspace.settings.data_dir / heads.FOLDER, 77, datetime(2026, 1, 1, tzinfo=UTC))
    head.write(9, b"\1" * 32)
    head.close()
    assert "writer 77" in " ".join(counted(workspace).findings)


def test_a_place_that_was_lost_is_said_and_made_again_and_nothing_comes_twice(workspace: Workspace) -> None:
    sent(workspace, 3)
    Intake(workspace).drain()
    sent(workspace, 2)
    spoil(workspace, "delete from collect.positions")
    lost = counted(workspace)
    assert any("intake had lost its place" in finding for finding in lost.findings)
    Intake(workspace).drain()
    assert counted(workspace).holds
    with workspace.transaction() as conn:
        (one,) = collect.standing(conn)
    assert (one.applied, one.repeated, one.waiting) == (3, 5, 0)
