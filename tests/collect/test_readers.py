"""Excel, JSON Lines and Parquet are understood and read as CSV is; workbooks made to do harm are refused before they are opened."""

import csv
import io
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cegla.collect import actions as collect
from cegla.collect import tables
from cegla.vocabulary.errors.intake import FileUnreadable
from tests.collect.test_examining import ORDERS, examined, tried

CONTENT_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
)
DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STYLES = f'<styleSheet xmlns="{SHEET}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>'


def cell(value: Any) -> str:
    if isinstance(value, date):
        return f'<c s="1"><v>{(value - date(1899, 12, 30)).days}</v></c>'
    if isinstance(value, (int, float)):
        return f"<c><v>{value}</v></c>"
    return f'<c t="inlineStr"><is><t>{value}</t></is></c>'


def workbook(rows: list[list[Any]], sheet_data: str | None = None, extra: dict[str, bytes] | None = None) -> bytes:
    """An .xlsx file with one sheet."""
    body = sheet_data or "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    relation = f"{DOCUMENT}/worksheet"
    parts = {
        "[Content_Types].xml": CONTENT_TYPES,
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}"><Relationship Id="r1" Type="{DOCUMENT}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{SHEET}" xmlns:r="{DOCUMENT}"><sheets><sheet name="Dane" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}"><Relationship Id="r1" Type="{relation}" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="r2" Type="{DOCUMENT}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": STYLES,
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{SHEET}"><sheetData>{body}</sheetData></worksheet>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in parts.items():
            packed.writestr(name, text)
        for name, data in (extra or {}).items():
            packed.writestr(name, data)
    return out.getvalue()


def test_a_workbook_with_a_title_and_dates_becomes_orders(tmp_path: Path) -> None:
    rows = [["Raport", *[""] * 8], ORDERS[0], *([row[0], date(2026, 4, 3), *row[2:6], 2, 199.99, "PLN"] for row in ORDERS[1:])]
    path, found = examined(tmp_path, workbook(rows), "Zamówienia.xlsx")
    assert (found.format, found.form.header_row, found.kind) == ("xlsx", 2, "orders")
    result = tried(path, found)
    assert (result.rows_used, result.by_name["Order Completed"], result.total_micros) == (3, 2, 6 * 199_990_000)
    assert result.first_events[1]["timestamp"] == "2026-04-02T22:00:00.000000Z"  # midnight in Warsaw


def test_json_lines_are_read_with_fields_of_fields_and_broken_lines_told(tmp_path: Path) -> None:
    lines = [msgspec.json.encode({"email": "a@example.pl", "city": "Łódź", "address": {"street": "Święta"}}), b"{broken", b'{"email":"b@example.pl"}']
    path, found = examined(tmp_path, b"\n".join(lines), "people.jsonl")
    assert (found.format, found.kind, [one.name for one in found.columns]) == ("jsonl", "people", ["email", "city", "address.street"])
    result = tried(path, found)
    assert (result.rows_used, [(error.row, error.problem) for error in result.errors]) == (2, [(2, "not_an_object")])
    assert result.first_events[0]["traits"] == {"email": "a@example.pl", "city": "Łódź", "street": "Święta"}


def test_parquet_is_read_with_its_own_types(tmp_path: Path) -> None:
    table = pa.table({"e-mail": ["a@example.pl", "ż@example.pl"], "data urodzenia": [date(1985, 4, 3), None], "wydano": [12.5, 0.1], "newsletter": [True, False]})
    out = io.BytesIO()
    pq.write_table(table, out)
    path, found = examined(tmp_path, out.getvalue(), "people.parquet")
    result = tried(path, found)
    assert (found.format, result.rows_used) == ("parquet", 2)
    assert result.first_events[0]["traits"] == {"email": "a@example.pl", "birthday": "1985-04-03", "wydano": 12.5}
    assert result.first_events[1]["context"]["consent"]["categoryPreferences"] == {"marketing_email": False}


def test_moments_beyond_the_calendar_or_finer_than_a_microsecond_cost_no_file(tmp_path: Path) -> None:
    """Exports write "never" as the year 1 or 9999, and some a part of a second with nine digits."""
    moments = pa.array([-62_135_769_600_000_001, 253_402_300_800_000_000, 1_767_225_600_000_000, None], pa.timestamp("us", "Europe/Warsaw"))
    fine = pa.array([None, None, None, 1_767_225_600_000_000_001], pa.timestamp("ns"))
    path = tmp_path / "people.parquet"
    pq.write_table(pa.table({"e-mail": [f"{name}@example.pl" for name in "abcd"], "seen": moments, "fine": fine}), path)
    (part,) = tables.parts(path, collect.examine(path, path.name).form)
    assert part.texts["seen"].to_pylist() == ["-62135769600000001", "253402300800000000", "2026-01-01T01:00:00+01:00", None]
    assert part.texts["fine"].to_pylist()[3] == "2026-01-01T00:00:00"
    pq.write_table(pa.table({"e-mail": ["a@example.pl"], "seen": pa.array([[253_402_300_800_000_000]], pa.list_(pa.timestamp("us")))}), path)
    with pytest.raises(FileUnreadable):
        next(tables.parts(path, collect.examine(path, path.name).form))


@pytest.mark.parametrize(("name", "content"), [("list.json", b'\xef\xbb\xbf[\n {"email": "a@example.pl"},\n {"email": "b@example.pl"}]'), ("one.json", b'{\n "email": "a@example.pl"\n}')])
def test_json_that_is_not_one_object_a_line_is_refused_with_what_to_do(name: str, content: bytes, tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable) as caught:
        examined(tmp_path, content, name)
    assert "JSON Lines" in caught.value.say("en")
    assert "wiersz" in caught.value.say("pl")


@pytest.mark.parametrize(
    "content",
    [
        workbook([], sheet_data='<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
        workbook([["a"]], extra={"xl/media/bomb.bin": bytes(301 << 20)}),
        workbook([["a"]], extra={f"x/{number}": b"" for number in range(2_001)}),
        workbook([], sheet_data='<!DOCTYPE a [<!ENTITY b "b">]><row><c><v>1</v></c></row>'),
        b"PK\x03\x04" + b"\x00" * 100,
        b"PAR1 and no more",
        b"\xd0\xcf\x11\xe0" + b"\x00" * 600,
        b"",
    ],
    ids=["one far cell", "a bomb", "too many entries", "entities", "no archive", "no parquet", "old Excel", "empty"],
)
def test_a_file_made_to_do_harm_or_of_no_use_is_refused_with_a_word(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(FileUnreadable):
        examined(tmp_path, content, "list.xlsx" if content[:1] == b"P" and content[:4] != b"PAR1" else "list")


def test_formulas_and_macros_in_a_workbook_are_text_or_nothing(tmp_path: Path) -> None:
    content = workbook([["e-mail", "miasto"], ["a@example.pl", "=cmd|'/c calc'!A1"]], extra={"xl/vbaProject.bin": b"\x00macro"})
    path, found = examined(tmp_path, content, "list.xlsm")
    assert found.preview == [["a@example.pl", "=cmd|'/c calc'!A1"]]
    assert tried(path, found).first_events[0]["traits"]["city"] == "=cmd|'/c calc'!A1"


words = st.text("abcdefgąćęłńóśźż ABCŁŚŻ-.&/", min_size=1, max_size=12).map(lambda text: f"x{text.strip()}")
prices = st.decimals(0, 99_999, places=2)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(words, prices, words), min_size=4, max_size=12),
    separator=st.sampled_from(",;\t|"), encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1250", "iso-8859-2"]),
    newline=st.sampled_from(["\n", "\r\n"]), quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), title=st.booleans(), comma=st.booleans(),
)  # fmt: skip
def test_what_any_dialect_wrote_is_what_is_read(
    tmp_path: Path, rows: list[Any], separator: str, encoding: str, newline: str, quoting: Any, title: bool, comma: bool
) -> None:
    table = [[f"u{place}@example.pl", name, str(price).replace(".", "," if comma else "."), city] for place, (name, price, city) in enumerate(rows)]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator=newline, quoting=quoting)
    writer.writerows([*([["Raport miesięczny", "", "", ""]] if title else []), ["e-mail", "imię", "wydano", "miasto"], *table])
    path = tmp_path / "dialect.csv"
    path.write_bytes(out.getvalue().encode(encoding))
    found = collect.examine(path, "dialect.csv")
    assert (found.form.separator, found.form.header_row) == (separator, 2 if title else 1)
    assert found.preview == table[:20]
    whole = [row for part in tables.parts(path, found.form) for row in zip(*(column.to_pylist() for column in part.texts.columns), strict=True)]
    assert whole == [tuple(row) for row in table]


