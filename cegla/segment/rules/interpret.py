"""From Ibis expressions to steps over columns in memory: what the warehouse would need twenty questions for, is answered between two of them.

Planning a question takes DuckDB longer than answering it about five hundred people. So the people's rows are fetched once, sorted by person and moment,
and the same expressions that `compile` hands to the warehouse are worked out here, each part of them once however many rules share it:

    rows of some people ─► conditions ─► (sequences: the nearest event before or after) ─► measures, one value a person ─► holds, due

What `arrays` does not know, such as a property of a document or a day of the year, is fetched with the rows: `Steps.asked` says what to fetch under which
name. What cannot be fetched, either, raises Beyond, and the rule is left to the warehouse.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property, partial, reduce
from typing import Any

import ibis.expr.operations as ops
import numpy as np

from cegla.segment.rules.arrays import UNITS, WORK, Array, Beyond, Numbers, Words, day, interval, knows, literal, truncated, unknown

AGGREGATES = (ops.CountStar, ops.Count, ops.Sum, ops.Min, ops.Max, ops.CountDistinct, ops.ArgMin, ops.ArgMax)
ORDERING = (ops.Less, ops.LessEqual, ops.Greater, ops.GreaterEqual, ops.Between, ops.Least, ops.Greatest)


class Frame:
    """Rows with named columns, those of one person together and in the order of their moments."""

    def __init__(self, size: int, column: Callable[[str], Array]) -> None:
        self.size = size
        self._make, self._columns = column, dict[str, Array]()

    def __getitem__(self, name: str) -> Array:
        if name not in self._columns:
            self._columns[name] = self._make(name)
        return self._columns[name]

    def where(self, wanted: Array) -> "Frame":
        """The rows for which a condition holds."""
        holds = np.broadcast_to(wanted.true(), (self.size,))
        places = np.flatnonzero(holds)
        return Frame(len(places), lambda name: self[name].take(places))

    def parts(self, most: int) -> "Iterator[Frame]":
        """The same rows a stretch at a time, each of whole people: of about `most` rows, more only where one person has more. One at least."""
        first = 0
        while True:
            ends = self.starts[np.searchsorted(self.starts, first + most, side="right") - 1] if first + most < self.size else self.size
            if ends <= first:  # of one person
                after = self.starts[np.searchsorted(self.starts, first, side="right") :]
                ends = after[0] if len(after) else self.size
            yield self._between(int(first), int(ends))
            if (first := ends) >= self.size:
                return

    def _between(self, first: int, last: int) -> "Frame":
        return Frame(last - first, lambda name: self[name].take(slice(first, last)))

    @cached_property
    def starts(self) -> Numbers:
        """Where the rows of each person begin."""
        people = self["person_id"].values
        return np.flatnonzero(np.concatenate(([True], people[1:] != people[:-1]))) if self.size else np.zeros(0, np.int64)

    @cached_property
    def owner(self) -> Numbers:
        """For each row the number of its person, from 0."""
        return np.repeat(np.arange(len(self.starts)), np.diff(np.append(self.starts, self.size)))

    @cached_property
    def people(self) -> Array:
        """Everybody with a row, ascending."""
        return self["person_id"].take(self.starts)


@dataclass(frozen=True)
class Picked:
    """The rows of a frame that a measure is about: where they are, whose, and where those of each of these people begin."""

    frame: Frame
    places: Numbers

    @cached_property
    def owner(self) -> Numbers:
        """For each of the rows the number of its person in the frame."""
        return self.frame.owner[self.places]

    @cached_property
    def starts(self) -> Numbers:
        """Where, among these rows, those of each of these people begin."""
        owner = self.owner
        return np.flatnonzero(np.concatenate(([True], owner[1:] != owner[:-1]))) if len(owner) else np.zeros(0, np.int64)

    def known(self, column: Array) -> "Picked":
        """Those of the rows of which the column is known."""
        if column.known is None:
            return self
        return Picked(self.frame, self.places[np.broadcast_to(column.known, (self.frame.size,))[self.places]])

    def spread(self, values: Numbers, words: Words | None = None) -> Array:
        """One value for each of these people as a column of everybody: of the others nothing is known."""
        size = len(self.frame.starts)
        found, known = np.zeros(size, values.dtype), np.zeros(size, bool)
        of = self.owner[self.starts]
        found[of], known[of] = values, True
        return Array(found, None if known.all() else known, words)

    def counted(self) -> Array:
        """How many of the rows everybody in the frame has."""
        return Array(np.bincount(self.owner, minlength=len(self.frame.starts)).astype(np.int64))


def _picked(frame: Frame, where: Array | None = None) -> Picked:
    return Picked(frame, np.arange(frame.size) if where is None else np.flatnonzero(np.broadcast_to(where.true(), (frame.size,))))


def _full(column: Array, size: int) -> Array:
    return Array(np.broadcast_to(column.values, (size,)), None if column.known is None else np.broadcast_to(column.known, (size,)), column.words)


def _sum(picked: Picked, column: Array) -> Array:
    values = _full(column, picked.frame.size).values
    picked = picked.known(column)
    values = values[picked.places]
    if values.dtype.kind == "b":
        values = values.astype(np.int64)
    if values.dtype.kind == "i" and len(values) and float(np.abs(values).max()) * len(values) > 2**62:
        raise Beyond("a sum too large")
    return picked.spread(np.add.reduceat(values, picked.starts) if len(values) else values)


def _extreme(picked: Picked, column: Array, pick: Any) -> Array:
    if column.words is not None:
        raise Beyond("the order of words")
    values = _full(column, picked.frame.size).values
    picked = picked.known(column)
    values = values[picked.places]
    return picked.spread(pick.reduceat(values, picked.starts) if len(values) else values)


def _distinct(picked: Picked, column: Array) -> Array:
    values = _full(column, picked.frame.size).values
    picked = picked.known(column)
    values, owner, size = values[picked.places], picked.owner, len(picked.frame.starts)
    if not len(values):
        return Array(np.zeros(size, np.int64))
    order = np.lexsort((values, owner))
    values, owner = values[order], owner[order]
    new = np.concatenate(([True], (values[1:] != values[:-1]) | (owner[1:] != owner[:-1])))
    return Array(np.bincount(owner[new], minlength=size).astype(np.int64))


def _deciding(picked: Picked, column: Array, keys: Sequence[Array], *, last: bool) -> Array:
    """The value, known or not, of the row with the smallest, or largest, keys."""
    size = picked.frame.size
    if any(key.known is not None or key.words is not None for key in keys):
        raise Beyond("keys in an order of their own")
    by = [_full(key, size).values[picked.places] for key in reversed(keys)]
    order = np.lexsort((*by, picked.owner))
    starts = picked.starts
    chosen = picked.places[order[np.append(starts[1:], len(order)) - 1] if last and len(order) else order[starts]]
    whole = _full(column, size)
    found = picked.spread(whole.values[chosen], whole.words)
    if whole.known is None:
        return found
    known = picked.spread(whole.known[chosen])
    return Array(found.values, known.true(), found.words)


def _nearest(frame: Frame, column: Array, order: Array, *, before: bool) -> Array:
    """The largest value of the person's rows that lie before each row, or the smallest of those after it; rows of one moment do not see each other."""
    size = frame.size
    moments, values = _full(order, size).values, _full(column, size)
    known = np.ones(size, bool) if values.known is None else values.known
    if order.known is not None or values.words is not None or (size and (np.diff(moments)[np.diff(frame.owner) == 0] < 0).any()):
        raise Beyond("rows in another order")
    if not size:
        return Array(np.zeros(0, np.int64), np.zeros(0, bool))
    new = np.concatenate(([True], (moments[1:] != moments[:-1]) | (frame.owner[1:] != frame.owner[:-1])))
    if not before:
        flipped = Frame(size, lambda name: Array(frame["person_id"].values[::-1]))
        back = _nearest(flipped, Array(-values.values[::-1], known[::-1]), Array(-moments[::-1]), before=True)
        return Array(-back.values[::-1], None if back.known is None else back.known[::-1])
    different, ranks = np.unique(values.values, return_inverse=True)
    ranks = np.where(known, ranks, -1) + frame.owner * (len(different) + 1)
    running = np.maximum.accumulate(ranks) - frame.owner * (len(different) + 1)
    first = np.maximum.accumulate(np.where(new, np.arange(size), 0))  # of the rows of this moment
    inside = first > frame.starts[frame.owner]
    found = np.where(inside, running[first - 1], -1)
    return Array(different[np.maximum(found, 0)], found >= 0)


# steps --------------------------------------------------------------------------------------------------------------------


@dataclass
class Steps:
    """Expressions as a list of steps, each worked out once; a step is a function and the numbers of the steps whose results it takes.

    `base` is the table that the rows are of. `asked` are the columns that must be fetched besides those named in the expressions: name → expression
    over `base`.
    """

    base: Any
    moments: Mapping[float, Any] = field(default_factory=dict[float, Any])  #: by days before now, what stands for that moment
    asked: dict[str, Any] = field(default_factory=dict[str, Any])
    named: set[str] = field(default_factory=set[str])
    _steps: list[tuple[Callable[..., Any], tuple[int, ...]]] = field(default_factory=list[tuple[Callable[..., Any], tuple[int, ...]]])
    _places: dict[Any, int] = field(default_factory=dict[Any, int])

    @property
    def fetched_from(self) -> set[str]:
        """The columns that what must be fetched rests on."""
        return {one.name for expression in self.asked.values() for one in expression.find(ops.Field, filter=ops.Value)}

    @property
    def looked_at(self) -> set[str]:
        """Every column that matters."""
        return self.named | self.fetched_from

    def run(self, rows: Frame, wanted: Collection[int], now: int) -> dict[int, Any]:
        """The results of these steps over these rows, now (in microseconds); what no later step takes is let go. Raises Beyond."""
        last = {place: number for number, (_, takes) in enumerate(self._steps) for place in takes}
        found: dict[int, Any] = {}
        for number, (work, takes) in enumerate(self._steps):
            found[number] = work(*(found[place] for place in takes)) if takes else work(rows, now)
            for place in {*takes, number}:
                if last.get(place, number) <= number and place not in wanted:
                    del found[place]
        return found

    def place(self, expression: Any) -> int:
        """The number of the step whose result is this column or table. Raises Beyond."""
        return self._place(expression.op())

    def _place(self, op: Any) -> int:
        if (found := self._places.get(op)) is None:
            mark, named, asked = len(self._steps), set(self.named), dict(self.asked)
            try:
                found = self._made(op)
            except Beyond:
                del self._steps[mark:]
                self._places = {one: place for one, place in self._places.items() if place < mark}
                self.named, self.asked = named, asked
                if not isinstance(op, ops.Value):
                    raise
                found = self._fetched(op)
            self._places[op] = found
        return found

    def _step(self, work: Callable[..., Any], *takes: int) -> int:
        self._steps.append((work, takes))
        return len(self._steps) - 1

    def _made(self, op: Any) -> int:
        match op:
            case ops.Relation():
                return self._table(op)
            case ops.Field():
                self._check(op)
                return self._field(op.rel, op.name)
            case ops.Literal():
                self._check(op)
                return self._step(_constant(unknown(op.dtype) if op.value is None else literal(op.value)))
            case ops.ScalarParameter():
                return self._step(_before(next(days for days, one in self.moments.items() if one.op() == op)))
            case ops.Cast():
                return self._cast(op)
            case ops.Date() if op.arg.dtype.is_timestamp():
                return self._step(day, self._place(op.arg))
            case ops.TimestampTruncate() if op.unit.short in ("s", "m", "h", "D"):
                return self._step(truncated(UNITS[op.unit.short]), self._place(op.arg))
            case ops.WindowFunction():
                return self._window(op)
            case ops.Reduction():
                return self._reduction(op)
            case _:
                return self._worked(op)

    def _check(self, op: Any) -> None:
        if not knows(op.dtype):
            raise Beyond(str(op.dtype))

    def _worked(self, op: Any) -> int:
        work = WORK.get(type(op))
        if work is None:
            raise Beyond(type(op).__name__)
        self._check(op)
        operands = [one for argument in op.args for one in (argument if isinstance(argument, tuple) else (argument,)) if one is not None]
        if isinstance(op, ORDERING) and any(one.dtype.is_string() for one in operands):
            raise Beyond("the order of words")
        if any(one.dtype.is_date() for one in operands) and any(one.dtype.is_timestamp() for one in operands):
            raise Beyond("a day beside a moment")
        return self._step(work, *(self._operand(one) for one in operands))

    def _operand(self, op: Any) -> int:
        return self._step(_constant(interval(op))) if op.dtype.is_interval() else self._place(op)

    def _cast(self, op: Any) -> int:
        self._check(op)
        kind, to = op.arg.dtype, op.to
        if kind.is_null():
            return self._step(_constant(unknown(to)))
        if (kind.is_integer() and to.is_integer()) or (kind.is_timestamp() and to.is_timestamp()) or kind == to:
            return self._place(op.arg)
        if (kind.is_boolean() and to.is_integer()) or (kind.is_integer() and to.is_floating()):
            into = np.int64 if to.is_integer() else np.float64
            return self._step(lambda one: Array(one.values.astype(into), one.known), self._place(op.arg))
        raise Beyond(f"{kind} as {to}")

    def _field(self, table: Any, name: str) -> int:
        if self._only_filtered(table):
            self.named |= {name} - self.asked.keys()
        if table == self.base:
            return self._step(lambda rows, now: rows[name])
        return self._step(lambda frame: frame[name], self._place(table))

    def _fetched(self, op: Any) -> int:
        """A column that only the warehouse can make, out of the rows themselves: the condition of a table below it changes nothing about a row."""
        if not knows(op.dtype) or op.find((ops.Reduction, ops.WindowFunction), filter=ops.Value):
            raise Beyond(type(op).__name__)
        fields = op.find(ops.Field, filter=ops.Value)
        tables = {one.rel for one in fields}
        if len(tables) != 1:
            raise Beyond("a column of no table")
        (table,) = tables
        rooted = op.replace({one: ops.Field(self.base, one.name) for one in fields}) if table != self.base else op
        if not self._only_filtered(table):
            raise Beyond("a column of what was worked out")
        name = next((name for name, one in self.asked.items() if one == rooted), f"asked_{len(self.asked)}")
        self.asked[name] = rooted
        return self._field(table, name)

    def _only_filtered(self, table: Any) -> bool:
        return table == self.base or (isinstance(table, ops.Filter) and self._only_filtered(table.parent))

    def _table(self, op: Any) -> int:
        if op == self.base:
            return self._step(lambda rows, now: rows)
        match op:
            case ops.Filter():
                holds = [self._place(one) for one in op.predicates]
                every = reduce(lambda first, second: self._step(WORK[ops.And], first, second), holds)
                return self._step(lambda frame, wanted: frame.where(wanted), self._place(op.parent), every)
            case ops.Project():
                names, values = list(op.values), [self._place(one) for one in op.values.values()]
                return self._step(partial(_projected, names), self._place(op.parent), *values)
            case ops.DropColumns():
                return self._place(op.parent)
            case ops.Aggregate() if list(op.groups) == ["person_id"] and isinstance(op.groups["person_id"], ops.Field):
                names, values = list(op.metrics), [self._place(one) for one in op.metrics.values()]
                return self._step(partial(_grouped, names), self._place(op.parent), *values)
            case _:
                raise Beyond(type(op).__name__)

    def _reduction(self, op: Any) -> int:
        if not isinstance(op, AGGREGATES) or not knows(op.dtype):
            raise Beyond(type(op).__name__)
        if isinstance(op, (ops.Min, ops.Max)) and op.dtype.is_string():
            raise Beyond("the order of words")
        table = op.arg if isinstance(op, ops.CountStar) else self._table_of(op)
        where = (op.where,) if op.where is not None else ()
        picked = self._shared(("picked", table, op.where), _picked, self._place(table), *(self._place(one) for one in where))
        match op:
            case ops.CountStar():
                return self._step(lambda one: one.counted(), picked)
            case ops.Count():
                return self._step(lambda one, column: one.known(column).counted(), picked, self._place(op.arg))
            case ops.Sum():
                return self._step(_sum, picked, self._place(op.arg))
            case ops.CountDistinct():
                return self._step(_distinct, picked, self._place(op.arg))
            case ops.ArgMin() | ops.ArgMax():
                keys = op.key.values if isinstance(op.key, ops.StructColumn) else (op.key,)
                work = partial(_decided, last=isinstance(op, ops.ArgMax))
                return self._step(work, picked, self._place(op.arg), *(self._place(one) for one in keys))
            case _:
                pick = np.minimum if isinstance(op, ops.Min) else np.maximum
                return self._step(partial(_extreme, pick=pick), picked, self._place(op.arg))

    def _table_of(self, op: Any) -> Any:
        tables = {one.rel for one in op.find(ops.Field, filter=ops.Value)}
        if len(tables) != 1:
            raise Beyond("a measure of no table")
        return tables.pop()

    def _shared(self, key: Any, work: Callable[..., Any], *takes: int) -> int:
        if key not in self._places:
            self._places[key] = self._step(work, *takes)
        return self._places[key]

    def _window(self, op: Any) -> int:
        """The nearest marked moment before a row, or after it, of the same person."""
        function = op.func
        by_person = len(op.group_by) == 1 and isinstance(op.group_by[0], ops.Field) and op.group_by[0].name == "person_id"
        plain = isinstance(function, (ops.Min, ops.Max)) and function.where is None and len(op.order_by) == 1 and op.order_by[0].ascending
        before = op.start is None and _bound(op.end) == (1, True) and isinstance(function, ops.Max)
        after = op.end is None and _bound(op.start) == (1, False) and isinstance(function, ops.Min)
        if not (by_person and plain and op.how == "range" and (before or after)):
            raise Beyond("another window")
        table = self._table_of(function)
        work = partial(_nearest, before=before)
        return self._step(work, self._place(table), self._place(function.arg), self._place(op.order_by[0].arg))


def _bound(boundary: Any) -> tuple[int, bool] | None:
    value = getattr(boundary, "value", None)
    return (value.value, boundary.preceding) if isinstance(value, ops.Literal) else None


def _constant(one: Array) -> Callable[[Frame, int], Array]:
    return lambda rows, now: one


def _before(days: float) -> Callable[[Frame, int], Array]:
    """The moment so many days before now, as `Ground.ago` counts it."""
    length = timedelta(days=days) // timedelta(microseconds=1)
    return lambda rows, now: Array(np.int64(now - length))  # pyright: ignore[reportArgumentType]


def _decided(picked: Picked, column: Array, *keys: Array, last: bool) -> Array:
    return _deciding(picked, column, keys, last=last)


def _projected(names: Sequence[str], parent: Frame, *values: Array) -> Frame:
    columns = {name: _full(value, parent.size) for name, value in zip(names, values, strict=True)}
    return Frame(parent.size, columns.__getitem__)


def _grouped(names: Sequence[str], parent: Frame, *values: Array) -> Frame:
    columns = {"person_id": parent.people, **dict(zip(names, values, strict=True))}
    return Frame(len(parent.starts), columns.__getitem__)


def aligned(people: Numbers, found: Mapping[str, Array], owner: Numbers) -> dict[str, Array]:
    """Columns of a table with one row a person (`owner`, ascending) as columns of these people; unknown of whom it does not have."""
    if not len(owner):
        return {name: Array(np.zeros(len(people), one.values.dtype), np.zeros(len(people), bool), one.words) for name, one in found.items()}
    places = np.minimum(np.searchsorted(owner, people), len(owner) - 1)
    there = owner[places] == people
    columns = {name: one.take(places) for name, one in found.items()}
    if there.all():
        return columns
    return {name: Array(one.values, there if one.known is None else one.known & there, one.words) for name, one in columns.items()}
