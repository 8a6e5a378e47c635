"""What an adviser noted of a call, as topics and a mood: the note itself stays behind.

Words decide, by stems of our own without Polish letters. A note that says nothing of a topic or of a mood leaves it unknown.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cegla.profile.rules.blocked import is_blocked
from cegla.vocabulary.folding import folded

CALLS = frozenset({"Call Started", "Call Answered", "Call Ended", "Call Missed"})
#: Names of properties that hold what was said or noted, whatever is written around these words; topics and mood come from here alone.
NOTES = re.compile(
    r"note|notat|comment|komentarz|message|wiadomo|summary|podsumowanie|transcri|transkry|conversation|rozmowa|rozmowy|dialog|description|opis|uwag|remark",
    re.IGNORECASE,
)
LONGEST_NOTE = 20_000
MOST_TOPICS = 3
#: Topic → stems, each at the beginning of a word; one that ends in "." is a whole word.
TOPICS = {
    "complaint": "reklam skarg skarz niezadowol uszkodz zepsut wadliw wada. wady. nie dziala popsut pekni brakuje complain broken damaged faulty",
    "return": "zwrot zwroc zwrac odstapi odstap wymian wymieni return exchange",
    "delivery": "dostaw wysylk wysla przesylk paczk paczkomat kurier doreczen doreczy deliver shipping parcel courier",
    "payment": "platn zaplac przelew blik. raty. ratal karta. kartą pobrani payment paid pay. refund instal",
    "invoice": "faktur paragon rachunek korekt nip. invoice receipt",
    "order": "zamowi zamawi koszyk status order basket",
    "offer": "ofert wycen cennik cena. ceny. cenę rabat promocj kod rabat quote price discount offer",
    "product": "produkt rozmiar kolor dostepn sklad. specyfik gwaranc instrukcj product size colour color warranty stock",
    "account": "konto. konta. haslo logowa zalogow rejestr account password login sign",
    "cancellation": "anulow rezygn wypowiedz zrezygn cancel",
}
POSITIVE = """zadowol swietn super. dziekuj podziekow polec pomog mil. mily. mila. milo. sympat uprzejm szybk dobr najlep wspania rewelac fantast idealn doskona
    przyjemn pochwal chwal rozwiazan bardzo dobr piekn czyst smaczn wygodn profesjonal satisf happy great thank excellent recommend helpful perfect love"""
NEGATIVE = """niezadowol zly. zla. zle. zlosc zdenerw wkurz wsciek skarg skarz reklam fatal okropn tragic beznadziej koszmar strasz dramat brud smierdz zepsut
    uszkodz niemil niegrzecz chamsk arogan opozn spozn nigdy wiecej oszust oszuk klam rozczarow zawied problem awari nie dziala
    nie polec strata kiepsk slab. slaby. slaba. slabe.
    nedzn porazk masakr zenad halas glosn drogo za drog brak. unhappy angry upset terrible awful bad. worst poor complain late. never disappoint broken rude"""
_NOT = re.compile(r"\b(?:nie|bez|brak|malo|nic|not|no|never)\s+(?:\w+\s+)?$")


@lru_cache(maxsize=4_096)
def mood_of(note: str) -> str | None:
    """positive, negative or neutral; None of a note without any word of mood. A word behind "nie" or "brak" counts the other way round."""
    plain = folded(note[:LONGEST_NOTE])
    score, told = 0, 0
    for pattern, sign in ((_pattern(POSITIVE), 1), (_pattern(NEGATIVE), -1)):
        for found in pattern.finditer(plain):
            turned = sign > 0 and _NOT.search(plain[max(0, found.start() - 24) : found.start()])
            score, told = score + (-1 if turned else sign), told + 1
    return None if not told else "positive" if score > 0 else "negative" if score < 0 else "neutral"


@lru_cache(maxsize=4_096)
def topics_of(note: str) -> tuple[str, ...]:
    """The topics a note names, the one named most first; nothing of a note that could reveal a special category."""
    if is_blocked(note):
        return ()
    plain = folded(note[:LONGEST_NOTE])
    counted = {topic: len(_pattern(stems).findall(plain)) for topic, stems in TOPICS.items()}
    return tuple(sorted((topic for topic, many in counted.items() if many), key=lambda topic: (-counted[topic], topic))[:MOST_TOPICS])


def without_notes(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of a call with `note_topics` and `note_mood` in the place of its notes."""
    said = {name: value for name, value in properties.items() if NOTES.search(name)}
    notes = " ".join(value[:LONGEST_NOTE] for value in said.values() if isinstance(value, str))
    kept = {name: value for name, value in properties.items() if name not in said}
    if topics := topics_of(notes):
        kept["note_topics"] = " ".join(topics)
    if (mood := mood_of(notes)) is not None and not is_blocked(notes):
        kept["note_mood"] = mood
    return kept


@lru_cache(maxsize=64)
def _pattern(stems: str) -> "re.Pattern[str]":
    """One expression of stems; two words of a stem stand on the list as two, but for those that begin with "nie", "za" and the like."""
    words = re.findall(r"(?:nie|za|nigdy|bardzo|kod) [\w.]+|[\w.]+", folded(stems))
    return re.compile(r"\b(?:" + "|".join(re.escape(word.removesuffix(".")) + (r"\b" if word.endswith(".") else "") for word in words) + ")")
