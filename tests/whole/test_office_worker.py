"""The office worker of the mission through real intake: at home at seven, elsewhere from nine to five, three devices, two addresses."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from cegla.collect import actions as collect
from cegla.flow import Intake, refresh
from cegla.night import analyse, ask_analysers
from cegla.profile import actions as profile
from cegla.profile.story import Story
from cegla.resolve import actions as resolve
from cegla.storage.postgres import EmbeddedPostgres
from cegla.storage.settings import Settings
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.identifiers import Identifier
from demo import office_worker as marta

NOW = datetime(2026, 11, 20, 21, 30, tzinfo=UTC)
pytestmark = pytest.mark.whole


@pytest.fixture(scope="module")
def ws(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace that took in Marta's six weeks, with `place` on, after a night."""
    keeper = server.dsn.replace("dbname=cegla", "dbname=postgres")
    with psycopg.connect(keeper, autocommit=True) as conn:
        conn.execute("create database office_worker template cegla strategy file_copy")
    settings = Settings.model_validate({"data_dir": tmp_path_factory.mktemp("office")})
    ws = Workspace(settings, server.dsn.replace("dbname=cegla", "dbname=office_worker"), pool_size=4, clock=lambda: NOW)
    with ws.transaction() as conn:
        source = collect.add_source(conn, "shop", "server", Basis.CONTRACT, NOW)[0].id
        sent = [one.event for one in marta.stream(NOW)]
        for start in range(0, len(sent), 100):
            collect.write_down(conn, source, [json.dumps({"batch": sent[start : start + 100]}).encode()], NOW)
    Intake(ws).drain()
    with ws.transaction() as conn:
        profile.runs.switch(conn, "place", True, "profiling", "anna", NOW)
    ask_analysers(ws, NOW)
    worker = profile.runs.Worker()
    while analyse(ws, worker):
        pass
    yield ws
    ws.close()
    with psycopg.connect(keeper, autocommit=True) as conn:
        conn.execute("drop database office_worker with (force)")


@pytest.fixture(scope="module")
def person(ws: Workspace) -> int:
    with ws.transaction() as conn:
        found = {resolve.look_up(conn, [Identifier("email", one)])[0] for one in (marta.PRIVATE, marta.WORK)}
    assert len(found) == 1, "both addresses are hers"
    return found.pop() or 0


@pytest.fixture(scope="module")
def known(ws: Workspace, person: int) -> dict[str, Any]:
    with ws.transaction() as conn:
        return profile.profiles_of(conn, [person])[person]


@pytest.fixture(scope="module")
def story(ws: Workspace, person: int) -> Story:
    with ws.transaction() as conn:
        ids = resolve.links.identity_ids(conn, person)
        found = profile.profile_of(conn, ws.warehouse, person, ids, NOW, ws.settings.zone).story
    assert found is not None
    return found


def named(ws: Workspace, person: int) -> dict[int, str]:
    with ws.transaction() as conn:
        return {one.identity_id: one.value for one in resolve.identifiers_of(conn, [person])[person]}


def test_where_and_when_she_lives_and_works(known: dict[str, Any]) -> None:
    assert (known["consumer.home"], known["consumer.work"]) == (marta.HOME_POWIAT, marta.WORK_POWIAT)
    assert known["consumer.working_hours"] == "9–17"
    assert known["consumer.day"] == "office"


def test_which_devices_are_for_work(known: dict[str, Any]) -> None:
    uses = {one["device"]: one["use"] for one in known["consumer.devices"]}
    assert {name.split()[-1]: use for name, use in uses.items()} == {"Android": "private", "iPhone": "work", "Windows": "work"}


def test_what_she_looks_at_by_daypart(known: dict[str, Any]) -> None:
    topics = {one["daypart"]: one["topics"] for one in known["consumer.topics_by_daypart"]}
    assert topics["work"][0] == "Drukarki i tonery"
    assert {topics[part][0] for part in ("morning", "evening", "weekend")} == {"Rowery"}


def test_which_address_about_what_and_when_and_why(ws: Workspace, person: int, known: dict[str, Any]) -> None:
    text = named(ws, person)
    assert {text[one["identity"]]: one["use"] for one in known["contact.addresses"]} == {marta.PRIVATE: "private", marta.WORK: "work"}
    lines = {one["about"]: one for one in known["contact.plan"]}
    work, private = lines["work"], lines["private"]
    assert (text[work["identity"]], work["days"], work["topics"][0]) == (marta.WORK, "workdays", "Drukarki i tonery")
    assert 9 <= work["hour"] < 17
    assert (text[private["identity"]], private["topics"][0]) == (marta.PRIVATE, "Rowery")
    assert not 9 <= private["hour"] < 17
    assert {"work_address", "subjects_then"} <= set(work["reasons"])


def test_she_is_both_with_confidence_for_the_firm_at_work_and_for_herself_after_it(known: dict[str, Any], story: Story) -> None:
    assert known["consumer.side"] == "both"
    side = next(one for one in story.statements if one.trait == "consumer.side")
    assert side.confidence >= 0.9
    assert any("acts under an address for work at work" in why.en for why in side.why)


def test_nothing_is_at_odds(known: dict[str, Any]) -> None:
    assert known["consumer.conflicts"] == []
    assert known["consumer.consistency"] == 1.0


def test_every_statement_says_why_in_two_languages(story: Story) -> None:
    assert len(story.plan) == 3
    for one in (*story.statements, *story.addresses, *story.plan):
        assert one.why
        assert all(text.pl and text.en and "?" not in text.pl + text.en for text in one.why)
        assert 0 < one.confidence <= 1


def test_without_place_nobody_knows_where_she_lives(ws: Workspace, person: int) -> None:
    with ws.transaction() as conn:
        profile.runs.switch(conn, "place", False, "", "anna", NOW)
    worker = profile.runs.Worker()
    while analyse(ws, worker):
        pass
    with ws.transaction() as conn:
        known = profile.profiles_of(conn, [person])[person]
    assert not {"consumer.home", "consumer.work", "place.home"} & set(known)
    assert known["consumer.working_hours"] == "9–17", "the firm's network still tells"


def test_an_event_changes_the_profile_at_once(ws: Workspace, person: int) -> None:
    with ws.transaction() as conn:
        before = profile.profiles_of(conn, [person])[person]["contact.addresses"]
        source = next(one.id for one in collect.sources(conn))
        event = {"type": "identify", "userId": marta.USER, "messageId": "one-more", "timestamp": NOW.isoformat(), "traits": {"email": "biuro@drukmax.pl"}}
        collect.write_down(conn, source, [json.dumps({"batch": [event]}).encode()], NOW)
    Intake(ws).drain()
    while refresh(ws) is not None:
        pass
    with ws.transaction() as conn:
        after = profile.profiles_of(conn, [person])[person]["contact.addresses"]
    assert (len(before), len(after)) == (2, 3)
    assert "role_mailbox" in after[-1]["signs"]
