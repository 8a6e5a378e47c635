"""An identifier that was released (case 13): history before stays, what follows is somebody else's, and undoing leaves no trace."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cegla.resolve import actions as resolve
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.errors.people import IdentifierStays, ReleaseAhead, ReleaseOutOfOrder
from cegla.vocabulary.events import Event
from cegla.vocabulary.identifiers import Identifier
from tests.resolve.known import NOON, check_books, email, event, identify, person, take_in, user

DAY = 24 * 60  #: minutes
LATER = NOON + timedelta(days=30)
THIRD = NOON.date() + timedelta(days=3)
FEW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
ADDRESSES = ["a@x.pl", "b@x.pl"]


def release(conn: Connection, address: str = "a@x.pl", day: date = THIRD) -> Any:
    return resolve.releasing.release(conn, email(address), day, "skrzynka oddana", "ola", LATER)


def undo(conn: Connection, address: str = "a@x.pl") -> None:
    rows = conn.execute("select release_id from resolve.releases where value = %s order by at desc limit 1", [address]).fetchone()
    assert rows is not None
    resolve.releasing.undo_release(conn, rows[0], "ola", LATER)


def people(conn: Connection) -> frozenset[frozenset[tuple[str, str, Any]]]:
    """Everybody, by their identifiers, each with the end of its bearer's time."""
    members: dict[int, set[tuple[str, str, Any]]] = {}
    rows = conn.execute("select person_id, type, value, nullif(until, 'infinity') from resolve.identities where holder_id = 0").fetchall()
    for owner, *identifier in rows:
        members.setdefault(owner, set()).add(tuple(identifier))  # type: ignore[arg-type]
    return frozenset(map(frozenset, members.values()))


def test_a_recycled_address_goes_to_a_new_person_and_history_before_stays(conn: Connection) -> None:
    take_in(conn, [identify(0, "old", email="a@x.pl")])
    release(conn)
    assert resolve.look_up(conn, [email("a@x.pl")]) == [None]
    found = take_in(conn, [event(5 * DAY, properties={"email": "a@x.pl"}), event(1, properties={"email": "a@x.pl"})])[0]
    assert found.people[1] == person(conn, user("old"))
    assert found.people[0] == person(conn, email("a@x.pl")) != found.people[1]
    take_in(conn, [identify(6 * DAY, "new", email="a@x.pl")])
    assert person(conn, user("new")) == found.people[0]


def test_who_was_refused_the_address_gets_it_by_a_release_before_they_were_seen_with_it(conn: Connection) -> None:
    take_in(conn, [identify(0, "old", email="a@x.pl")], [identify(5 * DAY, "new", email="a@x.pl")])
    assert person(conn, email("a@x.pl")) == person(conn, user("old"))
    moved = release(conn)
    assert person(conn, email("a@x.pl")) == person(conn, user("new")) != person(conn, user("old"))
    assert person(conn, user("new")) in moved.changed
    undo(conn)
    assert person(conn, email("a@x.pl")) == person(conn, user("old")) != person(conn, user("new"))


def test_who_gave_the_address_up_does_not_get_it_back_by_sending_it_on_and_the_reason_is_shown(conn: Connection) -> None:
    take_in(conn, [identify(0, "old", email="a@x.pl")])
    release(conn)
    found = take_in(conn, [identify(4 * DAY, "old", email="a@x.pl")])[0]
    assert [warning.reason for warning in found.warnings] == ["released"]
    assert person(conn, email("a@x.pl")) != person(conn, user("old"))
    edges = resolve.links.edges_of(conn, person(conn, user("old")))
    assert [(edge.refused, str(edge.why_refused and edge.why_refused.en)[:30]) for edge in edges if edge.refused] == [
        ("released", "The identifier was released: f")
    ]


def test_a_user_id_a_browser_and_an_address_nobody_had_are_not_released_and_releases_go_forward(conn: Connection) -> None:
    for kind in ("user_id", "anonymous_id"):
        with pytest.raises(IdentifierStays):
            resolve.releasing.release(conn, Identifier(kind, "x"), THIRD, "r", "ola", LATER)
    with pytest.raises(NotFound):
        release(conn)
    take_in(conn, [identify(0, "old", email="a@x.pl")])
    release(conn)
    take_in(conn, [identify(4 * DAY, "new", email="a@x.pl")])
    with pytest.raises(ReleaseOutOfOrder):
        release(conn, day=THIRD - timedelta(days=1))
    with pytest.raises(ReleaseAhead):
        release(conn, day=LATER.date() + timedelta(days=1))
    release(conn, day=THIRD + timedelta(days=3))
    take_in(conn, [identify(9 * DAY, "newest", email="a@x.pl")])
    assert len({person(conn, user(name)) for name in ("old", "new", "newest")}) == 3
    assert person(conn, email("a@x.pl")) == person(conn, user("newest"))


def test_erasing_one_bearer_leaves_the_other_and_takes_the_release_when_both_are_gone(conn: Connection) -> None:
    take_in(conn, [identify(0, "old", email="a@x.pl")], [identify(5 * DAY, "new", email="a@x.pl")])
    release(conn)
    exported = resolve.export_person(conn, [person(conn, user("old"))])
    assert [row["reason"] for row in exported["releases"]] == ["skrzynka oddana"]
    resolve.erase_person(conn, [person(conn, user("old"))])
    assert person(conn, email("a@x.pl")) == person(conn, user("new"))
    assert conn.execute("select count(*) from resolve.releases").fetchone() == (1,)
    resolve.erase_person(conn, [person(conn, user("new"))])
    assert conn.execute("select count(*) from resolve.releases").fetchone() == (0,)


@st.composite
def sightings(draw: Any) -> Event:
    """Users, addresses and browsers over ten days."""
    minute = draw(st.integers(0, 10)) * DAY + draw(st.integers(0, 2)) * 300
    who, address, browser = (
        draw(st.sampled_from([None, "u1", "u2", "u3"])),
        draw(st.sampled_from([None, *ADDRESSES])),
        draw(st.sampled_from([None, "b1", "b2"])),
    )
    given = {"trusted": True, "message_id": f"{draw(st.integers(0, 999))}"}
    return event(minute, who, browser, "identify", traits={"email": address} if address else {}, **given)


RELEASES = st.dictionaries(st.sampled_from(ADDRESSES), st.integers(1, 9), min_size=1)


@FEW
@given(st.lists(sightings(), min_size=1, max_size=14), RELEASES, st.randoms(use_true_random=False), st.integers(0, 14), st.integers(1, 5))
def test_a_release_counts_the_same_whenever_it_comes_and_undone_it_never_was(
    conn: Connection, rows: list[Event], released: dict[str, int], chance: Any, place: int, size: int
) -> None:
    days = {address: NOON.date() + timedelta(days=day) for address, day in released.items()}
    # An event that an address alone says whose it is stays where it points: such a release is refused before it comes here.
    rows = [row for row in rows if row.user_id or row.occurred_at.date() < days.get(row.traits.get("email", ""), date.max)]

    def played(order: Sequence[Event], at: int, size: int, *, back: bool = False) -> frozenset[frozenset[tuple[str, str, Any]]]:
        """Take events in, release after `at` of them (what nobody had yet: as soon as somebody has), perhaps take all releases back at the end."""
        cache, waiting = resolve.IdentityCache(capacity=4), dict(days)
        for start in range(0, len(order), size):
            resolve.find_people(conn, order[start : start + size], cache)
            check_books(conn)
            for address in [one for one in waiting if start + size >= min(at, len(order)) and resolve.look_up(conn, [email(one)]) != [None]]:
                release(conn, address, waiting.pop(address))
                check_books(conn)
        if back:
            for address in days.keys() - waiting.keys():
                undo(conn, address)
                check_books(conn)
        assert resolve.ruling.unsettled(conn) == []
        return people(conn)

    mixed = rows + chance.sample(rows, len(rows) // 2)
    chance.shuffle(mixed)
    with conn.transaction(force_rollback=True):
        wanted = played(rows, len(rows), len(rows) or 1)
    with conn.transaction(force_rollback=True):
        assert played(mixed, place, size) == wanted
    with conn.transaction(force_rollback=True):
        resolve.find_people(conn, rows)
        never = people(conn)
    with conn.transaction(force_rollback=True):
        assert played(mixed, place, size, back=True) == never


def test_a_pair_seen_before_a_release_and_again_days_after_it_is_seen_after_it(conn: Connection) -> None:
    take_in(conn, [identify(0, "old", email="a@x.pl"), identify(DAY, "new", email="a@x.pl")], [identify(5 * DAY, "new", email="a@x.pl")])
    release(conn)
    assert person(conn, email("a@x.pl")) == person(conn, user("new")) != person(conn, user("old"))


@pytest.mark.parametrize("first", [True, False], ids=["released first", "released last"])
def test_who_was_refused_before_a_release_comes_before_who_is_new_after_it_whenever_it_comes(conn: Connection, first: bool) -> None:
    before = [identify(0, "old", email="a@x.pl"), identify(DAY, "waiting", email="a@x.pl")]
    after = [identify(4 * DAY, "late", email="a@x.pl")], [identify(5 * DAY, "waiting", email="a@x.pl")]
    if first:
        take_in(conn, before)
        release(conn)
        take_in(conn, *after)
    else:
        take_in(conn, before, *after)
        release(conn)
    assert person(conn, email("a@x.pl")) == person(conn, user("waiting"))


def test_an_import_taken_back_after_an_undone_release_leaves_the_link_that_others_showed(conn: Connection) -> None:
    take_in(conn, [identify(0, "old", email="a@x.pl")])
    release(conn)
    found = resolve.find_people(conn, [identify(5 * DAY, "old", email="a@x.pl")], imports=[1])
    undo(conn)
    resolve.evidence.take_back(conn, 1, found.identity_ids, [], "ola")
    assert person(conn, email("a@x.pl")) == person(conn, user("old"))


def test_an_import_taken_back_after_a_release_leaves_nobody_whom_it_alone_made_known(conn: Connection) -> None:
    take_in(conn, [identify(0, "old", email="a@x.pl")])
    before = people(conn)
    found = resolve.find_people(conn, [identify(5 * DAY, "new", email="a@x.pl")], imports=[1])
    release(conn)
    assert person(conn, email("a@x.pl")) == person(conn, user("new"))
    resolve.evidence.take_back(conn, 1, [*found.identity_ids, person(conn, email("a@x.pl"))], [], "ola")
    assert resolve.look_up(conn, [email("a@x.pl"), user("new")]) == [None, None]
    undo(conn)
    assert people(conn) == before


def test_erasing_a_former_bearer_asks_for_the_address_in_their_own_time_alone(conn: Connection) -> None:
    take_in(conn, [identify(0, "old", email="a@x.pl")])
    release(conn)
    take_in(conn, [identify(5 * DAY, "new", email="a@x.pl")])
    day = NOON.replace(hour=0) + timedelta(days=3)
    for name, time in (("old", (None, day)), ("new", (day, None))):
        borne = {one.identifier: (one.since, one.until) for one in resolve.names_of(conn, [person(conn, user(name))])}
        assert borne == {user(name): (None, None), email("a@x.pl"): time}
    took_back = [one for one in resolve.names_of(conn, [person(conn, user("old"))]) if one.identifier.type == "email"]
    assert [one.at(day) for one in took_back] == [False]


@pytest.mark.parametrize("taken_back", ["before", "after"])
def test_a_link_that_each_side_saw_in_another_bearers_time_goes_for_that_bearer_alone(conn: Connection, taken_back: str) -> None:
    """One side saw it before the release only, the other after it only; whichever is taken back, the other's stays as if alone."""
    seen = {"before": [identify(0, "u1", email="a@x.pl")], "after": [identify(5 * DAY, "u1", email="a@x.pl")]}
    touched = [one for when in seen for one in resolve.find_people(conn, seen[when], imports=[1 if when == taken_back else 0]).identity_ids]
    release(conn)
    resolve.evidence.take_back(conn, 1, touched, touched, "ola")
    check_books(conn)
    assert (resolve.look_up(conn, [email("a@x.pl")]) == [person(conn, user("u1"))]) == (taken_back == "before")
    undo(conn)
    check_books(conn)
    assert person(conn, email("a@x.pl")) == person(conn, user("u1"))
