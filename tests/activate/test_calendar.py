"""When campaigns and each of their messages go: the shop's clock, each person's own, their usual hour; pauses; the variant chosen for the rest."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cegla.activate import actions as activate
from cegla.activate.rules.pace import Bucket, refilled
from cegla.activate.rules.timing import CLOCKS, Timing, begins_at, due_at, moment, next_hour, sure_hour, usual_hour
from cegla.analyse import actions as analyse
from cegla.profile import findings
from cegla.resolve import actions as resolve
from cegla.vocabulary.errors.messages import CampaignNotReady
from cegla.vocabulary.identifiers import Identifier
from tests.activate.conftest import NOW, Shop

WARSAW, TOKYO, APIA = (ZoneInfo(name) for name in ("Europe/Warsaw", "Asia/Tokyo", "Pacific/Kiritimati"))
ZONES = st.sampled_from([WARSAW, TOKYO, APIA, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Asia/Kathmandu")])
WALLS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1))


@given(wall=WALLS, zone=ZONES)
def test_a_wall_clock_is_one_moment_and_one_that_is_skipped_is_the_first_after_the_gap(wall: datetime, zone: ZoneInfo) -> None:
    shown = moment(wall, zone).astimezone(zone).replace(tzinfo=None)
    assert wall <= shown <= wall + timedelta(hours=1)
    before = (moment(wall, zone) - timedelta(minutes=1)).astimezone(zone).replace(tzinfo=None)
    assert before < wall


@given(wall=WALLS, shop=ZONES, person=ZONES, clock=st.sampled_from(CLOCKS), hour=st.none() | st.integers(0, 23))
def test_nobodys_moment_comes_before_the_audience_is_decided_nor_more_than_a_day_after_the_last(
    wall: datetime, shop: ZoneInfo, person: ZoneInfo, clock: str, hour: int | None
) -> None:
    timing = Timing(wall, clock)  # type: ignore[arg-type]
    begun = begins_at(timing, shop)
    assert begun is not None
    due = due_at(timing, begun, (person, shop), hour)
    assert begun <= due <= begun + timedelta(hours=27)
    if clock == "person":
        assert due == moment(wall, person), "each person's own clock shows what was wanted"
    if clock == "usual" and hour is not None:
        assert due.astimezone(shop).hour == hour or due.astimezone(shop).hour == (hour + 1) % 24, "but on the night that skips it"


def test_the_usual_hour_is_todays_if_it_is_still_to_come_and_now_while_it_lasts() -> None:
    noon = datetime(2026, 11, 2, 11, 30, tzinfo=UTC)  # half past twelve in Warsaw
    assert next_hour(noon, 18, WARSAW) == datetime(2026, 11, 2, 17, 0, tzinfo=UTC)
    assert next_hour(noon, 12, WARSAW) == noon
    assert next_hour(noon, 8, WARSAW) == datetime(2026, 11, 3, 7, 0, tzinfo=UTC)


@settings(deadline=None)
@given(per_minute=st.integers(1, 100_000), rest_seconds=st.floats(0.1, 1.9))
def test_a_speed_is_what_it_says_however_often_the_sender_looks(per_minute: int, rest_seconds: float) -> None:
    """Whole messages over two minutes: never more than the speed and its first second, and never a message and a second's worth less."""
    bucket, now, sent = None, NOW, 0
    while now < NOW + timedelta(minutes=2):
        filled = refilled(bucket, per_minute, now)
        sent += int(filled.tokens)
        bucket = Bucket(filled.tokens - int(filled.tokens), filled.at)
        now += timedelta(seconds=rest_seconds)
    assert 2 * per_minute - rest_seconds * per_minute / 60 - 1 <= sent <= 2 * per_minute + per_minute / 60 + 1


def test_whose_hour_is_not_sure_gets_that_of_the_others() -> None:
    found = {1: (18, 0.6), 2: (18, 0.4), 3: (9, 0.9), 4: (7, 0.1)}
    assert usual_hour(found.values()) == 18 and usual_hour([(7, 0.1)]) is None
    assert [sure_hour(found.get(person), 18) for person in (3, 4, 5)] == [9, 18, 18]


def test_a_campaign_for_later_waits_in_the_calendar_and_then_goes_by_each_persons_clock_through_the_gate_again(shop: Shop) -> None:
    for user, zone in (("anna", "Europe/Warsaw"), ("kenji", "Asia/Tokyo"), ("bartek", "Europe/Warsaw")):
        shop.person(user, marketing_email=True)
        shop.tell({"type": "identify", "userId": user, "traits": {"timezone": zone}})
    campaign = shop.campaign(send_at=datetime(2026, 11, 3, 10, 0), clock="person")
    assert activate.launch(shop.ws, campaign.id).state == "scheduled"
    assert activate.start_due(shop.ws) == [] and activate.cancel(shop.ws, campaign.id).state == "draft"
    activate.launch(shop.ws, campaign.id)
    shop.now = datetime(2026, 11, 2, 20, 0, tzinfo=UTC)  # ten in the morning of the third on the first islands
    shop.person("ewa", marketing_email=True)  # came before the audience is decided
    shop.take_in()
    assert activate.start_due(shop.ws) == [campaign.id]
    shop.deliver(2)
    assert shop.postbox.recipients == []
    shop.now = datetime(2026, 11, 3, 1, 0, tzinfo=UTC)
    shop.deliver(1)
    assert shop.postbox.recipients == ["kenji@example.pl"]
    shop.person("bartek", marketing_email=False)
    shop.take_in()
    shop.now = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
    shop.deliver(1)
    assert shop.states(campaign.id) == {"kenji": "sent", "anna": "sent", "ewa": "sent", "bartek": "withdrawn"}


def test_a_campaign_at_everybodys_usual_hour_goes_to_each_when_the_analyser_found_them_there(shop: Shop) -> None:
    for user in ("anna", "bartek", "celina"):
        shop.person(user, marketing_email=True)
    shop.take_in()
    analyser = findings.TRAITS["rhythm.best_send_hour"][0]
    with shop.ws.transaction() as conn:
        people = resolve.look_up(conn, [Identifier("email", f"{user}@example.pl") for user in ("anna", "bartek")])
        for person, hour in zip(people, (18, 20), strict=True):
            found = {"traits": {"rhythm.best_send_hour": {"value": hour, "confidence": 0.9, "n": 9}}, "facts": {}}
            findings.keep(conn, analyser, [(person or 0, json.dumps(found))], [person or 0], (0, "profiling", shop.now))
    campaign = shop.campaign(clock="usual")
    activate.launch(shop.ws, campaign.id)
    with shop.ws.transaction() as conn:
        due = dict(conn.execute("select left(address, 1), due_at from activate.messages").fetchall())
    assert {who: at.astimezone(shop.ws.settings.zone).hour for who, at in due.items()} == {"a": 18, "b": 20, "c": 18}


def test_a_scheduled_campaign_that_cannot_begin_says_why_and_holds_no_other_up(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    broken, sound = (shop.campaign(send_at=datetime(2026, 11, 2, 12, 0)) for _ in range(2))
    for one in (broken, sound):
        activate.launch(shop.ws, one.id)
    with shop.ws.transaction() as conn:
        conn.execute("update activate.campaigns set segment_id = 999 where id = %s", [broken.id])
    shop.pass_time(hours=3)
    assert activate.start_due(shop.ws) == [sound.id] and activate.start_due(shop.ws) == []
    shop.deliver(1)
    assert shop.postbox.recipients == ["anna@example.pl"]
    with shop.ws.transaction() as conn:
        assert "segment" in (activate.campaign(conn, broken.id).trouble or "")
        conn.execute("update activate.campaigns set segment_id = %s where id = %s", [sound.segment_id, broken.id])
    shop.pass_time(minutes=2)
    assert activate.start_due(shop.ws) == [broken.id]
    with shop.ws.transaction() as conn:
        assert activate.campaign(conn, broken.id).trouble is None


def test_a_scheduled_campaign_whose_time_was_slept_through_is_not_sent_days_later(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    campaign = shop.campaign(send_at=datetime(2026, 11, 2, 12, 0))
    activate.launch(shop.ws, campaign.id)
    shop.pass_time(days=3)
    assert activate.start_due(shop.ws) == []
    shop.deliver(1)
    assert shop.postbox.recipients == []
    with shop.ws.transaction() as conn:
        found = activate.campaign(conn, campaign.id)
    assert found.state == "scheduled" and "ponad dobę temu" in (found.trouble or "")


def test_a_test_of_variants_by_each_persons_clock_is_not_over_before_people_were_sent_anything(shop: Shop) -> None:
    for number in range(20):
        shop.person(f"k{number}", marketing_email=True)
    campaign = shop.campaign(send_at=datetime(2026, 11, 3, 10, 0), clock="person", test_percent=50, test_hours=4, variants=[{"key": "B", "subject": "Inny temat"}])
    activate.launch(shop.ws, campaign.id)
    shop.now = datetime(2026, 11, 2, 20, 0, tzinfo=UTC)  # ten in the morning of the third on the first islands
    assert activate.start_due(shop.ws) == [campaign.id]
    shop.now = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)  # ten in Warsaw
    assert analyse.choose_winners(shop.ws, shop.now) == []
    shop.deliver(1)
    assert 0 < len(shop.postbox.recipients) < 20
    shop.pass_time(hours=5)
    assert analyse.choose_winners(shop.ws, shop.now) == [campaign.id]


@pytest.mark.parametrize(("missed", "at_once", "later"), [("send", 6, 6), ("skip", 0, 0), ("spread", 1, 6)])
def test_what_came_due_while_a_campaign_was_paused_goes_as_it_is_wished(shop: Shop, missed: activate.Missed, at_once: int, later: int) -> None:
    for number in range(6):
        shop.person(f"k{number}", marketing_email=True)
    campaign = shop.campaign()
    activate.launch(shop.ws, campaign.id)
    activate.pause(shop.ws, campaign.id)
    shop.pass_time(days=1)
    shop.deliver(1)
    assert shop.postbox.recipients == []
    activate.launch(shop.ws, campaign.id, missed)
    shop.deliver(1)
    assert len(shop.postbox.recipients) == at_once
    for _ in range(6):
        shop.pass_time(hours=2)
        shop.deliver(1)
    assert len(shop.postbox.recipients) == later
    with shop.ws.transaction() as conn:
        assert activate.campaign(conn, campaign.id).state == "sent"


def test_messages_that_are_to_be_sent_again_do_not_wake_a_paused_campaign(shop: Shop) -> None:
    for user in ("anna", "bartek"):
        shop.person(user, marketing_email=True)
        shop.postbox.verdicts[f"{user}@example.pl"] = "die"
    campaign = shop.campaign(messages_per_minute=1)
    activate.launch(shop.ws, campaign.id)
    shop.deliver(1)
    activate.pause(shop.ws, campaign.id)
    gone = list(shop.postbox.recipients)
    with shop.ws.transaction() as conn:
        assert activate.delivery.settle_ambiguous(conn, campaign.id, shop.now, again=True) == 1 == len(gone)
        assert activate.campaign(conn, campaign.id).state == "paused"
    shop.pass_time(hours=1)
    shop.deliver(1)
    assert shop.postbox.recipients == gone


def test_a_part_compares_the_variants_and_the_rest_gets_the_winner_unless_somebody_changes_it(shop: Shop) -> None:
    for number in range(200):
        shop.person(f"k{number}", marketing_email=True, email_tracking=True)
    campaign = shop.campaign(test_percent=50, test_hours=4, variants=[{"key": "B", "subject": "Inny temat"}])
    activate.launch(shop.ws, campaign.id)
    shop.deliver(4)
    tested = list(shop.postbox.recipients)
    assert 70 <= len(tested) <= 130
    subjects = {address: shop.postbox.letter(address)["Subject"] == "Inny temat" for address in tested}
    shop.pass_time(hours=3)
    for address in [address for address, other in subjects.items() if other]:
        order = {"order_id": f"n-{address}", "total": 100, "currency": "PLN"}
        shop.tell({"type": "track", "event": "Order Completed", "userId": address.partition("@")[0], "properties": order})
    shop.take_in()
    assert analyse.choose_winners(shop.ws, shop.now) == []
    shop.pass_time(hours=1)
    assert analyse.choose_winners(shop.ws, shop.now) == [campaign.id] and analyse.choose_winners(shop.ws, shop.now) == []
    shop.deliver(2)
    assert shop.postbox.recipients == tested, "there is time to change one's mind"
    with shop.ws.transaction() as conn:
        chosen = activate.campaign(conn, campaign.id)
        assert (chosen.winner, chosen.winner_why) == ("B", "better") and chosen.fires_at is not None
        assert activate.choosing.choose(conn, campaign.id, "A", activate.choosing.BY_HAND, shop.now).fires_at == chosen.fires_at
        activate.choosing.choose(conn, campaign.id, "B", activate.choosing.BY_HAND, shop.now)
    shop.pass_time(minutes=31)
    shop.deliver(4)
    rest = set(shop.postbox.recipients) - set(tested)
    assert len(rest) == 200 - len(tested) and all(shop.postbox.letter(address)["Subject"] == "Inny temat" for address in rest)
    with shop.ws.transaction() as conn, pytest.raises(CampaignNotReady):
        activate.choosing.choose(conn, campaign.id, "A", activate.choosing.BY_HAND, shop.now)
    assert {one.key: one.people for one in analyse.experiment_of(shop.ws, campaign.id, shop.now).arms} == {key: list(subjects.values()).count(key == "B") for key in "AB"}


def test_people_who_turn_out_to_be_one_after_they_were_drawn_apart_count_in_no_group(shop: Shop) -> None:
    for number in range(12):
        shop.person(f"k{number}", marketing_email=True)
    campaign = shop.campaign(variants=[{"key": "B", "subject": "Inny temat"}])
    activate.launch(shop.ws, campaign.id)
    shop.deliver(2)
    arms = {address.partition("@")[0]: shop.postbox.letter(address)["Subject"] == "Inny temat" for address in shop.postbox.recipients}
    one, other = (next(user for user, second in arms.items() if second is wanted) for wanted in (False, True))
    shop.tell({"type": "alias", "userId": one, "previousId": other})
    shop.take_in()
    found = analyse.experiment_of(shop.ws, campaign.id, shop.now)
    assert found.mixed == 1 and sum(arm.people for arm in found.arms) == 10


def test_a_time_that_is_long_over_is_refused(shop: Shop) -> None:
    with pytest.raises(CampaignNotReady):
        activate.launch(shop.ws, shop.campaign(send_at=NOW.replace(tzinfo=None) - timedelta(days=3)).id)


@pytest.mark.parametrize("clock", ["shop", "person"])
def test_a_draft_from_before_years_were_looked_at_is_refused_in_words(shop: Shop, clock: str) -> None:
    campaign = shop.campaign(send_at=datetime(2026, 11, 3, 10, 0), clock=clock)
    with shop.ws.transaction() as conn:
        conn.execute("update activate.campaigns set send_at = '9999-12-31 23:59' where id = %s", [campaign.id])
    with pytest.raises(CampaignNotReady) as refused:
        activate.launch(shop.ws, campaign.id)
    assert "2000 to 2199" in refused.value.say("en")
