"""The door of resolve beside finding people: search, why, back again, out, and what happens when a transaction does not commit."""

import threading

import psycopg
import pytest

from cegla.resolve import actions as resolve
from cegla.resolve import pointing
from cegla.storage.postgres import EmbeddedPostgres
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.errors import NotFound
from tests.resolve.known import NOON, alias, browser, check_books, clusters, email, event, identify, person, take_in, user


@pytest.mark.parametrize("text", ["lukasz", "ŁUKASZ", "Łukasz@", "asz@x", "p1", "1"])
def test_people_are_found_by_part_of_an_identifier_without_capitals_or_diacritics(conn: Connection, text: str) -> None:
    take_in(conn, [identify(0, "u-1", "b1", email="łukasz@x.pl"), identify(1, "zofia", email="zofia@x.pl")])
    (row,) = resolve.find(conn, text, 0, 10)
    assert row.id == person(conn, user("u-1"))
    assert [one.type for one in row.identifiers] == ["user_id", "email", "anonymous_id"]


def test_search_takes_percent_signs_literally_and_pages_by_id(conn: Connection) -> None:
    take_in(conn, [event(n, f"u_{n}") for n in range(5)] + [event(9, "u%")])
    assert [row.identifiers[0].value for row in resolve.find(conn, "%", 0, 10)] == ["u%"]
    first = resolve.find(conn, "u_", 0, 2)
    assert [row.identifiers[0].value for row in first + resolve.find(conn, "u_", first[-1].id, 9)] == [f"u_{n}" for n in range(5)]
    assert resolve.links.count_people(conn) == 6


def test_a_browser_id_is_found_whole_only(conn: Connection) -> None:
    take_in(conn, [event(0, None, "Browser-77")])
    assert len(resolve.find(conn, "Browser-77", 0, 9)) == 1
    assert resolve.find(conn, "Browser", 0, 9) == []


def test_a_former_person_number_finds_who_holds_it_today(conn: Connection) -> None:
    take_in(conn, [event(0, None, "b1"), event(1, None, "b2")], [event(2, "u1", "b1"), event(3, "u1", "b2")])
    gone = 2
    assert [row.id for row in resolve.find(conn, f"p{gone}", 0, 9)] == [person(conn, user("u1"))] == [1]


def test_every_identifier_says_how_it_is_known(conn: Connection) -> None:
    take_in(conn, [event(0, None, "b1"), identify(1, "u1", "b1", email="a@x.pl"), event(2, "u2", "b1"), event(3, None, "b1")])
    known = resolve.identifiers_of(conn, [person(conn, user("u1"))])
    (identifiers,) = known.values()
    assert [(row.type, row.linked_by, row.message_id) for row in identifiers] == [
        ("user_id", "stated", "1-u1-b1-identify"), ("email", "stated", "1-u1-b1-identify"), ("anonymous_id", "seen", "1-u1-b1-identify"),
    ]  # fmt: skip
    (other,) = resolve.identifiers_of(conn, [person(conn, user("u2"))]).values()
    assert [(row.type, row.held) for row in other] == [("user_id", False), ("anonymous_id", True)]


def test_a_refused_link_stays_visible_with_its_reason_in_both_languages(conn: Connection) -> None:
    take_in(conn, [event(0, "u1", "b1"), event(1, "u2", "b1")])
    (refused,) = resolve.links.refused_links(conn)
    assert (refused.strong, refused.weak, refused.refused) == (user("u2"), browser("b1"), "unique")
    assert refused.why_refused
    assert refused.why_refused.pl != refused.why_refused.en
    assert refused in resolve.links.edges_of(conn, person(conn, user("u2")))


def test_a_link_can_be_taken_back_once(conn: Connection) -> None:
    take_in(conn, [event(0, "u1", "b1")])
    (edge,) = resolve.links.edges_of(conn, person(conn, user("u1")))
    resolve.links.retract(conn, edge.edge_id, "ola", NOON)
    with pytest.raises(NotFound):
        resolve.links.retract(conn, edge.edge_id, "ola", NOON)
    (edge,) = resolve.links.edges_of(conn, person(conn, user("u1")))
    assert (edge.retracted_by, edge.retracted_at) == ("ola", NOON)


def test_joining_and_parting_are_logged_for_every_identity(conn: Connection) -> None:
    take_in(conn, [event(0, None, "b1")], [event(1, "u1")], [event(2, "u1", "b1")])
    (edge,) = resolve.links.edges_of(conn, 1)
    resolve.links.retract(conn, edge.edge_id, "ola", NOON)
    logged = conn.execute("select identity_id, from_person, to_person, edge_id, cause, actor from resolve.moves order by move_id").fetchall()
    assert logged == [(2, 2, 1, edge.edge_id, "link", "intake"), (2, 1, 2, edge.edge_id, "retraction", "ola")]


def test_a_parted_browser_that_guests_used_stays_with_its_guests(conn: Connection) -> None:
    take_in(conn, [event(0, "u1", "b1"), event(1, "u2", "b1"), event(2, None, "b1")], [event(3, "u2", "b2")])
    before = resolve.identifiers_of(conn, [person(conn, user("u2"))])
    edge = next(edge for edge in resolve.links.edges_of(conn, person(conn, user("u1"))) if edge.refused is None)
    resolve.links.retract(conn, edge.edge_id, "ola", NOON)
    after = resolve.identifiers_of(conn, [person(conn, user("u2"))])
    assert {row.identity_id for rows in before.values() for row in rows} <= {row.identity_id for rows in after.values() for row in rows}
    assert person(conn, browser("b1")) == person(conn, user("u2")), "without the first user, the second one's link holds"


def test_an_export_holds_a_persons_identifiers_and_nobody_elses(conn: Connection) -> None:
    (found,) = take_in(conn, [identify(0, "u1", "b1", email="a@x.pl"), event(1, "u2", "b1")])
    exported = resolve.export_person(conn, [found.identity_ids[0]])
    assert {row["value"] for row in exported["identifiers"]} == {"u1", "b1", "a@x.pl"}
    assert "u2" not in str(exported)
    assert len(exported["links"]) == 3


def test_a_cache_forgets_what_was_rolled_back(workspace: Workspace) -> None:
    cache = resolve.IdentityCache()
    with pytest.raises(ZeroDivisionError), workspace.transaction() as conn:
        resolve.find_people(conn, [event(0, "u1", "b1")], cache)
        raise ZeroDivisionError
    with workspace.transaction() as conn:
        found = resolve.find_people(conn, [event(0, "u1", "b1")], cache)
        assert clusters(conn) == {frozenset({user("u1"), browser("b1")})}
        assert found.people == [person(conn, user("u1"))]


def test_a_cache_forgets_a_batch_that_broke_off_on_its_way(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = resolve.IdentityCache()
    with workspace.transaction() as conn:
        resolve.find_people(conn, [event(0, "u1", "b1")], cache)
    with monkeypatch.context() as broken, pytest.raises(ZeroDivisionError), workspace.transaction() as conn:
        broken.setattr(pointing, "point", lambda *_: 1 // 0)
        resolve.find_people(conn, [event(1, "u2", "b2")], cache)
    with workspace.transaction() as conn:
        resolve.find_people(conn, [event(1, "u2", "b2"), event(2, "u3", "b2")], cache)
        check_books(conn)
        assert len(clusters(conn)) == 3


def test_a_cache_follows_what_another_writer_did(workspace: Workspace) -> None:
    one, other = resolve.IdentityCache(), resolve.IdentityCache()
    for cache, row in ((one, event(0, None, "b1")), (other, event(1, "u1")), (one, event(2, "u1", "b1")), (other, event(3, "u1"))):
        with workspace.transaction() as conn:
            found = resolve.find_people(conn, [row], cache)
    assert found.people == [1]


def test_two_workspaces_know_nothing_of_each_other(workspace: Workspace, server: EmbeddedPostgres) -> None:
    name = "resolve_neighbor"
    with psycopg.connect(server.dsn.replace("dbname=cegla", "dbname=postgres"), autocommit=True) as keeper:
        keeper.execute(f"create database {name} template cegla strategy file_copy")
    neighbor = Workspace(workspace.settings, server.dsn.replace("dbname=cegla", f"dbname={name}"))
    try:
        for ws, rows in ((workspace, [event(0, "u1", "b1")]), (neighbor, [event(0, "u2", "b1")])):
            with ws.transaction() as conn:
                resolve.find_people(conn, rows)
        with neighbor.transaction() as conn:
            assert clusters(conn) == {frozenset({user("u2"), browser("b1")})}
    finally:
        neighbor.close()
        with psycopg.connect(server.dsn.replace("dbname=cegla", "dbname=postgres"), autocommit=True) as keeper:
            keeper.execute(f"drop database {name} with (force)")


def test_two_writers_at_once_join_everybody_once(workspace: Workspace) -> None:
    def write(forward: bool) -> None:
        cache = resolve.IdentityCache()
        for n in range(12) if forward else reversed(range(12)):
            with workspace.transaction() as conn:
                resolve.find_people(conn, [identify(n, None, f"b{n}", email=f"e{n // 4}@x.pl"), event(n, None, f"b{n}"), event(n, f"u{n // 4}", f"b{n}")], cache)

    threads = [threading.Thread(target=write, args=[forward]) for forward in (True, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with workspace.transaction() as conn:
        assert sorted(map(len, clusters(conn))) == [6, 6, 6]
        assert person(conn, email("e0@x.pl")) == person(conn, user("u0"))


def test_what_somebody_confirmed_outlives_the_import_that_showed_it_first_and_is_taken_back_alone(conn: Connection) -> None:
    take_in(conn, [event(0, "u1"), event(0, "u2")])
    pair = person(conn, user("u1")), person(conn, user("u2"))
    found = resolve.find_people(conn, [alias(1, "u1", "u2", trusted=False)], imports=[7])
    assert person(conn, user("u1")) != person(conn, user("u2"))
    resolve.links.confirm(conn, pair, "proposal-1", "ola", NOON)
    resolve.evidence.take_back(conn, 7, found.identity_ids, list(pair), "ola")
    assert person(conn, user("u1")) == person(conn, user("u2"))
    edge = next(edge for edge in resolve.links.edges_of(conn, pair[0]) if edge.rule == "confirmed")
    resolve.links.retract(conn, edge.edge_id, "ola", NOON)
    assert (person(conn, user("u1")), person(conn, user("u2"))) == pair


def test_a_link_taken_back_by_hand_stays_so_when_only_an_import_showed_it_and_that_comes_again(conn: Connection) -> None:
    take_in(conn, [event(0, "u1"), event(0, "u2")])
    apart = clusters(conn)
    pair = [person(conn, user("u1")), person(conn, user("u2"))]

    def imported(number: int) -> None:
        resolve.find_people(conn, [alias(5, "u1", "u2")], imports=[number])

    imported(7)
    edge = next(edge for edge in resolve.links.edges_of(conn, pair[0]) if edge.strong.type == edge.weak.type)
    resolve.links.retract(conn, edge.edge_id, "ola", NOON, "two sisters")
    touched = [identity for (identity,) in conn.execute("select identity_id from resolve.identities").fetchall()]
    resolve.evidence.take_back(conn, 7, touched, pair, "ola")
    assert clusters(conn) == apart
    imported(8)
    check_books(conn)
    assert person(conn, user("u1")) != person(conn, user("u2"))
    assert resolve.links.edge(conn, edge.edge_id).retracted_why == "two sisters"


def test_the_identities_of_people_are_part_of_the_plan_of_whoever_asks_and_no_call_a_person(conn: Connection) -> None:
    plan = str(conn.execute("explain select m.type from unnest(array[1, 2]::bigint[]) p(id) cross join lateral resolve.identities_of(p.id) m").fetchall())
    assert "Index Cond" in plan and "identities_of" not in plan
