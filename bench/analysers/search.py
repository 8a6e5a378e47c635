"""Searches: intent of own Polish queries, brands and attributes of a made catalogue, diacritics put back, and queries that name somebody."""

import gzip
import random
from collections import Counter
from time import process_time

from bench.analysers._material import labelled, texts
from bench.analysers._scores import DATA
from bench.result import Result
from cegla.profile.rules.queries import Catalogue, attributes_of, intent_of, read_query
from cegla.profile.rules.scrubbing import is_personal
from cegla.profile.rules.texts import words_of
from cegla.reference.polish import POLISH
from cegla.vocabulary.folding import folded

BRANDS = (
    "Bosch Samsung De'Longhi Makita Sony Garmin Lenovo Philips Siemens Gerlach Zwilling Tefal Dyson Xiaomi Karcher Electrolux Amica Beko Le~Creuset WMF".split()
)
KINDS = "pralka zmywarka odkurzacz ekspres garnek patelnia nóż blender lodówka słuchawki zegarek laptop telewizor czajnik toster wkrętarka".split()
COLORS = ("czarny", "biały", "czerwony", "niebieski", "zielony", "szary")
AMOUNTS = ("60 cm", "8 kg", "256 gb", "55 cali", "2 l", "1000 w")
ASKED, SENTENCES = 400, 600


def run() -> list[Result]:
    """Macro-F1 of intent beside naming what buys only; F1 of brands and attributes; words mended; people found; speed."""
    return [*_intents(), *_parts(), *_diacritics(), *_people(), *_speed()]


def _intents() -> list[Result]:
    queries = labelled("queries.txt")
    said = [(intent, intent_of(words_of(text), False), text) for intent, text in queries]
    for intent, got, text in [one for one in said if one[0] != one[1]][:10]:
        print(f"  {text}: {intent}, said {got}")
    macro = sum(_f1([(want == kind, got == kind) for want, got, _ in said]) for kind in ("nav", "info", "trans")) / 3
    plain = sum(_f1([(want == kind, kind == "trans") for want, _, _ in said]) for kind in ("nav", "info", "trans")) / 3
    note = f"{len(queries)} queries, {dict(Counter(intent for intent, _ in queries))}; everything to buy: {plain:.2f}; rules of Jansen et al.: 74 % right"
    return [Result("search: intent, macro-F1", macro, "F1", ">= 0.85", macro >= 0.85, note)]


def _parts() -> list[Result]:
    dice = random.Random(5)
    brands = [brand.replace("~", " ") for brand in BRANDS]
    catalogue, marks = Catalogue({"brands": brands}), list[tuple[bool, bool]]()
    for _ in range(ASKED):
        brand, color, amount = (dice.choice(list(some)) if dice.random() < 0.6 else "" for some in (brands, COLORS, AMOUNTS))
        typed = _mistyped(dice, brand) if dice.random() < 0.2 else folded(brand) if dice.random() < 0.5 else brand
        parts = [dice.choice(KINDS), typed, folded(color) if dice.random() < 0.5 else color, amount if dice.random() < 0.5 else amount.replace(" ", "")]
        text = " ".join(part for part in parts if part)
        query, found = read_query(text, catalogue), set(attributes_of(text))
        wanted = {(kind, value) for kind, value in (("color", color), ("amount", amount)) if value}
        marks += [(True, one in found) for one in wanted] + [(False, True) for _ in found - wanted]
        marks.append((bool(brand), query.brand == brand if brand else bool(query.brand)))
    score = _f1(marks)
    note = f"{ASKED} queries of a catalogue of {len(brands)} brands, a fifth mistyped"
    return [Result("search: brands and attributes, F1", score, "F1", ">= 0.90", score >= 0.90, note)]


def _diacritics() -> list[Result]:
    file = DATA / "analysers" / "polish-text" / "8tags_dev.txt.gz"
    if not file.exists():
        raise SystemExit(f"{file} is missing; CEGLA_BENCH_DATA names the folder of the shared data sets")
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        sentences = [line.rstrip("\n").split(" ", 1)[1] for line in lines][:SENTENCES]
    right = whole = untouched = 0
    for sentence in sentences:
        plain = "".join(_bare(letter) for letter in sentence)
        for want, got, typed in zip(sentence.split(), POLISH.restored(plain).split(), plain.split(), strict=True):
            whole, right, untouched = whole + 1, right + (want == got), untouched + (want == typed)
    share = right / whole
    return [Result("search: words with their diacritics put back", 100 * share, "%", ">= 98.5", share >= 0.985,
        f"{whole:,} words of {len(sentences)} headlines; left as typed: {untouched / whole:.1%}")]  # fmt: skip


def _people() -> list[Result]:
    named = texts("people.txt")
    missed = [text for text in named if not is_personal(text)]
    things = [text for _, text in labelled("queries.txt")]
    wrong = [text for text in things if is_personal(text)]
    for text in missed[:8]:
        print(f"  not recognised: {text}")
    recall = 1 - len(missed) / len(named)
    return [Result("search: queries that name somebody, kept back", 100 * recall, "%", ">= 99", recall >= 0.99,
        f"{len(named)} queries; of {len(things)} others {len(wrong)} kept back too: {', '.join(wrong[:5])}")]  # fmt: skip


def _speed() -> list[Result]:
    queries = [text for _, text in labelled("queries.txt")]
    catalogue = Catalogue({"brands": [brand.replace("~", " ") for brand in BRANDS]})
    began = process_time()
    for text in queries:
        read_query(text, catalogue)
    speed = len(queries) / (process_time() - began)
    return [Result("search: different queries read a second", speed, "queries/s", ">= 300", speed >= 300, f"{len(queries)} queries, none seen before")]


def _mistyped(dice: random.Random, word: str) -> str:
    if len(word) < 5:
        return word
    place = dice.randrange(1, len(word) - 1)
    return dice.choice((word[:place] + word[place + 1 :], word[:place] + word[place] + word[place:]))


def _bare(letter: str) -> str:
    return letter if letter not in "ąćęłńóśźżĄĆĘŁŃÓŚŹŻ" else "acelnoszzACELNOSZZ"["ąćęłńóśźżĄĆĘŁŃÓŚŹŻ".index(letter)]


def _f1(pairs: list[tuple[bool, bool]]) -> float:
    """Of (is so, was said)."""
    hits = sum(want and got for want, got in pairs)
    return 2 * hits / max(sum(want for want, _ in pairs) + sum(got for _, got in pairs), 1)
