"""A collector process: listens on the shared port, accepts requests, commits them. It needs PostgreSQL only.

Several run side by side; the kernel spreads connections over them (SO_REUSEPORT), so each can end without the others noticing.
"""

import asyncio
import resource
import signal
import socket
import sys

import uvloop

from cegla.collect.wire import Door
from cegla.storage.postgres import EmbeddedPostgres
from cegla.storage.settings import Settings, load_settings
from cegla.vocabulary.errors import CeglaError
from cegla.worker.logs import write_logs_as_json
from cegla.worker.tether import end_with_supervisor


def run(settings: Settings, make_door: type[Door] = Door) -> None:
    """Accept requests until SIGTERM; then commit what waits and end."""
    dsn = settings.dsn or EmbeddedPostgres(settings.data_dir / "postgres").dsn
    allow_many_connections()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(make_door(dsn, settings.collector, settings.data_dir), listen(settings.collector.host, settings.collector.port)))


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
    """`python -m cegla.worker.collector`, with the settings of the file and the environment."""
    end_with_supervisor()
    write_logs_as_json()
    try:
        run(load_settings())
    except CeglaError as error:
        sys.stderr.write(f"{error.code} {error.say('en')} {error.where} {error.advice('en')}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
