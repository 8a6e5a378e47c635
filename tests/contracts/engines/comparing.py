"""Whether two engines answered alike: the same rows in any order, whole numbers and texts exactly, floats to nine digits."""

import json
import math
from datetime import datetime
from typing import Any

import pyarrow as pa

NEVER = datetime(2299, 12, 31)  #: the end of ClickHouse's time; every moment behind it is as far away


def differences(wanted: pa.Table, found: pa.Table) -> list[str]:
    """What of the found rows is otherwise than wanted; empty: nothing."""
    if wanted.column_names != found.column_names:
        return [f"columns {wanted.column_names} ≠ {found.column_names}"]
    if wanted.num_rows != found.num_rows:
        return [f"{wanted.num_rows} rows ≠ {found.num_rows}"]
    ordered = [sorted((_plain(row) for row in table.to_pylist()), key=_sorting) for table in (wanted, found)]
    return [f"{place}: {one!r} ≠ {other!r}" for number, (a, b) in enumerate(zip(*ordered, strict=True)) for place, one, other in _apart(f"[{number}]", a, b)]


def _plain(value: Any) -> Any:
    """JSON texts as what they say; moments in one spelling; a list of nothing as none, since ClickHouse has no missing lists."""
    if isinstance(value, dict):
        return {key: _plain(json.loads(one) if key == "document" and isinstance(one, str) else one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value] or None
    if isinstance(value, str) and len(value) > 18 and value[:2] in ("19", "20", "99"):
        try:
            return min(datetime.fromisoformat(value).replace(tzinfo=None), NEVER)
        except ValueError:
            return value
    return NEVER if isinstance(value, datetime) and value >= NEVER else value


def _sorting(row: Any) -> str:
    return repr(_rounded(row))


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        return [(key, _rounded(one)) for key, one in value.items()]
    return [_rounded(one) for one in value] if isinstance(value, list) else value


def _apart(place: str, one: Any, other: Any) -> list[tuple[str, Any, Any]]:
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return [found for key in one for found in _apart(f"{place}.{key}", one[key], other[key])]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [found for number, pair in enumerate(zip(one, other, strict=True)) for found in _apart(f"{place}[{number}]", *pair)]
    if isinstance(one, float) and isinstance(other, float | int):
        same = math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9) or (math.isnan(one) and math.isnan(other))
    else:
        same = one == other
    return [] if same else [(place, one, other)]
