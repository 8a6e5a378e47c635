"""Origins: where a visit came from: referrer kinds and campaign parameters."""

from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

LONGEST_URL = 4_000
LONGEST_WORD = 200


class Page(NamedTuple):
    """A page address taken apart: no fragment, no query but the campaign's parameters."""

    host: str | None
    path: str | None
    campaign: "Campaign"


class Campaign(NamedTuple):
    """utm_source, utm_medium and utm_campaign; a click id alone names its advertiser as the source."""

    source: str | None
    medium: str | None
    name: str | None


class Referrer(NamedTuple):
    """`kind`: direct, search, social, assistant, mail, internal, other."""

    kind: str
    host: str | None


NO_CAMPAIGN = Campaign(None, None, None)
NO_PAGE = Page(None, None, NO_CAMPAIGN)
DIRECT = Referrer("direct", None)

# Names of the second level that are enough to know the kind ("google" also stands for google.pl and google.co.uk).
_SEARCH = frozenset(
    "google bing yahoo duckduckgo yandex baidu ecosia qwant startpage brave seznam naver ask aol onet interia netsprint mojeek swisscows".split()
)  # fmt: skip
_SOCIAL = frozenset(
    "facebook instagram fb messenger linkedin lnkd twitter x t pinterest tiktok youtube youtu reddit wykop snapchat vk threads bsky mastodon tumblr "
    "quora discord telegram whatsapp nk twitch"
    .split()
)  # fmt: skip
_ASSISTANT_HOSTS = (
    "chatgpt.com", "chat.openai.com", "openai.com", "perplexity.ai", "claude.ai", "gemini.google.com", "bard.google.com", "copilot.microsoft.com",
    "copilot.cloud.microsoft", "chat.mistral.ai",
    "deepseek.com", "grok.com", "you.com", "poe.com", "meta.ai", "phind.com",
)  # fmt: skip
_MAIL_HOSTS = (
    "mail.google.com", "mail.yahoo.com", "outlook.live.com", "outlook.office.com", "outlook.office365.com", "poczta.onet.pl", "poczta.wp.pl",
    "profil.wp.pl", "poczta.interia.pl", "poczta.o2.pl",
    "mail.proton.me", "com.google.android.gm", "webmail",
)  # fmt: skip
_PORTALS = frozenset({"brave", "onet", "interia", "aol"})  # only their search hosts count
_SECOND_LEVEL = frozenset("com co org net edu gov ac".split())
_CLICK_IDS = {"gclid": ("google", "cpc"), "gbraid": ("google", "cpc"), "wbraid": ("google", "cpc"), "msclkid": ("bing", "cpc"),
    "fbclid": ("facebook", "social"), "ttclid": ("tiktok", "social"), "li_fat_id": ("linkedin", "social")}


@lru_cache(maxsize=16_384)
def read_page(url: str) -> Page:
    """Host, path and campaign parameters of a page's address; what does not parse is empty."""
    try:
        parts = urlsplit(url[:LONGEST_URL])
        host = parts.hostname
        given = dict(parse_qsl(parts.query, max_num_fields=100)) if parts.query else {}
    except ValueError:
        return NO_PAGE
    campaign = NO_CAMPAIGN
    if given:
        campaign = Campaign(_word(given.get("utm_source")), _word(given.get("utm_medium")), _word(given.get("utm_campaign")))
        if campaign == NO_CAMPAIGN:
            campaign = next((Campaign(source, medium, None) for key, (source, medium) in _CLICK_IDS.items() if key in given), NO_CAMPAIGN)
    return Page(_bare(host), unquote(parts.path) or ("/" if host else None), campaign)


@lru_cache(maxsize=16_384)
def read_referrer(url: str, own_host: str | None) -> Referrer:
    """What kind of place a referrer is. `own_host` is the host of the page that was opened, for `internal`."""
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
    return Referrer(_kind_of(host), host)


def campaign_of(context: dict[str, Any], page: Page) -> Campaign:
    """The campaign an SDK put into `context.campaign`, or else the page's own parameters."""
    told = context.get("campaign")
    if isinstance(told, dict) and told:
        campaign = Campaign(_word(told.get("source")), _word(told.get("medium")), _word(told.get("name")))
        if campaign != NO_CAMPAIGN:
            return campaign
    return page.campaign


def _kind_of(host: str) -> str:
    if _ends_with(host, _ASSISTANT_HOSTS):
        return "assistant"
    if _ends_with(host, _MAIL_HOSTS) or host.startswith(("mail.", "webmail.", "poczta.")):
        return "mail"
    labels = host.split(".")
    while len(labels) > 2 and (len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL):
        labels = [*labels[:-2], labels[-1]]
    name = labels[-2] if len(labels) > 1 else labels[0]
    if name in _SEARCH and (name not in _PORTALS or labels[0] in ("search", "szukaj")):
        return "search"
    return "social" if name in _SOCIAL else "other"


def _ends_with(host: str, known: tuple[str, ...]) -> bool:
    return any(host == one or host.endswith("." + one) for one in known)


def _bare(host: str | None) -> str | None:
    return host.lower().removeprefix("www.").rstrip(".")[:LONGEST_WORD] or None if host else None


def _word(value: object) -> str | None:
    return str(value).replace("\0", "").strip()[:LONGEST_WORD] or None if isinstance(value, (str, int)) and not isinstance(value, bool) else None
