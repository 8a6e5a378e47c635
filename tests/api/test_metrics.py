"""Metrics: what is counted is what happened, names are those of the table, and nothing in them is personal."""

import asyncio
import json
import re
from typing import Any

import httpx
import psycopg
import pytest
import yaml

from cegla.api.app import build_api
from cegla.api.inside import Inside
from cegla.api.metrics import METRICS
from cegla.collect import actions as collect
from cegla.collect.figures import FigureBook
from cegla.flow import Intake
from cegla.segment import actions as segment
from cegla.storage.workspace import Workspace
from cegla.sync import actions as sync
from cegla.vocabulary.consent import Basis
from tests.shape.tree import ROOT

CANARY = "canary.person@example.pl"
LINE = re.compile(r'(cegla_\w+)(\{(\w+="[^"]*")(,\w+="[^"]*")*\})? (\S+)')


@pytest.fixture
def client(workspace: Workspace) -> httpx.Client:
    return httpx.Client(transport=Inside(build_api(workspace, (), "token")), base_url="http://cegla.test")


def shown(client: httpx.Client) -> dict[str, float]:
    text = client.get("/metrics", headers={"Authorization": "Bearer token"}).text
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    matches = [LINE.fullmatch(line) for line in lines]
    assert all(matches)
    return {match.group(1) + (match.group(2) or ""): float(match.group(5)) for match in matches if match}


def sent(workspace: Workspace, *events: dict[str, Any]) -> int:
    with workspace.transaction() as conn:
        source, _ = collect.add_source(conn, CANARY, "server", Basis.CONTRACT, workspace.clock())
        collect.write_down(conn, source.id, [json.dumps({"batch": list(events)}).encode()], workspace.clock())
    return source.id


def test_each_event_is_counted_where_it_ended(workspace: Workspace, client: httpx.Client) -> None:
    good = {"type": "track", "event": "X", "messageId": "1", "userId": "u", "context": {"traits": {"email": CANARY}}}
    number = sent(workspace, good, good, {"type": "track", "messageId": "2", "userId": CANARY})
    waiting = shown(client)
    assert (waiting[f'cegla_events_waiting{{source="{number}"}}'], waiting[f'cegla_events_accepted_total{{source="{number}"}}']) == (3, 3)
    Intake(workspace).drain()
    found = shown(client)
    ends = ("accepted_total", "projected_total", "duplicate_total", "quarantined_total", "waiting")
    assert [found[f'cegla_events_{end}{{source="{number}"}}'] for end in ends] == [3, 1, 1, 1, 0]
    assert found[f'cegla_conservation_holds{{source="{number}"}}'] == 1


def test_a_count_that_does_not_add_up_is_seen(workspace: Workspace, client: httpx.Client) -> None:
    number = sent(workspace, {"type": "track", "event": "X", "messageId": "1", "userId": "u"})
    Intake(workspace).drain()
    with workspace.transaction() as conn:
        conn.execute("update collect.counters set applied = applied - 1")
    assert shown(client)[f'cegla_conservation_holds{{source="{number}"}}'] == 0


def test_a_loss_is_seen_in_metrics_status_and_readiness(workspace: Workspace, client: httpx.Client) -> None:
    sent(workspace, {"type": "track", "event": "X", "messageId": "1", "userId": "u"})
    with workspace.transaction() as conn:
        assert collect.check_balance(conn, workspace.settings.data_dir, workspace.clock()).holds
    assert shown(client)["cegla_balance_holds"] == 1
    with workspace.transaction() as conn:
        conn.execute("delete from collect.inbox")
        collect.check_balance(conn, workspace.settings.data_dir, workspace.clock())
    assert shown(client)["cegla_balance_holds"] == 0
    told = client.get("/status", headers={"Authorization": "Bearer token"}).json()
    assert (told["adds_up"], bool(told["balance"]["findings"])) == (False, True)


def test_what_every_collector_counted_is_summed(workspace: Workspace, client: httpx.Client) -> None:
    async def told() -> None:
        for number in (1, 2):
            book = FigureBook(lambda number=number: {("answers", "401"): number, ("commit_seconds_bucket", "+Inf"): number, ("commit_seconds_count", ""): number})
            async with await psycopg.AsyncConnection.connect(workspace.dsn, autocommit=True) as conn:
                await book.write(conn)
                await book.write(conn)

    asyncio.run(told())
    found = shown(client)
    assert found['cegla_answers_total{status="401"}'] == 3
    assert found['cegla_commit_seconds_bucket{le="+Inf"}'] == found["cegla_commit_seconds_count"] == 3


def test_whole_and_broken_numbers_are_told_together_again_and_again(workspace: Workspace, client: httpx.Client) -> None:
    counts = iter(({("answers", "200"): 1, ("commit_seconds_sum", ""): 0.25}, {("answers", "200"): 3, ("commit_seconds_sum", ""): 0.75}))

    async def told() -> None:
        book = FigureBook(lambda: next(counts))
        async with await psycopg.AsyncConnection.connect(workspace.dsn, autocommit=True) as conn:
            await book.write(conn)
            await book.write(conn)

    asyncio.run(told())
    found = shown(client)
    assert (found['cegla_answers_total{status="200"}'], found["cegla_commit_seconds_sum"]) == (3, 0.75)


def test_nothing_personal_is_in_the_metrics(workspace: Workspace, client: httpx.Client) -> None:
    sent(workspace, {"type": "identify", "messageId": "1", "userId": CANARY, "traits": {"email": CANARY}}, {"type": "track", "event": CANARY, "userId": CANARY})
    Intake(workspace).drain()
    assert CANARY not in client.get("/metrics", headers={"Authorization": "Bearer token"}).text


def test_a_receiver_that_fails_is_seen_and_so_are_bytes_of_the_erased(workspace: Workspace, client: httpx.Client) -> None:
    bounds = workspace.settings.sync.model_copy(update={"hosts": ("127.0.0.1:9",), "private_addresses": True})
    workspace.settings = workspace.settings.model_copy(update={"sync": bounds})
    with workspace.transaction() as conn:
        saved = segment.save(conn, "Everybody", {"op": "everyone"}, workspace.clock(), "all")
        made, _ = sync.add(workspace, conn, "CRM", "http://127.0.0.1:9/hook", ([saved.id], "marketing", "none"), workspace.clock())
    label = f'receiver="{made.id}"'
    before = shown(client)
    with workspace.transaction() as conn:
        conn.execute("update sync.receivers set tries = 3, problem = 'no answer'")
    workspace.warehouse.erase([1])
    after = shown(client)
    failing, waiting, erased = f"cegla_receiver_failing{{{label}}}", f'cegla_receiver_messages{{{label},state="waiting"}}', "cegla_history_holds_erased"
    assert [(found[failing], found[waiting], found[erased]) for found in (before, after)] == [(0, 0, 0), (1, 0, 1)]


def test_metrics_need_a_key(client: httpx.Client) -> None:
    assert client.get("/metrics").status_code == 401


def test_alerts_name_metrics_that_exist_and_each_is_explained() -> None:
    rules = yaml.safe_load((ROOT / "docs" / "how-to" / "alerts.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]
    guide = (ROOT / "docs" / "how-to" / "monitor.md").read_text(encoding="utf-8")
    for rule in rules:
        assert set(re.findall(r"cegla_\w+", rule["expr"])) <= set(METRICS)
        assert rule["alert"] in guide
