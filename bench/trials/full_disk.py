"""A disk that fills up under load, and has room again: refused with a time to come back, nothing acknowledged lost, no hand needed.

    clients ──► collectors ──► PostgreSQL ─┐
                        app: intake ──► warehouse ─┴─► a small disk in memory (tmpfs), where a file grows until nothing fits

Two stages: little room, when the door refuses by itself, and none at all, when PostgreSQL and the warehouse meet the end of the disk.
"""

import asyncio
import shutil
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg

from bench.crashes import Load, find_history, wait_until_taken_in, whole_installation
from bench.result import Result
from cegla.collect import actions as collect
from cegla.collect import reserve
from cegla.vocabulary.consent import Basis
from cegla.worker.supervisor import Running

DISK_BYTES = 512 << 20
COMES_TO_SECONDS = 180.0


@dataclass
class Report:
    """What was answered in each stage, and what was found at the end."""

    little: Counter[int] = field(default_factory=Counter)  #: answers by status while there was little room
    full: Counter[int] = field(default_factory=Counter)  #: answers while there was none
    without_retry_after: int = 0  #: refusals with 429 or 507 that did not say when to come back
    ready_while_little: int = 0  #: times /readyz of a collector said yes after the door had begun to refuse
    reserve_given_up: bool = False
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    adds_up: bool = False
    back_after_seconds: float = 0.0  #: from room to the next acknowledged event

    @property
    def good(self) -> bool:
        """Every promise of a full disk was kept."""
        return self.little[429] > 0 and not (self.without_retry_after or self.ready_while_little or self.lost or self.doubled) and self.adds_up


@contextmanager
def small_disk(size: int = DISK_BYTES) -> Generator[Path | None]:
    """A disk of its own in memory; None when this user may not make one."""
    with tempfile.TemporaryDirectory(prefix="cegla-small-disk-") as name:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", name], capture_output=True, check=False).returncode:
            yield None
            return
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "--lazy", name], check=True)


class Ballast:
    """A file that takes what is free."""

    def __init__(self, disk: Path) -> None:
        self._path = disk / "ballast"
        self._disk = disk
        self._ending = threading.Event()
        self._filling: threading.Thread | None = None

    def leave(self, share: float) -> None:
        """Take all but this share of the disk."""
        with self._path.open("ab", buffering=0) as file:
            while shutil.disk_usage(self._disk).free > shutil.disk_usage(self._disk).total * share:
                file.write(bytes(1 << 20))

    def keep_full(self) -> None:
        """Take everything, and whatever gets free."""
        self._filling = threading.Thread(target=self._fill, daemon=True)
        self._filling.start()

    def _fill(self) -> None:
        with self._path.open("ab", buffering=0) as file:
            while not self._ending.is_set():
                with suppress(OSError):
                    while not self._ending.is_set():
                        file.write(bytes(1 << 20))
                with suppress(OSError):
                    file.write(bytes(1 << 12))
                time.sleep(0.005)

    def let_go(self) -> None:
        """Room again."""
        self._ending.set()
        if self._filling is not None:
            self._filling.join()
        self._path.unlink()


class Asker:
    """Sends one event after the other to the collectors and keeps what they say; asks /readyz in between."""

    def __init__(self, url: str, key: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=10, auth=(key, ""))
        self._number = 0
        self.acknowledged: set[str] = set()

    def ask(self) -> tuple[int, str | None]:
        """Status and Retry-After of one more event; 0 when nobody answered."""
        self._number += 1
        name = f"asked-{self._number}"
        event = {"type": "track", "event": "Product Viewed", "messageId": name, "anonymousId": "asker", "properties": {"product_id": name}}
        try:
            answer = self._client.post("/v1/t", json=event)
        except httpx.TransportError:
            return 0, None
        if answer.status_code == 200:
            self.acknowledged.add(name)
        return answer.status_code, answer.headers.get("retry-after")

    def close(self) -> None:
        """No more questions."""
        self._client.close()

    def ready(self) -> bool:
        """What a collector says of itself."""
        with suppress(httpx.TransportError):
            return self._client.get("/readyz").status_code == 200
        return False


def trial(disk: Path, full_seconds: float = 4.0) -> Report:
    """The whole trial on a small disk."""
    report, data = Report(), disk / "data"
    with whole_installation(data, workers=1) as running:
        with psycopg.connect(running.dsn) as conn:
            source, _ = collect.add_source(conn, "full", "website", Basis.CONTRACT, datetime.now(UTC))
        load, asker, ballast = Load(), Asker(running.collector_url, source.key), Ballast(disk)
        port = int(running.collector_url.rsplit(":", 1)[1])
        loading = threading.Thread(target=lambda: asyncio.run(load.run(port, source.key)), daemon=True)
        loading.start()
        _until(lambda: len(load.acknowledged) > 100 and (data / reserve.NAME).exists())
        _little_room(ballast, asker, report)
        _no_room(Ballast(disk), asker, report, data, full_seconds)
        _room_again(running, load, loading, report)
        asker.close()
    found = find_history(data)
    acknowledged = load.acknowledged | asker.acknowledged
    report.acknowledged, report.lost, report.doubled = len(acknowledged), len(acknowledged - set(found)), len(found) - len(set(found))
    return report


def _little_room(ballast: Ballast, asker: Asker, report: Report) -> None:
    """Under 5 % are free: the door says so before PostgreSQL must."""
    ballast.leave(0.03)
    _until(lambda: asker.ask()[0] == 429)
    for _ in range(20):
        status, retry_after = asker.ask()
        report.little[status] += 1
        report.without_retry_after += status in (429, 507) and not retry_after
        report.ready_while_little += asker.ready()
    ballast.let_go()
    _until(lambda: asker.ask()[0] == 200)


def _no_room(ballast: Ballast, asker: Asker, report: Report, data: Path, seconds: float) -> None:
    """Nothing fits any more, from one moment to the next."""
    ballast.keep_full()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline or (report.full.total() == report.full[200] and time.monotonic() < deadline + COMES_TO_SECONDS):
        status, retry_after = asker.ask()
        report.full[status] += 1
        report.without_retry_after += status in (429, 507) and not retry_after
        report.reserve_given_up = report.reserve_given_up or not (data / reserve.NAME).exists()
        time.sleep(0.02)
    ballast.let_go()


def _room_again(running: Running, load: Load, loading: threading.Thread, report: Report) -> None:
    """It comes back by itself, and everything accepted gets into the history."""
    since = time.monotonic()
    _until(lambda: load.last_answer_at > since)
    report.back_after_seconds = load.last_answer_at - since
    load.finish()
    loading.join(COMES_TO_SECONDS)
    wait_until_taken_in(running)
    with psycopg.connect(running.dsn) as conn:
        report.adds_up = all(row.adds_up for row in collect.standing(conn))


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + COMES_TO_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("it did not come to that")
        time.sleep(0.05)


def main(_: list[str]) -> list[Result]:
    """`python -m bench full_disk`."""
    with small_disk() as disk:
        if disk is None:
            raise SystemExit("the trial needs a small disk of its own, and only root may mount one")
        report = trial(disk, full_seconds=15.0)
    note = (
        f"little room: {dict(report.little)}; full: {dict(report.full)}; reserve given up: {report.reserve_given_up}; "
        f"acknowledging again {report.back_after_seconds:.1f} s after there was room; {report.acknowledged:,} acknowledged"
    )
    return [Result("disk full under load", report.lost + report.doubled, "lost or doubled", "0", report.good, note)]
