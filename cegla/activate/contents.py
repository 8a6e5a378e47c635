"""What a letter's author asks before any campaign: compiled parts, how they look to a person, a trial, what is missing across an audience."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import parseaddr
from typing import Any

from psycopg.types.json import Jsonb

from cegla.activate import store
from cegla.activate.audience import Reader, readers, readers_at, verdicts
from cegla.activate.letters import Occasion, Rendered, Writer
from cegla.activate.outlet import Outlet, lent
from cegla.activate.renderer import Renderer
from cegla.activate.rules import content
from cegla.activate.rules.audience import FIRST
from cegla.activate.rules.channels import deliverable
from cegla.activate.rules.mime import refuse_breakout, words
from cegla.activate.store import SQL
from cegla.activate.trying import hand_over
from cegla.profile import actions as profile
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Channel, Verdict
from cegla.vocabulary.errors import InvalidInput, NotFound
from cegla.vocabulary.errors.messages import CampaignNotReady
from cegla.vocabulary.identifiers import normalized
from cegla.vocabulary.text import Text

DRAFT = Occasion(0, "", 0, "")  #: a letter that belongs to no campaign yet
AT_ONCE = 2_000
MOST_ASKED = 20_000
EXAMPLES_FROM = 60
PERSONAL = frozenset({"email", "phone", "last_name", "name", "street", "address", "birthday", "user_id"})
NOT_A_DRAFT = Text("została już wysłana", "it was sent already")
NOT_BY_EMAIL = Text("nie idzie e-mailem, a list jest e-mailem", "it does not go by e-mail, and a letter does")
NO_ADDRESS = Text("to nie jest adres e-mail", "this is no e-mail address")


@dataclass(frozen=True)
class Seen:
    """A letter as one person would see it, and the gate's word on writing to them: a preview is no reason to send."""

    rendered: Rendered
    verdict: Verdict | None


@dataclass(frozen=True)
class Missing:
    """Of `asked` people how many lack a field that the letter reads, and whether it has a fallback."""

    field: str
    without: int
    asked: int
    has_fallback: bool


def parts(renderer: Renderer, subject: str, mjml: str, text: str | None = None) -> dict[str, Any]:
    """A letter compiled and parsed, so that its mistakes are told now; the text is made of the HTML unless there is one. Raises TemplateInvalid."""
    html = renderer.compile(mjml)
    made = content.plain_text(html) if text is None else text
    renderer.load("draft", {"subject": subject, "html": html, "text": made})
    return {"subject": subject, "mjml": mjml, "html": html, "text": made}


def shown(ws: Workspace, renderer: Renderer, compiled: Mapping[str, Any], person_id: int | None = None, purpose: str = "marketing") -> Seen:
    """The letter as a person would see it, with every fallback when nobody is named. Links are plain. Raises TemplateInvalid, HeaderRefused."""
    with ws.transaction() as conn:
        writer = _writer(ws, conn, renderer, compiled)
        if person_id is None:
            return Seen(writer.render(DRAFT, {}), None)
        known = readers(conn, [person_id])
        made = writer.render(DRAFT, writer.fields(known, DRAFT)[person_id])
        return Seen(made, verdicts(ws, conn, known, purpose, ws.clock())[0])


def inbox_line(subject: str) -> str:
    """The subject as it travels: RFC 2047 words where it is not plain ASCII."""
    return words(subject).replace("\r\n", "\n")


def trial(ws: Workspace, compiled: Mapping[str, Any], address: str, outlet: Outlet | None = None, occasion: Occasion = DRAFT) -> None:
    """Send one copy to an address of the author's own. It is no message: it counts nowhere, and its links are plain.

    Raises InvalidInput, MailServerRefused, TemplateInvalid.
    """
    clean = normalized("email", address)
    recipient = deliverable(clean) if clean else None
    if clean is None or recipient is None:
        raise InvalidInput(where="address", seen=address, detail=NO_ADDRESS)
    with lent(ws, outlet) as own:
        with ws.transaction() as conn:
            writer = _writer(ws, conn, own.renderer, compiled, occasion)
            reader = readers_at(conn, [clean])[0]
            person = writer.fields([reader], occasion)[reader.person_id] if reader else {}
            rendered = writer.render(occasion, person)
            letter = writer.letter(occasion, replace(rendered, subject=f"[test] {rendered.subject}"), clean, ws.clock())
            carrier = own.carrier(conn, Channel.EMAIL)
        hand_over(carrier, parseaddr(occasion.sender or ws.settings.smtp.sender)[1], recipient, letter, ws.clock())


def examples(conn: Connection) -> list[tuple[str, Text, str]]:
    """The fields of `person` that a letter may print: name, label, and the most frequent value among some people; who they are is not told.

    Values that name somebody stay out, whatever their number; and so does a value that only one of these people has.
    """
    found = [row.id for row in resolve.find(conn, "", 0, EXAMPLES_FROM)]
    values: dict[str, Counter[str]] = {}
    for known in profile.profiles_of(conn, {one.person_id: one.identity_ids for one in readers(conn, found)}).values():
        for name, value in known.items():
            if isinstance(value, (str, int, float)) and not name.endswith("_micros"):
                values.setdefault(name, Counter())[str(value)[:60]] += 1
    labels = {row.key: row.label for row in profile.TRAITS}
    made: list[tuple[str, Text, str]] = []
    for name in sorted(values):
        value, people = values[name].most_common(1)[0]
        made.append((name, labels.get(name, Text(name, name)), value if people > 1 and name not in PERSONAL else ""))
    return made


def missing(ws: Workspace, renderer: Renderer, compiled: Mapping[str, Any], segment_id: int) -> list[Missing]:
    """For each field of the person that the letter reads, how many members of a segment lack it (of the first 20,000 at most)."""
    with ws.transaction() as conn:
        writer = _writer(ws, conn, renderer, compiled)
        wanted = sorted(writer.person_fields(DRAFT))
        people = [one.person_id for one in segment.membership(conn, segment_id, 0, MOST_ASKED)]
        without = dict.fromkeys(wanted, 0)
        for known in _known(conn, writer, people) if wanted else ():
            for name in wanted:
                without[name] += known.get(name) in (None, "", [])
    bare = content.without_fallback(f"{compiled['subject']}{compiled['html']}{compiled['text']}")
    return [Missing(name, without[name], len(people), f"person.{name}" not in bare) for name in wanted]


def spoken(template: str) -> str:
    """A subject or a short text as people read it in a list: fields as their fallbacks."""
    return content.spoken(template)


def mentioning(conn: Connection, pattern: str) -> list[tuple[str, int, str]]:
    """What a regular expression's first group finds in what campaigns say, each finding with the campaign's number and name."""
    return list(SQL.mentioning(conn, pattern=pattern))


def hold(conn: Connection) -> None:
    """Let nobody keep what a campaign says until this transaction ends, for whoever takes something away that none may mention."""
    SQL.hold_contents(conn)


def require_draft(conn: Connection, campaign_id: int) -> None:
    """Lock a campaign and raise CampaignNotReady unless it was not sent yet."""
    state = SQL.lock_campaign(conn, id=campaign_id)
    if state is None:
        raise NotFound(where="campaign", seen=campaign_id, thing=Text(f"kampania {campaign_id}", f"campaign {campaign_id}"))
    if state != "draft":
        raise CampaignNotReady(where="campaign", seen=state, detail=NOT_A_DRAFT)
    channel = store.campaign(conn, campaign_id).channel
    if channel != Channel.EMAIL:
        raise CampaignNotReady(where="campaign", seen=channel, detail=NOT_BY_EMAIL)


def put(conn: Connection, campaign_id: int, variant: str, compiled: Mapping[str, Any], now: Any) -> int:
    """Give a draft another content, for A or for one of its variants; the version it became. Raises NotFound, HeaderRefused."""
    refuse_breakout("Subject", compiled["subject"])
    wanted = store.campaign(conn, campaign_id)
    version = 1 + SQL.newest_content(conn, campaign_id=campaign_id)
    store.add_content(conn, campaign_id, version, {**compiled, "content": wanted.content}, now)
    if variant == FIRST:
        SQL.set_version(conn, id=campaign_id, version=version, now=now)
    else:
        kept = [{"key": one.key, "version": version if one.key == variant else one.version, "share": one.share} for one in wanted.variants]
        kept += [] if any(one.key == variant for one in wanted.variants) else [{"key": variant, "version": version, "share": 1}]
        SQL.set_variants(conn, id=campaign_id, variants=Jsonb(kept))
    return version


def _writer(ws: Workspace, conn: Connection, renderer: Renderer, compiled: Mapping[str, Any], occasion: Occasion = DRAFT) -> Writer:
    """A writer that knows this one letter; what the renderer had under its name before is forgotten."""
    writer = Writer(ws, conn, renderer)
    parts_of_it = {name: compiled[name] for name in ("subject", "html", "text")}
    writer.contents[occasion.campaign_id, occasion.version] = parts_of_it | {"content": compiled.get("content", {})}
    renderer.forget(writer.key(occasion))
    return writer


def _known(conn: Connection, writer: Writer, people: Sequence[int]) -> Iterator[dict[str, Any]]:
    for start in range(0, len(people), AT_ONCE):
        found: list[Reader] = readers(conn, people[start : start + AT_ONCE])
        yield from writer.fields(found, DRAFT).values()
