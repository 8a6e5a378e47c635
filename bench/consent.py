"""A random life of a town, ten thousand steps: people agree, withdraw, object, pause, complain, are joined and erased while campaigns leave.

    a round    two hundred steps of some people ──► one intake ──► a campaign to everybody ──► more steps, while it leaves

Whatever happens, no letter may leave without a valid row of the ledger at that instant. The truth is asked twice, and never of the gate: of the
tables by a rule of its own in plain SQL, and of what the people of the town remember having said from their mailboxes. Some of them change
their minds while a campaign is with the servers, between one group of letters and the next. The control: letters do leave, and the rule
in SQL refuses people who said no. (`tests/activate/test_consent_machine.py` plays single lives, in the smallest steps.)
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from bench.result import Result
from cegla.activate import actions as activate
from cegla.activate.letters import signed
from cegla.activate.rules import tokens
from cegla.activate.rules.dialog import Letter, Outcome
from cegla.activate.rules.replies import Reply
from cegla.app import HOLDERS
from cegla.collect import actions as collect
from cegla.flow import Intake
from cegla.govern import actions as govern
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage.settings import Settings
from cegla.storage.workspace import Connection, Workspace, open_workspace
from cegla.vocabulary.consent import Basis, Channel
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.identifiers import Identifier

PEOPLE, A_ROUND = 150, 200
BEGAN = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
LETTER = "<mjml><mj-body><mj-section><mj-column><mj-text>{{ unsubscribe_url }}</mj-text></mj-column></mj-section></mj-body></mjml>"
NEWEST = """
select distinct on (identity_id) identity_id, state from govern.decisions d
where identity_id = any(%(ids)s) and purpose = %(purpose)s and channel = %(channel)s and at <= %(now)s and state <> 'invalidated'
order by identity_id, at desc, record_id desc
"""
PAUSED = "select distinct on (identity_id) until from govern.pauses where identity_id = any(%(ids)s) order by identity_id, id desc"


def wrong(conn: Connection, ws: Workspace, address: str, now: datetime) -> str:
    """Why no letter may leave to an address at this instant, by the tables alone; empty when one may."""
    person = resolve.look_up(conn, [Identifier("email", address)])[0]
    if person is None:
        return "nobody"
    facts = {"ids": resolve.links.identity_ids(conn, person), "now": now}
    slots = (("marketing", "email"), ("profiling", "none"))
    agreed, profiling = [{state for _, state in conn.execute(NEWEST, facts | {"purpose": one, "channel": way}).fetchall()} for one, way in slots]
    if conn.execute("select from govern.suppressed where fingerprint = %s and channel = 'email'", [ws.keys.fingerprint(address)]).fetchall():
        return "suppressed"
    if conn.execute("select from govern.barred where identity_id = any(%(ids)s)", facts).fetchall():
        return "erased"
    if any(until > now for (until,) in conn.execute(PAUSED, facts).fetchall()):
        return "paused"
    if "given" not in agreed or not agreed <= {"given", "requested"}:
        return "no valid row"
    return "" if profiling <= {"given"} else "objected"


class Town:
    """The people, what they remember, and the letters that left."""

    def __init__(self, ws: Workspace, outlet: activate.Outlet, seed: int) -> None:
        self.ws, self.outlet, self.rng = ws, outlet, random.Random(seed)
        self.now, self.told, self.number = BEGAN, 0, 0
        self.played, self.sent, self.refused = Counter[str](), 0, Counter[str]()
        self.faults: list[str] = []
        self.said_no: set[str] = set()  #: addresses whose owner said no from the mailbox, and nobody they were ever joined with a yes since
        self.joined: dict[int, set[int]] = {who: {who} for who in range(PEOPLE)}
        self.waiting: list[dict[str, Any]] = []
        self.letters: dict[str, int] = {}  #: the newest letter to each address
        ws.clock = lambda: self.now

    def pass_time(self, seconds: float = 1) -> None:
        """The clock goes on."""
        self.now += timedelta(seconds=seconds)

    def event(self, who: int, **event: Any) -> None:
        """Something a person does on the site; it waits for the next intake."""
        self.pass_time()
        self.told += 1
        self.waiting.append({"userId": f"u{who}", "messageId": f"t{self.told}", "timestamp": self.now.isoformat(), **event})

    def take_in(self) -> None:
        """What waits reaches the ledger."""
        with self.ws.transaction() as conn:
            source, _ = collect.add_source(conn, "shop", "server", Basis.CONTRACT, self.now)
            collect.write_down(conn, source.id, [json.dumps({"batch": self.waiting}).encode()], self.now)
        self.waiting = []
        Intake(self.ws).drain()

    def agreed(self, who: int) -> None:
        """A yes: whoever they were ever joined with may get letters again, by it."""
        self.said_no.difference_update(address(other) for other in self.joined[who])

    # steps ---------------------------------------------------------------------------------------------------------------

    def sign_up(self, who: int) -> None:
        """With an address; most agree."""
        agrees = self.rng.choice([True, True, True, False, None])
        consent = {} if agrees is None else {"consent": {"categoryPreferences": {"marketing_email": agrees}}}
        self.event(who, type="identify", traits={"email": address(who)}, context=consent)
        self.event(who, type="track", event="Order")
        if agrees:
            self.agreed(who)

    def decide_on_the_site(self, who: int) -> None:
        """A change of mind on the site."""
        agrees = self.rng.random() < 0.6
        consent = {"consent": {"categoryPreferences": {"marketing_email": agrees}}}
        self.event(who, type="track", event="Segment Consent Preference Updated", context=consent)
        if agrees:
            self.agreed(who)

    def object_to_profiling(self, who: int) -> None:
        """By the browser's signal; rarely, since it is for good."""
        if self.rng.random() < 0.04:
            self.event(who, type="page", context={"gpc": True})

    def unsubscribe(self, who: int) -> None:
        """By the link of the newest letter."""
        self.pass_time()
        if (letter := self.letters.get(address(who))) is not None and self.known(who):
            activate.unsubscribe(self.ws, signed(self.ws.keys, tokens.UNSUBSCRIBE, letter), act=True)
            self.said_no.add(address(who))

    def use_the_preference_page(self, who: int) -> None:
        """On or off, and perhaps a pause."""
        self.pass_time()
        if (letter := self.letters.get(address(who))) is None or not self.known(who):
            return
        token, name, on = signed(self.ws.keys, tokens.PREFERENCES, letter), "marketing.email", self.rng.random() < 0.6
        before = frozenset(activate.preferences(self.ws, token, "pl").on)
        wish = activate.Wish(before, before | {name} if on else before - {name}, self.rng.choice([None, None, 14, 0, 0]))
        activate.prefer(self.ws, token, wish)
        if on and name not in before:
            self.agreed(who)
        if not on and name in before:  # a switch left off is no word: a yes from the site may still be on its way
            self.said_no.add(address(who))

    def be_put_on_the_list(self, who: int) -> None:
        """A complaint or a dead address; rarely, since it is for good."""
        self.pass_time()
        if self.rng.random() < 0.02:
            with self.ws.transaction() as conn:
                govern.suppress(conn, self.ws.keys, address(who), Channel.EMAIL, self.rng.choice(["bounced", "complained", "manual"]), self.now)

    def be_joined(self, who: int) -> None:
        """With a neighbour; rarely, since it is for good."""
        other = who ^ 1
        if other < PEOPLE and self.rng.random() < 0.2:
            self.event(who, type="alias", previousId=f"u{other}")
            both = self.joined[who] | self.joined[other]
            self.joined.update(dict.fromkeys(both, both))

    def be_erased(self, who: int) -> None:
        """Everything about a person goes; rarely."""
        self.pass_time()
        if self.rng.random() < 0.02:
            self.take_in()
            with self.ws.transaction() as conn:
                person = resolve.look_up(conn, [Identifier("email", address(who))])[0]
                ids = resolve.links.identity_ids(conn, person) if person is not None else []
            if ids:
                govern.erase_everything(self.ws, ids, HOLDERS, "dpo", self.now)

    def known(self, who: int) -> bool:
        """Whether somebody has this address."""
        with self.ws.transaction() as conn:
            return resolve.look_up(conn, [Identifier("email", address(who))])[0] is not None

    def step(self, steps: Sequence[Callable[["Town", int], None]]) -> None:
        """Anybody does anything."""
        wanted = self.rng.choice(steps)
        with suppress(NotFound):  # the link of a letter to somebody who was erased since, and signed up anew
            wanted(self, self.rng.randrange(PEOPLE))
        self.played[wanted.__name__] += 1

    # campaigns -----------------------------------------------------------------------------------------------------------

    def launch(self) -> None:
        """A campaign to everybody who ordered, a day after the one before, so that no rule on how often withholds what consent would let go."""
        self.pass_time(24 * 3_600)
        self.number += 1
        with self.ws.transaction() as conn:
            everybody = segment.save(conn, "all", {"op": "did", "event": "Order", "at_least": 1, "days": 3000}, self.now, key="all")
            draft = {"name": f"c{self.number}", "segment_id": everybody.id, "subject": "s", "mjml": LETTER, "holdout_percent": 0}
            campaign = activate.save_campaign(conn, draft, self.now, self.outlet)
        activate.launch(self.ws, campaign.id)
        with self.ws.transaction() as conn:
            self.letters |= {row.address: row.id for row in activate.messages_of(conn, campaign_id=campaign.id, limit=PEOPLE + 50) if row.address}

    def leave(self) -> None:
        """Letters leave until none waits."""
        self.pass_time(60)
        while activate.deliver(self.ws, self.now, self.outlet).more:
            self.pass_time()

    def judge(self, letters: Sequence[Letter]) -> None:
        """Each letter at the instant it leaves."""
        with self.ws.transaction() as conn:
            for letter in letters:
                self.sent += 1
                why = wrong(conn, self.ws, letter.recipient, self.now) or ("said no from the mailbox" if letter.recipient in self.said_no else "")
                self.faults += [f"campaign {self.number} at {self.now:%d %H:%M:%S}: {why}"] if why else []


class Watched:
    """A mail server that takes everything; people of the town act whenever it took a group."""

    def __init__(self, town: Town) -> None:
        self.town, self.trouble, self.now = town, "", BEGAN
        self.outcomes: SimpleQueue[Outcome] = SimpleQueue()

    def submit(self, letters: Sequence[Letter]) -> None:
        """Letters leave."""
        self.town.judge(letters)
        for letter in letters:
            self.outcomes.put(Outcome(letter, Reply(250, "OK", "body")))
        for _ in range(4):
            self.town.step(AT_ONCE)

    def close(self) -> None:
        """Nothing is open."""


AT_ONCE = (Town.unsubscribe, Town.use_the_preference_page, Town.be_put_on_the_list)
STEPS = (Town.sign_up, Town.sign_up, Town.decide_on_the_site, Town.object_to_profiling, *AT_ONCE, Town.be_joined, Town.be_erased)


def main(options: list[str]) -> list[Result]:
    """Play so many steps (`--steps`, `--seed`)."""
    parser = argparse.ArgumentParser(prog="python -m bench consent")
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=7)
    wanted, began = parser.parse_args(options), time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="cegla-consent-") as folder, open_workspace(_settings(folder)) as ws, activate.Outlet(ws) as outlet:
        town = Town(ws, outlet, wanted.seed)
        outlet.mailer = Watched(town)  # type: ignore[assignment]
        while town.played.total() < wanted.steps:
            for _ in range(A_ROUND):
                town.step(STEPS)
            town.take_in()
            town.launch()
            town.leave()
        with ws.transaction() as conn:
            holds = govern.ledger.check(conn).holds
            refused = Counter(wrong(conn, ws, address(who), town.now) for who in range(PEOPLE))
    for fault in town.faults[:20]:
        print(fault, file=sys.stderr)
    steps = ", ".join(f"{name} {count:,}" for name, count in sorted(town.played.items()))
    how = f"{town.played.total():,} steps ({steps}), {town.number} campaigns, {town.sent:,} letters, {time.perf_counter() - began:.0f} s"
    control = f"of {PEOPLE} people at the end: " + ", ".join(f"{why or 'may get letters'} {count}" for why, count in refused.most_common())
    return [
        Result("letters without a valid row at that instant", len(town.faults), "letters", "0", not town.faults, how),
        Result("the control: letters left, and people are refused", town.sent, "letters", "> 0", town.sent > 0 and len(refused) > 2, control),
        Result("the ledger's chains hold", int(holds), "", "1", holds, "every identity's chain and every seal"),
    ]


def address(who: int) -> str:
    """The mailbox of a person of the town."""
    return f"u{who}@example.pl"


def _settings(folder: str) -> Settings:
    smtp = {"host": "127.0.0.1", "sender": "sklep@example.pl", "messages_per_minute": 10_000_000}
    return Settings.model_validate({"data_dir": Path(folder) / "data", "app": {"public_url": "https://cegla.example"}, "smtp": smtp})
