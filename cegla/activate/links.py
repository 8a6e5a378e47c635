"""What recipients do with a message: follow a signed link, unsubscribe with one click. A token acts for one message and logs nobody in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from cegla.activate import browsers, store
from cegla.activate.audience import Reader, readers_at, verdicts
from cegla.activate.letters import preferences_url, signed
from cegla.activate.rules import returning, tokens
from cegla.activate.rules.channels import KINDS, masked, told_as
from cegla.activate.rules.clicks import HELD_SECONDS, SOON_SECONDS, TRAP, Click, judged
from cegla.activate.store import SQL
from cegla.activate.telling import internal_source
from cegla.collect import actions as collect
from cegla.govern import actions as govern
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Channel, Decision, State
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.text import Text

CLICKS_AT_ONCE = 1_000  #: messages
AGAIN = timedelta(seconds=1)  #: a program that posts twice says it once


@dataclass(frozen=True)
class Unsubscription:
    """What the page of an unsubscribe link shows: whose address (masked), from what, and whether it is done."""

    address: str
    campaign: str
    purpose: Text
    done: bool
    preferences: str  #: the token of the page with all choices


def open_link(ws: Workspace, token: str, *, count: bool = True, agent: str | None = None, network: str = "") -> str:
    """Where a signed link leads. The click comes back as an event (see `tell_clicks`), if the person still agrees to being measured; else it is nobody's.

    `network` is the address it came from: of clicks that are nobody's, those of one program on one machine are looked at together for some seconds.

    `count` False (a HEAD request) only looks. A click that comes too soon, or whose user agent (`agent`; None: not known) is a machine's, is labelled and never
    counted. The link that no reader sees leads to their preferences. Raises NotFound for anything that was not made here.
    """
    now, robot = ws.clock(), agent is not None and ws.library.current().names_itself_bot(agent)
    if _says(ws, token, tokens.TALLY):
        return _open_as_nobody(ws, genuine(ws, token, tokens.TALLY), _visitor(ws, agent, network, now), now if count and not robot else None)
    read = genuine(ws, token, tokens.CLICK)
    with ws.transaction() as conn:
        row = SQL.link_of_message(conn, id=read.message_id, number=read.link, hidden=preferences_url(ws, read.message_id))
        if row is None or row[0] is None or row[1] is None:
            raise no_such_link()
        url, address, identity_id, channel, campaign_id, campaign, handed_at, own = row
        way = Channel(channel)
        soon = way is Channel.EMAIL and handed_at is not None and (now - handed_at).total_seconds() < SOON_SECONDS
        why = "at_once" if soon else "scanner" if robot else None
        if count and not _may_be_measured(ws, conn, address, way, now):
            if why is None and not own:  # the number of clicks on a link that one person alone was given would say whose they are
                _pass_by(ws, conn, way, (campaign_id, read.link, now, _visitor(ws, agent, network, now)))
        elif count and way is Channel.EMAIL:
            SQL.hold_click(conn, message_id=read.message_id, link=read.link, now=now, machine=why)
        elif count:
            told = _clicked((read.message_id, campaign_id, campaign), Click(read.link, now, why), url, _whom(conn, address, identity_id, way), way)
            collect.write_down(conn, internal_source(conn, now), returning.requests([told]), now)
    return str(url)


def tell_clicks(conn: Connection, zone: ZoneInfo, now: datetime) -> None:
    """Let clicks in letters that had time to show what they are into the inbox. A machine's are labelled, with why; the hidden link's are not told.
    Of those that are nobody's the number is kept; a machine's are none."""
    found = list(SQL.settled_clicks(conn, before=now - timedelta(seconds=HELD_SECONDS), held=HELD_SECONDS, most=CLICKS_AT_ONCE))
    events: list[dict[str, Any]] = []
    for message_id, rows in groupby(found, key=lambda row: row[0]):
        theirs = list(rows)
        reasons = judged([Click(*row[1:4]) for row in theirs], theirs[0][-1])
        for (_, link, at, _, url, address, campaign_id, campaign, _), why in zip(theirs, reasons, strict=True):
            if link != TRAP and address is not None and url is not None:
                events.append(_clicked((message_id, campaign_id, campaign), Click(link, at, why), url, returning.whose(address), Channel.EMAIL))
    if events:
        collect.write_down(conn, internal_source(conn, now), returning.requests(events), now)
    _count_passers_by(conn, zone, now)
    conn.commit()


def _count_passers_by(conn: Connection, zone: ZoneInfo, now: datetime) -> None:
    found = list(SQL.passed_by(conn, before=now - timedelta(seconds=HELD_SECONDS), held=HELD_SECONDS, most=CLICKS_AT_ONCE))
    counted: list[tuple[int, Click]] = []
    for (campaign_id, _), rows in groupby(found, key=lambda row: row[:2]):
        theirs = list(rows)
        clicks = [Click(link, at) for _, _, link, at, _ in theirs]
        counted += [(campaign_id, click) for click, why in zip(clicks, judged(clicks, theirs[0][-1]), strict=True) if why is None]
    _tally(conn, zone, counted)


def _clicked(message: tuple[int, int, str], click: Click, url: str, whom: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """The event about a click on a link of a message (its number, its campaign's number and name)."""
    message_id, campaign_id, campaign = message
    facts = {"campaign_id": campaign_id, "campaign": campaign, "link": click.link, "url": url.partition("?")[0], "machine": click.machine is not None}
    facts |= {"machine_why": click.machine} if click.machine else {}
    key = f"-{click.link}-{int(click.at.timestamp() * 1000)}"
    return returning.event(told_as(returning.CLICKED, channel), message_id, whom, click.at, facts, key=key)


def _open_as_nobody(ws: Workspace, read: tokens.Token, visitor: bytes, counted_at: datetime | None) -> str:
    """Where a campaign's link leads; one more click, and not a word of whose. Raises NotFound."""
    campaign_id = read.message_id
    with ws.transaction() as conn:
        row = SQL.link_of_campaign(conn, campaign_id=campaign_id, number=read.link)
        if row is None:
            raise no_such_link()
        if counted_at is not None:
            _pass_by(ws, conn, Channel(row[1]), (campaign_id, read.link, counted_at, visitor))
    return str(row[0])


def _pass_by(ws: Workspace, conn: Connection, channel: Channel, click: tuple[int, int, datetime, bytes]) -> None:
    """Nobody's click on a link (campaign, link, when, visitor): mail has scanners, so there it waits for those that belong to it; else it counts at once."""
    campaign_id, link, at, visitor = click
    if channel is Channel.EMAIL:
        SQL.pass_by(conn, campaign_id=campaign_id, number=link, now=at, visitor=visitor)
    else:
        _tally(conn, ws.settings.zone, [(campaign_id, Click(link, at))])


def _tally(conn: Connection, zone: ZoneInfo, clicks: Sequence[tuple[int, Click]]) -> None:
    """More clicks on links of campaigns, by the day of the shop's calendar."""
    if clicks:
        columns = {"campaigns": [one for one, _ in clicks], "numbers": [click.link for _, click in clicks]}
        SQL.tally(conn, **columns, days=[click.at.astimezone(zone).date() for _, click in clicks])


def _visitor(ws: Workspace, agent: str | None, network: str, now: datetime) -> bytes:
    """What tells programs on machines apart for some seconds: a keyed hash that is another one every hour, and of use to nobody after that."""
    return ws.keys.signature("passer-by", f"{now:%Y-%m-%dT%H}\0{network}\0{agent or ''}".encode())


def unsubscribe(ws: Workspace, token: str, *, act: bool) -> Unsubscription:
    """Withdraw the consent a message rested on (RFC 8058). Only a POST may `act`; a GET looks, since scanners follow every link.

    Done twice is done once. Messages that wait are stopped by the gate at their hand-off. Raises NotFound for a forged token.
    """
    now = ws.clock()
    read = genuine(ws, token, tokens.UNSUBSCRIBE)
    with ws.transaction() as conn:
        found = store.messages(conn, 1, id=read.message_id)
        if not found or found[0].address is None:
            raise no_such_link()
        row = found[0]
        wanted = store.campaign(conn, row.campaign_id)
        address = found[0].address
        channel = Channel(row.channel)
        reader = readers_at(conn, [address], channel)[0]
        subject = reader.subject(address) if reader else govern.Subject(row.person_id, (row.identity_id,) if row.identity_id else (), address)
        standing = govern.allowed(conn, ws.keys, [subject], wanted.purpose, channel, now)[0]
        gone = standing.reason in ("withdrawn", "objected")
        if act and not gone:
            withdraw(ws, conn, row, "one_click", now)
        elif act and standing.decided_at is not None and now - standing.decided_at > AGAIN and row.identity_id is not None:
            _withdrawn_again(conn, row, wanted.purpose, now)
        label = govern.register.label(conn, wanted.purpose)
    return Unsubscription(masked(address), wanted.name, label, act or gone, signed(ws.keys, tokens.PREFERENCES, row.id))


def _withdrawn_again(conn: Connection, row: store.Message, purpose: str, now: datetime) -> None:
    """A second no is kept without a word: a yes that was said before it may still be on its way, and would be the newer decision."""
    assert row.identity_id is not None
    proof = {"message_id": row.id, "campaign_id": row.campaign_id}
    said = Decision(row.identity_id, purpose, Channel(row.channel), State.WITHDRAWN, now, internal_source(conn, now), "one_click", proof)
    govern.record(conn, [said], now)


def withdraw(ws: Workspace, conn: Connection, row: store.Message, method: str, now: datetime) -> None:
    """Withdraw the consent a message rested on, and tell it; done twice is done once. `method` says how it was asked for.

    Every yes of the person goes, on whichever identifier it was given, so that none comes back when they turn out to be two.
    """
    assert row.address is not None
    channel = Channel(row.channel)
    reader = readers_at(conn, [row.address], channel)[0]
    identities = reader.identity_ids if reader else ((row.identity_id,) if row.identity_id else ())
    wanted = store.campaign(conn, row.campaign_id)
    told = govern.standing(conn, identities, wanted.purpose, channel, State.GIVEN, now) or ([row.identity_id] if row.identity_id else [])
    if not told:
        return
    source_id = internal_source(conn, now)
    proof = {"message_id": row.id, "campaign_id": row.campaign_id}
    govern.record(conn, [Decision(one, wanted.purpose, channel, State.WITHDRAWN, now, source_id, method, proof) for one in told], now)
    facts = {"campaign_id": row.campaign_id, "campaign": wanted.name, "purpose": wanted.purpose}
    whom = _whom(conn, row.address, told[0], channel)
    collect.write_down(conn, source_id, returning.requests([returning.event(returning.UNSUBSCRIBED, row.id, whom, now, facts)]), now)


def stop_channel(conn: Connection, reader: Reader, channel: Channel, method: str, now: datetime, proof: dict[str, Any]) -> int:
    """Withdraw every yes of a person to a channel, whatever the purpose; a purpose that needed none is refused from now on. Returns the decisions made."""
    source_id = internal_source(conn, now)
    decisions: list[Decision] = []
    for purpose in govern.register.current(conn).purposes.values():
        if purpose.by_contract or channel not in purpose.channels:
            continue
        given = govern.standing(conn, reader.identity_ids, purpose.key, channel, State.GIVEN, now)
        decisions += [Decision(one, purpose.key, channel, State.WITHDRAWN, now, source_id, method, proof) for one in given]
        if not given and reader.identity_id is not None:  # also where a no stands: a yes that was said before this one may be on its way
            decisions.append(Decision(reader.identity_id, purpose.key, channel, State.REFUSED, now, source_id, method, proof))
    govern.record(conn, decisions, now)
    return len(decisions)


def _whom(conn: Connection, address: str, identity_id: int, channel: Channel) -> dict[str, Any]:
    """How an event names the person behind an address; a browser goes by the id it uses itself, and is nobody's when it was forgotten."""
    return returning.whose(address, channel) if KINDS[channel].identifier else browsers.names_of(conn, [identity_id]).get(identity_id, {})


def _may_be_measured(ws: Workspace, conn: Connection, address: str, channel: Channel, now: datetime) -> bool:
    reader, purpose = readers_at(conn, [address], channel)[0], KINDS[channel].tracking
    return reader is not None and bool(purpose) and verdicts(ws, conn, [reader], purpose, now, channel)[0].allowed


def _says(ws: Workspace, token: str, purpose: str) -> bool:
    read = tokens.read(token)
    return read is not None and ws.keys.genuine(purpose, read.content, read.signature)


def genuine(ws: Workspace, token: str, purpose: str) -> tokens.Token:
    """What a token says, if it was made here for this purpose. Raises NotFound."""
    read = tokens.read(token)
    if read is None or not _says(ws, token, purpose):
        raise no_such_link()
    return read


def no_such_link() -> NotFound:
    """The one answer to every link that was not made here, or leads to nobody any more."""
    return NotFound(where="link", thing=Text("ten odnośnik", "this link"))
