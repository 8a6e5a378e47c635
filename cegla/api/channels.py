"""SMS, web push and mail providers: gateways, what a text message costs, receipts that come in, browsers that subscribe.

    a browser's subscription:  key ─► source is a website that lists this origin ─► not too often ─► known here ─► agreed to web push ─► kept
"""

import time
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import PlainTextResponse, Response

from cegla.activate import actions as activate
from cegla.api.call import Opened
from cegla.api.message_shapes import BrowserSubscription, ChannelBody, GatewayBody, WordsBody
from cegla.api.visitor import SHORTEST_ID, Turnstile, answered, website_of
from cegla.govern import actions as govern
from cegla.resolve import actions as resolve
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.errors.people import AskedTooOften
from cegla.vocabulary.identifiers import Identifier

MOST_RECEIPT_REQUESTS = 6_000


def gateways(call: Opened) -> Any:
    """Every gateway that is set, without its secrets, and the providers there are rows for."""
    with call.ws.transaction() as conn:
        found = activate.carriers.all_gateways(conn, call.ws.keys)
    may_edit = call.may("settings.edit")
    rows = [_shape(call, one, address=may_edit) for one in found]
    providers = [{"channel": channel, "key": key, "label": row.label, "needs_url": not row.url} for (channel, key), row in activate.PROVIDERS.items()]
    return {"gateways": rows, "providers": providers}


def save_gateway(call: Opened, body: GatewayBody) -> Any:
    """Put a gateway at work for its channel. Raises GatewayInvalid."""
    with call.ws.transaction() as conn:
        saved = activate.carriers.save(conn, call.ws, body.model_dump(), call.now)
    call.note("gateway.save", f"channel {body.channel}", provider=body.provider)
    return _shape(call, saved, address=True)


def drop_gateway(call: Opened, body: ChannelBody) -> Any:
    """Forget a gateway: text messages wait, e-mail goes to the mail servers again."""
    with call.ws.transaction() as conn:
        dropped = activate.carriers.drop(conn, Channel(body.channel))
    call.note("gateway.drop", f"channel {body.channel}")
    return {"channel": body.channel, "dropped": dropped}


def measure(call: Opened, body: WordsBody) -> Any:
    """In which alphabet a text would travel, in how many parts and at which price; and the same without Polish letters."""
    with call.ws.transaction() as conn:
        own = activate.carriers.gateway_of(conn, call.ws.keys, Channel.SMS)
    return activate.measured(body.text, own.part_micros if own else 0)


async def told(request: Request) -> activate.receipts.Told:
    """What a provider said: the whole request. Raises AskedTooOften."""
    turnstile: Turnstile = request.app.state.turnstile
    now = time.monotonic()
    if not turnstile.passes(f"r {request.client.host if request.client else ''}", MOST_RECEIPT_REQUESTS, now):
        raise AskedTooOften(where="receipts", seconds=turnstile.opens_in_seconds(now))
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > activate.receipts.LARGEST_BYTES:
            break
    return activate.receipts.Told(dict(request.query_params), {name.lower(): value for name, value in request.headers.items()}, bytes(body))


Said = Annotated[activate.receipts.Told, Depends(told)]


def receipts(request: Request, token: str, said: Said) -> Response:
    """Receipts or replies of the gateway whose secret address this is. Raises NotFound, ReceiptRefused."""
    ws: Workspace = request.app.state.ws
    return PlainTextResponse(activate.receipts.take(ws, token, said))


def receipts_in_address(request: Request, token: str, said: Said) -> Response:
    """The same, for providers that tell by GET."""
    return receipts(request, token, said)


async def subscribe(request: Request, body: BrowserSubscription) -> Response:
    """Keep the subscription of the browser that asks, or tell it the key to subscribe under. `kept` is false while the browser or its consent
    is not known here yet: it asks again later. Raises SiteNotAllowed, AskedTooOften, SubscriptionRefused."""
    return await answered(request, body, _subscribed)


def _subscribed(ws: Workspace, body: BrowserSubscription, origin: str) -> dict[str, Any]:
    with ws.transaction() as conn:
        website_of(conn, body.write_key, origin)
        key = activate.pushing.public_key(conn, ws.keys, ws.clock())
        if body.gone and body.endpoint:
            activate.browsers.unsubscribe(conn, body.endpoint)
        if body.gone or not body.endpoint or body.keys is None:
            return {"key": key, "kept": False}
        identity = _agreed(ws, conn, body.anonymous_id)
        if identity is None:
            return {"key": key, "kept": False}
        activate.browsers.refuse_private(body.endpoint, ws.settings.outbound.private_hosts)
        wanted = activate.browsers.read(body.endpoint, body.keys.p256dh, body.keys.auth)
        activate.browsers.subscribe(conn, identity, wanted, ws.clock())
        return {"key": key, "kept": True}


def _agreed(ws: Workspace, conn: Connection, anonymous_id: str) -> int | None:
    """The identity of a browser whose person agreed to web push; None for any other."""
    if len(anonymous_id) < SHORTEST_ID:
        return None
    person = resolve.links.sole_user_of(conn, anonymous_id)
    if person is None:
        return None
    identities = resolve.links.identities_by_person(conn, [person])[person]
    subject = govern.Subject(person, identities)
    if not govern.allowed(conn, ws.keys, [subject], "marketing", Channel.PUSH, ws.clock())[0].allowed:
        return None
    return resolve.links.identity_of(conn, Identifier("anonymous_id", anonymous_id))


def _shape(call: Opened, one: activate.carriers.Gateway, *, address: bool) -> dict[str, Any]:
    base = (call.ws.settings.app.public_url or "").rstrip("/")
    return {
        "channel": one.channel, "provider": one.provider, "url": one.url or one.row.url, "sender": one.sender, "part_micros": one.part_micros,
        "messages_per_minute": one.messages_per_minute, "has_key": one.has_key, "has_receipt_secret": one.has_receipt_secret,
        "receipts_url": f"{base}{one.path}" if address else None, "receipts_scheme": one.row.receipts.scheme, "changed_at": one.changed_at,
    }  # fmt: skip
