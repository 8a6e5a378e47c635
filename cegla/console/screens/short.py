"""Composing a text message or a web push message: its words, what it costs while it is typed, and what it is without Polish letters."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from cegla.activate import actions as activate
from cegla.console.screens.campaigns import choices_of
from cegla.console.views import campaign_form
from cegla.console.visit import Visit, see_other
from cegla.govern import actions as govern
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.errors import CeglaError, NotFound

CHANNELS = ("sms", "push")


def show_new(visit: Visit) -> Response:
    """The editor, empty."""
    return _editor(visit, 0, campaign_form.USUAL | {"segment_id": visit.query.get("segment", ""), "cap": "1"}, visit.arguments["channel"])


def show_edit(visit: Visit) -> Response:
    """The editor of a campaign that was not launched."""
    with visit.ws.transaction() as conn:
        found = activate.campaign(conn, visit.number("id"))
    if found.channel not in CHANNELS:
        return see_other(f"/campaigns/{found.id}/edit")
    own = {"url": str(found.content.get("url", "")), "plain": "yes" if found.content.get("plain") else ""}
    return _editor(visit, found.id, campaign_form.values_of(found) | own, found.channel)


def save(visit: Visit) -> Response:
    """Keep the draft; what was typed stays where it is wrong."""
    channel = visit.field("channel")
    if channel not in CHANNELS:
        raise NotFound(where="channel", seen=channel, thing=channel)
    number, values = campaign_form.read(visit.field, [*campaign_form.names_of(channel), "url", "plain"])
    own: dict[str, Any] = {"plain": bool(values["plain"]), "url": values["url"]}
    try:
        with visit.ws.transaction() as conn:
            saved = activate.save_campaign(conn, campaign_form.typed(values, channel, number) | own, visit.now)
            govern.note(conn, visit.actor, "campaign.save", f"campaign {saved.id}", {}, visit.now)
    except CeglaError as error:
        return _editor(visit, number, values, channel, error)
    return see_other(f"/campaigns/{saved.id}", done="saved")


def measure(visit: Visit) -> Response:
    """The part of the page that counts, while somebody types."""
    return visit.page("campaign_measure.html", _counted(visit, visit.field("text")), block="measure")


def _counted(visit: Visit, text: str) -> dict[str, Any]:
    with visit.ws.transaction() as conn:
        own = activate.carriers.gateway_of(conn, visit.ws.keys, Channel.SMS)
    return {"measured": activate.measured(text, own.part_micros if own else 0), "priced": bool(own and own.part_micros)}


def _editor(visit: Visit, number: int, values: Mapping[str, str], channel: str, error: CeglaError | None = None) -> Response:
    if channel not in CHANNELS:
        raise NotFound(where=visit.path, seen=channel, thing=channel)
    with visit.ws.transaction() as conn:
        own = activate.carriers.gateway_of(conn, visit.ws.keys, Channel.SMS) if channel == "sms" else None
        browsers = activate.browsers.counted(conn) if channel == "push" else {}
    problem = error.problem(visit.language) if error else None
    shown = {"shown": campaign_form.shown_variants(values, channel), "parts": campaign_form.PARTS[channel]}
    shown |= choices_of(visit, channel, values.get("purpose", ""))
    model = {"number": number, "values": values, "problem": problem, "channel": channel, "gateway": own, "browsers": sum(browsers.values()), **shown}
    return visit.page("campaign_short.html", model | _counted(visit, values.get("text", "")), status=error.status if error else 200)
