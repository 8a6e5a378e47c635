"""The installation that the demonstration runs: started as `cegla up` starts it, and spoken to over its API like by any client."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from cegla.storage.settings import Settings
from cegla.storage.workspace import Workspace
from cegla.vocabulary.text import Language
from cegla.worker.supervisor import Running, start
from demo.mailbox import Mailbox
from demo.sending import Collector
from demo.simulator import Simulation, simulate
from demo.visits import WARSAW, Place

HISTORY_DAYS = 56
LIVE_DAYS = 4
INTAKE_SECONDS = 180.0
SOURCES: dict[Place, tuple[str, str, str]] = {  # name, kind, lawful basis
    "site": ("Gliniane Podwórko: strona", "website", "consent"),
    "server": ("Gliniane Podwórko: serwer sklepu", "server", "contract"),
}


class ApiRefused(Exception):
    """The API answered with a problem."""


@dataclass(frozen=True)
class Options:
    """What the person asked for on the command line."""

    data_dir: Path
    seed: int = 7
    once: bool = False
    retail: str = "auto"  #: "auto", "full" or "sample"
    port: int = 8080
    language: Language = "en"
    population: int = 500
    events_a_second: float = 5.0


@dataclass
class Memory:
    """What a later run on the same directory must know, in `demo.json`, readable by its owner only."""

    path: Path
    seed: int
    started_at: datetime  #: start of the simulated history
    until: datetime  #: its end: the moment of the first run
    keys: dict[Place, str] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)

    def save(self) -> None:
        """Write it down."""
        content = {"seed": self.seed, "started_at": self.started_at.isoformat(), "until": self.until.isoformat(), "keys": self.keys, "done": self.done}
        self.path.touch(mode=0o600)
        self.path.write_text(json.dumps(content))


def remember(options: Options) -> Memory:
    """The memory of the directory, fresh when it is new."""
    path = options.data_dir / "demo.json"
    if path.exists():
        content = json.loads(path.read_text())
        moments = {name: datetime.fromisoformat(content[name]) for name in ("started_at", "until")}
        return Memory(path, content["seed"], moments["started_at"], moments["until"], content["keys"], content["done"])
    until = datetime.now(UTC)
    first_day = until.astimezone(WARSAW).date() - timedelta(days=HISTORY_DAYS)
    started_at = datetime(first_day.year, first_day.month, first_day.day, tzinfo=WARSAW).astimezone(UTC)
    return Memory(path, options.seed, started_at, until)


class Api:
    """The HTTP API with the token of the data directory's owner, as the `cegla` command uses it."""

    def __init__(self, data_dir: Path) -> None:
        run = json.loads((data_dir / "run" / "app.json").read_text())
        self._client = httpx.Client(base_url=run["url"] + "/api/v1", headers={"Authorization": f"Bearer {run['token']}"}, timeout=120)

    def get(self, path: str, **query: Any) -> Any:
        """The answer, read."""
        return self._answer(self._client.get(path, params=query))

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """The answer, read."""
        return self._answer(self._client.post(path, json=body or {}))

    def close(self) -> None:
        """Give back the connection."""
        self._client.close()

    @staticmethod
    def _answer(answer: httpx.Response) -> Any:
        if answer.is_success:
            return answer.json()
        raise ApiRefused(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:400]}")


class Installation:
    """Everything that runs during the demonstration."""

    def __init__(self, options: Options) -> None:
        self.options = options
        options.data_dir.mkdir(parents=True, exist_ok=True)
        self.memory = remember(options)
        self.mailbox = Mailbox(options.data_dir / "demo-mailbox")
        self.running: Running
        self.api: Api
        self.ws: Workspace
        self.simulation: Simulation
        self.collector: Collector

    def start(self) -> None:
        """Start the mail server, PostgreSQL, the collectors and the app."""
        self.mailbox.start()
        self.running = start(self._settings())
        self.api = Api(self.running.settings.data_dir)
        self.ws = Workspace(self.running.settings, self.running.dsn, pool_size=2)
        self.memory.save()

    def stop(self) -> None:
        """Stop everything that was started."""
        for part, end in (("collector", "close"), ("ws", "close"), ("api", "close"), ("running", "stop")):
            if hasattr(self, part):
                getattr(getattr(self, part), end)()
        self.mailbox.stop()

    def simulate(self) -> None:
        """Run the shop in memory: its past, and some days to come for live traffic."""
        days = HISTORY_DAYS + LIVE_DAYS
        self.simulation = simulate(self.memory.seed, self.memory.started_at, days, self.options.population)
        self.simulation.truth.save(self.options.data_dir / "demo-truth.json")

    def connect_shop(self) -> None:
        """Make the shop's two sources, once, and a client that sends with their keys."""
        for place, (name, kind, basis) in SOURCES.items():
            if place not in self.memory.keys:
                made = self.api.post("/sources", {"name": name, "kind": kind, "basis": basis})
                self.memory.keys[place] = made["secret"] if place == "server" and made["secret"] else made["key"]
        self.memory.save()
        self.collector = Collector(self.running.collector_url, self.memory.keys)

    def forget_history(self) -> None:
        """Keep of the stream only what is still to come."""
        self.simulation = replace(self.simulation, stream=self.simulation.between(self.memory.until, self.simulation.end))

    def command(self, *words: str) -> subprocess.Popen[str]:
        """The `cegla` command on this installation, started in a process of its own."""
        environment = {**os.environ, "CEGLA_DATA_DIR": str(self.running.settings.data_dir.resolve()), "CEGLA_LANGUAGE": self.options.language}
        return subprocess.Popen([sys.executable, "-m", "cegla.app", *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def wait_for_intake(self, progress: Callable[[int], None] = lambda _waiting: None) -> dict[str, Any]:
        """Wait until everything accepted is in the profiles; returns the status."""
        deadline = time.monotonic() + INTAKE_SECONDS
        while time.monotonic() < deadline:
            status = self.api.get("/status")
            progress(status["events"]["waiting"])
            if not status["events"]["waiting"] and status["refreshed"] >= status["batch"]:
                return status
            time.sleep(0.1)
        raise ApiRefused(f"intake did not finish within {INTAKE_SECONDS:.0f} s; see {self.options.data_dir / 'logs' / 'app.log'}")

    def once(self, step: str) -> bool:
        """Whether a step was not done before on this directory; it is taken as done from now on."""
        if step in self.memory.done:
            return False
        self.memory.done.append(step)
        return True

    def _settings(self) -> Settings:
        port, door = _free(self.options.port), _free(self.options.port + 10 if self.options.port else 0)
        return Settings.model_validate({
            "data_dir": self.options.data_dir,
            "language": self.options.language,
            "app": {"port": port, "public_url": f"http://127.0.0.1:{port}"},  # with an address of its own, so that clicks are counted
            "collector": {"port": door},
            "smtp": {
                "host": "127.0.0.1",
                "port": self.mailbox.port,
                "sender": "Gliniane Podwórko <listy@gliniane-podworko.test>",
                "messages_per_minute": 6_000,
            },
        })  # fmt: skip


def _free(port: int) -> int:
    """The port itself when nobody listens there, else any free one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
