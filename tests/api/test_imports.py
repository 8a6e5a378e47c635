"""A list goes from an upload to people and back over the API, and nobody without the right, the basis or a good file gets in."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from cegla.collect import actions as collect
from cegla.flow import Intake
from cegla.storage.workspace import Workspace
from cegla.undoing import undo_import
from tests.api.test_routes import anna as anna
from tests.api.test_routes import api as api
from tests.api.test_routes import owner as owner

LIST = "Imię;E-mail;Newsletter\nŻaneta;zaneta@example.pl;tak\nŚwiętosław;;nie\nĄbc;c@example.pl;nie\n".encode("cp1250")
ACQUIRED = {"from": "targi w Poznaniu", "date": "2026-04-04", "notice": "v3", "proof": "segregator 7"}


def uploaded(owner: httpx.Client, content: bytes = LIST) -> dict[str, Any]:
    return owner.post("imports", content=content, headers={"X-File-Name": quote("Klienci łódzcy.csv")}).json()


def described(owner: httpx.Client, **more: Any) -> int:
    number = uploaded(owner)["import"]
    mapping = owner.get(f"imports/{number}/examined").json()["mapping"]
    assert owner.post(f"imports/{number}/mapping", json={"mapping": {**mapping, **more}}).status_code == 200
    return number


def test_a_file_is_kept_for_its_owner_alone_and_understood(owner: httpx.Client, workspace: Workspace) -> None:
    draft = uploaded(owner)
    assert (draft["state"], draft["file_name"], draft["file_bytes"]) == ("draft", "Klienci łódzcy.csv", len(LIST))
    kept = list((workspace.settings.data_dir / "imports").iterdir())
    assert [path.read_bytes() for path in kept] == [LIST]
    assert kept[0].stat().st_mode & 0o077 == 0
    look = owner.get(f"imports/{draft['import']}/examined").json()
    assert (look["form"]["encoding"], look["form"]["separator"], look["kind"]) == ("cp1250", ";", "people")
    assert look["preview"][0] == ["Żaneta", "zaneta@example.pl", "tak"]
    assert {"place": "traits.email", "column": "E-mail", "reason": {"pl": "nazwa mówi: adres e-mail", "en": "its name says: e-mail address"}} in look["proposals"]


def test_no_list_begins_without_origin_and_basis(owner: httpx.Client) -> None:
    number = described(owner)
    refused = owner.post(f"imports/{number}/start")
    assert (refused.status_code, refused.json()["code"]) == (422, "CEGLA-E0370")


def test_an_upload_is_tried_brought_in_and_taken_back(owner: httpx.Client, workspace: Workspace) -> None:
    number = described(owner, acquired=ACQUIRED)
    tried = owner.post(f"imports/{number}/try").json()
    assert (tried["rows"], tried["rows_used"], tried["problems"], tried["events"]) == (3, 2, {"no_identity": 1}, 2)
    assert owner.get(f"imports/{number}").json()["state"] == "draft"
    assert owner.post(f"imports/{number}/start").json()["state"] == "waiting"
    collect.perform(workspace, number)
    Intake(workspace).drain()
    done = owner.get(f"imports/{number}").json()
    assert (done["state"], done["result"]["rows_used"], done["has_refused_rows"]) == ("done", 2, True)
    assert "Świętosław" in owner.get(f"imports/{number}/refused-rows").content.decode("cp1250")
    assert [one["import"] for one in owner.get("imports").json()["imports"]] == [number]
    counted = owner.post(f"imports/{number}/undo", json={}).json()
    assert (counted["dry_run"], counted["counts"], counted["state"]) == (True, {"events": 2, "people": 2}, "done")
    assert owner.post(f"imports/{number}/undo", json={"dry_run": False}).json()["state"] == "undoing"
    assert undo_import(workspace, number) is not None
    assert owner.get(f"imports/{number}").json()["state"] == "undone"
    assert owner.post("people/look-up", json={"value": "zaneta@example.pl"}).status_code == 404


def test_a_file_that_is_too_large_leaves_nothing_behind(owner: httpx.Client, workspace: Workspace) -> None:
    small = workspace.settings.model_copy(update={"imports": workspace.settings.imports.model_copy(update={"largest_file_bytes": 50})})
    workspace.settings = small
    refused = owner.post("imports", content=LIST, headers={"X-File-Name": "a.csv"})
    assert (refused.status_code, refused.json()["code"]) == (422, "CEGLA-E0311")
    assert owner.post("imports", content=b"", headers={"X-File-Name": "a.csv"}).status_code == 422
    assert list((small.data_dir / "imports").iterdir()) == []


def test_a_draft_can_be_dropped_with_its_file_and_nothing_else_can(owner: httpx.Client, workspace: Workspace) -> None:
    number = uploaded(owner)["import"]
    assert owner.post(f"imports/{number}/discard").json() == {"import": number, "discarded": True}
    assert list((workspace.settings.data_dir / "imports").iterdir()) == []
    assert owner.get(f"imports/{number}").status_code == 404


def test_names_of_files_lead_nowhere(owner: httpx.Client, workspace: Workspace) -> None:
    draft = owner.post("imports", content=LIST, headers={"X-File-Name": quote("../../etc/passwd.csv")}).json()
    assert draft["file_name"] == "passwd.csv"
    with workspace.transaction() as conn:
        assert Path(collect.import_of(conn, draft["import"]).file_path).parent == (workspace.settings.data_dir / "imports").resolve()
