"""Composition root: builds everything from the settings and registers who holds personal data.

`main` is the `cegla` command; `serve` is the app process that `cegla up` starts.
"""

import gc
import json
import os
import secrets
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import httpx
import structlog
import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from cegla.account import actions as account
from cegla.activate import actions as activate
from cegla.api.app import build_api
from cegla.api.front import FrontedServer
from cegla.api.inside import Inside
from cegla.cli import main as cli
from cegla.collect import actions as collect
from cegla.console.app import build_console
from cegla.govern import actions as govern
from cegla.http.proxies import WARNING, Believing, Proxies
from cegla.match import actions as match
from cegla.plan import actions as plan
from cegla.profile import actions as profile
from cegla.repair import actions as repair
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage.settings import Settings, load_settings
from cegla.storage.workspace import Connection, Workspace, open_workspace
from cegla.sync import actions as sync
from cegla.vocabulary.identifiers import Borne
from cegla.worker.logs import write_logs_as_json
from cegla.worker.loops import Loops
from cegla.worker.supervisor import start
from cegla.worker.tether import end_with_supervisor

T = TypeVar("T")
LOG = structlog.get_logger("app")


def _by_name(duty: Callable[[Connection, Sequence[Borne]], T]) -> Callable[[Connection, Sequence[int]], T]:
    """Requests know people by their identifiers alone, each for the time in which it is theirs."""

    def named(conn: Connection, identity_ids: Sequence[int]) -> T:
        return duty(conn, resolve.names_of(conn, identity_ids))

    return named


HOLDERS = (
    govern.Holder("collect", _by_name(collect.export_person), _by_name(collect.erase_person)),  # before resolve, which forgets the names
    govern.Holder("plan", _by_name(plan.export_person), _by_name(plan.erase_person)),
    govern.Holder("repair", _by_name(repair.export_person), _by_name(repair.erase_person)),
    govern.Holder("account", account.export_person, account.erase_person),
    govern.Holder("resolve", resolve.export_person, resolve.erase_person),
    govern.Holder("profile", profile.export_person, profile.erase_person),
    govern.Holder("match", match.export_person, match.erase_person),
    govern.Holder("segment", segment.export_person, segment.erase_person),
    govern.Holder("activate", activate.export_person, activate.erase_person),
    govern.Holder("sync", sync.export_person, sync.erase_person),
    govern.Holder("govern", govern.export_person, govern.erase_person),
)


def build_app(ws: Workspace, token: str) -> Starlette:
    """API and console over one workspace. `token` opens the API for the owner of this data directory."""
    return _around(ws, build_api(ws, HOLDERS, token))


def _around(ws: Workspace, api: FastAPI) -> Starlette:
    watched = [Route("/healthz", _AtTheRoot(api, "/health")), Route("/readyz", _AtTheRoot(api, "/ready"))]
    return Starlette(routes=[*watched, Mount("/api/v1", api), Mount("/", build_console(ws, HOLDERS))])


class _AtTheRoot:
    """One route of the API where supervisors and load balancers look for it."""

    def __init__(self, api: ASGIApp, path: str) -> None:
        self.api, self.path = api, path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.api({**scope, "path": self.path, "raw_path": self.path.encode(), "root_path": ""}, receive, send)


def serve(settings: Settings) -> None:
    """The app process: loops, API and console until SIGTERM. The run file tells the command line where it is."""
    write_logs_as_json()
    gc.set_threshold(50_000, 20, 20)  # a batch makes many short-lived values and no cycles: a third less work for the collector
    ws = Workspace(settings, settings.dsn)
    token = secrets.token_urlsafe(32)
    loops = Loops(ws, on_damage=lambda: setattr(server, "should_exit", True))
    api = build_api(ws, HOLDERS, token)
    config = uvicorn.Config(
        Believing(_around(ws, api), Proxies(settings.app.trusted_proxies, _unbelieved)), proxy_headers=False,
        host=settings.app.host, port=settings.app.port, log_level="warning", access_log=False, timeout_graceful_shutdown=5,
    )  # fmt: skip
    server = FrontedServer(config, api)
    gc.freeze()  # what is loaded stays: looking through all of it for cycles, again and again, held up every answer for a quarter of a second
    try:
        loops.start()
        _announce_when_up(server, settings, token)
        server.run()
    finally:
        loops.stop()
        ws.close()


def _unbelieved(peer: str) -> None:
    LOG.warning(WARNING, setting="app.trusted_proxies", peer=collect.truncated(peer))


def _announce_when_up(server: uvicorn.Server, settings: Settings, token: str) -> None:
    def announce() -> None:
        while not server.started and not server.should_exit:
            time.sleep(0.02)
        write_run_file(settings.data_dir, {"url": f"http://{settings.app.host}:{settings.app.port}", "token": token, "pid": os.getpid()})

    threading.Thread(target=announce, name="announce", daemon=True).start()


def write_run_file(data_dir: Path, content: dict[str, object]) -> None:
    """Say where the app is, readable by its owner only."""
    path = data_dir / "run" / "app.json"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file)
    fresh.rename(path)


@contextmanager
def open_door(settings: Settings) -> Generator[httpx.Client]:
    """A client of the API: over loopback when an app runs on this data directory, otherwise to an app within this process."""
    run_file = settings.data_dir / "run" / "app.json"
    if run_file.exists():
        run = json.loads(run_file.read_text())
        client = httpx.Client(base_url=run["url"] + "/api/v1", headers={"Authorization": f"Bearer {run['token']}"}, timeout=120)
        try:
            client.get("/status").raise_for_status()
        except httpx.HTTPError:
            client.close()
        else:
            try:
                yield client
            finally:
                client.close()
            return
    with open_workspace(settings) as ws:
        loops = Loops(ws)
        token = secrets.token_urlsafe(32)
        loops.start()
        try:
            with httpx.Client(
                transport=Inside(build_app(ws, token)), base_url="http://cegla.local/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=None
            ) as client:
                yield client
        finally:
            loops.stop()


def main() -> None:
    """The `cegla` command."""
    if sys.argv[1:2] == ["serve"]:
        end_with_supervisor()
        serve(load_settings())
    else:
        cli.run(sys.argv[1:], open_door, start)


if __name__ == "__main__":
    main()
