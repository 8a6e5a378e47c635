"""Accounts through the whole of intake: who belongs, what they come to, what joining, parting, erasing and segments make of it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cegla import regrouping
from cegla.account import actions as account
from cegla.account import belonging
from cegla.collect import actions as collect
from cegla.collect.rules.mapping import read_mapping
from cegla.flow import Intake
from cegla.night import AT_NIGHT
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage import migrations
from cegla.storage.workspace import Workspace
from cegla.undoing import undo_import
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.identifiers import Identifier

NOON = datetime(2026, 10, 5, 10, tzinfo=UTC)
RICH = {"op": "in_account", "where": [{"property": "industry", "is": "retail"}, {"field": "revenue", "over": 100}]}


@pytest.fixture
def ws(workspace: Workspace) -> Workspace:
    workspace.clock = lambda: NOON
    with workspace.transaction() as conn:
        collect.add_source(conn, "shop", "server", Basis.CONTRACT, NOON)
    return workspace


def call(n: int, kind: str, user: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "messageId": f"{kind}{n}", "userId": user, "timestamp": (NOON - timedelta(hours=100 - n)).isoformat(), **fields}


def group(n: int, user: str, key: str, role: str | None = None, **traits: Any) -> dict[str, Any]:
    return call(n, "group", user, groupId=key, traits=traits, context={"membership": {"role": role}} if role else {})


def order(n: int, user: str, total: int) -> dict[str, Any]:
    return call(n, "track", user, event="Order Completed", properties={"order_id": f"o{n}", "total": total})


def take_in(ws: Workspace, *calls: dict[str, Any]) -> None:
    with ws.transaction() as conn:
        collect.write_down(conn, collect.sources(conn)[0].id, [json.dumps({"batch": calls}).encode()], NOON)
    Intake(ws).drain()


def person(ws: Workspace, user: str) -> int:
    with ws.transaction() as conn:
        found = resolve.look_up(conn, [Identifier("user_id", user)])[0]
    assert found is not None
    return found


def places(ws: Workspace, *users: str) -> dict[str, list[tuple[str, str | None, bool]]]:
    """Where users belong: key, role, whether they are there now."""
    with ws.transaction() as conn:
        return {user: [(one.key, one.role, one.left_at is None) for one in account.accounts_of(conn, [of])[of]] for user in users for of in [person(ws, user)]}


def figures(ws: Workspace) -> dict[str, tuple[int, int, int]]:
    with ws.transaction() as conn:
        rows = account.accounts(conn)
        stays = belonging.stays_in(conn, [row.id for row in rows])
        assert belonging.members_of(conn, list(stays)) == {one: belonging.members(found) for one, found in stays.items()}
        return {row.key: (row.figures.people, row.figures.orders, row.figures.revenue_micros // 1_000_000) for row in rows}


def inside(ws: Workspace, segment_id: int) -> set[int]:
    with ws.transaction() as conn:
        return {one.person_id for one in segment.membership(conn, segment_id, 0, 100)}


def test_people_belong_to_several_accounts_and_leave_them(ws: Workspace) -> None:
    take_in(ws, group(1, "u1", "acme", "buyer", name="ACME"), group(2, "u1", "globex"), group(3, "u2", "acme"))
    take_in(ws, call(5, "track", "u1", event="Account Removed User", context={"groupId": "acme"}))
    assert places(ws, "u1", "u2") == {"u1": [("globex", None, True), ("acme", "buyer", False)], "u2": [("acme", None, True)]}
    assert person(ws, "u1") != person(ws, "u2"), "an account joins nobody"


def test_traits_go_by_the_time_of_the_event_and_say_where_they_are_from(ws: Workspace) -> None:
    take_in(ws, group(9, "u1", "acme", industry="retail", seats=5, city=""))
    take_in(ws, group(2, "u2", "acme", industry="mining", seats=9, plan="gold", city="Hel"))
    take_in(ws, group(10, "u2", "acme", seats=None))
    with ws.transaction() as conn:
        known = account.account(conn, account.accounts(conn)[0].id)
    assert {row.key: (row.value, row.message_id) for row in known.traits} == {"industry": ("retail", "group9"), "plan": ("gold", "group2"), "city": ("", "group9")}


def test_figures_are_those_of_the_members_and_of_the_accounts_below(ws: Workspace) -> None:
    take_in(ws, group(1, "u1", "holding"), group(2, "u2", "acme", parentId="holding"), group(3, "u1", "acme"), order(4, "u1", 30), order(5, "u2", 50))
    assert figures(ws) == {"holding": (2, 2, 80), "acme": (2, 2, 80)}
    take_in(ws, order(6, "u2", 20), call(7, "track", "u1", event="Account Removed User", context={"groupId": "acme"}))
    assert figures(ws) == {"holding": (2, 3, 100), "acme": (1, 2, 70)}
    with ws.transaction() as conn:
        holding = account.account(conn, account.accounts(conn, "HOLD")[0].id)
    assert ([row.key for row in holding.below], holding.own_people) == (["acme"], 1)


@pytest.mark.parametrize("parent", [" Łódź ", "Ło\u0301dz\u0301", "Łódź\u200b", "Łó\uff44ź"])
def test_the_account_above_is_found_in_whatever_form_it_is_told(ws: Workspace, parent: str) -> None:
    take_in(ws, group(1, "u1", "Łódź"), group(2, "u2", "acme", parentId=parent))
    assert figures(ws) == {"Łódź": (2, 0, 0), "acme": (1, 0, 0)}


@pytest.mark.parametrize("raw", [" Łódź\t", "Ło\u0301dz\u0301", "Łódź\u200b", "\u00a0Łó\uff44ź"])
def test_a_key_of_the_account_above_that_was_kept_as_it_was_told_is_normalized(ws: Workspace, raw: str) -> None:
    take_in(ws, group(1, "u1", "Łódź"), group(2, "u2", "acme", parentId="Łódź"), group(3, "u3", "shop", parentId="x y "))
    with ws.transaction() as conn:
        conn.execute("update account.traits set value = to_jsonb(%s::text) where value = to_jsonb('Łódź'::text)", [raw])
        conn.execute((migrations.FOLDER / "0137.account.sql").read_bytes())
        touched = conn.execute("select key from account.touched join account.accounts using (account_id) order by 1").fetchall()
    assert touched == [("acme",), ("Łódź",)], "whose figures are worked out in the next refresh"
    take_in(ws, group(4, "u3", "other"))
    assert figures(ws) == {"Łódź": (2, 0, 0), "acme": (1, 0, 0), "shop": (1, 0, 0), "other": (1, 0, 0)}


def test_who_stood_above_counts_without_an_account_that_moved_or_went(ws: Workspace) -> None:
    take_in(ws, group(1, "u1", "north"), group(2, "u1", "south"), group(3, "u2", "acme", parentId="north"), order(4, "u2", 50))
    assert figures(ws) == {"north": (2, 1, 50), "south": (1, 0, 0), "acme": (1, 1, 50)}
    take_in(ws, group(5, "u2", "acme", parentId="south"))
    assert figures(ws) == {"north": (1, 0, 0), "south": (2, 1, 50), "acme": (1, 1, 50)}
    with ws.transaction() as conn:
        account.erase_person(conn, resolve.links.identity_ids(conn, person(ws, "u2")))
    take_in(ws, call(6, "track", "u3", event="Seen"))
    assert figures(ws) == {"north": (1, 0, 0), "south": (1, 0, 0)}


def test_joining_and_parting_people_moves_what_they_belong_to_exactly(ws: Workspace) -> None:
    take_in(ws, group(1, "u1", "acme", "buyer"), group(2, "u2", "globex", "owner"), order(3, "u2", 10))
    before = (places(ws, "u1", "u2"), figures(ws))
    take_in(ws, {"type": "alias", "userId": "u1", "previousId": "u2", "messageId": "link", "timestamp": NOON.isoformat()})
    both = [("acme", "buyer", True), ("globex", "owner", True)]
    assert (places(ws, "u1"), figures(ws)) == ({"u1": both}, {"acme": (1, 1, 10), "globex": (1, 1, 10)})
    with ws.transaction() as conn:
        edge = next(edge for edge in resolve.links.edges_of(conn, person(ws, "u1")) if edge.rule == "alias" and edge.weak.type == "user_id")
    regrouping.take_link_back(ws, edge.edge_id, "ola")
    assert (places(ws, "u1", "u2"), figures(ws)) == before


def test_a_segment_follows_the_account_of_its_people(ws: Workspace) -> None:
    with ws.transaction() as conn:
        rich = segment.save(conn, "Rich", RICH, NOON).id
    take_in(ws, group(1, "u1", "acme"), group(2, "u2", "acme"), group(3, "u3", "globex", industry="retail"), order(4, "u1", 90))
    assert inside(ws, rich) == set()
    take_in(ws, group(5, "u1", "acme", industry="retail"), order(6, "u2", 20))
    assert inside(ws, rich) == {person(ws, "u1"), person(ws, "u2")}
    take_in(ws, call(7, "track", "u2", event="Order Refunded", properties={"order_id": "o6", "total": 20}))
    assert inside(ws, rich) == set(), "u1 did nothing, and is out because the account is"
    take_in(ws, group(8, "u3", "acme"), order(9, "u3", 900))
    assert inside(ws, rich) == {person(ws, user) for user in ("u1", "u2", "u3")}


def test_everybody_and_the_people_touched_are_decided_alike(ws: Workspace) -> None:
    buyers = {"op": "in_account", "where": [{"property": "industry", "in": ["retail", "food"]}], "role": "buyer"}
    rules = {"rich": RICH, "buyers": buyers, "none": {"not": {"op": "in_account"}}, "both": {"all": [RICH, {"op": "did", "event": "Order Completed"}]}}
    with ws.transaction() as conn:
        ids = {name: segment.save(conn, name, rule, NOON).id for name, rule in rules.items()}
    take_in(ws, group(1, "u1", "acme", "buyer", industry="retail"), group(2, "u2", "acme"), order(3, "u2", 200), order(4, "u3", 200), group(5, "u4", "fresh", "buyer"))
    take_in(ws, group(6, "u5", "fresh", industry="food"), order(7, "u5", 101))
    found = {name: inside(ws, one) for name, one in ids.items()}
    assert found["buyers"] == {person(ws, "u1"), person(ws, "u4")}
    assert (found["none"], found["both"]) == ({person(ws, "u3")}, {person(ws, "u2")})
    for step in AT_NIGHT:
        step(ws, NOON)
    assert {name: inside(ws, one) for name, one in ids.items()} == found
    assert {name: set(segment.members_of(ws, rule, NOON).to_pylist()) for name, rule in rules.items()} == found


def test_why_somebody_is_in_says_how_many_accounts_fit(ws: Workspace) -> None:
    take_in(ws, group(1, "u1", "acme"), group(2, "u1", "globex"))
    said = segment.explain(ws, {"op": "in_account"}, person(ws, "u1"), NOON)
    assert (said.holds, said.value) == (True, 2)
    assert segment.sentence(RICH, "pl") == "Osoby, które należą do firmy (gdzie „industry” to „retail” i wartość zakupów to więcej niż 100)."
    assert segment.sentence({"op": "in_account", "role": "buyer"}, "en") == "People who belong to an account in the role “buyer”."


def test_accounts_are_found_by_name_key_and_number_a_page_at_a_time(ws: Workspace) -> None:
    take_in(ws, group(1, "u1", "k-100", name="Żółta Łódź"), group(2, "u1", "k_200", name="Wrocław"), group(3, "u1", "K-300"))
    with ws.transaction() as conn:
        listed = account.accounts(conn)
        assert [row.key for row in account.accounts(conn, "", listed[0].id, 1)] == ["k-100"]
        assert [row.key for row in account.accounts(conn, "zolta")] == ["k-100"]
        assert [row.key for row in account.accounts(conn, "k_")] == ["k_200"]
        assert [row.key for row in account.accounts(conn, f"a{listed[0].id}")] == ["K-300"]
        assert (account.count(conn), [row.name for row in listed]) == (3, [None, "Żółta Łódź", "Wrocław"])
        with pytest.raises(NotFound):
            account.account(conn, 999)


def test_a_person_takes_out_and_erases_where_they_belong(ws: Workspace) -> None:
    take_in(ws, group(1, "u1", "acme", "buyer", name="ACME"), group(2, "u2", "acme"), group(3, "u1", "alone", name="Anna Nowak, sole trader"))
    with ws.transaction() as conn:
        ids = [one.identity_id for one in resolve.identifiers_of(conn, [person(ws, "u1")])[person(ws, "u1")]]
        held = account.export_person(conn, ids)["accounts"]
        assert [(row["account"], row["name"], row["role"], row["left_at"]) for row in held] == [("acme", "ACME", "buyer", None), ("alone", "Anna Nowak, sole trader", None, None)]
        assert account.erase_person(conn, ids) == 3, "two statements, and the account in which nobody is left"
        assert account.export_person(conn, ids) == {"accounts": []}
        assert [row.key for row in account.accounts(conn)] == ["acme"]


def test_an_account_stays_as_long_as_somebody_is_in_it_or_below_it_and_then_all_of_them_go(ws: Workspace) -> None:
    take_in(ws, group(1, "u1", "holding", name="Holding SA"), group(2, "u2", "shops", parentId="holding"), group(3, "u3", "shop", parentId="shops"))

    def erase(user: str) -> list[str]:
        with ws.transaction() as conn:
            account.erase_person(conn, resolve.links.identity_ids(conn, person(ws, user)))
            return [row.key for row in account.accounts(conn)]

    assert (erase("u1"), erase("u2")) == (["holding", "shop", "shops"],) * 2
    with ws.transaction() as conn:
        assert account.account(conn, account.accounts(conn, "holding")[0].id).name == "Holding SA"
    take_in(ws, call(4, "track", "u4", event="Seen"))
    assert {key: people for key, (people, _, _) in figures(ws).items()} == {"holding": 1, "shops": 1, "shop": 1}
    assert erase("u3") == []


WORKS_WHERE: dict[str, Any] = {
    "name": "crm", "source": "CRM", "basis": "contract", "event": "Account Added User", "time": "acquired", "ids": {"user_id": "{id}"},
    "acquired": {"from": "the sales team's list", "date": "2026-05-02"}, "properties": {"account_id": "{firma}", "account_name": "{nazwa}", "role": "{rola}"},
}  # fmt: skip


def test_a_file_fills_accounts_and_taking_it_back_takes_them_back(ws: Workspace, tmp_path: Path) -> None:
    take_in(ws, group(1, "u1", "acme", "owner", name="Acme"), order(2, "u1", 10))
    before = (places(ws, "u1"), figures(ws))
    (tmp_path / "list.csv").write_text("id,firma,nazwa,rola\nu1,acme,ACME SA,buyer\nu2,acme,,buyer\nu1,globex,Globex,\n", encoding="utf-8")
    done = collect.import_file(ws, tmp_path / "list.csv", read_mapping(WORKS_WHERE, "test"))
    Intake(ws).drain()
    assert figures(ws) == {"acme": (2, 1, 10), "globex": (1, 1, 10)}
    with ws.transaction() as conn:
        assert [row.name for row in account.accounts(conn)] == ["Acme", "Globex"], "the list is older than the call"
        collect.ask_undo(conn, done.import_id or 0, "ola")
    assert undo_import(ws, done.import_id or 0) is not None
    assert (places(ws, "u1"), figures(ws)) == before


def test_repeats_replays_and_batches_change_nothing(ws: Workspace) -> None:
    calls = [group(1, "u1", "acme", "buyer", name="A"), call(2, "track", "u1", event="Account Removed User", context={"groupId": "acme"}), group(30, "u1", "acme", name="B")]
    for one in [calls[2], calls[0], calls[1], calls[0] | {"messageId": "again"}]:
        take_in(ws, one)
    with ws.transaction() as conn:
        [one] = account.accounts_of(conn, [person(ws, "u1")])[person(ws, "u1")]
        assert (one.since, one.role, one.name) == (NOON - timedelta(hours=70), None, "B")
