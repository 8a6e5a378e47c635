"""The links of a letter: which there are, and how they get their UTM parameters. Addresses may hold Liquid; what it says is known only per person."""

import re
from collections.abc import Mapping
from html import unescape
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from cegla.compose.rules.markup import LIQUID, TAG
from cegla.vocabulary.text import Text

#: The UTM parameters by their short names, as Google's campaign builder and every shop's reports know them.
TAGS: dict[str, Text] = {
    "source": Text("źródło (utm_source)", "source (utm_source)"),
    "medium": Text("medium (utm_medium)", "medium (utm_medium)"),
    "campaign": Text("kampania (utm_campaign)", "campaign (utm_campaign)"),
    "content": Text("treść (utm_content)", "content (utm_content)"),
}
USUAL_TAGS = {"source": "newsletter", "medium": "email"}
OWN_WAYS = ("unsubscribe_url", "preferences_url")  #: leading to ourselves; never tagged
_VALUE = rf'((?>{TAG}|[^"])*+)'
_BEFORE = rf"(?>{TAG}|[^<>])*?"  #: other attributes
_HREF = re.compile(rf'(<a\b{_BEFORE}\bhref="){_VALUE}(")', re.IGNORECASE | re.DOTALL)
_SOURCE = re.compile(rf'<img\b{_BEFORE}\bsrc="{_VALUE}"', re.IGNORECASE | re.DOTALL)
_ONLY_FIELD = re.compile(r"\{\{-?(.+?)-?\}\}", re.DOTALL)
_BARE = re.compile(r"https?://[^\s<>()\"']+|\{\{-?\s*[\w.]*link\s*-?\}\}")


class Link(NamedTuple):
    """One link of a letter: its address as written, and whether it depends on the data."""

    address: str
    by_data: bool


def links(html: str) -> list[Link]:
    """The different addresses that the HTML of a letter leads to, in order."""
    found = [unescape(match.group(2)) for match in _HREF.finditer(html)]
    return [Link(address, bool(LIQUID.search(address))) for address in dict.fromkeys(found)]


def images(html: str) -> list[str]:
    """The different addresses of its images."""
    return list(dict.fromkeys(unescape(match.group(1)) for match in _SOURCE.finditer(html)))


def query(tags: Mapping[str, str]) -> str:
    """The parameters as they stand in an address; Liquid in a value is left for the person's turn."""
    return "&".join(f"utm_{name}={_kept(tags[name])}" for name in TAGS if tags.get(name))


def tagged_html(html: str, tags: Mapping[str, str]) -> str:
    """The HTML with the parameters on each link to the web that does not have its own."""
    extra = query(tags)
    if not extra:
        return html
    return _HREF.sub(lambda found: found.group(1) + _tagged(found.group(2), extra, "&amp;") + found.group(3), html)


def tagged_text(text: str, tags: Mapping[str, str]) -> str:
    """The same for a plain-text part."""
    extra = query(tags)
    return _BARE.sub(lambda found: _tagged(found.group(0), extra, "&"), text) if extra else text


def _tagged(address: str, extra: str, ampersand: str) -> str:
    if "utm_" in address or any(way in address for way in OWN_WAYS):
        return address
    field = _ONLY_FIELD.fullmatch(address.strip())
    if field:
        return f'{{{{ {field.group(1).strip()} | tagged: "{extra}" }}}}' if '"' not in extra and "{" not in extra else address
    if not address.lower().startswith(("http://", "https://")):
        return address
    before, hash_sign, fragment = address.partition("#") if not LIQUID.search(address) else (address, "", "")
    joint = "?" if "?" not in before else "" if before.endswith(("?", "&")) else ampersand
    return before + joint + extra.replace("&", ampersand) + hash_sign + fragment


def _kept(value: str) -> str:
    made, at = "", 0
    for tag in LIQUID.finditer(value):
        made += quote(value[at : tag.start()], safe="") + tag.group(0).replace("}}", "| url_encode }}") if tag.group(0).startswith("{{") else ""
        at = tag.end()
    return made + quote(value[at:], safe="")


def wrong(address: str) -> Text | None:
    """Why an address cannot be right, without asking anybody; None: it may be."""
    if LIQUID.search(address):
        return None
    if address in ("", "#"):
        return Text("odnośnik nigdzie nie prowadzi", "the link leads nowhere")
    if address.startswith(("mailto:", "tel:")):
        return None
    parts = urlsplit(address) if "[" not in address and "]" not in address else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or " " in address:
        return Text("to nie jest adres strony", "this is no address of a page")
    host = parts.hostname
    if host.endswith(("example.com", "example.org", ".example", ".test", ".invalid")) or host == "example.com":
        return Text("adres przykładowy, nie prawdziwy", "an example's address, not a real one")
    if host == "localhost" or "." not in host:
        return Text("adres działa tylko na tym komputerze", "an address of this machine alone")
    return None
