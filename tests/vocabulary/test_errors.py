import pytest

from cegla.vocabulary import errors
from cegla.vocabulary.errors import CeglaError, InvalidInput
from cegla.vocabulary.errors.installation import AlreadyRunning

ROWS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, CeglaError)]


@pytest.mark.parametrize("kind", ROWS, ids=lambda kind: kind.__name__)
def test_every_error_speaks_both_languages(kind: type[CeglaError]) -> None:
    assert kind.what.pl != kind.what.en
    assert kind.todo.pl != kind.todo.en


def test_a_problem_says_what_where_what_was_seen_and_what_to_do() -> None:
    problem = InvalidInput(where="/rules/0", seen="x" * 999, detail="no such operator").problem("en")
    assert problem["title"] == "The input is not valid: no such operator"
    assert (problem["where"], len(problem["seen"]), problem["status"], problem["code"]) == ("/rules/0", 200, 422, "CEGLA-E0300")
    assert problem["todo"]


def test_a_fact_with_braces_is_text_and_not_a_placeholder() -> None:
    assert "{0.__class__}" in AlreadyRunning(pid="{0.__class__}").say("pl")


def test_half_a_surrogate_pair_can_be_shown() -> None:
    assert InvalidInput(where="/\ud800", seen="\ud800x", detail="\udfff").problem("pl")["seen"] == "?x"
