"""Traits as rows of cards: the value in words, how sure it is, why, and where it comes from; a card for each analyser."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cegla.console.charts.marks import Wording
from cegla.console.language import Tongue
from cegla.console.views.values import Value, value
from cegla.profile import actions as profile
from cegla.vocabulary.text import Text

SHARE, WEEK = Text("Udział", "Share"), Text("Udział w całym tygodniu w procentach, po trzy godziny.", "Share of the whole week in percent, three hours each.")
IN_HEADLINE = 3
BARE = ("number", "score", "share", "flag")  #: kinds of values that say nothing without a name
NOTHING_SHOWN = Value("")
FROM_HISTORY = Text("Z historii", "From the history")
FROM_HISTORY_ABOUT = Text("Policzone wprost ze zdarzeń.", "Counted straight from the events.")
BY_DEFINITION = Text("Cechy obliczane", "Computed traits")
BY_DEFINITION_ABOUT = Text("Policzone tak, jak ktoś je tu zdefiniował.", "Counted as somebody here defined them.")


@dataclass(frozen=True)
class Card:
    """One trait. `value.text` is empty when it is honestly unknown; `group` names what says so, `about` promises what that says."""

    key: str
    label: Text
    value: Value
    confidence: float
    evidence: int
    why: Text
    method: str
    purpose: str
    at: datetime
    declared: bool
    group: Text
    about: Text
    wording: Wording  #: of the chart of what the value is made of
    kind: str = "word"  #: of the value
    origin: Any = None  #: of a declared trait, where it is from (profile.declared.Origin)
    event_id: int | None = None  #: the event of the history that decided a computed value

    @property
    def shown(self) -> str:
        """The value in one line."""
        return self.value.text

    @property
    def said(self) -> str:
        """The value as it can stand among others: a bare number, share, yes or no says nothing without its name."""
        return f"{self.wording.title}: {self.shown}" if self.kind in BARE else self.shown


@dataclass(frozen=True)
class Group:
    """What one analyser says of a person: the traits it knows and those it does not."""

    label: Text
    about: Text
    known: Sequence[Card]
    unknown: Sequence[Card]

    @property
    def counted(self) -> bool:
        """Whether no analyser but plain counting says so."""
        return self.label in (FROM_HISTORY, BY_DEFINITION)

    @property
    def headline(self) -> str:
        """What it knows best, in a line: its first values."""
        return " · ".join(card.said for card in self.known[:IN_HEADLINE])


def cards(known: Iterable[Any], tongue: Tongue, *, reveal: bool) -> list[Card]:
    """A card per trait; what a person declared about themselves stays hidden until it is revealed."""
    return [_card(one, tongue, reveal) for one in known]


def groups(computed: Iterable[Card]) -> list[Group]:
    """The cards by what says so, in their order; who knows nothing comes last."""
    by_label = dict[Text, list[Card]]()
    for card in computed:
        by_label.setdefault(card.group, []).append(card)
    made = [Group(label, own[0].about, [one for one in own if one.shown], [one for one in own if not one.shown]) for label, own in by_label.items()]
    return sorted(made, key=lambda group: not group.known)


def hidden(said: object) -> str:
    """A declared value as its first letter."""
    return f"{str(said)[:1]}***"


def _card(known: Any, tongue: Tongue, reveal: bool) -> Card:
    trait = known.trait
    declared = known.value_type == "declared"
    analyser, row = (None, None) if declared else profile.ANALYSED.get(trait.key, (None, None))
    if trait.value is None:
        shown = NOTHING_SHOWN
    elif declared and not reveal:
        shown = Value(hidden(trait.value))
    else:
        shown = value(trait.key, known.value_type, trait.value, tongue, row.words if row else None)
    group = (analyser.label, analyser.promise) if analyser else _own_group(trait.method)
    name = tongue.say(known.label)
    wording = Wording(name, name, tongue.say(SHARE), tongue.say(WEEK) if shown.week else "")
    told = (trait.confidence, trait.n_evidence, known.why, trait.method, trait.purpose, trait.computed_at, declared)
    return Card(trait.key, known.label, shown, *told, *group, wording, known.value_type, known.origin, trait.facts.get("event_id"))


def _own_group(method: str) -> tuple[Text, Text]:
    return (BY_DEFINITION, BY_DEFINITION_ABOUT) if method.startswith("definition:") else (FROM_HISTORY, FROM_HISTORY_ABOUT)
