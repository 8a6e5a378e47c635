"""Personal data never reaches the warehouse, and what is no personal data stays."""

import json
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cegla.profile.rules.scrubbing import is_pesel, plain_traits, scrubbed_code, scrubbed_json, scrubbed_label, scrubbed_path, scrubbed_title


def kept(properties: dict[str, Any]) -> Any:
    text = scrubbed_json(properties)
    return json.loads(text) if text else None


@st.composite
def pesels(draw: st.DrawFn) -> str:
    year, month, day = draw(st.integers(0, 99)), draw(st.integers(1, 12)) + draw(st.sampled_from([0, 20, 80])), draw(st.integers(1, 28))
    ten = f"{year:02}{month:02}{day:02}{draw(st.integers(0, 9999)):04}"
    total = sum(int(digit) * weight for digit, weight in zip(ten, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3), strict=True))
    return ten + str(-total % 10)


@st.composite
def phones(draw: st.DrawFn) -> str:
    area = draw(st.sampled_from(["50", "51", "53", "57", "60", "66", "69", "72", "78", "79", "88", "22", "12", "71"]))
    digits = area + draw(st.from_regex(r"\A[0-9]{7}\Z"))
    front = draw(st.sampled_from(["", "+48", "+48 ", "0048", "48", "0048 "]))
    gap = draw(st.sampled_from(["", " ", "-"]))
    return front + gap.join([digits[:3], digits[3:6], digits[6:]])


emails = st.one_of(
    st.from_regex(r"\A[a-z][a-z0-9._+\-]{0,20}[a-z0-9]@[a-z][a-z0-9\-]{0,20}[a-z0-9]\.(pl|com|com\.pl|eu|info)\Z"),
    st.emails(domains=st.sampled_from(["example.com", "poczta.example.pl"])),
)
words = st.text("abcdefghij żółćę", max_size=12)
keys = st.sampled_from(["query", "label", "city", "note_to_us", "utm_term", "color", "kategoria", "extra"])


def nested(value: Any, key: str, depth: int) -> dict[str, Any]:
    for _ in range(depth):
        value = {key: [value]} if depth % 2 else {key: value}
    return {key: value}


@settings(max_examples=300, deadline=None)
@given(secret=st.one_of(emails, phones(), pesels()), before=words, after=words, key=keys, depth=st.integers(0, 3))
def test_no_email_phone_or_pesel_comes_through_in_a_value(secret: str, before: str, after: str, key: str, depth: int) -> None:
    text = scrubbed_json(nested(f"{before} {secret} {after}", key, depth))
    assert text is None or secret not in json.loads(f"[{text.decode()}]")[0].__repr__()


@settings(max_examples=100, deadline=None)
@given(secret=st.one_of(emails, phones(), pesels()))
def test_nor_as_the_name_of_a_property(secret: str) -> None:
    assert secret not in repr(kept({secret: 1, "color": "red"}))


@settings(max_examples=100, deadline=None)
@given(secret=st.one_of(emails, phones(), pesels()))
def test_nor_in_a_title(secret: str) -> None:
    assert secret not in scrubbed_label(f"Konto {secret}")


@settings(max_examples=100, deadline=None)
@given(secret=st.one_of(emails, pesels()))
def test_nor_in_a_path(secret: str) -> None:
    assert secret not in scrubbed_path(f"/wypisz/{secret}/tak")


@settings(max_examples=100, deadline=None)
@given(number=pesels())
def test_a_pesel_sent_as_a_number_is_replaced(number: str) -> None:
    assume(number[:3] != "000")
    assert kept({"kod": int(number)}) == {"kod": "[pesel]"}


@pytest.mark.parametrize("key", ["email", "Email", "e-mail", "phone", "first_name", "firstName", "LastName", "imię", "nazwisko", "adres", "shippingAddress", "PESEL", "kod_pocztowy", "password", "message"])
def test_a_personal_key_is_left_out_whatever_it_holds(key: str) -> None:
    assert kept({key: "x", "color": "red"}) == {"color": "red"}
    assert kept({"form": {key: "x", "step": 2}}) == {"form": {"step": 2}}
    assert kept({key: "x"}) is None


@pytest.mark.parametrize(("value", "expected"), [
    ("anna@example.pl", "[e-mail]"), ("ANNA%40example.pl", "[e-mail]"), ("anna＠example.pl", "[e-mail]"), ("an\u200bna@example.pl", "[e-mail]"),
    ("tel. 601 234 567", "tel. [phone]"), ("tel601234567", "tel[phone]"), ("+44 7911 123456", "[phone]"), ("(22) 123-45-67", "[phone]"),
    ("44051401359", "[pesel]"), ("PL61 1090 1014 0000 0712 1981 2874", "PL[iban]"), ("4111 1111 1111 1111", "[card]"),
])  # fmt: skip
def test_what_looks_like_personal_data_is_replaced(value: str, expected: str) -> None:
    assert kept({"label": value}) == {"label": expected}


@pytest.mark.parametrize("properties", [
    {"ean": "5901234123457"}, {"label": "5901234123457"}, {"order_id": "601234567"}, {"orderId": 601234567}, {"sku": "SKU-601234567"}, {"invoice_number": "FV/2024/11/601"},
    {"price": 123456789.0}, {"timestamp": 1732400000}, {"at": "2026-11-23T21:12:40.123Z"}, {"day": "2026-11-23"}, {"when": "2026-11-23 21:12:40"}, {"color": "błękitny"},
    {"rating": 4.5, "sizes": ["S", "M"], "nested": {"deep": True}}, {"session_id": "3714139537532429330"}, {"score": "12.5"}, {"query": "kubek 0,5 l 330 ml"},
])  # fmt: skip
def test_codes_amounts_and_dates_stay(properties: dict[str, Any]) -> None:
    assert kept(properties) == properties


def test_order_numbers_keep_their_digits_but_not_an_address() -> None:
    assert scrubbed_code("44051401359") == "44051401359"
    assert scrubbed_code("anna@example.pl-1") != "anna@example.pl-1"


def test_only_plain_traits_of_an_identify_call_pass() -> None:
    traits = {"email": "anna@example.pl", "first_name": "Anna", "plan": "gold", "country": "PL", "address": {"city": "Łódź", "street": "Długa 1"}, "birthday": "1990-01-01"}
    assert plain_traits(traits) == {"plan": "gold", "country": "PL", "city": "Łódź"}
    assert plain_traits({"plan": None, "email": None}) == {"plan": None}, "a null takes a trait back, also for segments"


def test_a_long_text_is_cut() -> None:
    assert len(kept({"description": "a" * 50_000})["description"]) <= 2_000


@pytest.mark.parametrize(("number", "valid"), [("44051401359", True), ("44051401358", False), ("02070803628", True), ("00000000000", False)])
def test_a_pesel_has_a_check_digit_and_a_date(number: str, valid: bool) -> None:
    assert is_pesel(number) is valid


@pytest.mark.parametrize(("title", "expected"), [
    ("Konto: Jan Kowalski", "Konto: [person]"), ("Witaj, Anno Nowak! | Sklep", "Witaj, [person]! | Sklep"), ("konto jan kowalski", "konto [person]"),
    ("Zamówienia Anny Nowak-Kowalskiej", "Zamówienia [person]"), ("Kowalski Jan – moje konto", "[person] – moje konto"), ("Account of John Smith", "Account of [person]"),
    ("Fotel Anna szary", "Fotel Anna szary"), ("Sukienka Maria – Sklep", "Sukienka Maria – Sklep"), ("Rower miejski Kross", "Rower miejski Kross"),
    ("Lalka Barbie i Ken", "Lalka Barbie i Ken"), ("Pan Tadeusz", "Pan Tadeusz"),
])  # fmt: skip
def test_a_title_names_no_person(title: str, expected: str) -> None:
    assert scrubbed_title(title) == expected


@pytest.mark.parametrize(("path", "expected"), [
    ("/konto/jan-kowalski", "/konto/[person]"), ("/u/anna.nowak/edycja", "/u/[person]/edycja"), ("/p/fotel-anna", "/p/fotel-anna"), ("/rowery/kross-hexagon", "/rowery/kross-hexagon"),
])  # fmt: skip
def test_a_path_names_no_person(path: str, expected: str) -> None:
    assert scrubbed_path(path) == expected
