"""The door from inside: what is written down comes back as events, once, and the counters add up."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cegla.collect import actions as collect
from cegla.collect import store
from cegla.repair import actions as repair
from cegla.storage.settings import CollectorSettings
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.errors.intake import NotReplayable
from cegla.vocabulary.events import Event, Reason
from cegla.vocabulary.identifiers import Borne, Identifier

FRESH = count(1_000)
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LIMITS = CollectorSettings.model_validate({})


def track(number: int, **more: object) -> dict[str, object]:
    return {"type": "track", "event": "Product Viewed", "messageId": f"m-{number}", "anonymousId": "a-1", **more}


def batch(*events: object) -> bytes:
    return json.dumps({"batch": events}).encode()


def website(conn: Connection) -> collect.Source:
    return collect.add_source(conn, "shop", "website", Basis.CONTRACT, NOW)[0]


def take_in(conn: Connection, most_events: int = 1_000, now: datetime = NOW) -> list[Event]:
    """What intake does, without the slices above."""
    taken = collect.take(conn, most_events)
    if not taken.requests:
        return []
    decoded = collect.decode(taken, {source.id: source for source in collect.sources(conn)}, LIMITS)
    events = collect.drop_repeats(conn, decoded.events, now)
    repair.set_aside(conn, decoded.set_aside, now)
    collect.advance(conn, taken, events, len(decoded.events) - len(events), decoded.set_aside)
    return events


def ids(events: Sequence[Event]) -> list[str]:
    return [event.message_id for event in events]


def test_a_source_is_made_once_and_its_secret_is_shown_once(conn: Connection) -> None:
    source, secret = collect.add_source(conn, "shop", "website", Basis.CONSENT, NOW)
    again, nothing = collect.add_source(conn, "shop", "website", Basis.CONSENT, NOW)
    assert again == source
    assert secret.startswith("sk_")
    assert nothing == ""
    assert collect.sources(conn) == [source]


def test_what_is_written_down_is_taken_in_once(conn: Connection) -> None:
    source = website(conn)
    collect.write_down(conn, source.id, [batch(track(1), track(2)), json.dumps(track(3)).encode()], NOW)
    assert ids(take_in(conn)) == ["m-1", "m-2", "m-3"]
    assert take_in(conn) == []


def test_own_events_are_trusted(conn: Connection) -> None:
    collect.write_down(conn, website(conn).id, [batch(track(1))], NOW)
    assert [event.trusted for event in take_in(conn)] == [True]


def test_repeats_are_dropped_within_a_batch_and_later(conn: Connection) -> None:
    source = website(conn)
    collect.write_down(conn, source.id, [batch(track(1), track(1), track(2))], NOW)
    assert ids(take_in(conn)) == ["m-1", "m-2"]
    collect.write_down(conn, source.id, [batch(track(2), track(3))], NOW)
    assert ids(take_in(conn)) == ["m-3"]
    assert collect.standing(conn)[0].repeated == 2


def test_equal_message_ids_of_two_sources_are_two_events(conn: Connection) -> None:
    other, _ = collect.add_source(conn, "other", "website", Basis.CONTRACT, NOW)
    for source_id in (website(conn).id, other.id):
        collect.write_down(conn, source_id, [batch(track(1))], NOW)
    assert len(take_in(conn)) == 2


@pytest.mark.parametrize(("kind", "days", "repeated"), [("website", 30, True), ("website", 63, False), ("import", 400, True)])
def test_events_are_remembered_for_a_month_and_imports_for_good(conn: Connection, kind: str, days: int, repeated: bool) -> None:
    source, _ = collect.add_source(conn, "any", kind, Basis.CONTRACT, NOW)
    collect.write_down(conn, source.id, [batch(track(1))], NOW)
    take_in(conn)
    collect.write_down(conn, source.id, [batch(track(1))], NOW)
    assert (take_in(conn, now=NOW + timedelta(days=days)) == []) is repeated


def test_take_serves_all_writers_in_order_and_fairly(conn: Connection) -> None:
    first, second = website(conn), collect.add_source(conn, "import", "import", Basis.CONTRACT, NOW)[0]
    collect.write_down(conn, second.id, [batch(track(number)) for number in range(50)], NOW)
    collect.write_down(conn, first.id, [batch(track(number)) for number in range(3)], NOW)
    events = take_in(conn, most_events=10)
    assert len(events) == 10
    assert [event.message_id for event in events if event.source_id == first.id] == ["m-0", "m-1", "m-2"]
    assert [event.number for event in events if event.source_id == second.id] == list(range(1, 8))


def test_one_request_larger_than_a_batch_is_still_taken(conn: Connection) -> None:
    collect.write_down(conn, website(conn).id, [batch(*map(track, range(20)))], NOW)
    assert len(take_in(conn, most_events=5)) == 20


def test_large_requests_fill_a_batch_with_fewer_events(conn: Connection) -> None:
    large = [batch(track(number, properties={"text": "x" * 20_000})) for number in range(6)]
    collect.write_down(conn, website(conn).id, [*large, *(batch(track(number)) for number in range(10, 30))], NOW)
    requests = collect.take(conn, most_events=25).requests
    assert [request.weight for request in requests] == [10, 10, 10], "a batch of 25 ends with the request that fills it"
    assert ids(take_in(conn, most_events=25)) == ["m-0", "m-1", "m-2"]
    assert ids(take_in(conn, most_events=25)) == ["m-3", "m-4", "m-5"]
    assert len(take_in(conn, most_events=25)) == 20


def test_a_bad_event_goes_to_quarantine_alone_and_can_be_corrected_and_replayed(conn: Connection) -> None:
    source = website(conn)
    bad = track(2, timestamp="2026-11-19T10:00:00Z")
    del bad["event"]
    collect.write_down(conn, source.id, [batch(track(1), bad)], NOW)
    assert ids(take_in(conn)) == ["m-1"]
    (row,) = repair.listed(conn)
    assert (row.reason, row.message_id) == (Reason.MISSING_EVENT_NAME, "m-2")
    corrected = {"steps": [{"rename_event": "Order Completed"}]}
    assert repair.start(conn, repair.Decision("replay", repair.Filter(ids=(row.id,)), corrected), "anna", NOW + timedelta(days=1)).done == 1
    (event,) = take_in(conn)
    assert (event.name, event.message_id, event.received_at) == ("Order Completed", "m-2", NOW)
    assert event.occurred_at == datetime(2026, 11, 19, 10, tzinfo=UTC)
    assert repair.listed(conn) == []
    with pytest.raises(NotReplayable):
        repair.start(conn, repair.Decision("replay", repair.Filter(ids=(row.id,))), "anna", NOW)


def test_what_another_intake_took_meanwhile_is_no_damage(conn: Connection) -> None:
    source, _ = collect.add_source(conn, "shop", "server", Basis.CONTRACT, NOW)
    collect.write_down(conn, source.id, [batch(track(number)) for number in range(6)], NOW)
    first = collect.take(conn, 2)
    ahead = store.waiting(conn, 2, first.position)
    for _ in range(2):  # somebody else takes in what was taken, and what was read ahead
        take_in(conn, 2)
    assert store.check_chain(conn, ahead, first.position) == []  # read before they were done, looked at after
    assert [request.number for request in collect.take(conn, 2, first.position).requests] == [5, 6]  # read after it
    assert collect.standing(conn)[0].damaged == 0
    conn.execute("delete from collect.inbox where number = 5")
    collect.take(conn, 2, first.position)
    assert collect.standing(conn)[0].gone == 1


def test_an_event_set_aside_after_the_repeats_were_dropped_can_be_replayed(conn: Connection) -> None:
    collect.write_down(conn, website(conn).id, [batch(track(1, properties={"a": 1}))], NOW)
    taken = collect.take(conn, 10)
    (event,) = collect.drop_repeats(conn, collect.decode(taken, {source.id: source for source in collect.sources(conn)}, LIMITS).events, NOW)
    aside = [collect.as_set_aside(event, Reason.SUPPRESSED, "")]
    repair.set_aside(conn, aside, NOW)
    collect.advance(conn, taken, [], 0, aside)
    repair.start(conn, repair.Decision("replay", repair.Filter()), "anna", NOW)
    (again,) = take_in(conn)
    assert (again.message_id, again.properties) == ("m-1", {"a": 1})


def test_a_lost_event_is_seen_in_the_standing(conn: Connection) -> None:
    collect.write_down(conn, website(conn).id, [batch(track(1), track(2))], NOW)
    taken = collect.take(conn, 10)
    collect.advance(conn, taken, [], 0, [])
    assert not collect.standing(conn)[0].adds_up


def test_a_removed_request_and_a_changed_body_are_seen_as_damage(conn: Connection) -> None:
    collect.write_down(conn, website(conn).id, [batch(track(number)) for number in range(4)], NOW)
    conn.execute("delete from collect.inbox where number = 2")
    conn.execute("update collect.inbox set body = '{}' where number = 4")
    take_in(conn)
    assert conn.execute("select number from collect.damage order by number").fetchall() == [(2,), (4,)]
    assert not collect.standing(conn)[0].adds_up


def test_old_requests_are_forgotten_only_after_they_were_taken_in(conn: Connection) -> None:
    collect.write_down(conn, website(conn).id, [batch(track(1))], NOW)
    later = datetime.now(UTC) + timedelta(days=31)
    assert collect.forget_old(conn, later) == 0
    take_in(conn)
    assert collect.forget_old(conn, later) == 1


def test_a_person_is_exported_and_erased_and_nobody_else(conn: Connection) -> None:
    source = website(conn)
    anna = track(1, anonymousId="7", traits={"email": "Anna@Example.pl"}, event=None)
    collect.write_down(conn, source.id, [batch(anna), batch(track(2, anonymousId="77", properties={"note": "7"}))], NOW)
    take_in(conn)
    wanted = [Borne(Identifier("email", "anna@example.pl")), Borne(Identifier("anonymous_id", "7"))]
    assert len(collect.export_person(conn, wanted)["requests"]) == len(repair.export_person(conn, wanted)["quarantine"]) == 1
    assert collect.erase_person(conn, wanted) == repair.erase_person(conn, wanted) == 1
    assert {**collect.export_person(conn, wanted), **repair.export_person(conn, wanted)} == {"requests": [], "quarantine": []}
    assert len(collect.export_person(conn, [Borne(Identifier("anonymous_id", "77"))])["requests"]) == 1


def test_of_a_request_with_several_people_each_is_given_only_their_own(conn: Connection) -> None:
    source = website(conn)
    anna, jan = track(1, userId="anna-1", anonymousId="a-7"), track(2, userId="jan-22", anonymousId="a-8")
    told = json.dumps({"batch": [track(3, anonymousId=None), jan], "context": {"traits": {"email": "anna@example.pl"}}}).encode()
    known = json.dumps({"batch": [track(4, anonymousId=None)], "context": {"externalIds": [{"type": "card_number", "id": "K-555-1"}]}}).encode()
    mixed = [json.dumps([anna, jan]).encode(), json.dumps({"batch": {"0": jan}, "userId": "anna-1"}).encode(), b"anna-1 and jan-22"]
    collect.write_down(conn, source.id, [batch(anna, jan), told, *mixed[:2], b"{}"], NOW)
    conn.execute("update collect.inbox set body = %s where body = '{}'", [mixed[2]])  # as a webhook's: no JSON

    def given(*wanted: Identifier) -> list[dict[str, Any]]:
        return [row for row in collect.export_person(conn, [Borne(one) for one in wanted])["requests"] if row["received_at"] == NOW and row["source_id"] == source.id]

    of_anna = given(Identifier("user_id", "anna-1"), Identifier("email", "anna@example.pl"))
    of_jan = given(Identifier("user_id", "jan-22"))
    assert [[json.loads(event)["messageId"] for event in row["events"]] for row in of_anna] == [["m-1"], ["m-3"], [], [], []]
    assert [[json.loads(event)["messageId"] for event in row["events"]] for row in of_jan] == [["m-2"], ["m-2"], [], []]
    assert [row.get("not_given_bytes") for row in of_anna] == [None, None, *map(len, mixed)]
    assert b"anna@example.pl" in of_anna[1]["context"]
    collect.write_down(conn, source.id, [known], NOW)
    (by_card,) = given(Identifier("card_number", "K-555-1"))
    assert b"m-4" in by_card["events"][0] and b"K-555-1" in by_card["context"]
    assert "jan-22" not in str(of_anna)
    assert "anna" not in str(of_jan)


def test_a_released_address_is_each_bearers_in_their_own_time_and_a_shared_browser_is_whoever_the_event_names(conn: Connection) -> None:
    source = website(conn)
    before, after = (track(n, anonymousId="b", traits={"email": "a@x.pl"}, timestamp=f"2026-0{n}-01T00:00:00Z") for n in (1, 3))
    collect.write_down(conn, source.id, [batch(before, after), batch(track(4, userId="jan-22", anonymousId="kiosk"))], NOW)
    take_in(conn)
    given, day = Identifier("email", "a@x.pl"), datetime(2026, 2, 1, tzinfo=UTC)

    def told(*wanted: Borne) -> list[str]:
        return [json.loads(event)["messageId"] for row in collect.export_person(conn, wanted)["requests"] for event in row["events"]]

    assert (told(Borne(given, until=day)), told(Borne(given, since=day))) == (["m-1"], ["m-3"])
    assert told(Borne(Identifier("anonymous_id", "kiosk"))) == []
    assert told(Borne(Identifier("user_id", "jan-22")), Borne(Identifier("anonymous_id", "kiosk"))) == ["m-4"]
    assert collect.erase_person(conn, [Borne(given, until=datetime(2025, 1, 1, tzinfo=UTC))]) == 0


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["good", "bad", "again"]), st.integers(1, 40)), max_size=12), st.integers(1, 60))
def test_every_accepted_event_is_applied_repeated_quarantined_or_waiting(workspace: Workspace, requests: list[tuple[str, int]], most_events: int) -> None:
    with workspace.transaction() as conn:
        source = website(conn)
        for kind, size in requests:
            events = [{} if kind == "bad" else track(number if kind == "again" else next(FRESH)) for number in range(size)]
            collect.write_down(conn, source.id, [batch(*events)], NOW)
            assert all(row.adds_up for row in collect.standing(conn))
            take_in(conn, most_events)
            (row,) = collect.standing(conn)
            assert row.adds_up
        while take_in(conn, most_events) or collect.take(conn, 1).requests:
            pass
        row = collect.standing(conn)[0]
        assert replace(row, waiting=0).adds_up


@pytest.mark.parametrize(
    ("told", "identifier"),
    [
        ({"traits": {"email": "Anna.Nowak@Example.pl"}}, Identifier("email", "anna.nowak@example.pl")),
        ({"traits": {"email": "Łukasz@Example.pl"}}, Identifier("email", "łukasz@example.pl")),
        ({"traits": {"email": "Ola@Żółw.pl"}}, Identifier("email", "ola@xn--w-uga1v8h.pl")),
        ({"traits": {"email": "Żółw@Żółw.pl"}}, Identifier("email", "żółw@xn--w-uga1v8h.pl")),
        ({"userId": "z\u0307o\u0301łc\u0301"}, Identifier("user_id", "żółć")),
        ({"userId": "Łódź/7"}, Identifier("user_id", "Łódź/7")),
        ({"userId": "żółć"}, Identifier("user_id", "żółć")),
        ({"userId": "ŻÓŁĆ"}, Identifier("user_id", "ŻÓŁĆ")),
        ({"userId": "7"}, Identifier("user_id", "7")),
    ],
)
@pytest.mark.parametrize("escaped", [True, False])
def test_a_request_that_names_somebody_goes_with_them_however_it_is_written(conn: Connection, told: dict[str, object], identifier: Identifier, escaped: bool) -> None:
    source = website(conn)
    for number, event in enumerate([{"messageId": "m", **told}, {"messageId": "other", "userId": "somebody else"}]):
        body = json.dumps({"batch": [{"type": "identify", **event}]}, ensure_ascii=escaped)
        collect.write_down(conn, source.id, [(body.replace("/", "\\/") if number == 0 else body).encode()], NOW)
    take_in(conn)
    assert len(collect.export_person(conn, [Borne(identifier)])["requests"]) == 1
    assert collect.erase_person(conn, [Borne(identifier)]) == 1
    assert conn.execute("select count(*) from collect.inbox").fetchone() == (1,)


def test_the_search_for_texts_is_part_of_the_plan_of_whoever_asks_and_no_call_a_row(conn: Connection) -> None:
    texts = [b"anna", b"ola"]
    plan = str(conn.execute("explain select from collect.inbox i where exists (select from collect.texts_in(i.body, %s::bytea[]))", [texts]).fetchall())
    assert "POSITION" in plan and "texts_in" not in plan
    (found,) = conn.execute("select array_agg(one) from collect.texts_in(%s, %s::bytea[]) one", ['ANNA, łza'.encode(), [*texts, "łza".encode()]]).fetchone() or ([],)
    assert found == [b"anna", "łza".encode()]
