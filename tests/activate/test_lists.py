"""Lists of a segment for others: what is hashed, and that nothing in a spreadsheet runs."""

import csv
import io
from hashlib import sha256

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cegla.activate.lists import _csv, _parquet  # pyright: ignore[reportPrivateUsage]
from cegla.activate.rules.lists import FORMS, Contact, Form, google_email, google_phone, meta_email, meta_phone, rows_of


def test_google_compares_gmail_without_dots_and_without_what_follows_a_plus() -> None:
    assert google_email("  Jan.Kowalski+sklep@GoogleMail.com ") == "jankowalski@googlemail.com"
    assert google_email("Jan.Kowalski+sklep@wp.pl") == "jan.kowalski+sklep@wp.pl"


def test_meta_keeps_dots_and_plus() -> None:
    assert meta_email(" Jan.Kowalski+sklep@gmail.com") == "jan.kowalski+sklep@gmail.com"


def test_phones_are_e164_for_google_and_digits_for_meta() -> None:
    assert (google_phone("+48 601-202-303"), meta_phone("+48 601-202-303")) == ("+48601202303", "48601202303")
    assert meta_phone("0048601202303") == "48601202303"


def test_a_hashed_list_has_no_address_and_leaves_out_who_has_none() -> None:
    rows = list(rows_of(FORMS["google"], [Contact("p1", "Anna@wp.pl", None), Contact("p2", None, None)]))
    assert rows == [(sha256(b"anna@wp.pl").hexdigest(), "")]


KNOWN = [Contact("p1", "Anna@wp.pl", "+48601202303"), Contact("p2", None, None), Contact("p3", "=łucja@wp.pl", None)]


def test_a_parquet_list_says_what_the_exact_csv_says() -> None:
    told = pq.read_table(io.BytesIO(_parquet(FORMS["parquet"], KNOWN)))  # pyright: ignore[reportUnknownMemberType]
    head, *rows = csv.reader(io.StringIO(_csv(FORMS["exact"], KNOWN).decode(), newline=""))
    assert told.column_names == head and set(told.schema.types) == {pa.string()}
    assert [list(row.values()) for row in told.to_pylist()] == rows == [["p1", "Anna@wp.pl", "+48601202303"], ["p3", "=łucja@wp.pl", ""]]


@pytest.mark.parametrize("key", ["google", "meta"])
def test_a_file_for_a_platform_has_its_head_and_hashes_alone(key: str) -> None:
    form = FORMS[key]
    head, *rows = csv.reader(io.StringIO(_csv(form, KNOWN).decode(), newline=""))
    assert head == {"google": ["Email", "Phone"], "meta": ["email", "phone"]}[key]
    phone = {"google": b"+48601202303", "meta": b"48601202303"}[key]
    assert rows == [[sha256(b"anna@wp.pl").hexdigest(), sha256(phone).hexdigest()], [sha256("=łucja@wp.pl".encode()).hexdigest(), ""]]


ODD = st.text("=+-@\t\r\n\0'＝＋－＠a1,\"", max_size=6)


@pytest.mark.parametrize("form", [row for row in FORMS.values() if row.suffix == "csv"], ids=lambda row: row.key)
@given(ODD, ODD)
def test_no_cell_of_a_list_begins_a_formula_unless_the_exact_form_was_named(form: Form, email: str, phone: str) -> None:
    rows = csv.reader(io.StringIO(_csv(form, [Contact("p1", email, phone)]).decode(), newline=""))
    cells = [cell for row in rows for cell in row]
    if form.exact:
        assert cells[len(form.columns) :] == (["p1", email, phone] if email or phone else [])
    else:
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\0", "＝", "＋", "－", "＠")) for cell in cells)
