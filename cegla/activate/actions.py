"""The door to `activate`: write campaigns, see them as one person would, choose the audience, launch, send, and answer recipients."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from cegla.activate import basis as basis
from cegla.activate import browsers as browsers
from cegla.activate import carriers as carriers
from cegla.activate import choosing as choosing
from cegla.activate import contents as contents
from cegla.activate import delivery as delivery
from cegla.activate import dkim as dkim
from cegla.activate import lists as lists
from cegla.activate import pushing as pushing
from cegla.activate import receipts as receipts
from cegla.activate import reporting as reporting
from cegla.activate import single as single
from cegla.activate import standing as standing
from cegla.activate import store
from cegla.activate.audience import Audience as Audience
from cegla.activate.audience import Reader, audience_of, readers
from cegla.activate.composing import Measured as Measured
from cegla.activate.composing import compiled, sender_of, settings_of
from cegla.activate.composing import measured as measured
from cegla.activate.confirming import confirmation as confirmation
from cegla.activate.confirming import send_requests
from cegla.activate.launching import Missed as Missed
from cegla.activate.launching import as_data, require_state
from cegla.activate.launching import cancel as cancel
from cegla.activate.launching import launch as launch
from cegla.activate.launching import pause as pause
from cegla.activate.launching import start_due as start_due
from cegla.activate.letters import Occasion, Writer
from cegla.activate.letters import Rendered as Rendered
from cegla.activate.links import Unsubscription as Unsubscription
from cegla.activate.links import open_link as open_link
from cegla.activate.links import unsubscribe as unsubscribe
from cegla.activate.outlet import Outlet as Outlet
from cegla.activate.outlet import lent
from cegla.activate.preferences import PAUSE_DAYS as PAUSE_DAYS
from cegla.activate.preferences import Preferences as Preferences
from cegla.activate.preferences import Wish as Wish
from cegla.activate.preferences import prefer as prefer
from cegla.activate.preferences import preferences as preferences
from cegla.activate.renderer import Renderer as Renderer
from cegla.activate.returns import TakenBack as TakenBack
from cegla.activate.returns import take_back as take_back
from cegla.activate.rules import content
from cegla.activate.rules.audience import FIRST as FIRST
from cegla.activate.rules.audience import HOLDOUT as HOLDOUT
from cegla.activate.rules.audience import REST as REST
from cegla.activate.rules.channels import KINDS as KINDS
from cegla.activate.rules.contact import Limits as Limits
from cegla.activate.rules.mime import refuse_breakout
from cegla.activate.rules.providers import PROVIDERS as PROVIDERS
from cegla.activate.rules.timing import CLOCKS, YEARS, Clock
from cegla.activate.rules.words import CAMPAIGN_STATES as CAMPAIGN_STATES
from cegla.activate.rules.words import MESSAGE_STATES as MESSAGE_STATES
from cegla.activate.rules.words import SKIP_REASONS as SKIP_REASONS
from cegla.activate.rules.words import STATES_BY_CHANNEL as STATES_BY_CHANNEL
from cegla.activate.sending import Progress as Progress
from cegla.activate.sending import deliver_round
from cegla.activate.store import SQL
from cegla.activate.store import Campaign as Campaign
from cegla.activate.store import Message as Message
from cegla.activate.store import arms as arms
from cegla.activate.store import channel_limits as channel_limits
from cegla.activate.trying import short_trial
from cegla.activate.wire import Listener as Listener
from cegla.activate.wire import look_into_mailbox as look_into_mailbox
from cegla.govern import actions as govern
from cegla.segment import actions as segment
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.errors import InvalidInput, NotFound
from cegla.vocabulary.messages import MessageState
from cegla.vocabulary.text import Text

BOUNDS = Text(
    "nieznany cel, grupa kontrolna poza 0–50 %, limit poniżej 0, tempo poniżej 1, ważność poza 1–9, oferta poza 1–365 dni, zły wariant, próba poza 5–90 % "
    "albo bez wariantów, wybór poza 1–168 godzin, godzina wysyłki ze strefą albo poza latami 2000–2199",
    "unknown purpose, holdout outside 0 to 50 %, cap below 0, pace below 1, priority outside 1 to 9, offer outside 1 to 365 days, a wrong variant, a test "
    "outside 5 to 90 % or without variants, a choice outside 1 to 168 hours, or a time to send with a zone or outside the years 2000 to 2199",
)
COLUMNS = tuple("name segment_id purpose channel sender holdout_percent messages_per_minute cap priority offer offer_days goal".split())
TIMING = ("send_at", "clock", "test_percent", "test_hours")
LIMIT_BOUNDS = Text("nieznany kanał, limit poza 0–100 albo tylko jeden kraniec ciszy", "unknown channel, limit outside 0 to 100, or one end of quiet hours")
NO_CLICKS = Text(
    "kliknięć w SMS-y nikt nie liczy, więc nie mogą rozstrzygać: wybierz zamówienia",
    "clicks in text messages are not counted, so they cannot decide: choose orders",
)
GOALS = ("orders", "clicks")
VARIANT_KEYS = "BCDEFGH"
EXPORTED = tuple("id campaign address state reason decided_at handed_at done_at consent_record_id consent_at tracked facts subject given".split())
RETURNED = tuple("message_id kind reason hard status reply words way came_at".split())
LINK = tuple("message_id number url".split())
CLICKED = tuple("message_id link at machine".split())  #: in the seconds before they are events
BROWSER = tuple("id endpoint host made_at seen_at".split())
AT_ONCE = 20_000
TEMPLATES = Path(__file__).parent / "templates"


class OtherLetter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Another content to compare with A: what is left out is as in A. `share` is how many get it for each one who gets A."""

    key: str
    subject: str = ""
    mjml: str = ""
    share: int = 1
    text: str = ""


class Draft(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an author says of a campaign. `content` is data for the template (None: as it was); `cap` 0 means no cap; no speed means the installation's.

    `priority` 1 to 9: who goes first where only one may. `offer` names what does not reach the same person twice within `offer_days`.
    `variants` are compared with A by `goal`: orders or clicks. `send_at` is a wall clock without a zone (None: at once), of the shop or of
    each person by `clock`; "usual" is each person's usual hour within a day from then on. With a `test_percent` that share of the audience
    compares the variants for `test_hours`, and the rest gets the one chosen then.

    An e-mail has `subject` and `mjml`; a text message `text`; a web push message
    `subject` (its title), `text` and the `url` it opens. `plain` takes the Polish letters out of what people are sent.
    """

    name: str
    segment_id: int
    subject: str = ""
    mjml: str = ""
    text: str = ""
    url: str = ""
    plain: bool = False
    channel: str = "email"
    id: int | None = None
    sender: str = ""
    purpose: str = "marketing"
    holdout_percent: int = 5
    messages_per_minute: int | None = None
    cap: int = 0
    content: dict[str, Any] | None = None
    priority: int = 5
    offer: str = ""
    offer_days: int = 30
    goal: str = "orders"
    variants: tuple[OtherLetter, ...] = ()
    send_at: datetime | None = None
    clock: Clock = "shop"
    test_percent: int = 0
    test_hours: int = 24


@dataclass(frozen=True)
class Why:
    """Why one message was sent, or was not: everything it rested on, as it was then.

    `facts` is the segment's rule as a tree: op, sentence {pl, en}, holds, seen {pl, en} or None, children. `decision` is the
    consent the gate named; None when the purpose needs none or there was none.
    """

    message: Message
    subject: str
    segment_name: str
    segment_sentence: Text
    facts: dict[str, Any] | None
    purpose: Text
    decision: govern.Recorded | None


def save_campaign(conn: Connection, draft: Mapping[str, Any], now: datetime, outlet: Outlet | None = None) -> Campaign:
    """Make a draft, or change one that was not launched: see `Draft` for the fields. The template is compiled, so its mistakes are told now.

    Raises TemplateInvalid, HeaderRefused, InvalidInput, NotFound, CampaignNotReady.
    """
    try:
        wanted = msgspec.convert(dict(draft), Draft)
    except msgspec.ValidationError as error:
        raise InvalidInput(where="campaign", detail=str(error)) from None
    if wanted.purpose not in govern.register.purposes(conn) or not _within_bounds(wanted):
        raise InvalidInput(where="campaign", detail=BOUNDS)
    channel, beside = Channel(wanted.channel), settings_of(Channel(wanted.channel), plain=wanted.plain, url=wanted.url)
    if channel is Channel.SMS and wanted.goal == "clicks":
        raise InvalidInput(where="campaign/goal", seen=wanted.goal, detail=NO_CLICKS)
    refuse_breakout("Subject", wanted.subject)
    sender = sender_of(channel, wanted.sender)
    segment.segment(conn, wanted.segment_id)
    renderer = outlet.renderer if outlet else Renderer()
    try:
        parts, *others = [
            compiled(renderer, channel, {part: getattr(one, part) or getattr(wanted, part) for part in ("subject", "mjml", "text")})
            for one in (wanted, *wanted.variants)
        ]
    finally:
        if outlet is None:
            renderer.close()
    columns, timing = ({name: getattr(wanted, name) for name in names} for names in (COLUMNS, TIMING))
    columns["sender"] = sender
    if wanted.id is None:
        campaign_id, version, before = int(SQL.add_campaign(conn, now=now, **columns)), 1, {}
    else:
        require_state(conn, wanted.id, "draft")
        before = store.campaign(conn, wanted.id).content
        campaign_id, version = wanted.id, int(SQL.change_campaign(conn, id=wanted.id, now=now, **columns))
    data = beside if beside is not None else before if wanted.content is None else wanted.content
    for number, each in enumerate([parts, *others], version):
        refuse_breakout("Subject", each["subject"])
        store.add_content(conn, campaign_id, number, {**each, "content": data}, now)
    variants = [{"key": one.key, "version": number, "share": one.share} for number, one in enumerate(wanted.variants, version + 1)]
    SQL.set_variants(conn, id=campaign_id, variants=Jsonb(variants))
    SQL.set_timing(conn, id=campaign_id, **timing)
    return store.campaign(conn, campaign_id)


def set_limits(conn: Connection, channel: str, wanted: Limits, now: datetime) -> None:
    """Say how often and when people may be written to on a channel, by all campaigns together. Raises InvalidInput."""
    half = (wanted.quiet_from is None) != (wanted.quiet_until is None)
    if channel not in store.channel_limits(conn) or not 0 <= wanted.per_day <= 100 or half:
        raise InvalidInput(where="limits", seen=channel, detail=LIMIT_BOUNDS)
    store.set_limits(conn, channel, wanted, now)


def campaigns(conn: Connection) -> list[Campaign]:
    """Every campaign, newest first, with its messages counted by state."""
    return store.campaigns(conn)


def campaign(conn: Connection, campaign_id: int) -> Campaign:
    """One campaign. Raises NotFound."""
    return store.campaign(conn, campaign_id)


def templates() -> dict[str, str]:
    """The ready-made MJML templates by name."""
    return {file.stem: file.read_text(encoding="utf-8") for file in sorted(TEMPLATES.glob("*.mjml"))}


def preview(ws: Workspace, campaign_id: int, person_id: int | None = None, outlet: Outlet | None = None, variant: str = FIRST) -> Rendered:
    """The message of a variant as this person would see it, or with every fallback (None), and what its author should know. Links are plain.

    Raises NotFound, TemplateInvalid, HeaderRefused.
    """
    renderer = outlet.renderer if outlet else Renderer()
    try:
        with ws.transaction() as conn:
            wanted = store.campaign(conn, campaign_id)
            occasion = _occasion(wanted, variant)
            known = readers(conn, [person_id], Channel(wanted.channel)) if person_id is not None else [Reader(0, (), None, None)]
            writer = Writer(ws, conn, renderer)
            person = writer.fields(known, occasion)[known[0].person_id] if person_id is not None else {}
            made = writer.render(occasion, person)
            row = SQL.content(conn, campaign_id=wanted.id, version=occasion.version)
        fields = renderer.load("warnings", {"subject": row[0], "html": row[1]})
    finally:
        if outlet is None:
            renderer.close()
    if wanted.channel != Channel.EMAIL:
        return replace(made, html="", text=made.text.strip())
    said = next((one for one in wanted.variants if one.key == variant), wanted)
    return replace(made, warnings=tuple(content.warnings(said.subject, said.mjml, fields)))


def test_send(ws: Workspace, campaign_id: int, address: str, outlet: Outlet | None = None, variant: str = FIRST) -> None:
    """Send one trial of a campaign's variant to an address of the author's own. It is no message: it counts nowhere, and its links are plain.

    Web push has no addresses to write down: there `address` names a person ("p12") who agreed, whose browser gets the trial.
    Raises InvalidInput, NotFound, MailServerRefused, TemplateInvalid, GatewayRefused.
    """
    with ws.transaction() as conn:
        wanted = store.campaign(conn, campaign_id)
        occasion = _occasion(wanted, variant)
        row = SQL.content(conn, campaign_id=wanted.id, version=occasion.version)
    if wanted.channel != Channel.EMAIL:
        short_trial(ws, wanted, address, outlet, occasion)
        return
    contents.trial(ws, dict(zip(("subject", "html", "text", "content"), row, strict=True)), address, outlet, occasion)


def audience(ws: Workspace, campaign_id: int) -> Audience:
    """The dry run: who would get the campaign now, and for everybody else in the segment why not. Nothing changes."""
    with ws.transaction() as conn:
        wanted = store.campaign(conn, campaign_id)
    return audience_of(ws, wanted, ws.clock())


def deliver(ws: Workspace, now: datetime, outlet: Outlet | None = None) -> Progress:
    """One round of handing messages over, at the pace set; call it again at once while `more`, else about twice a second.

    Give the same `outlet` each time, so that the mail connection and the template worker stay. Raises nothing for a mail
    server that is away: the campaigns keep their messages and try again later.
    """
    with lent(ws, outlet) as own:
        return deliver_round(ws, now, own, send_requests)


def messages_of(
    conn: Connection, *, campaign_id: int | None = None, people: Sequence[int] | None = None,
    state: MessageState | None = None, before: int | None = None, limit: int = 50,
) -> list[Message]:  # fmt: skip
    """Messages, newest first, of a campaign or to any of these identities (`people`), in a state; `before` is the id a page goes on from."""
    wishes = {"campaign_id": campaign_id, "people": list(people) if people is not None else None, "state": state.value if state else None, "before": before}
    return store.messages(conn, limit, **wishes)


def message(ws: Workspace, message_id: int) -> Why:
    """One message and why it was sent, or was not. Raises NotFound."""
    with ws.transaction() as conn:
        found = store.messages(conn, 1, id=message_id)
        if not found:
            raise NotFound(where="message", seen=message_id, thing=Text(f"wiadomość {message_id}", f"message {message_id}"))
        row = found[0]
        wanted = store.campaign(conn, row.campaign_id)
        subject = SQL.content(conn, campaign_id=row.campaign_id, version=row.version)[0]
        known = readers(conn, [row.person_id])[0]
        decisions = govern.decisions_of(conn, known.identity_ids)
        purpose = govern.register.label(conn, wanted.purpose)
    decision = next((one for one in decisions if one.record_id == row.consent_record_id), None)
    sentence = wanted.segment_sentence or Text("", "")
    return Why(row, subject, wanted.segment_name or "", sentence, _facts(ws, row), purpose, decision)


def export_person(conn: Connection, identity_ids: Sequence[int]) -> dict[str, Any]:
    """The messages of a person, sent or not, with what they rested on."""
    ids = list(identity_ids)
    return {
        "messages": [dict(zip(EXPORTED, row, strict=True)) for row in SQL.messages_of_person(conn, ids=ids)],
        "returned_mail": [dict(zip(RETURNED, row, strict=True)) for row in SQL.returns_of_person(conn, ids=ids)],
        "clicks": [dict(zip(CLICKED, row, strict=True)) for row in SQL.clicks_of_person(conn, ids=ids)],
        "links": [dict(zip(LINK, row, strict=True)) for row in SQL.links_of_person(conn, ids=ids)],
        "browsers": [dict(zip(BROWSER, row, strict=True)) for row in SQL.subscriptions_of_person(conn, ids=ids)],
    }


def erase_person(conn: Connection, identity_ids: Sequence[int]) -> int:
    """Take a person out of the outbox: what waits is cancelled, the rest stays as numbers tied to nobody. Returns the rows changed."""
    ids = list(identity_ids)
    SQL.forget_returns(conn, ids=ids)
    SQL.forget_clicks(conn, ids=ids)
    SQL.forget_links(conn, ids=ids)
    return int(SQL.forget_subscriptions(conn, ids=ids)) + int(SQL.forget_messages(conn, ids=ids))


def _within_bounds(wanted: Draft) -> bool:
    keys = [one.key for one in wanted.variants]
    variants = keys == list(VARIANT_KEYS[: len(keys)]) and all(1 <= one.share <= 99 for one in wanted.variants) and wanted.goal in GOALS
    channel = wanted.channel in KINDS
    numbers = wanted.cap >= 0 and (wanted.messages_per_minute or 1) >= 1 and 1 <= wanted.priority <= 9 and 1 <= wanted.offer_days <= 365
    tested = wanted.test_percent == 0 or (5 <= wanted.test_percent <= 90 and bool(keys))
    moment = wanted.send_at is None or (wanted.send_at.tzinfo is None and wanted.send_at.year in YEARS)
    timed = wanted.clock in CLOCKS and moment and 1 <= wanted.test_hours <= 168
    return channel and variants and numbers and tested and timed and 0 <= wanted.holdout_percent <= 50


def _occasion(wanted: Campaign, variant: str) -> Occasion:
    if variant not in dict(wanted.shares):
        raise NotFound(where="variant", seen=variant, thing=Text(f"wariant {variant}", f"variant {variant}"))
    return Occasion(wanted.id, wanted.name, wanted.version_of(variant), wanted.sender, one_click=wanted.channel == Channel.EMAIL)


def _facts(ws: Workspace, row: Message) -> dict[str, Any] | None:
    """Why the person was in the segment at the launch: kept with the message, worked out when first asked from the history as of then."""
    with ws.transaction() as conn:
        kept = SQL.facts(conn, id=row.id)
        launched = SQL.launched_segment(conn, id=row.campaign_id)
    if kept is not None or row.person_id <= 0 or not launched or launched[0] is None:
        return kept
    try:
        facts = as_data(segment.explain(ws, launched[0], row.person_id, launched[1]))
    except NotFound:
        return None
    with ws.transaction() as conn:
        SQL.keep_facts(conn, id=row.id, facts=Jsonb(facts))
    return facts
