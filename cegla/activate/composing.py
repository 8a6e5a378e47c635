"""What a campaign of each channel says, checked while its author is there: a letter is compiled, a text message measured, a notification bounded."""

from dataclasses import dataclass
from email.utils import getaddresses
from typing import Any

from cegla.activate.contents import parts
from cegla.activate.renderer import Renderer
from cegla.activate.rules import sms
from cegla.activate.rules.channels import deliverable
from cegla.activate.rules.mime import refuse_breakout
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.errors import InvalidInput
from cegla.vocabulary.errors.channels import WordsMissing
from cegla.vocabulary.text import Text

LONGEST_SMS_PARTS = 8
LONGEST_TITLE, LONGEST_BODY = 200, 2_000
TOO_LONG = Text("za długa: najwyżej 8 części SMS albo 2000 znaków powiadomienia", "too long: at most 8 parts of an SMS, or 2,000 characters of a notification")
NOT_HTTPS = Text("adres musi zaczynać się od https://", "the address must begin with https://")
NOT_A_SENDER = Text("nadawca to „Sklep <listy@example.pl>” albo sam adres", "a sender is \"Shop <letters@example.pl>\", or an address alone")
NO_LETTER = Text("list potrzebuje tematu i treści MJML", "a letter needs a subject and MJML")


@dataclass(frozen=True)
class Measured:
    """How a text message would travel, and how it would without Polish letters. `blamed` forced the dear alphabet. Prices are in millionths."""

    encoding: str
    places: int
    parts: int
    left: int
    blamed: tuple[str, ...]
    price_micros: int
    plain_text: str
    plain_encoding: str
    plain_parts: int
    plain_price_micros: int


def measured(text: str, part_micros: int) -> Measured:
    """Count a text message as it stands; its fields in braces count as written."""
    own, bare_text = sms.cut(text), sms.plain(text)
    bare = sms.cut(bare_text)
    return Measured(
        own.encoding, own.places, own.parts, own.left, own.blamed, own.price_micros(part_micros), bare_text, bare.encoding, bare.parts,
        bare.price_micros(part_micros),
    )  # fmt: skip


def compiled(renderer: Renderer, channel: Channel, words: dict[str, str]) -> dict[str, Any]:
    """The parts of a content (subject, mjml, html, text) from what its author wrote. Raises TemplateInvalid, WordsMissing, InvalidInput."""
    subject, mjml, text = words["subject"], words["mjml"], words["text"]
    if channel is Channel.EMAIL:
        if not subject or not mjml:
            raise InvalidInput(where="campaign", detail=NO_LETTER)
        return parts(renderer, subject, mjml)
    if not text.strip() or (channel is Channel.PUSH and not subject.strip()):
        raise WordsMissing(where="text")
    if sms.cut(text).parts > LONGEST_SMS_PARTS if channel is Channel.SMS else len(subject) > LONGEST_TITLE or len(text) > LONGEST_BODY:
        raise InvalidInput(where="text", detail=TOO_LONG)
    made = {"subject": subject if channel is Channel.PUSH else "", "mjml": "", "html": "", "text": text}
    renderer.load("draft", {name: made[name] for name in ("subject", "html", "text")})
    return made


def sender_of(channel: Channel, sender: str) -> str:
    """The sender as it is kept: of a letter one address that servers take, its domain in ASCII. Raises InvalidInput, HeaderRefused."""
    refuse_breakout("From", sender)
    if channel is not Channel.EMAIL or not sender.strip():
        return sender
    named = getaddresses([sender])
    address = named[0][1] if len(named) == 1 else ""
    taken = deliverable(address)
    if taken is None or set(taken) & set(" <>"):
        raise InvalidInput(where="sender", seen=sender, detail=NOT_A_SENDER)
    return sender.replace(address, taken)


def settings_of(channel: Channel, *, plain: bool, url: str) -> dict[str, Any] | None:
    """What a content says beside its words; None for a letter, whose author gives it as data. Raises InvalidInput."""
    if channel is Channel.EMAIL:
        return None
    if url and (not url.startswith("https://") or any(sign <= " " for sign in url) or len(url) > 1_000):
        raise InvalidInput(where="url", seen=url, detail=NOT_HTTPS)
    return {"plain": plain, **({"url": url} if channel is Channel.PUSH else {})}
