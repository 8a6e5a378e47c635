"""The contract of an analyser: what it declares, what it is given, and what it answers.

    history ──guards──► Seen ──facts (Ibis, one row a person)──► Facts ──read (columns)──► Found, one a trait ──► Findings (rules/finding)
                          └──learn_from (Ibis)──► Facts ──learn──► Params, kept by version ──────┘

An analyser is one `Analyser` row: pure functions and declarations. It never sees bots, datacentres, machine opens or what
reveals a special category (see `guards`), and it does not ask whom it is about: for everybody and for the people of one batch
the same expressions run over other rows. How sure it is, how much it rests on and what it rests on come with every value.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa

from cegla.profile.rules.guards import Seen
from cegla.vocabulary.people import LegalClass
from cegla.vocabulary.text import Text

Table = Any  # an Ibis table
Numbers = "np.ndarray[Any, np.dtype[np.float64]]"
Row = TypeVar("Row")
Params = Mapping[str, Any]  #: what `learn` found in the own base, as JSON; empty until the first night
Schedule = Literal["on_event", "hourly", "nightly"]
ValueType = Literal["word", "number", "score", "share", "flag", "moment", "hour", "list", "shares", "histogram", "records"]


class Known(NamedTuple):
    """A trait as those analysers see it that join what others found (input "trait.KEY"); what is unknown is not there."""

    value: Any
    confidence: float
    n: int


@dataclass(frozen=True)
class AnalysedTrait:
    """One trait: `sentence` says why, its placeholders are the trait's evidence, `{value}` and `{confidence}` (in percent).

    `words` are the values in both languages, where they are words of ours. `unit` is shown behind numbers.
    """

    key: str  #: "os.family": the analyser's key, a dot, a name
    label: Text
    value_type: ValueType
    sentence: Text
    words: Mapping[str, Text] = field(default_factory=dict)
    min_evidence: int | None = None  #: another one than the analyser's
    named_by: str = ""  #: of records the part by which people are counted: "device", "iab_id"


@dataclass(frozen=True)
class Found:
    """The answer for one trait in columns, along `Facts.people`: values (None or NaN: unknown), confidence 0..1, evidence counted.

    `evidence` holds what the sentence shows: up to five named facts, each a column too. The name means the same in all traits of an analyser.
    """

    values: Sequence[Any] | Any
    confidence: Any
    n_evidence: Any
    evidence: Mapping[str, Sequence[Any] | Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Fit:
    """What an analyser learns from the own base at night: percentiles, weights, a model.

    `learn_from` is like `facts`, asked about a sample of people; `learn` makes JSON of it. It must not keep anything of one person.
    """

    learn_from: Callable[[Seen], Table]
    learn: Callable[["Facts", datetime], Params]


@dataclass(frozen=True)
class Analyser:
    """One analyser. Docs, console, settings and the contract suite are derived from these rows (`catalogue.ANALYSERS`).

    `inputs` are all the columns it may see: names of `storage.warehouse.EVENTS`, "property.NAME", "line.NAME", and of what PostgreSQL
    alone holds "declared.NAME", "identifier.KIND" (the values), "identity.KIND" (with their numbers), and "trait.KEY", what an analyser
    before it in the table found: whoever asks for that is asked again after every run of the others. `facts` gives one row a person,
    `read` the traits. `ages`: time alone changes the traits, so that a night's run is about everybody. `version` grows when the method
    changes: traits say "os@1".
    """

    key: str
    label: Text
    promise: Text
    inputs: tuple[str, ...]
    facts: Callable[[Seen], Table]
    read: Callable[["Facts", Params, datetime], Mapping[str, Found]]
    traits: tuple[AnalysedTrait, ...]
    method: Text  #: how it works, for the reference: one or two sentences
    purpose: str
    schedule: Schedule
    min_evidence: int = 1
    half_life_days: float | None = None
    legal_class: LegalClass = "ok"
    version: int = 1
    ages: bool = False
    fit: Fit | None = None
    data: str = ""  #: reference data used, with its version

    @property
    def on_by_default(self) -> bool:
        """Sensitive inferences wait for somebody to set a purpose."""
        return self.legal_class == "ok"

    @property
    def joins(self) -> tuple[str, ...]:
        """The traits of other analysers that it joins."""
        return tuple(name.removeprefix("trait.") for name in self.inputs if name.startswith("trait."))

    @property
    def method_version(self) -> str:
        """What a trait says of its method: "os@1"."""
        return f"{self.key}@{self.version}"

    def least(self, trait: AnalysedTrait) -> int:
        """How much evidence a trait needs."""
        return self.min_evidence if trait.min_evidence is None else trait.min_evidence

    def valid_until(self, computed_at: datetime) -> datetime | None:
        """Until when a value should be trusted: one half-life of what it rests on."""
        return None if self.half_life_days is None else computed_at + timedelta(days=self.half_life_days)


class Facts:
    """The facts of many people in columns, one row a person in the order of `people` (ascending); nobody is twice.

    Whoever has no row in the table of facts has nulls. `told` is what PostgreSQL alone holds: a column for each "declared.NAME",
    "identifier.KIND", "identity.KIND" and "trait.KEY" of the inputs.
    """

    def __init__(self, people: Sequence[int], table: pa.Table, told: Mapping[str, Any] | None = None) -> None:
        self.people = np.asarray(people, dtype=np.int64)
        self.told = dict(told or {})
        known = table["person_id"].to_numpy() if table.num_rows else np.empty(0, np.int64)
        order = np.argsort(known, kind="stable")
        places = np.searchsorted(known, self.people, sorter=order) if len(known) else np.zeros(len(self.people), np.int64)
        rows = order[np.minimum(places, len(known) - 1)] if len(known) else places
        missing = known[rows] != self.people if len(known) else np.ones(len(self.people), bool)
        taken = table.take(pa.array(rows, mask=missing)) if len(known) else pa.table({name: pa.nulls(len(self.people), kind.type) for name, kind in
            zip(table.column_names, table.schema, strict=True)})  # fmt: skip
        self._columns = {name: taken[name].combine_chunks() for name in table.column_names if name != "person_id"}

    def __len__(self) -> int:
        return len(self.people)

    def numbers(self, name: str) -> Any:
        """A column as float64; NaN where nothing is known. Moments are seconds since 1970, flags are 0 and 1."""
        column = self._columns[name]
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("us")).cast(pa.int64())
            return column.cast(pa.float64()).to_numpy(zero_copy_only=False) / 1e6
        return column.cast(pa.float64()).to_numpy(zero_copy_only=False)

    def counts(self, name: str) -> Any:
        """A column as int64; 0 where nothing is known."""
        return np.nan_to_num(self.numbers(name)).astype(np.int64)

    def values(self, name: str) -> list[Any]:
        """A column as Python values; None where nothing is known. Moments are aware, in UTC."""
        found = self._columns[name].to_pylist()
        return [value.replace(tzinfo=UTC) if isinstance(value, datetime) else value for value in found]

    def flat(self, name: str) -> tuple[Any, Any]:
        """A column of lists of structs as one list: the place of each element's person, and all elements as one Arrow array of structs."""
        column = self._columns[name]
        lengths = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
        return np.repeat(np.arange(len(self)), lengths), column.flatten()

    def records(self, name: str, kind: Callable[..., Row], parts: Sequence[str]) -> Iterator[list[Row]]:
        """Of each person the structs of a column of lists, as what `kind` makes of their `parts`."""
        owners, flat = self.flat(name)
        rows = list(map(kind, *(flat.field(field).to_pylist() for field in parts)))
        start = 0
        for length in np.bincount(owners, minlength=len(self)).tolist():
            yield rows[start : start + length]
            start += length

    def pairs(self, name: str, what: str = "what", weight: str = "weight") -> Iterator[list[tuple[Any, float]]]:
        """Of each person the (what, weight) of a column that holds lists of structs, as `guards.gathered` makes them."""
        owners, flat = self.flat(name)
        names, weights = flat.field(what).to_pylist(), flat.field(weight).to_pylist()
        start = 0
        for length in np.bincount(owners, minlength=len(self)).tolist():
            yield list(zip(names[start : start + length], weights[start : start + length], strict=True))
            start += length

    def coded(self, name: str, *weights: str, what: str = "what") -> tuple[Any, Any, list[str], list[Any]]:
        """A column of lists of structs laid flat: the person of each row (a place in `people`), its text as a place in the list of different
        texts, that list, and the numbers named. What is said of a text is so said once, however many people it is about.
        """
        column = self._columns[name]
        lengths = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
        flat = column.flatten()
        texts: Any = flat.field(what).cast(pa.string()).dictionary_encode()
        numbers = [flat.field(one).cast(pa.float64()).to_numpy(zero_copy_only=False) for one in weights]
        places = texts.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        return np.repeat(np.arange(len(self)), lengths), places, texts.dictionary.to_pylist(), numbers

    def matrix(self, name: str, width: int, what: str = "what", weight: str = "weight") -> Any:
        """A row of `width` weights for each person, of a column of lists of structs whose `what` is a place 0 … width - 1."""
        owners, flat = self.flat(name)
        found = np.zeros((len(self), width))
        places = flat.field(what).cast(pa.int64()).to_numpy(zero_copy_only=False)
        np.add.at(found, (owners, places), flat.field(weight).cast(pa.float64()).to_numpy(zero_copy_only=False))
        return found
