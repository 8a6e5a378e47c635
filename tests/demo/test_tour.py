"""`make demo` as a newcomer runs it: real processes, from an empty directory to a campaign's answers, and nothing left running."""

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from demo.__main__ import main, read_options
from demo.installation import remember
from demo.mailbox import Mailbox
from demo.population import people
from demo.truth import load_truth
from tests.collect.test_file_import import ROOT


@pytest.mark.whole
@pytest.mark.timeout(400)
def test_the_demonstration_ends_by_itself_and_what_it_says_is_true(tmp_path: Path) -> None:
    home = tmp_path / "demo-data"
    command = [sys.executable, "-m", "demo", "--once", "--sample", "--data-dir", str(home), "--port", "0", "--lang", "en"]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "NO_COLOR": "1"}, capture_output=True, text=True, timeout=380, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for sentence in ("62\u202f050 rows, 0 refused", "938\u202f703.44 GBP", "waiting 0: it adds up", "40 of 40 people", "Campaign (sent)", "Five things to try"):
        assert sentence in done.stdout
    assert "– unsubscribed" not in done.stdout and "opened as –" not in done.stdout
    opened, counted = (re.search(pattern, done.stdout) for pattern in (r"and (\d+) times as somebody", r"nobody's: (\d+),"))
    assert opened is not None and counted is not None
    assert int(counted[1]) == int(opened[1]) > 2, "every click of somebody who is not measured is in the report"

    got = [message["To"] for message in Mailbox(home / "demo-mailbox").messages()]
    assert len(got) == len(set(got)) > 50
    assert set(got) <= {person.email for person in people(7, 500) if person.allows_email and not person.mail_bounces}
    assert not (home / "run" / "app.json").exists()
    assert not (home / "postgres" / "data" / "postmaster.pid").exists()


def test_what_a_later_run_must_know_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    options, _ = read_options(["--data-dir", str(tmp_path), "--seed", "9"])
    memory = remember(options)
    memory.keys["site"] = "wk_1"
    memory.done.append("retail")
    memory.save()
    assert remember(options) == memory
    assert json.loads(memory.path.read_text())["seed"] == 9
    assert memory.path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("words", "language"), [(["--lang", "pl"], "pl"), (["--lang", "en"], "en")])
def test_the_language_is_chosen_on_the_command_line(words: list[str], language: str) -> None:
    assert read_options(words)[0].language == language


def test_the_history_alone_can_be_written_to_a_file(tmp_path: Path) -> None:
    assert main(["--write-history", str(tmp_path / "shop.jsonl.gz"), "--seed", "3"]) == 0
    with gzip.open(tmp_path / "shop.jsonl.gz", "rt", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    truth = load_truth(tmp_path / "shop-truth.json")
    assert len(lines) == truth.events + truth.without_consent + truth.duplicates + truth.broken
