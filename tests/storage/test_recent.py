"""Answers kept for some minutes: worked out once, by one who asks, and gone with whoever is erased."""

import threading
from datetime import UTC, datetime, timedelta

from cegla.storage.recent import KEPT_FOR, MOST_KEPT, Recent

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_an_answer_is_worked_out_once_until_it_is_old() -> None:
    recent, made = Recent(), list[datetime]()

    def asked(at: datetime) -> int:
        return recent.of("a", at, lambda: made.append(at) or len(made))

    assert [asked(NOW), asked(NOW + KEPT_FOR / 2), asked(NOW + KEPT_FOR), asked(NOW)] == [1, 1, 2, 3], "also a clock that was put back is heard"
    assert recent.of(("a", frozenset({1})), NOW, lambda: 9) == 9, "who is left out belongs to the question"


def test_who_asks_meanwhile_waits_for_the_same_answer() -> None:
    recent, begun, go, made = Recent(), threading.Event(), threading.Event(), list[int]()

    def make() -> int:
        begun.set()
        go.wait(60)
        made.append(1)
        return len(made)

    answers = list[int]()
    asking = [threading.Thread(target=lambda: answers.append(recent.of("a", NOW, make))) for _ in range(3)]
    for one in asking:
        one.start()
    assert begun.wait(60)
    assert recent.of("b", NOW, lambda: 7) == 7, "other questions do not wait"
    go.set()
    for one in asking:
        one.join(60)
    assert answers == [1, 1, 1]


def test_nothing_is_kept_of_before_somebody_was_erased() -> None:
    recent = Recent()
    assert recent.of("a", NOW, lambda: 1) == 1
    recent.forget()
    assert recent.of("a", NOW, lambda: (recent.forget(), 2)[1]) == 2
    assert recent.of("a", NOW, lambda: 3) == 3, "what was being worked out when somebody was erased is not kept"


def test_a_failure_is_not_kept_and_memory_has_an_end() -> None:
    recent = Recent()
    try:
        recent.of("a", NOW, lambda: 1 // 0)
    except ZeroDivisionError:
        pass
    assert recent.of("a", NOW, lambda: 1) == 1
    for number in range(3 * MOST_KEPT):
        recent.of(number, NOW, lambda: 0)
    assert recent.of("a", NOW + timedelta(seconds=1), lambda: 2) == 1
    assert len(recent._kept) == MOST_KEPT and len(recent._making) <= MOST_KEPT + 1  # pyright: ignore[reportPrivateUsage]
