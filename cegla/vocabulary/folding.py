"""Text as people search for it: without capitals and diacritics, so "Zazolc" finds "Zażółć"."""

import unicodedata

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
