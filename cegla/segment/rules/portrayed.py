"""Traits that portraits give: what somebody is clearly drawn to, the group of alike customers, a band of age, the sex. Found over everybody at night and kept
(`segment.portraits`), so a rule asks for them like for any other trait; who objected to profiling has none."""

from cegla.segment.rules.language import asking
from cegla.segment.rules.traits import TraitRow
from cegla.vocabulary.text import Text

PORTRAIT = "portrait."


def _row(kind: str, pl: str, en: str, of: str) -> TraitRow:
    return TraitRow(f"{PORTRAIT}{kind}", Text(pl, en), of, lambda rows: {}, lambda seen, ground: seen["value"], asks=asking("portrait", kind, of))


#: by what portraits call them
PORTRAYED: dict[str, TraitRow] = {
    kind: _row(kind, pl, en, of)
    for kind, pl, en, of in (
        ("category", "wyraźnie ulubione kategorie", "clearly preferred categories", "list"),
        ("brand", "wyraźnie ulubione marki", "clearly preferred brands", "list"),
        ("colour", "wyraźnie ulubione kolory", "clearly preferred colors", "list"),
        ("topic", "wyraźnie ulubione tematy", "clearly preferred topics", "list"),
        ("group", "numer grupy podobnych klientów (1 wyda najwięcej)", "number of the group of alike customers (1 will spend the most)", "number"),
        ("age", "podany wiek (18-24, 25-34, … 65+)", "declared age (18-24, 25-34, … 65+)", "text"),
        ("sex", "podana płeć (f, m)", "declared sex (f, m)", "text"),
    )
}
