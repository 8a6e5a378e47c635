"""Histories for the contract of analysers: small, odd and made by hypothesis, as rows of the warehouse.

A deed is drawn as numbers and becomes an event through intake's own enrichment; what intake looks up in reference data is put in its
columns afterwards. Rows, not events, are handed on, so that a test can leave some out, flag them or turn their order round.
"""

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
from hypothesis import strategies as st

from cegla.profile.rules.enrichment import Batch, enriched_tables
from cegla.profile.rules.memory import Memory
from cegla.profile.rules.sessions import Sessions
from cegla.storage.warehouse import EVENTS, ORDER_LINES, Warehouse
from cegla.vocabulary.events import Event
from cegla.weather import actions as weather

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Warsaw")
PEOPLE = 5
HELD: list[Warehouse] = []  #: the warehouse of a run, see conftest.py
AGENTS = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
)
NAMES = (
    "Page Viewed", "Product Viewed", "Product Added", "Products Searched", "Checkout Started", "Order Completed", "Order Refunded", "Message Sent",
    "Message Opened", "Message Clicked", "Call Ended", "Element Clicked", "Signed In", "Product Shared", "Identify", "Page Left", "Site Searched",
)  # fmt: skip
CATEGORIES = ("Kubki", "Noże", "Elektronika", "Rowery", None)
WORDS = ("czerwony kubek", "nóż szefa kuchni cena", "jak ostrzyć noże", "bosch pralka opinie")
#: What reference data adds at intake, by column; a deed draws one value of each.
LOOKED_UP: dict[str, tuple[Any, ...]] = {
    "os_version": (None, "18.5", "11", "14"), "browser_version": (None, "140"), "device_brand": (None, "Apple", "Samsung"), "device_model": (None, "iPhone", "SM-A546B"),
    "in_app": (None, None, "Facebook"), "country": ("PL", "PL", "DE", None), "voivodeship": ("14", "12", None), "powiat": ("1465", "1261", "1417", None),
    "city": ("Warszawa", "Kraków", None), "timezone": ("Europe/Warsaw", None), "place_source": ("ip", None), "asn": (5617, 12741, None),
    "network_kind": ("fixed", "mobile", "business", None), "is_proxy": (False, False, False, True), "referrer_name": (None, "Google", "Facebook", "ChatGPT"),
    "referrer_term": (None, "kubek ceramiczny"), "campaign_term": (None, "noże kuchenne"), "click_id": (None, "fbclid"), "data_version": ("2026-11",),
}  # fmt: skip


@dataclass(frozen=True)
class Deed:
    """What one person did: minutes before now, and numbers that choose among the lists above."""

    person: int
    minutes: int
    name: str
    agent: int
    choice: int
    price: int


deeds = st.builds(
    Deed, st.integers(1, PEOPLE), st.one_of(st.integers(0, 90 * 24 * 60), st.integers(0, 420).map(lambda day: day * 1_440 + 300)), st.sampled_from(NAMES), st.integers(0, 3),
    st.integers(0, 10_000), st.integers(1, 500),
)  # fmt: skip
histories = st.lists(deeds, min_size=1, max_size=45)


@cache
def skies() -> pa.Table:
    """The weather of the powiats of these histories, a hundred days back and two ahead, wet and hot and cold by the number of the hour."""
    rows = [(powiat, hour) for powiat in ("1465", "1261", "1417") for hour in range(-48, 100 * 24)]
    first = NOW.replace(minute=0, tzinfo=None)
    columns = {
        "powiat": [powiat for powiat, _ in rows], "hour": [first - timedelta(hours=hour) for _, hour in rows], "hours_ago": [hour for _, hour in rows],
        "temperature": [None if hour % 97 == 0 else float(hour * 7 % 45 - 10) for _, hour in rows], "precipitation": [float(hour // 24 % 3 == 0) for _, hour in rows],
        "snowfall": [float(hour % 50 == 0) for _, hour in rows], "code": [0 if hour % 4 else 63 for _, hour in rows],
    }  # fmt: skip
    return pa.table(columns, schema=weather.HOURS)


def event_of(deed: Deed, blocked: str | None = None) -> Event:
    """The event of a deed; `blocked` is put wherever text can be."""
    at = NOW - timedelta(minutes=deed.minutes)
    category = blocked or CATEGORIES[deed.choice % 5]
    title = blocked or f"Produkt {deed.choice % 7}"
    word = blocked or WORDS[deed.choice % 4]
    product = {"product_id": f"p{deed.choice % 7}", "name": title, "category": category, "price": deed.price, "quantity": 1 + deed.choice % 2}
    path = f"/{(blocked or ('poradnik' if deed.choice % 3 else 'oferta')).replace(' ', '-')}/{deed.choice % 9}"
    context: dict[str, Any] = {"userAgent": AGENTS[deed.agent], "locale": "pl-PL", "page": {"url": f"https://sklep.example{path}", "title": title}}
    properties: dict[str, Any] = {}
    if deed.name.startswith("Order"):
        properties = {"products": [product], "order_id": f"o{deed.choice}", "currency": "PLN", "total": deed.price}
    elif deed.name.startswith("Product ") or deed.name == "Product Shared":
        properties = product | {"share_via": "facebook"}
    elif deed.name == "Products Searched":
        properties = {"query": word, "results": deed.choice % 3}
    elif deed.name == "Call Ended":
        properties = {"disposition": ("ANSWERED", "NO ANSWER")[deed.choice % 2], "duration": deed.price, "topic": word}
    elif deed.name == "Element Clicked":
        element = ("nav > a:nth-of-type(2)", "#add-to-cart", "form[name=\"search\"] > button", "#hero-banner")[deed.choice % 4]
        properties = {"element": element, "tag": "a", "x": deed.choice % 100 / 100, "y": deed.price % 100 / 100, "viewport": "phone", "rage": deed.price % 7 == 0, "dead": deed.price % 5 == 0}
    elif deed.name.startswith("Message"):
        properties = {"channel": ("email", "sms")[deed.choice % 2], "campaign": word}
    elif deed.name == "Page Viewed":
        properties = {"section": category, "topics": [word], "kind": ("Article", "Product")[deed.choice % 2], "published": f"2026-0{1 + deed.choice % 9}-11"}
    elif deed.name == "Page Left":
        properties = {"seconds": deed.price % 90, "scroll_depth": deed.choice % 100}
    elif deed.name == "Site Searched":
        properties = {"query": word, "parameter": "q"}
    kind = "page" if deed.name == "Page Viewed" else "identify" if deed.name == "Identify" else "track"
    traits = {"firstName": "Anna", "city": "Kraków"} if kind == "identify" else {}
    return Event(
        source_id=1, message_id=f"m{deed}", kind=kind, name=deed.name, occurred_at=at, received_at=at, properties=properties if kind != "identify" else {}, traits=traits,
        context=context,
    )  # fmt: skip


def rows_of(history: Sequence[Deed], first_event_id: int = 1, flags: dict[str, Any] | None = None, blocked: str | None = None) -> dict[str, pa.Table]:
    """The rows of the warehouse for a history; `flags` are put in their columns of all rows."""
    ordered = sorted(history, key=lambda deed: -deed.minutes)
    made = [event_of(deed, blocked) for deed in ordered]
    tables = enriched_tables(made, [deed.person for deed in ordered], Batch(1, first_event_id, ZONE), Sessions({}), Memory())
    events = tables["events"]
    for name, values in LOOKED_UP.items():
        column = [values[(deed.choice // 3 + len(name)) % len(values)] for deed in ordered]
        events = _with(events, name, [blocked if blocked and name in ("referrer_term", "campaign_term") and value else value for value in column])
    for name, value in (flags or {}).items():
        events = _with(events, name, [value] * len(ordered))
    return {"events": events, "order_lines": tables["order_lines"]}


def _with(events: pa.Table, name: str, values: list[Any]) -> pa.Table:
    return events.set_column(events.schema.get_field_index(name), EVENTS.field(name), pa.array(values, EVENTS.field(name).type))


def turned_round(rows: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """The same history as it would lie had it arrived in the opposite order: rows and numbers of events."""
    last = max(rows["events"]["event_id"].to_pylist(), default=0) + 1
    return {name: _renumbered(table, last).take(pa.array(range(len(table) - 1, -1, -1), pa.int64())) for name, table in rows.items()}


def without(rows: dict[str, pa.Table], event_ids: Iterable[int]) -> dict[str, pa.Table]:
    """The same history without some events."""
    gone = set(event_ids)
    return {name: table.filter(pa.array([one not in gone for one in table["event_id"].to_pylist()], pa.bool_())) for name, table in rows.items()}


def _renumbered(table: pa.Table, last: int) -> pa.Table:
    numbers = pa.array([last - number for number in table["event_id"].to_pylist()], pa.int64())
    return table.set_column(table.schema.get_field_index("event_id"), "event_id", numbers)


@contextmanager
def warehouse_of(*parts: dict[str, pa.Table]) -> Generator[Warehouse]:
    """A warehouse that holds these rows; the same one every time, since making one takes longer than most questions."""
    warehouse = HELD[-1]
    for rows in parts:
        warehouse.append({name: table.select((EVENTS if name == "events" else ORDER_LINES).names) for name, table in rows.items()})
    try:
        yield warehouse
    finally:
        warehouse.take_back_after(0)
