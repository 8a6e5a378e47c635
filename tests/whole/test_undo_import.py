"""An import that was taken back has never been: history, people, traits, segments, consents; whatever happened before, between and after."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cegla.collect import actions as collect
from cegla.collect.rules.mapping import read_mapping
from cegla.flow import Intake
from cegla.govern import actions as govern
from cegla.profile import actions as profile
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage.settings import Settings
from cegla.storage.warehouse import table
from cegla.storage.workspace import Workspace
from cegla.undoing import undo_import
from cegla.vocabulary.consent import Basis, Channel
from cegla.vocabulary.errors.installation import DiskFull
from cegla.vocabulary.errors.intake import BasisMissing

LIST: dict[str, Any] = {
    "name": "crm", "source": "CRM", "basis": "consent", "event": "identify",
    "acquired": {"from": "fair in Poznań", "date": "2026-05-02", "notice": "v3: I want news by e-mail", "proof": "binder 7"},
    "columns": {"zgoda": "boolean", "kiedy": "date"}, "time": "{kiedy}", "ids": {"user_id": "{id}", "otherwise": "row-{email}"},
    "traits": {"email": "{email}", "phone": "{telefon}", "firstName": "{imię}", "city": "{miasto}"},
    "consents": {"marketing_email": "{zgoda}", "analytics": True},
}  # fmt: skip
HEAD = "id,email,telefon,imię,miasto,zgoda,kiedy\n"
ROWS = (
    "u1,anna@example.pl,600100200,Anna,Łódź,tak,2026-04-01\n"  # known by her id, new e-mail
    ",bob@example.pl,,Bob,Gdańsk,nie,2026-04-02\n"  # known by his e-mail, who had agreed
    "u3,ewa@example.pl,600100200,Ewa,Kraków,tak,2026-04-03\n"  # new; shares Anna's phone
    "u4,jan@example.pl,,Jan,,tak,2026-04-04\n"  # new, and seen elsewhere afterwards
)


NOW = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def one_clock(workspace: Workspace) -> None:
    workspace.clock = lambda: NOW


def call(n: int, kind: str, **fields: Any) -> dict[str, Any]:
    at = datetime(2026, 6, 1, tzinfo=UTC) + timedelta(hours=n)
    return {"type": kind, "messageId": f"m{n}", "timestamp": at.isoformat(), **fields}


def consent(**answers: bool) -> dict[str, Any]:
    return {"consent": {"categoryPreferences": answers}}


BEFORE = [
    call(1, "track", event="Order Completed", userId="u1", properties={"order_id": "1", "total": 10, "currency": "PLN"}),
    call(2, "identify", userId="u1", traits={"city": "Warszawa"}),
    call(3, "identify", anonymousId="b1", traits={"email": "bob@example.pl", "firstName": "Robert"}, context=consent(marketing_email=True)),
]
AFTER = [
    call(20, "identify", userId="u4", traits={"email": "jan@example.pl", "city": "Sopot"}, context=consent(marketing_email=True)),
    call(21, "track", event="Order Completed", userId="u3", properties={"order_id": "2", "total": 20, "currency": "PLN"}),
    call(22, "identify", userId="u1", traits={"firstName": "Ania"}),
    call(0, "identify", anonymousId="b1", traits={"city": "Hel"}),  # late: older than what the list says
]


def take_in(ws: Workspace, calls: list[dict[str, Any]]) -> None:
    with ws.transaction() as conn:
        source, _ = collect.add_source(conn, "Shop", "server", Basis.CONTRACT, ws.clock())
        collect.write_down(conn, source.id, [json.dumps({"batch": calls}).encode()], ws.clock())
    Intake(ws).drain()


def bring_in(ws: Workspace, folder: Path, rows: str = ROWS) -> int:
    path = folder / "list.csv"
    path.write_text(HEAD + rows, encoding="utf-8")
    result = collect.import_file(ws, path, read_mapping(LIST, "test"))
    Intake(ws).drain()
    assert result.rows_used == rows.count("\n")
    return result.import_id or 0


def undo(ws: Workspace, import_id: int) -> None:
    with ws.transaction() as conn:
        collect.ask_undo(conn, import_id, "ola")
    assert undo_import(ws, import_id) is not None


def without_numbers(said: Any) -> Any:
    """The same without the numbers of identities."""
    if isinstance(said, dict):
        return {key: without_numbers(one) for key, one in said.items() if key != "identity"}
    return [without_numbers(one) for one in said] if isinstance(said, list) else said


def state(ws: Workspace) -> dict[str, Any]:
    """Everything that is known, by the names of people, since numbers may differ."""
    with ws.transaction() as conn:
        segment.install_ready_made(conn, ws.clock())
        segment.refresh(conn, ws.warehouse, None, segment.AsOf(ws.clock()))
        people = [row.id for row in resolve.find(conn, "", 0, 100)]
        known = resolve.identifiers_of(conn, people)
        names = {person: tuple(sorted((one.type, one.value) for one in known[person])) for person in people}
        identities = {person: [one.identity_id for one in known[person]] for person in people}
        traits = profile.profiles_of(conn, identities)
        stays = segment.segments_of(conn, people)
        subjects = [govern.Subject(person, identities[person]) for person in people]
        verdicts = govern.allowed(conn, ws.keys, subjects, "marketing", Channel.EMAIL, ws.clock())
        objecting = govern.objectors(conn)
        assert all(standing.adds_up for standing in collect.standing(conn))
    events = ws.warehouse.run(table("events")).to_pylist()
    return {
        "people": sorted(names.values()), "traits": {names[person]: without_numbers(traits[person]) for person in people},
        "segments": {names[person]: sorted(stay.name for stay in stays[person]) for person in people},
        "consents": {names[person]: (verdict.allowed, verdict.reason) for person, verdict in zip(people, verdicts, strict=True)},
        "objecting": len(objecting), "history": sorted((row["name"], str(row["occurred_at"]), row["value_micros"] or 0) for row in events),
    }  # fmt: skip


@pytest.fixture
def other(server: Any, tmp_path: Path) -> Any:
    """A second workspace, where the import never was."""
    import psycopg

    keeper = server.dsn.replace("dbname=cegla", "dbname=postgres")
    with psycopg.connect(keeper, autocommit=True) as conn:
        conn.execute("create database test_never template cegla strategy file_copy")
    fresh = Workspace(Settings.model_validate({"data_dir": tmp_path / "never"}), server.dsn.replace("dbname=cegla", "dbname=test_never"), pool_size=4)
    fresh.clock = lambda: NOW
    yield fresh
    fresh.close()
    with psycopg.connect(keeper, autocommit=True) as conn:
        conn.execute("drop database test_never with (force)")


def test_import_and_undo_is_never_imported_whatever_came_before_between_and_after(workspace: Workspace, other: Workspace, tmp_path: Path) -> None:
    take_in(workspace, BEFORE)
    import_id = bring_in(workspace, tmp_path)
    assert len(state(workspace)["people"]) > 2
    take_in(workspace, AFTER[:2])
    undo(workspace, import_id)
    take_in(workspace, AFTER[2:])
    for calls in (BEFORE, AFTER[:2], AFTER[2:]):
        take_in(other, calls)
    found, wanted = state(workspace), state(other)
    for part in wanted:
        assert found[part] == wanted[part], part


def test_the_same_file_comes_in_again_after_it_was_taken_back(workspace: Workspace, other: Workspace, tmp_path: Path) -> None:
    take_in(workspace, BEFORE)
    undo(workspace, bring_in(workspace, tmp_path))
    bring_in(workspace, tmp_path)
    take_in(other, BEFORE)
    bring_in(other, tmp_path)
    found, wanted = state(workspace), state(other)
    for part in wanted:
        assert found[part] == wanted[part], part


def test_of_two_imports_that_say_the_same_either_can_be_taken_back(workspace: Workspace, other: Workspace, tmp_path: Path) -> None:
    one = bring_in(workspace, tmp_path, ROWS)
    again = ROWS.replace("Łódź", "Radom").replace("tak", "TAK").replace("nie", "NIE")  # equal rows would be repeats of the first
    bring_in(workspace, tmp_path, again)
    undo(workspace, one)
    bring_in(other, tmp_path, again)
    found, wanted = state(workspace), state(other)
    for part in ("people", "traits", "segments", "consents"):
        assert found[part] == wanted[part], part


def test_each_consent_of_a_list_is_proved_by_its_origin(workspace: Workspace, tmp_path: Path) -> None:
    import_id = bring_in(workspace, tmp_path)
    with workspace.transaction() as conn:
        person = next(row.id for row in resolve.find(conn, "jan@", 0, 1))
        identities = [one.identity_id for one in resolve.identifiers_of(conn, [person])[person]]
        [given] = [row for row in govern.export_person(conn, identities)["decisions"] if row["purpose"] == "marketing"]
        kept = collect.import_of(conn, import_id)
    assert (given["method"], given["state"], given["at"]) == ("import", "given", datetime(2026, 4, 4, tzinfo=UTC))
    assert {"import": import_id, "from": "fair in Poznań", "notice": "v3: I want news by e-mail", "proof": "binder 7"}.items() <= given["proof"].items()
    assert (kept.state, kept.result and kept.result["events"], kept.actor) == ("done", 4, "command")


def test_no_list_comes_in_without_origin_and_basis(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(HEAD + ROWS, encoding="utf-8")
    for missing in ({"acquired": None}, {"acquired": {"from": "fair", "date": "2026-05-02"}}):
        with pytest.raises(BasisMissing):
            collect.import_file(workspace, tmp_path / "list.csv", read_mapping({**LIST, **missing}, "test"))
    with workspace.transaction() as conn:
        assert collect.imports(conn) == []


def test_an_undoing_that_met_a_full_disk_is_done_whole_the_next_time(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take_in(workspace, BEFORE)
    before = state(workspace)
    import_id = bring_in(workspace, tmp_path)
    imported = state(workspace)
    with workspace.transaction() as conn:
        collect.ask_undo(conn, import_id, "ola")
    with monkeypatch.context() as patched:
        patched.setattr(workspace.snapshots, "remove", lambda *_: (_ for _ in ()).throw(DiskFull(where="snapshots")))  # the history's rows are gone by then
        with pytest.raises(DiskFull):
            undo_import(workspace, import_id)
    halfway = state(workspace)
    for what in ("people", "consents"):
        assert halfway[what] == imported[what] != before[what], "until it is done whole, who is who and who agreed to what is as the list said"
    assert undo_import(workspace, import_id) is not None
    assert state(workspace) == before
