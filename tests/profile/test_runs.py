"""Runs of analysers over a real base: asked for, done part by part, summed up; and what must not be known goes."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from cegla.collect import actions as collect
from cegla.flow import Intake
from cegla.night import analyse, ask_analysers
from cegla.profile import actions as profile
from cegla.profile import analysing
from cegla.profile.catalogue import ANALYSERS, BY_KEY, TRAITS
from cegla.resolve import actions as resolve
from cegla.storage import dividing
from cegla.storage.warehouse import Snapshot
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.errors.people import AnalyserPurposeMissing
from cegla.vocabulary.identifiers import Identifier

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
DESKTOP = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
SOURCES: dict[str, int] = {}


@pytest.fixture
def ws(workspace: Workspace) -> Iterator[Workspace]:
    workspace.clock = lambda: NOW
    with workspace.transaction() as conn:
        SOURCES["shop"] = collect.add_source(conn, "shop", "server", Basis.CONTRACT, NOW)[0].id
    yield workspace


def visit(user: str, hours: int, agent: str = PHONE, **more: Any) -> dict[str, Any]:
    at = NOW - timedelta(hours=hours)
    return {"type": "page", "messageId": f"{user}-{hours}", "userId": user, "timestamp": at.isoformat(), "context": {"userAgent": agent}, "properties": {"url": "https://shop.example/"}} | more


def take_in(ws: Workspace, *events: dict[str, Any]) -> None:
    with ws.transaction() as conn:
        collect.write_down(conn, SOURCES["shop"], [json.dumps({"batch": list(events)}).encode()], NOW)
    Intake(ws).drain()


def finish(ws: Workspace) -> list[Any]:
    worker, parts = profile.runs.Worker(), list[Any]()
    while run := analyse(ws, worker):
        parts.append(run)
    return parts


def known(ws: Workspace, user: str) -> dict[str, Any]:
    with ws.transaction() as conn:
        person = resolve.look_up(conn, [Identifier("user_id", user)])[0]
        assert person is not None
        return profile.profiles_of(conn, [person])[person]


def three_people(ws: Workspace) -> None:
    take_in(ws, *(visit(user, 2 + 24 * day, DESKTOP if user == "u3" else PHONE) for user in ("u1", "u2", "u3") for day in range(4)))


def test_a_new_analyser_looks_at_everybody_part_by_part_and_is_summed_up(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    three_people(ws)
    monkeypatch.setattr("cegla.profile.runs.PEOPLE_AT_A_TIME", 2)
    parts = finish(ws)
    assert [part.done for part in parts if "os@1" in part.analysers] == [2, 3]
    assert parts[0].finished_at is None
    assert known(ws, "u1")["os.family"] == "iOS"
    with ws.transaction() as conn:
        summary = profile.runs.summaries(conn)["os.family"]
        assert (summary.people, summary.known, summary.values) == (3, 3, (("iOS", 2), ("Windows", 1)))
        assert len(profile.runs.people_with(conn, "os.family", "iOS")) == 2
        assert len(profile.runs.people_with(conn, "os.share", "Windows")) == 1
        steps = profile.runs.summaries(conn)["online.recency"].steps
        assert [len(profile.runs.people_with(conn, "online.recency", f"{low!r}..{high!r}")) for low, high, _ in steps] == [many for *_, many in steps]
        hours = profile.runs.summaries(conn)["rhythm.peak_hours"].values
        assert hours
        assert [len(profile.runs.people_with(conn, "rhythm.peak_hours", hour)) for hour, _ in hours] == [many for _, many in hours]


def test_of_people_with_a_long_history_fewer_are_looked_at_at_a_time(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    three_people(ws)
    monkeypatch.setattr(dividing, "ROWS_OF_A_PART", 8)  # four events each
    monkeypatch.setattr(dividing, "FEW_PEOPLE", 0)
    assert [part.done for part in finish(ws) if "os@1" in part.analysers] == [2, 3]
    assert [known(ws, user)["os.family"] for user in ("u1", "u2", "u3")] == ["iOS", "iOS", "Windows"]


def test_a_snapshot_keeps_nothing_of_the_histories_that_analysers_read(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[int] = []
    keep = Snapshot.keep
    monkeypatch.setattr(Snapshot, "keep", lambda past, rows: (kept.append(rows.num_rows if isinstance(rows, pa.Table) else -1), keep(past, rows))[1])
    three_people(ws)
    finish(ws)
    assert set(kept) == {0, 1}  # shared devices, and the moment


def test_analysers_learn_of_no_more_history_than_memory_should_hold(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[list[int]] = []
    seen_of = analysing.seen_of
    monkeypatch.setattr(analysing, "fitting", lambda past, people, most: [people[0]] if most == analysing.SAMPLE_ROWS else [])
    monkeypatch.setattr(analysing, "seen_of", lambda past, people, *more: (looked_at.append(list(people)), seen_of(past, people, *more))[1])
    three_people(ws)
    finish(ws)
    assert [len(people) for people in looked_at] == [3, 1, 3]  # right after the events; what is learnt; the run itself


def test_an_hour_later_only_people_there_is_news_of_are_looked_at(ws: Workspace) -> None:
    three_people(ws)
    finish(ws)
    take_in(ws, *(visit("u1", hour, DESKTOP) for hour in range(1)))
    ws.clock = lambda: NOW + timedelta(hours=1, minutes=1)
    touched = [part for part in finish(ws) if "os@1" in part.analysers]
    assert [(part.everybody, part.done) for part in touched] == [(False, 1)]
    assert set(known(ws, "u1")["os.share"]) == {"iOS", "Windows"}


def test_a_shop_that_was_empty_yesterday_sees_its_people_within_a_minute(ws: Workspace) -> None:
    finish(ws)
    three_people(ws)
    assert not finish(ws)
    ws.clock = lambda: NOW + timedelta(seconds=61)
    assert {key for part in finish(ws) for key in part.analysers} >= {"os@1", "rhythm@2", "intent@1"}
    with ws.transaction() as conn:
        assert {profile.runs.summaries(conn)[trait].people for trait in ("os.family", "engage.score")} == {3}


def test_a_round_that_took_long_comes_once_an_hour(ws: Workspace) -> None:
    three_people(ws)
    finish(ws)
    with ws.transaction() as conn:
        conn.execute("update profile.runs set seconds = 300")
    take_in(ws, visit("u1", 0, DESKTOP))
    ws.clock = lambda: NOW + timedelta(minutes=59)
    assert not finish(ws)
    ws.clock = lambda: NOW + timedelta(minutes=61)
    assert finish(ws)


def test_a_night_asks_for_everybody_where_time_alone_changes_traits(ws: Workspace) -> None:
    three_people(ws)
    finish(ws)
    ask_analysers(ws, NOW)
    assert all(part.everybody for part in finish(ws) if "os@1" in part.analysers)


def test_what_a_run_found_is_what_a_run_over_some_people_finds(ws: Workspace) -> None:
    three_people(ws)
    finish(ws)
    with ws.transaction() as conn, ws.warehouse.snapshot(10**9) as past:
        assert past is not None
        before = conn.execute("select person_id, analyser, found from profile.findings order by 1, 2").fetchall()
        everybody = analysing.everybody(past)
        analysing.analyse(conn, past, everybody[:1], analysing.running(conn), profile.runs.When(NOW, ws.settings.zone))
        assert conn.execute("select person_id, analyser, found from profile.findings order by 1, 2").fetchall() == before
        assert len(before) >= 3


def test_turned_off_an_analyser_leaves_nothing_behind(ws: Workspace) -> None:
    three_people(ws)
    finish(ws)
    with ws.transaction() as conn:
        profile.runs.switch(conn, "os", False, "", "anna", NOW)
    assert not any(key.startswith("os.") for key in known(ws, "u1"))
    with ws.transaction() as conn:
        assert not any(key.startswith("os.") for key in profile.runs.summaries(conn))
        assert not any(part for part in finish(ws) if "os@1" in part.analysers)
        profile.runs.switch(conn, "os", True, "profiling", "anna", NOW)
    finish(ws)
    assert known(ws, "u1")["os.family"] == "iOS"


def test_a_purpose_that_is_not_in_the_register_is_refused(ws: Workspace) -> None:
    with ws.transaction() as conn:
        with pytest.raises(AnalyserPurposeMissing):
            profile.runs.switch(conn, "os", True, "curiosity", "anna", NOW)
        with pytest.raises(NotFound):
            profile.runs.switch(conn, "horoscope", True, "profiling", "anna", NOW)


BORN = [{"birthday": "2014-05-01"}, {"age": 12}, {"birthday": "1.05.2014"}, {"dateOfBirth": "2014/5/1"}, {"birth_year": 2014}]


@pytest.mark.parametrize("traits", BORN, ids=lambda traits: next(iter(traits.items())).__repr__())
def test_what_was_found_of_a_child_goes_as_soon_as_it_is_known_to_be_one(ws: Workspace, traits: dict[str, Any]) -> None:
    three_people(ws)
    finish(ws)
    assert "os.family" in known(ws, "u1")
    take_in(ws, {"type": "identify", "messageId": "i", "userId": "u1", "timestamp": NOW.isoformat(), "traits": traits, "context": {"userAgent": PHONE}})
    assert not [key for key in known(ws, "u1") if key in TRAITS]
    assert "os.family" in known(ws, "u2")


@pytest.mark.parametrize("birthday", ["1.05.1984", "1984-05-01", "32.13.1984", "kiedyś", "2010-11-20", None, ["x"], "2014" * 50])
def test_of_a_grown_up_and_of_whom_nobody_knows_the_age_traits_are_found(ws: Workspace, birthday: Any) -> None:
    take_in(ws, {"type": "identify", "messageId": "i", "userId": "u1", "timestamp": NOW.isoformat(), "traits": {"birthday": birthday}, "context": {"userAgent": PHONE}})
    three_people(ws)
    finish(ws)
    assert "os.family" in known(ws, "u1")


@pytest.mark.parametrize("traits", [{"birthday": "2014-05-01"}, {"age": 12}])
def test_of_a_child_nothing_is_inferred(ws: Workspace, traits: dict[str, Any]) -> None:
    three_people(ws)
    finish(ws)
    assert "os.family" in known(ws, "u1")
    take_in(ws, {"type": "identify", "messageId": "i", "userId": "u1", "timestamp": NOW.isoformat(), "traits": traits, "context": {"userAgent": PHONE}})
    with ws.transaction() as conn:
        profile.runs.ask(conn, ["os"], "anna", NOW, everybody=True)
    finish(ws)
    assert "os.family" not in known(ws, "u1")
    assert "os.family" in known(ws, "u2")


@pytest.mark.parametrize("purpose", ["profiling", "marketing"])
def test_who_objects_to_profiling_is_not_profiled_any_more(ws: Workspace, purpose: str) -> None:
    three_people(ws)
    with ws.transaction() as conn:
        profile.runs.switch(conn, "os", True, purpose, "anna", NOW)
    finish(ws)
    assert "os.family" in known(ws, "u1")
    objection = {"consent": {"categoryPreferences": {"profiling": False}}, "userAgent": PHONE}
    take_in(ws, {"type": "track", "event": "Segment Consent Preference Updated", "messageId": "c", "userId": "u1", "timestamp": NOW.isoformat(), "context": objection})
    assert "os.family" not in known(ws, "u1")
    assert "os.family" in known(ws, "u2")


def test_an_erased_person_leaves_no_finding(ws: Workspace) -> None:
    three_people(ws)
    finish(ws)
    with ws.transaction() as conn:
        person = resolve.look_up(conn, [Identifier("user_id", "u1")])[0]
        assert person is not None
        assert profile.export_person(conn, [person])["findings"][person]["os.family"]["value"] == "iOS"
        assert profile.erase_person(conn, [person]) > 0
        assert not profile.export_person(conn, [person])["findings"]


def test_a_browser_that_two_people_share_makes_neither_sure(ws: Workspace) -> None:
    for user, start in (("u1", 40), ("u2", 10)):
        signed_in = [{**visit(user, start - hour), "anonymousId": "browser"} for hour in range(4)]
        anonymous = [{key: value for key, value in visit(f"{user}?", start - 4 - hour).items() if key != "userId"} | {"anonymousId": "browser"} for hour in range(4)]
        take_in(ws, *signed_in, *anonymous, *(visit(user, 60 + hour * 24) for hour in range(8)))
    finish(ws)
    with ws.transaction() as conn:
        found = {person: document["traits"]["os.family"]["confidence"] for person, document in conn.execute("select person_id, found from profile.findings where analyser = 'os'")}
    assert len(found) == 2
    assert max(found.values()) <= 0.5


# an analyser that fails --------------------------------------------------------------------------------------------------


OS = BY_KEY["os"]


def unanswerable(seen: Any) -> Any:
    """A question that DuckDB fails on while it answers, which ends a transaction."""
    table = OS.facts(seen)
    return table.mutate(wrong=table.person_id.cast("string").concat("@example.pl").cast("int64"))


def unkeepable(conn: Any, analyser: Any, *rest: Any) -> None:
    """Findings that PostgreSQL does not take."""
    keep(conn, analyser, *rest)
    if analyser.key == "os":
        conn.execute("select 1 / 0")


keep = profile.findings.keep


def break_os(monkeypatch: pytest.MonkeyPatch, of: str) -> None:
    if of == "postgres":
        monkeypatch.setattr(profile.findings, "keep", unkeepable)
    else:
        monkeypatch.setattr(analysing, "ANALYSERS", tuple(replace(OS, facts=unanswerable) if row is OS else row for row in ANALYSERS))


@pytest.mark.parametrize("of", ["duckdb", "postgres"])
def test_an_analyser_that_fails_leaves_the_others_alone_and_whom_it_failed_on_is_looked_at_again(ws: Workspace, monkeypatch: pytest.MonkeyPatch, of: str) -> None:
    break_os(monkeypatch, of)
    three_people(ws)
    with structlog.testing.capture_logs() as logs:
        parts = finish(ws)
    assert {part.failed for part in parts if part.finished_at} == {"os"}
    assert {key.partition(".")[0] for key in known(ws, "u1")} >= {"online", "rhythm", "engage", "device"}
    assert "os.family" not in known(ws, "u1")
    assert [line["error"] for line in logs if line.get("analyser") == "os"] == ["ConversionException" if of == "duckdb" else "DivisionByZero"]
    assert "example.pl" not in str(logs)
    assert {key for key, one in failing(ws).items() if one and one.is_due} == {"os"}
    monkeypatch.undo()
    assert not finish(ws)  # not at once
    ws.clock = lambda: NOW + timedelta(minutes=2)
    assert [part.done for part in finish(ws) if "os@1" in part.analysers] == [3]
    assert known(ws, "u1")["os.family"] == "iOS"
    mended = failing(ws)["os"]
    assert mended is not None
    assert (mended.is_due, mended.in_a_row, mended.failures) == (False, 0, 1)


def failing(ws: Workspace) -> dict[str, Any]:
    with ws.transaction() as conn:
        return {one.analyser.key: one.failing for one in profile.runs.overview(conn)}


def test_what_fails_right_after_a_batch_is_due_for_the_people_it_touched(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    three_people(ws)
    finish(ws)
    (on_event, *_) = [row for row in ANALYSERS if row.schedule == "on_event"]

    def fail(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(analysing, "ANALYSERS", tuple(replace(row, read=fail) if row is on_event else row for row in ANALYSERS))
    take_in(ws, visit("u1", 0, DESKTOP))
    monkeypatch.undo()
    ws.clock = lambda: NOW + timedelta(minutes=2)
    assert [part.done for part in finish(ws) if on_event.method_version in part.analysers] == [1]


def test_a_night_that_cannot_learn_asks_everybody_again(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    learning = next(row for row in ANALYSERS if row.fit is not None)

    def fail(*_: Any) -> Any:
        raise OverflowError

    forgetful = replace(learning, fit=replace(learning.fit, learn=fail))
    monkeypatch.setattr(analysing, "ANALYSERS", tuple(forgetful if row is learning else row for row in ANALYSERS))
    three_people(ws)
    finish(ws)
    monkeypatch.undo()
    ws.clock = lambda: NOW + timedelta(minutes=2)
    again = [part for part in finish(ws) if part.everybody]
    assert [part.analysers for part in again] == [(learning.method_version,)]
    with ws.transaction() as conn:
        assert profile.findings.learnt(conn, [learning.key])[learning.key].version == 1


def test_a_run_that_is_cut_off_within_a_part_goes_on_where_the_last_whole_part_ended(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    three_people(ws)
    monkeypatch.setattr("cegla.profile.runs.PEOPLE_AT_A_TIME", 2)
    worker = profile.runs.Worker()
    first = analyse(ws, worker)
    assert first is not None
    assert (first.done, first.finished_at) == (2, None)

    def cut_off(conn: Any, analyser: Any, *rest: Any) -> None:
        keep(conn, analyser, *rest)
        if analyser.key == "online":
            raise KeyboardInterrupt

    monkeypatch.setattr(profile.findings, "keep", cut_off)
    with pytest.raises(KeyboardInterrupt):
        analyse(ws, worker)
    assert not [key for key in known(ws, "u3") if key.startswith(("geo.", "os.", "online."))]
    monkeypatch.setattr(profile.findings, "keep", keep)
    assert [part.done for part in finish(ws)] == [3]  # by another process, which remembers nothing
    assert known(ws, "u3")["os.family"] == "Windows"


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 10)), min_size=1, max_size=8))
def test_people_in_ranges_are_those_of_any_of_them(drawn: list[tuple[int, int]]) -> None:
    ranges = [(after, after + width) for after, width in drawn]
    people = list(range(1, 55))
    assert profile.runs.within(people, ranges) == [person for person in people if any(after < person <= upto for after, upto in ranges)]


def test_of_a_large_base_distributions_are_counted_over_a_sample_and_say_so(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    take_in(ws, *(visit(f"u{number}", 2, DESKTOP) for number in range(40)))
    monkeypatch.setattr("cegla.profile.runs.COUNTED_PEOPLE", 20)
    finish(ws)
    with ws.transaction() as conn:
        summary = profile.runs.summaries(conn)["os.family"]
        assert summary.sample is not None
        assert 0 < summary.sample < 40
        assert (summary.people, summary.values) == (40, (("Windows", 40),))
        assert len(profile.runs.people_with(conn, "os.family", "Windows")) == 40
