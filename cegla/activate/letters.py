"""From a campaign's content to one person's letter: fields, rendering, links, headers."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from typing import Any

from cegla.activate import dkim, store
from cegla.activate.audience import Reader
from cegla.activate.renderer import Renderer, joined
from cegla.activate.rules import content, mime, sms, tokens
from cegla.activate.rules.channels import deliverable
from cegla.activate.rules.clicks import TRAP
from cegla.activate.rules.content import daypart
from cegla.activate.rules.dkim import Signer
from cegla.activate.rules.pieces import Pieces, Shape, calm, calmed, html_shape, text_shape
from cegla.activate.rules.returned import BOUNCE, UNSUBSCRIBE
from cegla.activate.store import SQL
from cegla.catalog import actions as catalog
from cegla.profile import actions as profile
from cegla.segment import actions as segment
from cegla.storage.keys import Keys
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.errors.messages import HeaderRefused, TemplateInvalid
from cegla.vocabulary.money import MICROS
from cegla.vocabulary.text import Text

SEGMENTS = "segments"
FEED = re.compile(r"""\bfeeds\.([a-z][a-z0-9_]{0,40})(?:\s*\|\s*where:\s*(?:"category"|'category')\s*,\s*(?:"([^"]*)"|'([^']*)'))?""")
WORKED_OUT = frozenset({SEGMENTS, "daypart", "weekday", "email", *catalog.SOURCES})  #: fields of `person` that are no traits
NOBODY_YET = "0"  #: in place of a token, where there is no message
PREFERENCES = Text("Twoje wiadomości i zgody", "Your messages and consents")


@dataclass(frozen=True)
class Rendered:
    """A message as one person would see it. `warnings` are for the author."""

    subject: str
    html: str
    text: str
    warnings: tuple[Text, ...] = ()


@dataclass(frozen=True)
class Composed:
    """A message for one person before it is a letter; its parts may be in pieces, most of which all letters share."""

    subject: str
    html: str | Pieces
    text: str | Pieces
    way_out: str = ""  #: where its reader unsubscribes

    @property
    def shown(self) -> Rendered:
        """It as a whole."""
        return Rendered(self.subject, "".join(map(str, self.html)), "".join(map(str, self.text)))


@dataclass(frozen=True)
class Occasion:
    """What a letter is about: the campaign, the version of its content, and the message it becomes (None: a preview or a trial)."""

    campaign_id: int
    campaign: str
    version: int
    sender: str
    message_id: int | None = None
    tracked: bool = False
    one_click: bool = True
    data: dict[str, Any] | None = None  #: what the caller of a message to one person gave


@dataclass(frozen=True)
class Shapes:
    """What the letters of a content share: the pieces of the HTML, and both parts ready to be filled."""

    pieces: Sequence[str | None]
    html: Shape
    text: Shape
    shared: frozenset[str]  #: addresses of the links that are the same for everybody
    preferences: str  #: the words of the link to one's preferences, in the letter's language


@dataclass
class Writer:
    """Writes letters; keeps what is the same for all letters of a campaign."""

    ws: Workspace
    conn: Connection
    renderer: Renderer
    contents: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    shelves: dict[tuple[int, int], tuple[dict[str, Any], str]] = field(default_factory=dict)
    numbers: dict[tuple[int, str], store.Numbered] = field(default_factory=dict)
    signers: dict[str, list[Signer]] = field(default_factory=dict)  #: by From header
    shapes: dict[tuple[str, bool], Shapes] = field(default_factory=dict)  #: by what the renderer calls the message, and whether its clicks are counted

    def fields(self, readers: Sequence[Reader], occasion: Occasion) -> dict[int, dict[str, Any]]:
        """What the templates of an occasion may say of each person: traits and declared values by name; money in units, times as ISO text."""
        names = self._names(occasion)
        known = profile.profiles_of(self.conn, {reader.person_id: reader.identity_ids for reader in readers}, names)
        made = {reader.person_id: shown_fields(known.get(reader.person_id, {}), reader.address) for reader in readers}
        for reader in readers:
            made[reader.person_id] |= self._moment(reader)
        if names is None or SEGMENTS in names:
            for person, standings in segment.segments_of(self.conn, list(made)).items():
                made[person][SEGMENTS] = [one.segment_id for one in standings]
        wanted = catalog.SOURCES if names is None else [field for field in catalog.SOURCES if field in names]
        if wanted and readers:
            for person, found in catalog.products_of(self.conn, self.ws.warehouse, list(made), wanted, self.ws.clock()).items():
                made[person] |= {field: found[field] for field in wanted}
        return made

    def person_fields(self, occasion: Occasion) -> set[str]:
        """The fields of the person that an occasion's letter reads by name, without those that are worked out for it."""
        loaded = self.renderer.loaded(self._loaded(occasion))
        read = {field.split(".")[1] for field in loaded.fields if field.startswith("person.") and field.split(".")[1].replace("_", "a").isalnum()}
        return read - WORKED_OUT

    def key(self, occasion: Occasion) -> str:
        """What the renderer calls an occasion's letter."""
        return f"{occasion.campaign_id}.{occasion.version}{self._shelves(occasion)[1]}"

    def _shelves(self, occasion: Occasion) -> tuple[dict[str, Any], str]:
        """The catalogs that an occasion's letter reads, and a word that changes when one of them was fetched anew; most letters read none."""
        place = occasion.campaign_id, occasion.version
        if place not in self.shelves:
            parts = self._content(occasion)
            wanted: dict[str, set[str]] = {}
            for name, *category in (found for part in ("subject", "html", "text") for found in FEED.findall(parts[part])):
                wanted.setdefault(name, set()).update(one for one in category if one)
            self.shelves[place] = catalog.shelves(self.conn, wanted) if wanted else ({}, "")
        return self.shelves[place]

    def _moment(self, reader: Reader) -> dict[str, Any]:
        """The time of day and the day of the week on the person's clock, as the letter leaves."""
        local = self.ws.clock().astimezone(reader.place.zone or self.ws.settings.zone)
        return {"daypart": daypart(local.hour), "weekday": local.isoweekday()}

    def render(self, occasion: Occasion, person: dict[str, Any]) -> Rendered:
        """The parts for one person. Raises TemplateInvalid, HeaderRefused when the subject would break out of its header."""
        made = self.compose([occasion], [person])[0]
        if isinstance(made, TemplateInvalid):
            raise made
        mime.refuse_breakout("Subject", made.subject)
        return made.shown

    def compose(self, occasions: Sequence[Occasion], people: Sequence[dict[str, Any]]) -> list[Composed | TemplateInvalid]:
        """The messages of one campaign for people, one occasion each, or why a template failed for one."""
        if not occasions:
            return []
        try:
            key = self._loaded(occasions[0])
        except TemplateInvalid as error:
            return [error] * len(occasions)
        ways = [_ways(self.ws, one.message_id) for one in occasions]
        values = [{"person": person, "data": one.data or {}, **way} for one, person, way in zip(occasions, people, ways, strict=True)]
        made = self.renderer.render_all(key, values)
        return [
            found if isinstance(found, TemplateInvalid) else self._composed(key, occasion, found, way)
            for occasion, found, way in zip(occasions, made, ways, strict=True)
        ]

    def _composed(self, key: str, occasion: Occasion, personal: dict[str, list[str]], ways: dict[str, str]) -> Composed:
        subject, url = joined(self.renderer.loaded(key).pieces["subject"], personal["subject"]), ways["preferences_url"]
        html, text = self._html(key, occasion, personal["html"], url), self._text(key, occasion, personal["text"], url)
        return Composed(subject, html, text, ways["unsubscribe_url"])

    def _html(self, key: str, occasion: Occasion, personal: list[str], url: str) -> str | Pieces:
        """The HTML, in pieces unless its links are to be signed or its end is a person's own."""
        shapes = self._shapes(key, occasion)
        words = shapes.preferences
        if not occasion.tracked and shapes.html.line_at is not None:
            left_out = occasion.one_click and not any(url in piece for piece in personal)
            return shapes.html.filled(personal, content.preferences_line(url, words) if left_out else "")
        html = joined(shapes.pieces, personal)
        html = self._with_links(occasion, html, shapes.shared) if occasion.tracked else html
        return content.with_preferences(html, url, words) if occasion.one_click else html

    def _text(self, key: str, occasion: Occasion, personal: list[str], url: str) -> str | Pieces:
        """The text, in pieces where empty lines cannot meet."""
        shapes = self._shapes(key, occasion)
        shape, words = shapes.text, shapes.preferences
        if shape.line_at is not None and calm(personal):
            left_out = occasion.one_click and not any(url in piece for piece in personal)
            return shape.filled(personal, content.text_line(url, words) if left_out else "\n")
        text = calmed(joined(self.renderer.loaded(key).pieces["text"], personal))
        return content.text_with_preferences(text, url, words) if occasion.one_click else text

    def _loaded(self, occasion: Occasion) -> str:
        key = self.key(occasion)
        if not self.renderer.knows(key):
            parts = self._content(occasion)
            shop, campaign = {"name": mime.mailbox_of(self._sender(occasion))[0]}, {"name": occasion.campaign}
            texts = {name: parts[name] for name in ("subject", "html", "text")}
            self.renderer.load(key, texts, {"content": parts["content"], "shop": shop, "campaign": campaign, "feeds": self._shelves(occasion)[0]})
        return key

    def _shapes(self, key: str, occasion: Occasion) -> Shapes:
        """The shapes of an occasion's letter, whose links count clicks where that may be nobody's; worked out once for all of them."""
        settings = self.ws.settings.app
        counted = settings.count_clicks and bool(settings.public_url) and not occasion.tracked and occasion.message_id is not None and occasion.one_click
        if (key, counted) not in self.shapes:
            pieces = self.renderer.loaded(key).pieces
            html, campaign_id = pieces["html"], occasion.campaign_id
            if counted:
                html = content.with_counted_links(html, lambda url: self._tallied(occasion, self._link(campaign_id, url)), self._tallied(occasion, TRAP))
            language = content.language_of(joined(html, [""] * html.count(None))) or self.ws.settings.language
            shared = content.shared_links(pieces["html"])
            self.shapes[key, counted] = Shapes(html, html_shape(html), text_shape(pieces["text"]), shared, PREFERENCES.say(language))
        return self.shapes[key, counted]

    def _names(self, occasion: Occasion) -> set[str] | None:
        """The traits that the templates of an occasion read by name; None: perhaps all."""
        loaded = self.renderer.loaded(self._loaded(occasion))
        read = [field.split(".") for field in loaded.fields if field.split(".")[0] == "person"]
        if not loaded.whole or any(len(path) < 2 or not path[1].replace("_", "a").isalnum() for path in read):
            return None
        return {name for path in read for name in (path[1], f"{path[1]}_micros")}

    def letter(self, occasion: Occasion, rendered: Rendered | Composed, address: str, at: datetime) -> bytes:
        """The message for the mail server. Raises HeaderRefused."""
        made = self.unsigned(occasion, rendered, address, at)
        return mime.signed(made, [one.signer.sign(one.content) for one in made.wanted])

    def unsigned(self, occasion: Occasion, rendered: Rendered | Composed, address: str, at: datetime) -> mime.Unsigned:
        """The message but for its signatures. Raises HeaderRefused."""
        sender = self._sender(occasion)
        domain = mime.mailbox_of(sender)[1].rpartition("@")[2] or "localhost"
        recipient = deliverable(address)
        if recipient is None:
            raise HeaderRefused(where="To", header="To")
        name = f"m{occasion.message_id}" if occasion.message_id is not None else f"t{int(at.timestamp() * 1000)}"
        headers: list[tuple[str, str]] = []
        if occasion.message_id is not None and occasion.one_click:
            mailbox = self.mailbox(occasion.message_id, UNSUBSCRIBE)
            way_out = rendered.way_out if isinstance(rendered, Composed) else unsubscribe_url(self.ws, occasion.message_id)
            headers = [*one_click(way_out, mailbox), ("Feedback-ID", f"{occasion.campaign_id}:{name}:cegla")]
        letter = mime.Letter(sender, recipient, rendered.subject, rendered.text, rendered.html, f"<{name}@{domain}>", at, headers)
        return mime.unsigned(letter, self._signers(sender))

    def short(self, occasion: Occasion, made: Composed | Rendered, channel: Channel) -> bytes:
        """The message for a gateway of text messages, or a browser: words alone, or the notification as JSON. Raises TemplateInvalid when nothing is left."""
        shown = made.shown if isinstance(made, Composed) else made
        content = self._content(occasion)["content"]
        words = sms.plain(shown.text.strip()) if content.get("plain") else shown.text.strip()
        if not words:
            raise TemplateInvalid(where="text", detail="the message is empty for this person")
        if channel is Channel.SMS:
            return words.encode("utf-8", "replace")
        found = {"title": shown.subject, "body": words, "url": self._counted(occasion, content.get("url", "")), "tag": f"c{occasion.campaign_id}"}
        return json.dumps(found, ensure_ascii=False).encode("utf-8", "replace")

    def mailbox(self, message_id: int, purpose: str = BOUNCE) -> str:
        """The address that mail about a message comes back to; empty while no domain for it is set."""
        domain = self.ws.settings.returns.domain
        return return_address(self.ws.keys, message_id, domain, purpose) if domain else ""

    def signers_of(self, occasion: Occasion) -> list[Signer]:
        """Who signs what leaves as this occasion's sender."""
        return self._signers(self._sender(occasion))

    def _signers(self, sender: str) -> list[Signer]:
        if sender not in self.signers:
            self.signers[sender] = dkim.signers(self.conn, self.ws.keys, sender)
        return self.signers[sender]

    def _sender(self, occasion: Occasion) -> str:
        return occasion.sender or self.ws.settings.smtp.sender

    def _content(self, occasion: Occasion) -> dict[str, Any]:
        place = occasion.campaign_id, occasion.version
        if place not in self.contents:
            row = SQL.content(self.conn, campaign_id=occasion.campaign_id, version=occasion.version)
            self.contents[place] = dict(zip(("subject", "html", "text", "content"), row, strict=True))
        return self.contents[place]

    def _counted(self, occasion: Occasion, url: str) -> str:
        """The address a notification opens, by way of a link of ours: the message's where its clicks may be the person's, else the campaign's alone.

        Browsers open nothing but https, so without such an address of our own, and in trials, it stays as it is.
        """
        if not url or occasion.message_id is None or not self.ws.settings.app.address.startswith("https://"):
            return url
        number = self._link(occasion.campaign_id, url)
        if not occasion.tracked:
            return self._tallied(occasion, number)
        return f"{self.ws.settings.app.address}/r/{signed(self.ws.keys, tokens.CLICK, occasion.message_id, number)}"

    def _tallied(self, occasion: Occasion, link: int) -> str:
        """The way to a link that counts a click as nobody's."""
        return f"{self.ws.settings.app.address}/r/{signed(self.ws.keys, tokens.TALLY, occasion.campaign_id, link)}"

    def _link(self, campaign_id: int, url: str, message_id: int | None = None) -> int:
        """The number of an address in a campaign; `message_id`: of a message whose person alone may have been given it."""
        known = self.numbers.get((campaign_id, url))
        if known is None or known.message_id not in (None, message_id):
            known = self.numbers[campaign_id, url] = store.numbered(self.conn, campaign_id, url, message_id)
        return known.number

    def _with_links(self, occasion: Occasion, html: str, shared: frozenset[str]) -> str:
        def sign(url: str) -> str:
            if occasion.data is not None and url not in shared:  # of what a shop gave for one message any may be a secret, as where a password is set anew
                return escape(url)
            number = self._link(occasion.campaign_id, url, None if url in shared else occasion.message_id)
            return f"{self.ws.settings.app.address}/r/{signed(self.ws.keys, tokens.CLICK, occasion.message_id or 0, number)}"

        html = content.with_signed_links(html, sign, untouched=(f"{self.ws.settings.app.address}/u/", f"{self.ws.settings.app.address}/p/"))
        return content.with_trap(html, f"{self.ws.settings.app.address}/r/{signed(self.ws.keys, tokens.CLICK, occasion.message_id or 0, TRAP)}")


def unsubscribe_url(ws: Workspace, message_id: int | None) -> str:
    """Where the recipient of a message unsubscribes."""
    token = signed(ws.keys, tokens.UNSUBSCRIBE, message_id) if message_id is not None else NOBODY_YET
    return f"{ws.settings.app.address}/u/{token}"


def preferences_url(ws: Workspace, message_id: int | None) -> str:
    """Where the recipient of a message sees and changes what we send, and why."""
    token = signed(ws.keys, tokens.PREFERENCES, message_id) if message_id is not None else NOBODY_YET
    return f"{ws.settings.app.address}/p/{token}"


def _ways(ws: Workspace, message_id: int | None) -> dict[str, str]:
    return {"unsubscribe_url": unsubscribe_url(ws, message_id), "preferences_url": preferences_url(ws, message_id)}


def one_click(url: str, mailbox: str = "") -> list[tuple[str, str]]:
    """The headers of RFC 2369 and RFC 8058: one address to POST to, if it is HTTPS as one-click demands, and a mailbox for programs that only write."""
    ways = f"<{url}>" + (f", <mailto:{mailbox}>" if mailbox else "")
    return [("List-Unsubscribe", ways), *([("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")] if url.startswith("https://") else [])]


def return_address(keys: Keys, message_id: int, domain: str, purpose: str = BOUNCE) -> str:
    """The mailbox that mail about a message comes back to; its token is signed and does not care about capitals."""
    number = tokens.number(message_id)
    return f"{purpose}+{tokens.spelled(number, keys.signature(tokens.RETURN + purpose, number))}@{domain}"


def signed(keys: Keys, purpose: str, message_id: int, link: int = 0) -> str:
    """A token for one message and purpose."""
    content = tokens.content(message_id, link)
    return tokens.written(content, keys.signature(purpose, content))


def shown_fields(known: dict[str, Any], address: str | None) -> dict[str, Any]:
    """A profile as the fields of a template: amounts in micros also under their name without it, in units; lists and texts as they are."""
    fields = dict(known)
    for name, value in known.items():
        if name.endswith("_micros") and isinstance(value, int):
            fields[name.removesuffix("_micros")] = value / MICROS
        elif isinstance(value, datetime):
            fields[name] = value.isoformat()
    if address is not None:
        fields.setdefault("email", address)
    return fields
