"""Where each of the 29 hard cases of identity is tested: the case, and the tests that are about it.

Cases that run through intake three times (as they came, said again, backwards) are rows of `CASES` in tests/whole/test_identity_cases.py;
`ROWS` stands for those. Every test named here must be there, and every case must name one.
"""

import ast
from functools import cache

import pytest

from tests.shape.tree import ROOT

ROWS = "whole/test_identity_cases.py::test_a_case_ends_with_the_people_it_should"
WHOLE, CLUSTERS, SENDING, MACHINE = "whole/test_identity_cases.py::", "resolve/test_cases.py::", "activate/test_sending.py::", "resolve/test_machine.py::"
INTERLEAVINGS, PARTED = "resolve/test_interleavings.py::", "activate/test_parted_again.py::"
PROPERTIES, RULING, RELEASES, PROCESSES = "resolve/test_properties.py::", "resolve/test_ruling.py::", "resolve/test_releases.py::", "resolve/test_processes.py::"

TABLE: dict[int, tuple[str, tuple[str, ...]]] = {
    1: ("anonymous events, then identify", (ROWS, CLUSTERS + "test_the_anonymous_history_follows_the_person_who_signs_in")),
    2: ("a second user without a reset", (ROWS, CLUSTERS + "test_a_second_user_of_a_browser_stays_another_person_and_gets_what_follows")),
    3: ("a kiosk", (ROWS, CLUSTERS + "test_a_kiosk_with_five_hundred_users_makes_five_hundred_people")),
    4: ("a reset, then the same user", (ROWS, CLUSTERS + "test_after_a_reset_the_new_browser_joins_who_signs_in_again_and_nobody_else")),
    5: ("identify as two, old and new browser", (ROWS, CLUSTERS + "test_identify_as_somebody_else_keeps_two_people")),
    6: ("links reach through each other", (ROWS, CLUSTERS + "test_links_reach_through_each_other_in_every_order", MACHINE + "test_a_shop_of_any_history_has_the_people_of_a_union_find")),
    7: ("out of order and twice", (ROWS, PROPERTIES + "test_order_repeats_and_batches_do_not_change_who_is_who", MACHINE + "test_a_shop_of_any_history_has_the_people_of_a_union_find")),
    8: ("a limit, and two of equal rank", (ROWS, CLUSTERS + "test_between_equal_ranks_at_the_limit_the_later_in_the_alphabet_is_left_out")),
    9: ("a sliding limit at its boundary", (ROWS, RULING + "test_a_value_that_came_exactly_one_window_ago_does_not_count_any_more")),
    10: ("caps on merges and on identifiers", (ROWS, WHOLE + "test_past_the_cap_of_merges_events_go_on_and_no_more_people_join")),
    11: ("placeholders and look-alikes", (ROWS, CLUSTERS + "test_a_blocked_value_never_becomes_an_identifier", RULING + "test_no_pattern_hangs_on_the_worst_value")),
    12: ("one normalization everywhere", (WHOLE + "test_one_form_of_each_identifier_counts_at_intake_look_up_and_suppression", WHOLE + "test_a_file_names_people_as_events_do")),
    13: ("a new address, a recycled one", (ROWS, WHOLE + "test_a_released_address_is_somebody_elses_from_that_day_and_what_was_before_stays", WHOLE + "test_erasing_who_once_had_an_address_touches_its_bearer_of_today_in_nothing_and_erasing_that_one_suppresses_it", RELEASES + "test_a_release_counts_the_same_whenever_it_comes_and_undone_it_never_was")),
    14: ("a family's address", (ROWS, CLUSTERS + "test_two_users_with_one_family_address_stay_two")),
    15: ("aliases: to oneself, in a circle, of the unknown, by a public key", (ROWS, CLUSTERS + "test_aliases_in_a_circle_end_as_one_person")),
    16: ("the server knows first", (ROWS, CLUSTERS + "test_a_server_event_before_the_browser_identifies_is_the_same_person")),
    17: ("both ways at once, and kill -9", (ROWS, PROCESSES + "test_processes_that_work_at_once_and_are_killed_at_any_step_end_with_the_people_of_the_model", INTERLEAVINGS + "test_workers_in_any_interleaving_and_killed_between_any_statements_end_with_the_people_of_the_model", MACHINE + "test_a_shop_of_any_history_has_the_people_of_a_union_find")),
    18: ("unmerge", (WHOLE + "test_a_link_taken_back_leaves_everything_as_if_it_had_never_been_also_when_its_events_are_played_again", SENDING + "test_people_parted_again_have_their_own_messages_and_caps", PARTED + "test_people_joined_and_parted_again_were_never_joined")),
    19: ("a merge while messages are under way", (SENDING + "test_people_who_are_joined_after_the_launch_get_one_letter_between_them", SENDING + "test_who_was_joined_to_somebody_already_reached_gets_no_second_letter", SENDING + "test_the_cap_counts_what_a_person_got_under_every_address_they_have_today")),
    20: ("a segment through a merge", (WHOLE + "test_a_stay_in_a_segment_and_its_beginning_survive_a_merge",)),
    21: ("erasing a merged person", (WHOLE + "test_an_erased_person_is_gone_under_every_name_and_comes_back_as_somebody_new",)),
    22: ("consents in conflict", (WHOLE + "test_of_two_decisions_the_more_restrictive_holds_for_who_was_joined_per_purpose_and_channel", MACHINE + "test_the_gate_asks_for_the_most_restrictive_of_who_is_one_today")),
    23: ("traits in conflict, null and nothing", (WHOLE + "test_the_newest_value_wins_by_the_time_of_its_event_null_deletes_and_nothing_written_is_a_value",)),
    24: ("groups and accounts", (ROWS, CLUSTERS + "test_a_group_or_account_never_joins_its_users")),
    25: ("very long ids, very many browsers", (ROWS, CLUSTERS + "test_past_the_cap_events_of_a_person_with_very_many_browsers_still_resolve")),
    26: ("a rule is tightened", (WHOLE + "test_a_tighter_rule_lists_who_would_be_out_of_bounds",)),
    27: ("a cookie that outlives a reset", (ROWS, CLUSTERS + "test_a_cookie_that_outlives_a_reset_joins_nobody")),
    28: ("a flood of made-up browsers", (ROWS, CLUSTERS + "test_a_flood_of_made_up_browsers_touches_nobody_else")),
    29: ("two workspaces, two sources", (ROWS, WHOLE + "test_the_same_ids_in_another_workspace_are_other_people", CLUSTERS + "test_the_same_message_id_in_two_sources_counts_for_both")),
}  # fmt: skip


@cache
def functions_of(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / "tests" / file).read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))


@cache
def rows_of_the_whole() -> frozenset[int]:
    tree = ast.parse((ROOT / "tests" / "whole" / "test_identity_cases.py").read_text())
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Case")
    return frozenset(number.value for call in calls if isinstance(number := call.args[0], ast.Constant) and isinstance(number.value, int))


def test_all_29_cases_are_in_the_table() -> None:
    assert sorted(TABLE) == list(range(1, 30))


@pytest.mark.parametrize("number", TABLE)
def test_a_case_has_the_tests_that_the_table_names(number: int) -> None:
    _, tests = TABLE[number]
    assert tests
    for test in tests:
        file, _, name = test.partition("::")
        assert name in functions_of(file), f"case {number} names {test}, which is not there"
    assert (ROWS in tests) == (number in rows_of_the_whole()), f"case {number} and its rows through intake"
