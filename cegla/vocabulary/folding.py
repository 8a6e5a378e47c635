"""Text as people search for it: without capitals and diacritics, so "Zazolc" finds "Zażółć"."""

import unicodedata

#: Signs that nobody sees: hyphens that show at the end of a line only, joiners, and marks of the direction of writing.
INVISIBLE = dict.fromkeys([0x00AD, 0x061C, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF])
_STROKES = str.maketrans({"ł": "l", "đ": "d", "ø": "o", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"})


def folded(text: str) -> str:
    """Lower case, compatibility forms unified, marks and strokes removed (Ł and ł become l)."""
    if text.isascii():
        return text.lower()
    plain = _folded_once(text)
    while not plain.isascii() and (again := _folded_once(plain)) != plain:  # a form such as 𝐀 comes apart into a capital first
        plain = again
    return plain


def _folded_once(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text).casefold().translate(_STROKES)
    return "".join(letter for letter in unicodedata.normalize("NFKD", apart) if not unicodedata.combining(letter))
