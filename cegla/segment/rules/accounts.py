"""The operator about the accounts people belong to: companies, teams, households. Which account meets what is decided by `account`;
here it arrives as a table of people with the number of such accounts."""

from collections.abc import Mapping
from typing import Any

from cegla.segment.rules.language import Kind, Operator, Parameter, Past, Question, Values, asking
from cegla.vocabulary.text import Text

#: what a condition may ask besides traits
ACCOUNT_FIELDS: dict[str, Text] = {
    "account": Text("identyfikator firmy", "the account's id"),
    "people": Text("liczba osób", "number of people"),
    "orders": Text("liczba zamówień", "number of orders"),
    "revenue": Text("wartość zakupów", "money spent"),
    "engagement": Text("średnie zaangażowanie (0–100)", "mean engagement (0 to 100)"),
    "silent_days": Text("dni od ostatniej aktywności", "days since the last activity"),
}


def _accounts(values: Values, seen: Mapping[str, Any], ground: Any) -> Any:
    return seen["value"].fill_null(0)


def _question(values: Values) -> Question:
    return asking("accounts", values["where"], values["role"])


ACCOUNT_OPERATORS: tuple[Operator, ...] = (
    Operator(
        "in_account",
        "accounts",
        Text("należy do firmy", "belongs to an account"),
        Text("należą do firmy{where}{role:role}", "belong to an account{where}{role:role}"),
        (
            Parameter("where", Kind.FILTERS, Text("warunki firmy", "conditions on the account"), required=False, default=(), fields=ACCOUNT_FIELDS),
            Parameter("role", Kind.TEXT, Text("rola", "role"), required=False),
        ),
        lambda values, rows: {},
        lambda values, seen, ground: _accounts(values, seen, ground) > 0,
        lambda values: True,
        _accounts,
        {"op": "in_account", "where": ({"property": "industry", "is": "retail"}, {"field": "revenue", "over": 10000}), "role": "buyer"},
        (Past("Page Viewed", 1),),
        (Past("Page Viewed", 2),),
        asks=_question,
        told=({"value": 1}, None),
    ),
)
