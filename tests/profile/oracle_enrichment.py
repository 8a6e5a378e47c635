"""Enrichment said plainly: one event after the other, nothing shared, nothing remembered. What `enriched_tables` must equal."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from cegla.profile.rules import commerce
from cegla.profile.rules.countries import country_code
from cegla.profile.rules.devices import device_of
from cegla.profile.rules.enrichment import Batch
from cegla.profile.rules.origins import NO_CAMPAIGN, NO_PAGE, Campaign, Page, Referrer, campaign_of, read_page, read_referrer
from cegla.profile.rules.scrubbing import plain_traits, scrubbed_code, scrubbed_json, scrubbed_label, scrubbed_path, scrubbed_title
from cegla.profile.rules.sessions import Sessions
from cegla.profile.rules.words import PASSIVE
from cegla.reference.library import Library
from cegla.vocabulary.events import Event
from cegla.vocabulary.world import UNKNOWN_NETWORK

WORLD = Library()
PAGE_KEYS = {"url", "path", "title", "referrer", "search", "name"}


def plain_rows(events: Sequence[Event], identity_ids: Sequence[int], batch: Batch, sessions: Sessions) -> list[dict[str, Any]]:
    """The rows of the table `events`, as dictionaries."""
    return [_row(event, identity_ids[place], batch, batch.first_event_id + place, sessions) for place, event in enumerate(events)]


def _row(event: Event, identity_id: int, batch: Batch, event_id: int, sessions: Sessions) -> dict[str, Any]:
    context = event.context
    is_arrival = event.kind in ("page", "screen")
    told = event.properties if is_arrival else {}
    shown = context["page"] if isinstance(context.get("page"), dict) else {}
    page = _page(told, shown)
    campaign = campaign_of(context, page)
    referrer = _referrer(told, shown, context, page) if is_arrival else Referrer("", None)
    device = device_of(context, WORLD)
    network = WORLD.network(context["ip"]) if isinstance(context.get("ip"), str) else UNKNOWN_NETWORK
    told_country = _country(event)
    located = isinstance(context.get("location"), dict) and isinstance(context["location"].get("country"), str)
    country = told_country or (None if located else network.country)
    zone = context.get("timezone")
    sold = commerce.read_commerce(event.name, event.properties) if event.kind == "track" else commerce.NOTHING
    title, locale = told.get("title") or shown.get("title"), context.get("locale")
    properties = _properties(event, bool(sold.lines), is_arrival)
    return {
        "batch": batch.number, "event_id": event_id, "source_id": event.source_id, "identity_id": identity_id, "kind": event.kind,
        "name": scrubbed_label(event.name) if event.kind == "track" else event.name,
        "occurred_at": _naive(event.occurred_at), "received_at": _naive(event.received_at),
        "original_at": event.original_at and _naive(event.original_at), "sent_at": event.sent_at and _naive(event.sent_at),
        "local_at": event.occurred_at.astimezone(batch.zone).replace(tzinfo=None),
        "session_id": _session(event, identity_id, campaign, sessions),
        "order_id": sold.order_id and scrubbed_code(sold.order_id), "value_micros": sold.value_micros, "currency": sold.currency,
        "page_path": page.path and scrubbed_path(page.path), "page_title": scrubbed_title(title) if isinstance(title, str) else None,
        "referrer_kind": referrer.kind or None, "referrer_host": referrer.host,
        "campaign_source": campaign.source, "campaign_medium": campaign.medium, "campaign_name": campaign.name,
        "device_type": device.type, "os": device.os, "browser": device.browser, "country": country, "place_source": "told" if told_country else "ip" if country else None,
        "language": _language(locale) if isinstance(locale, str) else None, "is_bot": device.is_bot, "properties": properties and properties.decode(),
        "os_version": device.os_version, "browser_version": device.browser_version, "device_brand": device.brand, "device_model": device.model,
        "device_source": device.source, "in_app": device.in_app, "bot_reason": device.bot_reason, "referrer_name": referrer.name,
        "referrer_term": referrer.term and scrubbed_label(referrer.term), "campaign_term": campaign.term, "campaign_content": campaign.content,
        "click_id": campaign.click_id, "voivodeship": network.voivodeship, "powiat": network.powiat, "city": network.city,
        "timezone": zone if zone == "Europe/London" else network.timezone, "asn": network.asn, "network_kind": network.kind, "is_datacentre": network.is_datacentre,
        "is_proxy": network.is_proxy, "machine_reason": None, "data_version": WORLD.version,
        "trace_id": event.trace.split("-")[1] if event.trace else None,
    }  # fmt: skip


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _session(event: Event, identity_id: int, campaign: Campaign, sessions: Sessions) -> int | None:
    if event.name in PASSIVE or event.context.get("active") is False or (event.name.startswith("Call ") and event.properties.get("direction") == "outbound"):
        return None
    at = (event.occurred_at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    return sessions.place(identity_id, at, None if campaign is NO_CAMPAIGN else f"{campaign.source}/{campaign.name}")


def _page(told: dict[str, Any], shown: dict[str, Any]) -> Page:
    for key in ("url", "path"):
        for holder in (told, shown):
            if isinstance(address := holder.get(key), str) and address:
                return read_page(address)
    return NO_PAGE


def _referrer(told: dict[str, Any], shown: dict[str, Any], context: dict[str, Any], page: Page) -> Referrer:
    link = context.get("referrer")
    named = (link.get("url") or link.get("link")) if isinstance(link, dict) else None
    addresses = [url for url in (told.get("referrer"), shown.get("referrer"), named) if isinstance(url, str)]
    return read_referrer(addresses[0], page.host, WORLD) if addresses else read_referrer("", None, WORLD)


def _country(event: Event) -> str | None:
    location, address = event.context.get("location"), event.traits.get("address")
    places = [location.get("country") if isinstance(location, dict) else None, event.traits.get("country")]
    places += [address.get("country") if isinstance(address, dict) else None, event.properties.get("country") or event.properties.get("shipping_country")]
    return next((country_code(place) for place in places if isinstance(place, str)), None)


def _language(locale: str) -> str | None:
    word = locale.replace("_", "-").split("-")[0].split(".")[0].lower()
    return word if 2 <= len(word) <= 3 and word.isascii() and word.isalpha() else None


def _properties(event: Event, has_lines: bool, is_arrival: bool) -> bytes | None:
    if event.kind in ("identify", "group"):
        return scrubbed_json(plain_traits(event.traits))
    left_out = PAGE_KEYS if is_arrival else {"products"} if has_lines else set()
    return scrubbed_json({key: value for key, value in event.properties.items() if key not in left_out})
