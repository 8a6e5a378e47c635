"""All operators of the language, by key: the rows of every subject in one table, in the order the form shows them."""

from cegla.segment.rules.accounts import ACCOUNT_OPERATORS
from cegla.segment.rules.events import EVENT_OPERATORS
from cegla.segment.rules.facts import TRAIT_OPERATORS, UNKNOWN
from cegla.segment.rules.language import Operator, Rule
from cegla.segment.rules.parse import parse
from cegla.segment.rules.rfm import GROUP_OPERATORS
from cegla.segment.rules.traits import trait
from cegla.vocabulary.text import Text

OPERATORS: dict[str, Operator] = {row.key: row for row in (*EVENT_OPERATORS, *TRAIT_OPERATORS, UNKNOWN, *ACCOUNT_OPERATORS, *GROUP_OPERATORS)}


def parsed(rule: object) -> Rule:
    """The typed tree of a rule given as JSON. Raises RuleInvalid."""
    return parse(rule, OPERATORS, _kind_of)


def label_of_trait(key: str) -> tuple[Text, str]:
    """The label and kind of a trait that a checked rule names."""
    row = trait(key)
    return (row.label, row.kind) if row else (Text(key, key), "text")


def _kind_of(key: str) -> str | None:
    row = trait(key)
    return row.kind if row else None
