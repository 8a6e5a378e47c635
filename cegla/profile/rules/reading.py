"""Pages that were read: what each is about, which words it is known by, and what the own site teaches about pages whose words do not tell.

What a page says of itself comes first; a page that says nothing is looked up among what the crawler of the shop's own site found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from cegla.profile.rules.analysis import Params
from cegla.profile.rules.blocked import is_blocked
from cegla.profile.rules.subjects import BLOCKED, NOTHING, Subject, subject_of, told_by_model
from cegla.profile.rules.texts import BUCKETS, WORD, hashed, learn_classes
from cegla.reference.polish import POLISH
from cegla.vocabulary.folding import folded

HEAVY, LIGHT, ADDRESS = 2.0, 1.0, 0.8
LEAST_READERS = 3  #: a word or page that fewer people read is not learnt
LEAST_PAGES, LEAST_OF_TOPIC = 60, 6  #: that the words tell for sure, for a model of the site
MOST_WORDS_OF_PAGE, MOST_WORDS = 12, 4_000
SURE = 0.6
_SHORTEST_WORD = 3
#: Words that say nothing of what a text is about.
EMPTY = frozenset("""
    oraz albo lecz jest byc bylo beda bedzie czy jak jaki jaka jakie jakich ktory ktora ktore kiedy gdzie dlaczego ktos tego tej ten tym tych takie taki
    wszystko wszystkie nasz nasza nasze twoj twoja twoje swoj moj dla bez pod nad przed przez przy miedzy okolo jako juz jeszcze tylko bardzo wiecej
    mniej najlepszy najlepsze najlepsza dobry dobre nowy nowe nowa sklep strona internetowy online blog artykul poradnik kategoria produkt oferta www http
    https html php index page and the for with from that this your our are how what why when which best new more shop site article category product home
    mozna moze trzeba warto sposob rok roku lata dzien czas rzecz raz dwa trzy ile
    """.split())  # fmt: skip


class Reading(NamedTuple):
    """A page as it was read: address, what it is filed under, what it is called, the daypart (m, d, e, n), and whether it was of late."""

    path: str
    heavy: str
    light: str
    daypart: str = "d"
    is_recent: bool = True


@dataclass(frozen=True)
class ReadPage:
    """What a page is about and the base forms of the words it is known by."""

    subject: Subject
    words: tuple[str, ...]


class SitePages:
    """What the crawler found of the own site: path → (what the page is filed under, what it is called)."""

    def __init__(self, pages: Mapping[str, Sequence[str]]) -> None:
        self._pages = pages

    def completed(self, page: Reading) -> Reading:
        """The page, with what the crawler knows where it says nothing of itself."""
        known = self._pages.get(page.path)
        if known is None or page.heavy.strip(" ·"):
            return page
        return page._replace(heavy=known[0], light=page.light if page.light.strip(" ·") else known[1])


def site_pages(told: Mapping[str, Any]) -> SitePages:
    """The pages of the own site, as `Facts.told` holds them."""
    return SitePages(told.get("site.pages", {}))


def read_pages(pages: Sequence[Reading], params: Params, site: SitePages) -> list[ReadPage]:
    """What each page is about, by its own words or else by the model of the site; blocked ones are known by no word."""
    whole = [site.completed(page) for page in pages]
    found = [_by_words(page.path, page.heavy, page.light) for page in whole]
    if params.get("model"):
        unsure = [place for place, one in enumerate(found) if one.subject == NOTHING]
        told = told_by_model(params["model"], params["topics"], [_text(whole[place]) for place in unsure], POLISH.lemma)
        for place, subject in zip(unsure, told, strict=True):
            found[place] = ReadPage(subject, found[place].words)
    return found


def site_model(pages: Sequence[Reading], rows: Any, codes: Any, site: SitePages) -> dict[str, Any]:
    """A model of the own site, learnt from the pages whose words tell their topic for sure; empty when there are too few.

    Only pages that several people read are learnt from, so that nothing of a single person is kept.
    """
    readers = _readers(rows, codes, [_address(page) for page in pages])
    known: dict[str, tuple[str, str]] = {}
    for page in pages:
        if readers.get(_address(page), 0) >= LEAST_READERS:
            whole = site.completed(page)
            subject = _by_words(whole.path, whole.heavy, whole.light).subject
            if subject.topic and subject != BLOCKED and subject.sure >= SURE:
                known[_address(page)] = (_text(whole), subject.topic)
    counts: dict[str, int] = {}
    for _, topic in known.values():
        counts[topic] = counts.get(topic, 0) + 1
    topics = sorted(topic for topic, times in counts.items() if times >= LEAST_OF_TOPIC)
    chosen = [known[address] for address in sorted(known) if known[address][1] in topics]
    if len(chosen) < LEAST_PAGES or len(topics) < 2:
        return {}
    rows_of_text = hashed([text for text, _ in chosen], BUCKETS, POLISH.lemma)
    return {"topics": topics, "model": learn_classes(rows_of_text, [topics.index(topic) for _, topic in chosen], len(topics))}


def known_words(rows: Any, codes: Any, words_of_page: Sequence[Sequence[str]]) -> dict[str, int]:
    """How many readers the words of the base have: those that at least `LEAST_READERS` met, the most frequent first in number."""
    met: set[tuple[int, int]] = set(zip(rows.tolist(), codes.tolist(), strict=True))
    pairs = {(person, word) for person, code in met for word in words_of_page[code]}
    counts: dict[str, int] = {}
    for _, word in pairs:
        counts[word] = counts.get(word, 0) + 1
    frequent = sorted((word for word, times in counts.items() if times >= LEAST_READERS), key=lambda word: (-counts[word], word))[:MOST_WORDS]
    return {"": len(np.unique(rows)), **{word: counts[word] for word in sorted(frequent)}}


def words_of_page(text: str) -> tuple[str, ...]:
    """The base forms of the telling words of a text, each once, in its order; no word of a special category."""
    found: dict[str, None] = {}
    for word in WORD.findall(text):
        if len(word) >= _SHORTEST_WORD and not word.isdigit() and folded(word) not in EMPTY:
            lemma = POLISH.lemma(word)
            if len(lemma) >= _SHORTEST_WORD and folded(lemma) not in EMPTY and not is_blocked(lemma) and not is_blocked(word):
                found[lemma] = None
    return tuple(found)[:MOST_WORDS_OF_PAGE]


@lru_cache(maxsize=65_536)
def _by_words(path: str, heavy: str, light: str) -> ReadPage:
    subject = subject_of(((heavy, HEAVY), (light, LIGHT), (path.replace("-", " ").replace("/", " "), ADDRESS)))
    return ReadPage(subject, () if subject == BLOCKED else words_of_page(f"{light} {heavy}"))


def _address(page: Reading) -> str:
    return f"{page.path}\n{page.heavy}\n{page.light}"


def _readers(rows: Any, codes: Any, addresses: Sequence[str]) -> dict[str, int]:
    met: set[tuple[int, int]] = set(zip(rows.tolist(), codes.tolist(), strict=True))
    pairs = {(person, addresses[code]) for person, code in met}
    counts: dict[str, int] = {}
    for _, address in pairs:
        counts[address] = counts.get(address, 0) + 1
    return counts


def _text(page: Reading) -> str:
    return f"{page.heavy} {page.light} {page.path.replace('-', ' ').replace('/', ' ')}"
