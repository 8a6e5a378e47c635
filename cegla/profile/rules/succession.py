"""Succession: what usually comes after what, as a Markov chain whose memory is as long as the evidence allows (prediction by partial matching).

Contexts of up to three events are counted; the chance of the next one mixes the counts of the longest context seen with those of shorter ones,
each with the weight of its evidence (Witten-Bell escape), and what is new falls back to what is frequent.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

LONGEST = 3
MOST_CONTEXTS = 2_000
LEAST_TIMES = 3  #: of a context, to be kept
MOST_NEXT = 8


def learn_succession(sequences: Iterable[Sequence[str]], longest: int = LONGEST) -> dict[str, Any]:
    """Contexts (names joined by ">", "" for none) with what came next and how often; rare contexts and rare successors are let go."""
    counts: dict[str, dict[str, int]] = {}
    for names in sequences:
        for place, name in enumerate(names):
            for length in range(min(place, longest) + 1):
                after = counts.setdefault(">".join(names[place - length : place]), {})
                after[name] = after.get(name, 0) + 1
    totals = {context: sum(after.values()) for context, after in counts.items()}
    kept = sorted((context for context in counts if totals[context] >= LEAST_TIMES), key=lambda one: (-totals[one], one))[:MOST_CONTEXTS]
    return {context: dict(sorted(counts[context].items(), key=lambda one: (-one[1], one[0]))[:MOST_NEXT]) for context in sorted(kept)}


def next_events(model: Mapping[str, Mapping[str, int]], before: Sequence[str], longest: int = LONGEST) -> list[tuple[str, float]]:
    """The likely next events after these, with their chances, the likeliest first."""
    chances: dict[str, float] = {}
    for length in range(min(len(before), longest) + 1):  # the longest context speaks last, so it counts most
        after = model.get(">".join(before[len(before) - length :]))
        if not after:
            continue
        total, kinds = float(sum(after.values())), float(len(after))
        escape = kinds / (total + kinds)
        chances = {name: escape * chance for name, chance in chances.items()} if chances else {}
        keep = 1.0 - escape if chances else 1.0
        for name, times in after.items():
            chances[name] = chances.get(name, 0.0) + keep * times / total
    return sorted(((name, round(chance, 4)) for name, chance in chances.items()), key=lambda one: (-one[1], one[0]))
