"""Excel workbooks as rows of text. What a workbook unpacks to is measured before it is opened; macros and links stay asleep."""

import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import python_calamine as calamine

from cegla.vocabulary.errors.intake import FileUnreadable
from cegla.vocabulary.text import Text

LARGEST_UNPACKED_BYTES = 300 << 20
MOST_ENTRIES = 2_000
MOST_CELLS = 10_000_000  #: the sheet's last row times its last column
NOT_EXCEL = Text("to nie jest skoroszyt Excela (.xlsx)", "it is no Excel workbook (.xlsx)")
TOO_LARGE = Text("arkusz po rozpakowaniu jest za duży; zapisz go jako CSV", "unpacked, the workbook is too large; save it as CSV")
NO_SHEET = Text("nie ma w nim takiego arkusza", "it has no such sheet")

_PLACE = re.compile(rb"""\br\s*=\s*["']\s*([A-Za-z]{0,3})(\d{1,9})""")
Row = tuple[str | None, ...]


def names(path: Path) -> list[str]:
    """The names of the sheets that can be seen."""
    with _workbook(path) as book:
        return _visible(book)


def rows(path: Path, sheet: str) -> Iterator[Row]:
    """The rows of a sheet (empty: the first), each as wide as the sheet, numbers and dates as Excel means them."""
    with _workbook(path) as book:
        known = _visible(book)
        if (sheet or not known) and sheet not in known:
            raise FileUnreadable(where=str(path), seen=sheet, detail=NO_SHEET)
        found = book.get_sheet_by_name(sheet or known[0])
        for row in found.to_python(skip_empty_area=False):
            yield tuple(text(value) for value in row)


def text(value: Any) -> str | None:
    """A cell as text: 3 and not 3.0, days and moments in ISO 8601."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return str(value).strip() or None


def _visible(book: calamine.CalamineWorkbook) -> list[str]:
    shown = [one.name for one in book.sheets_metadata if one.visible == calamine.SheetVisibleEnum.Visible and one.typ == calamine.SheetTypeEnum.WorkSheet]
    return shown or book.sheet_names


def _workbook(path: Path) -> calamine.CalamineWorkbook:
    """The workbook, once it is known to be small enough."""
    try:
        with zipfile.ZipFile(path) as packed:
            entries = packed.infolist()
        if len(entries) > MOST_ENTRIES or sum(entry.file_size for entry in entries) > LARGEST_UNPACKED_BYTES:
            raise FileUnreadable(where=str(path), detail=TOO_LARGE)
        _measure(path)
        return calamine.CalamineWorkbook.from_path(str(path))
    except (zipfile.BadZipFile, calamine.CalamineError, NotImplementedError, ValueError):
        raise FileUnreadable(where=str(path), detail=NOT_EXCEL) from None


def _measure(path: Path) -> None:
    """Unpack every entry once without keeping it: a bomb lies about its size, and one far cell makes a sheet of billions."""
    unpacked = 0
    with zipfile.ZipFile(path) as packed:
        for entry in packed.infolist():
            is_sheet = entry.filename.lower().startswith("xl/worksheets/")
            far_row, far_column, rest = 0, 0, b""
            with packed.open(entry) as stream:
                while block := stream.read(1 << 20):
                    unpacked += len(block)
                    if b"<!DOCTYPE" in block or b"<!ENTITY" in block:
                        raise FileUnreadable(where=str(path), detail=NOT_EXCEL)
                    for letters, digits in _PLACE.findall(rest + block) if is_sheet else ():
                        far_row, far_column = max(far_row, int(digits)), max(far_column, _column(letters))
                    if unpacked > LARGEST_UNPACKED_BYTES or far_row * max(far_column, 1) > MOST_CELLS:
                        raise FileUnreadable(where=str(path), detail=TOO_LARGE)
                    rest = block[-64:]


def _column(letters: bytes) -> int:
    """AB is 28."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
