"""A collector process: listens on the shared port, accepts requests, commits them. It needs PostgreSQL only.

Several run side by side; the kernel spreads connections over them (SO_REUSEPORT), so each can end without the others noticing.
Until one is there, events are refused. So a collector imports the door and little else: its supervisor hands it settings that
are checked already (`Duty`), and pydantic, which checks them, is imported only by a collector that is started by itself.
"""

import asyncio
import json
import os
import resource
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import uvloop

from cegla.collect.wire import Door
from cegla.storage.postgres import EmbeddedPostgres
from cegla.vocabulary.errors import CeglaError
from cegla.worker.tether import end_with_supervisor

if TYPE_CHECKING:
    from cegla.storage.settings import CollectorSettings, Settings

VARIABLE = "COLLECTOR_DUTY"  #: holds the duty that a supervisor hands over


@dataclass(frozen=True)
class Duty:
    """What a collector has to know."""

    dsn: str
    data_dir: Path
    limits: "CollectorSettings"


def handed_over(settings: "Settings", dsn: str, port: int) -> str:
    """The duty as text, for `VARIABLE` in the environment of a collector."""
    limits = settings.collector.model_copy(update={"port": port})
    return json.dumps({"dsn": dsn, "data_dir": str(settings.data_dir.resolve()), "limits": limits.model_dump(mode="json")})


def duty() -> Duty:
    """What the supervisor handed over, or what the file and the environment say. Raises SettingInvalid."""
    if text := os.environ.get(VARIABLE):
        told = json.loads(text)
        return Duty(told["dsn"], Path(told["data_dir"]), cast("CollectorSettings", SimpleNamespace(**told["limits"])))
    from cegla.storage.settings import load_settings

    settings = load_settings()
    return Duty(settings.dsn or EmbeddedPostgres(settings.data_dir / "postgres").dsn, settings.data_dir, settings.collector)


def run(duty: Duty, make_door: type[Door] = Door) -> None:
    """Accept requests until SIGTERM; then commit what waits and end."""
    allow_many_connections()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(make_door(duty.dsn, duty.limits, duty.data_dir), listen(duty.limits.host, duty.limits.port)))


async def _serve(door: Door, listening: socket.socket) -> None:
    ending = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, ending.set)
    await door.open([listening])
    await door.serve(ending)


def allow_many_connections() -> None:
    """Each connection is an open file, and the usual soft limit of 1,024 is meant for programs that use select(2)."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def listen(host: str, port: int) -> socket.socket:
    """A socket on an address that several processes may listen on together."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.bind((host, port))
    return listening


def main() -> None:
    """`python -m cegla.worker.collector`, under a supervisor or by itself."""
    end_with_supervisor()
    try:
        run(duty())
    except CeglaError as error:
        sys.stderr.write(f"{error.code} {error.say('en')} {error.where} {error.advice('en')}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
