"""Whether the links of a letter lead anywhere: each is asked once, under the rules of the way out, a few side by side."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from cegla.compose.rules.links import links, wrong
from cegla.reference.crawling import Bounds, NotFetched, fetch, own_host
from cegla.vocabulary.text import Text

MOST_LINKS, SIDE_BY_SIDE, LARGEST_BYTES = 40, 6, 2_000_000
ANSWERS = ("type", "size")  #: the page is there, and of another kind or size than a page: all a link needs
SAID: dict[str, tuple[str, Text]] = {
    "absent": ("bad", Text("nie ma takiej strony", "there is no such page")),
    "status": ("bad", Text("serwer odpowiada błędem", "the server answers with an error")),
    "redirect": ("info", Text("przekierowuje na inny adres", "it leads on to another address")),
    "host": ("warn", Text("adres nie prowadzi do otwartego internetu", "the address does not lead to the open internet")),
    "address": ("warn", Text("adres nie prowadzi do otwartego internetu", "the address does not lead to the open internet")),
}
SILENT = "warn", Text("serwer nie odpowiedział", "the server did not answer")
BY_DATA = "info", Text("zależy od danych osoby; sprawdzi je dopiero wysyłka", "depends on the person's data; only sending will tell")
THERE = "good", Text("odpowiada", "it answers")


@dataclass(frozen=True)
class Followed:
    """A link, how it fares (good, info, warn or bad), and in words."""

    address: str
    kind: str
    said: Text


def followed(html: str, ask: Callable[[str], None] | None = None) -> list[Followed]:
    """Every web address of a letter, asked once; 40 at most. `ask` raises NotFetched for what does not answer as a page does."""
    web = [link for link in links(html) if link.by_data or link.address.lower().startswith(("http://", "https://"))][:MOST_LINKS]
    plain = [link.address for link in web if not link.by_data and wrong(link.address) is None]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        asked = dict(zip(plain, pool.map(lambda address: _outcome(address, ask or _ask), plain), strict=True))
    return [_judged(link.address, link.by_data, asked) for link in web]


def _judged(address: str, by_data: bool, asked: dict[str, tuple[str, Text]]) -> Followed:
    trouble = wrong(address)
    return Followed(address, *(BY_DATA if by_data else ("bad", trouble) if trouble else asked[address]))


def _outcome(address: str, ask: Callable[[str], None]) -> tuple[str, Text]:
    try:
        ask(address)
    except NotFetched as error:
        return THERE if error.reason in ANSWERS else SAID.get(error.reason, SILENT)
    return THERE


def _ask(address: str) -> None:
    fetch(address, Bounds(hosts=(own_host(address),)), LARGEST_BYTES)
