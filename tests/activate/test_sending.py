"""Handing over: what servers answer, and what a crash leaves."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from cegla.activate import actions as activate
from cegla.activate import sending, store
from cegla.activate.channels.email import Mailer
from cegla.activate.letters import Writer, signed
from cegla.activate.rules import tokens
from cegla.activate.rules.destinations import destination_of
from cegla.activate.rules.dialog import Letter
from cegla.activate.rules.returning import AMBIGUOUS, BOUNCED, SENT
from cegla.activate.signing import Signatory
from cegla.activate.store import SQL
from cegla.govern import actions as govern
from cegla.regrouping import take_link_back
from cegla.resolve import actions as resolve
from cegla.vocabulary.consent import Channel, Decision, State
from cegla.vocabulary.errors.messages import MailServerRefused
from cegla.vocabulary.identifiers import Identifier
from cegla.vocabulary.messages import MessageState
from tests.activate.conftest import Postbox, Shop

USERS = ("anna", "bartek", "celina", "darek")


class Crash(BaseException):
    """The process ends here."""


def launched(shop: Shop, *users: str, **draft: Any) -> int:
    for user in users:
        shop.person(user, marketing_email=True)
    campaign = shop.campaign(**draft)
    activate.launch(shop.ws, campaign.id)
    return campaign.id


def trouble(shop: Shop, campaign_id: int) -> str | None:
    with shop.ws.transaction() as conn:
        return activate.campaign(conn, campaign_id).trouble


def test_a_dead_address_bounces_once_and_is_never_written_to_again(shop: Shop) -> None:
    shop.postbox.answers["anna@example.pl"] = "550 5.1.1 user unknown"
    campaign = launched(shop, "anna", "bartek")
    shop.deliver(2)
    assert shop.states(campaign) == {"anna": "bounced", "bartek": "sent"}
    assert len(shop.events(BOUNCED)) == 1
    assert activate.audience(shop.ws, shop.campaign().id).reasons == {"suppressed": 1}


def test_what_is_said_after_the_gate_was_asked_holds_at_the_hand_off_and_keeps_nobody_else_waiting(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = launched(shop, "anna", "bartek", "celina")
    honest = sending.Round.written

    def meanwhile(*args: Any) -> Any:
        with shop.ws.transaction() as conn:
            govern.suppress(conn, shop.ws.keys, "anna@example.pl", Channel.EMAIL, "complained", shop.now)
            (bartek,) = [row.identity_id for row in activate.messages_of(conn, campaign_id=campaign) if row.address == "bartek@example.pl"]
            assert bartek is not None
            govern.record(conn, [Decision(bartek, "marketing", Channel.EMAIL, State.WITHDRAWN, shop.now, 1, "centre", {})], shop.now)
        return honest(*args)

    with monkeypatch.context() as patch:
        patch.setattr(sending.Round, "written", meanwhile)
        shop.deliver(1)
    assert shop.states(campaign) == {"anna": "decided", "bartek": "decided", "celina": "sent"}
    shop.deliver(1)
    assert shop.states(campaign) == {"anna": "suppressed", "bartek": "withdrawn", "celina": "sent"} and shop.postbox.recipients == ["celina@example.pl"]


@pytest.mark.parametrize("answer", ["552 5.2.2 mailbox full", "550 5.7.1 blocked by policy", "554 spam"])
def test_a_refusal_that_is_not_about_the_address_leaves_the_address_good(shop: Shop, answer: str) -> None:
    shop.postbox.answers["anna@example.pl"] = answer
    campaign = launched(shop, "anna")
    shop.deliver(2)
    assert shop.states(campaign) == {"anna": "bounced"}
    assert activate.audience(shop.ws, shop.campaign().id).reachable == 1


def test_a_temporary_refusal_is_tried_again_and_again_and_then_given_up(shop: Shop) -> None:
    shop.postbox.answers["anna@example.pl"] = "451 4.7.1 greylisted"
    campaign = launched(shop, "anna", "bartek")
    shop.deliver(2)
    assert shop.states(campaign) == {"anna": "decided", "bartek": "sent"}
    shop.pass_time(minutes=2)
    shop.postbox.answers.clear()
    shop.deliver(1)
    assert shop.postbox.recipients == ["bartek@example.pl", "anna@example.pl"]
    shop.postbox.answers["celina@example.pl"] = "451 4.2.0 later"
    campaign = launched(shop, "celina")
    for _ in range(10):
        shop.pass_time(hours=13)
        shop.deliver(1)
    assert shop.states(campaign)["celina"] == "failed"


def test_a_temporary_refusal_of_the_content_is_tried_again(shop: Shop) -> None:
    shop.postbox.verdicts["anna@example.pl"] = "451 4.3.0 busy"
    campaign = launched(shop, "anna")
    shop.deliver(1)
    assert shop.states(campaign) == {"anna": "decided"}
    shop.postbox.verdicts.clear()
    shop.pass_time(minutes=2)
    shop.deliver(1)
    assert shop.postbox.recipients == ["anna@example.pl"]


def test_while_the_mail_server_is_away_the_campaign_keeps_its_messages_and_says_so(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = launched(shop, "anna", "bartek")
    port = shop.ws.settings.smtp.port
    shop.outlet.mailer = Mailer(shop.ws.settings.smtp.model_copy(update={"port": 1}))
    shop.deliver(3)
    assert shop.states(campaign) == {"anna": "decided", "bartek": "decided"} and trouble(shop, campaign)
    with pytest.raises(MailServerRefused):
        activate.test_send(shop.ws, campaign, "me@example.pl", shop.outlet)
    shop.outlet.mailer = Mailer(shop.ws.settings.smtp.model_copy(update={"port": port}))
    shop.pass_time(minutes=5)
    shop.deliver(2)
    assert sorted(shop.postbox.recipients) == ["anna@example.pl", "bartek@example.pl"] and trouble(shop, campaign) is None


def test_without_a_mail_server_the_reason_is_plain(shop: Shop) -> None:
    shop.outlet.mailer = Mailer(shop.ws.settings.smtp.model_copy(update={"host": ""}))
    campaign = launched(shop, "anna")
    shop.deliver(1)
    assert "nie ustawiono serwera poczty" in (trouble(shop, campaign) or "")


def test_when_the_connection_dies_after_the_content_nobody_knows_and_it_is_said_and_not_sent_again(shop: Shop) -> None:
    shop.postbox.verdicts["anna@example.pl"] = "die"
    campaign = launched(shop, "anna", "bartek")
    shop.deliver(5)
    assert shop.states(campaign) == {"anna": "ambiguous", "bartek": "sent"}
    assert shop.postbox.recipients.count("anna@example.pl") == 1
    assert len(shop.events(AMBIGUOUS)) == 1


def test_a_connection_that_idled_away_is_renewed(shop: Shop) -> None:
    launched(shop, "anna")
    shop.deliver(1)
    mailer = shop.outlet.mailer
    for line in list(mailer._lines):
        mailer._loop.call_soon_threadsafe(line._transport.abort)
    campaign = launched(shop, "bartek")
    shop.deliver(1)
    assert shop.states(campaign) == {"anna": "sent", "bartek": "sent"}


def test_a_word_said_while_a_campaign_leaves_is_heard_before_the_next_letter(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "GROUP", 1)
    campaign = launched(shop, "anna", "bartek", "celina")
    submit, withdrawn = shop.outlet.mailer.submit, list[str]()

    def withdraw_meanwhile(letters: Sequence[Letter]) -> None:
        submit(letters)
        shop.pass_time(seconds=1)
        with shop.ws.transaction() as conn:
            last = activate.messages_of(conn, campaign_id=campaign)[0]
        activate.unsubscribe(shop.ws, signed(shop.ws.keys, tokens.UNSUBSCRIBE, last.id), act=True)
        withdrawn.append((last.address or "").partition("@")[0])

    monkeypatch.setattr(shop.outlet.mailer, "submit", withdraw_meanwhile)
    shop.deliver(2)
    states = shop.states(campaign)
    assert states.pop(withdrawn[0]) == "withdrawn" and set(states.values()) == {"sent"} and len(shop.postbox.recipients) == 2


def test_messages_behind_those_of_a_closed_destination_are_found(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "WALK", 2)
    for user in ("adam", "beata", "cezary"):
        shop.person(user, email=f"{user}@gmail.com", marketing_email=True)
    campaign = launched(shop, "zofia")
    with shop.ws.transaction() as conn:
        SQL.slow_destination(conn, key=destination_of("a@gmail.com"), until=shop.now + timedelta(hours=1), stop=True, said="", now=shop.now)
    shop.deliver(2)
    assert shop.postbox.recipients == ["zofia@example.pl"]
    shop.pass_time(hours=2)
    shop.deliver(2)
    assert set(shop.states(campaign).values()) == {"sent"}


def test_messages_that_wait_for_a_winner_hide_none_behind_them(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "WALK", 1)
    shop.person("adam", email="adam@gmail.com", marketing_email=True)
    campaign = launched(shop, "anna", "zofia")
    with shop.ws.transaction() as conn:
        conn.execute("update activate.messages set due_at = due_at - interval '2 hours' where address = 'adam@gmail.com'")
        conn.execute("update activate.messages set due_at = due_at - interval '1 hour', arm = 'rest' where address = 'anna@example.pl'")
        found = store.due(conn, campaign, shop.now, 8, [destination_of("a@gmail.com")])
    assert [row[3] for row in found] == ["zofia@example.pl"]


def test_while_one_sender_works_another_does_nothing(shop: Shop) -> None:
    launched(shop, "anna")
    with shop.ws.transaction() as conn:
        assert SQL.become_only_sender(conn)
        assert activate.deliver(shop.ws, shop.now, shop.outlet).counts == {}
        SQL.let_others_send(conn)
    shop.deliver(1)
    assert shop.postbox.recipients == ["anna@example.pl"]


def crash_at(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, *, before: bool) -> Callable[[], bool]:
    """Let the second call of a step end the process, before or after it did its work; the answer says whether it happened."""
    honest, calls = getattr(owner, name), [0]

    def step(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if before and calls[0] == 2:
            raise Crash
        result = honest(*args, **kwargs)
        if calls[0] == 2:
            raise Crash
        return result

    monkeypatch.setattr(owner, name, step)
    return lambda: calls[0] >= 2


STEPS = [
    (sending.Round, "allowance"), (sending.Round, "hand_over"), (sending.Round, "answered"), (sending.Round, "keep"), (sending.Round, "tell"),
    (sending.Round, "settle"), (sending.Round, "land"), (sending.Round, "written"), (Writer, "compose"), (Writer, "unsigned"), (Signatory, "begin"), (Signatory, "finish"), (Mailer, "submit"),
    (SQL, "begin_hand_off"), (SQL, "end_messages"), (SQL, "due_messages"), (SQL, "set_bucket"), (SQL, "count_day"),
]  # fmt: skip


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize(("owner", "name"), STEPS, ids=[name for _, name in STEPS])
def test_a_crash_at_any_step_doubles_nothing_and_loses_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, before: bool) -> None:
    campaign = launched(shop, *USERS, messages_per_minute=120)
    with monkeypatch.context() as patch:
        happened = crash_at(patch, owner, name, before=before)
        with pytest.raises(Crash):
            shop.deliver(6)
        assert happened()
    shop.outlet.close()
    shop.deliver(6)
    states, got = shop.states(campaign), shop.postbox.recipients
    assert len(got) == len(set(got)), "somebody got it twice"
    assert set(states.values()) <= {"sent", "ambiguous"} and len(states) == len(USERS)
    assert list(states.values()).count("ambiguous") <= 2, "more than the letters of one group, here those of one second's pace"
    assert all(f"{user}@example.pl" in got for user, state in states.items() if state == "sent"), "somebody is said to have it and has not"
    assert len(set(shop.events(SENT))) == list(states.values()).count("sent")
    with shop.ws.transaction() as conn:
        assert activate.campaign(conn, campaign).count(MessageState.DECIDED, MessageState.HANDING_OFF) == 0


@pytest.mark.parametrize("name", ["start_campaign", "add_messages"])
def test_a_crash_while_launching_leaves_a_draft(shop: Shop, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    shop.person("anna", marketing_email=True)
    campaign = shop.campaign()

    def crash(*args: Any, **kwargs: Any) -> None:
        raise Crash

    with monkeypatch.context() as patch, pytest.raises(Crash):
        patch.setattr(SQL, name, crash)
        activate.launch(shop.ws, campaign.id)
    assert shop.states(campaign.id) == {}
    assert activate.launch(shop.ws, campaign.id).state == "sending"
    shop.deliver(1)
    assert shop.postbox.recipients == ["anna@example.pl"]


def test_a_retry_keeps_the_message_id(shop: Shop, postbox: Postbox) -> None:
    postbox.verdicts["anna@example.pl"] = "451 4.3.0 busy"
    launched(shop, "anna")
    shop.deliver(1)
    with shop.ws.transaction() as conn:
        before = activate.messages_of(conn)[0].id
    postbox.verdicts.clear()
    shop.now += timedelta(minutes=2)
    shop.deliver(1)
    assert postbox.letter("anna@example.pl")["Message-ID"] == f"<m{before}@example.pl>"


def join(shop: Shop, one: str, other: str) -> None:
    """The shop says that two users are one person."""
    shop.tell({"type": "alias", "userId": one, "previousId": other})
    shop.take_in()


def test_people_who_are_joined_after_the_launch_get_one_letter_between_them(shop: Shop) -> None:
    campaign = launched(shop, "anna", "bartek", "celina")
    join(shop, "anna", "bartek")
    shop.deliver(4)
    assert sorted(shop.states(campaign).values()) == ["got_it_elsewhere", "sent", "sent"]
    assert len(shop.postbox.recipients) == 2


def test_who_was_joined_to_somebody_already_reached_gets_no_second_letter(shop: Shop) -> None:
    shop.postbox.answers["bartek@example.pl"] = "451 4.7.1 greylisted"
    campaign = launched(shop, "anna", "bartek")
    shop.deliver(2)
    join(shop, "anna", "bartek")
    shop.postbox.answers.clear()
    shop.pass_time(hours=1)
    shop.deliver(2)
    assert shop.states(campaign) == {"anna": "sent", "bartek": "got_it_elsewhere"}


def test_the_cap_counts_what_a_person_got_under_every_address_they_have_today(shop: Shop) -> None:
    launched(shop, "anna")
    shop.deliver(1)
    second = launched(shop, "bartek", cap=1)
    assert shop.states(second) == {"anna": "capped", "bartek": "decided"}
    join(shop, "anna", "bartek")
    shop.deliver(2)
    assert shop.states(second) == {"anna": "capped", "bartek": "capped"}
    assert activate.audience(shop.ws, shop.campaign(cap=1).id).reasons == {"capped": 1}


def test_people_parted_again_have_their_own_messages_and_caps(shop: Shop) -> None:
    launched(shop, "anna")
    shop.deliver(1)
    shop.person("bartek", marketing_email=True)
    join(shop, "anna", "bartek")
    with shop.ws.transaction() as conn:
        (person,) = set(resolve.look_up(conn, [Identifier("user_id", "anna"), Identifier("user_id", "bartek")]))
        edge = next(edge for edge in resolve.links.edges_of(conn, person or 0) if {edge.strong.value, edge.weak.value} == {"anna", "bartek"} and edge.strong.type == edge.weak.type)
    take_link_back(shop.ws, edge.edge_id, "ola")
    audience = activate.audience(shop.ws, shop.campaign(cap=1).id)
    assert (audience.reachable, audience.reasons) == (1, {"capped": 1})
    with shop.ws.transaction() as conn:
        ids = {user: [one.identity_id for one in resolve.identifiers_of(conn, [person]).get(person, [])] for user, person in zip(("anna", "bartek"), resolve.look_up(conn, [Identifier("user_id", "anna"), Identifier("user_id", "bartek")]), strict=True) if person}
        assert [len(activate.messages_of(conn, people=ids[user])) for user in ("anna", "bartek")] == [1, 0]
