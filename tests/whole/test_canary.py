"""One person's e-mail, phone and name go through every way in and out; no log, no metric, no address and no warehouse file may show them."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import duckdb
import httpx
import pytest

from demo.installation import Api
from demo.mailbox import Mailbox

MAIL, PHONE, NAME = "kanarek.zolty@example.pl", "+48601777333", "Kanarzyna"
SPOKEN = {MAIL: ("KANAREK.ZOLTY@example.pl", MAIL), PHONE: ("601 777 333", "601777333", PHONE), NAME: (NAME,)}
BROKEN = {"type": "track", "userId": "u-1", "messageId": "broken", "event": None, "properties": {"email": MAIL, "first_name": NAME, "tel": PHONE}}
PAGES = ("/", "/people", "/people/p1", "/events", "/events/quarantine", "/events/volumes", "/sources", "/imports", "/imports/1", "/campaigns", "/segments", "/settings")
MJML = "<mjml><mj-body><mj-section><mj-column><mj-text>{{ person.first_name | default: '' }}</mj-text></mj-column></mj-section></mj-body></mjml>"
FIX = {"steps": [{"rename_event": "Mended"}]}


def forms(value: str) -> set[bytes]:
    """A value as files and addresses may hold it."""
    shapes = {value, value.lower(), quote(value), quote_plus(value), json.dumps(value)[1:-1]}
    return {shape.encode(coding) for shape in shapes for coding in ("utf-8", "utf-16-le")} | {base64.b64encode(value.encode()).rstrip(b"=")[:-1]}


NEEDLES = {found for spoken in SPOKEN.values() for value in spoken for found in forms(value)}


def shows(data: bytes) -> set[bytes]:
    """Which of them stand in the data."""
    return {needle for needle in NEEDLES if needle in data}


@dataclass
class Shop:
    """A running installation: the real processes on a directory of their own, and everything they say."""

    home: Path
    mailbox: Mailbox
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.home / "said.log"

    def start(self) -> dict[str, Any]:
        environment = os.environ | {
            "CEGLA_DATA_DIR": str(self.home / "data"), "CEGLA_APP_PORT": "0", "CEGLA_COLLECTOR_PORT": "0", "CEGLA_COLLECTOR_WORKERS": "1", "CEGLA_LANGUAGE": "en",
            "CEGLA_SMTP_HOST": "127.0.0.1", "CEGLA_SMTP_PORT": str(self.mailbox.port), "CEGLA_SMTP_SENDER": "Shop <shop@example.com>",
        }  # fmt: skip
        with self.log.open("ab") as said:
            self.process = subprocess.Popen([sys.executable, "-m", "cegla.app", "up"], env=environment, stdout=said, stderr=said)
        run = self.home / "data" / "run" / "app.json"
        for _ in range(1_200):
            if run.exists() and b"Ctrl+C" in self.log.read_bytes().rpartition(b"-- start --")[2]:
                return dict(json.loads(run.read_text()))
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.1)
        raise TimeoutError(self.log.read_text())

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)
            self.process = None
            with self.log.open("ab") as said:
                said.write(b"-- start --\n")


@pytest.fixture
def shop(tmp_path: Path) -> Generator[Shop]:
    mailbox = Mailbox(tmp_path / "mails")
    mailbox.start()
    running = Shop(tmp_path, mailbox)
    yield running
    running.stop()
    mailbox.stop()


def send_everything(api: Api, collector: str) -> None:
    """Every way in: an SDK, a pixel, requests that are refused, webhooks, a file."""
    made = api.post("/sources", {"name": "Shop", "kind": "server", "basis": "contract"})
    traits = {"email": MAIL, "phone": PHONE, "first_name": NAME}
    consent = {"consent": {"categoryPreferences": {"marketing_email": True, "analytics": True}}}
    viewed = {
        "type": "track", "event": "Product Viewed", "userId": "u-1", "messageId": "m-2", "properties": {"email": SPOKEN[MAIL][0], "note": f"write to {MAIL}"},
        "context": {"page": {"url": f"https://shop.test/?mail={quote(MAIL)}", "referrer": f"https://x.test/{MAIL}"}, "traits": traits},
    }  # fmt: skip
    wrong = {"type": "track", "event": "X", "userId": "u-1", "messageId": "m-3", "timestamp": MAIL}
    batch = {"batch": [{"type": "identify", "userId": "u-1", "messageId": "m-1", "traits": traits, "context": consent}, viewed, BROKEN, wrong]}
    with httpx.Client(base_url=collector, timeout=60) as client:
        assert client.post("/v1/batch", auth=(made["key"], ""), json=batch).status_code == 200
        assert client.post("/v1/batch", auth=(made["key"], ""), content=json.dumps(batch)[:-9]).status_code == 400
        assert client.post("/v1/track", auth=("wk_unknown", ""), json=viewed).status_code == 401
        packed = base64.b64encode(json.dumps(viewed | {"writeKey": made["key"], "messageId": "m-4"}).encode()).decode()
        assert client.get("/v1/pixel/track", params={"data": packed}).status_code == 200
        assert client.get(f"/v1/{quote(MAIL)}").status_code == 404
        hook = api.post("/webhooks", {"name": "Form", "ready": "contact_form", "basis": "contract"})
        assert client.post(hook["path"], data={"email": MAIL, "telefon": SPOKEN[PHONE][0], "name": NAME, "zgoda_email": "on"}).status_code == 200
        calls = api.post("/webhooks", {"name": "Calls", "ready": "call_center", "scheme": "path", "basis": "contract"})
        assert client.post(calls["path"], json={"what": "nonsense", "of": MAIL}).status_code == 200


def import_list(api: Api) -> None:
    """A list with a row that is used and one that is not."""
    file = f"E-mail;Telefon;Imię;Data urodzenia\n{MAIL};{SPOKEN[PHONE][0]};{NAME};12.03.1980\nx{MAIL};{PHONE};{NAME};{MAIL}\na@example.pl;;A;01.02.1990\n"
    client: httpx.Client = api._client  # pyright: ignore[reportPrivateUsage]  the file is a body, not JSON
    number = client.post("/imports", content=file.encode(), headers={"X-File-Name": "lista.csv"}).json()["import"]
    mapping = api.get(f"/imports/{number}/examined")["mapping"]
    mapping |= {"basis": "contract", "acquired": {"from": "fair", "date": "2026-05-01"}}
    client.post(f"/imports/{number}/mapping", json={"mapping": mapping}).raise_for_status()
    api.post(f"/imports/{number}/try")
    api.post(f"/imports/{number}/start")
    until(lambda: api.get(f"/imports/{number}")["state"] == "done")


def until(is_so: Any) -> None:
    for _ in range(600):
        if is_so():
            return
        time.sleep(0.1)
    raise TimeoutError("it did not come to that")


def settled(api: Api) -> bool:
    status = api.get("/status")
    return not status["events"]["waiting"] and status["refreshed"] >= status["batch"]


def write_to_everybody(api: Api, mailbox: Mailbox) -> None:
    """A campaign; the letter is the proof that the person was there."""
    saved = api.post("/segments", {"name": "All", "rule": {"op": "did", "event": "Product Viewed", "at_least": 1}})
    campaign = api.post("/campaigns", {"name": "Hello", "segment_id": saved["id"], "subject": "Hello {{ person.first_name | default: '' }}", "mjml": MJML, "holdout_percent": 0})
    api.post(f"/campaigns/{campaign['id']}/launch")
    until(lambda: api.get(f"/campaigns/{campaign['id']}")["state"] != "sending")
    assert any(shows(file.read_bytes()) for file in mailbox.files()), "the control: the letter shows whom it is to"


def repair_quarantine(api: Api) -> None:
    """Found by content, mended, replayed."""
    assert api.post("/quarantine/search", {"text": MAIL})["events"], "the control: it lies there"
    run = api.post("/quarantine/replay", {"filter": {"text": MAIL, "reason": "missing_event_name"}, "fix": FIX})
    until(lambda: api.get(f"/quarantine/runs/{run['id']}")["ended_at"] is not None)


def addresses(url: str, password: str) -> bytes:
    """Every address on the pages of the console, and of every page itself."""
    found: list[str] = []
    with httpx.Client(base_url=url, timeout=60, follow_redirects=True) as visitor:
        visitor.cookies.set("cegla_language", "en")
        token = re.search(r'name="csrf" value="([^"]+)"', visitor.get("/sign-in").text)
        assert token is not None
        assert "Sign out" in visitor.post("/sign-in", data={"name": "admin", "password": password, "csrf": token[1]}, headers={"Origin": url}).text
        for page in PAGES:
            answer = visitor.get(page)
            found += [str(answer.url), *map(str, answer.history), *re.findall(r'(?:href|src|action|hx-\w+)="([^"]*)"', answer.text)]
    return "\n".join(found).encode()


def contents(warehouse: Path) -> bytes:
    """Every value of every table, since the file itself packs texts."""
    with duckdb.connect(str(warehouse), read_only=True) as db:
        names = [row[0] for row in db.execute("select table_name from information_schema.tables where table_type = 'BASE TABLE'").fetchall()]
        assert "events" in names
        return "\n".join(str(row) for name in names for row in db.execute(f'select * from "{name}"').fetchall()).encode()


def files_that_may_not_show_it(home: Path) -> list[Path]:
    """Logs, ours and PostgreSQL's, and all of the warehouse."""
    data = home / "data"
    logs = [file for file in data.rglob("*") if file.is_file() and ("log" in file.suffix or file.parent.name in ("log", "logs", "run"))]
    return [home / "said.log", *logs, *(file for place in (data / "warehouse", home / "before") for file in place.rglob("*") if file.is_file())]


@pytest.mark.whole
@pytest.mark.timeout(600)
def test_nobody_shows_a_person_who_went_through_everything(shop: Shop) -> None:
    run = shop.start()
    password = re.search(rb"password: (\S+)", shop.log.read_bytes())
    collector = re.search(rb"accepted at: (\S+)", shop.log.read_bytes())
    assert password is not None
    assert collector is not None
    api = Api(shop.home / "data")
    send_everything(api, collector[1].decode())
    import_list(api)
    until(lambda: settled(api))
    write_to_everybody(api, shop.mailbox)
    repair_quarantine(api)
    until(lambda: settled(api))
    person = api.post("/people/look-up", {"value": MAIL, "type": "email"})["person"]
    told = [httpx.get(f"{collector[1].decode()}/metrics", timeout=60).content, httpx.get(f"{run['url']}/metrics", timeout=60).content]
    told += [json.dumps(api.get(path)).encode() for path in ("/status", "/doctor", "/quarantine/overview", "/sources", "/campaigns")]
    told.append(addresses(run["url"], password[1].decode()))
    shutil.copytree(shop.home / "data" / "warehouse", before := shop.home / "before")  # erasing takes the rows of the person away
    assert shows(json.dumps(api.post(f"/people/{person}/export")).encode()), "the control: the installation knows it"
    erased = api.post(f"/people/{person}/erase", {"dry_run": False})
    api.close()
    shop.stop()

    assert erased
    assert not any(shows(text) for text in told)
    assert not shows(contents(before / "cegla.duckdb"))
    assert {str(file): shows(file.read_bytes()) for file in files_that_may_not_show_it(shop.home) if shows(file.read_bytes())} == {}
