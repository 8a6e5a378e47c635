"""Sizes and manners of the code, measured as docs/explanation/shape.md describes."""

import ast

import pytest

from tests.shape import exceptions
from tests.shape.tree import ROOT, Function, modules, p95

MEASURED = ("cegla", "demo", "bench")
LONGEST_FUNCTION, LONGEST_FUNCTION_P95 = 60, 45
LONGEST_FILE, LONGEST_FILE_P95 = 500, 400
MOST_ARGUMENTS = 6
NOUNS_LINES = 780  #: of the vocabulary without its errors (docs/decisions/0012-errors-are-counted-apart.md)
EMPTY_NAMES = {"utils", "util", "misc", "helpers", "helper", "common", "base", "manager", "service", "services"}


def functions() -> dict[str, Function]:
    return {place: node for module in modules(*MEASURED) for place, node in module.functions()}


def lines(node: Function) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def arguments(node: Function) -> int:
    given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return len([argument for argument in given if argument.arg not in ("self", "cls")])


def swallows_everything(node: Function) -> bool:
    """Whether the function itself, not a function inside it, catches everything and does not raise it again."""
    inner = {id(part) for child in ast.walk(node) if child is not node and isinstance(child, Function) for part in ast.walk(child)}
    handlers = [part for part in ast.walk(node) if isinstance(part, ast.ExceptHandler) and id(part) not in inner]
    return any(is_broad(handler) and not raises_again(handler) for handler in handlers)


def is_broad(handler: ast.ExceptHandler) -> bool:
    caught = {"BaseException"} if handler.type is None else {part.id for part in ast.walk(handler.type) if isinstance(part, ast.Name)}
    return bool(caught & {"Exception", "BaseException"})


def raises_again(handler: ast.ExceptHandler) -> bool:
    """Cleaning up on the way out is no swallowing."""
    return isinstance(handler.body[-1], ast.Raise) and handler.body[-1].exc is None


def test_no_function_is_longer_than_a_screen() -> None:
    long = {place for place, node in functions().items() if lines(node) > LONGEST_FUNCTION}
    assert long == set(exceptions.LONG_FUNCTION), "longer than 60 lines, or healed"
    assert p95([lines(node) for node in functions().values()]) <= LONGEST_FUNCTION_P95


def test_no_file_is_longer_than_it_can_be_read() -> None:
    sizes = {str(module.path.relative_to(ROOT)): module.length for module in modules(*MEASURED)}
    assert {name for name, size in sizes.items() if size > LONGEST_FILE} == set(exceptions.LONG_FILE), "longer than 500 lines, or healed"
    assert p95(list(sizes.values())) <= LONGEST_FILE_P95


def test_no_function_takes_more_than_six_arguments() -> None:
    many = {place for place, node in functions().items() if arguments(node) > MOST_ARGUMENTS}
    assert many == set(exceptions.MANY_ARGUMENTS)


def test_every_return_is_annotated() -> None:
    assert not [place for place, node in functions().items() if node.returns is None]


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert not [module.name for module in modules(*MEASURED) if EMPTY_NAMES & set(module.name.split("."))]


def test_everything_is_caught_only_at_the_doors_listed() -> None:
    broad = {place for place, node in functions().items() if swallows_everything(node)}
    assert broad == set(exceptions.BROAD_EXCEPT), "catches everything without a listed reason, or healed"


def test_the_vocabulary_stays_small() -> None:
    assert sum(module.length for module in modules("cegla/vocabulary") if not module.name.startswith("cegla.vocabulary.errors")) <= NOUNS_LINES


def test_every_module_says_what_it_is() -> None:
    assert not [module.name for module in modules(*MEASURED) if module.text.strip() and ast.get_docstring(module.tree) is None]


@pytest.mark.parametrize("rule", exceptions.ALL)
def test_every_exception_has_a_reason(rule: str) -> None:
    assert all(len(reason) > 20 for reason in exceptions.ALL[rule].values())


def test_the_list_of_exceptions_only_shrinks() -> None:
    assert sum(map(len, exceptions.ALL.values())) <= exceptions.MOST
