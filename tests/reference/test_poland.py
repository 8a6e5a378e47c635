"""Poland from the pack: powiats, cities, postcodes, wages, days, words."""

from datetime import date

import pytest

from cegla.reference.library import Library
from cegla.reference.pack import SHIPPED, read_sheet

LIBRARY = Library()
POLAND = LIBRARY.poland
TABLES = SHIPPED.parent / "tables"


@pytest.mark.parametrize(("latitude", "longitude", "code"), [
    (50.0619, 19.9368, "1261"), (52.2297, 21.0122, "1465"), (54.52, 18.53, "2262"), (52.0742, 21.0272, "1418"), (49.2992, 19.9496, "1217"), (48.85, 2.35, None), (54.9, 17.0, None),
])  # fmt: skip
def test_a_point_lies_in_its_powiat(latitude: float, longitude: float, code: str | None) -> None:
    assert POLAND.powiat_at(latitude, longitude) == code


def test_every_powiat_has_a_wage_and_a_voivodeship() -> None:
    assert len(POLAND.powiats) == 380
    assert {code[:2] for code in POLAND.powiats} == set(POLAND.voivodeships)
    assert POLAND.powiats["0211"].wage == max(powiat.wage for powiat in POLAND.powiats.values()) == 13_673  # the mines of Lubin


@pytest.mark.parametrize(("latitude", "longitude", "name"), [(50.069, 19.909, "Kraków"), (52.2, 21.05, "Warszawa"), (51.11, 17.03, "Wrocław")])
def test_a_city_has_its_polish_name(latitude: float, longitude: float, name: str) -> None:
    city = POLAND.city_at(latitude, longitude)
    assert city is not None
    assert city.name == name
    assert POLAND.size_of(city.population) == "metropolis"


@pytest.mark.parametrize(("text", "locality", "voivodeship"), [("30-059", "Kraków", "12"), ("00001", "Warszawa", "14"), ("80-001", "Gdańsk", "22")])
def test_a_postcode_leads_to_its_powiat(text: str, locality: str, voivodeship: str) -> None:
    found = POLAND.postcode(text)
    assert found is not None
    assert found.locality == locality
    assert found.powiat is not None
    assert found.powiat.startswith(voivodeship)


@pytest.mark.parametrize("text", ["", "30", "abc", "99-999", "30-05x9"])
def test_what_is_no_postcode_is_nowhere(text: str) -> None:
    assert POLAND.postcode(text) is None


def test_days_off_and_trading_sundays_are_known() -> None:
    calendar = LIBRARY.calendar
    assert calendar.holiday(date(2025, 12, 24)) is not None
    assert calendar.holiday(date(2024, 12, 24)) is None
    assert [calendar.is_trading_sunday(date(2026, 12, day)) for day in (6, 13, 20, 27)] == [True, True, True, False]
    assert calendar.is_trading_sunday(date(2026, 12, 7)) is None
    assert not calendar.is_workday(date(2026, 11, 11))


@pytest.mark.parametrize(("company", "key"), [
    ("Drew-Max Spółka z o.o.", "z_oo"), ("DREW-MAX SP Z O O", "z_oo"), ("ABC spolka z ograniczona odpowiedzialnoscia", "z_oo"), ("XYZ sp. z o. o. sp. k.", "komandytowa"),
    ("Browar S.A.", "akcyjna"), ("Kowalski i syn spółka jawna", "jawna"), ("Start P.S.A.", "prosta_akcyjna"), ("Nowak, Lis s.c.", "cywilna"), ("Fundacja Dobre Dane", "fundacja"),
    ("P.P.H.U. Jan Kowalski", "jdg"), ("Urząd Miasta Łodzi", "urzad"), ("Spółdzielnia Mleczarska", "spoldzielnia"), ("Jan Kowalski", None), ("Anna Psałterska", None),
])  # fmt: skip
def test_a_companys_name_tells_its_legal_form(company: str, key: str | None) -> None:
    found = LIBRARY.words.legal_form(company)
    assert (found and found.key) == key


def test_mailboxes_are_told_apart() -> None:
    words = LIBRARY.words
    assert [words.is_free_mail(domain) for domain in ("wp.pl", "GMAIL.com", "buziaczek.pl", "firma.example")] == [True, True, True, False]
    assert [words.is_role(name) for name in ("biuro", "sklep2", "no-reply", "dział.handlowy", "jan.kowalski")] == [True, True, True, True, False]
    assert [words.is_disposable(domain) for domain in ("niepodam.pl", "koszmail.pl", "wp.pl")] == [True, True, False]


def test_the_pack_is_small_and_each_part_is_as_the_sheet_says() -> None:
    sheet = read_sheet(SHIPPED)
    files = {name: SHIPPED / name for part in sheet.values() for name in part["files"]}
    assert {file.name for file in SHIPPED.iterdir()} == {*(name for name, file in files.items() if file.exists()), "sheet.json"}
    files = {name: file if file.exists() else TABLES / name for name, file in files.items()}  # a table is read as it was written
    assert sum(file.stat().st_size for file in files.values()) < 1_000_000
