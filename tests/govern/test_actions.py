"""The door of `govern` with a real ledger: what intake asks, what senders ask, requests of persons, the audit log."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import psycopg
import pytest

from cegla.govern import actions as govern
from cegla.govern.rules.signals import Settled
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Basis, Channel, Decision, State
from cegla.vocabulary.events import Event, Reason

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
SITE, SHOP = 1, 2
BASES = {SITE: Basis.CONSENT, SHOP: Basis.CONTRACT}


def event(minute: int = 0, source: int = SITE, name: str = "Page Viewed", **consent: Any) -> Event:
    moment = NOW + timedelta(minutes=minute)
    context = {"consent": {"categoryPreferences": consent, "noticeVersion": "3"}} if consent else {}
    return Event(source_id=source, message_id=f"m{minute}", kind="track", name=name, occurred_at=moment, received_at=moment, context=context)


def ask(conn: Connection, *events: Event, identity: int = 7) -> govern.Asked:
    return govern.ask(conn, events, [identity] * len(events), BASES, NOW)


def given(identity: int, purpose: str = "marketing", channel: Channel = Channel.EMAIL, state: State = State.GIVEN, minute: int = 0) -> Decision:
    return Decision(identity, purpose, channel, state, NOW + timedelta(minutes=minute), SHOP, "import", {"form": "newsletter"})


def may(ws: Workspace, conn: Connection, identities: list[int], minute: int = 60, address: str = "anna@example.pl", purpose: str = "marketing") -> str:
    subject = govern.Subject(identities[0], identities, address)
    return govern.allowed(conn, ws.keys, [subject], purpose, Channel.EMAIL, NOW + timedelta(minutes=minute))[0].reason


def test_a_site_that_needs_consent_keeps_nothing_before_it_and_everything_after(conn: Connection) -> None:
    asked = ask(conn, event(0), event(1, analytics=True), event(2), event(3, analytics=False), event(4))
    assert asked.kept == [False, True, True, False, False]
    assert {row.reason for row in asked.set_aside} == {Reason.NO_CONSENT} and all(row.payload is None for row in asked.set_aside)


def test_consent_given_in_one_batch_holds_in_the_next(conn: Connection) -> None:
    ask(conn, event(1, analytics=True))
    assert ask(conn, event(2)).kept == [True]
    assert ask(conn, event(2), identity=8).kept == [False]


def test_a_source_that_rests_on_a_contract_needs_no_consent_and_an_unknown_source_does(conn: Connection) -> None:
    assert ask(conn, event(source=SHOP), event(source=99)).kept == [True, False]


def test_a_state_repeated_with_every_event_is_one_decision_and_each_change_is_another(conn: Connection) -> None:
    ask(conn, *(event(minute, analytics=True, marketing_email=True) for minute in range(5)))
    ask(conn, event(6, analytics=True, marketing_email=True))
    ask(conn, event(7, analytics=True, marketing_email=False))
    states = sorted((row.purpose, row.state.value) for row in govern.decisions_of(conn, [7]))
    assert states == [("analytics", "given"), ("marketing", "given"), ("marketing", "withdrawn")]


def test_the_preference_event_is_always_recorded(conn: Connection) -> None:
    for minute in (1, 2):
        ask(conn, event(minute, SHOP, "Segment Consent Preference Updated", marketing_sms=True))
    assert len(govern.decisions_of(conn, [7])) == 2


@pytest.mark.parametrize("name", ["Unsubscribed", "unsubscribe", "email_unsubscribed", "EmailUnsubscribed", "Email Marked as Spam"])
def test_an_event_by_which_somebody_leaves_a_list_withdraws(conn: Connection, name: str) -> None:
    ask(conn, event(1, SHOP, marketing_email=True, marketing_sms=True))
    ask(conn, event(2, SHOP, name))
    standing = {(row.channel.value, row.state.value, row.method) for row in govern.binding_decisions(conn, [7], NOW + timedelta(hours=1)) if row.purpose == "marketing"}
    assert standing == {("email", "withdrawn", "withdrawal_event"), ("sms", "given", "event")}


def test_leaving_names_its_channel_and_purpose_and_what_this_installation_tells_of_itself_decides_nothing(conn: Connection) -> None:
    ask(conn, event(1, SHOP, marketing_email=True, marketing_sms=True, email_tracking=True))
    memory = govern.LedgerMemory()
    memory.own = {SHOP}
    leaving = event(2, SHOP, "Unsubscribed")
    govern.ask(conn, [leaving], [7], BASES, NOW, memory)
    assert {row.state for row in govern.decisions_of(conn, [7])} == {State.GIVEN}
    for properties in ({"channel": "sms"}, {"purpose": "marketing", "channel": "all"}):
        ask(conn, msgspec.structs.replace(leaving, properties=properties))
    standing = {(row.purpose, row.channel.value): row.state for row in govern.binding_decisions(conn, [7], NOW + timedelta(hours=1))}
    assert {standing["marketing", channel] for channel in ("email", "sms")} == {State.WITHDRAWN} and standing["email_tracking", "email"] is State.GIVEN
    assert {standing["marketing", channel] for channel in ("push", "site")} == {State.REFUSED}


def test_a_browser_that_still_remembers_a_yes_takes_back_no_withdrawal_made_elsewhere(conn: Connection) -> None:
    memory = govern.LedgerMemory()
    memory.browsers = {SITE}
    govern.ask(conn, [event(1, analytics=True, marketing_email=True)], [7], BASES, NOW, memory)
    govern.record(conn, [Decision(7, "marketing", Channel.EMAIL, State.WITHDRAWN, NOW + timedelta(minutes=2), SHOP, "one_click", {})], NOW)
    for minute, name, state in ((3, "Page Viewed", State.WITHDRAWN), (4, "Segment Consent Preference Updated", State.GIVEN)):
        govern.ask(conn, [event(minute, name=name, analytics=True, marketing_email=True)], [7], BASES, NOW, memory)
        assert [row.state for row in govern.binding_decisions(conn, [7], NOW + timedelta(hours=1)) if row.purpose == "marketing"] == [state]


def test_answers_that_are_neither_true_nor_false_say_nothing(conn: Connection) -> None:
    assert ask(conn, event(1, analytics="yes", unknown=True)).kept == [False]
    assert govern.decisions_of(conn, [7]) == []


def test_global_privacy_control_is_an_objection_to_profiling(workspace: Workspace, conn: Connection) -> None:
    signalled = Event(source_id=SHOP, message_id="g", kind="page", name="", occurred_at=NOW, received_at=NOW, context={"gpc": True})
    ask(conn, signalled)
    verdict = govern.allowed(conn, workspace.keys, [govern.Subject(7, [7])], "profiling", Channel.NONE, NOW)[0]
    assert (verdict.allowed, verdict.reason) == (False, "objected")


def test_a_clock_that_runs_ahead_cannot_consent_in_the_future(conn: Connection) -> None:
    ahead = Event(source_id=SHOP, message_id="a", kind="page", name="", occurred_at=NOW + timedelta(days=9), received_at=NOW, context=event(0, marketing_email=True).context)
    ask(conn, ahead)
    assert govern.decisions_of(conn, [7])[0].at == NOW


def test_the_gate_answers_as_of_a_moment_and_names_the_decision_it_rests_on(workspace: Workspace, conn: Connection) -> None:
    govern.record(conn, [given(7), given(7, state=State.WITHDRAWN, minute=10)], NOW)
    assert [may(workspace, conn, [7], minute) for minute in (-1, 5, 10)] == ["no_consent", "ok", "withdrawn"]
    verdict = govern.allowed(conn, workspace.keys, [govern.Subject(7, [7], "a@b.pl")], "marketing", Channel.EMAIL, NOW)[0]
    assert verdict.decided_at == NOW and verdict.record_id == govern.decisions_of(conn, [7])[-1].record_id


def test_across_identities_the_most_restrictive_decision_holds(workspace: Workspace, conn: Connection) -> None:
    govern.record(conn, [given(7, minute=5), given(8, state=State.REFUSED)], NOW)
    assert may(workspace, conn, [7]) == "ok"
    assert may(workspace, conn, [7, 8]) == "no_consent"


def test_a_suppressed_address_is_found_in_every_spelling_and_only_as_a_fingerprint(workspace: Workspace, conn: Connection) -> None:
    govern.record(conn, [given(7)], NOW)
    govern.suppress(conn, workspace.keys, "Anna@Example.PL", Channel.EMAIL, "bounced", NOW)
    assert may(workspace, conn, [7], address=" anna@example.pl") == "suppressed"
    assert may(workspace, conn, [7], address="other@example.pl") == "ok"
    assert "anna" not in str(conn.execute("select * from govern.suppressed").fetchall()).lower()


def test_a_complaint_stops_marketing_but_not_the_order_confirmation(workspace: Workspace, conn: Connection) -> None:
    govern.record(conn, [given(7)], NOW)
    govern.suppress(conn, workspace.keys, "anna@example.pl", Channel.EMAIL, "complained", NOW)
    assert (may(workspace, conn, [7]), may(workspace, conn, [7], purpose="service")) == ("suppressed", "ok")


def test_decisions_cannot_be_changed(conn: Connection) -> None:
    govern.record(conn, [given(7)], NOW)
    with pytest.raises(psycopg.errors.RaiseException), conn.transaction():
        conn.execute("update govern.decisions set state = 'given'")


def test_the_audit_chain_shows_the_first_row_that_was_changed(conn: Connection) -> None:
    for number in range(5):
        govern.note(conn, "admin", "segment.save", f"segment {number}", {"members": number}, NOW)
    assert govern.first_broken_audit(conn) is None
    assert [row.number for row in govern.audit(conn, 2)] == [5, 4]
    conn.execute("alter table govern.audit disable trigger append_only")
    conn.execute("update govern.audit set actor = 'nobody' where number = 3")
    assert govern.first_broken_audit(conn) == 3
    conn.execute("update govern.audit set actor = 'admin' where number = 3")
    conn.execute("delete from govern.audit where number = 2")
    assert govern.first_broken_audit(conn) == 2


def test_erasing_a_person_asks_every_holder_suppresses_the_address_and_refuses_what_still_comes(workspace: Workspace) -> None:
    names = govern.Holder("names", lambda conn, ids: {"identifiers": [{"type": "email", "value": "anna@example.pl"}]}, lambda conn, ids: 1)
    holders = [names, govern.Holder("govern", govern.export_person, govern.erase_person)]
    with workspace.transaction() as conn:
        govern.record(conn, [given(7)], NOW)
    rehearsal = govern.erase_everything(workspace, [7], holders, "dpo", NOW, dry_run=True)
    assert rehearsal.rows == {"names": 1, "govern": 1, "warehouse": 0} and rehearsal.addresses == 1
    assert govern.export_everything(workspace, [7], holders, "dpo", NOW)["govern"]["decisions"][0]["proof"] == {"form": "newsletter"}
    assert govern.erase_everything(workspace, [7], holders, "dpo", NOW).rows == {"names": 1, "govern": 1, "warehouse": 0}
    with workspace.transaction() as conn:
        assert govern.decisions_of(conn, [7]) == []
        assert may(workspace, conn, [9]) == "suppressed"
        assert [row.reason for row in ask(conn, event(source=SHOP)).set_aside] == [Reason.SUPPRESSED]
        assert [row.action for row in govern.audit(conn)] == ["person.erase", "person.export"]


def test_a_memory_between_batches_changes_no_answer_and_no_decision(conn: Connection) -> None:
    for seed in range(25):
        chance, memory = random.Random(seed), govern.LedgerMemory()
        slow, fast = 1_000 * (seed + 1), 1_000 * (seed + 1) + 500
        for _ in range(6):
            batch, who = [_any_event(chance) for _ in range(8)], [chance.randrange(3) for _ in range(8)]
            remembering = govern.ask(conn, batch, [fast + one for one in who], BASES, NOW, memory)
            plain = govern.ask(conn, batch, [slow + one for one in who], BASES, NOW, _forgetful())
            assert (remembering.kept, remembering.decisions) == (plain.kept, plain.decisions), seed
            if chance.random() < 0.4:  # somebody clicks "unsubscribe" or is erased in between
                one, minute, state = chance.randrange(3), chance.randrange(40), chance.choice([State.GIVEN, State.WITHDRAWN])
                for base in (slow, fast):
                    govern.record(conn, [given(base + one, "analytics", Channel.NONE, state, minute)], NOW)
                    if minute < 3:
                        govern.erase_person(conn, [base + one])
        kept = [[(row.purpose, row.channel, row.state, row.at, row.method) for row in govern.decisions_of(conn, [one])] for base in (slow, fast) for one in range(base, base + 3)]
        assert kept[:3] == kept[3:], seed


def _forgetful() -> govern.LedgerMemory:
    """A memory that asks the ledger about every statement, also one that was heard a moment ago."""
    memory = govern.LedgerMemory()
    memory.settled = NeverFilled()
    return memory


class NeverFilled(dict[int, Settled]):
    def __setitem__(self, key: int, value: Settled) -> None:
        """Nothing is kept."""


def _any_event(chance: random.Random) -> Event:
    answers = {name: chance.choice([True, True, True, False, False, 1]) for name in ("analytics", "profiling") if chance.random() < 0.7}
    made = event(chance.randrange(40), chance.choice([SITE, SHOP]), chance.choice(["Page Viewed", "Page Viewed", "Segment Consent Preference Updated"]), **answers)
    if chance.random() < 0.2:
        made.context["gpc"] = chance.choice([True, "1", 0])
    return made
