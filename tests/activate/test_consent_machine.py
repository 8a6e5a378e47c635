"""A random life of a shop: people agree, withdraw, object, pause, complain, are joined, parted and erased while campaigns leave.

Whatever happens, no letter leaves without a valid row of the ledger at that instant. The truth is asked twice, and never of the gate:
of the tables by a rule of its own in plain SQL, and of what the people in the play remember having said from their mailboxes.

`CONSENT_STEPS=10000 pytest tests/activate/test_consent_machine.py` plays ten thousand steps; without it eighty.
"""

import os
from itertools import count
from queue import SimpleQueue
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from cegla import regrouping
from cegla.activate import actions as activate
from cegla.activate.letters import signed
from cegla.activate.rules import tokens
from cegla.activate.rules.dialog import Letter, Outcome
from cegla.activate.rules.replies import Reply
from cegla.app import HOLDERS
from cegla.govern import actions as govern
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.identifiers import Identifier
from tests.activate.conftest import LETTER, NOW, Shop

STEPS = int(os.environ.get("CONSENT_STEPS", "80"))
EACH = 40  #: steps of one life
LIVES = count(1)
WHO = st.integers(0, 4)
# Every identity of whoever holds the address today: its newest decision on a purpose, unless it was taken back.
NEWEST = """
select distinct on (identity_id) identity_id, state from govern.decisions d
where identity_id = any(%(ids)s) and purpose = %(purpose)s and channel = %(channel)s and at <= %(now)s and state <> 'invalidated'
order by identity_id, at desc, record_id desc
"""

PAUSED = "select distinct on (identity_id) until from govern.pauses where identity_id = any(%(ids)s) order by identity_id, id desc"


class FakeMailer:
    """Takes every letter at once and lets `watch` see it at that instant."""

    def __init__(self, watch: Any) -> None:
        self.outcomes: SimpleQueue[Outcome] = SimpleQueue()
        self.watch, self.trouble, self.now = watch, "", NOW

    def submit(self, letters: list[Letter]) -> None:
        for letter in letters:
            self.watch(letter.recipient)
            self.outcomes.put(Outcome(letter, Reply(250, "OK", "body")))

    def hand_off(self, letter: Letter) -> Outcome:
        return Outcome(letter, Reply(250, "OK", "body"))

    def close(self) -> None:
        """Nothing is open."""


def test_no_letter_ever_leaves_without_a_valid_row_at_that_instant(shop: Shop) -> None:
    played: list[int] = []
    sent: list[str] = []

    class Life(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.number = next(LIVES)
            self.said_no: set[str] = set()  # addresses whose owner said no from the mailbox, and nothing since
            self.campaigns: list[int] = []
            shop.outlet.mailer = FakeMailer(self.leaves)  # type: ignore[assignment]

        def user(self, who: int) -> str:
            return f"l{self.number}u{who}"

        def address(self, who: int) -> str:
            return f"{self.user(who)}@example.pl"

        def tell(self, event: dict[str, Any]) -> None:
            shop.pass_time(seconds=60)
            shop.tell({"timestamp": shop.now.isoformat(), **event})
            shop.take_in()
            played.append(1)

        def people(self) -> dict[str, int | None]:
            with shop.ws.transaction() as conn:
                addresses = [self.address(who) for who in range(5)]
                return dict(zip(addresses, resolve.look_up(conn, [Identifier("email", one) for one in addresses]), strict=True))

        def together(self, address: str) -> list[str]:
            people = self.people()
            return [one for one, person in people.items() if person is not None and person == people.get(address)]

        @initialize()
        def open_the_shop(self) -> None:
            """Three who agreed, two who did not say, and everybody ordered."""
            shop.pass_time(seconds=60)
            for who in range(5):
                consent = {"consent": {"categoryPreferences": {"marketing_email": True}}} if who < 3 else {}
                moment = {"timestamp": shop.now.isoformat(), "userId": self.user(who)}
                identify = {"type": "identify", "traits": {"email": self.address(who)}, "context": consent}
                shop.tell({**identify, **moment}, {"type": "track", "event": f"Order {self.number}", **moment})
            shop.take_in()

        @rule(who=WHO, agrees=st.sampled_from([True, True, True, False, None]))
        def sign_up(self, who: int, agrees: bool | None) -> None:
            consent = {} if agrees is None else {"consent": {"categoryPreferences": {"marketing_email": agrees}}}
            self.tell({"type": "identify", "userId": self.user(who), "traits": {"email": self.address(who)}, "context": consent})
            self.tell({"type": "track", "event": f"Order {self.number}", "userId": self.user(who), "properties": {}})
            if agrees:
                self.said_no.difference_update(self.together(self.address(who)))

        @rule(who=WHO, agrees=st.booleans())
        def decide_on_the_site(self, who: int, agrees: bool) -> None:
            consent = {"consent": {"categoryPreferences": {"marketing_email": agrees}}}
            self.tell({"type": "track", "event": "Segment Consent Preference Updated", "userId": self.user(who), "context": consent})
            if agrees:
                self.said_no.difference_update(self.together(self.address(who)))

        @rule(who=WHO)
        def object_to_profiling(self, who: int) -> None:
            self.tell({"type": "page", "userId": self.user(who), "context": {"gpc": True}})

        def letters(self) -> list[activate.Message]:
            shop.pass_time(seconds=60)
            played.append(1)
            with shop.ws.transaction() as conn:
                rows = [row for one in self.campaigns for row in activate.messages_of(conn, campaign_id=one, limit=50)]
            return [row for row in rows if row.address is not None]

        @precondition(lambda self: self.campaigns)
        @rule(choice=st.integers(0, 99))
        def unsubscribe(self, choice: int) -> None:
            rows = self.letters()
            if rows:
                row = rows[choice % len(rows)]
                activate.unsubscribe(shop.ws, signed(shop.ws.keys, tokens.UNSUBSCRIBE, row.id), act=True)
                self.said_no.add(row.address or "")

        @precondition(lambda self: self.campaigns)
        @rule(choice=st.integers(0, 99), on=st.booleans(), pause=st.sampled_from([None, None, 14, 0]))
        def use_the_preference_page(self, choice: int, on: bool, pause: int | None) -> None:
            rows = self.letters()
            if not rows or self.people().get(rows[choice % len(rows)].address or "") is None:
                return
            row = rows[choice % len(rows)]
            token = signed(shop.ws.keys, tokens.PREFERENCES, row.id)
            before = frozenset(activate.preferences(shop.ws, token, "pl").on)
            name = "marketing.email"
            activate.prefer(shop.ws, token, activate.Wish(before, before | {name} if on else before - {name}, pause))
            if on and name not in before:
                self.said_no.difference_update(self.together(row.address or ""))
            if not on:
                self.said_no.add(row.address or "")

        @rule(who=WHO, reason=st.sampled_from(["bounced", "complained", "manual"]))
        def put_on_the_list(self, who: int, reason: str) -> None:
            shop.pass_time(seconds=60)
            played.append(1)
            with shop.ws.transaction() as conn:
                govern.suppress(conn, shop.ws.keys, self.address(who), Channel.EMAIL, reason, shop.now)

        @rule(one=WHO, other=WHO)
        def join(self, one: int, other: int) -> None:
            if one != other:
                self.tell({"type": "alias", "userId": self.user(one), "previousId": self.user(other)})

        @rule(who=WHO, choice=st.integers(0, 9))
        def part(self, who: int, choice: int) -> None:
            person = self.people().get(self.address(who))
            shop.pass_time(seconds=60)
            played.append(1)
            if person is not None:
                with shop.ws.transaction() as conn:
                    edges = [one for one in resolve.links.edges_of(conn, person) if one.refused is None and one.retracted_at is None and one.rule == "alias"]
                if edges:
                    regrouping.take_link_back(shop.ws, edges[choice % len(edges)].edge_id, "anna")

        @rule(who=WHO)
        def erase(self, who: int) -> None:
            person = self.people().get(self.address(who))
            shop.pass_time(seconds=60)
            played.append(1)
            if person is not None and who == 4:
                with shop.ws.transaction() as conn:
                    ids = resolve.links.identity_ids(conn, person)
                govern.erase_everything(shop.ws, ids, HOLDERS, "dpo", shop.now)

        def teardown(self) -> None:
            """Every life ends with one more campaign to everybody, so that whatever was said is put to the test."""
            self.launch(at_once=True)

        @rule(at_once=st.booleans())
        def launch(self, at_once: bool) -> None:
            shop.pass_time(seconds=60)
            played.append(1)
            with shop.ws.transaction() as conn:
                ordered = {"op": "did", "event": f"Order {self.number}", "at_least": 1, "days": 3000}
                buyers = segment.save(conn, f"b{self.number}", ordered, shop.now, key=f"b{self.number}")
                draft = {"name": "c", "segment_id": buyers.id, "subject": "s", "mjml": LETTER, "holdout_percent": 0}
                campaign = activate.save_campaign(conn, draft, shop.now, shop.outlet)
            activate.launch(shop.ws, campaign.id)
            self.campaigns.append(campaign.id)
            if at_once:
                self.deliver_now()

        @rule()
        def deliver(self) -> None:
            played.append(1)
            self.deliver_now()

        def deliver_now(self) -> None:
            shop.pass_time(seconds=60)
            activate.deliver(shop.ws, shop.now, shop.outlet)

        def leaves(self, address: str) -> None:
            sent.append(address)
            assert address not in self.said_no, "a letter left to a mailbox that had said no"
            with shop.ws.transaction() as conn:
                person = resolve.look_up(conn, [Identifier("email", address)])[0]
                assert person is not None, "a letter left to nobody"
                facts = {"ids": resolve.links.identity_ids(conn, person), "now": shop.now}
                slots = (("marketing", "email"), ("profiling", "none"))
                states = {one: [state for _, state in conn.execute(NEWEST, facts | {"purpose": one, "channel": way}).fetchall()] for one, way in slots}
                mark = shop.ws.keys.fingerprint(address)
                listed = conn.execute("select from govern.suppressed where fingerprint = %s and channel = 'email'", [mark]).fetchall()
                quiet = conn.execute(PAUSED, facts).fetchall()
                barred = conn.execute("select from govern.barred where identity_id = any(%(ids)s)", facts).fetchall()
            assert "given" in states["marketing"] and set(states["marketing"]) <= {"given", "requested"}, states
            assert set(states["profiling"]) <= {"given"}, "a letter left to somebody who objected"
            assert not listed and not barred and all(until <= shop.now for (until,) in quiet)

    lives = max(1, STEPS // EACH)
    wanted = settings(max_examples=lives, stateful_step_count=EACH, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
    run_state_machine_as_test(Life, settings=wanted)
    assert sent, "the control: letters do leave"
    with shop.ws.transaction() as conn:
        assert govern.ledger.check(conn).holds
    print(f"{len(played)} steps, {len(sent)} letters")
