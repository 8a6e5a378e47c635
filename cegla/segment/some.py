"""Some people, whom a batch touched or who are due: their rows are fetched once, and nearly all rules decided over them in memory.

What is asked of the warehouse is the same whatever the number of rules: the people's rows, what other stores were asked, traits of several passes, and at
the end what only it can read out of one row a person. A plan is made once a day for the same rules, not once a batch.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa

from cegla.profile import actions as profile
from cegla.segment.asking import questions_of
from cegla.segment.rules import compile as compiler
from cegla.segment.rules import touched
from cegla.segment.rules.arrays import Beyond, micros
from cegla.segment.rules.compile import History
from cegla.segment.rules.history import Ground, Passing, Scale
from cegla.segment.rules.language import Question, Rule, leaves
from cegla.storage.warehouse import Readable, history

UNIMPORTANT = datetime.fromtimestamp(0, UTC).replace(tzinfo=None)  #: which columns a rule looks at does not depend on the moment
NO_SCALE = Scale(UNIMPORTANT, 0, (0,) * 4, (0,) * 4, (0,) * 4)
ROWS_AT_ONCE = 200_000  #: what a step works on stays near the processor


@dataclass(frozen=True, eq=False)
class Ruled:
    """Some rules, known again as this object."""

    trees: tuple[Rule, ...]

    @cached_property
    def columns(self) -> list[str]:
        """The columns of the events that these rules look at."""
        return _columns_of(self.trees)

    @cached_property
    def questions(self) -> list[Question]:
        """What other stores are asked."""
        return questions_of(self.trees)


def _columns_of(trees: tuple[Rule, ...]) -> list[str]:
    columns = {*compiler.columns_of(trees, History(history(), history("order_lines"), lambda keys: history()), Ground(UNIMPORTANT, NO_SCALE))}
    if any(row.joined and row.counted is None for tree in trees for leaf in leaves(tree) if (row := leaf.values.get("row")) is not None):
        columns |= {*profile.past.FACT_COLUMNS}
    return sorted(columns)


@contextmanager
def rows_of(warehouse: Readable, people: Sequence[int], columns: Sequence[str]) -> Generator[tuple[ir.Table, ir.Table]]:
    """What these people did, and the order lines, as far as the rules look at it: taken out of the history once, however many rules there are.

    Both lie aside, where questions about them are to be asked: what a snapshot itself keeps takes memory until it ends, and there may be many parts of people.
    """
    with ExitStack() as stack:
        with warehouse.people(people) as asked:
            events = stack.enter_context(warehouse.aside.keep(warehouse.run(history("events", asked, columns))))
            lines = stack.enter_context(warehouse.aside.keep(warehouse.run(history("order_lines", asked))))
        yield events, lines


def past(now: datetime, answers: Mapping[Question, Any], events: ir.Table, lines: ir.Table) -> History:
    """The rows of some people only, in memory."""
    rows: tuple[Any, Any] = events.op(), lines.op()
    return History(events, lines, lambda keys: _traits(now, tuple(keys), *rows).to_expr(), None, answers)


@lru_cache(maxsize=64)
def _traits(now: datetime, keys: tuple[str, ...], events: Any, lines: Any) -> Any:
    return profile.past.traits_of(now, None, keys, (events.to_expr(), lines.to_expr())).op()


def decided(
    warehouse: Readable, ruled: Ruled, past: History, ground: Ground
) -> tuple[pa.Table | None, list[int], Sequence[int]]:
    """A table of `person_id`, one boolean column `r0`, `r1`, … for each of the rules numbered in the second answer, and `due_at`; and the numbers of the
    rules that only the warehouse can decide, which may be all."""
    if not ruled.trees:
        return None, [], ()
    answers = tuple((question, one.op()) for question, one in past.answers.items())
    made, moments = _plan(ruled, _all_day(ground), (past.events.op(), past.order_lines.op()), answers)
    try:
        return _worked_out(warehouse, made, past, _Bound(ground, moments)), list(made.holds), made.left
    except Beyond:
        return None, [], range(len(ruled.trees))


class _Bound:
    """Expressions of a plan with the moment that it is now."""

    def __init__(self, ground: Ground, moments: Mapping[float, Any]) -> None:
        self.ground, self.now = ground, micros(ground.now)
        self._values = {one.op(): ground.ago(days).op() for days, one in moments.items()}

    def over(self, expression: Any, base: Any = None, table: Any = None) -> Any:
        """The expression as of now; with `table` in the place of `base`."""
        placed = {} if base is None else {base: table.op()}
        return expression.replace({**self._values, **placed}).to_expr()


def _worked_out(warehouse: Readable, made: touched.Plan, past: History, bound: _Bound) -> pa.Table:
    """What the plan decides about these people. Raises Beyond."""
    real = compiler.rows_up_to_now(past, bound.ground, made.mixed)
    fetched = {name: bound.over(one, made.rows.base, real) for name, one in made.rows.asked.items()}
    rows = touched.rows_of(warehouse.run(real.select(*made.row_columns, **fetched)))
    tables = {one.prefix: past.traits(one.traits) if one.traits else bound.over(one.table.op()) for one in made.beside}
    beside = {prefix: warehouse.run(table) for prefix, table in tables.items()}
    parts = (touched.counted(made, part, beside, bound.now) for part in rows.parts(ROWS_AT_ONCE))
    return pa.concat_tables([one.decided(_asked(warehouse, made, one, bound)) for one in parts])


def _asked(warehouse: Readable, made: touched.Plan, people: touched.People, bound: _Bound) -> pa.Table | None:
    """What only the warehouse can read out of one row a person; aside, as `rows_of`."""
    if (about := people.asked()) is None:
        return None
    with warehouse.aside.keep(about) as kept:
        return warehouse.aside.run(kept.select("person_id", **{name: bound.over(one, made.people.base, kept) for name, one in made.people.asked.items()}))


@lru_cache(maxsize=8)
def _plan(ruled: Ruled, ground: Ground, rows: tuple[Any, Any], answers: tuple[tuple[Question, Any], ...]) -> tuple[touched.Plan, Mapping[float, Any]]:
    """The plan of these rules for a whole day, and what stands for which moment in it, by days before now."""
    passing = Passing(ground.now, ground.scale, ground.zone, ground.tenths)
    told = {question: one.to_expr() for question, one in answers}
    return touched.plan(ruled.trees, past(ground.now.replace(tzinfo=UTC), told, *(one.to_expr() for one in rows)), passing), passing.moments


def _all_day(ground: Ground) -> Ground:
    """The same ground at a moment that the plan of the whole day, or where clocks are put forward or back of a quarter of an hour, is made for."""
    noon = ground.after(0)
    if _clock(noon) == _clock(ground):
        return noon
    return replace(ground, now=ground.now.replace(minute=ground.now.minute // 15 * 15, second=0, microsecond=0))


def _clock(ground: Ground) -> Any:
    """What of a moment a rule can see, but for the moment: its day, and how far the shop's clock is ahead."""
    return ground.today, ground.now.replace(tzinfo=UTC).astimezone(ground.zone).utcoffset()
