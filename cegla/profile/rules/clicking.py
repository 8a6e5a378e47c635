"""Where on a page a click landed, told by the path of the element: menu, search, banner, product, call to action, filter, form, gallery, footer.

Names that people give to elements say more than their place; the last step of the path says more than what is around it.
"""

import re
from functools import lru_cache

CALL_TO_ACTION, MENU, SEARCH, BANNER, CONTENT = "cta", "menu", "search", "banner", "content"
PURPOSEFUL = (SEARCH, "filter", "cart")
_WORDS: tuple[tuple[str, str], ...] = (
    ("search", r"search|szukaj|wyszukiw|query|lupa|find"),
    ("cta", r"add-?to|addto|basket-?add|do-?koszyka|buy|kup|checkout|zamow|order-?now|cta|subscribe|zapisz|sign-?up|rejestr|submit|pay|plac"),
    ("cart", r"cart|basket|koszyk|minicart"),
    ("filter", r"filter|filtr|sort|facet|paginat|pager|page-?\d"),
    ("banner", r"banner|hero|slider|carousel|slick|swiper|promo|jumbotron|billboard"),
    ("footer", r"footer|stopka"),
    ("menu", r"nav\b|nav[-_]|navbar|menu|burger|breadcrumb|okruszk|mega-?menu|header|topbar|category-?tree|sidebar"),
    ("gallery", r"gallery|galeria|thumb|zoom|lightbox|\bimg\b|picture|video"),
    ("product", r"product|produkt|tile|card|item|listing|/p/|/prod"),
    ("form", r"\bform\b|input|select|textarea|label|field|checkbox|radio"),
)  # fmt: skip
_PATTERNS = tuple((zone, re.compile(pattern, re.IGNORECASE)) for zone, pattern in _WORDS)


@lru_cache(maxsize=65_536)
def zone_of(element: str) -> str:
    """The zone of an element by its path, "content" where nothing tells."""
    inner = [zone for step in reversed(element.split(">")) if (zone := next((zone for zone, pattern in _PATTERNS if pattern.search(step)), ""))]
    if inner[:1] == ["form"]:  # a field belongs to what it is for
        return next((zone for zone in inner if zone in PURPOSEFUL), "form")
    return inner[0] if inner else CONTENT
