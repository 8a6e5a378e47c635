"""The parts of a pack: compressed JSON and columns of numbers, and the sheet that says what each was made from.

A part is one file, named by what it holds: `places.json.xz` is JSON, `borders.npz.xz` is columns (numpy). The same inputs give the
same bytes, so that a pack can be made again and compared.
"""

import hashlib
import io
import json
import lzma
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

SHIPPED = Path(__file__).parent / "pack"  #: what comes with the project
SHEET = "sheet.json"  #: name → {file, version, bytes, sha256}

Columns = dict[str, "np.ndarray[Any, Any]"]


def write_json(folder: Path, name: str, value: Any) -> Path:
    """Keep a value as JSON; returns the file."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return _write(folder / f"{name}.json.xz", text.encode())


def write_columns(folder: Path, name: str, columns: Mapping[str, "np.ndarray[Any, Any]"]) -> Path:
    """Keep columns of numbers; returns the file."""
    packed = io.BytesIO()
    np.savez(packed, **dict(columns))  # pyright: ignore[reportArgumentType]
    return _write(folder / f"{name}.npz.xz", packed.getvalue())


def read_json(folder: Path, name: str) -> Any:
    """What `write_json` kept. Raises FileNotFoundError."""
    return json.loads(lzma.decompress((folder / f"{name}.json.xz").read_bytes()))


def read_columns(folder: Path, name: str) -> Columns:
    """What `write_columns` kept. Raises FileNotFoundError."""
    packed = lzma.decompress((folder / f"{name}.npz.xz").read_bytes())
    with np.load(io.BytesIO(packed), allow_pickle=False) as found:
        return {key: found[key] for key in found.files}


def read_table(name: str) -> list[list[str]]:
    """The rows of one of the hand-written tables beside this file: fields between tabs, without comments and blank lines."""
    lines = (SHIPPED.parent / "tables" / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def read_sheet(folder: Path) -> dict[str, dict[str, Any]]:
    """What is known of the sets in a folder: version, bytes, when they came; empty when nothing is there."""
    try:
        return json.loads((folder / SHEET).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
        return {}


def note(folder: Path, name: str, version: str, files: list[Path]) -> None:
    """Write a set down in the sheet of its folder, in one step: whoever reads meanwhile sees it before or after."""
    sheet = read_sheet(folder)
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    sheet[name] = {"version": version, "files": [file.name for file in files], "bytes": sum(file.stat().st_size for file in files), "sha256": digest}
    fresh = folder / f"{SHEET}.new"
    fresh.write_text(json.dumps(sheet, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    fresh.replace(folder / SHEET)


def _write(file: Path, data: bytes) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(file.name + ".new")
    fresh.write_bytes(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME))
    fresh.replace(file)
    return file
