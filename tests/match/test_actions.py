"""Proposals from the people there are: found, decided, remembered, undone, forgotten."""

import json
from datetime import timedelta

import pytest

from cegla.collect import actions as collect
from cegla.flow import Intake
from cegla.match import actions as match
from cegla.night import look_for_duplicates
from cegla.regrouping import settle_duplicate, take_link_back
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.errors import InvalidInput, NotFound
from cegla.vocabulary.identifiers import Identifier

HOME = {"street": "Polna 7/3", "postal_code": "30-100", "city": "Kraków"}
PEOPLE = [
    ("u1", {"first_name": "Małgorzata", "last_name": "Święcka", "phone": "600 100 200", "address": HOME, "email": "m.swiecka77@poczta.example.com"}),
    ("u2", {"first_name": "Gosia", "last_name": "Swiecka", "phone": "+48600100200", "address": HOME, "email": "gosia@skrzynka.example.com"}),
    ("u3", {"first_name": "Jan", "last_name": "Święcki", "phone": "600 100 299", "address": HOME}),
]


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    """Two records of one human, and the husband."""
    now = workspace.clock()
    with workspace.transaction() as conn:
        source, _ = collect.add_source(conn, "Sklep", "server", Basis.CONTRACT, now)
        for number, (user, traits) in enumerate(PEOPLE):
            told = {"type": "identify", "userId": user, "messageId": f"i{number}", "timestamp": (now - timedelta(days=2)).isoformat(), "traits": traits}
            order = {"type": "track", "event": "Order Completed", "userId": user, "messageId": f"o{number}", "properties": {"order_id": f"Z{number}", "total": 10 + number}}
            collect.write_down(conn, source.id, [json.dumps({"batch": [told, order]}).encode()], now)
        segment.install_ready_made(conn, now)
    Intake(workspace).drain()
    look_for_duplicates(workspace, now)
    return workspace


def people(ws: Workspace, *users: str) -> list[int | None]:
    with ws.transaction() as conn:
        return resolve.look_up(conn, [Identifier("user_id", user) for user in users])


def the_one(ws: Workspace) -> match.Proposal:
    with ws.transaction() as conn:
        (found,) = match.proposals(conn)
    return found


def test_one_human_with_two_accounts_is_proposed_and_nobody_is_joined(shop: Workspace) -> None:
    one = the_one(shop)
    assert [one.low_person, one.high_person] == people(shop, "u1", "u2")
    assert one.probability >= 0.75
    assert {"Phone and address", "Given name"} <= {row.label.en for row in one.evidence}


def test_findings_hold_no_name_number_or_address(shop: Workspace) -> None:
    with shop.transaction() as conn:
        kept = str(conn.execute("select * from match.proposals").fetchall())
    assert not [word for word in ("wi", "Gosia", "600", "Polna", "Krak") if word in kept.replace("likeness", "")]


def test_accepting_joins_the_two_and_the_link_can_be_taken_back(shop: Workspace) -> None:
    one = the_one(shop)
    assert settle_duplicate(shop, one.id, "accepted", "anna").state == "accepted"
    first, second, third = people(shop, "u1", "u2", "u3")
    assert first == second == one.low_person != third
    with shop.transaction() as conn:
        (link,) = [edge for edge in resolve.links.edges_of(conn, first or 0) if edge.rule == "confirmed"]
    take_link_back(shop, link.edge_id, "anna")
    assert people(shop, "u1", "u2") == [one.low_person, one.high_person]
    assert the_one(shop) == one, "two again, they are proposed as they were"
    settle_duplicate(shop, one.id, "accepted", "anna")
    assert people(shop, "u1", "u2") == [one.low_person, one.low_person]


def test_accepted_people_stay_joined_when_their_events_come_again(shop: Workspace) -> None:
    settle_duplicate(shop, the_one(shop).id, "accepted", "anna")
    now = shop.clock()
    with shop.transaction() as conn:
        source = collect.sources(conn)[0]
        for number, (user, traits) in enumerate(PEOPLE):
            collect.write_down(conn, source.id, [json.dumps({"type": "identify", "userId": user, "messageId": f"again{number}", "traits": traits}).encode()], now)
    Intake(shop).drain()
    first, second, third = people(shop, "u1", "u2", "u3")
    assert first == second != third


def test_what_was_refused_is_never_proposed_again(shop: Workspace) -> None:
    settle_duplicate(shop, the_one(shop).id, "refused", "anna")
    look_for_duplicates(shop, shop.clock())
    with shop.transaction() as conn:
        assert match.proposals(conn) == []
        assert [one.decided_by for one in match.proposals(conn, "refused")] == ["anna"]


def test_a_proposal_is_settled_once(shop: Workspace) -> None:
    one = the_one(shop)
    settle_duplicate(shop, one.id, "refused", "anna")
    with pytest.raises(NotFound) as told:
        settle_duplicate(shop, one.id, "accepted", "anna")
    assert told.value.say("pl") == f"Nie znaleziono: otwarta propozycja {one.id}"
    assert people(shop, "u1", "u2") == [one.low_person, one.high_person]


def test_a_run_takes_back_what_it_does_not_find_again(shop: Workspace) -> None:
    now = shop.clock()
    with shop.transaction() as conn:
        moved = {"type": "identify", "userId": "u2", "messageId": "moved", "traits": {"first_name": "Zenon", "last_name": "Inny", "phone": "700 700 700", "address": {"city": "Gdynia"}}}
        collect.write_down(conn, collect.sources(conn)[0].id, [json.dumps(moved).encode()], now)
    Intake(shop).drain()
    look_for_duplicates(shop, now)
    with shop.transaction() as conn:
        assert match.count(conn) == 0


def test_erasing_and_giving_out_cover_the_proposals(shop: Workspace) -> None:
    one = the_one(shop)
    with shop.transaction() as conn:
        assert [row["state"] for row in match.export_person(conn, [one.high_person])["likely_duplicates"]] == ["open"]
        assert match.erase_person(conn, [one.high_person]) == 1
        assert match.count(conn) == 0


def test_the_list_goes_on_though_the_last_proposal_seen_was_withdrawn(workspace: Workspace) -> None:
    rows = [(0.99, 1), (0.97, 2), (0.97, 3), (0.9, 4)]
    with workspace.transaction() as conn:
        for probability, number in rows:
            conn.execute(
                "insert into match.proposals (low_person, high_person, probability, findings, version, proposed_at) values (%s, %s, %s, '{}', 'v', now())",
                [number, number + 100, probability],
            )
        seen = match.proposals(conn, limit=2)
        conn.execute("delete from match.proposals where id = %s", [seen[-1].id])
        assert [one.low_person for one in match.proposals(conn, after=seen[-1].place)] == [3, 4]
        for nonsense in ("7", "x:1", "0.5:x", "nan:1", "2:1", "0.5:-1", f"0.5:{2**63}"):
            with pytest.raises(InvalidInput):
                match.proposals(conn, after=nonsense)
