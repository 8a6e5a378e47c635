"""Names as they are compared: without diacritics, a diminutive under its full form, a surname by its root.

Polish people sign as Kasia and are registered as Katarzyna; a woman's surname ends otherwise than her brother's. The table
of diminutives holds the commonest given names of Poland; an unknown name stands for itself.
"""

import re

from cegla.vocabulary.folding import folded

_DIMINUTIVES = {
    "adam": "adas adamek",
    "agata": "agatka",
    "agnieszka": "aga agusia agnisia",
    "aleksander": "olek alek alex aleks",
    "aleksandra": "ola olenka olka",
    "alicja": "ala alka",
    "andrzej": "andrzejek jedrek jedrus",
    "anna": "ania anka aneczka anula hania",
    "antoni": "antek antos tosiek",
    "antonina": "tosia antosia",
    "barbara": "basia baska barbarka",
    "bartlomiej": "bartek bartus",
    "bartosz": "bartus",
    "beata": "beatka",
    "bozena": "bozenka",
    "cezary": "czarek",
    "danuta": "danusia danka",
    "dariusz": "darek dareczek",
    "dawid": "dawidek",
    "dominik": "domino",
    "dominika": "domi",
    "dorota": "dorotka",
    "edward": "edek edzio",
    "elzbieta": "ela elka elunia",
    "ewa": "ewka ewunia",
    "ewelina": "ewelinka",
    "filip": "filipek",
    "franciszek": "franek franus",
    "gabriela": "gabrysia gaba",
    "grazyna": "grazynka",
    "grzegorz": "grzes grzesiek grzesio",
    "halina": "halinka",
    "hanna": "hania hanka",
    "helena": "hela helenka",
    "henryk": "heniek henio",
    "ireneusz": "irek",
    "irena": "irenka",
    "iwona": "iwonka",
    "izabela": "iza izunia",
    "jacek": "jacus",
    "jadwiga": "jadzia",
    "jakub": "kuba kubus",
    "jan": "janek jas jasiek",
    "janina": "janka jasia",
    "janusz": "januszek",
    "jaroslaw": "jarek",
    "jerzy": "jurek jerzyk",
    "joanna": "asia aska joasia",
    "jozef": "jozek jozio",
    "julia": "julka",
    "justyna": "justynka",
    "kamil": "kamilek",
    "karol": "karolek",
    "karolina": "karola karolinka",
    "katarzyna": "kasia kaska kasienka",
    "kazimierz": "kazik kazio",
    "kinga": "kinia",
    "klaudia": "klaudynka",
    "konrad": "kondzio",
    "krystyna": "krysia krystynka",
    "krzysztof": "krzysiek krzys krzysio",
    "leszek": "lesio",
    "lukasz": "lukaszek",
    "maciej": "maciek macius",
    "magdalena": "magda madzia magdusia",
    "malgorzata": "gosia goska malgosia",
    "marcin": "marcinek",
    "marek": "mareczek",
    "maria": "marysia maryla maja",
    "mariusz": "mario",
    "marta": "martusia",
    "mateusz": "mati mateuszek",
    "michal": "michalek misiek",
    "mieczyslaw": "mietek",
    "mikolaj": "mikolajek miki",
    "miroslaw": "mirek",
    "miroslawa": "mirka",
    "monika": "monia",
    "natalia": "nata natalka",
    "nikola": "nika",
    "oliwia": "oliwka",
    "patrycja": "pati",
    "patryk": "patrys",
    "pawel": "pawelek",
    "piotr": "piotrek piotrus",
    "przemyslaw": "przemek",
    "rafal": "rafalek",
    "renata": "renatka renia",
    "robert": "robcio",
    "roman": "romek",
    "ryszard": "rysiek rysio",
    "sebastian": "seba",
    "slawomir": "slawek",
    "stanislaw": "stasiek stas staszek",
    "stefan": "stefek",
    "sylwia": "sylwunia",
    "szymon": "szymek",
    "tadeusz": "tadek tadzio",
    "teresa": "terenia tereska",
    "tomasz": "tomek tomus",
    "urszula": "ula ulka",
    "waldemar": "waldek",
    "weronika": "wera weronka",
    "wieslaw": "wiesiek",
    "wieslawa": "wiesia",
    "wiktor": "wiktorek",
    "wiktoria": "wika",
    "wladyslaw": "wladek",
    "wojciech": "wojtek wojtus",
    "zbigniew": "zbyszek zbysio",
    "zdzislaw": "zdzisiek",
    "zofia": "zosia zoska",
    "zuzanna": "zuzia zuza",
    "zygmunt": "zygmus",
}
#: The full form behind each short one. A short form of two names ("hania") stands for the first in the alphabet on both sides.
FULL_FORMS: dict[str, str] = {}
for _full, _short in sorted(_DIMINUTIVES.items()):
    for _form in _short.split():
        FULL_FORMS.setdefault(_form, _full)

_NOT_LETTERS = re.compile(r"[^a-z]+")
_FEMININE = (("ska", "ski"), ("cka", "cki"), ("dzka", "dzki"), ("owa", "ow"), ("zna", "zny"), ("bna", "bny"))
_TITLES = frozenset("pan pani mr mrs ms dr prof mgr inz lek hab ks".split())


def words(text: str) -> list[str]:
    """The words of a name, folded, without titles and signs."""
    return [word for word in _NOT_LETTERS.split(folded(text)) if word and word not in _TITLES]


def full_form(given: str) -> str:
    """The given name a folded one stands for: "kasia" is "katarzyna", "anna" is "anna"."""
    return FULL_FORMS.get(given, given)


def root(surname: str) -> str:
    """A folded surname without the ending that tells a woman from a man: "kowalska" and "kowalski" are "kowalski"."""
    for feminine, masculine in _FEMININE:
        if surname.endswith(feminine) and len(surname) > len(feminine) + 2:
            return surname[: -len(feminine)] + masculine
    return surname


def alike(trait: str, one: str, other: str) -> bool:
    """Whether two values of a trait say the same: names as they are compared, any other text without regard to capitals and diacritics."""
    if trait == "first_name":
        return list(map(full_form, words(one))) == list(map(full_form, words(other)))
    if trait == "last_name":
        return list(map(root, words(one))) == list(map(root, words(other)))
    return folded(one.strip()) == folded(other.strip())
