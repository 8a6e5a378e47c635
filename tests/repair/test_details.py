"""What is told of an event beside its reason is said in both languages, and without what it quotes to those who may not see it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import cegla
from cegla.plan import actions as plan
from cegla.repair.rules.details import HIDDEN, ROWS, said

VIOLATIONS = {str(kind): label for kind, label in plan.VIOLATIONS.items()}
HOME = Path(cegla.__file__).parent
TELLERS = {
    "collect/rules/decode.py": {"_Bad": 1},
    "collect/rules/envelope.py": {"NotJson": 0},
    "collect/rules/hooked.py": {"Unmapped": 1},
    "flow.py": {"as_set_aside": 2},
}  #: which calls tell a detail, as which argument


def literal(node: ast.expr) -> Iterator[str]:
    """The sentences of an expression, with something in place of what is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
    elif isinstance(node, ast.IfExp):
        yield from (*literal(node.body), *literal(node.orelse))


def told() -> Iterator[str]:
    for name, calls in TELLERS.items():
        for node in ast.walk(ast.parse((HOME / name).read_text())):
            if isinstance(node, ast.Call) and (called := ast.unparse(node.func).rpartition(".")[2]) in calls and len(node.args) > calls[called]:
                yield from (sentence for sentence in literal(node.args[calls[called]]) if " " in sentence or "x" not in sentence)


def test_every_sentence_of_the_decoder_and_of_the_mappings_has_a_polish_side() -> None:
    sentences = set(told())
    assert len(sentences) > 25
    assert sorted(sentence for sentence in sentences if said(sentence, VIOLATIONS).pl == sentence) == []


@pytest.mark.parametrize(
    ("detail", "polish"),
    [
        ("type is 'nonsense'", "typ to 'nonsense'"),
        ("Expected `object`, got `str` - at `$.properties`", "powinno być `object`, a jest `str` w `$.properties`"),
        ("32769 bytes; 32768 are allowed", "32769 bajtów; wolno 32768"),
        ("an unexpected failure; see the log", "nieoczekiwany błąd; szczegóły są w dzienniku"),
        ("total: wrong_type (string), order_id: missing and 2 more", "total: zły typ (string), order_id: brak wymaganej właściwości i jeszcze 2"),
        (
            "started: time: there is no value at at; ended: consent: an answer is neither yes nor no",
            "started: time: nie ma wartości w at; ended: consent: odpowiedź to ani tak, ani nie",
        ),
        ("Order ID: missing, xml:lang: unplanned_property", "Order ID: brak wymaganej właściwości, xml:lang: właściwości nie ma w planie"),
        ("Kup; teraz is not in the tracking plan", "plan nie zna Kup; teraz"),
        ("step 2: properties.total cannot be read as number", "krok 2: properties.total nie da się odczytać jako number"),
        ("step 1: traits.sex holds a value that is not listed", "krok 1: traits.sex zawiera wartość spoza listy"),
        ('"size, EU": missing, total: wrong_type (string)', '"size, EU": brak wymaganej właściwości, total: zły typ (string)'),
        ('"a\\": missing, b; c": unplanned_property', '"a\\": missing, b; c": właściwości nie ma w planie'),
        ("size, EU: missing", "size, EU: brak wymaganej właściwości"),
        ("something of an older version", "something of an older version"),
        ("", ""),
    ],
)
def test_a_detail_is_said_in_both_languages(detail: str, polish: str) -> None:
    assert said(detail, VIOLATIONS).pl == polish


def test_what_a_detail_quotes_is_hidden_from_those_who_may_not_see_it() -> None:
    assert said("type is 'Jan Kowalski'", VIOLATIONS, values=False) == (f"typ to {HIDDEN}", f"type is {HIDDEN}")
    assert said("timestamp is 'Polna; Jan Kowalski'", VIOLATIONS, values=False).en == f"timestamp is {HIDDEN}", "a semicolon ends no value"
    assert said("jan@example.pl: time: there is no value at at", VIOLATIONS, values=False).en == f"{HIDDEN}: time: there is no value at at"
    assert said("old words of jan@example.pl", VIOLATIONS, values=False).en == HIDDEN
    assert said("a track call needs an event", VIOLATIONS, values=False).en == "a track call needs an event"


def test_the_english_of_every_row_is_read_back_as_that_row() -> None:
    for row in ROWS:
        parts = dict.fromkeys(("value", "field", "most", "wanted", "found", "place", "size", "count", "event", "why"), "7")
        assert said(row.en.format(**parts), VIOLATIONS) == (row.pl.format(**parts), row.en.format(**parts))
