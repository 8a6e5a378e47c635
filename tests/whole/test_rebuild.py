"""A warehouse that is gone, damaged or behind is written again from the requests, as it was, and PostgreSQL does not notice."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from cegla import rebuild, soundness
from cegla.api.metrics import samples
from cegla.collect import actions as collect
from cegla.flow import Intake
from cegla.govern import actions as govern
from cegla.storage import snapshots
from cegla.storage.batches import REFRESH_LOCK
from cegla.storage.history_file import marker
from cegla.storage.warehouse import table
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.errors.installation import WarehouseDamaged

NOON = datetime(2026, 10, 5, 10, tzinfo=UTC)
TABLES = ("collect.counters", "collect.positions", "resolve.identities", "profile.sessions", "profile.profiles", "repair.quarantine", "storage.batches")


@pytest.fixture
def ws(workspace: Workspace) -> Workspace:
    workspace.clock = lambda: NOON
    return workspace


def event(number: int, rng: random.Random) -> dict[str, Any]:
    """Visits, orders, repeats, events of nobody, and people who sign in."""
    at = NOON - timedelta(minutes=rng.randrange(5_000))
    common: dict[str, Any] = {"messageId": f"m{number if rng.random() < 0.9 else number // 2}", "anonymousId": f"b{rng.randrange(4)}", "timestamp": at.isoformat()}
    kind = rng.randrange(4)
    if kind == 0:
        products = [{"product_id": f"p{rng.randrange(3)}", "price": 10, "quantity": 2}, {"product_id": "p9", "price": 5}]
        return common | {"type": "track", "event": "Order Completed", "properties": {"order_id": f"o{number}", "total": 25, "products": products}}
    if kind == 1:
        return common | {"type": "identify", "userId": f"u{rng.randrange(3)}", "traits": {"email": f"a{rng.randrange(3)}@example.com"}}
    if kind == 2:
        return {"type": "track", "event": "Nobody", "messageId": common["messageId"], "anonymousId": ""}
    return common | {"type": "page", "properties": {"url": f"https://shop.example/p{rng.randrange(3)}?utm_source=s{rng.randrange(2)}"}}


def fill(ws: Workspace, seed: int, batches: int) -> None:
    rng, intake = random.Random(seed), Intake(ws)
    with ws.transaction() as conn:
        shop = collect.add_source(conn, "shop", "server", Basis.CONTRACT, NOON)[0].id
    for batch in range(batches):
        bodies = [json.dumps({"batch": [event(batch * 100 + place * 10 + n, rng) for n in range(rng.randrange(1, 6))]}).encode() for place in range(rng.randrange(1, 5))]
        with ws.transaction() as conn:
            collect.write_down(conn, shop, bodies, NOON)
        intake.drain()


def whole_history(ws: Workspace) -> dict[str, list[Any]]:
    rows: dict[str, pa.Table] = {name: ws.warehouse.run(table(name)) for name in ("events", "order_lines", "moves")}
    return {name: sorted((tuple(row.values()) for row in found.to_pylist()), key=repr) for name, found in rows.items()}


def everything_in_postgresql(ws: Workspace) -> dict[str, list[Any]]:
    with ws.transaction() as conn:
        return {name: sorted(conn.execute(f"select t::text from {name} t").fetchall()) for name in TABLES}


def lose_warehouse(ws: Workspace) -> None:
    ws.warehouse.close()
    path = ws.warehouse_file
    del ws.__dict__["warehouse"]
    path.unlink()


@pytest.mark.parametrize("seed", range(2))
def test_a_rebuilt_history_is_the_one_before_and_nothing_else_changes(ws: Workspace, seed: int) -> None:
    fill(ws, seed, batches=5)
    history, stores = whole_history(ws), everything_in_postgresql(ws)
    assert history["events"]
    lose_warehouse(ws)
    assert whole_history(ws)["events"] == []  # the control: it is really gone
    Intake(ws).recover()
    assert whole_history(ws) == history
    assert everything_in_postgresql(ws) == stores


def test_a_warehouse_that_lost_its_newest_batches_gets_those_again(ws: Workspace) -> None:
    fill(ws, 9, batches=5)
    history = whole_history(ws)
    ws.warehouse.take_back_after(2)
    assert whole_history(ws) != history
    Intake(ws).recover()
    assert whole_history(ws) == history


def test_who_was_erased_does_not_come_back(ws: Workspace) -> None:
    fill(ws, 3, batches=3)
    with ws.transaction() as conn:
        gone = conn.execute("select identity_id from resolve.identities where type = 'anonymous_id' order by 1 limit 1").fetchone()
        assert gone is not None
        ws.warehouse.erase([gone[0]])
        conn.execute("delete from resolve.identities where identity_id = %s", gone)
    history = whole_history(ws)
    lose_warehouse(ws)
    Intake(ws).recover()
    assert whole_history(ws) == history
    assert ws.warehouse.rows_of([gone[0]])["events"] == []


def test_after_a_rebuild_intake_goes_on_with_the_next_numbers(ws: Workspace) -> None:
    fill(ws, 4, batches=3)
    before = len(whole_history(ws)["events"])
    lose_warehouse(ws)
    fill_more = {"type": "track", "event": "Later", "messageId": "later", "anonymousId": "b1", "timestamp": NOON.isoformat()}
    with ws.transaction() as conn:
        collect.write_down(conn, 1, [json.dumps({"batch": [fill_more]}).encode()], NOON)
    Intake(ws).drain()
    events = whole_history(ws)["events"]
    assert len(events) == before + 1
    assert len({row[1] for row in events}) == len(events)


def damage(path: Path, how: str, at: float) -> None:
    content = bytearray(path.read_bytes())
    place = min(len(content) - 1, int(at * len(content)))
    if how == "truncate":
        del content[place:]
    elif how == "zeros":
        content[place:] = bytes(len(content) - place)
    else:
        content[place] ^= 0xFF
    path.write_bytes(content)


@examples(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(how=st.sampled_from(["truncate", "zeros", "flip"]), at=st.floats(0.0, 0.999), log=st.booleans())
def test_damage_anywhere_in_the_warehouse_is_noticed_and_mended(ws: Workspace, how: str, at: float, log: bool) -> None:
    if "before" not in ws.__dict__:
        fill(ws, 6, batches=4)
        ws.__dict__["before"] = whole_history(ws)
    path = ws.warehouse_file
    wal = path.with_suffix(".duckdb.wal")
    if log:
        lose_warehouse(ws)  # rebuilt and not closed: then the newest rows lie in the log
        Intake(ws).recover()
        copies = {file: file.read_bytes() for file in (path, wal) if file.exists()}
        ws.warehouse.close()
        for file, content in copies.items():
            file.write_bytes(content)
    else:
        ws.warehouse.close()
    del ws.__dict__["warehouse"]
    damage(wal if log and wal.exists() else path, how, at)
    Intake(ws).recover()
    assert whole_history(ws) == ws.__dict__["before"]


def lose_a_file_of_the_snapshot(ws: Workspace, batches: range) -> None:
    for batch in batches:
        snapshots.take(ws.warehouse, ws.snapshots, batch)
    bad = ws.snapshots.listed("events")[1]
    damage(bad, "flip", 0.3)


def test_what_a_damaged_file_of_the_snapshot_held_comes_from_the_requests(ws: Workspace) -> None:
    fill(ws, 5, batches=4)
    history = whole_history(ws)
    lose_a_file_of_the_snapshot(ws, range(1, 4))
    assert {one.key for one in soundness.check(ws).findings if not one.ok} == {"files"}
    lose_warehouse(ws)
    Intake(ws).recover()
    assert whole_history(ws) == history
    assert {one.key for one in soundness.check(ws).findings if not one.ok} == {"holes"}, "until the next night"
    snapshots.take(ws.warehouse, ws.snapshots, 4)
    assert soundness.check(ws).ok


def test_a_history_written_again_beside_is_compared_and_taken_only_when_nothing_is_lacking(ws: Workspace) -> None:
    fill(ws, 7, batches=3)
    snapshots.take(ws.warehouse, ws.snapshots, 2)
    history = whole_history(ws)
    tried, taken = rebuild.beside(ws, dry_run=True), rebuild.beside(ws)
    assert (tried.equal, tried.kept, taken.equal, taken.taken) == (True, "dry_run", True, True)
    assert whole_history(ws) == history
    with ws.transaction() as conn:
        conn.execute("update storage.batches set receipt = null, moves = null where number = 3")  # its requests are not kept any more
    refused = rebuild.beside(ws)
    assert (refused.kept, refused.taken, whole_history(ws) == history) == ("lacks_rows", False, True)
    assert rebuild.beside(ws, accept_loss=True).taken
    assert 0 < len(whole_history(ws)["events"]) < len(history["events"])
    assert sorted(file.name for file in ws.warehouse_file.parent.iterdir() if file.suffix == ".duckdb") == [ws.warehouse_file.name]


def test_nobody_counts_traits_while_one_history_takes_the_place_of_another(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """On another engine the rows go and come table by table."""
    seen: list[Any] = []

    def exchanged(*given: Any) -> bool:
        with ws.transaction() as conn:
            seen.append(conn.execute("select pg_try_advisory_xact_lock(%s)", [REFRESH_LOCK]).fetchone())
        return True

    monkeypatch.setattr(ws.warehouse, "replace", exchanged)
    assert rebuild.beside(ws).taken
    assert seen == [(False,)]


def test_damage_that_a_reader_met_is_mended_by_the_next_start(ws: Workspace) -> None:
    fill(ws, 8, batches=2)
    history = whole_history(ws)
    marker(ws.warehouse_file).touch()
    with pytest.raises(WarehouseDamaged):
        ws.warehouse.refuse_damaged()
    ws.warehouse.close()
    del ws.__dict__["warehouse"]
    Intake(ws).recover()
    ws.warehouse.refuse_damaged()
    assert whole_history(ws) == history


def test_damage_under_a_running_history_is_found_on_the_disk_mended_and_told(ws: Workspace) -> None:
    fill(ws, 12, batches=4)
    ws.warehouse.take_back_after(99)  # what is in the log goes into the file
    history, path = whole_history(ws), ws.warehouse_file
    with path.open("r+b") as file:
        file.seek(12_288 + 100)
        file.write(b"damage")
    assert whole_history(ws) == history  # the control: in memory all is well
    with pytest.raises(WarehouseDamaged):
        ws.warehouse.check_disk()
    assert not soundness.check(ws).ok
    with pytest.raises(WarehouseDamaged):
        ws.warehouse.refuse_damaged()  # as the app does each minute, and starts anew
    ws.warehouse.close()
    del ws.__dict__["warehouse"]
    assert whole_history(ws)["events"] == []

    Intake(ws).recover()
    assert whole_history(ws) == history
    with ws.transaction() as conn:
        (line,) = govern.retention.lines(conn, 5)
    assert (line.actor, line.action) == ("app", "history.write_again")
    assert (line.detail["events"], line.detail["missing"]) == (len(history["events"]), 0)
    assert ("cegla_history_set_aside_files", (), 1) in samples(ws)
