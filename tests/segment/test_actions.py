"""The door of segments on a real PostgreSQL and warehouse."""

from datetime import timedelta
from typing import Any

import pytest

from cegla.segment import actions as segment
from cegla.segment.rules import compile as compiler
from cegla.storage.workspace import Workspace
from cegla.vocabulary.errors import InvalidInput, NotFound
from cegla.vocabulary.errors.people import RuleInvalid
from tests.segment.worlds import NOW, fill, order, page

BUYERS = {"op": "did", "event": "Order Completed", "days": 30}


def test_a_segment_fills_with_the_people_its_rule_matches(workspace: Workspace) -> None:
    fill(workspace.warehouse, {1: [order(3)], 2: [order(40)], 3: [page(1)]})
    with workspace.transaction() as conn:
        saved = segment.save(conn, "Kupujący", BUYERS, NOW)
        changes = segment.refresh(conn, workspace.warehouse, None, segment.AsOf(NOW))
        assert changes == [segment.Change(saved.id, (1,), (), NOW)]
        assert segment.membership(conn, saved.id, 0, 10) == [segment.Member(1, NOW)]
        assert segment.segment(conn, saved.id).members == 1
        assert segment.segments_of(conn, [1, 3]) == {1: [segment.Standing(saved.id, "Kupujący", NOW)], 3: []}


def test_people_leave_when_the_window_runs_out_and_may_come_back(workspace: Workspace) -> None:
    fill(workspace.warehouse, {1: [order(3)]})
    later = NOW + timedelta(days=28)
    with workspace.transaction() as conn:
        saved = segment.save(conn, "Kupujący", BUYERS, NOW)
        segment.refresh(conn, workspace.warehouse, [1], segment.AsOf(NOW))
        assert segment.refresh(conn, workspace.warehouse, [1], segment.AsOf(later)) == [segment.Change(saved.id, (), (1,), later)]
        fill(workspace.warehouse, {1: [order(0)]}, later)
        assert segment.refresh(conn, workspace.warehouse, [1], segment.AsOf(later)) == [segment.Change(saved.id, (1,), (), later)]
        stays = segment.export_person(conn, [1])["segments"]
    assert [(stay["entered_at"], stay["left_at"]) for stay in stays] == [(later, None), (NOW, later)]


def test_a_question_that_is_asked_again_within_a_minute_is_put_once_and_answered_anew(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    put: list[Any] = []
    ask = compiler.members
    monkeypatch.setattr(compiler, "members", lambda *asked: put.append(asked) or ask(*asked))
    fill(workspace.warehouse, {1: [order(3)], 2: [order(40)]})
    for seconds, people in ((1, [1]), (59, [1, 3])):
        assert segment.members_of(workspace, BUYERS, NOW + timedelta(seconds=seconds)).to_pylist() == people
        fill(workspace.warehouse, {3: [order(1)]})
    assert len(put) == 1
    assert segment.members_of(workspace, BUYERS, NOW + timedelta(seconds=61)).to_pylist() == [1, 3]
    assert segment.members_of(workspace, BUYERS, NOW + timedelta(days=28)).to_pylist() == [3], "and at another moment for that one"
    with workspace.transaction() as conn:
        own = segment.save(conn, "Own", BUYERS, NOW)
    inside = {"op": "in_segment", "segment": own.id}
    assert segment.members_of(workspace, inside, NOW).to_pylist() == [1, 3]
    with workspace.transaction() as conn:
        conn.execute("update segment.segments set rule = jsonb_set(rule, '{days}', '60') where id = %s", [own.id])
    assert segment.members_of(workspace, inside, NOW).to_pylist() == [1, 2, 3], "a segment that another rule names has changed"


def test_who_is_in_why_and_about_how_many_are_of_one_moment_the_end_of_the_running_minute(workspace: Workspace) -> None:
    fill(workspace.warehouse, {1: [order(30)], 2: [page(1)]}, NOW + timedelta(seconds=40))
    now, rule = NOW + timedelta(seconds=10), {"not": BUYERS}
    with workspace.transaction() as conn:
        saved = segment.save(conn, "Inni", rule, now)
        segment.refresh(conn, workspace.warehouse, None, segment.AsOf(now))
        assert [row.person_id for row in segment.membership(conn, saved.id, 0, 10)] == [1, 2]
    assert segment.members_of(workspace, rule, now).to_pylist() == segment.estimate(workspace, rule, now).people.to_pylist() == [1, 2]
    assert [segment.explain(workspace, rule, person, now).holds for person in (1, 2)] == [True, True]


def test_every_segment_has_a_key_by_which_it_is_changed(workspace: Workspace) -> None:
    with workspace.transaction() as conn:
        saved, older = (segment.save(conn, name, BUYERS, NOW) for name in ("Kupujący", "Dawny"))
        conn.execute("update segment.segments set key = null where id = %s", [older.id])
        segment.install_ready_made(conn, NOW)
        for one in (saved, segment.segment(conn, older.id)):
            assert one.key is not None and one.key.startswith("own.")
            assert segment.save(conn, "Inaczej", {"not": BUYERS}, NOW, one.key).id == one.id


def test_an_amount_that_was_written_as_text_is_that_amount(workspace: Workspace) -> None:
    fill(workspace.warehouse, {1: [order(3, 100)], 2: [order(3, 49.9)], 3: [order(3, 7)]})
    for compared, people in (({"is": "100"}, [1]), ({"is": 100}, [1]), ({"in": ["100", "49.90"]}, [1, 2]), ({"is_not": "7.00"}, [1, 2]), ({"is": "sto"}, [])):
        rule = {**BUYERS, "where": [{"field": "value", **compared}]}
        with workspace.transaction() as conn:
            saved = segment.save(conn, "Kwota", rule, NOW, key="own.amount")
            segment.refresh(conn, workspace.warehouse, [1, 2, 3], segment.AsOf(NOW))
            assert [row.person_id for row in segment.membership(conn, saved.id, 0, 10)] == people
        assert segment.members_of(workspace, rule, NOW).to_pylist() == people


def test_only_the_people_touched_are_looked_at(workspace: Workspace) -> None:
    fill(workspace.warehouse, {1: [order(3)], 2: [order(3)]})
    with workspace.transaction() as conn:
        saved = segment.save(conn, "Kupujący", BUYERS, NOW)
        assert segment.refresh(conn, workspace.warehouse, [2], segment.AsOf(NOW)) == [segment.Change(saved.id, (2,), (), NOW)]
        assert segment.refresh(conn, workspace.warehouse, [], segment.AsOf(NOW)) == []


def test_who_objected_to_profiling_is_in_no_segment(workspace: Workspace) -> None:
    fill(workspace.warehouse, {1: [order(3)], 2: [order(3)]})
    with workspace.transaction() as conn:
        saved = segment.save(conn, "Kupujący", BUYERS, NOW)
        segment.refresh(conn, workspace.warehouse, None, segment.AsOf(NOW))
        assert segment.refresh(conn, workspace.warehouse, None, segment.AsOf(NOW, excluded=frozenset([2]))) == [segment.Change(saved.id, (), (2,), NOW)]
    assert segment.members_of(workspace, BUYERS, NOW, excluded=[1]).to_pylist() == [2]


def test_a_joined_person_hands_memberships_on(workspace: Workspace) -> None:
    fill(workspace.warehouse, {1: [page(5)], 7: [order(3)]})
    later = NOW + timedelta(hours=1)
    with workspace.transaction() as conn:
        saved = segment.save(conn, "Kupujący", BUYERS, NOW)
        segment.refresh(conn, workspace.warehouse, None, segment.AsOf(NOW))
        workspace.warehouse.set_people([(7, 1)])
        segment.forget_people(conn, {7: 1}, later)
        assert segment.refresh(conn, workspace.warehouse, [1], segment.AsOf(later)) == []
        assert segment.membership(conn, saved.id, 0, 10) == [segment.Member(1, NOW)]
        heard = [(one.person_id, one.entered) for one in segment.reading.changes(conn, 0, 10)]
        assert heard == [(7, True), (7, False), (1, True)], "whoever listens hears of it"


def test_a_count_comes_with_a_sample_of_five(workspace: Workspace) -> None:
    fill(workspace.warehouse, {person: [order(3)] for person in range(1, 101)})
    counted = segment.count(workspace, BUYERS, NOW)
    assert (counted.members, counted.sample, counted.at) == (100, (1, 21, 41, 61, 81), NOW)
    assert segment.count(workspace, {"not": BUYERS}, NOW).sample == ()


def test_an_explanation_shows_what_was_seen(workspace: Workspace) -> None:
    fill(workspace.warehouse, {1: [order(3, 120.5), order(2, 10), page(1, country="PL")]})
    rule = {"all": [{"op": "total_over", "event": "Order Completed", "more_than": 500}, {"not": {"op": "trait_is", "trait": "country", "value": "PL"}}]}
    told = segment.explain(workspace, rule, 1, NOW)
    total, negated = told.children
    assert (told.op, told.holds, total.holds, negated.holds) == ("all", False, False, False)
    assert total.seen is not None and total.seen.pl == "130,50\u00a0zł" and total.seen.en == "PLN\u00a0130.50"
    assert negated.children[0].holds and negated.children[0].value == "PL"
    assert negated.children[0].sentence.pl == "których kraj to „PL”"


def test_explaining_somebody_unknown_is_not_found(workspace: Workspace) -> None:
    with pytest.raises(NotFound):
        segment.explain(workspace, BUYERS, 404, NOW)


def test_saving_again_under_one_key_redefines(workspace: Workspace) -> None:
    with workspace.transaction() as conn:
        first = segment.save(conn, "A", BUYERS, NOW, key="mine")
        second = segment.save(conn, "B", {"not": BUYERS}, NOW, key="mine")
        assert first.id == second.id
        assert [(one.name, one.rule) for one in segment.segments(conn)] == [("B", {"not": BUYERS})]


def test_a_rule_that_does_not_fit_is_refused_before_it_is_stored(workspace: Workspace) -> None:
    with pytest.raises(RuleInvalid), workspace.transaction() as conn:
        segment.save(conn, "A", {"op": "drop table"}, NOW)
    with workspace.transaction() as conn:
        assert segment.segments(conn) == []


@pytest.mark.parametrize("name", ["", "   ", "a" * 201, "a\0b", "half \ud800"])
def test_a_name_must_be_readable(workspace: Workspace, name: str) -> None:
    with pytest.raises(InvalidInput), workspace.transaction() as conn:
        segment.save(conn, name, BUYERS, NOW)


def test_ready_made_groups_part_the_customers_among_them(workspace: Workspace) -> None:
    fill(workspace.warehouse, {person: [order(days, 10 * person) for days in range(person % 7, person * 5, 40)] for person in range(1, 60)})
    with workspace.transaction() as conn:
        segment.install_ready_made(conn, NOW)
        segment.install_ready_made(conn, NOW)
        segment.refresh(conn, workspace.warehouse, None, segment.AsOf(NOW))
        installed = segment.segments(conn)
        groups = [one for one in installed if one.key and one.key.startswith("rfm.")]
        stages = [one for one in installed if one.key and one.key.startswith("life_cycle.")]
        people = [member.person_id for one in groups for member in segment.membership(conn, one.id, 0, 1000)]
    customers = segment.members_of(workspace, {"op": "did", "event": "Order Completed"}, NOW).to_pylist()
    assert sorted(people) == customers
    assert sum(one.members for one in stages) == segment.count(workspace, {"op": "everyone"}, NOW).members


def test_a_segment_that_can_no_longer_be_read_keeps_its_members_and_says_why(workspace: Workspace) -> None:
    fill(workspace.warehouse, {1: [order(3)]})
    with workspace.transaction() as conn:
        saved = segment.save(conn, "A", BUYERS, NOW)
        segment.refresh(conn, workspace.warehouse, None, segment.AsOf(NOW))
        conn.execute("update segment.segments set rule = '{\"op\": \"gone\"}'")
        assert segment.refresh(conn, workspace.warehouse, None, segment.AsOf(NOW)) == []
        problem = segment.segment(conn, saved.id).problem
        assert segment.segment(conn, saved.id).members == 1
    assert problem is not None and "nie ma takiego operatora" in problem.pl


def test_a_person_can_be_shown_and_erased(workspace: Workspace) -> None:
    fill(workspace.warehouse, {1: [order(3)]})
    with workspace.transaction() as conn:
        segment.save(conn, "A", BUYERS, NOW)
        segment.refresh(conn, workspace.warehouse, None, segment.AsOf(NOW))
        segment.portraits.keep(conn, {"age": {1: ["25-34"]}}, NOW)
        stays, said = {"segment": "A", "entered_at": NOW, "left_at": None}, {"trait": "portrait.age", "value": ["25-34"], "found_at": NOW}
        assert segment.export_person(conn, [1]) == {"segments": [stays], "portraits": [said]}
        assert segment.erase_person(conn, [1]) == 3, "the stay, the news of it, and the portrait"
        assert segment.export_person(conn, [1]) == {"segments": [], "portraits": []}


def test_with_a_segment_go_its_stays_and_changes_and_nobody_elses(workspace: Workspace) -> None:
    fill(workspace.warehouse, {1: [order(3)]})
    with workspace.transaction() as conn:
        gone, kept = segment.save(conn, "Kupujący", BUYERS, NOW), segment.save(conn, "Też", BUYERS, NOW)
        segment.refresh(conn, workspace.warehouse, None, segment.AsOf(NOW))
        conn.execute("delete from segment.segments where id = %s", [gone.id])
        for table in ("members", "changes"):
            assert conn.execute(f"select segment_id, person_id from segment.{table}").fetchall() == [(kept.id, 1)]


def test_a_rule_may_speak_of_what_portraits_say_and_follows_it(workspace: Workspace) -> None:
    fill(workspace.warehouse, {1: [page(1)], 2: [page(1)], 3: [page(1)]})
    rule = {"any": [{"op": "trait_has", "trait": "portrait.category", "value": "Kuchnia"}, {"op": "trait_over", "trait": "portrait.group", "value": 1}]}
    with workspace.transaction() as conn:
        saved = segment.save(conn, "Kuchnia albo nie pierwsza grupa", rule, NOW)
        assert segment.portraits.keep(conn, {"category": {1: ["Ogród", "Kuchnia"], 2: ["Ogród"]}, "group": {3: ["2"], 2: ["1"]}}, NOW) == 3
        changes, _ = segment.refresh_due(conn, workspace.warehouse, segment.AsOf(NOW))
        assert changes == [segment.Change(saved.id, (1, 3), (), NOW)]
        assert segment.portraits.keep(conn, {"category": {1: ["Ogród", "Kuchnia"], 2: ["Ogród"]}, "group": {2: ["1"]}}, NOW) == 1, "the third has no group any more"
        assert segment.refresh_due(conn, workspace.warehouse, segment.AsOf(NOW)) == ([segment.Change(saved.id, (), (3,), NOW)], False)
        assert segment.refresh(conn, workspace.warehouse, None, segment.AsOf(NOW, excluded=frozenset([1]))) == [segment.Change(saved.id, (), (1,), NOW)]
