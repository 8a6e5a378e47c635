"""What an analyser finds of many people at once: the contract enforced on its columns, and the text that is kept of each person.

    Found, one a trait ──too little evidence, confidence, shared devices──► columns ──► JSON, a column at a time ──► one text a person

A base of a million people has a hundred million of these entries, so none of them is ever an object of its own: values become JSON by the column,
and a person's text is put together of the pieces.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import compress
from math import isfinite
from typing import Any, NamedTuple, cast

import msgspec
import numpy as np

from cegla.profile.rules.analysis import AnalysedTrait, Analyser, Facts, Found, Known

MOST_EVIDENCE = 5  #: facts that one trait may show
SHARED_CONFIDENCE = 0.5  #: nobody is surer than this of people who share a device
TOO_LITTLE = "too_little_evidence"
_NULL = "null"


class _Column(NamedTuple):
    """One trait of everybody: values as JSON, confidence and evidence as numbers, and of whom the value is known."""

    values: list[str]
    surety: Any
    counted: Any
    known: Any

    def tails(self) -> list[str]:
        """What stands behind each value, said once for everybody who is as sure of as much."""
        surety, counted = self.surety.tolist(), self.counted.tolist()
        rows = list(zip(self.known.tolist(), surety, counted, strict=True))
        said = dict.fromkeys(rows, "")
        for is_known, sure, n in said:
            end = f'"confidence":{sure},"n":{n}' if is_known else f'"confidence":0.0,"n":{n},"reason":"{TOO_LITTLE}"'
            said[is_known, sure, n] = f",{end}}}"
        return list(map(said.__getitem__, rows))


class Findings:
    """What one analyser finds of many people, along `facts.people`; of whom there is no evidence nothing is kept.

    Here the contract is enforced: too little evidence is an unknown with that reason, confidence lies between 0 and 1, and people who
    share a device (`shared`, along the people) are never surer than one in two. Raises ValueError when the answer does not fit the row.
    """

    def __init__(self, analyser: Analyser, facts: Facts, found: Mapping[str, Found], shared: Any) -> None:
        if set(found) != {trait.key for trait in analyser.traits}:
            raise ValueError(f"{analyser.key} answers {sorted(found)}, not its traits")
        for trait in analyser.traits:
            if len(found[trait.key].evidence) > MOST_EVIDENCE:
                raise ValueError(f"{trait.key} shows more than {MOST_EVIDENCE} facts")
        self._people = facts.people.tolist()
        self._some = np.zeros(len(facts), bool)
        self._columns = {trait.key: self._column(analyser, trait, found[trait.key], shared) for trait in analyser.traits}
        self.texts = self._texts(_shown(self._columns, found, len(facts)))
        """(person, JSON text) of everybody of whom there is any evidence: `traits`, each an unknown with its reason or a value with its confidence, and
        the `facts` that a known trait shows."""

    def _column(self, analyser: Analyser, trait: AnalysedTrait, one: Found, shared: Any) -> _Column:
        counted = np.nan_to_num(np.asarray(one.n_evidence, dtype=np.float64)).astype(np.int64)
        surety = np.clip(np.nan_to_num(np.asarray(one.confidence, dtype=np.float64)), 0.0, 1.0)
        surety = np.round(np.where(shared, np.minimum(surety, SHARED_CONFIDENCE), surety), 3)
        self._some |= counted != 0
        enough = counted >= analyser.least(trait)
        values = as_json(one.values) if enough.any() else [_NULL] * len(enough)  # of most traits most shops know nothing
        known = np.fromiter((text != _NULL for text in values), bool, len(values)) & enough
        return _Column(values, surety, counted, known)

    def _texts(self, facts: list[str]) -> list[tuple[int, str]]:
        columns: list[list[str]] = []
        for column in self._columns.values():
            columns += [[text if is_known else _NULL for text, is_known in zip(column.values, column.known.tolist(), strict=True)], column.tails()]
        traits = ",".join(f'"{key}":{{"value":%s%s' for key in self._columns)
        whole = f'{{"traits":{{{traits}}},"facts":{{%s}}}}'
        rows = zip(self._people, zip(*columns, facts, strict=True), strict=True)
        return [(person, whole % said) for person, said in compress(rows, self._some.tolist())]

    def documents(self) -> list[tuple[int, dict[str, Any]]]:
        """The texts as they are read back."""
        return [(person, msgspec.json.decode(text)) for person, text in self.texts]

    def known(self, key: str) -> dict[int, Known]:
        """One trait by person, for analysers that join it; what is unknown is left out."""
        column = self._columns[key]
        rows = np.flatnonzero(column.known & self._some)
        values = msgspec.json.decode(f"[{','.join([column.values[row] for row in rows.tolist()])}]")
        told = zip(values, column.surety[rows].tolist(), column.counted[rows].tolist(), strict=True)
        return {self._people[row]: Known(*one) for row, one in zip(rows.tolist(), told, strict=True)}


def as_json(column: Sequence[Any] | Any) -> list[str]:
    """Each value of a column as JSON: NaN is null, moments are ISO texts in UTC, numbers of numpy are plain ones."""
    values: list[Any] = column.tolist() if isinstance(column, np.ndarray) else list(column)
    if any(issubclass(kind, datetime) for kind in set(map(type, values))):
        values = [_plain(value) for value in values]
    return _JSON.encode_lines(values).decode().split("\n")[:-1]


def _shown(columns: Mapping[str, _Column], found: Mapping[str, Found], people: int) -> list[str]:
    """Of everybody the facts that a known trait of theirs shows. Most people show the same ones, so names are chosen once for each choice."""
    evidence: dict[str, Any] = {}
    known: dict[str, Any] = {}  # of each fact whether a trait that shows it is known
    for key, one in found.items():
        for name, values in one.evidence.items():
            evidence.setdefault(name, values)
            known[name] = known[name] | columns[key].known if name in known else columns[key].known
    pieces = {name: as_json(values) for name, values in evidence.items() if known[name].any()}
    if not pieces:
        return [""] * people
    choice = np.zeros(people, np.int64)
    for place, name in enumerate(pieces):
        choice |= known[name].astype(np.int64) << place
    chosen = {mask: [bool(mask >> place & 1) for place in range(len(pieces))] for mask in np.unique(choice).tolist()}
    forms = {mask: ",".join(f'"{name}":%s' for name in compress(pieces, shown)) for mask, shown in chosen.items()}
    rows = zip(choice.tolist(), zip(*pieces.values(), strict=True), strict=True)
    return [forms[mask] % (said if all(chosen[mask]) else tuple(compress(said, chosen[mask]))) for mask, said in rows]


def _plain(value: Any) -> Any:
    """A value as JSON has it, of a kind that it has not."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(cast("Mapping[Any, Any]", value))
    if isinstance(value, float):
        return float(value) if isfinite(value) else None
    return value if value is None or isinstance(value, (str, int)) else str(value)


_JSON = msgspec.json.Encoder(enc_hook=_plain)
