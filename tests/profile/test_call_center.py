"""From a switchboard's own request or log to what is known of a customer's calls: mapping, door or import, intake, analyser."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cegla.collect import actions as collect
from cegla.collect.examining import examine
from cegla.profile import actions as profile
from cegla.resolve import actions as resolve
from cegla.storage.settings import Settings
from cegla.storage.workspace import Workspace
from cegla.vocabulary.identifiers import Identifier
from tests.collect.test_file_import import NoStores, run
from tests.collect.test_switchboard import CDR, QUEUE
from tests.profile import test_runs
from tests.profile.test_runs import take_in, ws

__all__ = ["ws"]

LATER = datetime(2025, 11, 26, 12, 0, tzinfo=UTC)  #: the day after the calls of the samples


@pytest.fixture(autouse=True)
def day_after(monkeypatch: pytest.MonkeyPatch, ws: Workspace) -> None:
    monkeypatch.setattr(test_runs, "NOW", LATER)
    ws.clock = lambda: LATER


def requests_of(key: str) -> list[dict[str, Any]]:
    """The events that the mapping that ships makes of the requests its provider documents about one call or two."""
    row = collect.ready_made()[key]
    samples = row.samples[:1] if key == "asterisk_cdr" else row.samples  # the same call is there as JSON, too, busy
    return [event for sample in samples for item in collect.try_webhook(row.mapping, sample.framed).items for event in item.events]


def known_of(ws: Workspace, phone: str) -> dict[str, Any]:
    with ws.transaction() as conn:
        person = resolve.look_up(conn, [Identifier("phone", phone)])[0]
        assert person is not None
        return profile.profiles_of(conn, [person])[person]


@pytest.mark.parametrize("key", ["call_center", "asterisk_cdr", "asterisk_queue_log"])
def test_what_a_switchboard_sends_is_known_of_the_customer_who_called(ws: Workspace, key: str) -> None:
    take_in(ws, *requests_of(key))
    known = known_of(ws, "+48600100200")
    assert known["call.count"] == 1  # a call that is told of as it begins and as it ends is one
    assert known["call.last_outcome"] == "answered"


def test_a_request_that_comes_again_counts_once(ws: Workspace) -> None:
    take_in(ws, *requests_of("call_center"))
    take_in(ws, *requests_of("call_center"))
    assert known_of(ws, "+48600100200")["call.count"] == 1


@pytest.mark.parametrize(("name", "text"), [("Master.csv", CDR), ("queue_log", QUEUE)], ids=["cdr", "queue"])
def test_a_log_imported_twice_is_known_as_the_calls_it_tells_of(ws: Workspace, tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    mapping = examine(file, name).mapping | {"acquired": {"from": "our switchboard", "date": "2025-11-26"}}
    for _ in range(2):
        result, events = run(NoStores(Settings.model_validate({}), ""), file, mapping)
        assert result.events == len(events)
        take_in(ws, *events)
    known = known_of(ws, "+48600100200")
    assert (known["call.count"], known["call.last_outcome"]) == (1, "answered")
    tried = known_of(ws, "+48600300400")
    assert (tried["call.count"], tried["call.last_outcome"]) == (1, "no_answer" if name == "Master.csv" else "abandoned")
