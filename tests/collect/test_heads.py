"""The heads of the chains outside PostgreSQL: they notice a store that lost what it had acknowledged, and nothing else."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cegla.collect import actions as collect
from cegla.collect import heads
from cegla.collect.rules import chain
from cegla.collect.store import SQL
from cegla.storage.workspace import Connection
from cegla.vocabulary.consent import Basis

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def opened(conn: Connection, folder: Path, requests: int) -> tuple[heads.HeadFile, int, list[bytes]]:
    """A writer with that many requests in the inbox, each acknowledged."""
    writer, opened_at = SQL.open_writer(conn)
    file = heads.HeadFile(folder, writer, opened_at)
    links: list[bytes] = []
    link = chain.START
    for number in range(1, requests + 1):
        link = chain.link(link, number, 1, b"{}")
        links.append(link)
        conn.execute(
            "insert into collect.inbox (number, received_at, writer, source_id, events, trusted, gpc, link, body) values (%s, %s, %s, 1, 1, true, false, %s, '{}')",
            [number, NOW, writer, link],
        )
        file.write(number, link)
    return file, writer, links


def test_a_store_that_holds_everything_is_well(conn: Connection, tmp_path: Path) -> None:
    opened(conn, tmp_path, 3)
    opened(conn, tmp_path, 2)
    assert heads.look(conn, tmp_path, NOW) == []


def test_a_store_that_went_back_is_told_with_the_number_of_requests_gone(conn: Connection, tmp_path: Path) -> None:
    collect.add_source(conn, "shop", "website", Basis.CONTRACT, NOW)
    _, writer, _ = opened(conn, tmp_path, 5)
    conn.execute("delete from collect.inbox where writer = %s and number > 2", [writer])
    found = heads.look(conn, tmp_path, NOW)
    assert [(loss.writer, loss.number, loss.requests) for loss in found] == [(writer, 3, 3)]
    assert heads.look(conn, tmp_path, NOW) == found  # told again, noted once
    standing = collect.standing(conn)[0]
    assert (standing.damaged, standing.gone, standing.adds_up) == (1, 3, False)


def test_a_writer_whose_number_came_again_does_not_hide_the_loss(conn: Connection, tmp_path: Path) -> None:
    _, writer, _ = opened(conn, tmp_path, 4)
    conn.execute("update collect.writers set opened_at = opened_at + interval '1 microsecond' where writer = %s", [writer])
    assert [loss.requests for loss in heads.look(conn, tmp_path, NOW)] == [4]


def test_another_content_under_the_same_number_is_noticed(conn: Connection, tmp_path: Path) -> None:
    _, writer, _ = opened(conn, tmp_path, 4)
    conn.execute("update collect.inbox set link = 'x' where writer = %s and number = 4", [writer])
    assert [(loss.number, loss.requests) for loss in heads.look(conn, tmp_path, NOW)] == [(4, 1)]


def test_requests_taken_in_and_forgotten_by_plan_are_no_loss(conn: Connection, tmp_path: Path) -> None:
    _, writer, links = opened(conn, tmp_path, 4)
    conn.execute("update collect.positions set taken = 4, link = %s where writer = %s", [links[-1], writer])
    conn.execute("delete from collect.inbox where writer = %s", [writer])
    assert heads.look(conn, tmp_path, NOW) == []
    conn.execute("delete from collect.positions where writer = %s", [writer])  # as `forget_old` does in the end
    assert heads.look(conn, tmp_path, NOW) == []


@given(steps=st.integers(1, 6), torn_bytes=st.integers(0, heads.SLOT_BYTES), noise=st.binary(min_size=1, max_size=64))
def test_a_write_torn_anywhere_costs_one_step_and_not_the_file(tmp_path_factory: pytest.TempPathFactory, steps: int, torn_bytes: int, noise: bytes) -> None:
    folder = tmp_path_factory.mktemp("chain")
    file = heads.HeadFile(folder, 7, NOW)
    for number in range(1, steps + 1):
        file.write(number, bytes([number]) * 32)
    path = next(folder.iterdir())
    before = path.read_bytes()
    file.write(steps + 1, b"n" * 32)
    file.close()
    start = steps % 2 * heads.SLOT_BYTES
    fresh = path.read_bytes()[start : start + heads.SLOT_BYTES]
    half = (fresh[:torn_bytes] + (noise * heads.SLOT_BYTES)[: heads.SLOT_BYTES - torn_bytes])[: heads.SLOT_BYTES]
    path.write_bytes(before[:start] + half + before[start + heads.SLOT_BYTES :])
    assert [head.number for head in heads.read(folder)] in ([steps], [steps + 1])


def test_only_the_owner_may_read_a_head_and_old_ones_go(tmp_path: Path) -> None:
    heads.HeadFile(tmp_path, 1, NOW).close()
    file = next(tmp_path.iterdir())
    assert file.stat().st_mode & 0o077 == 0
    heads.forget_old(tmp_path)
    assert file.exists()
    os.utime(file, (0, 0))
    heads.forget_old(tmp_path)
    assert not file.exists()
