"""Which variant the rest of an audience gets: chosen when the test is over, shown with its reason, and open to change until it is sent.

    launch ──► part of the audience compares the variants ──► chosen ──► half an hour to change one's mind ──► the rest is sent
"""

from datetime import datetime, timedelta

from cegla.activate import store
from cegla.activate.launching import require_state
from cegla.activate.store import SQL, Campaign
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors.messages import CampaignNotReady
from cegla.vocabulary.text import Text

UNDO = timedelta(minutes=30)
BY_HAND = "hand"  #: somebody chose, not the numbers
NOTHING_LEFT = Text("reszta odbiorców już dostaje wiadomość albo jej nie ma", "the rest of the audience is being sent to, or there is none")
NO_SUCH = Text("nie ma takiego wariantu", "there is no such variant")


def due(conn: Connection, now: datetime) -> list[int]:
    """Campaigns whose test is over by now and whose rest has no variant yet."""
    return [number for (number,) in SQL.to_choose(conn, now=now)]


def choose(conn: Connection, campaign_id: int, key: str, why: str, now: datetime) -> Campaign:
    """Give the rest of the audience this variant, half an hour from now or when the choice before would have been sent.

    `why` is the verdict of the comparison, or `BY_HAND`. Raises CampaignNotReady once the rest is being sent.
    """
    campaign = _open(conn, campaign_id, now)
    if key not in dict(campaign.shares):
        raise CampaignNotReady(where="variant", seen=key, detail=NO_SUCH)
    fires = campaign.fires_at if campaign.winner is not None and campaign.fires_at is not None else now + UNDO
    SQL.choose(conn, id=campaign_id, winner=key, why=why, now=now, fires_at=fires)
    SQL.give_rest(conn, campaign_id=campaign_id, version=campaign.version_of(key), fires_at=fires)
    return store.campaign(conn, campaign_id)


def leave_out_rest(conn: Connection, campaign_id: int, now: datetime) -> Campaign:
    """The rest of the audience gets nothing. Raises CampaignNotReady once it is being sent."""
    _open(conn, campaign_id, now)
    SQL.skip_rest(conn, campaign_id=campaign_id, now=now)
    return store.campaign(conn, campaign_id)


def _open(conn: Connection, campaign_id: int, now: datetime) -> Campaign:
    require_state(conn, campaign_id, "sending", "paused")
    campaign = store.campaign(conn, campaign_id)
    if campaign.chooses_at is None or (campaign.winner is not None and campaign.fires_at is not None and campaign.fires_at <= now):
        raise CampaignNotReady(where="campaign", seen=campaign_id, detail=NOTHING_LEFT)
    return campaign
