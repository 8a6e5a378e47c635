"""All operators of the language, by key: the rows of every subject in one table, in the order the form shows them."""

from collections.abc import Mapping

from cegla.segment.rules.accounts import ACCOUNT_OPERATORS
from cegla.segment.rules.events import EVENT_OPERATORS
from cegla.segment.rules.facts import TRAIT_OPERATORS, UNKNOWN
from cegla.segment.rules.language import Operator, Rule
from cegla.segment.rules.parse import parse
from cegla.segment.rules.rfm import GROUP_OPERATORS
from cegla.segment.rules.traits import TraitRow, trait

NONE_COMPUTED: Mapping[str, TraitRow] = {}
OPERATORS: dict[str, Operator] = {row.key: row for row in (*EVENT_OPERATORS, *TRAIT_OPERATORS, UNKNOWN, *ACCOUNT_OPERATORS, *GROUP_OPERATORS)}


def parsed(rule: object, computed: Mapping[str, TraitRow] = NONE_COMPUTED) -> Rule:
    """The typed tree of a rule given as JSON; `computed` are the traits that are defined, by the key that rules know them by. Raises RuleInvalid."""
    return parse(rule, OPERATORS, lambda key: computed.get(key) or trait(key))
