"""Death at every place where two stores, or a store and the world, must agree: each effect is there once after the restart.

    for each point    arm it ──► do what passes it ──► the process dies there ──► the supervisor brings it back ──► everything settles
    at the end        events once · traits and segments right · one letter per campaign and person, or reported as ambiguous · erased is erased

The points are those of `cegla.storage.failpoint`. The judge is tried first: facts that were doctored must not pass.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import httpx
import psycopg
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from bench.crashes import environment_with, free_port
from bench.result import Result
from cegla.activate import actions as activate
from cegla.collect import actions as collect
from cegla.flow import MOST_EVENTS
from cegla.profile import actions as profile
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage.batches import last_committed, last_refreshed
from cegla.storage.failpoint import POINTS
from cegla.storage.settings import Settings
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.identifiers import Identifier
from cegla.worker.supervisor import Running, start

PEOPLE = 4
PATIENCE_SECONDS = 180.0
REGULAR = 3  #: orders that make somebody a member of the segment
TEXT = '<mj-text><a href="{{ unsubscribe_url }}">no more</a></mj-text>'
LETTER = f"<mjml><mj-body><mj-section><mj-column>{TEXT}</mj-column></mj-section></mj-body></mjml>"
MAPPING = """
name: orders
source: Orders of a trial
basis: contract
acquired: {from: a trial, date: 2026-01-06}
columns:
  at: {type: time, format: "%Y-%m-%dT%H:%M:%SZ", zone: UTC}
time: "{at}"
ids: {user_id: "{customer}"}
event: Order Completed
properties: {order_id: "{order}", total: "{total}"}
currency: PLN
"""


@dataclass(frozen=True)
class Facts:
    """What is there at the end, and what should be."""

    sent_orders: Counter[str]  #: order ids by user, as sent: "u1/o7"
    history: Counter[str]  #: as the warehouse has them
    counts: dict[str, int]  #: orders by user, as traits have them
    regulars: set[str]  #: users in the segment
    letters: Counter[tuple[str, str]]  #: what the mail server took, by subject and address
    messages: dict[tuple[str, str], str]  #: what became of each message, by subject and address
    told: Counter[str]  #: events about messages, by message
    erased_found: int  #: traces of people who were erased
    adds_up: bool


def faults(facts: Facts) -> list[str]:
    """Every promise that was not kept, in words."""
    users = {order.partition("/")[0] for order in facts.sent_orders}
    true = {user: sum(order.startswith(f"{user}/") for order in facts.sent_orders) for user in users}
    found = [f"{order} is {facts.history[order]} times in the history" for order in facts.sent_orders if facts.history[order] != 1]
    found += [f"{order} came from nowhere" for order in facts.history if order not in facts.sent_orders]
    found += [f"{user} made {number} orders, and traits say otherwise" for user, number in true.items() if facts.counts.get(user, 0) != number]
    found += [f"{user} is wrongly in or out of the segment" for user, number in true.items() if (number >= REGULAR) is not (user in facts.regulars)]
    found += [f"{letter} was sent {times} times" for letter, times in facts.letters.items() if times > 1]
    for message, state in facts.messages.items():
        if state not in ("sent", "ambiguous"):
            found.append(f"{message} is left {state}")
        if state == "sent" and facts.letters[message] != 1:
            found.append(f"{message} counts as sent and was not")
    found += [f"{letter} went out and no message says so" for letter in facts.letters if letter not in facts.messages]
    found += [f"message {message} was told {times} times" for message, times in facts.told.items() if times != 1]
    found += [f"{facts.erased_found} traces of people who were erased"] if facts.erased_found else []
    return found + ([] if facts.adds_up else ["the counts do not add up"])


def doctored(facts: Facts) -> list[Facts]:
    """The same facts with one lie each, which the judge must see."""
    order = next(iter(facts.sent_orders))
    of_letters = [
        lie
        for letter in list(facts.messages)[:1]  # no point of those that were passed may have had one
        for lie in (replace(facts, letters=facts.letters + Counter([letter, letter])), replace(facts, messages=facts.messages | {letter: "handing_off"}))
    ]
    return [
        replace(facts, history=facts.history + Counter([order])),
        replace(facts, history=facts.history - Counter([order])),
        replace(facts, counts={}),
        replace(facts, regulars=set()),
        replace(facts, erased_found=1),
        replace(facts, adds_up=False),
        *of_letters,
    ]


class Postbox:
    """A mail server that takes everything and counts it."""

    def __init__(self) -> None:
        self.letters: Counter[tuple[str, str]] = Counter()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  aiosmtpd's name
        content = (envelope.original_content or b"").decode()
        subject = content.partition("\r\nSubject: ")[2].partition("\r\n")[0]
        self.letters[subject, envelope.rcpt_tos[0]] += 1
        return "250 OK"


@dataclass
class World:
    """A whole installation, its mail server, and what was done to it."""

    running: Running
    postbox: Postbox
    armed: Path
    segment_id: int = 0
    key: str = ""
    orders: Counter[str] = field(default_factory=Counter)
    erased: list[str] = field(default_factory=list)
    number: int = 0

    def next(self) -> int:
        """A number that was not used yet."""
        self.number += 1
        return self.number

    # doing -----------------------------------------------------------------------------------------------------------

    def send(self, *events: dict[str, object]) -> None:
        """Until it is acknowledged, under the same message ids."""
        named = [{"messageId": f"f{self.next()}", **event} for event in events]

        def sent() -> bool:
            return httpx.post(f"{self.running.collector_url}/v1/batch", json={"batch": named}, auth=(self.key, ""), timeout=10).status_code == 200

        until(sent)

    def order(self, user: str) -> dict[str, object]:
        """One more order."""
        order = f"o{self.next()}"
        self.orders[f"{user}/{order}"] += 1
        return {"type": "track", "event": "Order Completed", "userId": user, "properties": {"order_id": order, "total": 10, "currency": "PLN"}}

    def person(self, user: str) -> dict[str, object]:
        """Somebody with an address and a consent."""
        agreed = {"consent": {"categoryPreferences": {"marketing_email": True, "analytics": True}}}
        return {"type": "identify", "userId": user, "traits": {"email": f"{user}@example.pl"}, "context": agreed}

    def api(self, path: str, body: dict[str, object]) -> httpx.Response:
        """Ask the app, once it is there. A request that it died of is the caller's."""
        run = json.loads((self.running.settings.data_dir / "run" / "app.json").read_text())
        return httpx.post(f"{run['url']}/api/v1{path}", json=body, headers={"Authorization": f"Bearer {run['token']}"}, timeout=60)

    def kill(self, part: str) -> None:
        """kill -9."""
        with suppress(ProcessLookupError):
            os.kill(self.running.process_ids()[part], signal.SIGKILL)

    # seeing ----------------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Until nothing waits: no request, no trait, no message."""
        until(self._settled)

    def _settled(self) -> bool:
        with psycopg.connect(self.running.dsn, options="-c timezone=UTC") as conn:
            waiting = sum(one.waiting for one in collect.standing(conn))
            untold = "select from activate.in_hand union all select from activate.to_tell union all select from activate.messages where done_at is null"
            row = conn.execute(f"select exists ({untold})").fetchone()
            return not waiting and last_refreshed(conn) == last_committed(conn).number and row == (False,)

    def seen(self) -> Facts:
        """Everything but the history, which can be read only after the installation was stopped."""
        with psycopg.connect(self.running.dsn, options="-c timezone=UTC") as conn:
            users = sorted({order.partition("/")[0] for order in self.orders})
            people = dict(zip(users, resolve.look_up(conn, [Identifier("user_id", user) for user in users]), strict=True))
            known = profile.profiles_of(conn, [person for person in people.values() if person is not None])
            members = {member.person_id for member in segment.membership(conn, self.segment_id, 0, 1_000)}
            rows = conn.execute("select c.name, m.address, m.state, m.id from activate.messages m join activate.campaigns c on c.id = m.campaign_id").fetchall()
            named = conn.execute("select count(*) from resolve.identities where value = any(%s)", [[f"{user}@example.pl" for user in self.erased]]).fetchone()
            return Facts(
                sent_orders=self.orders,
                history=Counter(),
                counts={user: known.get(person, {}).get("order_count", 0) for user, person in people.items() if person is not None},
                regulars={user for user, person in people.items() if person in members},
                letters=self.postbox.letters,
                messages={(row[0], row[1]): row[2] for row in rows if row[1]},
                told=Counter({str(row[3]): 0 for row in rows if row[1]}),
                erased_found=named[0] if named else 1,
                adds_up=all(one.adds_up for one in collect.standing(conn)),
            )

    def with_history(self, facts: Facts) -> Facts:
        """The same with what the warehouse holds."""
        with duckdb.connect(str(self.running.settings.data_dir / "warehouse" / "cegla.duckdb"), read_only=True) as warehouse:
            told = warehouse.execute("select json_extract_string(properties, '$.message_id') from events where name in ('Email Sent', 'Email Ambiguous')")
            times = Counter(row[0] for row in told.fetchall())
            orders = warehouse.execute("select order_id from events where name = 'Order Completed'").fetchall()
            (erased,) = warehouse.execute("select count(*) from events where name = 'Seen by the erased'").fetchone() or (1,)
        owner = {order.partition("/")[2]: order for order in self.orders}
        history = Counter(owner.get(row[0], str(row[0])) for row in orders)
        told_of = Counter({message: times[message] for message in facts.told})
        return replace(facts, history=history, told=told_of, erased_found=facts.erased_found + erased)


def until(holds: Callable[[], bool], what: str = "it did not come to that") -> None:
    """Try until it holds; whoever is away while parts die is asked again."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with suppress(httpx.HTTPError, psycopg.OperationalError, OSError, ValueError):
            if holds():
                return
        time.sleep(0.05)
    raise TimeoutError(what)


# what passes the points of each part -------------------------------------------------------------------------------------


def _events(world: World) -> None:
    user = f"u{world.next() % PEOPLE}"
    world.send(world.order(user), world.order(user))


def _reading(world: World) -> None:
    """More waits than one batch takes, so that what comes after it is read ahead; the first time there is no process yet that could."""
    while world.armed.exists():
        app = world.running.process_ids()["app"]
        os.kill(app, signal.SIGSTOP)
        try:
            for _ in range(MOST_EVENTS // 1_000 + 5):
                world.send(*({"type": "page", "userId": f"u{world.next() % PEOPLE}", "name": "Seen"} for _ in range(1_000)))
        finally:
            os.kill(app, signal.SIGCONT)
        world.settle()


def _recovering(world: World) -> None:
    """The warehouse is gone at the next start."""
    warehouse = world.running.settings.data_dir / "warehouse"
    for file in warehouse.glob("cegla.duckdb*"):
        file.unlink()
    world.kill("app")


def _campaign(world: World) -> None:
    name = f"Letter {world.next()}"
    draft: dict[str, object] = {"name": name, "segment_id": world.segment_id, "subject": name, "mjml": LETTER, "sender": "Shop <shop@example.pl>"}
    draft |= {"holdout_percent": 0, "cap": 100}
    saved: list[int] = []

    def save() -> bool:
        answer = world.api("/campaigns", draft)
        saved.append(answer.json().get("id", 0))
        return answer.is_success

    until(save, "no campaign")

    def launched() -> bool:
        """Asked again when the app died of it: it is a draft still, or launched whole and refuses to be launched twice."""
        return world.api(f"/campaigns/{saved[-1]}/launch", {}).status_code in (200, 409, 422)

    until(launched, "not launched")


def _erasure(world: World) -> None:
    user = f"e{world.next()}"
    world.send(world.person(user), {"type": "track", "event": "Seen by the erased", "userId": user})
    world.settle()
    world.erased.append(user)

    def gone() -> bool:
        """Asked again after the app died of it, as its owner would."""
        found = world.api("/people/look-up", {"type": "email", "value": f"{user}@example.pl"})
        if not found.is_success:
            return found.status_code == 404  # otherwise it is coming up, and knows us by another token
        return world.api(f"/people/{found.json()['person']}/erase", {"dry_run": False}).is_success

    until(gone, "not erased")


def _import(world: World) -> None:
    """The command, run again when it died."""
    lines = ["customer,order,total,at"]
    for number in range(PEOPLE):
        (order,) = [world.order(f"u{number}")]
        lines.append(f"u{number},{order['properties']['order_id']},10,2026-01-05T10:00:00Z")  # type: ignore[index]
    _bring_in(world, lines)


def _bring_in(world: World, lines: list[str]) -> int:
    """A file by the command, which is run again when it died; returns the import's number."""
    folder = world.armed.parent
    (folder / "orders.yaml").write_text(MAPPING)
    file = folder / f"orders-{world.next()}.csv"
    file.write_text("\n".join(lines) + "\n")
    environment = {**os.environ, "CEGLA_DATA_DIR": str(world.running.settings.data_dir)}
    command = [sys.executable, "-m", "cegla.app", "import", str(file), "--map", str(folder / "orders.yaml"), "--json"]
    said: list[str] = []

    def done() -> bool:
        ran = subprocess.run(command, env=environment, capture_output=True, check=False, text=True)
        said.append(ran.stdout)
        return ran.returncode == 0

    until(done, "not imported")
    return int(json.loads(said[-1])["import_id"])


def _undo(world: World) -> None:
    """Orders that came in by mistake are taken back: none of them may be left, in the history or in a count."""
    number = _bring_in(world, ["customer,order,total,at", *(f"u{user},wrong{world.next()},10,2026-01-05T10:00:00Z" for user in range(PEOPLE))])
    world.settle()
    until(lambda: world.api(f"/imports/{number}/undo", {"dry_run": False}).status_code in (200, 202, 409, 422), "undo was not asked for")

    def undone() -> bool:
        with psycopg.connect(world.running.dsn) as conn:
            return conn.execute("select state from collect.imports where import_id = %s", [number]).fetchone() == ("undone",)

    until(undone, "not undone")


def _replay(world: World) -> None:
    """Orders that were set aside for a word come back with it mended; whoever died of it asks again."""
    user = f"u{world.next() % PEOPLE}"
    world.send(*({**world.order(user), "type": "trakc"} for _ in range(2)))
    world.settle()
    wanted: dict[str, object] = {"filter": {"reason": "unknown_type"}, "fix": {"steps": [{"set": {"path": "type", "value": "track"}}]}}
    until(lambda: world.api("/quarantine/replay", wanted).is_success, "not replayed")


DOINGS: dict[str, Callable[[World], None]] = {
    "collector": _events, "read": _reading, "intake": _events, "refresh": _events, "recover": _recovering,
    "send": _campaign, "tell": _campaign, "erase": _erasure, "import": _import,
    "undo": _undo, "launch": _campaign, "replay": _replay,
}  # fmt: skip


@contextmanager
def world(place: Path) -> Generator[World]:
    """A running installation whose processes die at the point that a file names."""
    armed, postbox, port = place / "armed", Postbox(), free_port()
    mail = Controller(postbox, hostname="127.0.0.1", port=port, decode_data=False, ready_timeout=60)
    mail.start()
    smtp = {"host": "127.0.0.1", "port": port, "sender": "Shop <shop@example.pl>", "messages_per_minute": 60_000}
    settings = Settings.model_validate({"data_dir": place / "data", "collector": {"workers": 1, "port": 0}, "app": {"port": 0}, "smtp": smtp})
    with environment_with({"FAILPOINT": str(armed)}):
        running = start(settings)
        try:
            with psycopg.connect(running.dsn, options="-c timezone=UTC") as conn:
                source, _ = collect.add_source(conn, "shop", "server", Basis.CONTRACT, datetime.now(UTC))
                rule = {"op": "did", "event": "Order Completed", "at_least": REGULAR, "days": 3_650}
                activate.set_limits(conn, "email", activate.Limits(0), datetime.now(UTC))  # each point has a campaign of its own, all in one day
                regulars = segment.save(conn, "Regulars", rule, datetime.now(UTC))
            yield World(running, postbox, armed, regulars.id, source.key)
        finally:
            running.stop()
            mail.stop(no_assert=True)


@dataclass(frozen=True)
class Report:
    """What was passed, and what was found."""

    died: list[str]  #: points at which a process died
    faults: list[str]
    lies_seen: int  #: doctored facts that the judge saw
    lies: int
    letters: int
    ambiguous: int

    @property
    def good(self) -> bool:
        """The judge sees every lie, and saw none in the facts."""
        return self.lies_seen == self.lies > 0 and not self.faults


def trial(points: Sequence[str] = POINTS) -> Report:
    """Die at each point once, in one installation."""
    died: list[str] = []
    with tempfile.TemporaryDirectory(prefix="cegla-points-") as name:
        with world(Path(name)) as there:
            there.send(*(there.person(f"u{number}") for number in range(PEOPLE)))
            there.send(*(there.order(f"u{number}") for number in range(PEOPLE) for _ in range(REGULAR - number % 2)))
            there.settle()
            for point in points:
                there.armed.write_text(point)
                DOINGS[point.partition(":")[0]](there)
                until(lambda: not there.armed.exists(), f"nothing died at {point}")
                died.append(point)
                there.settle()
            facts = there.seen()
        facts = there.with_history(facts)
    lies = [bool(faults(lie)) for lie in doctored(facts)]
    states = Counter(facts.messages.values())
    return Report(died, faults(facts), sum(lies), len(lies), facts.letters.total(), states["ambiguous"])


def main(argv: list[str]) -> list[Result]:
    """`python -m bench failpoints [--point "intake: after the append" ...]`."""
    parser = argparse.ArgumentParser(prog="bench failpoints", description=__doc__)
    parser.add_argument("--point", action="append", choices=POINTS, help="these only")
    report = trial(parser.parse_args(argv).point or POINTS)
    letters = f"{report.letters} letters, {report.ambiguous} messages reported as ambiguous"
    note = f"{len(report.died)} points; {letters}; the judge saw {report.lies_seen} of {report.lies} lies"
    return [Result("death at every failpoint", len(report.faults), "faults", "0", report.good, "; ".join([note, *report.faults[:5]]))]
