"""All operators of the language, by key: the rows of every subject in one table, in the order the form shows them; and what rules may speak of."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from cegla.profile import actions as profile
from cegla.segment.rules import traits as trait_rows
from cegla.segment.rules.accounts import ACCOUNT_OPERATORS
from cegla.segment.rules.days import DAY_OPERATORS
from cegla.segment.rules.events import EVENT_OPERATORS
from cegla.segment.rules.facts import TRAIT_OPERATORS, UNKNOWN
from cegla.segment.rules.language import Operator, Rule
from cegla.segment.rules.membership import SEGMENT_OPERATORS
from cegla.segment.rules.parse import Words, parse, refuse
from cegla.segment.rules.permissions import PERMISSION_OPERATORS
from cegla.segment.rules.portrayed import PORTRAYED
from cegla.segment.rules.products import PRODUCT_OPERATORS
from cegla.segment.rules.rfm import GROUP_OPERATORS
from cegla.segment.rules.sequences import SEQUENCE_OPERATORS
from cegla.segment.rules.splits import SPLIT_OPERATORS
from cegla.segment.rules.tenths import TENTH_OPERATORS
from cegla.segment.rules.traits import TRAITS, TraitRow, trait
from cegla.segment.rules.whereabouts import PLACE_OPERATORS, place_of, point_of

OPERATORS: dict[str, Operator] = {
    row.key: row
    for row in (
        *EVENT_OPERATORS, *PRODUCT_OPERATORS, *SEQUENCE_OPERATORS, *TRAIT_OPERATORS, UNKNOWN, *DAY_OPERATORS, *TENTH_OPERATORS, *PLACE_OPERATORS,
        *PERMISSION_OPERATORS, *ACCOUNT_OPERATORS, *GROUP_OPERATORS, *SPLIT_OPERATORS, *SEGMENT_OPERATORS,
    )
}  # fmt: skip
#: how a value of an analyser can be compared; what is no single value of these (records, histograms) cannot
KINDS = {
    "word": "text",
    "flag": "text",
    "shares": "text",
    "number": "number",
    "score": "number",
    "share": "number",
    "hour": "hour",
    "moment": "moment",
    "list": "list",
}
FOUND: dict[str, TraitRow] = {
    key: trait_rows.found(key, row.label, KINDS[row.value_type]) for key, (_, row) in profile.ANALYSED.items() if row.value_type in KINDS
}


@dataclass(frozen=True)
class Named:
    """Another segment as a rule may name it; `rule` is its JSON text."""

    id: int
    key: str | None
    name: str
    rule: str


@dataclass(frozen=True, eq=False)
class Known:
    """What rules may speak of that people define: computed traits, and segments, which are named by number or key.

    Made by `known_of`, so that what is the same is one object: trees are kept by it.
    """

    computed: tuple[TraitRow, ...] = ()
    segments: tuple[Named, ...] = ()

    @cached_property
    def traits(self) -> Mapping[str, TraitRow]:
        """Every trait that can be chosen, by key."""
        return {**TRAITS, **FOUND, **{row.key: row for row in PORTRAYED.values()}, **{row.key: row for row in self.computed}}

    @cached_property
    def by_reference(self) -> Mapping[int | str, Named]:
        """Segments by number and by key."""
        return {reference: one for one in self.segments for reference in (one.id, one.key) if reference is not None}


@lru_cache(maxsize=8)
def known_of(computed: tuple[TraitRow, ...] = (), segments: tuple[Named, ...] = ()) -> Known:
    """What rules may speak of, one object for the same."""
    return Known(computed, segments)


NOTHING = known_of()


def parsed(rule: object, known: Known = NOTHING, above: tuple[int, ...] = ()) -> Rule:
    """The typed tree of a rule given as JSON. `above` are the segments whose rule it is part of: none of them may appear in it. Raises RuleInvalid."""

    def segment_of(reference: int | str, pointer: str) -> tuple[str, Rule] | None:
        named = known.by_reference.get(reference)
        if named is None:
            return None
        if named.id in above:
            refuse(pointer, reference, "segment opierałby się na samym sobie", "the segment would rest on itself")
        return named.name, _inner(named, known, above)

    return parse(rule, OPERATORS, Words(lambda key: known.traits.get(key) or trait(key), segment_of, place_of, point_of))


@lru_cache(maxsize=4_096)
def _inner(named: Named, known: Known, above: tuple[int, ...]) -> Rule:
    return parsed(json.loads(named.rule), known, (*above, named.id))
