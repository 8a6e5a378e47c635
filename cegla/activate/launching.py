"""A campaign's course: scheduled, begun when its time comes, paused, gone on with, called off.

    draft ──► scheduled ──► sending ◄──► paused ──► sent, or cancelled
      ▲────────── called off

The audience is decided as a campaign begins, not as it is scheduled: in one transaction, so that after a crash it has begun whole or not at all.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from psycopg.types.json import Jsonb

from cegla.activate import store
from cegla.activate.audience import audience_of
from cegla.activate.rules.timing import DAY, YEARS, begins_at, moment
from cegla.activate.rules.words import CAMPAIGN_STATES
from cegla.activate.store import SQL, Campaign
from cegla.segment import actions as segment
from cegla.storage.failpoint import passing
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.errors import InvalidInput, NotFound, Refused
from cegla.vocabulary.errors.messages import CampaignNotReady
from cegla.vocabulary.text import Text

AT_ONCE = 20_000
SPREAD = timedelta(hours=12)  #: over which missed messages are spread
AGAIN = timedelta(minutes=1)  #: until a scheduled campaign that could not begin is tried again
OVER = Text("godzina wysyłki minęła ponad dobę temu", "the time to send was over a day ago")
BEYOND = Text("godzina wysyłki jest poza latami 2000–2199; zmień ją", "the time to send is outside the years 2000 to 2199; change it")
Missed = Literal["send", "skip", "spread"]


def launch(ws: Workspace, campaign_id: int, missed: Missed = "send") -> Campaign:
    """Begin a draft, or put it in the calendar when it is for later; a paused campaign goes on.

    What came due while it was paused is sent now, skipped, or spread over twelve hours, as `missed` says. Raises CampaignNotReady.
    """
    now, shop = ws.clock(), ws.settings.zone
    with ws.transaction() as conn:
        wanted = store.campaign(conn, campaign_id)
        if wanted.state == "paused":
            return _go_on(conn, campaign_id, missed, now)
        if wanted.send_at is not None and wanted.send_at.year not in YEARS:  # of a draft from before that was looked at
            raise CampaignNotReady(where="send_at", seen=str(wanted.send_at), detail=BEYOND)
        begins = begins_at(wanted.timing, shop)
        if begins is not None and begins > now:
            require_state(conn, campaign_id, "draft")
            SQL.schedule(conn, id=campaign_id, begins_at=begins)
            return store.campaign(conn, campaign_id)
    return _begin(ws, wanted, "draft")


def start_due(ws: Workspace) -> list[int]:
    """Begin every scheduled campaign whose time has come, the earliest first; returns the numbers of those that began.

    One that cannot begin, since its segment is gone, say, holds no other up: it says why, and is tried again a minute later.
    """
    with ws.transaction() as conn:
        due = [number for (number,) in SQL.due_to_begin(conn, now=ws.clock())]
    begun: list[int] = []
    for number in due:
        with ws.transaction() as conn:
            wanted = store.campaign(conn, number)
        try:
            if wanted.state == "scheduled":
                _begin(ws, wanted, "scheduled")
                begun.append(number)
        except (InvalidInput, NotFound, Refused) as error:
            with ws.transaction() as conn:
                SQL.not_begun(conn, id=number, trouble=error.say(ws.settings.language), retry_at=ws.clock() + AGAIN)
    return begun


def _begin(ws: Workspace, wanted: Campaign, state: str) -> Campaign:
    """Decide on every member of the segment now, and write the outbox."""
    now, campaign_id = ws.clock(), wanted.id
    if wanted.send_at is not None and moment(wanted.send_at, ws.settings.zone) + DAY < now:
        raise CampaignNotReady(where="send_at", seen=str(wanted.send_at), detail=OVER)
    with ws.transaction() as conn:
        rule = segment.segment(conn, wanted.segment_id).rule
    chosen = audience_of(ws, wanted, now)
    reasons = _reasons(ws, rule, [row.person_id for row in chosen.rows if row.reason is None], now)
    with ws.transaction() as conn:
        require_state(conn, campaign_id, state)
        if store.campaign(conn, campaign_id).version != wanted.version:
            raise CampaignNotReady(where="campaign", seen=campaign_id, detail=Text("ktoś ją przed chwilą zmienił", "somebody changed it a moment ago"))
        people = segment.segment(conn, wanted.segment_id)
        about = segment.known(conn)
        pl, en = (segment.sentence(people.rule, language, ws.settings.currency, about) for language in ("pl", "en"))
        SQL.start_campaign(conn, id=campaign_id, now=now, segment_name=people.name, segment_rule=Jsonb(people.rule), sentence_pl=pl, sentence_en=en)
        store.add_messages(conn, wanted, chosen.rows, reasons, now)
        if chosen.reachable == 0:
            SQL.set_state(conn, id=campaign_id, state="sent", finished_at=now)
        launched = store.campaign(conn, campaign_id)
        passing("launch: before the commit")
    passing("launch: after the commit")
    return launched


def _go_on(conn: Connection, campaign_id: int, missed: Missed, now: datetime) -> Campaign:
    require_state(conn, campaign_id, "paused")
    if missed == "skip":
        SQL.skip_missed(conn, campaign_id=campaign_id, now=now)
    elif missed == "spread":
        SQL.spread_missed(conn, campaign_id=campaign_id, now=now, span=SPREAD)
    SQL.set_state(conn, id=campaign_id, state="sending", finished_at=None)
    return store.campaign(conn, campaign_id)


def pause(ws: Workspace, campaign_id: int) -> Campaign:
    """Stop handing messages over, from the next one on, until it is launched again. Raises CampaignNotReady unless it is sending."""
    with ws.transaction() as conn:
        require_state(conn, campaign_id, "sending")
        SQL.set_state(conn, id=campaign_id, state="paused", finished_at=None)
        return store.campaign(conn, campaign_id)


def cancel(ws: Workspace, campaign_id: int) -> Campaign:
    """Stop for good; what was not handed over is skipped. One that only waits for its time is a draft again. Raises CampaignNotReady when it ended."""
    now = ws.clock()
    with ws.transaction() as conn:
        if require_state(conn, campaign_id, "draft", "scheduled", "sending", "paused") == "scheduled":
            SQL.set_state(conn, id=campaign_id, state="draft", finished_at=None)
            return store.campaign(conn, campaign_id)
        SQL.set_state(conn, id=campaign_id, state="cancelled", finished_at=now)
        SQL.cancel_messages(conn, campaign_id=campaign_id, now=now)
        return store.campaign(conn, campaign_id)


def require_state(conn: Connection, campaign_id: int, *states: str) -> str:
    """Lock the campaign and return its state. Raises CampaignNotReady unless it is one of these."""
    state = SQL.lock_campaign(conn, id=campaign_id)
    if state is None:
        raise NotFound(where="campaign", seen=campaign_id, thing=Text(f"kampania {campaign_id}", f"campaign {campaign_id}"))
    if state not in states:
        raise CampaignNotReady(where="campaign", seen=state, detail=_stands(state, states))
    return str(state)


def _stands(state: str, wanted: Sequence[str]) -> Text:
    pl, en = (" / ".join(CAMPAIGN_STATES[one].say(language) for one in wanted) for language in ("pl", "en"))
    return Text(f"jest: {CAMPAIGN_STATES[state].pl}, a powinna być: {pl}", f"it is {CAMPAIGN_STATES[state].en}, and should be {en}")


def _reasons(ws: Workspace, rule: Mapping[str, Any], people: Sequence[int], now: datetime) -> dict[int, dict[str, Any]]:
    """Why each of these people is in the segment, as it is kept with the messages."""
    parts = (people[start : start + AT_ONCE] for start in range(0, len(people), AT_ONCE))
    return {person: as_data(why) for part in parts for person, why in segment.explain_all(ws, rule, part, now).items()}


def as_data(node: Any) -> dict[str, Any]:
    """A segment's explanation as it is kept with messages."""
    seen = {"pl": node.seen.pl, "en": node.seen.en} if node.seen is not None else None
    sentence = {"pl": node.sentence.pl, "en": node.sentence.en}
    return {"op": node.op, "sentence": sentence, "holds": node.holds, "seen": seen, "children": [as_data(child) for child in node.children]}
