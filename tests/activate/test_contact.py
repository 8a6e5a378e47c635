"""Rules across campaigns: how often, when, who goes first, no offer twice."""

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cegla.activate import actions as activate
from cegla.activate.rules.audience import arm_of, held_out
from cegla.activate.rules.contact import Contact, Limits, opens_at
from cegla.analyse import actions as analyse
from cegla.govern import actions as govern
from cegla.govern.rules.purposes import PURPOSES, Country, Register
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.messages import MessageState, SkipReason
from tests.activate.conftest import NOW, Shop

WARSAW = ZoneInfo("Europe/Warsaw")
NIGHT = Limits(1, time(21), time(8))


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        (datetime(2026, 11, 2, 9, 0, tzinfo=UTC), datetime(2026, 11, 2, 9, 0, tzinfo=UTC)),
        (datetime(2026, 11, 2, 20, 0, tzinfo=UTC), datetime(2026, 11, 3, 7, 0, tzinfo=UTC)),
        (datetime(2026, 11, 2, 6, 59, tzinfo=UTC), datetime(2026, 11, 2, 7, 0, tzinfo=UTC)),
        (datetime(2026, 10, 24, 20, 0, tzinfo=UTC), datetime(2026, 10, 25, 7, 0, tzinfo=UTC)),  # the night of 25 hours
        (datetime(2026, 3, 28, 21, 0, tzinfo=UTC), datetime(2026, 3, 29, 6, 0, tzinfo=UTC)),  # the night of 23
    ],
    ids=["day", "evening", "morning", "longer", "shorter"],
)  # fmt: skip
def test_quiet_hours_end_by_the_persons_own_clock(moment: datetime, opens: datetime) -> None:
    assert opens_at(NIGHT, moment, WARSAW) == opens


@given(
    moment=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)), begin=st.times(), end=st.times(),
    zone=st.sampled_from(["Europe/Warsaw", "America/New_York", "Australia/Lord_Howe", "UTC"]),
)  # fmt: skip
def test_what_is_held_goes_once_later_and_never_in_quiet_hours(moment: datetime, begin: time, end: time, zone: str) -> None:
    limits, at = Limits(0, begin, end), moment.replace(tzinfo=UTC)
    opens = opens_at(limits, at, ZoneInfo(zone))
    assert at <= opens <= at + timedelta(hours=26)
    if opens > at:
        assert opens_at(limits, opens, ZoneInfo(zone)) <= opens + timedelta(hours=1)


def test_reasons_come_in_one_order() -> None:
    assert Contact(week=9, today=9, offered=True).reason(1, 1, waiting=True) is SkipReason.OFFER_REPEATED
    assert Contact(week=2, today=2).reason(2, 2, waiting=False) is SkipReason.CAPPED
    assert Contact(week=1, week_waiting=1).reason(2, 0, waiting=False) is None
    assert Contact(today=2).reason(0, 2, waiting=False) is SkipReason.CAPPED_TODAY
    assert Contact(today=1, ahead=1).reason(0, 2, waiting=False) is SkipReason.LOST_SLOT


def test_variants_are_drawn_by_their_shares_and_apart_from_the_holdout() -> None:
    drawn = Counter(arm_of(7, person, (("A", 1), ("B", 1), ("C", 2))) for person in range(40_000))
    assert all(abs(drawn[key] / 40_000 - share) < 0.01 for key, share in (("A", 0.25), ("B", 0.25), ("C", 0.5)))
    held = [person for person in range(40_000) if held_out(7, person, 10)]
    assert abs(sum(arm_of(7, person, (("A", 1), ("B", 1))) == "A" for person in held) / len(held) - 0.5) < 0.03


def test_a_day_is_the_persons_own_and_the_third_message_of_it_is_not_sent(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    for _ in range(2):
        activate.launch(shop.ws, shop.campaign().id)
        shop.deliver(1)
    assert activate.audience(shop.ws, shop.campaign().id).reasons == {"capped_today": 1}
    shop.now = datetime(2026, 11, 2, 23, 30, tzinfo=UTC)  # the next day in Warsaw, the same in UTC
    assert activate.audience(shop.ws, shop.campaign().id).reachable == 1
    shop.tell({"type": "identify", "userId": "anna", "traits": {"timezone": "America/New_York"}})
    shop.take_in()
    assert activate.audience(shop.ws, shop.campaign().id).reasons == {"capped_today": 1}


def test_the_day_that_counts_is_the_one_on_which_the_message_goes(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    campaign = shop.campaign(send_at=datetime(2026, 11, 3, 10, 0), clock="person")
    activate.launch(shop.ws, campaign.id)
    for _ in range(2):  # the two of Monday
        activate.launch(shop.ws, shop.campaign().id)
        shop.deliver(1)
    shop.now = datetime(2026, 11, 2, 20, 0, tzinfo=UTC)  # Tuesday at ten on the first islands, Monday evening in Warsaw
    assert activate.audience(shop.ws, shop.campaign().id).reasons == {"capped_today": 1}
    activate.start_due(shop.ws)
    shop.now = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
    shop.deliver(1)
    assert shop.states(campaign.id) == {"anna": "sent"}


def test_what_waits_for_another_day_takes_no_slot_of_this_one(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    with shop.ws.transaction() as conn:
        activate.set_limits(conn, "email", activate.Limits(1), shop.now)
    activate.launch(shop.ws, shop.campaign(send_at=datetime(2026, 11, 3, 10, 0), clock="person", priority=9).id)
    shop.now = datetime(2026, 11, 2, 20, 0, tzinfo=UTC)
    activate.start_due(shop.ws)
    assert activate.audience(shop.ws, shop.campaign().id).reachable == 1
    assert activate.audience(shop.ws, shop.campaign(send_at=datetime(2026, 11, 3, 12, 0), clock="person").id).reasons == {"lost_slot": 1}


def test_of_two_waiting_campaigns_the_higher_priority_gets_the_slot(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    with shop.ws.transaction() as conn:
        activate.set_limits(conn, "email", activate.Limits(1), shop.now)
    low = shop.campaign(name="zwykła")
    high = shop.campaign(name="ważna", priority=9)
    activate.launch(shop.ws, low.id)
    activate.launch(shop.ws, high.id)
    shop.deliver(3)
    assert shop.states(high.id) == {"anna": "sent"} and shop.states(low.id)["anna"] in ("lost_slot", "capped_today")
    assert len(shop.postbox.letters) == 1


def test_the_same_offer_does_not_come_twice(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    activate.launch(shop.ws, shop.campaign(offer="kubek-20", offer_days=10).id)
    shop.deliver(1)
    shop.pass_time(days=9)
    assert activate.audience(shop.ws, shop.campaign(offer="kubek-20", offer_days=10).id).reasons == {"offer_repeated": 1}
    assert activate.audience(shop.ws, shop.campaign(offer="talerz").id).reachable == 1
    shop.pass_time(days=2)
    assert activate.audience(shop.ws, shop.campaign(offer="kubek-20", offer_days=10).id).reachable == 1


def test_quiet_hours_hold_a_letter_and_let_it_go_when_they_end(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    with shop.ws.transaction() as conn:
        activate.set_limits(conn, "email", activate.Limits(2, time(9), time(12)), shop.now)
    campaign = shop.campaign()
    assert activate.audience(shop.ws, campaign.id).held == 1
    activate.launch(shop.ws, campaign.id)
    shop.deliver(3)
    assert shop.postbox.letters == [] and shop.states(campaign.id) == {"anna": "decided"}
    with shop.ws.transaction() as conn:
        activate.set_limits(conn, "email", activate.Limits(2, time(9), time(14)), shop.now)
    shop.now = datetime(2026, 11, 2, 11, 0, tzinfo=UTC)
    shop.deliver(1)
    assert shop.states(campaign.id) == {"anna": "decided"}, "its moment has come, and quiet hours of then are others"
    shop.now = datetime(2026, 11, 2, 13, 0, tzinfo=UTC)
    shop.deliver(1)
    assert shop.states(campaign.id) == {"anna": "sent"}


def test_messages_a_contract_needs_know_no_caps(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    for _ in range(4):
        activate.launch(shop.ws, shop.campaign(purpose="service").id)
        shop.deliver(1)
    assert len(shop.postbox.letters) == 4
    assert activate.audience(shop.ws, shop.campaign().id).reachable == 1


def test_the_law_of_the_declared_country_holds_and_a_company_is_asked_where_it_says_so(shop: Shop) -> None:
    """Poland asks companies too; a country that does not needs no yes from a company, and still one from a person."""
    for user, traits in (("jan", {"country": "DE", "customer_type": "b2b"}), ("ute", {"country": "DE"}), ("ewa", {"country": "PL", "customer_type": "b2b"})):
        shop.person(user)
        shop.tell({"type": "identify", "userId": user, "traits": traits})
    news = govern.Purpose(key="news", label=PURPOSES["marketing"].label, basis=govern.SHIPPED.purposes["profiling"].basis, channels=(Channel.EMAIL,),
                          retention_days=100, commercial=True)  # fmt: skip
    lax = Country(code="DE", prior_consent=(Channel.EMAIL,), companies_too=False)
    with shop.ws.transaction() as conn:
        register = Register({**PURPOSES, "news": news}, {**govern.SHIPPED.countries, "DE": lax}, controller=govern.SHIPPED.controller)
        govern.register.apply(conn, register, "test", "a country", NOW)
    campaign = shop.campaign(purpose="news")
    activate.launch(shop.ws, campaign.id)
    assert shop.states(campaign.id) == {"jan": "decided", "ute": "no_consent", "ewa": "no_consent"}


def test_a_campaign_with_variants_and_a_holdout_is_reported_by_what_people_bought(shop: Shop) -> None:
    for number in range(120):
        shop.person(f"k{number}", marketing_email=True, email_tracking=True)
    campaign = shop.campaign(holdout_percent=30, goal="orders", variants=[{"key": "B", "subject": "Inny temat"}])
    launched = activate.launch(shop.ws, campaign.id)
    shop.deliver(4)
    with shop.ws.transaction() as conn:
        people = {row.address: row for row in activate.messages_of(conn, campaign_id=campaign.id, limit=1_000)}
        drawn = Counter(one[0] for one in activate.arms(conn, campaign.id))
    assert set(drawn) == {"A", "B", "holdout"} and launched.skipped == {"holdout": drawn["holdout"]}
    subjects = Counter(shop.postbox.letter(address)["Subject"] == "Inny temat" for address in shop.postbox.recipients)
    assert subjects == {True: drawn["B"], False: drawn["A"]}
    shop.pass_time(hours=3)
    buyers = [address for address, row in people.items() if row.state is MessageState.SENT and row.version != campaign.version]
    for one in buyers:
        order = {"order_id": f"n-{one}", "total": 100, "currency": "PLN"}
        shop.tell({"type": "track", "event": "Order Completed", "userId": str(one).partition("@")[0], "properties": order})
    shop.take_in()
    found = analyse.experiment_of(shop.ws, campaign.id, shop.now)
    arms = {one.key: one for one in found.arms}
    assert (arms["B"].buyers, arms["B"].value_micros) == (drawn["B"], drawn["B"] * 100_000_000) and arms["A"].orders == arms["holdout"].orders == 0
    assert found.variants is not None and found.variants.verdict == "better" and found.variants.winner == "B"
    assert found.against_holdout is not None
    value, low, high = found.against_holdout.orders
    assert low < value < high and value == pytest.approx(drawn["B"], abs=0.01)


def test_an_end_that_the_clock_skips_is_the_first_moment_after_the_gap() -> None:
    limits, asked = Limits(1, time(21), time(2, 30)), datetime(2026, 3, 28, 22, 0, tzinfo=UTC)
    assert opens_at(limits, asked, ZoneInfo("Europe/Warsaw")) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
