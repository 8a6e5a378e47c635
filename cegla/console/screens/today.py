"""Today: money, people, messages, data health, beside the same weekday a week ago."""

from typing import Any

from starlette.responses import Response

from cegla import forgetting
from cegla.analyse import actions as analyse
from cegla.collect import actions as collect
from cegla.console.charts.marks import Mark, Wording
from cegla.console.views.events import line
from cegla.console.views.figures import change
from cegla.console.views.ready_made import segment_name
from cegla.console.visit import Visit
from cegla.profile import actions as profile
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment

DAYS = 30
NEWEST = 8
LATE_SECONDS = 60


def show(visit: Visit) -> Response:
    """The whole page; htmx asks for its figures again every ten seconds."""
    now, t = visit.now, visit.tongue
    today = analyse.today(visit.ws, now)
    with visit.ws.transaction() as conn:
        people = resolve.links.count_people(conn)
        counted = collect.balance(conn)
        rows = segment.segments(conn)
    model: dict[str, Any] = {
        "today": today,
        "balance": counted,
        "set_aside": forgetting.set_aside(visit.ws),
        "people": people,
        "revenue_change": change(today.sales.revenue_micros, today.sales_before.revenue_micros, t.money(today.sales_before.revenue_micros, today.currency), t),
        "orders_change": change(today.sales.orders, today.sales_before.orders, t.number(today.sales_before.orders), t),
        "people_change": change(today.new_people, today.new_people_before, t.number(today.new_people_before), t),
        "late": today.health.lag_seconds > LATE_SECONDS,
    }
    if not visit.partial:
        model |= _charts(visit, rows) | {"events": [line(event) for event in profile.past.latest_events(visit.ws.warehouse, 0, NEWEST)]}
    return visit.page("today.html", model, block="figures")


def _charts(visit: Visit, rows: list[segment.Segment]) -> dict[str, Any]:
    t, report = visit.tongue, analyse.revenue_by_day(visit.ws, DAYS, visit.now)
    days = [
        Mark(t.short_day(row.day), row.sales.revenue_micros / 1_000_000, t.money(row.sales.revenue_micros, report.currency), unfinished=not row.finished)
        for row in report.days
    ]
    words = Wording(str(t.text("Przychód dzień po dniu")), str(t.text("Dzień")), str(t.text("Przychód")), t.say(report.definition), str(t.text("Tabela")))
    groups = [
        Mark(t.say(segment_name(row.name)).removeprefix("RFM: "), row.members, t.number(row.members), f"/segments/{row.id}")
        for row in rows
        if (row.key or "").startswith("rfm.")
    ]
    about = str(t.text("Każdy klient z zamówieniem jest w dokładnie jednej grupie."))
    group_words = Wording(str(t.text("Grupy RFM")), str(t.text("Grupa")), str(t.text("Osoby")), about)
    return {"days": days, "words": words, "total": report.total, "groups": groups, "group_words": group_words}
