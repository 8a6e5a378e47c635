"""Who may know whom: downwards only, no circles, slices through their door, rules pure."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.shape import exceptions
from tests.shape.tree import ROOT, SLICES, Module, module, modules, names, present_slices

OPEN_TO_ALL = {"storage", "vocabulary"}
FEWEST_ACTIONS, MOST_ACTIONS = 3, 12
VALUE_LIBRARIES = {
    "msgspec", "pydantic", "pydantic_core", "ibis", "pyarrow", "numpy", "ua_parser", "babel", "stdnum", "email_validator", "idna", "phonenumbers", "rapidfuzz",
}  # fmt: skip
#: Reference data that a rule may look up by itself: it comes with the project, so the answer depends on the version alone.
CONSTANT = (
    "cegla.reference.words", "cegla.reference.places", "cegla.reference.calendar", "cegla.reference.network_kinds", "cegla.reference.models",
    "cegla.reference.polish", "cegla.reference.topics", "cegla.reference.pack",
)  # fmt: skip
WORLDLY = {
    "asyncio", "ctypes", "http", "importlib", "io", "logging", "multiprocessing", "os", "pathlib", "random", "secrets", "select", "selectors",
    "shutil", "signal", "smtplib", "socket", "sqlite3", "ssl", "subprocess", "tempfile", "threading", "time", "urllib.request", "uuid",
}  # fmt: skip
DRIVERS = {"psycopg", "psycopg_pool", "duckdb", "httpx", "starlette", "fastapi", "uvicorn", "typer", "aiosql", "jinja2", "liquid"}
NOUNS = "cegla.vocabulary."  #: known by everybody; they have a budget of lines of their own (docs/decisions/0022-a-rule-is-counted-without-the-nouns.md)
MOST_MODULES_FOR_ONE_RULE = 10  #: the packages around them hold a docstring and nothing else


def rules() -> list[Module]:
    return [found for found in modules() if ".rules." in found.name or ".analysers." in found.name]


def foreign_entries() -> Iterator[str]:
    for found in modules():
        for target in found.imports():
            parts = target.split(".")
            if parts[0] == "cegla" and len(parts) > 1 and parts[1] in SLICES and parts[1] != found.part and parts[2:] != ["actions"]:
                yield f"{found.name} -> {target}"


def public_functions(door: Module) -> list[str]:
    """Functions defined in the door, and functions shown through it (`from … import x as x`)."""
    defined = [node.name for node in door.tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("_")]
    shown = [
        alias.asname
        for node in door.tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name and alias.name.islower()
    ]
    return defined + [name for name in shown if name]


def worldly(found: Module) -> Iterator[str]:
    """What a rule must not touch: drivers, the network, files, the clock, chance."""
    for target in found.imports():
        top = target.split(".")[0]
        if top == "cegla":
            if not target.startswith(("cegla.vocabulary", *CONSTANT, f"cegla.{found.part}.rules", f"cegla.{found.part}.analysers")):
                yield target
        elif target in WORLDLY or top in WORLDLY or (top not in sys.stdlib_module_names and top not in VALUE_LIBRARIES):
            yield target
    for node in ast.walk(found.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in (
            "datetime.now",
            "datetime.utcnow",
            "date.today",
            "datetime.today",
            "open",
            "print",
            "input",
            "ibis.now",
        ):
            yield f"{ast.unparse(node.func)}()"


def test_the_river_flows_one_way() -> None:
    checked = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as main; main()"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout[checked.stdout.rfind("Contracts:") :]


def test_there_are_no_circles_not_even_lazy_ones() -> None:
    edges = {found.name: {target for target in found.imports(loaded_only=True) if target in names()} for found in modules()}
    while gone := [name for name, targets in edges.items() if not targets & edges.keys()]:
        for name in gone:
            del edges[name]
    assert not edges, f"these modules import each other: {sorted(edges)}"


def test_a_slice_is_entered_through_its_actions_only() -> None:
    assert set(foreign_entries()) == set(exceptions.FORBIDDEN_ENTRY)


@pytest.mark.parametrize("part", present_slices())
def test_a_slice_offers_a_handful_of_actions(part: str) -> None:
    offered = public_functions(module(f"cegla.{part}.actions"))
    if part in exceptions.NUMBER_OF_ACTIONS:
        assert not FEWEST_ACTIONS <= len(offered) <= MOST_ACTIONS, "healed"
    else:
        assert FEWEST_ACTIONS <= len(offered) <= MOST_ACTIONS, offered


@pytest.mark.parametrize("part", present_slices())
def test_a_slice_makes_a_promise_and_imports_nothing(part: str) -> None:
    face = module(f"cegla.{part}")
    assert ast.get_docstring(face.tree)
    assert len(face.tree.body) == 1


@pytest.mark.parametrize("part", present_slices())
def test_every_action_says_what_it_does(part: str) -> None:
    door = module(f"cegla.{part}.actions")
    public = [node for node in door.tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and not node.name.startswith("_")]
    assert not [node.name for node in public if ast.get_docstring(node) is None]


def test_rules_are_pure() -> None:
    impure = {f"{found.name}: {what}" for found in rules() for what in worldly(found)}
    assert impure == set(exceptions.IMPURE_RULE)


def test_a_pure_rule_is_reached_without_loading_the_world() -> None:
    reached = json.loads(
        subprocess.run(
            [sys.executable, "-c", REACH], input=json.dumps([found.name for found in rules()]), cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
    )
    heavy = {name: loaded for name, loaded in reached.items() if len([one for one in loaded if one.startswith("cegla.") and not one.startswith((NOUNS, *CONSTANT))]) > MOST_MODULES_FOR_ONE_RULE}
    driven = {name: drivers for name, loaded in reached.items() if (drivers := DRIVERS & {one.split(".")[0] for one in loaded})}
    assert not heavy
    assert not driven


REACH = """
import importlib, json, os, sys
import babel, ibis, numpy, pyarrow, ua_parser  # libraries of values, loaded once for all; that they bring no driver along is asked below
reached = {"the libraries of values": sorted({one.split(".")[0] for one in sys.modules})}
for name in json.load(sys.stdin):
    reading, writing = os.pipe()
    if os.fork() == 0:
        before = set(sys.modules)
        importlib.import_module(name)
        empty = {one for one in sys.modules if hasattr(sys.modules[one], '__path__')}
        loaded = sorted(one for one in set(sys.modules) - before if one.split('.')[0] == 'cegla' and one not in empty or '.' not in one)
        os.write(writing, json.dumps(loaded).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        reached[name] = json.loads(answer.read())
    os.wait()
print(json.dumps(reached))
"""


def shown_on() -> list[tuple[str, str]]:
    """Every `from a import b as b`: the module in which it stands, and the module shown."""
    return [
        (found.name, node.module or "")
        for found in modules("cegla")
        for node in ast.walk(found.tree)
        if isinstance(node, ast.ImportFrom) and any(name.asname == name.name for name in node.names)
    ]


def test_only_a_door_shows_names_on_and_only_those_of_its_own_slice() -> None:
    """docs/decisions/0016-a-door-shows-what-lies-behind-it.md"""
    shown = shown_on()
    assert shown, "the control: doors do"
    assert [(by, of) for by, of in shown if not ((by.endswith(".actions") and of.startswith(by.removesuffix("actions"))) or of == by.removesuffix(".actions"))] == []
