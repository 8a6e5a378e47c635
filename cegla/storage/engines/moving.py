"""The history on another engine: read in parts, handed over as Parquet, and compared row by row.

    what the target has ──► compared        other rows than ours: nothing is written
    what it lacks       ──► written         part after part, in the order of batches, so that a move that was cut off goes on
    all of it           ──► read again      and compared by count and checksum

The source is only read, and what is in the target is never removed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import duckdb
import pyarrow as pa

from cegla.storage.snapshots import parts_of
from cegla.storage.warehouse import TABLES, Readable, table
from cegla.vocabulary.errors.installation import MoveRefused
from cegla.vocabulary.text import Text

Pair = tuple[int, int]  #: the first and the last batch of a part
FOREIGN = Text("w tabeli {table} celu są inne wiersze niż w źródle", "the target's table {table} has other rows than the source")
CHANGED = Text("tabela {table} odczytana z celu różni się od źródła", "the table {table} read back from the target differs from the source")


class Target(Readable, Protocol):
    """What a history is moved to."""

    def last(self, name: str) -> int:
        """The newest batch with rows in a table; 0 when there is none."""
        ...

    def write(self, name: str, rows: pa.Table, first: int, last: int) -> None:
        """Add the rows of these batches to a table."""
        ...

    def reset_people(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Write down whose identities are whose."""
        ...

    def tidy(self) -> None:
        """Join what lies in small pieces."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


@dataclass(frozen=True)
class Moved:
    """One table: its rows in the source, how many of them were written now (in a dry run: would be), and the checksum both sides have.

    The checksum is of all rows in whatever order; None: nothing was compared to the end, since this was a dry run.
    """

    table: str
    rows: int
    written: int
    checksum: str | None


@dataclass(frozen=True)
class _Sum:
    rows: int = 0
    checksum: int = 0

    def __add__(self, other: "_Sum") -> "_Sum":
        return _Sum(self.rows + other.rows, (self.checksum + other.checksum) % (1 << 64))


def move(source: Readable, target: Target, people: Iterable[Pair], upto: int, dry_run: bool = False) -> list[Moved]:
    """Copy the batches up to a number, and whose identities are whose (identity, person), to a warehouse on another engine.

    The target must be empty or hold the first batches of this history already. Raises MoveRefused when it holds anything else, and when what
    is read back from it differs from what was sent.
    """
    lacking: dict[str, list[Pair]] = {}
    sums: dict[str, _Sum] = {}
    for name in TABLES:
        have = target.last(name)
        sums[name] = _alike(source, target, name, list(parts_of(source, name, 0, min(have, upto))), FOREIGN)
        if _count(target, name) != sums[name].rows:
            raise _refused(name, FOREIGN)
        lacking[name] = list(parts_of(source, name, have, upto))
    written = {name: sum(_write(source, target, name, part, dry_run) for part in parts) for name, parts in lacking.items()}
    if dry_run:
        return [Moved(name, sums[name].rows + written[name], written[name], None) for name in TABLES]
    for name, parts in lacking.items():
        sums[name] += _alike(source, target, name, parts, CHANGED)
        if _count(target, name) != sums[name].rows:
            raise _refused(name, CHANGED)
    target.reset_people(people)
    target.tidy()
    return [Moved(name, found.rows, written[name], f"{found.checksum:016x}") for name, found in sums.items()]


def _alike(source: Readable, target: Readable, name: str, parts: Iterable[Pair], otherwise: Text) -> _Sum:
    """The sum over these parts, which is that of both sides."""
    total = _Sum()
    for part in parts:
        held, copied = _sum(source, name, part), _sum(target, name, part)
        if held != copied:
            raise _refused(name, otherwise, f"{part[0]}-{part[1]}: {held.rows} / {copied.rows}")
        total += held
    return total


def _rows(history: Readable, name: str, part: Pair) -> Any:
    rows: Any = table(name)
    return history.run(rows.filter(rows.batch.between(*part)))


def _sum(history: Readable, name: str, part: Pair) -> _Sum:
    """Counted and hashed by the same hand, whichever engine the rows come from. A row that is there twice counts twice."""
    with duckdb.connect() as hand:
        hand.register("part", _rows(history, name, part))
        found = hand.execute("select count(*), (coalesce(sum(hash(part)::hugeint), 0) % 18446744073709551616)::ubigint from part").fetchone()
    return _Sum(*(found or ()))


def _count(history: Readable, name: str) -> int:
    rows: Any = table(name)
    return history.run(rows.aggregate(number=rows.count()))["number"][0].as_py()


def _write(source: Readable, target: Target, name: str, part: Pair, dry_run: bool) -> int:
    rows = _rows(source, name, part)
    if not dry_run:
        target.write(name, rows, *part)
    return rows.num_rows


def _refused(name: str, detail: Text, seen: str = "") -> MoveRefused:
    return MoveRefused(seen=seen, detail=Text(detail.pl.format(table=name), detail.en.format(table=name)))
