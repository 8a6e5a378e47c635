"""Words: what an event says itself, its context aside: its name, what it is worth and its lines, a country it tells, the rest as JSON.

Whoever looks at the same product says the same of it, and decoding gives equal properties as one object. So such words are read once for
all events of a batch with the same properties, and they only point at them.
"""

from typing import Any, NamedTuple

from cegla.profile.rules import commerce
from cegla.profile.rules.call_notes import CALLS, without_notes
from cegla.profile.rules.countries import country_code
from cegla.profile.rules.scrubbing import plain_traits, scrubbed_code, scrubbed_json, scrubbed_label, without_names, without_person
from cegla.vocabulary.events import Event

PASSIVE = frozenset({
    "Order Refunded", "Order Cancelled", "Order Shipped", "Order Delivered", "Segment Consent Preference Updated",
    "Message Sent", "Message Delivered", "Message Bounced", "Message Skipped", "Message Failed",
    "Email Sent", "Email Delivered", "Email Bounced", "Email Skipped", "Email Failed", "Email Ambiguous", "Email Marked as Spam",
    "SMS Sent", "SMS Delivered", "SMS Failed", "Push Sent", "Push Delivered", "Push Bounced",
})  # fmt: skip
ARRIVALS = frozenset({"page", "screen"})  #: kinds whose referrer says where the visit came from
WORD_COLUMNS = ("name", "order_id", "value_micros", "currency", "properties")
_PAGE_KEYS = frozenset({"url", "path", "title", "referrer", "search", "name"})
_CALLED = frozenset({"subject", "description", "headline", "breadcrumbs", "section"})  #: what a page is called: may name whose page it is
_LINE_KEYS = frozenset({"products"})
SEARCHES = frozenset({"Site Searched", "Products Searched", "Search Performed"})
_TYPED = ("query", "search_term", "searchTerm", "search", "term", "phrase", "keyword", "keywords", "q")  #: where a search says what was typed


class Word(NamedTuple):
    """`columns` are those of `WORD_COLUMNS`; `active` is False where the person did nothing."""

    place: int  #: among the words of its batch
    columns: tuple[Any, ...]
    country: str | None
    lines: tuple[int, int]  #: the first of its lines among those of the batch, and how many
    active: bool


class Words:
    """The words of one batch. Events must live as long as this does."""

    def __init__(self) -> None:
        self._shared: dict[tuple[str, str, int], Word] = {}
        self.all: list[Word] = []
        self.lines: list[commerce.Line] = []

    def of(self, event: Event) -> Word:
        """What an event says. Traits are hardly ever the same, so events that bear some are read one by one."""
        if event.traits:
            return self._read(event)
        key = (event.kind, event.name, id(event.properties))
        word = self._shared.get(key)
        if word is None:
            word = self._shared[key] = self._read(event)
        return word

    def _read(self, event: Event) -> Word:
        is_track = event.kind == "track"
        sold = commerce.read_commerce(event.name, event.properties) if is_track else commerce.NOTHING
        columns = (
            scrubbed_label(event.name) if is_track else event.name, sold.order_id and scrubbed_code(sold.order_id), sold.value_micros, sold.currency,
            _properties(event, bool(sold.lines)),
        )  # fmt: skip
        word = Word(len(self.all), columns, _country(event), (len(self.lines), len(sold.lines)), _is_active(event))
        self.all.append(word)
        self.lines += sold.lines
        return word


def _is_active(event: Event) -> bool:
    """Whether the person did it; who is called did not, unless they called themselves."""
    return event.name not in PASSIVE and not (event.name in CALLS and event.properties.get("direction") == "outbound")


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


def _properties(event: Event, has_lines: bool) -> bytes | None:
    """The event's JSON: no personal data, and nothing that has a column or a line of its own."""
    if event.kind in ("identify", "group"):
        return scrubbed_json(plain_traits(event.traits))
    properties = without_notes(event.properties) if event.name in CALLS else event.properties
    if event.name in SEARCHES:
        typed = {key: without_person(value) for key in _TYPED if isinstance(value := properties.get(key), str)}
        properties = {**properties, **typed}
    if event.kind in ARRIVALS:
        if properties.keys() <= _PAGE_KEYS:
            return None
        properties = {key: without_names(value) if key in _CALLED and isinstance(value, str) else value for key, value in properties.items()
            if key not in _PAGE_KEYS}  # fmt: skip
    elif has_lines and "products" in properties:
        properties = {key: value for key, value in properties.items() if key not in _LINE_KEYS}
    return scrubbed_json(properties)
