"""The comparison of everybody with everybody who could be the same, by Splink over DuckDB in memory.

Splink (MIT, Ministry of Justice of the United Kingdom) finds the candidate pairs and applies the weights of
`rules/model.py`. Nothing touches the disk: rows are personal data and go when the run ends.
"""

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink import comparison_level_library as levels
from splink import comparison_library as comparisons

from cegla.match.rules.model import CANDIDATES, COMPARISONS, LISTS, PROPOSED_FROM, Comparison, chance, prior
from cegla.match.rules.records import Row

_TEXTS = pa.list_(pa.string())
_SCHEMA = pa.schema(
    [("person_id", pa.int64()), *((name, _TEXTS if name in (*LISTS, "surname_parts") else pa.string()) for name in Row._fields if name != "person_id")]
)
_QUIET = logging.CRITICAL


class Finding(NamedTuple):
    """What one comparison says: the key of its level, and its weight in bits (positive: for one human, negative: for two)."""

    level: str
    weight: float


class Scored(NamedTuple):
    """Two people who are likely one, the smaller id first. `findings` are by comparison; one that knows nothing is left out."""

    low: int
    high: int
    probability: float
    findings: dict[str, Finding]


def likely_duplicates(rows: Sequence[Row], memory: str = "1GB", threads: int = 2) -> list[Scored]:
    """The pairs among these people that reach `PROPOSED_FROM`, most likely first."""
    if len(rows) < 2:
        return []
    with duckdb.connect(config={"memory_limit": memory, "threads": threads}) as connection:
        api = DuckDBAPI(connection)
        frame = api.register(_table(rows))
        linker = Linker(frame, _settings(len(rows)), log_level=_QUIET)
        predicted = linker.inference.predict(threshold_match_probability=PROPOSED_FROM, warning_mode="never")
        found = connection.table(predicted.physical_name).to_arrow_table().to_pylist()
    return sorted((_scored(pair) for pair in found), key=lambda pair: (-pair.probability, pair.low, pair.high))


def _table(rows: Sequence[Row]) -> pa.Table:
    columns = zip(*rows, strict=True)
    return pa.table([pa.array(values, field.type) for values, field in zip(columns, _SCHEMA, strict=True)], schema=_SCHEMA)


def _settings(people: int) -> SettingsCreator:
    return SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="person_id",
        probability_two_random_records_match=prior(people),
        comparisons=[_comparison(one, people) for one in COMPARISONS],
        blocking_rules_to_generate_predictions=[
            block_on(*columns, arrays_to_explode=[column for column in columns if column in LISTS] or None) for columns in CANDIDATES
        ],
        retain_matching_columns=True,
        retain_intermediate_calculation_columns=True,
    )


def _comparison(one: Comparison, people: int) -> Any:
    made: list[Any] = [levels.CustomLevel(one.unknown, label_for_charts="unknown").configure(is_null_level=True)]
    for level in one.levels:
        weighed = levels.CustomLevel(level.holds, label_for_charts=level.key)
        made.append(weighed.configure(m_probability=level.m, u_probability=chance(one, level, people), tf_adjustment_column=level.frequency_of))
    made.append(levels.ElseLevel().configure(m_probability=one.other.m, u_probability=chance(one, one.other, people)))
    return comparisons.CustomComparison(output_column_name=one.key, comparison_levels=made)


def _scored(pair: dict[str, Any]) -> Scored:
    low, high = sorted((pair["person_id_l"], pair["person_id_r"]))
    findings = {one.key: _finding(one, pair) for one in COMPARISONS if pair[f"gamma_{one.key}"] >= 0}
    return Scored(low, high, float(pair["match_probability"]), findings)


def _finding(one: Comparison, pair: dict[str, Any]) -> Finding:
    """Splink numbers levels from the least like (0) upwards; the correction for frequent values is a column of its own."""
    degree: int = pair[f"gamma_{one.key}"]
    level = one.levels[len(one.levels) - degree] if degree else one.other
    return Finding(level.key, round(pair[f"mw_{one.key}"] + (pair.get(f"mw_tf_adj_{one.key}") or 0.0), 2))
