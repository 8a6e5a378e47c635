"""Whoever stores personal data can show it to the person and can erase it, and is known to the desk that does both."""

import importlib
import inspect

import pytest

from tests.shape.tree import ROOT

HOLDERS = sorted(file.parent.name for file in (ROOT / "cegla").glob("*/store.sql") if (file.parent / "actions.py").exists())
APP = ROOT / "cegla" / "app.py"


@pytest.mark.parametrize("part", HOLDERS)
@pytest.mark.parametrize("duty", ["export_person", "erase_person"])
def test_a_slice_with_tables_exports_and_erases(part: str, duty: str) -> None:
    actions = importlib.import_module(f"cegla.{part}.actions")
    assert inspect.isfunction(getattr(actions, duty, None)), f"cegla/{part}/actions.py stores people's data and lacks {duty}"


@pytest.mark.parametrize("part", HOLDERS)
def test_every_holder_is_registered(part: str) -> None:
    text = APP.read_text(encoding="utf-8")
    assert f"{part}.export_person" in text, f"{part} is not among the holders of cegla/app.py"
    assert f"{part}.erase_person" in text, f"{part} is not among the holders of cegla/app.py"
