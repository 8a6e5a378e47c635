"""Reports on small histories whose numbers are known."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from cegla.analyse import actions as analyse
from cegla.storage.workspace import Workspace
from cegla.vocabulary.errors import InvalidInput, NotFound
from tests.segment.worlds import append

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # 13:00 in Warsaw


def event(number: int, person: int, at: datetime, name: str = "Order Completed", value: float | None = None, **columns: Any) -> dict[str, Any]:
    local = at.astimezone(__import__("zoneinfo").ZoneInfo("Europe/Warsaw")).replace(tzinfo=None)
    utc = at.astimezone(UTC).replace(tzinfo=None)
    micros = None if value is None else int(value * 1_000_000)
    return {
        "batch": 1, "event_id": number, "identity_id": person, "kind": "track", "name": name, "occurred_at": utc, "received_at": utc, "local_at": local,
        "session_id": number, "value_micros": micros, "is_bot": False, "properties": "{}", **columns,
    }  # fmt: skip


def test_today_stands_beside_the_same_weekday_up_to_the_same_time(workspace: Workspace) -> None:
    week_ago = NOW - timedelta(days=7)
    append(workspace.warehouse, [
        event(1, 1, NOW - timedelta(hours=1), value=100, order_id="a"),
        event(2, 1, NOW - timedelta(hours=1), value=50, order_id="a"),
        event(3, 2, NOW - timedelta(hours=2), "Order Refunded", -30),
        event(4, 3, NOW - timedelta(hours=2), value=999, is_bot=True),
        event(5, 4, week_ago - timedelta(hours=1), value=10),
        event(6, 4, week_ago + timedelta(hours=1), value=70),
    ])  # fmt: skip
    report = analyse.today(workspace, NOW)
    assert report.day == date(2026, 11, 23)
    assert report.sales == analyse.Sales(1, 150_000_000, -30_000_000, 1)
    assert report.sales.revenue_micros == 120_000_000
    assert report.sales_before == analyse.Sales(1, 10_000_000, 0, 1)
    assert (report.new_people, report.new_people_before) == (2, 1)
    assert (report.segments, report.health.adds_up) == (0, True)
    assert "Europe/Warsaw" in report.definition.pl


def test_an_empty_installation_has_a_day_of_zeros(workspace: Workspace) -> None:
    report = analyse.today(workspace, NOW)
    assert (report.sales, report.new_people, report.messages_sent) == (analyse.Sales(0, 0, 0, 0), 0, 0)


def test_days_without_orders_are_zeros_and_today_is_unfinished(workspace: Workspace) -> None:
    append(workspace.warehouse, [event(1, 1, NOW, value=1.5), event(2, 1, NOW - timedelta(days=2), value=2)])
    report = analyse.revenue_by_day(workspace, 3, NOW)
    assert [(row.day.day, row.sales.orders, row.sales.gross_micros, row.finished) for row in report.days] == [(21, 1, 2_000_000, True), (22, 0, 0, True), (23, 1, 1_500_000, False)]
    assert report.total == analyse.Sales(2, 3_500_000, 0, 2)


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_a_day_of_23_or_25_hours_is_one_day(workspace: Workspace, day: date, hours: int) -> None:
    midnight = datetime.combine(day, datetime.min.time(), __import__("zoneinfo").ZoneInfo("Europe/Warsaw")).astimezone(UTC)
    append(workspace.warehouse, [event(hour + 1, 1, midnight + timedelta(hours=hour, minutes=30), value=1) for hour in range(-1, hours + 1)])
    report = analyse.revenue_by_day(workspace, 3, midnight + timedelta(hours=30))
    assert [row.sales.orders for row in report.days] == [1, hours, 1]


def test_today_and_revenue_by_day_give_the_same_number(workspace: Workspace) -> None:
    append(workspace.warehouse, [event(number, number % 5, NOW - timedelta(hours=number), value=number) for number in range(1, 200)])
    assert analyse.today(workspace, NOW).sales == analyse.revenue_by_day(workspace, 1, NOW).days[0].sales


@pytest.mark.parametrize("days", [0, -1, 10**9])
def test_an_impossible_number_of_days_is_refused(workspace: Workspace, days: int) -> None:
    with pytest.raises(InvalidInput):
        analyse.revenue_by_day(workspace, days, NOW)


def test_a_report_on_no_campaign_is_not_found(workspace: Workspace) -> None:
    with pytest.raises(NotFound):
        analyse.campaign_report(workspace, 404, NOW)


def test_orders_count_within_seven_days_after_the_persons_own_message(workspace: Workspace) -> None:
    sent = NOW - timedelta(days=10)
    mine, other = '{"message_id": 1, "campaign_id": 7}', '{"message_id": 2, "campaign_id": 8}'
    append(workspace.warehouse, [
        event(1, 1, sent, "Email Sent", properties=mine), event(2, 2, sent, "Email Sent", properties=mine), event(3, 3, sent, "Email Sent", properties=other),
        event(4, 1, sent + timedelta(days=1), "Email Link Clicked", properties=mine), event(5, 1, sent + timedelta(days=1), "Email Link Clicked", properties=mine),
        event(6, 2, sent + timedelta(days=1), "Unsubscribed", properties=mine),
        event(7, 1, sent + timedelta(days=7), value=100), event(8, 1, sent + timedelta(days=7, seconds=1), value=7), event(9, 2, sent - timedelta(seconds=1), value=5),
        event(10, 3, sent + timedelta(days=1), value=50),
    ])  # fmt: skip
    workspace.warehouse.set_people([(3, 2)])
    with workspace.transaction() as conn:
        segment_id = conn.execute("insert into segment.segments (name, rule, created_at, changed_at) values ('s', '{}', now(), now()) returning id").fetchone()[0]
        conn.execute("insert into activate.campaigns (id, name, segment_id, purpose, channel, sender, version, holdout_percent, cap, state, created_at, changed_at) overriding system value "
                     "values (7, 'Jesień', %s, 'marketing', 'email', '', 1, 0, 0, 'sent', now(), now())", [segment_id])
        conn.execute("insert into activate.contents (campaign_id, version, subject, mjml, html, text, content, made_at) values (7, 1, '', '', '', '', '{}', now())")
    report = analyse.campaign_report(workspace, 7, NOW)
    assert (report.clicked, report.clicks, report.unsubscribed) == (1, 2, 1)
    assert (report.buyers, report.orders, report.order_value_micros) == (2, 2, 150_000_000)
    assert report.name == "Jesień"
