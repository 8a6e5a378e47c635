"""The command line: what goes to standard output, what to standard error, and how it ends."""

import json
import shlex
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from cegla.cli import consents
from cegla.cli.commands import COMMANDS, DEFAULTS, GROUPS
from cegla.cli.main import command_tree, exit_code, language_of
from cegla.cli.words import WORDS
from cegla.console.views.states import VERDICTS
from cegla.storage.settings import Settings
from cegla.vocabulary.errors import NotFound

Answers = dict[str, Any]
SOURCE = {
    "id": 3, "name": "Shop", "kind": "server", "basis": "contract", "key": "wk_x",
    "standing": {"accepted": 7, "applied": 5, "repeated": 1, "quarantined": 1, "waiting": 0}, "in_quarantine": 1,
}  # fmt: skip


@pytest.fixture(autouse=True)
def in_english(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CEGLA_LANGUAGE", "en")
    monkeypatch.setenv("CEGLA_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def cegla() -> Callable[..., int]:
    """Run a command against an API that gives these answers, by "METHOD /path"."""

    def run(words: str, answers: Answers | None = None, asked: list[httpx.Request] | None = None) -> int:
        def answer(request: httpx.Request) -> httpx.Response:
            if asked is not None:
                asked.append(request)
            found = (answers or {}).get(
                f"{request.method} {request.url.path.removeprefix('/api/v1')}", NotFound(thing=request.url.path).problem() | {"exit_code": 4}
            )
            return httpx.Response(found.get("status", 200) if isinstance(found, dict) and "code" in found else 200, json=found)

        @contextmanager
        def door(_: Settings) -> Generator[httpx.Client]:
            with httpx.Client(transport=httpx.MockTransport(answer), base_url="http://cegla.local/api/v1") as client:
                yield client

        return exit_code(words.split(), door, lambda _: None)

    return run


def test_an_answer_goes_to_standard_output_and_nothing_else_does(cegla: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert cegla("source list", {"GET /sources": {"sources": [SOURCE]}}) == 0
    shown = capsys.readouterr()
    assert "Shop" in shown.out
    assert shown.err == ""


def test_no_name_from_outside_commands_the_terminal(cegla: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    name = "Shop\x1b]0;title\x07 \x9b31m \u202eabc :key: [red]"
    assert cegla("source list", {"GET /sources": {"sources": [SOURCE | {"name": name}]}}) == 0
    assert cegla("person show p9", {"GET /people/p9": NotFound(thing=name).problem()}) != 0
    shown = capsys.readouterr()
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & {*shown.out, *shown.err}
    assert all(":key: [red]" in said for said in shown)


def test_with_json_the_answer_is_one_value(cegla: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert cegla("source list --json", {"GET /sources": {"sources": [SOURCE]}}) == 0
    assert json.loads(capsys.readouterr().out) == {"sources": [SOURCE]}


def test_a_refusal_of_the_api_is_told_with_its_code_and_ends_with_its_exit_code(cegla: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert cegla("person show p99") == 4
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "CEGLA-E0400 Not found" in shown.err
    assert "what to do: Check the name or number." in shown.err


@pytest.mark.parametrize("words", ["nonsense", "person show", "quarantine replay abc", "import show abc", "source list --nonsense"])
def test_wrong_usage_is_two(cegla: Callable[..., int], capsys: pytest.CaptureFixture[str], words: str) -> None:
    assert cegla(words) == 2
    assert "CEGLA-E0200" in capsys.readouterr().err


def test_a_word_that_is_none_of_a_closed_list_is_told_with_the_list(cegla: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert cegla("duplicates decide 1 accepted") == 2
    assert "accepted is none of 'same', 'different'" in capsys.readouterr().err


def test_a_wrong_setting_is_told_before_anything_starts(cegla: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CEGLA_APP_PORT", "many")
    assert cegla("status") == 2
    assert "app.port" in capsys.readouterr().err


def test_a_person_is_found_by_an_identifier(cegla: Callable[..., int]) -> None:
    asked: list[httpx.Request] = []
    answers = {"POST /people/look-up": {"person": "p7"}, "POST /people/p7/erase": {"person": "p7", "rows": {"resolve": 3}, "dry_run": True}}
    assert cegla("person erase anna@example.pl --dry-run", answers, asked) == 0
    assert json.loads(asked[0].content) == {"value": "anna@example.pl"}
    assert json.loads(asked[-1].content) == {"dry_run": True}


def test_erasing_without_a_terminal_needs_yes(cegla: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[httpx.Request] = []
    assert cegla("person erase p7", {"POST /people/p7/erase": {"person": "p7", "rows": {}, "dry_run": True}}, asked) == 2
    assert [json.loads(request.content)["dry_run"] for request in asked] == [True]
    assert "--yes" in capsys.readouterr().err


def test_the_doctor_ends_with_one_when_something_is_wrong(cegla: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    check = {"check": "mail", "label": {"pl": "Poczta", "en": "Mail"}, "ok": False, "seen": "-", "todo": {"pl": "Ustaw", "en": "Set smtp.host."}}
    assert cegla("doctor", {"GET /doctor": {"ok": False, "checks": [check]}}) == 1
    assert "Set smtp.host." in capsys.readouterr().out


def test_polish_is_spoken_where_the_user_speaks_it(cegla: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CEGLA_LANGUAGE", "pl")
    asked: list[httpx.Request] = []
    assert cegla("person show p99", asked=asked) == 4
    assert asked[0].headers["accept-language"] == "pl"
    assert "co zrobić" in capsys.readouterr().err


def test_the_language_follows_the_terminal_until_it_is_set() -> None:
    assert language_of({"LANG": "pl_PL.UTF-8"}) == "pl"
    assert language_of({"LANG": "pl_PL.UTF-8", "CEGLA_LANGUAGE": "en"}) == "en"
    assert language_of({}) == "en"


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.words)
@pytest.mark.parametrize("language", ["pl", "en"])
def test_help_begins_with_examples_in_either_language(
    cegla: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, row: Any, language: str
) -> None:
    monkeypatch.setenv("CEGLA_LANGUAGE", language)
    assert cegla(f"{row.group} {row.name} --help") == 0
    shown = capsys.readouterr().out
    assert row.examples[0] in shown
    assert row.what.say(language)[1:] in " ".join(shown.split())


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.words)
def test_every_word_of_a_command_is_explained_and_every_example_parses(row: Any) -> None:
    tree = command_tree("en")
    group = tree.commands[row.group] if row.group else tree
    command = group.commands[row.name]
    assert {one.name for one in command.params} <= WORDS.keys()
    for example in row.examples:
        words = shlex.split(example.split("cegla ", 1)[1])[1 + (bool(row.group) and DEFAULTS.get(row.group) != row.name) :]
        command.make_context(row.name, words, resilient_parsing=False)


def test_every_group_has_its_words() -> None:
    assert {row.group for row in COMMANDS if row.group} == set(GROUPS)


def test_a_file_without_a_mapping_is_looked_at_and_a_mapping_is_written(cegla: Callable[..., int], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes("Imię;E-mail\nŻaneta;zaneta@example.pl\n".encode("cp1250"))
    assert cegla(f"import {tmp_path}/list.csv --propose {tmp_path}/map.yaml --from fair --date 2026-01-02 --notice v1 --basis consent --json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["form"]["encoding"], found["kind"]) == ("cp1250", "people")
    written = yaml.safe_load((tmp_path / "map.yaml").read_text())
    assert written == found["mapping"]
    assert (written["basis"], written["acquired"]["from"]) == ("consent", "fair")
    assert cegla(f"import {tmp_path}/list.csv --propose {tmp_path}/map.yaml") == 3  # what somebody may have edited is never overwritten


def test_an_import_is_taken_back_only_when_told_so(cegla: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[httpx.Request] = []
    answers = {"POST /imports/3/undo": {"import": 3, "state": "done", "counts": {"events": 7, "people": 2}}}
    assert cegla("import undo 3 --dry-run", answers, asked) == 0
    assert cegla("import undo 3", answers, asked) == 2
    assert all(json.loads(request.content)["dry_run"] for request in asked)
    assert cegla("import undo 3 --yes", answers, asked) == 0
    assert json.loads(asked[-1].content) == {"dry_run": False}


def an_event(place: str) -> dict[str, Any]:
    """As the API tells it."""
    told: dict[str, Any] = {"place": place, "name": "Order Completed", "source": "Shop", "received_at": "2026-07-02T10:00:00Z", "written_at": None}
    label = {"pl": "w historii", "en": "is in the history"}
    return told | {"fate": "applied", "label": label, "repeat_of": None, "quarantined": None, "outcome": None, "payload": None}


def test_a_number_of_the_quarantine_is_told_from_a_message_id_that_reads_so(cegla: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    answers = {
        "GET /events/q1": an_event("2-4-0"),
        "POST /events/find": {"events": [{"place": "3-17-0"}], "complete": True},
        "GET /events/3-17-0": an_event("3-17-0"),
    }
    assert cegla("event show q1", answers) == 0
    shown = capsys.readouterr()
    assert "2-4-0" in shown.out
    assert "q1 is number 1 of the quarantine" in shown.err
    assert cegla("event show q1 --message", answers) == 0
    assert "3-17-0" in capsys.readouterr().out
    del answers["GET /events/q1"]
    assert cegla("event show q1", answers) == 0
    assert "3-17-0" in capsys.readouterr().out


def test_a_fix_that_does_not_fit_says_why_in_the_readers_language(
    cegla: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    why, told = {"pl": "naprawa nie pasuje", "en": "it does not fit"}, {"pl": "krok 1: nie liczba", "en": "step 1: no number"}
    stays = {"id": 17, "before": None, "after": None, "obstacle": "not_fixed", "outcome": None, "outcome_said": None, "detail": told["en"], "detail_said": told, "why": why}
    Path("fix.yaml").write_text("steps: []")
    monkeypatch.setenv("CEGLA_LANGUAGE", "pl")
    assert cegla("quarantine fix fix.yaml 17 --dry-run", {"POST /quarantine/preview": {"events": [stays]}}) == 0
    assert "naprawa nie pasuje krok 1: nie liczba" in capsys.readouterr().out


def test_campaigns_and_their_messages_stand_in_words_in_the_readers_language(
    cegla: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEGLA_LANGUAGE", "pl")
    listed = {"campaigns": [{"id": 3, "name": "Jesień", "state": "paused", "subject": "", "text": "Rabat do piątku"}]}
    row = {"message": 9, "person": "p1", "state": "skipped", "then": None, "proof": None}
    assert cegla("campaign list", {"GET /campaigns": listed}) == 0
    assert cegla("consent campaign 3", {"GET /campaigns": listed, "GET /campaigns/3/basis": {"people": [row], "next_before": None}}) == 0
    shown = capsys.readouterr().out
    assert "wstrzymana" in shown and "Rabat do piątku" in shown and "pominięta" in shown


def test_the_gates_word_and_the_state_of_a_text_message_stand_in_sentences(
    cegla: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEGLA_LANGUAGE", "pl")
    no, yes = {"allowed": False, "reason": "no_consent"}, {"allowed": True, "reason": "ok"}
    row = {"message": 9, "person": "p1", "state": "sent", "channel": "sms", "then": no, "proof": None}
    known = {"GET /campaigns": {"campaigns": [{"id": 3, "name": "x"}]}, "GET /campaigns/3/basis": {"people": [row], "next_before": None}}
    assert cegla("consent campaign 3", known) == 0
    shown = capsys.readouterr().out
    assert "nie ma na to zgody" in shown and "bramkę SMS" in shown and "no_consent" not in shown
    answer = {"at": "2026-11-02", "basis": None, "proof": None, "then": no, "hindsight": yes}
    assert cegla("consent ask p1", {"GET /people/p1/consent": answer}) == 0
    shown = capsys.readouterr().out
    assert "nie ma na to zgody" in shown and "tak: nic nie stoi na przeszkodzie" in shown
    assert cegla("consent ask p1 --json", {"GET /people/p1/consent": answer}) == 0
    assert json.loads(capsys.readouterr().out)["then"]["reason"] == "no_consent"


def test_every_word_of_the_gate_has_a_sentence() -> None:
    assert set(consents.REASONS) == set(VERDICTS)


def test_a_preview_is_of_the_variant_asked_for(cegla: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[httpx.Request] = []
    known = {"GET /campaigns": {"campaigns": [{"id": 3, "name": "x"}]}, "POST /campaigns/3/preview": {"subject": "Other", "text": "Words"}}
    assert cegla("campaign preview 3 p1 --variant B", known, asked) == 0
    assert ("Other" in capsys.readouterr().out, asked[-1].url.params["variant"]) == (True, "B")


def test_a_trace_is_listed_with_its_events_and_messages(cegla: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[httpx.Request] = []
    found = {"events": [{"place": "3-17-0"}], "history": ["e5"], "messages": [{"id": 9, "campaign": "order", "state": "sent", "person": 1}], "complete": True}
    parent = f"00-{'4b' * 16}-00f067aa0ba902b7-01"
    assert cegla(f"event trace {parent}", {"POST /events/find": found, "GET /events/3-17-0": an_event("3-17-0")}, asked) == 0
    assert json.loads(asked[0].content) == {"trace_id": "4b" * 16}
    shown = capsys.readouterr().out
    assert "3-17-0" in shown and "order" in shown


def test_a_replay_says_in_the_readers_language_what_stays_and_what_would_come_back(
    cegla: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEGLA_LANGUAGE", "pl")
    words = {"pl": "treść usunięto", "en": "its content was erased"}
    run = {"id": 1, "events": 2, "done": 1, "ended_at": "2026-11-25T12:00:00Z", "left_out": {"erased": 1}, "left_out_said": {"erased": words}}
    assert cegla("quarantine replay 4 5", {"POST /quarantine/replay": run}) == 0
    assert "Zostało w kwarantannie: 1 (treść usunięto)." in capsys.readouterr().err
    told = {"pl": "", "en": ""}
    back = {"id": 4, "before": "{}", "after": "{}", "obstacle": None, "outcome": "missing_identity", "why": None, "detail_said": told}
    back |= {"outcome_said": {"pl": "brak identyfikatora osoby", "en": "no identifier of a person"}}
    assert cegla("quarantine replay 4 --dry-run", {"POST /quarantine/preview": {"events": [back]}}) == 0
    assert "wróci: brak identyfikatora osoby" in capsys.readouterr().out


def test_an_event_that_came_in_twice_is_shown_as_it_stands_and_the_other_place_is_listed(cegla: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    """As after a replay: the question is answered, not handed back."""
    newest = an_event("3-17-0")
    first = newest | {"place": "2-4-0", "fate": "quarantined", "label": {"pl": "w kwarantannie", "en": "in quarantine"}}
    places = {"events": [{"place": "3-17-0"}, {"place": "2-4-0"}], "complete": True}
    answers = {"POST /events/find": places, "GET /events/3-17-0": newest, "GET /events/2-4-0": first}
    assert cegla("event show order-17", answers) == 0
    shown = capsys.readouterr()
    assert "is in the history" in shown.out
    assert "Under the same id also came" in shown.err
    assert "2-4-0" in shown.out
    assert cegla("event show order-17 --json", answers) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["place"], [one["place"] for one in answer["also"]]) == ("3-17-0", ["2-4-0"])


@pytest.mark.parametrize(
    ("words", "said", "where", "todo"),
    [
        ("import show", "brakuje tego słowa", "IMPORT", "cegla import show --help"),
        ("import show abc", "to nie jest liczba całkowita", "IMPORT", "cegla import show --help"),
        ("source list x y", "za dużo słów: x y", "", "cegla source list --help"),
        ("source list --nonsense", "nie ma opcji --nonsense", "", "cegla source list --help"),
        ("plan list", "brakuje tego słowa", "--source", "cegla plan list --help"),
        ("nonsense", "nie ma polecenia nonsense", "", "cegla --help"),
    ],
)
def test_a_wrong_call_is_told_in_the_users_language_with_its_word_and_where_the_help_is(
    cegla: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: str, said: str, where: str, todo: str
) -> None:
    monkeypatch.setenv("CEGLA_LANGUAGE", "pl")
    assert cegla(words) == 2
    told = capsys.readouterr().err
    assert said in told and todo in told
    assert where in told


def test_the_frame_of_the_help_is_polish_too(cegla: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CEGLA_LANGUAGE", "pl")
    for words in ("--help", "letter --help", "letter give --help"):
        assert cegla(words) == 0
        shown = capsys.readouterr().out
        assert shown.startswith("Użycie: cegla") and "pokaż tę pomoc" in shown
        assert not [word for word in ("Usage:", "Options:", "Commands:", "Arguments:", "[required]", "[default", "Show this") if word in shown]


def test_a_segment_is_tried_before_it_is_saved(cegla: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    Path("rule.yaml").write_text("{op: trait, key: order_count, value: 3}")
    asked: list[httpx.Request] = []
    sentence = {"pl": "osoby z 3 zamówieniami", "en": "people with 3 orders"}
    answers = {"POST /segments/sentence": sentence, "POST /segments/count": {"members": 7, "people": []}}
    assert cegla("segment save Regulars rule.yaml --dry-run", answers, asked) == 0
    shown = capsys.readouterr()
    assert "people with 3 orders" in shown.out and "7" in shown.out
    assert "nothing was written" in shown.err
    assert {request.url.path.rpartition("/")[2] for request in asked} == {"sentence", "count"}


def test_a_segment_whose_rule_cannot_be_read_is_shown_with_the_reason(cegla: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    one = {"id": 3, "key": "own.a", "name": "A", "sentence": None, "problem": {"pl": "nie ma", "en": "there is no such segment"}, "members": 7}
    assert cegla("segment show A", {"GET /segments": {"segments": [one]}, "GET /segments/3": one | {"count": None}}) == 0
    shown = capsys.readouterr().out
    assert "there is no such segment" in shown and "7" in shown
    assert cegla("segment list", {"GET /segments": {"segments": [one]}}) == 0
    assert "there is no such segment" in capsys.readouterr().out


def test_a_receiver_goes_only_when_somebody_agrees(cegla: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    answers = {"GET /syncs": {"receivers": [{"id": 3, "name": "crm"}]}, "POST /syncs/3/remove": {"removed": 3}}
    asked: list[httpx.Request] = []
    assert cegla("sync remove crm", answers, asked) == 2
    assert "--yes" in capsys.readouterr().err
    assert "POST" not in {request.method for request in asked}
    assert cegla("sync remove crm --yes", answers, asked) == 0
