"""Events of one page view share what their context shows; the rows are those that each event would get alone."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from cegla.profile.rules.enrichment import Batch, enriched_tables
from cegla.profile.rules.memory import Memory
from cegla.profile.rules.sessions import Sessions
from cegla.vocabulary.events import Event
from tests.profile.oracle_enrichment import WORLD, plain_rows

AT = datetime(2026, 3, 29, 0, 50, tzinfo=UTC)
BATCH = Batch(5, 100, ZoneInfo("Europe/Warsaw"))

odd = st.sampled_from([None, 0, True, 5, "", [], ["x"], {}])
addresses = st.sampled_from(
    ["https://shop.example/a?utm_source=news", "https://shop.example/b", "/c", "https://shop.example/anna@example.pl?gclid=1", "https://www.google.com/"]
)
pages = st.dictionaries(st.sampled_from(["url", "path", "referrer", "title"]), addresses | odd, max_size=4)
countries = st.fixed_dictionaries({}, optional={"country": st.sampled_from(["Polska", "DE", "Nowhere", 7])})
contexts = st.fixed_dictionaries({}, optional={
    "page": pages | odd, "userAgent": st.sampled_from(["", "curl/8", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/18.6 Mobile/15E148 Safari/604.1", 3]),
    "ip": st.sampled_from(["149.156.96.0", "5.172.236.0", "x"]) | odd, "timezone": st.sampled_from(["Europe/London", "nowhere at all"]) | odd,
    "userAgentData": st.just({"platform": "Android", "platformVersion": "14.0.0", "mobile": True}) | odd,
    "webdriver": st.booleans(), "locale": st.sampled_from(["pl-PL", "de", "x", 1]), "location": countries | odd, "active": st.booleans(),
    "campaign": st.fixed_dictionaries({}, optional={"source": st.just("mail"), "name": st.sampled_from(["spring", 4])}) | odd,
    "referrer": st.fixed_dictionaries({}, optional={"url": addresses | odd, "link": addresses}) | odd,
})  # fmt: skip
lines = st.fixed_dictionaries({}, optional={"product_id": st.sampled_from(["7", 7]), "price": st.sampled_from([19.99, "5", None]), "quantity": st.just(2)})
properties = pages | countries | lines | st.fixed_dictionaries({"products": st.lists(lines, max_size=2)}, optional={"total": st.just(5), "email": st.just("anna@example.pl")})
kinds = st.sampled_from([
    ("page", "Page Viewed"), ("screen", "Screen Viewed"), ("track", "Product Viewed"), ("track", "Order Completed"), ("track", "Email Sent"), ("track", "Played"),
    ("identify", "Identify"),
])  # fmt: skip


@st.composite
def batches(draw: st.DrawFn) -> tuple[list[Event], list[int]]:
    shared: list[dict[str, Any]] = draw(st.lists(contexts, min_size=1, max_size=3))
    events: list[Event] = []
    for number in range(draw(st.integers(0, 8))):
        kind, name = draw(kinds)
        at = AT + timedelta(minutes=draw(st.integers(-50, 50)), microseconds=draw(st.integers(0, 999_999)))
        told = draw(properties)
        events.append(Event(
            source_id=1, message_id=f"m{number}", kind=kind, name=name, occurred_at=at, received_at=draw(st.sampled_from([AT, AT + timedelta(hours=2)])),
            original_at=draw(st.sampled_from([None, at, AT])), sent_at=draw(st.sampled_from([None, AT])), properties={} if kind == "identify" else told,
            traits=draw(countries) if kind == "identify" else {}, context=draw(st.sampled_from(shared)),
            trace=draw(st.sampled_from([None, f"00-{number:032x}-{7:016x}-01"])),
        ))  # fmt: skip
    return events, draw(st.lists(st.integers(1, 2), min_size=len(events), max_size=len(events)))


@settings(max_examples=300, deadline=None)
@given(batches())
def test_rows_do_not_depend_on_which_events_share_a_context(batch: tuple[list[Event], list[int]]) -> None:
    events, identity_ids = batch
    rows = enriched_tables(events, identity_ids, BATCH, Sessions({}), Memory(WORLD))["events"].to_pylist()
    assert rows == plain_rows(events, identity_ids, BATCH, Sessions({}))
