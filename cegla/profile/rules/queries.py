"""Queries: what somebody who typed a few words into a search box wants, of which brand, and whether the words may be kept at all.

    query ──personal? blocked?──► nothing
          └─words, base forms, diacritics put back──► brand, categories, attributes, topic, intent (Broder 2002: navigate, learn, buy), price words
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rapidfuzz import fuzz, process

from cegla.profile.rules.blocked import is_blocked
from cegla.profile.rules.scrubbing import is_personal
from cegla.profile.rules.subjects import BLOCKED, subject_of
from cegla.profile.rules.texts import words_of
from cegla.reference.polish import POLISH
from cegla.vocabulary.folding import folded

LONGEST_QUERY = 120
ALIKE = 83.0  #: how like a word of the catalogue a mistyped word must be, of 100
_SHORTEST_MENDED, _SHORTEST_BRAND = 5, 4
_LETTERS = re.compile(r"[^\W\d_]+")
#: Stems of words that give the intent away; "." ends a whole word. Navigation asks for a page of the shop, not for a thing.
_CUES = {
    "nav": """
        kontakt, logowan, zaloguj, login., moje konto, konto klienta, panel klienta, regulamin, regulamin prom, polityka prywat, polityka cook,
        status zamow, moje zamow,
        sledzenie przesyl, sledzenie paczk, zwrot., zwroty., reklamacj, godziny otwar, sklep stacjon, salony firm, punkty odbior, adres., infolini,
        telefon do,
        strona glown, newsletter., wypis, program lojal, karta stalego, oferty pracy, kariera., o nas, o firmie, dostawa i plat, formy plat, formularz,
        faq., aplikacja mobil, mapa dojazd, biuro obslug, chat z konsul, numer konta, anulowan zamow, anuluj zamow, zmiana hasl, haslo., blog., gazetka.,
        koszyk., lista zycz, ulubione., jak dojechac, contact, my account, sign in, order status, store hours, terms., returns.""",
    "info": """
        jak., jaki., jaka., jakie., jakich., jakiego., ktory., ktora., ktore., co., czym., czy., dlaczego, kiedy, gdzie., ile., skad., po co, opini,
        recenzj, ranking, test., testy., porownan, vs., versus, czy warto, poradnik, instrukcj, roznic, sposob., sposoby., przepis., przepisy.,
        tabela rozmiar,
        rozmiarowk, znaczenie, objasn, definicj, pomysl., pomysly., zalety, wady., co to, do czego, czyszczen, konserwac, naprawi, montaz krok,
        dobrac, wybrac,
        how., what., why., which., review, best., compar, guide, tutorial, difference""",
    "trans": """

        kup., kupic, kupie., kupno, zamow., zamowic., zamawia, cena., ceny., cennik, tani., tania., tanie., tanio, najtansz, promocj, wyprzed, przecen, rabat,
        kod rabat, kody rabat, okazj, outlet, sklep., sklep online, raty., na raty, leasing, dostawa 24, dostawa gratis, darmowa dost, black friday,
        zestaw., komplet.,
        sztuk., hurt., hurtowo,
        do kupien, w cenie, dostepn, na sprzedaz, od reki, wysylka, bestseller, prezent dla, buy., price, cheap, sale., deal, discount, order., shop.""",
}
_PRICE = ("cena., ceny., cennik, tani., tania., tanie., tanio, tansz, najtansz, promocj, wyprzed, przecen, rabat, kod rabat, okazj, outlet, gratis, darmow, "
    "black friday, za pol ceny, w cenie, zl., pln., price, cheap, discount, sale., deal, hurt., na raty")  # fmt: skip
CUES = {intent: [one.strip() for one in stems.replace("\n", " ").split(",")] for intent, stems in _CUES.items()}
_PHRASES = [stem for stem in CUES["nav"] if " " in stem]
PRICE_WORDS = [one.strip() for one in _PRICE.split(",")]
COLORS = {
    "czarny": "czarny", "bialy": "biały", "czerwony": "czerwony", "niebieski": "niebieski", "zielony": "zielony", "zolty": "żółty", "szary": "szary",
    "brazowy": "brązowy", "rozowy": "różowy", "fioletowy": "fioletowy", "pomaranczowy": "pomarańczowy", "bezowy": "beżowy", "granatowy": "granatowy",
    "zloty": "złoty", "srebrny": "srebrny", "bordowy": "bordowy", "turkusowy": "turkusowy", "kremowy": "kremowy",
}  # fmt: skip
_COLOR_STEMS = {name[:-1]: shown for name, shown in COLORS.items()}
_COLOR_ENDINGS = ("y", "a", "e", "i", "ego", "ej", "ych", "ym", "ymi", "")
MATERIALS = {
    "drewnian": "drewno", "metalow": "metal", "skorzan": "skóra", "bawelnian": "bawełna", "welnian": "wełna", "ceramiczn": "ceramika", "szklan": "szkło",
    "stalow": "stal", "plastikow": "plastik", "lnian": "len", "jedwabn": "jedwab", "porcelanow": "porcelana", "zeliwn": "żeliwo", "emaliowan": "emalia",
    "bambusow": "bambus", "gumow": "guma", "granitow": "granit", "marmurow": "marmur",
}  # fmt: skip
_UNIT = re.compile(
    r"(?<![\w,.])(\d{1,5}(?:[,.]\d{1,2})?)\s?(gb|tb|mb|cali|cale|\"|cm|mm|m2|m|ml|l|litr\w*|kg|g|w|kw|v|mah|szt\w*|osob\w*|hz)(?![\w])", re.IGNORECASE
)
_SIZE = re.compile(r"(?<!\w)(?:rozmiar|rozm|rozm\.|size)\s?(\d{2,3}|x{0,3}[sml])(?!\w)|(?<!\w)(xxs|xs|xl|xxl|xxxl)(?!\w)", re.IGNORECASE)
_UNITS = {"cale": "cali", '"': "cali", "litr": "l", "litra": "l", "litrow": "l", "litry": "l", "litrów": "l"}


@dataclass(frozen=True)
class Query:
    """What a query says. `kept`: it may be shown, since it names nobody and nothing of a special category; otherwise the rest is empty."""

    kept: bool = False
    text: str = ""
    words: tuple[str, ...] = ()
    intent: str = ""
    brand: str = ""
    topics: tuple[str, ...] = ()
    asks_price: bool = False
    attributes: tuple[tuple[str, str], ...] = ()


HIDDEN = Query()


class Catalogue:
    """What the shop sells, as the base knows it: brands, and how telling each word is of each category."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self.brands: dict[str, str] = {" ".join(words_of(brand)): brand for brand in params.get("brands", ())}
        self.words: dict[str, dict[str, float]] = params.get("words", {})
        self._all = list(self.words)

    def brand_of(self, words: Sequence[str]) -> str:
        """The brand that a query names, spelled as the catalogue has it; one slip in a long name is forgiven."""
        for place in range(len(words)):
            for length in (3, 2, 1):
                if found := self.brands.get(" ".join(words[place : place + length])):
                    return found
        for word in words:
            if len(word) >= _SHORTEST_BRAND and self.brands and (near := process.extractOne(word, self.brands.keys(), scorer=fuzz.ratio, score_cutoff=ALIKE)):
                return self.brands[near[0]]
        return ""

    def categories_of(self, lemmas: Sequence[str]) -> list[str]:
        """The categories that the words of a query are telling of, the best first; a word nobody sells is taken for the most alike one."""
        points: dict[str, float] = {}
        for lemma in lemmas:
            for category, weight in self.words.get(lemma, self._mended(lemma)).items():
                points[category] = points.get(category, 0.0) + weight
        best = max(points.values(), default=0.0)
        return [category for category, found in sorted(points.items(), key=lambda one: (-one[1], one[0])) if found >= 0.6 * best][:2]

    def _mended(self, lemma: str) -> dict[str, float]:
        if len(lemma) < _SHORTEST_MENDED or not self._all:
            return {}
        near = process.extractOne(lemma, self._all, scorer=fuzz.ratio, score_cutoff=ALIKE)
        return self.words[near[0]] if near else {}


def read_query(text: str, catalogue: Catalogue, *, on_site: bool = True) -> Query:
    """What a query says; on the shop's own site a thing without another cue is wanted, elsewhere it is looked into."""
    text = " ".join(text[:LONGEST_QUERY].split())
    if not text or is_personal(text) or is_blocked(text):
        return HIDDEN
    subject = subject_of([(text, 1.0)])
    if subject == BLOCKED:
        return HIDDEN
    words, lemmas = words_of(text), lemmas_of(text)
    brand, categories = catalogue.brand_of(words), catalogue.categories_of(lemmas)
    topics = tuple(categories) or ((subject.topic,) if subject.topic else ())
    found = attributes_of(text)
    return Query(True, text, lemmas, intent_of(words, bool(brand or topics or found), on_site=on_site), brand, topics, _holds(words, PRICE_WORDS), found)


@lru_cache(maxsize=65_536)
def lemmas_of(text: str) -> tuple[str, ...]:
    """Base forms of the words of a text, without diacritics; of words typed without them after they were put back."""
    found: list[str] = []
    for word in _LETTERS.findall(text.lower()):
        known = POLISH.looked_up(word)
        if known is None and word.isascii() and len(word) > 2 and POLISH.knows_diacritics:
            known = POLISH.looked_up(POLISH.restored(word))
        found.append(folded(known or POLISH.lemma(word)))
    return tuple(found)


def intent_of(words: Sequence[str], names_thing: bool, *, on_site: bool = True) -> str:
    """nav, info or trans. A question is to learn, even about prices' things; a page of the shop comes before both."""
    if _holds(words, _PHRASES) or (_holds(words, CUES["nav"]) and not _holds(words, CUES["trans"])):
        return "nav"
    if _holds(words, CUES["info"]) and not (words[:1] and _holds(words[:1], CUES["trans"])):
        return "info"
    if _holds(words, CUES["trans"]) or names_thing:
        return "trans"
    return "trans" if on_site else "info"


def attributes_of(text: str) -> tuple[tuple[str, str], ...]:
    """(kind, value) of what a query asks for: color, material, size, and amounts with their unit ("256 gb")."""
    found: list[tuple[str, str]] = []
    for word in words_of(text):
        if color := next((_COLOR_STEMS[word[: len(word) - len(ending)]] for ending in _COLOR_ENDINGS if word.endswith(ending) and
                word[: len(word) - len(ending)] in _COLOR_STEMS), ""):  # fmt: skip
            found.append(("color", color))
        if material := next((name for stem, name in MATERIALS.items() if word.startswith(stem)), ""):
            found.append(("material", material))
    for amount, unit in _UNIT.findall(text):
        found.append(("amount", f"{amount.replace(',', '.')} {_UNITS.get(unit.lower(), unit.lower())}"))
    for number, letters in _SIZE.findall(text):
        found.append(("size", (number or letters).upper()))
    return tuple(dict.fromkeys(found))


def is_refined(before: Query, after: Query) -> bool:
    """Whether a query is the one before it said again otherwise: words were added, taken away or exchanged, and one stayed."""
    return before.words != after.words and bool(set(before.words) & set(after.words))


def _holds(words: Sequence[str], stems: Sequence[str]) -> bool:
    return any(_stands(words, place, stem) for place in range(len(words)) for stem in _by_letter(stems).get(words[place][:1], ()))


def _stands(words: Sequence[str], place: int, stem: tuple[str, ...]) -> bool:
    after = words[place : place + len(stem)]
    return len(after) == len(stem) and all(word == one[:-1] if one.endswith(".") else word.startswith(one) for word, one in zip(after, stem, strict=True))


def _by_letter(stems: Sequence[str]) -> dict[str, list[tuple[str, ...]]]:
    return _grouped(tuple(stems))


@lru_cache(maxsize=16)
def _grouped(stems: tuple[str, ...]) -> dict[str, list[tuple[str, ...]]]:
    found: dict[str, list[tuple[str, ...]]] = {}
    for stem in stems:
        found.setdefault(stem[:1], []).append(tuple(stem.split()))
    return found
