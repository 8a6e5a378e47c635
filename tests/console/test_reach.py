"""Who can be reached on a channel, and why the others cannot: four numbers of a channel that add up to the whole."""

from types import SimpleNamespace
from typing import Any

from cegla.console.screens import reach as screen
from cegla.govern import actions as govern
from cegla.profile import actions as profile
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Channel


class Undone(Exception):
    """Nothing of it stays in the shop that all tests look at."""


def rows(visit: Any, conn: Any, people: list[int], **more: Any) -> dict[str, screen.Reach]:
    found = {row.channel: row for row in screen.reach(visit, conn, people, **more)}
    for row in found.values():
        assert row.reachable + row.no_address + row.suppressed + row.blocked == row.whole
    return found


def test_each_person_is_counted_once_for_each_channel_and_a_suppressed_address_by_itself(shop: Workspace) -> None:
    visit: Any = SimpleNamespace(ws=shop, now=shop.clock())
    people = segment.members_of(shop, {"op": "everyone"}, visit.now).to_pylist()
    try:
        with shop.transaction() as conn:
            before = rows(visit, conn, people)
            email = before["email"]
            assert email.whole == len(people) and min(email.reachable, email.blocked, email.no_address) > 0
            known = [one for one in resolve.reach.addresses(conn, people, "email") if one.value is not None]
            subjects = profile.places.subjects(conn, known)
            allowed = [one.allowed for one in govern.allowed(conn, shop.keys, subjects, "marketing", Channel.EMAIL, visit.now)]
            assert (email.reachable, email.no_address) == (sum(allowed), len(people) - len(known))
            chosen = known[allowed.index(True)].value
            assert chosen is not None
            govern.suppress(conn, shop.keys, chosen, Channel.EMAIL, "manual", visit.now)
            after = rows(visit, conn, people)["email"]
            assert (after.reachable, after.suppressed) == (email.reachable - 1, email.suppressed + 1)
            assert (after.blocked, after.no_address) == (email.blocked, email.no_address)
            raise Undone
    except Undone:
        pass


def test_a_part_stands_for_the_whole_and_says_so(shop: Workspace) -> None:
    visit: Any = SimpleNamespace(ws=shop, now=shop.clock())
    people = segment.members_of(shop, {"op": "everyone"}, visit.now).to_pylist()
    with shop.transaction() as conn:
        assert not any(row.estimated for row in rows(visit, conn, people).values())
        assert all(row.estimated and row.whole == 1_000 for row in rows(visit, conn, people, whole=1_000).values())
        assert all(row.whole == row.reachable == 0 for row in rows(visit, conn, []).values())


def test_the_page_of_a_segment_shows_the_four_numbers_of_each_channel(admin: Any, shop: Workspace) -> None:
    with shop.transaction() as conn:
        number = segment.segments(conn)[0].id
    text = admin.get(f"/segments/{number}").text
    assert all(word in text for word in ("Osiągalni", "Bez zgody", "Wykluczeni", "Bez adresu", "e-mail", "SMS"))
