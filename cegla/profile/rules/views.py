"""Views: what the context of an event shows of the page, the way there, the campaign, the machine, the language, the place and the network.

The events of one page view share their context, and decoding gives equal contexts as one object. So a view is read once for all
events of a batch whose context is the same object, and they only point at it.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from cegla.profile.rules.countries import country_code
from cegla.profile.rules.origins import NO_CAMPAIGN, NO_PAGE, Page, Referrer, campaign_of, read_page
from cegla.profile.rules.scrubbing import scrubbed_label, scrubbed_path, scrubbed_title, without_person

if TYPE_CHECKING:
    from cegla.profile.rules.memory import Memory
    from cegla.vocabulary.world import Network

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
    """The views of one batch, each read once. Contexts and properties must live as long as this does."""

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
        key = (id(context), id(told))
        view = self._shared.get(key)
        if view is None:
            view = self._shared[key] = self._told(context, told)
        return view

    def _told(self, context: dict[str, Any], told: dict[str, Any]) -> View:
        """The same for properties that are another object and yet may tell the same of the page."""
        key = (id(context), told.get("url"), told.get("path"), told.get("referrer"), told.get("title"))
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
            page.path and scrubbed_path(page.path), scrubbed_title(title) if title.__class__ is str else None, referrer.kind or None, referrer.host,
            *campaign, referrer.name, referrer.term and scrubbed_label(without_person(referrer.term)), *device.columns,
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
