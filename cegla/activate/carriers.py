"""How the channels beside mail servers leave: which gateway is set, its secrets, and the request for one message.

    save ─► gateways (secrets sealed) ─► way_of ─► a function that hands one letter over ─► channels/post.py

A gateway's address is looked at again with every connection (see http/outward.py); its secret is never shown, only replaced.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.policy import default
from email.utils import parseaddr
from hashlib import sha256
from typing import Any

import msgspec

from cegla.activate import pushing
from cegla.activate.channels.post import Handed, Way
from cegla.activate.rules import gateways, tokens
from cegla.activate.rules.dialog import Letter
from cegla.activate.rules.providers import PROVIDERS
from cegla.activate.store import SQL
from cegla.http.outward import NotBegun, Outward, Unanswered
from cegla.storage.keys import Keys
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.errors.channels import GatewayInvalid
from cegla.vocabulary.text import Text

SEALED_FOR = "gateway"
KEY = "gateway key"
NONE = "none"  #: the mark of a channel without a gateway; others are marked by when they were changed
UNSIGNED = {"message-id", "content-type", "mime-version", "content-transfer-encoding", "from", "to", "subject", "date", "dkim-signature"}
NO_GATEWAY = Text("nie ustawiono bramki", "no gateway is set")
WRONG = Text("nieznany dostawca, zły adres, tempo poniżej 1 albo cena poniżej 0", "unknown provider, a wrong address, a speed below 1 or a price below 0")
NO_KEY = Text("brakuje klucza dostawcy", "the provider's key is missing")
ASCII_KEY = Text("klucz i nadawca: bez końców wiersza, najwyżej 500 znaków", "key and sender: no line breaks, at most 500 characters")


@dataclass(frozen=True)
class Gateway:
    """A gateway as it is set. `path` is the secret end of the address its receipts come to; of secrets only whether they are there is shown."""

    channel: Channel
    provider: str
    url: str
    sender: str
    part_micros: int
    messages_per_minute: int
    path: str
    has_key: bool
    has_receipt_secret: bool
    changed_at: datetime

    @property
    def row(self) -> gateways.Gateway:
        """The provider as data."""
        return PROVIDERS[self.channel, self.provider]


class Secrets(msgspec.Struct, frozen=True):
    """What of a gateway lies sealed: the provider's key, the secret that signs receipts, the token of their address."""

    key: str = ""
    receipts: str = ""
    token: str = ""


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an operator sets of a gateway. An empty `key` or `receipt_secret` leaves the one that is kept; `url` is for providers without one of their own."""

    channel: str
    provider: str
    sender: str = ""
    key: str = ""
    receipt_secret: str = ""
    url: str = ""
    part_micros: int = 0
    messages_per_minute: int = 600


def gateway_of(conn: Connection, keys: Keys, channel: Channel) -> Gateway | None:
    """The gateway of a channel; None: none is set."""
    row = SQL.gateway(conn, channel=channel.value)
    return _gateway(keys, row) if row is not None else None


def all_gateways(conn: Connection, keys: Keys) -> list[Gateway]:
    """Every gateway that is set."""
    return [_gateway(keys, row) for row in SQL.gateways(conn)]


def save(conn: Connection, ws: Workspace, wish: Mapping[str, Any], now: datetime) -> Gateway:
    """Put a gateway at work for its channel. Raises GatewayInvalid."""
    try:
        wanted = msgspec.convert(dict(wish), Wish)
        channel = Channel(wanted.channel)
    except (msgspec.ValidationError, ValueError) as error:
        raise GatewayInvalid(where="gateway", detail=str(error)) from None
    row = PROVIDERS.get((channel, wanted.provider))
    if row is None or wanted.messages_per_minute < 1 or wanted.part_micros < 0:
        raise GatewayInvalid(where="provider", seen=wanted.provider, detail=WRONG)
    for text in (wanted.key, wanted.sender, wanted.receipt_secret):
        if len(text) > 5_000 or (("\n" in text or "\r" in text) and "BEGIN" not in text) or (text is not wanted.receipt_secret and len(text) > 500):
            raise GatewayInvalid(where="key", detail=ASCII_KEY)
    try:
        Outward(ws.settings.outbound.private_hosts).parts(wanted.url or row.url)
    except NotBegun as error:
        raise GatewayInvalid(where="url", seen=wanted.url, detail=str(error)) from None
    known = SQL.gateway(conn, channel=channel.value)
    kept = _unsealed(ws.keys, known[4]) if known is not None and known[1] == wanted.provider else Secrets()
    made = Secrets(wanted.key or kept.key, wanted.receipt_secret or kept.receipts, kept.token or secrets.token_urlsafe(24))
    if not made.key:
        raise GatewayInvalid(where="key", detail=NO_KEY)
    SQL.save_gateway(
        conn, channel=channel.value, provider=wanted.provider, url=wanted.url, sender=wanted.sender, part_micros=wanted.part_micros, now=now,
        messages_per_minute=wanted.messages_per_minute, sealed=ws.keys.seal(SEALED_FOR, msgspec.json.encode(made)), token_hash=token_hash(made.token),
    )  # fmt: skip
    return _gateway(ws.keys, SQL.gateway(conn, channel=channel.value))


def drop(conn: Connection, channel: Channel) -> bool:
    """Forget a gateway; campaigns of its channel wait, and e-mail goes to the mail servers again. Returns whether there was one."""
    return bool(SQL.drop_gateway(conn, channel=channel.value))


def token_hash(token: str) -> bytes:
    """By what the address of receipts is found: the token itself lies sealed."""
    return sha256(token.encode()).digest()


def named_by(conn: Connection, keys: Keys, token: str) -> tuple[Gateway, Secrets] | None:
    """The gateway whose receipts come to this address."""
    row = SQL.gateway_by_token(conn, token_hash=token_hash(token))
    return (_gateway(keys, row), _unsealed(keys, row[4])) if row is not None else None


def key_of(keys: Keys, message_id: int) -> str:
    """The key of a message with a provider: the same for every try, and proof of which message a receipt is about. Letters and digits alone."""
    signed = tokens.number(message_id)
    return tokens.spelled(signed, keys.signature(KEY, signed))


def message_of(keys: Keys, key: str) -> int | None:
    """The message that a key of ours stands for."""
    read = tokens.heard(key)
    if read is None or not keys.genuine(KEY, tokens.number(read.message_id), read.signature):
        return None
    return read.message_id


def speed_of(conn: Connection, channel: Channel) -> int:
    """Messages per minute of a whole channel."""
    row = SQL.gateway(conn, channel=channel.value)
    return int(row[6]) if row is not None else pushing.MESSAGES_PER_MINUTE


def way_of(ws: Workspace, conn: Connection, channel: Channel, known: Way | None = None) -> Way | None:
    """How letters of a channel are handed over, as it is set now: `known` again while its settings are the same. None: e-mail, by the mail servers."""
    if channel is Channel.PUSH:
        return known or pushing.way(ws, conn)  # under the one key, which never changes
    row = SQL.gateway(conn, channel=channel.value)
    if row is None:
        return None if channel is Channel.EMAIL else known if known and known.mark == NONE else Way(NONE, lambda letter: _nowhere(ws), lambda: None)
    if known is not None and known.mark == row[-1]:
        return known
    own, told = _gateway(ws.keys, row), _unsealed(ws.keys, row[4])
    outward = Outward(ws.settings.outbound.private_hosts)
    return Way(own.changed_at, lambda letter: hand(outward, own, told.key, key_of(ws.keys, letter.key), letter), outward.close)


def hand(outward: Outward, own: Gateway, secret: str, key: str, letter: Letter) -> Handed:
    """One message to the gateway. Raises NotBegun, Unanswered."""
    row = own.row
    values = {"to": letter.recipient, "to_digits": letter.recipient.lstrip("+"), "from": letter.sender or own.sender, "key": key, "token": secret}
    values |= _parts(letter) if own.channel is Channel.EMAIL else {"text": letter.content.decode()}
    try:
        headers, body = gateways.encoded(row, values)
    except ValueError as error:
        raise NotBegun(str(error)) from None
    answer = outward.post(own.url or row.url, headers, body)
    read = gateways.answered(row, answer.status, answer.headers, answer.body)
    if read is None:
        raise Unanswered(f"it answers {answer.status}")
    return Handed(*read)


def _parts(letter: Letter) -> dict[str, Any]:
    """A letter as a provider's fields: our own words and headers; what it writes by itself (dates, signatures) stays out."""
    read = message_from_bytes(letter.content, policy=default)
    texts = {part.get_content_type(): part.get_content() for part in read.walk() if not part.is_multipart()}
    headers = {name: str(value) for name, value in read.items() if name.lower() not in UNSIGNED}
    name, address = parseaddr(str(read["From"]))
    return {
        "from": str(read["From"]), "from_name": name, "from_email": address, "subject": str(read["Subject"]),
        "html": texts.get("text/html", ""), "letter_text": texts.get("text/plain", ""), "header_map": headers,
        "headers": [{"Name": name, "Value": value} for name, value in headers.items()],
    }  # fmt: skip


def _nowhere(ws: Workspace) -> Handed:
    raise NotBegun(NO_GATEWAY.say(ws.settings.language))


def _gateway(keys: Keys, row: Any) -> Gateway:
    channel, provider, url, sender, sealed, part_micros, per_minute, changed_at = row
    told = _unsealed(keys, sealed)
    path, has_key, has_secret = f"/api/v1/receipts/{told.token}", bool(told.key), bool(told.receipts)
    return Gateway(Channel(channel), provider, url, sender, part_micros, per_minute, path, has_key, has_secret, changed_at)


def _unsealed(keys: Keys, sealed: Any) -> Secrets:
    try:
        return msgspec.json.decode(keys.unseal(SEALED_FOR, bytes(sealed)), type=Secrets)
    except (ValueError, msgspec.DecodeError):
        return Secrets()  # of another installation: its key has to be given again


