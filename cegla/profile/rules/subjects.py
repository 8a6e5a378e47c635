"""Subjects: what a page or a query is about, as a topic of the IAB taxonomy, or nothing when it does not say.

    words of the text ──stems (reference.topics)──► points a topic ──margin──► sure, or unsure ──model of the own site──► sure, or nothing

Whatever health, belief, politics or a sensitive matter is clearly named in is `BLOCKED`, however much else the text says.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cegla.profile.rules.blocked import is_blocked
from cegla.profile.rules.texts import chances_of, hashed, words_of
from cegla.reference.topics import NEVER, SAYS_NOTHING, TOPICS

LEAST_POINTS, MARGIN = 0.45, 0.12  #: what the best topic needs, and by how much of its own it must lead
LEAST_CHANCE = 0.65  #: what the model of the own site needs
TIER_TWO_POINTS = 0.9


@dataclass(frozen=True)
class Subject:
    """A topic of tier 1 and, where the text says it, of tier 2; `sure` is 0..1. Nothing: `topic` is empty."""

    topic: str = ""
    detail: str = ""
    sure: float = 0.0


NOTHING, BLOCKED = Subject(), Subject("blocked")


def subject_of(parts: Iterable[tuple[str, float]], blocked: tuple[str, ...] = ()) -> Subject:
    """The subject of a text in parts, each with its weight: a section says more than a description."""
    points: dict[str, float] = {}
    for text, weight in parts:
        if text and is_blocked(text, blocked):
            return BLOCKED
        for topic, found in TOPICS.found(words_of(text)).items():
            points[topic] = points.get(topic, 0.0) + found * weight
    return _judged(points)


def _judged(points: Mapping[str, float]) -> Subject:
    rows = TOPICS.rows
    first = {topic: found for topic, found in points.items() if not rows[topic].parent}
    for topic, found in points.items():  # a narrower topic speaks for the wider one, too
        if rows[topic].parent:
            first[rows[topic].parent] = first.get(rows[topic].parent, 0.0) + 0.25 * found
    if not first:
        return NOTHING
    ranked = sorted(first.items(), key=lambda one: (-one[1], one[0]))
    best, most = ranked[0]
    if best in NEVER:
        return BLOCKED
    next_most = ranked[1][1] if len(ranked) > 1 else 0.0
    if best in SAYS_NOTHING or most < LEAST_POINTS or most - next_most < MARGIN * most:
        return NOTHING
    inside = sorted(((found, topic) for topic, found in points.items() if rows[topic].parent == best), key=lambda one: (-one[0], one[1]))
    detail = inside[0][1] if inside and inside[0][0] >= TIER_TWO_POINTS else ""
    return Subject(best, detail, round(most / (most + next_most + 0.5), 3))


def told_by_model(model: Mapping[str, Any], topics: Sequence[str], texts: Sequence[str], lemma: Callable[[str], str] | None = None) -> list[Subject]:
    """What the model of the own site says of texts whose words alone do not; `topics` are its classes."""
    if not texts or not topics:
        return [NOTHING] * len(texts)
    chances = chances_of(model, hashed(texts, model["buckets"], lemma))
    best: list[int] = chances.argmax(axis=1).tolist()
    return [
        Subject(topics[place], "", round(float(chances[row, place]), 3)) if chances[row, place] >= LEAST_CHANCE else NOTHING
        for row, place in enumerate(best)
    ]  # fmt: skip
