"""The source as the shape tests see it: every module parsed once, with the imports it makes anywhere in its text."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SLICES = ("weather", "govern", "collect", "plan", "repair", "resolve", "profile", "catalog", "match", "account", "segment", "predict", "activate", "compose", "sync", "sell", "analyse")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One file: its dotted name, its text, its syntax tree."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def part(self) -> str:
        """The slice or face it belongs to: "collect" for cegla.collect.rules.decode."""
        return self.name.split(".")[1] if "." in self.name else ""

    @property
    def length(self) -> int:
        """Lines."""
        return self.text.count("\n")

    def functions(self) -> Iterator[tuple[str, Function]]:
        """Every function with its place, "cegla/flow.py::Intake.take_in"."""
        yield from _functions(self.tree, f"{self.path.relative_to(ROOT)}::")

    def imports(self, *, loaded_only: bool = False) -> Iterator[str]:
        """Dotted names it imports, lazily or not: modules of ours as far as they are modules. `loaded_only`: without those for types alone."""
        for_types = {id(part) for node in ast.walk(self.tree) if loaded_only and _is_for_types(node) for part in ast.walk(node)}
        for node in ast.walk(self.tree):
            if id(node) in for_types:
                continue
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                package = self.name.rsplit(".", node.level)[0] if node.level else ""
                origin = ".".join(filter(None, [package, node.module]))
                for alias in node.names:
                    inner = f"{origin}.{alias.name}"
                    yield inner if inner in names() else origin


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    """The modules under these folders of the checkout; by default the product."""
    files = sorted(file for folder in folders or ("cegla",) for file in (ROOT / folder).rglob("*.py"))
    return tuple(_module(file) for file in files)


def module(name: str) -> Module:
    """One module of the product by its dotted name."""
    return next(found for found in modules() if found.name == name)


@cache
def names() -> frozenset[str]:
    """The dotted names of all our modules."""
    return frozenset(_name(file) for file in (ROOT / "cegla").rglob("*.py"))


@cache
def tracked_files() -> tuple[Path, ...]:
    """Every file that belongs to the project, as git tells it; without git, every file that is no by-product."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z", "--cached"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        return tuple(file for file in ROOT.rglob("*") if file.is_file() and not {".venv", ".git", "__pycache__", "node_modules"} & set(file.parts))
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


def present_slices() -> list[str]:
    """Slices that have a door already."""
    return [part for part in SLICES if (ROOT / "cegla" / part / "actions.py").exists()]


def p95(sizes: list[int]) -> int:
    """The size that 95 % do not exceed."""
    return sorted(sizes)[int(len(sizes) * 0.95)] if sizes else 0


def _name(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _module(file: Path) -> Module:
    text = file.read_text(encoding="utf-8")
    return Module(_name(file), file, text, ast.parse(text, str(file)))


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def _functions(node: ast.AST, place: str) -> Iterator[tuple[str, Function]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            yield place + child.name, child
            yield from _functions(child, f"{place}{child.name}.")
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{place}{child.name}.")
        else:
            yield from _functions(child, place)
