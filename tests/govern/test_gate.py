"""The gate against a plain model: a random life of decisions, suppressions and questions, and the rule said in five lines."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cegla.govern.rules.gate import Recorded, Terms, judge, newest
from cegla.govern.rules.purposes import PURPOSES, SUPPRESSIONS
from cegla.vocabulary.consent import Basis, Channel, State

START = datetime(2026, 1, 1, tzinfo=UTC)
IDENTITIES = [1, 2, 3]
SLOTS = [(purpose.key, channel) for purpose in PURPOSES.values() for channel in Channel]


class Gate(RuleBasedStateMachine):
    """One person with three identities; the model keeps a plain list of what happened."""

    @initialize()
    def begin(self) -> None:
        self.ledger: list[Recorded] = []
        self.suppressed: list[tuple[Channel, str]] = []
        self.minute = 0

    @rule(identity=st.sampled_from(IDENTITIES), slot=st.sampled_from(SLOTS), state=st.sampled_from(list(State)), late=st.integers(0, 30))
    def decide(self, identity: int, slot: tuple[str, Channel], state: State, late: int) -> None:
        self.minute += 1
        moment = START + timedelta(minutes=max(0, self.minute - late))
        self.ledger.append(Recorded(len(self.ledger) + 1, identity, *slot, state, moment))

    @rule(channel=st.sampled_from(list(Channel)), reason=st.sampled_from(list(SUPPRESSIONS)))
    def suppress(self, channel: Channel, reason: str) -> None:
        self.suppressed.append((channel, reason))

    @rule(back=st.integers(0, 60))
    def ask_about_the_past(self, back: int) -> None:
        self.compare(START + timedelta(minutes=max(0, self.minute - back)))

    @invariant()
    def ask_now(self) -> None:
        self.compare(START + timedelta(minutes=self.minute))

    def compare(self, at: datetime) -> None:
        for purpose, channel in SLOTS:
            slot_rows = [[row for row in self.ledger if (row.identity_id, row.purpose, row.channel) == (identity, purpose, channel)] for identity in IDENTITIES]
            standing = [found for rows in slot_rows if (found := newest(rows, at))]
            reasons = [reason for listed, reason in self.suppressed if listed is channel]
            verdict = judge(Terms(PURPOSES[purpose], channel, at), standing, reasons)
            assert verdict.allowed == self.model(purpose, channel, at)
            assert verdict.allowed == (verdict.reason == "ok")
            if verdict.allowed and PURPOSES[purpose].basis is Basis.CONSENT:
                proof = next(row for row in self.ledger if row.record_id == verdict.record_id)
                assert proof.state is State.GIVEN and proof.at <= at and (proof.purpose, proof.channel) == (purpose, channel)

    def model(self, purpose: str, channel: Channel, at: datetime) -> bool:
        """The rule in words: the channel belongs to the purpose, the address is not suppressed, somebody said yes, nobody's last word is no."""
        last: dict[int, State] = {}
        for row in sorted((row for row in self.ledger if row.at <= at and (row.purpose, row.channel) == (purpose, channel)), key=lambda row: (row.at, row.record_id)):
            last[row.identity_id] = row.state
        noes = {State.REFUSED, State.WITHDRAWN, State.EXPIRED} & set(last.values())
        stopped = {SUPPRESSIONS[reason] for listed, reason in self.suppressed if listed is channel}
        if channel not in PURPOSES[purpose].channels:
            return False
        if PURPOSES[purpose].basis is Basis.CONTRACT:
            return True not in stopped
        said_yes = State.GIVEN in last.values() or PURPOSES[purpose].basis is Basis.LEGITIMATE_INTEREST
        return not stopped and said_yes and not noes


Gate.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_the_gate_agrees_with_its_rule_in_words = Gate.TestCase


def test_an_unknown_purpose_is_a_no() -> None:
    given = Recorded(1, 1, "dreams", Channel.EMAIL, State.GIVEN, START)
    assert not judge(Terms(None, Channel.EMAIL, START), [given]).allowed


@pytest.mark.parametrize("no", [State.REFUSED, State.WITHDRAWN, State.EXPIRED])
@pytest.mark.parametrize("minute", [-5, 5])
def test_one_no_counts_wherever_it_stands_among_the_names_of_a_person_and_however_old_it_is(no: State, minute: int) -> None:
    """The other names said yes or have not confirmed yet."""
    at = START + timedelta(hours=1)
    said = [(State.GIVEN, 0), (State.REQUESTED, 1), (State.GIVEN, 2), (no, minute)]
    rows = [Recorded(number, number, "marketing", Channel.EMAIL, state, START + timedelta(minutes=when)) for number, (state, when) in enumerate(said, 1)]
    for standing in permutations(rows):
        verdict = judge(Terms(PURPOSES["marketing"], Channel.EMAIL, at), standing)
        assert (verdict.allowed, verdict.record_id) == (False, 4)
    for standing in permutations(rows[:3]):
        verdict = judge(Terms(PURPOSES["marketing"], Channel.EMAIL, at), standing)
        assert (verdict.allowed, verdict.record_id) == (True, 3), "rests on the newest yes"
