"""Topics: the IAB Content Taxonomy in two tiers, with the words by which a text gives its topic away.

A stem stands at the beginning of a word; several in a row make a phrase, which weighs more, and a stem that many topics share weighs less.
"""

from dataclasses import dataclass
from functools import cached_property

from cegla.reference.pack import read_table
from cegla.vocabulary.text import Text

TAXONOMY = "IAB Content Taxonomy 3.1"
#: Health, belief, politics and what IAB calls sensitive: recognised, so that no profile ever holds them (GDPR art. 9).
NEVER = frozenset({"286", "453", "386", "v9i3On"})
#: Crime, disasters and wars are told of everywhere: they say nothing of who reads.
SAYS_NOTHING = frozenset({"380", "381", "389"})
PHRASE, WHOLE_WORD = 2.2, 1.0
_LONGEST_STEM = 14


@dataclass(frozen=True)
class Topic:
    """One row: an IAB id, its parent's (empty: tier 1), its name in both languages."""

    id: str
    parent: str
    name: Text


class Topics:
    """Read when first asked; every reader shares it."""

    def found(self, words: list[str]) -> dict[str, float]:
        """How much a text says of each topic, by id; `words` are without capitals and diacritics (`texts.words_of`). The same stem counts once."""
        points: dict[str, float] = {}
        seen: set[str] = set()
        for place, word in enumerate(words):
            for stem in (word + ".", *(word[:length] for length in range(2, min(len(word), _LONGEST_STEM) + 1))):
                for rest, topics in self._stems.get(stem, ()):
                    name = stem + rest
                    if name not in seen and (not rest or _follows(words, place + 1, rest)):
                        seen.add(name)
                        for topic, weight in topics:
                            points[topic] = points.get(topic, 0.0) + weight
        return points

    @cached_property
    def rows(self) -> dict[str, Topic]:
        """All topics by id."""
        return {id_: Topic(id_, parent, Text(polish, english)) for id_, parent, polish, english, _ in self._table}

    @cached_property
    def names(self) -> dict[str, Text]:
        """Names of all topics by id."""
        return {row.id: row.name for row in self.rows.values()}

    @cached_property
    def _table(self) -> list[list[str]]:
        return read_table("topics.tsv")

    @cached_property
    def _stems(self) -> dict[str, list[tuple[str, list[tuple[str, float]]]]]:
        """First stem → what follows it (" rozryw par") → topics with their weights."""
        owners: dict[str, list[str]] = {}
        for id_, _, _, _, stems in self._table:
            for stem in dict.fromkeys(one.strip() for one in stems.split(",") if one.strip()):
                owners.setdefault(stem, []).append(id_)
        index: dict[str, list[tuple[str, list[tuple[str, float]]]]] = {}
        for stem, topics in owners.items():
            first, space, rest = stem.partition(" ")
            tops = sum(not self.rows[topic].parent for topic in topics)
            weight = (PHRASE if space else WHOLE_WORD) / max(tops, 1)
            index.setdefault(first, []).append((space + rest, [(topic, weight) for topic in topics]))
        return index


def _follows(words: list[str], place: int, rest: str) -> bool:
    stems = rest.split()
    after = words[place : place + len(stems)]
    return len(after) == len(stems) and all(
        word == stem[:-1] if stem.endswith(".") else word.startswith(stem) for word, stem in zip(after, stems, strict=True)
    )


TOPICS = Topics()  #: what ships
