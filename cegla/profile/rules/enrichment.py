"""Enrichment: events become rows of the warehouse, in columns.

One pass over the events fills lists; what repeats is read once. Above all the context: the events of one page view share it,
decoding gives equal ones as one object, and what it shows (its *view*) is read for all of them, which only point at it.
The passive events, in which the person did nothing (a message delivered, a refund booked), belong to no session.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import count
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from cegla.profile.rules import commerce
from cegla.profile.rules.countries import country_code
from cegla.profile.rules.origins import NO_CAMPAIGN, NO_PAGE, Page, Referrer, campaign_of, read_page
from cegla.profile.rules.scrubbing import plain_traits, scrubbed_code, scrubbed_json, scrubbed_label, scrubbed_path
from cegla.profile.rules.sessions import Sessions
from cegla.vocabulary.events import Event, trait_key

if TYPE_CHECKING:
    from cegla.profile.rules.memory import Memory
    from cegla.vocabulary.world import Network

PASSIVE = frozenset({
    "Order Refunded", "Order Cancelled", "Order Shipped", "Order Delivered", "Segment Consent Preference Updated",
    "Message Sent", "Message Delivered", "Message Bounced", "Message Skipped", "Message Failed",
    "Email Sent", "Email Delivered", "Email Bounced", "Email Skipped", "Email Failed", "Email Ambiguous", "Email Marked as Spam",
    "SMS Sent", "SMS Delivered", "SMS Failed", "Push Sent", "Push Delivered", "Push Bounced",
})  # fmt: skip
ARRIVALS = frozenset({"page", "screen"})  #: kinds whose referrer says where the visit came from
_PAGE_KEYS = frozenset({"url", "path", "title", "referrer", "search", "name"})
_LINE_KEYS = frozenset({"products"})
_QUARTER_MICROS = 900 * 1_000_000
NO_IMPORTS: Mapping[int, int] = MappingProxyType({})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# What one event adds to the columns that neither are plain copies of its fields nor come from its view, in the order of `_row`'s answer.
ROW_COLUMNS = ("name", "session_id", "order_id", "value_micros", "currency", "country", "place_source", "machine_reason", "properties")
# What the context of an event shows of the page, the way there, the campaign, the machine and its language, the place and the network.
DEVICE_COLUMNS = (
    "device_type", "os", "browser", "is_bot", "os_version", "browser_version", "device_brand", "device_model", "device_source", "in_app", "bot_reason",
)  # fmt: skip
NETWORK_COLUMNS = ("voivodeship", "powiat", "city", "timezone", "asn", "network_kind", "is_datacentre", "is_proxy")
VIEW_COLUMNS = (
    "page_path", "page_title", "referrer_kind", "referrer_host", "campaign_source", "campaign_medium", "campaign_name",
    "campaign_term", "campaign_content", "click_id", "referrer_name", "referrer_term",
    *DEVICE_COLUMNS, "language", *NETWORK_COLUMNS,
)  # fmt: skip
_NO_REFERRER = Referrer("", None)
_NOTHING_TOLD: Mapping[str, Any] = MappingProxyType({})
Row = tuple[Any, ...]


class Declared(NamedTuple):
    """One trait as an identify call declared it. `value` None takes back what was declared before."""

    identity_id: int
    key: str
    value: Any
    source_id: int
    declared_at: datetime
    import_id: int = 0  #: the import that declared it, 0 for everybody else: each keeps its own, so that an import can be taken back
    message_id: str = ""  #: the sender's own id of the event that declared it


class Batch(NamedTuple):
    """The numbers that every row of a batch carries, the shop's time zone, and which writers of the inbox are imports."""

    number: int
    first_event_id: int
    zone: tzinfo
    import_of: Mapping[int, int] = NO_IMPORTS


def enriched_tables(
    events: Sequence[Event], identity_ids: Sequence[int], batch: Batch, sessions: Sessions, memory: "Memory"
) -> dict[str, pa.Table]:
    """The rows of `events` and `order_lines` (see `storage/warehouse.py`); `sessions` and `memory`, which knows the world, move on."""
    times = [_micros(event.occurred_at) for event in events]
    views, seen = Views(memory), list[int]()
    too_fast = memory.paces.too_fast
    rows: list[Row] = []
    lines: list[tuple[Any, ...]] = []
    for event, identity_id, at, event_id in zip(events, identity_ids, times, count(batch.first_event_id)):
        is_arrival = event.kind in ARRIVALS
        view = views.of_arrival(event.context, event.properties) if is_arrival else views.of(event.context)
        if view.by_hand and too_fast(identity_id, at):
            view = views.too_fast(view)
        seen.append(view.place)
        sold = commerce.read_commerce(event.name, event.properties) if event.kind == "track" else commerce.NOTHING
        machine = memory.machine_reason(event.name, event.context, event.properties, view.network) if event.name in memory.watched else None
        acted = view.active and machine is None and event.name not in PASSIVE
        session_id = sessions.place(identity_id, at, view.campaign) if acted else None
        rows.append(_row(event, session_id, view, sold, machine))
        if sold.lines:
            lines += [(event_id, identity_id, event.name, at, *line) for line in sold.lines]
    columns = _own_columns(events, identity_ids, times, batch) | _row_columns(rows) | _view_columns(views.all, seen)
    columns["data_version"] = pa.repeat(pa.scalar(memory.version, pa.string()), len(events))
    return {"events": pa.table({name: columns[name] for name in EVENT_COLUMNS}), "order_lines": _lines_table(lines, batch)}


def declared_traits(events: Sequence[Event], identity_ids: Sequence[int], import_of: Mapping[int, int] = NO_IMPORTS) -> list[Declared]:
    """What the identify calls declare: the newest value of each trait of each identity, of each source and import apart.

    Of two at the same moment the one with the greater message id counts, so that the order of arrival does not matter.
    """
    newest: dict[tuple[int, str, int, int], Declared] = {}
    for event, identity_id in zip(events, identity_ids, strict=True):
        if event.kind != "identify":
            continue
        for raw_key, value in event.traits.items():
            key = trait_key(raw_key)
            slot = (identity_id, key, event.source_id, import_of.get(event.writer, 0))
            known = newest.get(slot)
            if known is None or (event.occurred_at, event.message_id) >= (known.declared_at, known.message_id):
                newest[slot] = Declared(identity_id, key, value, event.source_id, event.occurred_at, slot[3], event.message_id)
    return list(newest.values())


# views: one for all events with the same context -------------------------------------------------------------------------


class View(NamedTuple):
    """`columns` are those of `VIEW_COLUMNS`; `campaign` names the campaign for sessions; `active` is False when the person did nothing.

    `located` says whether the context tells a country at all, also one that cannot be read; `by_hand` whether a person's device shows.
    """

    place: int  #: among the views of its batch
    columns: tuple[Any, ...]
    campaign: str | None
    active: bool
    located: bool
    country: str | None
    network: "Network"
    by_hand: bool


class Views:
    """The views of one batch, each read once. The contexts must live as long as this does."""

    def __init__(self, memory: "Memory") -> None:
        self._memory = memory
        self._shared: dict[object, View] = {}
        self.all: list[View] = []

    def of(self, context: dict[str, Any]) -> View:
        """The view of an event that is no arrival."""
        view = self._shared.get(id(context))
        if view is None:
            view = self._shared[id(context)] = self._read(context, _NOTHING_TOLD, False)
        return view

    def of_arrival(self, context: dict[str, Any], told: dict[str, Any]) -> View:
        """The view of a page or screen call: what its properties tell of the page goes before the context, and it says where the visit came from."""
        get = told.get
        key = (id(context), get("url"), get("path"), get("referrer"), get("title"))
        try:
            view = self._shared.get(key)
        except TypeError:  # an address that is a list, for one
            return self._read(context, told, True)
        if view is None:
            view = self._shared[key] = self._read(context, told, True)
        return view

    def too_fast(self, view: View) -> View:
        """The same view of an identity that acts faster than a person can."""
        key = ("too fast", view.place)
        found = self._shared.get(key)
        if found is None:
            told = dict(zip(VIEW_COLUMNS, view.columns, strict=True)) | {"device_type": "bot", "is_bot": True, "bot_reason": "pace"}
            found = self._shared[key] = view._replace(place=len(self.all), columns=tuple(told.values()))
            self.all.append(found)
        return found

    def _read(self, context: dict[str, Any], told: Mapping[str, Any], is_arrival: bool) -> View:
        memory = self._memory
        device = memory.device(context)
        place = memory.network(context.get("ip"), context.get("timezone"))
        shown = context.get("page")
        if not isinstance(shown, dict):
            shown = _NOTHING_TOLD
        page = _page(told, shown)
        campaign = campaign_of(context, page)
        referrer = _referrer(told, shown, context, page, memory) if is_arrival else _NO_REFERRER
        title = told.get("title") or shown.get("title")
        locale = context.get("locale")
        located, country = _location(context)
        columns = (
            page.path and scrubbed_path(page.path), scrubbed_label(title) if title.__class__ is str else None, referrer.kind or None, referrer.host,
            *campaign, referrer.name, referrer.term and scrubbed_label(referrer.term), *device.columns,
            _language(locale) if locale.__class__ is str else None, *place.columns,
        )  # fmt: skip
        key = None if campaign is NO_CAMPAIGN else f"{campaign.source}/{campaign.name}"
        view = View(len(self.all), columns, key, context.get("active") is not False, located, country, place.network, device.by_hand)
        self.all.append(view)
        return view


@lru_cache(maxsize=1_024)
def _language(locale: str) -> str | None:
    """The language of a locale: "pl" of pl-PL and pl_PL.UTF-8."""
    word = locale.replace("_", "-").split("-")[0].split(".")[0].lower()
    return word if 2 <= len(word) <= 3 and word.isascii() and word.isalpha() else None


def _page(told: Mapping[str, Any], shown: Mapping[str, Any]) -> Page:
    """The page an event happened on: the call's own properties before the context."""
    for holder in (told, shown):
        if isinstance(url := holder.get("url"), str) and url:
            return read_page(url)
    for holder in (told, shown):
        if isinstance(path := holder.get("path"), str) and path:
            return read_page(path)
    return NO_PAGE


def _referrer(told: Mapping[str, Any], shown: Mapping[str, Any], context: Mapping[str, Any], page: Page, memory: "Memory") -> Referrer:
    for holder in (told, shown):
        if isinstance(url := holder.get("referrer"), str):
            return memory.referrer(url, page.host)
    link = context.get("referrer")
    if isinstance(link, dict) and isinstance(url := link.get("url") or link.get("link"), str):
        return memory.referrer(url, page.host)
    return memory.referrer("", None)


def _location(context: Mapping[str, Any]) -> tuple[bool, str | None]:
    location = context.get("location")
    if isinstance(location, dict) and isinstance(value := location.get("country"), str):
        return True, country_code(value)
    return False, None


# one event ---------------------------------------------------------------------------------------------------------------


def _row(event: Event, session_id: int | None, view: View, sold: commerce.Commerce, machine: str | None) -> Row:
    """What one event tells beyond its view, in the order of `ROW_COLUMNS`."""
    told = view.country if view.located else _country(event)
    country = told or (view.network.country if not view.located else None)
    return (
        scrubbed_label(event.name) if event.kind == "track" else event.name,
        session_id,
        sold.order_id and scrubbed_code(sold.order_id),
        sold.value_micros,
        sold.currency,
        country,
        "told" if told else "ip" if country else None,
        machine,
        _properties(event, bool(sold.lines), event.kind in ARRIVALS),
    )


def _country(event: Event) -> str | None:
    """The country an event tells where its context does not: the traits of an identify call, then the order's own field."""
    if event.traits:
        if isinstance(value := event.traits.get("country"), str):
            return country_code(value)
        address = event.traits.get("address")
        if isinstance(address, dict) and isinstance(value := address.get("country"), str):
            return country_code(value)
    value = event.properties.get("country") or event.properties.get("shipping_country")
    return country_code(value) if isinstance(value, str) else None


def _properties(event: Event, has_lines: bool, is_arrival: bool) -> bytes | None:
    """The event's JSON: no personal data, and nothing that has a column or a line of its own."""
    if event.kind in ("identify", "group"):
        return scrubbed_json(plain_traits(event.traits))
    properties = event.properties
    if is_arrival:
        if properties.keys() <= _PAGE_KEYS:
            return None
        properties = {key: value for key, value in properties.items() if key not in _PAGE_KEYS}
    elif has_lines and "products" in properties:
        properties = {key: value for key, value in properties.items() if key not in _LINE_KEYS}
    return scrubbed_json(properties)


# columns -----------------------------------------------------------------------------------------------------------------


def _own_columns(events: Sequence[Event], identity_ids: Sequence[int], times: list[int], batch: Batch) -> dict[str, pa.Array]:
    """The numbers and stamps of the rows."""
    zone = batch.zone
    local = [at + _offset_micros(at // _QUARTER_MICROS, zone) for at in times]
    rows = len(events)
    return {
        "batch": pa.repeat(pa.scalar(batch.number, pa.int64()), rows),
        "event_id": pa.array(range(batch.first_event_id, batch.first_event_id + rows), pa.int64()),
        "source_id": pa.array(map(attrgetter("source_id"), events), pa.int32(), size=rows),
        "identity_id": pa.array(identity_ids, pa.int64()),
        "kind": pa.array(map(attrgetter("kind"), events), pa.string(), size=rows),
        "occurred_at": _moments(times),
        "received_at": _moments(_shared_micros(map(attrgetter("received_at"), events))),
        "original_at": _moments(_original_micros(events, times)),
        "sent_at": _moments(_shared_micros(map(attrgetter("sent_at"), events))),
        "local_at": _moments(local),
    }


def _row_columns(rows: list[Row]) -> dict[str, pa.Array]:
    columns: Any = zip(*rows, strict=True) if rows else [[] for _ in ROW_COLUMNS]
    return {name: pa.array(column, _TYPES[name]) for name, column in zip(ROW_COLUMNS, columns, strict=True)}


def _view_columns(views: list[View], seen: list[int]) -> dict[str, pa.Array]:
    """The columns of the views, one row for each event; `seen` says which view each event points at."""
    places = pa.array(seen, pa.int32())
    columns: Any = zip(*[view.columns for view in views], strict=True) if views else [[] for _ in VIEW_COLUMNS]
    return {name: pa.array(column, _TYPES[name]).take(places) for name, column in zip(VIEW_COLUMNS, columns, strict=True)}


def _original_micros(events: Sequence[Event], times: list[int]) -> list[int | None]:
    """The stamps as sent; nearly always the very moment that counts."""
    return [
        at if event.original_at is event.occurred_at else None if event.original_at is None else _micros(event.original_at)
        for event, at in zip(events, times, strict=True)
    ]


def _shared_micros(moments: Iterable[datetime | None]) -> list[int | None]:
    """Stamps that the events of one request share."""
    found: list[int | None] = []
    last: datetime | None = None
    micros: int | None = None
    for moment in moments:
        if moment is not last:
            last = moment
            micros = None if last is None else _micros(last)
        found.append(micros)
    return found


def _lines_table(lines: list[tuple[Any, ...]], batch: Batch) -> pa.Table:
    values: Any = zip(*lines, strict=True) if lines else [[] for _ in range(10)]
    event_id, identity_id, name, at, product_id, product, category, quantity, price, value = values
    return pa.table({
        "batch": pa.repeat(pa.scalar(batch.number, pa.int64()), len(lines)),
        "event_id": pa.array(event_id, pa.int64()), "identity_id": pa.array(identity_id, pa.int64()), "name": pa.array(name, pa.string()),
        "occurred_at": _moments(list(at)),
        "product_id": pa.array([text and scrubbed_code(text) for text in product_id], pa.string()),
        "product": pa.array([text and scrubbed_label(text) for text in product], pa.string()),
        "category": pa.array([text and scrubbed_label(text) for text in category], pa.string()),
        "quantity": pa.array(quantity, pa.float64()), "price_micros": pa.array(price, pa.int64()), "value_micros": pa.array(value, pa.int64()),
    })  # fmt: skip


EVENT_COLUMNS = (
    "batch", "event_id", "source_id", "identity_id", "kind", "name", "occurred_at", "received_at", "original_at", "sent_at", "local_at",
    "session_id", "order_id", "value_micros",
    "currency", "page_path", "page_title",
    "referrer_kind", "referrer_host", "campaign_source", "campaign_medium", "campaign_name", "device_type", "os", "browser", "country", "language",
    "is_bot", "properties", "os_version", "browser_version", "device_brand", "device_model", "device_source", "in_app", "voivodeship", "powiat", "city",
    "timezone", "place_source", "asn", "network_kind", "is_datacentre", "is_proxy", "bot_reason", "machine_reason", "referrer_name", "referrer_term",
    "campaign_term", "campaign_content", "click_id", "data_version",
)  # fmt: skip
_TYPES: dict[str, pa.DataType] = {name: pa.string() for name in (*ROW_COLUMNS, *VIEW_COLUMNS)} | {
    "session_id": pa.int64(), "value_micros": pa.int64(), "is_bot": pa.bool_(), "asn": pa.int64(), "is_datacentre": pa.bool_(),
    "is_proxy": pa.bool_(),
}  # fmt: skip


def _moments(micros: Sequence[int | None]) -> pa.Array:
    return pa.array(micros, pa.int64()).view(pa.timestamp("us"))


def _micros(moment: datetime) -> int:
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds  # three times as fast as dividing by a timedelta


@lru_cache(maxsize=65_536)
def _offset_micros(quarter: int, zone: tzinfo) -> int:
    """The zone's distance from UTC in a quarter of an hour since 1970; zones change on such quarters only."""
    offset = (_EPOCH + timedelta(microseconds=quarter * _QUARTER_MICROS)).astimezone(zone).utcoffset()
    return offset // _MICROSECOND if offset else 0
