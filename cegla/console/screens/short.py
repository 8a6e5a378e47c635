"""Composing a text message or a web push message: its words, what it costs while it is typed, and what it is without Polish letters."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from cegla.activate import actions as activate
from cegla.console.screens.campaigns import NUMBERS
from cegla.console.views.ready_made import segment_name
from cegla.console.visit import Visit, see_other
from cegla.govern import actions as govern
from cegla.segment import actions as segment
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.errors import CeglaError, NotFound
from cegla.vocabulary.errors.intake import FieldMissing

FIELDS = ("name", "segment_id", "sender", "subject", "text", "url", "cap", "holdout_percent", "priority", "offer", "offer_days")
CHANNELS = ("sms", "push")


def show_new(visit: Visit) -> Response:
    """The editor, empty."""
    values = {"segment_id": visit.query.get("segment", ""), "cap": "1", "holdout_percent": "5", "priority": "5", "offer_days": "30"}
    return _editor(visit, 0, values, visit.arguments["channel"])


def show_edit(visit: Visit) -> Response:
    """The editor of a campaign that was not launched."""
    with visit.ws.transaction() as conn:
        found = activate.campaign(conn, visit.number("id"))
    if found.channel not in CHANNELS:
        return see_other(f"/campaigns/{found.id}/edit")
    values = {name: str(getattr(found, name)) for name in FIELDS if name != "url"}
    values |= {"url": str(found.content.get("url", "")), "plain": "yes" if found.content.get("plain") else ""}
    return _editor(visit, found.id, values, found.channel)


def save(visit: Visit) -> Response:
    """Keep the draft; what was typed stays where it is wrong."""
    values = {name: visit.field(name) for name in (*FIELDS, "plain")}
    number, channel = (int(visit.field("id")) if visit.field("id").isdigit() else 0), visit.field("channel")
    try:
        with visit.ws.transaction() as conn:
            saved = activate.save_campaign(conn, _typed(values, number, channel), visit.now)
            govern.note(conn, visit.actor, "campaign.save", f"campaign {saved.id}", {}, visit.now)
    except CeglaError as error:
        return _editor(visit, number, values, channel, error)
    return see_other(f"/campaigns/{saved.id}", done="saved")


def measure(visit: Visit) -> Response:
    """The part of the page that counts, while somebody types."""
    return visit.page("campaign_measure.html", _counted(visit, visit.field("text")), block="measure")


def _typed(values: Mapping[str, str], number: int, channel: str) -> dict[str, Any]:
    typed: dict[str, Any] = {name: value for name, value in values.items() if value and name != "plain"}
    for name in NUMBERS:
        if name in typed:
            if not typed[name].isdigit():
                raise FieldMissing(where=name, seen=typed[name], field=name)
            typed[name] = int(typed[name])
    if "segment_id" not in typed:
        raise FieldMissing(where="segment_id", field="segment_id")
    return typed | {"channel": channel, "plain": bool(values["plain"])} | ({"id": number} if number else {})


def _counted(visit: Visit, text: str) -> dict[str, Any]:
    with visit.ws.transaction() as conn:
        own = activate.carriers.gateway_of(conn, visit.ws.keys, Channel.SMS)
    return {"measured": activate.measured(text, own.part_micros if own else 0), "priced": bool(own and own.part_micros)}


def _editor(visit: Visit, number: int, values: Mapping[str, str], channel: str, error: CeglaError | None = None) -> Response:
    if channel not in CHANNELS:
        raise NotFound(where=visit.path, seen=channel, thing=channel)
    with visit.ws.transaction() as conn:
        choices = [(row.id, visit.tongue.say(segment_name(row.name))) for row in segment.segments(conn)]
        own = activate.carriers.gateway_of(conn, visit.ws.keys, Channel.SMS) if channel == "sms" else None
        browsers = activate.browsers.counted(conn) if channel == "push" else {}
    problem = error.problem(visit.language) if error else None
    model = {"number": number, "values": values, "choices": choices, "problem": problem, "channel": channel, "gateway": own, "browsers": sum(browsers.values())}
    return visit.page("campaign_short.html", model | _counted(visit, values.get("text", "")), status=error.status if error else 200)
