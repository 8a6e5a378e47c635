"""Campaigns: the list, the editor with a preview for a chosen person, a trial, the dry run, the sending with its confirmation."""

from collections.abc import Mapping
from datetime import time
from functools import partial
from typing import Any

from starlette.responses import Response

from cegla.activate import actions as activate
from cegla.compose import actions as compose
from cegla.console import guard
from cegla.console.digits import MOST_OF_INTEGER, whole
from cegla.console.screens.names import display_names
from cegla.console.views import campaign_form, letter_form, states
from cegla.console.views.letters import STARTER
from cegla.console.views.ready_made import segment_name
from cegla.console.visit import Visit, see_other
from cegla.govern import actions as govern
from cegla.segment import actions as segment
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.errors import CeglaError
from cegla.vocabulary.errors.intake import FieldMissing
from cegla.vocabulary.people import parse_person_label, person_label

SHOWN_ROWS = 300
RESUME: dict[str, activate.Missed] = {"resume": "send", "spread": "spread", "skip": "skip"}
CHANNELS = ("email", "sms", "push")


def show(visit: Visit) -> Response:
    """All campaigns, newest first."""
    with visit.ws.transaction() as conn:
        rows, alarms = activate.campaigns(conn), activate.standing.alarms(conn, visit.now)
        names = {row.id: row.name for row in segment.segments(conn)}
    return visit.page("campaigns.html", {"rows": rows, "segment_names": names, "states": states.CAMPAIGNS, "channels": states.CHANNELS, "alarms": alarms})


def show_new(visit: Visit) -> Response:
    """The editor with a letter to begin with."""
    return _editor(visit, 0, {"segment_id": visit.query.get("segment", ""), **campaign_form.USUAL, **STARTER[visit.language]})


def show_edit(visit: Visit) -> Response:
    """The editor of a campaign that was not launched."""
    found = _campaign(visit)
    if found.channel != Channel.EMAIL:
        return see_other(f"/campaigns/{found.id}/words")
    return _editor(visit, found.id, campaign_form.values_of(found))


def save(visit: Visit) -> Response:
    """Keep the draft; a template that does not compile comes back with the place of its mistake, and nothing typed is lost."""
    number, values = campaign_form.read(visit.field, campaign_form.names_of("email"))
    try:
        with visit.ws.transaction() as conn:
            saved = activate.save_campaign(conn, campaign_form.typed(values, "email", number), visit.now)
            govern.note(conn, visit.actor, "campaign.save", f"campaign {saved.id}", {}, visit.now)
    except CeglaError as error:
        return _editor(visit, number, values, error)
    return see_other(f"/campaigns/{saved.id}", done="saved")


def show_rules(visit: Visit) -> Response:
    """How often and when people may be written to, by all campaigns together."""
    return _rules(visit)


def save_rules(visit: Visit) -> Response:
    """Put the rule of a channel in force; what was typed stays where it is wrong."""
    channel = visit.field("channel")
    try:
        hours = [_hour(visit, name) for name in ("quiet_from", "quiet_until")]
        if (per_day := whole(visit.field("per_day"), MOST_OF_INTEGER)) is None:
            raise FieldMissing(where="per_day", seen=visit.field("per_day"), field="per_day")
        with visit.ws.transaction() as conn:
            activate.set_limits(conn, channel, activate.Limits(per_day, *hours), visit.now)
            govern.note(conn, visit.actor, "limits.set", f"channel {channel}", {}, visit.now)
    except CeglaError as error:
        return _rules(visit, error)
    return see_other("/campaigns/rules", done="saved")


def _hour(visit: Visit, name: str) -> time | None:
    try:
        return time.fromisoformat(visit.field(name)) if visit.field(name) else None
    except ValueError:
        raise FieldMissing(where=name, seen=visit.field(name), field=name) from None


def _rules(visit: Visit, error: CeglaError | None = None) -> Response:
    with visit.ws.transaction() as conn:
        limits = activate.channel_limits(conn)
    problem = error.problem(visit.language) if error else None
    rows = [(channel, limits[channel]) for channel in CHANNELS]
    return visit.page("campaign_rules.html", {"rows": rows, "channels": states.CHANNELS, "problem": problem}, status=error.status if error else 200)


def show_one(visit: Visit) -> Response:
    """A campaign: how far it is, the letter, a preview for a person."""
    return visit.page("campaign.html", _model(visit), block="progress")


def preview(visit: Visit) -> Response:
    """The page with the preview for the person chosen."""
    return visit.page("campaign.html", _model(visit, person=visit.field("person")))


def show_preview_body(visit: Visit) -> Response:
    """The letter's HTML alone, for the sandboxed frame; whose it is, is noted."""
    person = parse_person_label(visit.arguments["person"]) or 0
    with visit.ws.transaction() as conn:
        govern.note(conn, visit.actor, "campaign.preview", person_label(person), {"campaign": visit.number("id")}, visit.now)
    rendered = activate.preview(visit.ws, visit.number("id"), person, variant=visit.query.get("variant", activate.FIRST))
    headers = {"content-security-policy": guard.PREVIEW_POLICY, "x-frame-options": "SAMEORIGIN"}
    shown = letter_form.frame(rendered.html, dark=visit.query.get("dark") == "on", base_url=visit.public_address)
    return Response(shown, media_type="text/html", headers=headers)


def send_test(visit: Visit) -> Response:
    """One trial to an address of one's own."""
    number, address = visit.number("id"), visit.field("address")
    try:
        visit.required("address")
        activate.test_send(visit.ws, number, address, variant=visit.field("variant", activate.FIRST))
        with visit.ws.transaction() as conn:
            govern.note(conn, visit.actor, "campaign.test", f"campaign {number}", {}, visit.now)
    except CeglaError as error:
        return visit.page("campaign.html", _model(visit, problem=error.problem(visit.language), address=address), status=error.status)
    return see_other(f"/campaigns/{number}", done="test-sent")


def show_audience(visit: Visit) -> Response:
    """The dry run: who would get it, who would not, and why. Nothing is sent."""
    found = _campaign(visit)
    audience = activate.audience(visit.ws, found.id)
    wanted = visit.query.get("reason", "")
    rows = [row for row in audience.rows if (wanted == "" or (str(row.reason) if row.reason else "ok") == wanted)]
    with visit.ws.transaction() as conn:
        names = display_names(conn, [row.person_id for row in rows[:SHOWN_ROWS]])
    shown = {"rows": rows[:SHOWN_ROWS], "rest": max(0, len(rows) - SHOWN_ROWS), "names": names}
    return visit.page("campaign_audience.html", {"campaign": found, "audience": audience, "skips": states.SKIPS, "wanted": wanted, **shown})


def show_send(visit: Visit) -> Response:
    """The last question before sending, with the number of people."""
    found = _campaign(visit)
    return visit.page("campaign_send.html", {"campaign": found, "audience": activate.audience(visit.ws, found.id), "problem": None, "clocks": states.CLOCKS})


def send(visit: Visit) -> Response:
    """Send; the number that was confirmed must still be the number."""
    found = _campaign(visit)
    audience = activate.audience(visit.ws, found.id)
    try:
        if visit.field("count") != str(audience.reachable) or visit.field("sure") != "yes":
            raise FieldMissing(where="sure", field="sure")
        activate.launch(visit.ws, found.id)
    except CeglaError as error:
        model = {"campaign": found, "audience": audience, "problem": error.problem(visit.language), "clocks": states.CLOCKS}
        return visit.page("campaign_send.html", model, status=error.status)
    with visit.ws.transaction() as conn:
        govern.note(conn, visit.actor, "campaign.launch", f"campaign {found.id}", {"people": audience.reachable}, visit.now)
    return see_other(f"/campaigns/{found.id}", done="sending")


def steer(visit: Visit) -> Response:
    """Pause, go on with what was missed sent, spread or skipped, or stop for good."""
    number = visit.number("id")
    going_on = {act: (partial(activate.launch, missed=missed), "sending") for act, missed in RESUME.items()}
    acts = {"pause": (activate.pause, "paused"), "cancel": (activate.cancel, "cancelled"), **going_on}
    act = visit.one_of("do", acts)
    action, done = acts[act]
    action(visit.ws, number)
    with visit.ws.transaction() as conn:
        govern.note(conn, visit.actor, f"campaign.{act}", f"campaign {number}", {}, visit.now)
    return see_other(f"/campaigns/{number}", done=done)


def choose(visit: Visit) -> Response:
    """Send the rest of the audience another variant than the numbers chose, or none."""
    number, key = visit.number("id"), visit.field("key")
    with visit.ws.transaction() as conn:
        if key == "nobody":
            activate.choosing.leave_out_rest(conn, number, visit.now)
        else:
            activate.choosing.choose(conn, number, key, activate.choosing.BY_HAND, visit.now)
        govern.note(conn, visit.actor, "campaign.choose", f"campaign {number}", {"variant": key}, visit.now)
    return see_other(f"/campaigns/{number}", done="saved")


def _campaign(visit: Visit) -> Any:
    with visit.ws.transaction() as conn:
        return activate.campaign(conn, visit.number("id"))


def _model(visit: Visit, *, person: str = "", address: str = "", problem: dict[str, Any] | None = None) -> dict[str, Any]:
    found = _campaign(visit)
    number = parse_person_label(person) if person else None
    rendered, variant = None, visit.field("variant", activate.FIRST)
    with visit.ws.transaction() as conn:
        target = segment.segment(conn, found.segment_id)
        letters = compose.reading.letters_of(conn, found.id)
        by_provider = activate.carriers.gateway_of(conn, visit.ws.keys, Channel.EMAIL) is not None
        usual = visit.ws.settings.smtp.messages_per_minute if found.channel == Channel.EMAIL else activate.carriers.speed_of(conn, Channel(found.channel))
        purpose = govern.register.label(conn, found.purpose)
        example = next(iter(segment.membership(conn, found.segment_id, 0, 1)), None)
        if number is not None:
            govern.note(conn, visit.actor, "campaign.preview", person_label(number), {"campaign": found.id}, visit.now)
    if number is not None:
        try:
            rendered = activate.preview(visit.ws, found.id, number, variant=variant)
        except CeglaError as error:
            problem = error.problem(visit.language)
    return {
        "variant": variant, "usual": usual, "purpose": purpose,
        "letters": letters, "view": "phone" if visit.field("view") == "phone" else "desk", "dark": visit.field("dark") == "on",
        "campaign": found, "target": target, "states": states.CAMPAIGNS, "outcomes": states.OUTCOMES, "person": number, "asked": person, "rendered": rendered,
        "example": example.person_id if example else None, "address": address, "problem": problem, "smtp": visit.ws.settings.smtp,
        "clocks": states.CLOCKS, "whys": states.CHOICES, "by_provider": by_provider, "channels": states.CHANNELS,
    }  # fmt: skip


def choices_of(visit: Visit, channel: str, purpose: str) -> dict[str, Any]:
    """What a campaign's form lets choose from: segments, and the purposes for which people are written to on the channel.

    What a contract needs goes to one person at a time, and measuring is no reason to write: they are offered only where the campaign has them already.
    """
    measuring = {kind.tracking for kind in activate.KINDS.values()}
    with visit.ws.transaction() as conn:
        segments = [(row.id, visit.tongue.say(segment_name(row.name))) for row in segment.segments(conn)]
        known = govern.register.purposes(conn).values()
    asked = [one for one in known if channel in one.channels and not one.by_contract and one.key not in measuring]
    found = [*asked, *(one for one in known if one.key == purpose and one not in asked)]
    return {"choices": segments, "purposes": [(one.key, visit.tongue.say(one.label)) for one in found]}


def _editor(visit: Visit, number: int, values: Mapping[str, str], error: CeglaError | None = None) -> Response:
    problem = error.problem(visit.language) if error else None
    shown = campaign_form.shown_variants(values, "email")
    model = {"number": number, "values": values, "shown": shown, "problem": problem, "smtp": visit.ws.settings.smtp}
    return visit.page("campaign_form.html", model | choices_of(visit, "email", values.get("purpose", "")), status=error.status if error else 200)
