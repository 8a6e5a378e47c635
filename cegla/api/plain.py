"""Values as JSON: dataclasses, structs and columns become plain objects; times are ISO 8601 in UTC, money stays whole micros."""

import dataclasses
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

import msgspec
import pyarrow as pa


def plain(value: Any) -> Any:
    """The same value made of dict, list, str, int, float, bool and None. Bytes that are text stay text, others become base64."""
    if value is None or (isinstance(value, (bool, int, float)) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (bytes, memoryview)):
        return _text(bytes(value))
    return _collection(value)


def _collection(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, (pa.Array, pa.ChunkedArray, pa.Table)):
        return plain(value.to_pylist())
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(part) for part in value]
    return str(value)


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return b64encode(data).decode()
