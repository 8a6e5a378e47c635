"""A campaign of 20,000 under kill -9 and failing relays: nobody is missed, nobody gets it twice, and what nobody knows is reported.

    sender (a process of its own) ──► mail server of the trial      the sender is killed at random moments, and begins again
                                      counts every letter it took      connections are cut at random moments: before the content, in it, before the reply

Moments are numbers of letters taken, drawn from a seed and spread over the whole campaign. At the end the outbox is laid beside what the
server counted.
"""

import argparse
import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.crashes import free_port
from bench.result import Result
from bench.sending import SENDER, prepare
from cegla.activate import actions as activate
from cegla.activate.sending import IN_FLIGHT
from cegla.storage.settings import Settings
from cegla.storage.workspace import open_workspace

CUTS = ("before the content", "within the content", "before the reply", "when connecting")


@dataclass
class Sink:
    """The mail server: letters by recipient, and what happens at which number of letters."""

    cuts: dict[int, str]
    kills: set[int]
    got: Counter[str] = field(default_factory=Counter)
    taken: int = 0
    made_cuts: Counter[str] = field(default_factory=Counter)
    wanted: str = ""  #: the cut that waits for its moment
    kill: threading.Event = field(default_factory=threading.Event)

    def take(self, recipient: str) -> None:
        """One more letter."""
        self.got[recipient] += 1
        self.taken += 1
        self.wanted = self.cuts.pop(self.taken, self.wanted)
        if self.taken in self.kills:
            self.kills.discard(self.taken)
            self.kill.set()

    def cut(self, where: str) -> bool:
        """Whether the connection is to be cut here."""
        if self.wanted != where:
            return False
        self.wanted = ""
        self.made_cuts[where] += 1
        return True


class Connection(asyncio.Protocol):
    """One connection to the sink."""

    def __init__(self, sink: Sink) -> None:
        self.sink, self.buffer, self.recipient, self.within = sink, b"", "", False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet, or do not."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if self.sink.cut("when connecting"):
            transport.abort()
            return
        transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        """Commands and contents, as they come."""
        self.buffer += data
        answers: list[bytes] = []
        while not self.transport.is_closing() and (answer := self._step()) is not None:
            answers.append(answer)
        if not self.transport.is_closing():
            self.transport.write(b"".join(answers))

    def _step(self) -> bytes | None:
        if self.within:
            return self._content()
        line, found, rest = self.buffer.partition(b"\r\n")
        if not found:
            return None
        self.buffer = rest
        match line[:4].upper():
            case b"EHLO":
                return b"250-sink\r\n250 PIPELINING\r\n"
            case b"RCPT":
                self.recipient = line.decode().partition("<")[2].rstrip(">")
                return b"250 ok\r\n"
            case b"DATA":
                if self.sink.cut("before the content"):
                    self.transport.abort()
                    return None
                self.within = True
                return b"354 go\r\n"
            case _:
                return b"250 ok\r\n"

    def _content(self) -> bytes | None:
        if self.sink.cut("within the content"):
            self.transport.abort()
            return None
        end = self.buffer.find(b"\r\n.\r\n")
        if end < 0:
            return None
        self.buffer, self.within = self.buffer[end + 5 :], False
        self.sink.take(self.recipient)
        if self.sink.cut("before the reply"):
            self.transport.abort()
            return None
        return b"250 taken\r\n"


class Running:
    """The sink in a thread of its own."""

    def __init__(self, sink: Sink, port: int) -> None:
        self.loop = asyncio.new_event_loop()
        self.server = self.loop.run_until_complete(self.loop.create_server(lambda: Connection(sink), "127.0.0.1", port))
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.server.close()


def send(path: str) -> None:
    """The sender: rounds until the campaign is over."""
    settings = Settings.model_validate_json(Path(path).read_text(encoding="utf-8"))
    with open_workspace(settings) as ws, activate.Outlet(ws) as outlet:
        while True:
            if not activate.deliver(ws, ws.clock(), outlet).more:
                with ws.transaction() as conn:
                    if all(one.state != "sending" for one in activate.campaigns(conn)):
                        return
                time.sleep(0.2)


def killed_again_and_again(sink: Sink, settings: str) -> int:
    """Run senders, kill each when its moment comes, until one ends by itself; returns how many were killed."""
    killed = 0
    while True:
        process = subprocess.Popen([sys.executable, "-m", "bench.trials.sender", "send", settings])
        while process.poll() is None and not sink.kill.wait(0.05):
            continue
        if process.poll() is not None:
            if process.returncode:
                raise RuntimeError(f"the sender ended with {process.returncode}")
            return killed
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        sink.kill.clear()
        killed += 1


def main(options: list[str]) -> list[Result]:
    """Run the trial; `--people`, `--moments` (of kills, and as many cuts) and `--seed`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--moments", type=int, default=50)
    parser.add_argument("--seed", type=int, default=7)
    wanted = parser.parse_args(options)
    rng = random.Random(wanted.seed)
    moments = rng.sample(range(1, int(wanted.people * 0.95)), wanted.moments * 2)
    cuts = {moment: CUTS[number % len(CUTS)] for number, moment in enumerate(moments[wanted.moments :])}
    sink, port, began = Sink(cuts, set(moments[: wanted.moments])), free_port(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        values = {
            "data_dir": folder, "app": {"public_url": "https://cegla.example"},
            "smtp": {"host": "127.0.0.1", "port": port, "sender": SENDER, "messages_per_minute": 10_000_000},
        }  # fmt: skip
        settings = Settings.model_validate(values)
        path = Path(folder) / "settings.json"
        path.write_text(settings.model_dump_json(), encoding="utf-8")
        with open_workspace(settings) as ws:
            with activate.Outlet(ws) as outlet:
                campaign_id = prepare(ws, wanted.people, outlet)
            with Running(sink, port):
                killed = killed_again_and_again(sink, str(path))
            with ws.transaction() as conn:
                states = {row.address: row.state.value for row in activate.messages_of(conn, campaign_id=campaign_id, limit=wanted.people + 1)}
    return judged(sink, states, killed, wanted.people, time.monotonic() - began)


def judged(sink: Sink, states: dict[str | None, str], killed: int, people: int, seconds: float) -> list[Result]:
    """The outbox beside the letters that were taken."""
    ambiguous = [address for address, state in states.items() if state == "ambiguous"]
    missed = people - len(states) + sum(state != "ambiguous" and not sink.got[address or ""] for address, state in states.items())
    doubled = sum(number > 1 for number in sink.got.values())
    most = (killed + sink.made_cuts.total()) * IN_FLIGHT
    cuts = ", ".join(f"{number} {cut}" for cut, number in sorted(sink.made_cuts.items()))
    how = f"{people:,} people, {killed} kills, {sink.made_cuts.total()} cut connections ({cuts}), {seconds:.0f} s"
    arrived = sum(sink.got[address or ""] > 0 for address in ambiguous)
    said = f"{arrived:,} of them had arrived; at most {IN_FLIGHT} a moment"
    return [
        Result("killed senders: missed and not reported", missed, "people", "0", missed == 0, how),
        Result("killed senders: got it twice", doubled, "people", "0", doubled == 0, how),
        Result("killed senders: reported as ambiguous", len(ambiguous), "people", f"≤ {most:,}", len(ambiguous) <= most, said),
    ]


if __name__ == "__main__":
    if sys.argv[1:2] == ["send"]:
        send(sys.argv[2])
