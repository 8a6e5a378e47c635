"""What reveals a special category of personal data (GDPR art. 9): never on a profile, not even as a score that is off.

Words of health, religion, politics, unions, origin and intimate life, and the topics of the IAB Content Taxonomy that name them. After
CJEU C-184/20, C-252/21 and C-21/23 it is enough that something can be deduced: an order of medicine without prescription is health data.
The controller can add words of their own. The patterns are matched on text without capitals and Polish letters.
"""

import re
from functools import lru_cache
from html import unescape
from typing import Any
from urllib.parse import unquote

from cegla.vocabulary.folding import INVISIBLE, folded

#: Stems, in Polish and English; a stem matches at the beginning of a word. One that ends in "." is a whole word.
_STEMS = {
    "health": """
        apte, lek., leki., lekow., lekarst, lekarz, przeciwbol, antybiot, antykoncep, prezerwat, test ciaz, testy ciaz, ciaz, nieplodn, in vitro,
        poronien, aborc, menopauz, potencja., potencje., erekcj, chorob, choroba, cukrzyc, insulin, glukometr, nowotwor, onkolog, rak piersi, chemioterap,
        depresj, psychiatr, psychoterap, psychotrop, uzaleznien, alkoholizm, odwyk, rak., raka., raku., rakiem., epileps, padaczk, borelioz, migren,
        endometrio, hashimoto, autyz, autyst, bulimi, anoreks, otylosc, tarczyc,
        zdrowie psych, zdrowia psych, krew pepow, krwi pepow, zawal, kardiolog, ginekolog, urolog, dermatolog, neurolog, recept., recepta., recepty.,
        recepte.,
        hiv., aids., wenerycz, grzybic, hemoroid, luszczyc, alergi,
        astm, inhalator, cisnieniomierz, nietrzyman, inkontynenc, pieluchomajtk, ortopedycz, rehabilit, niepelnospraw, wozek inwalid, aparat sluch,
        szpital, przychodni, medycz, suplementy na, syrop na, masc na, tabletki na, krople do oczu, odchudzan, medical, medicin, medicat, pharmac,
        prescription, painkill, antibiot, contracept, condom, pregnan, infertil, miscarr, abortion, menopaus, erectil, disease, diabet, cancer,
        oncolog, chemotherap, depression, psychiat, addiction, rehab., allerg, asthma, inhaler, blood pressure, incontinen, hemorrhoid, psoriasis,
        disabil, wheelchair, hearing aid, hospital, sexual health, mental health, weight loss""",
    "belief": """
        msza., mszy., msze., papiez, papies, biskup, ksieza., ksiadz., ksiedza., spowied, horoskop, zodiak, astrolog, tarot, pielgrzym, rekolekc, meczet,
        synagog, religi, koscio, parafi, katolic, chrzescijan, protestan, prawoslaw, swiadkowie jehow, zydow, judai, koszern, islam, muzulm, halal, koran,
        biblia, biblij, rozaniec, rozance, modlitw, dewocjon, komunia swiet, bierzmowan, chrzest, buddyz, hinduiz, ateiz, church, catholic,
        christian, protestant, orthodox, jewish, kosher, muslim, quran, bible, rosary, prayer, buddhis, hindu, atheis, spiritualit""",
    "politics": """
        premier rzad, premier odwol, sejm., sejmu., sejmie., sejmow, senat., senatu., senacie., posel., posla., poslow, opozycj, koalicj, glosowan,
        prezydenck,
        rasizm, rasist, antysemit, polityk, polityczn, partia, partie., wybory, wyborcz, poslank, senator, lewic, prawic, zwiazki zawodow,
        zwiazek zawodow, zwiazkow zawodow,
        politic, election, left wing, right wing, trade union, labor union, labour union""",
    "origin": """
        etnicz, rasow, narodowosc, romsk, uchodz, migrant, imigrant, ethnic, racial, refugee""",
    "intimate": """
        lgbt, gej., geje., gejow., lesbij, homoseks, biseks, transplciow, transseks, orientacj seks, seks, erotyk, erotycz, rozwod, rozwiedz, gay., lesbian,
        bisexual, transgender, sexual, erotic, divorce""",
    "biometric": """
        testy dna, test dna, genetycz, biometr, dna test, genetic, biometric""",
    "sensitive": """
        narkotyk, marihuan, kokain, amfetamin, dopalacz, papieros, e papieros, epapieros, tyton, vape., vaping, nikotyn, bron palna, broni palnej, amunicj,
        pistolet, terrory, pornograf, mowa nienawisc, mowy nienawisc, przemoc domow, przemocy domow, piractw, torrent, cocaine, marijuana, cigarette,
        vaping, tobacco, ammunition, firearm, porn""",
    "crime": """
        karaln, wyrok, wiezien, criminal record, prison""",
}
STEMS: dict[str, tuple[str, ...]] = {topic: tuple(" ".join(stem.split()) for stem in stems.split(",")) for topic, stems in _STEMS.items()}
#: What an employer's or a club's name can reveal of who belongs to it; a chemist's shop says nothing of its buyer's health.
MEMBERSHIP = ("belief", "politics", "intimate")
POLISH, PLAIN = "ąćęłńóśźż", "acelnoszz"
#: Marks of letters that were written as a bare letter and its mark, and signs that nobody sees.
MARKS = "[\u0300-\u036f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]"
APART = r"[\W_]{1,3}"  #: what stands between two words
#: What a text has that a column cannot be read by as it stands: letters beyond the Polish ones, entities of HTML, escapes of addresses.
ODD = r"[^\x00-\x7FąćęłńóśźżĄĆĘŁŃÓŚŹŻ]|&#?\w{2,8};|%[0-9A-Fa-f]{2}"


@lru_cache(maxsize=64)
def pattern(more: tuple[str, ...] = ()) -> str:
    """One regular expression of all stems and the controller's own words, for text in lower case without diacritics."""
    return _alternatives(tuple(STEMS), more)


def _alternatives(topics: tuple[str, ...], more: tuple[str, ...] = ()) -> str:
    own = (re.escape(folded(word)) for word in more if word.strip())
    stems = (re.escape(stem.removesuffix(".")) + (r"\b" if stem.endswith(".") else "") for topic in topics for stem in STEMS[topic])
    return r"\b(?:" + "|".join([*own, *stems]).replace(r"\ ", APART) + ")"


@lru_cache(maxsize=64)
def _compiled(more: tuple[str, ...]) -> "re.Pattern[str]":
    return re.compile(pattern(more), re.ASCII)


@lru_cache(maxsize=1)
def _membership() -> "re.Pattern[str]":
    return re.compile(_alternatives(MEMBERSHIP), re.ASCII)


def reveals_membership(text: str) -> bool:
    """Whether the name of an organisation says what those who belong to it believe or stand for: a parish, a trade union, a party."""
    return _membership().search(as_read(text)) is not None


def is_blocked(text: str, more: tuple[str, ...] = ()) -> bool:
    """Whether a text names what may never be on a profile."""
    return _compiled(more).search(as_read(text)) is not None


def as_read(text: str) -> str:
    """A text as somebody reads it who sees the page, folded: no entities of HTML, no escapes of addresses, no signs that nobody sees."""
    if "&" in text:
        text = unescape(text)
    if "%" in text:
        text = unquote(text)
    return folded(text if text.isascii() else text.translate(INVISIBLE)).replace("_", " ")


def without_blocked(column: Any, more: tuple[str, ...] = ()) -> Any:
    """A text column (Ibis) with null in place of what `is_blocked`. Of texts that are `ODD` give it what is `as_read`."""
    plain = column.lower().re_replace(MARKS, "").translate(POLISH, PLAIN).replace("_", " ")
    return (~plain.re_search(pattern(more)).fill_null(False)).ifelse(column, None)
