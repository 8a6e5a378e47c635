"""The gateways that messages leave by over HTTP: who takes them, under which key (never shown), at which price, and where receipts come to."""

from typing import Any

from starlette.responses import Response

from cegla.activate import actions as activate
from cegla.console.digits import MOST_OF_INTEGER, whole
from cegla.console.views import states
from cegla.console.visit import Visit, see_other
from cegla.govern import actions as govern
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.errors import CeglaError
from cegla.vocabulary.errors.intake import FieldMissing
from cegla.vocabulary.money import from_micros, to_micros

FIELDS = ("channel", "provider", "sender", "url", "price", "messages_per_minute")


def show(visit: Visit) -> Response:
    """What is set, and a form for each channel."""
    return _page(visit, {}, None)


def save(visit: Visit) -> Response:
    """Put a gateway at work, or forget it; secrets are taken and never given back."""
    values = {name: visit.field(name) for name in FIELDS}
    try:
        with visit.ws.transaction() as conn:
            if visit.field("do") == "drop":
                activate.carriers.drop(conn, Channel(values["channel"]))
                govern.note(conn, visit.actor, "gateway.drop", f"channel {values['channel']}", {}, visit.now)
            else:
                activate.carriers.save(conn, visit.ws, _wish(visit, values), visit.now)
                govern.note(conn, visit.actor, "gateway.save", f"channel {values['channel']}", {"provider": values["provider"]}, visit.now)
    except CeglaError as error:
        return _page(visit, values, error)
    return see_other("/campaigns/gateways", done="saved")


def _wish(visit: Visit, values: dict[str, str]) -> dict[str, Any]:
    price, speed = to_micros(values["price"].replace(",", ".") or "0"), whole(values["messages_per_minute"] or "600", MOST_OF_INTEGER)
    if price is None or speed is None:
        raise FieldMissing(where="price", seen=values["price"], field="price")
    told: dict[str, Any] = {name: values[name] for name in ("channel", "provider", "sender", "url")}
    return told | {
        "key": visit.field("key"), "receipt_secret": visit.field("receipt_secret"), "part_micros": price,
        "messages_per_minute": speed,
    }  # fmt: skip


def _page(visit: Visit, values: dict[str, str], error: CeglaError | None) -> Response:
    with visit.ws.transaction() as conn:
        known = {one.channel.value: one for one in activate.carriers.all_gateways(conn, visit.ws.keys)}
        browsers = activate.browsers.counted(conn)
        key = activate.pushing.public_key(conn, visit.ws.keys, visit.now)
    say, rows = visit.tongue.say, activate.PROVIDERS.items()
    providers = {channel: [(key, say(row.label)) for (kind, key), row in rows if kind == channel] for channel in ("sms", "email")}
    base = visit.public_address
    problem = error.problem(visit.language) if error else None
    prices = {name: f"{from_micros(one.part_micros).normalize():f}" for name, one in known.items()}
    model = {"known": known, "providers": providers, "values": values, "problem": problem, "base": base, "channels": states.CHANNELS}
    model |= {"browsers": browsers, "push_key": key, "prices": prices, "currency": visit.ws.settings.currency}
    return visit.page("gateways.html", model, status=error.status if error else 200)
