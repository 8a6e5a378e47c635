"""Where a session ends, and that batches and replays change nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from cegla.profile.rules.sessions import LONGEST_MICROS, PAUSE_MICROS, Sessions

SECOND = 1_000_000
START = 1_700_000_000 * SECOND


def placed(moments: list[tuple[int, str | None]], sessions: Sessions | None = None) -> list[int]:
    sessions = sessions or Sessions({})
    return [sessions.place(1, at, campaign) for at, campaign in moments]


def test_a_pause_of_29_59_keeps_the_session_and_30_00_begins_a_new_one() -> None:
    same = placed([(START, None), (START + PAUSE_MICROS - SECOND, None)])
    other = placed([(START, None), (START + PAUSE_MICROS, None)])
    assert same[0] == same[1]
    assert other[0] != other[1]


def test_the_pause_is_counted_from_the_last_event() -> None:
    assert len(set(placed([(START + step * 20 * 60 * SECOND, None) for step in range(10)]))) == 1


def test_a_session_lasts_less_than_24_hours() -> None:
    ids = placed([(START + step * 20 * 60 * SECOND, None) for step in range(73)])
    assert len(set(ids[:72])) == 1
    assert ids[72] != ids[71]
    assert 72 * 20 * 60 * SECOND == LONGEST_MICROS


def test_another_campaign_begins_a_session_and_no_campaign_does_not() -> None:
    ids = placed([(START, "newsletter/"), (START + SECOND, None), (START + 2 * SECOND, "newsletter/"), (START + 3 * SECOND, "google/spring")])
    assert ids[0] == ids[1] == ids[2] != ids[3]


def test_an_event_that_comes_late_joins_the_session_it_belongs_to() -> None:
    later = START + 4 * PAUSE_MICROS
    ids = placed([(START, None), (later, None), (START + SECOND, None), (later + SECOND, None), (later - SECOND, None)])
    assert ids[0] == ids[2]
    assert ids[1] == ids[3] == ids[4]


def test_two_identities_never_share_a_session() -> None:
    sessions = Sessions({})
    assert sessions.place(1, START, None) != sessions.place(2, START, None)


def test_a_replay_gives_the_same_ids_and_they_fit_the_column() -> None:
    moments = [(START + step * PAUSE_MICROS, "c") for step in range(50)]
    assert placed(moments) == placed(moments)
    assert all(0 <= number < 2**63 for number in placed(moments))


@settings(max_examples=200, deadline=None)
@given(
    events=st.lists(st.tuples(st.integers(1, 3), st.integers(0, 300), st.sampled_from([None, "a", "b"])), max_size=60),
    cuts=st.sets(st.integers(0, 60), max_size=6),
)
def test_where_a_batch_ends_changes_nothing(events: list[tuple[int, int, str | None]], cuts: set[int]) -> None:
    whole = Sessions({})
    expected = [whole.place(identity, START + minute * 60 * SECOND, campaign) for identity, minute, campaign in events]
    kept = Sessions({})
    found: list[int] = []
    for number, (identity, minute, campaign) in enumerate(events):
        if number in cuts:
            kept = Sessions(kept.remembered)
        found.append(kept.place(identity, START + minute * 60 * SECOND, campaign))
    assert found == expected


@settings(max_examples=200, deadline=None)
@given(minutes=st.lists(st.integers(0, 2_000), min_size=1, max_size=60))
def test_in_order_events_are_together_exactly_when_no_pause_is_between(minutes: list[int]) -> None:
    ordered = sorted(minute % 1_400 for minute in minutes)
    ids = placed([(START + minute * 60 * SECOND, None) for minute in ordered])
    for before, after, first, second in zip(ordered, ordered[1:], ids, ids[1:], strict=False):
        assert (first == second) == (after - before < 30)
