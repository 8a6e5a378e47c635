"""What the product asks of its warehouse, whichever engine holds it: the DuckDB file (`warehouse.Warehouse`) or one by address (`engines.elsewhere`)."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import ibis.expr.types as ir
import pyarrow as pa

from cegla.storage.rewriting import LAST_BATCH, Checked
from cegla.storage.warehouse import Readable, Snapshot


class AnyWarehouse(Readable, Protocol):
    """The history, read and written. One process at a time writes; safe to use from several threads."""

    @property
    def holds_erased(self) -> bool:
        """Whether bytes of removed rows are still on the disk, so that `rewrite` is due."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...

    def refuse_damaged(self) -> None:
        """Raises WarehouseDamaged when a new start would mend what somebody met."""
        ...

    def check_disk(self) -> None:
        """Look at what lies on the disk, by its checksums. Raises WarehouseDamaged, or EngineAway with what another engine found wrong."""
        ...

    def snapshot(self, batch: int) -> AbstractContextManager[Snapshot | None]:
        """The history as this committed batch left it; None while another batch is on its way."""
        ...

    def expect(self, batch: int) -> None:
        """Say that this batch is on its way."""
        ...

    def append(self, tables: dict[str, pa.Table]) -> None:
        """Add the rows of one intake batch, all or none."""
        ...

    def append_all(self, name: str, pieces: Iterable[pa.Table]) -> int:
        """Add rows of one table, all or none; returns how many."""
        ...

    def last_batch(self) -> int:
        """The newest batch with rows here; 0 when there is none."""
        ...

    def take_back_after(self, batch: int) -> int:
        """Remove rows of later batches; returns how many."""
        ...

    def rows_of(self, identity_ids: Sequence[int]) -> dict[str, list[dict[str, Any]]]:
        """Every row of these identities, by table."""
        ...

    def erase(self, identity_ids: Sequence[int]) -> int:
        """Remove every row of these identities; returns how many."""
        ...

    def identities_between(self, ranges: Sequence[tuple[int, int]]) -> tuple[list[int], list[int]]:
        """Identities with events whose ids lie in these ranges, and those of them that have other events too."""
        ...

    def erase_between(self, ranges: Sequence[tuple[int, int]]) -> int:
        """Remove every row of the events with these ids; returns how many events went."""
        ...

    def forget(self, name: str, gone: ir.Table, blank: Mapping[str, str] = MappingProxyType({})) -> int:
        """Remove these rows of a table, or what `blank` says of them; returns how many."""
        ...

    def set_people(self, changes: Iterable[tuple[int, int]]) -> None:
        """Say whose identities are whose from now on: (identity, person)."""
        ...

    def reset_people(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Say it of all identities anew."""
        ...

    def tidy(self) -> None:
        """Join what lies in small pieces."""
        ...

    def rewrite(self) -> int | None:
        """Write what is there anew, without the bytes of removed rows; the new size, None when that did not come about."""
        ...

    def replace(self, fresh: Path, counted: Mapping[str, int]) -> bool:
        """Take over the rows of a DuckDB file, unless there are other rows here now than were counted."""
        ...

    def checked(self, name: str, first: int = 0, last: int = LAST_BATCH) -> Checked:
        """What a table comes to, of these batches."""
        ...

    def verify(self) -> dict[str, Checked]:
        """Read everything once, and what it comes to by table."""
        ...

    def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        ...
