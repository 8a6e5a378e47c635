"""Web push: the installation's own VAPID key, and one message to one browser, closed so that its push service cannot read it.

    browsers (endpoint, keys) ─► closed (RFC 8291) ─► signed (RFC 8292) ─► POST with TTL, urgency and topic (RFC 8030)

The key is made once, sealed like the keys that sign mail; browsers subscribe under its public part, so a new one would lose them all.
"""

import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from os import urandom
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cegla.activate import browsers
from cegla.activate.channels.post import Handed, Way
from cegla.activate.rules import push
from cegla.activate.rules.dialog import Letter
from cegla.activate.rules.mime import mailbox_of
from cegla.activate.rules.replies import Reply
from cegla.activate.store import SQL
from cegla.http.outward import NotBegun, Outward, Unanswered
from cegla.storage.keys import Keys
from cegla.storage.workspace import Connection, Workspace

SEALED_FOR = "vapid"
MESSAGES_PER_MINUTE = 6_000
TTL_SECONDS = 24 * 3_600  #: a browser that is off for longer does not get yesterday's news
TICKET_SECONDS = 6 * 3_600
REST_SECONDS = 60.0  #: for which a push service that is away is left alone
MOST_ORIGINS = 1_000  #: remembered; browsers name their own, so there may be any number
GONE = Reply(550, "5.1.1 no such user: the subscription was taken back", "rcpt")


@dataclass(frozen=True)
class VapidKey:
    """The pair that the installation is known to push services by; `public` is 65 bytes, an uncompressed point of P-256."""

    private: ec.EllipticCurvePrivateKey
    public: bytes


def public_key(conn: Connection, keys: Keys, now: datetime) -> str:
    """What browsers subscribe under (applicationServerKey), base64url; the key is made on first use."""
    return push.encoded(vapid_key(conn, keys, now).public)


def vapid_key(conn: Connection, keys: Keys, now: datetime) -> VapidKey:
    """The key at work. Raises ValueError when another installation's key sealed it."""
    row = SQL.push_key(conn)
    if row is None:
        made = ec.generate_private_key(ec.SECP256R1())
        raw = made.private_numbers().private_value.to_bytes(32)
        SQL.add_push_key(conn, public=_point(made), sealed=keys.seal(SEALED_FOR, raw), now=now)
        row = SQL.push_key(conn)
    return VapidKey(ec.derive_private_key(int.from_bytes(keys.unseal(SEALED_FOR, bytes(row[1]))), ec.SECP256R1()), bytes(row[0]))


def way(ws: Workspace, conn: Connection) -> Way:
    """How push messages are handed over."""
    key = vapid_key(conn, ws.keys, ws.clock())
    contact = mailbox_of(ws.settings.smtp.sender)[1]
    subject = ws.settings.app.public_url if ws.settings.app.public_url.startswith("https://") else f"mailto:{contact}"
    pusher = Pusher(ws, key, subject)
    return Way(key.public, pusher.hand, pusher.outward.close)


@dataclass
class Pusher:
    """Hands push messages over; safe for many threads.

    Every browser names its own push service. One that is away, or is none, costs the messages that go there and holds no other up.
    """

    ws: Workspace
    key: VapidKey
    subject: str
    tickets: dict[str, tuple[str, float]] = field(default_factory=dict[str, tuple[str, float]])  #: by origin: the header and when it was signed
    away: dict[str, tuple[str, float]] = field(default_factory=dict[str, tuple[str, float]])  #: by origin: what was wrong, and since when

    def __post_init__(self) -> None:
        self.outward = Outward(self.ws.settings.outbound.private_hosts)

    def hand(self, letter: Letter) -> Handed:
        """One message to one browser. Raises Unanswered."""
        with self.ws.pool.connection() as conn:
            found = browsers.subscription(conn, letter.recipient)
        if found is None:
            return Handed(GONE)
        try:
            body = sealed(letter.content, found)
        except ValueError as error:
            return Handed(Reply(554, f"5.3.4 {error}", "message"))
        said, since = self.away.get(_origin(found.endpoint), ("", 0.0))
        if said and time.monotonic() - since < REST_SECONDS:
            return Handed(push.later(said))
        try:
            answer = self.outward.post(found.endpoint, push.headers(self.ticket(found.endpoint), TTL_SECONDS, _topic(letter.content)), body)
        except NotBegun as error:
            self._remember(found.endpoint, str(error))
            return Handed(push.later(str(error)))
        except Unanswered as error:
            self._remember(found.endpoint, str(error))
            raise
        reply = push.answered(answer.status, answer.headers.get("retry-after", ""))
        if reply is None:
            raise Unanswered(f"it answers {answer.status}")
        return Handed(reply)

    def ticket(self, endpoint: str) -> str:
        """Who sends, signed for an origin and used again for hours."""
        origin = _origin(endpoint)
        known = self.tickets.get(origin)
        if known is None or time.monotonic() - known[1] > TICKET_SECONDS:
            signed = push.claims(endpoint, self.subject, datetime.now(UTC))
            r, s = utils.decode_dss_signature(self.key.private.sign(signed, ec.ECDSA(hashes.SHA256())))
            known = push.ticket(signed, r.to_bytes(32) + s.to_bytes(32), self.key.public), time.monotonic()
            if len(self.tickets) >= MOST_ORIGINS:
                self.tickets.clear()
            self.tickets[origin] = known
        return known[0]

    def _remember(self, endpoint: str, said: str) -> None:
        if len(self.away) >= MOST_ORIGINS:
            self.away.clear()
        self.away[_origin(endpoint)] = said, time.monotonic()


def sealed(text: bytes, browser: browsers.Subscription) -> bytes:
    """The body for a browser, under a key of this message alone. Raises ValueError for a text too long or a key that is none."""
    own = ec.generate_private_key(ec.SECP256R1())
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), browser.public)
    shared = own.exchange(ec.ECDH(), theirs)
    keys = (browser.public, browser.secret), (_point(own), shared)
    return push.closed(text, *keys, urandom(16), lambda key, nonce, plain: AESGCM(key).encrypt(nonce, plain, None))


def _point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def _origin(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc}"


def _topic(content: bytes) -> str:
    """Messages of one campaign replace one another: by its tag."""
    tag = str(json.loads(content)["tag"])
    return tag if tag.isalnum() else ""
