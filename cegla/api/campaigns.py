"""Campaigns: write, preview, try, see the audience, launch, follow, report. Every act that sends goes through the consent gate below."""

from datetime import date
from typing import Annotated, Any

from fastapi import Query

from cegla.activate import actions as activate
from cegla.analyse import actions as analyse
from cegla.api.call import Opened, person_number
from cegla.api.message_shapes import ChoiceBody, LimitsBody, NewCampaign, PersonBody, TestSend
from cegla.vocabulary.people import person_label

Variant = Annotated[str, Query(max_length=1, description="A, or one of the contents compared with it")]


def listed(call: Opened) -> Any:
    """All campaigns with their state."""
    with call.ws.transaction() as conn:
        return {"campaigns": activate.campaigns(conn)}


def save(call: Opened, body: NewCampaign) -> Any:
    """Make a draft, or change one that was not launched. The template is compiled, so its mistakes are told now."""
    with call.ws.transaction() as conn:
        saved = activate.save_campaign(conn, body.model_dump(exclude_none=True), call.now)
    call.note("campaign.save", f"campaign {saved.id}")
    return saved


def shown(call: Opened, campaign_id: int) -> Any:
    """One campaign."""
    with call.ws.transaction() as conn:
        return activate.campaign(conn, campaign_id)


def preview(call: Opened, campaign_id: int, body: PersonBody, variant: Variant = activate.FIRST) -> Any:
    """The message as this person would get it, of the variant asked for."""
    return activate.preview(call.ws, campaign_id, person_number(body.person), variant=variant)


def try_out(call: Opened, campaign_id: int, body: TestSend, variant: Variant = activate.FIRST) -> Any:
    """Send one trial of a variant to an address of your own; it counts nowhere."""
    activate.test_send(call.ws, campaign_id, body.address, variant=variant)
    call.note("campaign.test", f"campaign {campaign_id}")
    return {"campaign": campaign_id, "sent": True}


def audience(call: Opened, campaign_id: int, limit: Annotated[int, Query(ge=0, le=100_000)] = 200) -> Any:
    """Who would get it, who would not, and why: counts of all, and the first people of each list. Nothing is sent: this is the dry run."""
    found = activate.audience(call.ws, campaign_id)
    rows = [{"person": person_label(row.person_id), "reason": row.reason or "ok"} for row in found.rows[:limit]]
    counts = {"members": found.members, "reachable": found.reachable, "held": found.held, "reasons": found.reasons}
    return {"campaign": campaign_id, **counts, "people": rows, "at": found.at}


def launch(call: Opened, campaign_id: int, missed: activate.Missed = "send") -> Any:
    """Begin sending, or put it in the calendar when it is for later; a paused one goes on, and `missed` says what becomes of what came due meanwhile."""
    launched = activate.launch(call.ws, campaign_id, missed)
    call.note("campaign.launch", f"campaign {campaign_id}")
    return launched


def pause(call: Opened, campaign_id: int) -> Any:
    """Stop handing over messages until it is launched again."""
    call.note("campaign.pause", f"campaign {campaign_id}")
    return activate.pause(call.ws, campaign_id)


def cancel(call: Opened, campaign_id: int) -> Any:
    """Stop for good: what was not sent is skipped. One that only waits in the calendar is a draft again."""
    call.note("campaign.cancel", f"campaign {campaign_id}")
    return activate.cancel(call.ws, campaign_id)


def choose(call: Opened, campaign_id: int, body: ChoiceBody) -> Any:
    """Give the rest of a tested audience another variant than the numbers chose, or nothing, until it is being sent."""
    with call.ws.transaction() as conn:
        if body.variant is None:
            chosen = activate.choosing.leave_out_rest(conn, campaign_id, call.now)
        else:
            chosen = activate.choosing.choose(conn, campaign_id, body.variant, activate.choosing.BY_HAND, call.now)
    call.note("campaign.choose", f"campaign {campaign_id}")
    return chosen


def calendar(call: Opened, first: date, last: date) -> Any:
    """What went and what waits on each day of the shop's calendar, and what is scheduled."""
    with call.ws.transaction() as conn:
        return {"days": activate.reporting.calendar(conn, call.ws, first, last)}


def report(call: Opened, campaign_id: int) -> Any:
    """What came of it: sent, bounced, clicked, unsubscribed, orders after. It brings its own definition."""
    return analyse.campaign_report(call.ws, campaign_id)


def experiment(call: Opened, campaign_id: int) -> Any:
    """What the campaign changed: variants by clicks or orders, and what it brought beside the group held out, with intervals that hold at every look."""
    return analyse.experiment_of(call.ws, campaign_id, call.now)


def limits(call: Opened) -> Any:
    """How often and when people may be written to, by channel."""
    with call.ws.transaction() as conn:
        return {"limits": activate.channel_limits(conn)}


def set_limits(call: Opened, body: LimitsBody) -> Any:
    """Say how often and when people may be written to on a channel, by all campaigns together."""
    with call.ws.transaction() as conn:
        activate.set_limits(conn, body.channel, activate.Limits(body.per_day, body.quiet_from, body.quiet_until), call.now)
    call.note("limits.set", f"channel {body.channel}")
    return limits(call)


def why(call: Opened, message_id: int) -> Any:
    """Why one message was sent, or was not: the segment's reason, the consent it rests on, what became of it."""
    return activate.message(call.ws, message_id)
