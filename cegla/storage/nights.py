"""How far the night's work is: which step was done for which day, and which one is due next. Each step stands alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from cegla.storage.workspace import Connection

A_DAY = timedelta(days=1)
FIRST_RETRY, LAST_RETRY = timedelta(minutes=10), timedelta(hours=3)


@dataclass(frozen=True)
class Step:
    """How a step of the night stands. Times are UTC; `done_at` is None while it is not done for its day."""

    name: str
    day: date
    attempts: int
    tried_at: datetime
    done_at: datetime | None

    def is_due(self, day: date, now: datetime) -> bool:
        """Whether it is to be begun for the night of a day: not done yet, and what failed waits longer after each time."""
        if self.day < day or self.day > day + A_DAY:  # the clock was ahead once, and nobody waits until it is there again
            return True
        return self.done_at is None and self.tried_at + min(FIRST_RETRY * 2 ** min(self.attempts - 1, 10), LAST_RETRY) <= now


def steps(conn: Connection) -> list[Step]:
    """The steps that were ever begun."""
    return [Step(*row) for row in conn.execute("select step, day, attempts, tried_at, done_at from storage.night_steps order by step").fetchall()]


def begin_next(conn: Connection, names: Sequence[str], day: date, now: datetime) -> str | None:
    """The next of these steps that is due for the night of a day, noted as begun; None when there is none.

    Those tried least go first, so that one that fails keeps nobody waiting. A new installation has nothing to do before its first night.
    """
    known = {step.name: step for step in steps(conn)}
    if not known:
        for name in names:
            conn.execute("insert into storage.night_steps values (%s, %s, 0, %s, %s)", [name, day, now, now])
        return None
    if not known.keys() <= set(names):  # a step of an older version
        conn.execute("delete from storage.night_steps where step <> all(%s)", [list(names)])
    due = [name for name in names if name not in known or known[name].is_due(day, now)]
    if not due:
        return None
    tried = {name: known[name].attempts if name in known and known[name].day == day else 0 for name in due}
    name = min(due, key=tried.__getitem__)  # of equals the first
    conn.execute(
        "insert into storage.night_steps values (%(step)s, %(day)s, 1, %(now)s, null) "
        "on conflict (step) do update set day = %(day)s, attempts = %(attempts)s, tried_at = %(now)s, done_at = null",
        {"step": name, "day": day, "attempts": tried[name] + 1, "now": now},
    )
    return name


def done(conn: Connection, name: str, now: datetime) -> None:
    """A step is done for the night it was begun for."""
    conn.execute("update storage.night_steps set done_at = %s where step = %s", [now, name])
