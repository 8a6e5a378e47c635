"""Reading ahead never changes what becomes of a request: it is only there to be quick."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from cegla import ahead
from cegla.collect import actions as collect
from cegla.flow import Intake
from cegla.storage.warehouse import table
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def send(ws: Workspace, requests: int, per_request: int = 2, first: int = 0) -> int:
    """Requests of a shop's server, each event about somebody else; returns the source."""
    with ws.transaction() as conn:
        known = next((source.id for source in collect.sources(conn) if source.name == "shop"), None)
        source_id = known or collect.add_source(conn, "shop", "server", Basis.CONTRACT, NOON)[0].id
        bodies = [[_event(first + number * per_request + index) for index in range(per_request)] for number in range(requests)]
        collect.write_down(conn, source_id, [msgspec.json.encode({"batch": events}) for events in bodies], NOON)
    return source_id


def _event(number: int) -> dict[str, object]:
    at = (NOON + timedelta(seconds=number)).isoformat()
    return {"type": "track", "event": "Product Viewed", "messageId": f"m{number}", "userId": f"u{number % 7}", "timestamp": at, "properties": {"n": number}}


def history(ws: Workspace) -> list[int]:
    """The numbers of the events in the history, in its own order."""
    events = table("events")
    rows = ws.warehouse.run(events.select("event_id", "properties").order_by("event_id")).to_pylist()
    return [msgspec.json.decode(row["properties"])["n"] for row in rows]


def test_batch_after_batch_every_event_comes_once_and_in_order(workspace: Workspace) -> None:
    intake = Intake(workspace)
    send(workspace, 10)
    applied = [intake.apply(4) for _ in range(5)]
    assert [taken.applied for taken in applied if taken] == [4, 4, 4, 4, 4]
    assert intake.apply(4) is None
    assert history(workspace) == list(range(20))
    with workspace.transaction() as conn:
        assert all(standing.adds_up for standing in collect.standing(conn))


def test_what_arrives_while_the_last_batch_is_read_ahead_is_taken_in_next(workspace: Workspace) -> None:
    intake = Intake(workspace)
    send(workspace, 2)
    assert intake.apply(4)  # full, so what follows is looked for, and there is nothing yet
    send(workspace, 3, first=4)
    intake.drain()
    assert history(workspace) == list(range(10))


def test_a_batch_that_fails_leaves_nothing_of_what_was_read_ahead(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    intake = Intake(workspace)
    send(workspace, 10)
    assert intake.apply(4)
    with monkeypatch.context() as patched:
        patched.setattr(workspace.warehouse, "append", lambda tables: 1 / 0)  # so it ends as one request, set aside whole
        taken = intake.apply(4)
    assert taken is not None
    assert (taken.requests, taken.applied, taken.set_aside) == (1, 0, 1)
    intake.drain()
    assert history(workspace) == [number for number in range(20) if number not in (4, 5)]


def test_requests_that_are_gone_by_their_turn_are_not_taken_in(workspace: Workspace) -> None:
    intake = Intake(workspace)
    send(workspace, 6)
    assert intake.apply(4)
    intake._ahead._coming.result()  # pyright: ignore[reportPrivateUsage, reportOptionalMemberAccess]  # it holds the next two
    with workspace.transaction() as conn:
        conn.execute("delete from collect.inbox where number = (select taken + 1 from collect.positions p where p.writer = collect.inbox.writer)")
    intake.drain()
    assert history(workspace) == [0, 1, 2, 3, *range(6, 12)]


def test_another_worker_that_was_faster_does_not_make_events_double(workspace: Workspace) -> None:
    first, second = Intake(workspace), Intake(workspace)
    send(workspace, 10)
    assert first.apply(4)
    second.apply(4)
    first.drain()
    assert history(workspace) == list(range(20))


def test_the_process_that_reads_under_a_backlog_changes_nothing_either(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "WORTH_A_PROCESS", 1)
    read = collect.Reader.read
    answers: list[bool] = []

    def noted(self: collect.Reader, *asked: Any) -> Any:
        answers.append((found := read(self, *asked)) is not None)
        return found

    monkeypatch.setattr(collect.Reader, "read", noted)
    intake, sent, end = Intake(workspace), 0, time.monotonic() + 90
    while answers.count(True) < 3 and time.monotonic() < end:
        send(workspace, 4, first=sent)
        sent += 8
        while intake.apply(4) is not None:
            time.sleep(0.01)
    assert answers.count(True) >= 3
    assert history(workspace) == list(range(sent))
    with workspace.transaction() as conn:
        assert all(standing.adds_up for standing in collect.standing(conn))
