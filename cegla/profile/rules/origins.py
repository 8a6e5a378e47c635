"""Origins: where a visit came from: referrer kinds, who is behind them, campaign parameters and click ids."""

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from cegla.profile.rules.scrubbing import scrubbed_path

if TYPE_CHECKING:
    from cegla.vocabulary.world import World

LONGEST_URL = 4_000
LONGEST_WORD = 200
_MAIL_WORDS = ("mail.", "webmail.", "poczta.", "email.")


class Page(NamedTuple):
    """A page address taken apart: no fragment, no query but the campaign's parameters."""

    host: str | None
    path: str | None
    campaign: "Campaign"


class Campaign(NamedTuple):
    """utm_source, utm_medium, utm_campaign, utm_term and utm_content; a click id alone names its advertiser as the source.

    `click_id` is which click id came along, never its value.
    """

    source: str | None
    medium: str | None
    name: str | None
    term: str | None = None
    content: str | None = None
    click_id: str | None = None


class Referrer(NamedTuple):
    """`kind`: direct, search, social, assistant, mail, marketplace, ads, internal, other. `name` is who: Google, Facebook, ChatGPT.

    `term` is what was searched for, as it stands in the address.
    """

    kind: str
    host: str | None
    name: str | None = None
    term: str | None = None


NO_CAMPAIGN = Campaign(None, None, None)
NO_PAGE = Page(None, None, NO_CAMPAIGN)
DIRECT = Referrer("direct", None)

_CLICK_IDS = {
    "gclid": ("google", "cpc"), "gbraid": ("google", "cpc"), "wbraid": ("google", "cpc"), "dclid": ("google", "display"), "msclkid": ("bing", "cpc"),
    "fbclid": ("facebook", "social"), "igshid": ("instagram", "social"), "igsh": ("instagram", "social"), "ttclid": ("tiktok", "social"),
    "li_fat_id": ("linkedin", "social"), "twclid": ("twitter", "social"), "epik": ("pinterest", "social"), "sccid": ("snapchat", "social"),
    "rdt_cid": ("reddit", "social"), "yclid": ("yandex", "cpc"),
}  # fmt: skip


@lru_cache(maxsize=16_384)
def read_page(url: str) -> Page:
    """Host, path and campaign parameters of a page's address; what does not parse is empty."""
    try:
        parts = urlsplit(url[:LONGEST_URL])
        host = parts.hostname
        given = dict(parse_qsl(parts.query, max_num_fields=100)) if parts.query else {}
    except ValueError:
        return NO_PAGE
    campaign = _campaign(given) if given else NO_CAMPAIGN
    return Page(_bare(host), unquote(parts.path) or ("/" if host else None), campaign)


def _campaign(given: dict[str, str]) -> Campaign:
    click_id = next((name for name in _CLICK_IDS if name in given), None)
    source, medium, name, term, content = (_clean(given.get(f"utm_{part}")) for part in ("source", "medium", "campaign", "term", "content"))
    if click_id and not (source or medium or name):
        source, medium = _CLICK_IDS[click_id]
    campaign = Campaign(source, medium, name, term, content, click_id)
    return campaign if any(campaign) else NO_CAMPAIGN


def read_referrer(url: str, own_host: str | None, world: "World") -> Referrer:
    """What kind of place a referrer is, and whose. `own_host` is the host of the page that was opened, for `internal`."""
    if not url:
        return DIRECT
    try:
        parts = urlsplit(url[:LONGEST_URL] if "://" in url else f"https://{url[:LONGEST_URL]}")
        host = _bare(parts.hostname)
    except ValueError:
        return Referrer("other", None)
    if not host:
        return DIRECT
    if own_host and (host == own_host or host.endswith("." + own_host) or own_host.endswith("." + host)):
        return Referrer("internal", host)
    origin = world.origin(host, parts.path)
    if origin.name is None:
        return Referrer("mail" if host.startswith(_MAIL_WORDS) else "other", host)
    term = None
    if origin.parameters and parts.query:
        try:
            asked = dict(parse_qsl(parts.query, max_num_fields=100))
        except ValueError:
            asked = {}
        term = next((_word(asked[name]) for name in origin.parameters if asked.get(name)), None)
    return Referrer(origin.kind, host, origin.name, term)


def campaign_of(context: dict[str, Any], page: Page) -> Campaign:
    """The campaign an SDK put into `context.campaign`, or else the page's own parameters."""
    told = context.get("campaign")
    if isinstance(told, dict) and told:
        source, medium, name, term, content = (_clean(told.get(part)) for part in ("source", "medium", "name", "term", "content"))
        if source or medium or name or term or content:
            return Campaign(source, medium, name, term, content, page.campaign.click_id)
    return page.campaign


def _bare(host: str | None) -> str | None:
    return host.lower().removeprefix("www.").rstrip(".")[:LONGEST_WORD] or None if host else None


def _word(value: object) -> str | None:
    return str(value).replace("\0", "").strip()[:LONGEST_WORD] or None if isinstance(value, (str, int)) and not isinstance(value, bool) else None


def _clean(value: object) -> str | None:
    """A word of a campaign without the addresses that mailing programs put there; its plain digits are its number."""
    word = _word(value)
    return word and scrubbed_path(word)
