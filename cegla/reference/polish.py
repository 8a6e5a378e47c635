"""Polish as people type it: base forms of words (morfeusz2), and the diacritics they leave out (ogonki). Both packages are optional.

Without morfeusz2 a word loses its ending by plain rules, which is enough to count it together with its other forms; without ogonki a text
stays as it was typed. Both are deterministic, and both keep the last answers.
"""

import re
from collections.abc import Callable
from functools import cached_property, lru_cache
from importlib import import_module
from typing import Any

MOST_REMEMBERED = 65_536
#: Endings of nouns and adjectives, the longest first; what is left must be a word still.
_ENDINGS = ("owych", "owego", "owemu", "iami", "ymi", "imi", "ami", "ach", "ego", "emu", "owi", "ych", "ich", "ym", "im", "om", "ów", "ie", "ej", "ą", "ę",
    "y", "i", "a", "e", "u", "o")  # fmt: skip
_SHORTEST = 4
POLISH_LETTERS = re.compile("[ąćęłńóśźż]", re.IGNORECASE)


class Polish:
    """What is known of Polish words; the dictionaries are opened when first asked."""

    @property
    def knows_forms(self) -> bool:
        """Whether base forms come from the dictionary."""
        return self._analyser is not None

    @property
    def knows_diacritics(self) -> bool:
        """Whether left out diacritics can be put back."""
        return self._restore is not None

    def lemma(self, word: str) -> str:
        """The base form of a word in lower case: "ubezpieczenia" gives "ubezpieczenie". Of several the dictionary's first counts."""
        return _lemma(self, word)

    def restored(self, text: str) -> str:
        """A text with the diacritics that were left out: "zolta lodka" gives "żółta łódka". Who typed one Polish letter typed them all."""
        return text if POLISH_LETTERS.search(text) else _restored(self, text)

    def looked_up(self, word: str) -> str | None:
        """The dictionary's base form; None when it has none."""
        if self._analyser is None:
            return None
        found = self._analyser.analyse(word)
        if not found or found[0][2][2] == "ign":
            return None
        nouns = [one for one in found if one[2][2].startswith("subst")]
        return (nouns or found)[0][2][1].partition(":")[0].lower()

    def is_surname(self, word: str) -> bool:
        """Whether the dictionary knows the word, with a capital, as a surname; False without a dictionary."""
        return self._analyser is not None and any("nazwisko" in one[2][3] for one in self._analyser.analyse(word.capitalize()))

    def is_given_name(self, word: str) -> bool:
        """Whether the dictionary knows the word, with a capital, as a form of a given name; False without a dictionary."""
        return self._analyser is not None and any("imię" in one[2][3] for one in self._analyser.analyse(word.capitalize()))

    def put_back(self, text: str) -> str:
        """`restored` without memory."""
        return self._restore(text) if self._restore is not None else text

    @cached_property
    def _analyser(self) -> Any:
        package = _package("morfeusz2")
        return package.Morfeusz(generate=False) if package else None

    @cached_property
    def _restore(self) -> Callable[[str], str] | None:
        package = _package("ogonki")
        return package.restore if package else None


@lru_cache(maxsize=MOST_REMEMBERED)
def _lemma(polish: Polish, word: str) -> str:
    lower = word.lower()
    return polish.looked_up(lower) or (lower if polish.knows_forms else _stem(lower))


@lru_cache(maxsize=MOST_REMEMBERED)
def _restored(polish: Polish, text: str) -> str:
    return polish.put_back(text)


def _stem(word: str) -> str:
    ending = next((one for one in _ENDINGS if word.endswith(one) and len(word) - len(one) >= _SHORTEST), "")
    return word.removesuffix(ending)


def _package(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        return None


POLISH = Polish()  #: every reader shares it
