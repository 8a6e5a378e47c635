"""What is installed is pinned, with hashes, from any index, and is what the project says it needs."""

import re
import tomllib

import pytest

from tests.shape.tree import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NAME = re.compile(r"[A-Za-z0-9._-]+")


def wanted(*extras: str) -> set[str]:
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in PROJECT["optional-dependencies"][extra])]
    return {canonical(match.group()) for line in lines if (match := NAME.match(line))}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(file: str) -> dict[str, int]:
    """Names with the number of their hashes."""
    text = (ROOT / "requirements" / file).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip()]
    assert all("==" in line for line in lines), "not pinned"
    return {canonical(line.partition("==")[0].strip()): line.count("--hash=sha256:") for line in lines}


def test_engines_are_pinned_with_hashes() -> None:
    found = pinned("engines.txt")
    assert {canonical(match.group()) for line in PROJECT["optional-dependencies"]["engines"] if (match := NAME.match(line))} <= set(found)
    assert all(found.values())


@pytest.mark.parametrize(("file", "extras"), [("run.txt", ()), ("test.txt", ("test",))])
def test_everything_needed_is_pinned_with_hashes(file: str, extras: tuple[str, ...]) -> None:
    found = pinned(file)
    assert wanted(*extras) <= set(found), "run `make lock`"
    assert all(found.values())


def test_what_runs_is_a_part_of_what_is_tested() -> None:
    run, test = ((ROOT / "requirements" / file).read_text(encoding="utf-8") for file in ("run.txt", "test.txt"))
    versions = {line.split(" ")[0] for line in run.splitlines() if "==" in line}
    assert versions <= {line.split(" ")[0] for line in test.splitlines() if "==" in line}


def test_the_package_can_be_built_without_another_download() -> None:
    assert "setuptools" in pinned("run.txt")
