"""A column of values in memory, of some of which nothing is known, and what Ibis' operations make of such columns.

An unknown value is what it is in SQL: a comparison with it is unknown, and so is "or" unless the other side is true. Text is kept as numbers into a
list of different words, so that a comparison of twenty thousand names is one of twenty thousand small numbers. Moments are microseconds since 1970, days are
days. A column of one value that stands for all (a literal) has no length.

Whatever is not here `interpret` leaves to the warehouse: this knows little, and what it knows must be exactly what DuckDB answers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property, reduce
from typing import Any

import ibis.expr.operations as ops
import numpy as np
import numpy.typing as npt
import pyarrow as pa

Numbers = npt.NDArray[Any]
EPOCH = datetime.fromtimestamp(0, UTC).replace(tzinfo=None)  #: moments of the history are UTC without a zone
DAY = 86_400_000_000
UNITS = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "D": DAY, "W": 7 * DAY}
LARGEST = 2**62  #: sums that could be larger would not fit


class Beyond(Exception):
    """Something that only the warehouse can answer."""


class Words:
    """Different words, by number."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of each word."""
        return {word: number for number, word in enumerate(self.words)}

    def seen_from(self, other: "Words") -> Numbers:
        """For each of the other's words its number here, or -2 where it is none of these."""
        return np.array([self.numbers.get(word, -2) for word in other.words], np.int64)


@dataclass(frozen=True, slots=True)
class Array:
    """A column: the values, which of them are known (None: all), and for text the words that the values are numbers of."""

    values: Numbers
    known: Numbers | None = None
    words: Words | None = None

    def take(self, places: Numbers | slice) -> "Array":
        """The values at these places."""
        if self.values.ndim == 0:
            return self
        return Array(self.values[places], None if self.known is None else _at(self.known, places), self.words)

    def true(self) -> Numbers:
        """Where it is known to be true."""
        return self.values if self.known is None else self.values & self.known

    def to_arrow(self, size: int, kind: pa.DataType) -> "pa.Array[Any]":
        """The column as Arrow has it, `size` values long."""
        values = np.broadcast_to(self.values, (size,))
        mask = None if self.known is None else ~np.broadcast_to(self.known, (size,))
        if self.words is None:
            return pa.array(values.astype(np.int32) if pa.types.is_date(kind) else values, mask=mask).cast(kind)
        numbers = pa.array(values.astype(np.int32), mask=mask if mask is not None else None)
        return pa.DictionaryArray.from_arrays(numbers, pa.array(list(self.words.words), pa.string())).cast(kind)


def _at(known: Numbers, places: Numbers | slice) -> Numbers:
    return known if known.ndim == 0 else known[places]


def from_arrow(column: "pa.ChunkedArray[Any] | pa.Array[Any]") -> Array:
    """A column of the warehouse's answer. Raises Beyond for kinds of values that this does not know."""
    whole: Any = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    known = None if whole.null_count == 0 else np.asarray(whole.is_valid())
    kind = whole.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        coded = whole.dictionary_encode()
        return Array(coded.indices.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64), known, Words(coded.dictionary.to_pylist() or [""]))
    if pa.types.is_boolean(kind):
        return Array(whole.fill_null(False).to_numpy(zero_copy_only=False), known)
    if pa.types.is_date(kind):
        whole, kind = whole.cast(pa.date32()).view(pa.int32()), pa.int32()
    if pa.types.is_timestamp(kind):
        whole, kind = whole.cast(pa.timestamp("us")).view(pa.int64()), pa.int64()
    if pa.types.is_integer(kind):
        return Array(whole.cast(pa.int64()).fill_null(0).to_numpy(), known)
    if pa.types.is_floating(kind):
        values = whole.cast(pa.float64()).fill_null(0.0).to_numpy()
        if np.isnan(values).any():
            raise Beyond("what is no number compares in ways of its own")
        return Array(values, known)
    if pa.types.is_null(kind):
        return Array(np.zeros(len(whole), np.int64), np.zeros(len(whole), bool))
    raise Beyond(str(kind))


def is_plain(kind: pa.DataType) -> bool:
    """Whether `from_arrow` knows this kind of values."""
    numbers = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_timestamp, pa.types.is_date, pa.types.is_null)
    return any(one(kind) for one in (pa.types.is_string, pa.types.is_large_string, *numbers))


def knows(kind: Any) -> bool:
    """Whether values of this kind, as Ibis names it, can be held."""
    if kind.is_timestamp():
        return kind.timezone is None
    return any((kind.is_boolean(), kind.is_integer(), kind.is_floating(), kind.is_string(), kind.is_date(), kind.is_null()))


def unknown(kind: Any) -> Array:
    """Nothing known of anybody, of a kind as Ibis names it."""
    value = np.bool_(False) if kind.is_boolean() else np.float64(0) if kind.is_floating() else np.int64(0)
    return Array(value, np.bool_(False), Words([""]) if kind.is_string() else None)  # pyright: ignore[reportArgumentType]


def literal(value: Any) -> Array:
    """One known value that stands for all."""
    match value:
        case str():
            return Array(np.int64(0), None, Words([value]))  # pyright: ignore[reportArgumentType]
        case bool():
            return Array(np.bool_(value))  # pyright: ignore[reportArgumentType]
        case datetime():
            return Array(np.int64(micros(value)))  # pyright: ignore[reportArgumentType]
        case date():
            return Array(np.int64((value - EPOCH.date()).days))  # pyright: ignore[reportArgumentType]
        case int() if -LARGEST < value < LARGEST:
            return Array(np.int64(value))  # pyright: ignore[reportArgumentType]
        case float():
            return Array(np.float64(value))  # pyright: ignore[reportArgumentType]
        case _:
            raise Beyond(repr(value))


def micros(moment: datetime) -> int:
    """A moment as the history counts them."""
    since = (moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)) - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def truncated(unit: int) -> Callable[[Array], Array]:
    """Moments put back to the begin of a second, a minute, an hour or a day of so many microseconds."""
    return lambda one: Array(one.values // unit * unit, one.known)


def day(one: Array) -> Array:
    """The day of each moment."""
    return Array(one.values // DAY, one.known)


def interval(op: Any) -> Array:
    """A length of time in microseconds. Raises Beyond for months and years, which have no length of their own."""
    unit = op.dtype.unit.short
    if not isinstance(op, ops.Literal) or unit not in UNITS:
        raise Beyond(unit)
    return literal(int(op.value) * UNITS[unit])


# what is known of two -----------------------------------------------------------------------------------------------------


def both(*known: Numbers | None) -> Numbers | None:
    """Where all are known."""
    told = [one for one in known if one is not None]
    return reduce(np.logical_and, told) if told else None


def _comparable(first: Array, second: Array) -> tuple[Numbers, Numbers]:
    if first.words is None and second.words is None:
        return first.values, second.values
    if first.words is None or second.words is None:
        raise Beyond("text beside a number")
    if first.words is second.words:
        return first.values, second.values
    return first.values, first.words.seen_from(second.words)[second.values]


def _equal(first: Array, second: Array) -> Array:
    if first.values.ndim == 0 and first.words is not None:
        first, second = second, first
    left, right = _comparable(first, second)
    return Array(left == right, both(first.known, second.known))


def _unequal(first: Array, second: Array) -> Array:
    same = _equal(first, second)
    return Array(~same.values, same.known)


def _ordered(compare: Callable[[Numbers, Numbers], Numbers]) -> Callable[[Array, Array], Array]:
    def answer(first: Array, second: Array) -> Array:
        if first.words is not None or second.words is not None:
            raise Beyond("the order of words")
        return Array(compare(first.values, second.values), both(first.known, second.known))

    return answer


def _between(value: Array, low: Array, high: Array) -> Array:
    return _and(COMPARED[ops.GreaterEqual](value, low), COMPARED[ops.LessEqual](value, high))


def _among(value: Array, *options: Array) -> Array:
    return reduce(_or, (_equal(value, one) for one in options))


def _and(first: Array, second: Array) -> Array:
    values = first.true() & second.true()
    if first.known is None and second.known is None:
        return Array(values)
    false = (~first.values & _known(first)) | (~second.values & _known(second))
    return Array(values, values | false)


def _or(first: Array, second: Array) -> Array:
    values = first.true() | second.true()
    if first.known is None and second.known is None:
        return Array(values)
    return Array(values, values | ((~first.values & _known(first)) & (~second.values & _known(second))))


def _known(array: Array) -> Numbers:
    return np.bool_(True) if array.known is None else array.known  # pyright: ignore[reportReturnType]


def _not(one: Array) -> Array:
    return Array(~one.values, one.known)


def _is_null(one: Array) -> Array:
    if one.known is None:
        return Array(np.zeros(np.shape(one.values), bool))
    return Array(np.broadcast_to(~one.known, np.broadcast_shapes(np.shape(one.known), np.shape(one.values))))


def _not_null(one: Array) -> Array:
    return _not(_is_null(one))


# one of several -----------------------------------------------------------------------------------------------------------


def _alike(several: Sequence[Array]) -> list[Array]:
    """The same columns with words numbered alike; a bare "unknown" fits beside anything."""
    kinds = [one.values.dtype for one in several if not _is_nothing(one)]
    several = [Array(np.zeros((), kinds[0]), one.known, one.words) if kinds and _is_nothing(one) else one for one in several]
    if all(one.words is None for one in several):
        return list(several)
    spoken = [one for one in several if one.words is not None]
    if any(one.words is None and one.known is None for one in several):
        raise Beyond("text beside a number")
    words = Words(list(dict.fromkeys(word for one in spoken if one.words is not None for word in one.words.words)))
    return [Array(one.values if one.words is None else words.seen_from(one.words)[one.values], one.known, words) for one in several]


def _is_nothing(one: Array) -> bool:
    return one.known is not None and one.known.ndim == 0 and not one.known


def _choose(wanted: Array, yes: Array, no: Array) -> Array:
    yes, no = _alike([yes, no])
    holds = wanted.true()
    known = None if yes.known is None and no.known is None else np.where(holds, _known(yes), _known(no))
    return Array(np.where(holds, yes.values, no.values), known, yes.words)


def _first_known(*several: Array) -> Array:
    return reduce(lambda first, second: first if first.known is None else _choose(_not_null(first), first, second), several)


def _null_if(one: Array, other: Array) -> Array:
    same = _equal(one, other).true()
    return Array(np.broadcast_to(one.values, np.broadcast_shapes(np.shape(one.values), np.shape(same))), np.logical_and(_known(one), ~same), one.words)


def _case(*parts: Array) -> Array:
    """Conditions, then their results, then what else."""
    half = len(parts) // 2
    return reduce(lambda rest, one: _choose(one[0], one[1], rest), reversed(list(zip(parts[:half], parts[half:-1], strict=True))), parts[-1])


def _extreme(pick: Callable[[Numbers, Numbers], Numbers]) -> Callable[..., Array]:
    """The least or greatest of those that are known."""

    def two(first: Array, second: Array) -> Array:
        if first.words is not None or second.words is not None:
            raise Beyond("the order of words")
        if first.known is None and second.known is None:
            return Array(pick(first.values, second.values))
        values = np.where(~_known(first), second.values, np.where(~_known(second), first.values, pick(first.values, second.values)))
        return Array(values, np.logical_or(_known(first), _known(second)))

    return lambda *several: reduce(two, several)


# arithmetic ---------------------------------------------------------------------------------------------------------------


def _counted(work: Callable[[Numbers, Numbers], Numbers], largest: int = LARGEST) -> Callable[[Array, Array], Array]:
    def answer(first: Array, second: Array) -> Array:
        left, right = first.values, second.values
        if first.words is not None or second.words is not None:
            raise Beyond("arithmetic of words")
        if left.dtype.kind == "i" and right.dtype.kind == "i" and work is not np.fmod and left.size and right.size:
            size = int(np.abs(left).max()), int(np.abs(right).max())
            if (size[0] * size[1] if work is np.multiply else size[0] + size[1]) > largest:
                raise Beyond("a whole number too large")
        return Array(work(left, right), both(first.known, second.known))

    return answer


def _divided(whole: bool) -> Callable[[Array, Array], Array]:
    """As DuckDB divides: by floating point; `whole` rounds down."""

    def answer(first: Array, second: Array) -> Array:
        with np.errstate(over="ignore"):
            values = np.divide(first.values.astype(np.float64), _divisor(second))
        return Array(np.floor(values).astype(np.int64) if whole else values, both(first.known, second.known))

    return answer


def _rest(first: Array, second: Array) -> Array:
    return Array(np.fmod(first.values, _divisor(second)), both(first.known, second.known))


def _divisor(one: Array) -> Numbers:
    """What to divide by, 1 where it is unknown. Raises Beyond where it is zero: that is endless, no number or an error, as DuckDB's settings say."""
    if np.any((one.values == 0) & _known(one)):
        raise Beyond("divided by zero")
    return np.where(_known(one), one.values, 1)


COMPARED: dict[type[Any], Callable[..., Array]] = {
    ops.Equals: _equal, ops.NotEquals: _unequal, ops.Less: _ordered(np.less), ops.LessEqual: _ordered(np.less_equal),
    ops.Greater: _ordered(np.greater), ops.GreaterEqual: _ordered(np.greater_equal),
}  # fmt: skip
#: what is known of each operation, by its class; its operands come in the order in which Ibis names them
WORK: dict[type[Any], Callable[..., Array]] = {
    **COMPARED, ops.Between: _between, ops.InValues: _among, ops.And: _and, ops.Or: _or, ops.Not: _not, ops.IsNull: _is_null, ops.NotNull: _not_null,
    ops.IfElse: _choose, ops.Coalesce: _first_known, ops.NullIf: _null_if, ops.SearchedCase: _case, ops.Least: _extreme(np.minimum),
    ops.Greatest: _extreme(np.maximum), ops.Add: _counted(np.add), ops.Subtract: _counted(np.subtract), ops.Multiply: _counted(np.multiply),
    ops.TimestampAdd: _counted(np.add), ops.Divide: _divided(whole=False), ops.FloorDivide: _divided(whole=True), ops.Modulus: _rest,
}  # fmt: skip
