"""Whoever stores personal data can show it to the person and can erase it, and is known to the desk that does both."""

import importlib
import inspect

import pytest

from tests.shape.tree import ROOT

HOLDERS = sorted(file.parent.name for file in (ROOT / "cegla").glob("*/store.sql") if (file.parent / "actions.py").exists())
#: Slices whose tables hold nothing about people: no column of theirs names a person or an identity.
OF_NOBODY = {"weather", "compose", "catalog"}
HOLDERS = [part for part in HOLDERS if part not in OF_NOBODY]
APP = ROOT / "cegla" / "app.py"


@pytest.mark.parametrize("part", HOLDERS)
@pytest.mark.parametrize("duty", ["export_person", "erase_person"])
def test_a_slice_with_tables_exports_and_erases(part: str, duty: str) -> None:
    actions = importlib.import_module(f"cegla.{part}.actions")
    assert inspect.isfunction(getattr(actions, duty, None)), f"cegla/{part}/actions.py stores people's data and lacks {duty}"


@pytest.mark.parametrize("part", sorted(OF_NOBODY))
def test_a_slice_that_need_not_has_no_column_about_people(part: str) -> None:
    for file in (ROOT / "cegla" / "storage" / "migrations").glob(f"*.{part}.sql"):
        columns = [line.partition("--")[0].replace("generated always as identity", "") for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("--")]
        assert not [line for line in columns if "person" in line or "identity" in line or "email" in line]


@pytest.mark.parametrize("part", HOLDERS)
def test_every_holder_is_registered(part: str) -> None:
    text = APP.read_text(encoding="utf-8")
    assert f"{part}.export_person" in text, f"{part} is not among the holders of cegla/app.py"
    assert f"{part}.erase_person" in text, f"{part} is not among the holders of cegla/app.py"
