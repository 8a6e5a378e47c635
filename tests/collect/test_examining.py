"""Files nobody described: what they are is guessed with reasons, and the mapping proposed reads every row of them."""

import csv
import io
from pathlib import Path

import pytest

from cegla.collect import actions as collect
from cegla.collect import file_import
from cegla.collect.examining import Examined
from cegla.collect.rules.mapping import read_mapping
from cegla.collect.rules.proposing import NOBODY
from tests.collect.test_file_import import NoStores, Settings

PEOPLE = [
    ["Imię", "Nazwisko", "Adres e-mail", "Kom.", "Data urodzenia", "Miasto", "Kod pocztowy", "Newsletter", "Zgoda SMS", "Wydano"],
    ["Żaneta", "Łąka", "zaneta@example.pl", "600 100 200", "03.04.1985", "Łódź", "90-001", "tak", "1", "1 234,50 zł"],
    ["Świętosław", "Źrebiec", "s@example.pl", "+48 600 100 201", "23.04.1985", "Święta Katarzyna", "00-950", "nie", "0", "12,00 zł"],
    ["Ąbc", "Ćma", "c@example.pl", "600100203", "01.12.1990", "Gdańsk", "80-001", "tak", "0", "0,99 zł"],
]
ORDERS = [
    ["Numer zamówienia", "Data zamówienia", "ID klienta", "E-mail", "SKU", "Produkt", "Ilość", "Cena", "Waluta"],
    ["1001", "03.04.2026 10:15", "7", "zaneta@example.pl", "B-1", "Buty", "2", "199,99", "PLN"],
    ["1001", "03.04.2026 10:15", "7", "zaneta@example.pl", "S-1", "Śruba", "1", "5,50", "PLN"],
    ["1002", "24.04.2026 09:00", "8", "jan@example.pl", "B-1", "Buty", "1", "199,99", "PLN"],
]
ACQUIRED = {"from": "shop's own list", "date": "2026-07-02", "notice": "v1"}


def as_csv(rows: list[list[str]], separator: str = ",", quote: str = '"', newline: str = "\r\n") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=separator, quotechar=quote, lineterminator=newline).writerows(rows)
    return out.getvalue()


def examined(tmp_path: Path, content: bytes, name: str = "Klienci 2026.csv") -> tuple[Path, Examined]:
    path = tmp_path / f"upload{Path(name).suffix}"
    path.write_bytes(content)
    return path, collect.examine(path, name)


def tried(path: Path, found: Examined) -> file_import.ImportResult:
    mapping = read_mapping({**found.mapping, "acquired": ACQUIRED}, "proposed")
    return file_import.run_import(NoStores(Settings.model_validate({}), ""), path, mapping, None)


def guesses(found: Examined) -> dict[str, str]:
    return {guess.field: guess.value for guess in found.guessed}


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1250", "iso-8859-2"])
def test_the_same_polish_table_is_read_the_same_however_it_is_written(tmp_path: Path, separator: str, encoding: str) -> None:
    path, found = examined(tmp_path, as_csv(PEOPLE, separator).encode(encoding))
    assert guesses(found) | {"encoding": ""} == {"format": "csv", "separator": separator, "quote": '"', "header_row": "1", "encoding": ""}
    assert found.form.encoding == {"utf-8-sig": "utf-8"}.get(encoding, encoding)
    assert all(guess.sure and guess.reason.pl and guess.reason.en for guess in found.guessed)
    assert [column.name for column in found.columns] == PEOPLE[0]
    assert found.preview == PEOPLE[1:]
    assert found.kind == "people"
    result = tried(path, found)
    assert (result.rows_used, result.rows_refused) == (3, 0)
    assert result.first_events[0]["traits"] == {
        "email": "zaneta@example.pl", "phone": "600 100 200", "first_name": "Żaneta", "last_name": "Łąka", "birthday": "1985-04-03", "city": "Łódź",
        "postal_code": "90-001", "wydano": 1234.5,
    }  # fmt: skip
    assert result.first_events[0]["context"]["consent"]["categoryPreferences"] == {"marketing_email": True, "marketing_sms": True}


def test_lines_of_orders_become_whole_orders_of_somebody(tmp_path: Path) -> None:
    path, found = examined(tmp_path, as_csv(ORDERS, ";").encode("cp1250"), "Zamówienia.csv")
    assert (found.kind, found.mapping["name"], found.questions) == ("orders", "zamowienia", ())
    result = tried(path, found)
    assert (result.rows_used, result.by_name["Order Completed"], result.total_micros) == (4 - 1, 2, 605_470_000)
    order = next(event for event in result.first_events if event.get("event") == "Order Completed")
    assert (order["userId"], order["timestamp"], order["properties"]["order_id"]) == ("7", "2026-04-03T08:15:00.000000Z", "1001")
    assert [proposed.place for proposed in found.proposals if proposed.column == "SKU"] == ["products.sku"]


def test_a_list_of_whole_orders_tells_their_sum_without_those_that_are_refused(tmp_path: Path) -> None:
    rows = [
        ["E-mail", "Data zamówienia", "Numer zamówienia", "Kwota"],
        ["a@example.pl", "03.04.2026", "Z-1", "12,50"],
        ["b@example.pl", "13.04.2026", "Z-2", "1000,05"],
    ]
    path, found = examined(tmp_path, as_csv([*rows, ["c@example.pl", "31.02.2026", "Z-3", "7,00"]], ";").encode("cp1250"))
    result = tried(path, found)
    assert (result.by_name["Order Completed"], result.total_micros) == (2, 1_012_550_000)


def test_without_customer_numbers_the_address_itself_says_who_it_is_and_is_no_browser_id(tmp_path: Path) -> None:
    path, found = examined(tmp_path, as_csv(PEOPLE).encode())
    assert "ids" not in found.mapping
    assert all("anonymousId" not in event and "userId" not in event for event in tried(path, found).first_events)
    nameless = [[*row[:2], *row[5:]] for row in PEOPLE]
    assert NOBODY in examined(tmp_path, as_csv(nameless).encode())[1].questions


def test_an_order_with_an_email_is_that_persons_and_only_one_without_is_a_guests(tmp_path: Path) -> None:
    rows = [[cell for at, cell in enumerate(row) if at != 2] for row in ORDERS]
    path, found = examined(tmp_path, as_csv([*rows[:3], [*rows[3][:2], "brak", *rows[3][3:]]], ";").encode())
    orders = [event for event in tried(path, found).first_events if event["type"] == "track"]
    assert [(order.get("anonymousId"), order.get("context")) for order in orders] == [(None, {"traits": {"email": "zaneta@example.pl"}}), ("guest-1002", None)]


@pytest.mark.parametrize("padded", [True, False])
def test_a_title_above_the_table_is_passed_over(tmp_path: Path, padded: bool) -> None:
    fill = [""] * (len(ORDERS[0]) - 1 if padded else 0)
    path, found = examined(tmp_path, as_csv([["Raport sprzedaży", *fill], ["wygenerowano 2026-05-01", *fill], ["", *fill], *ORDERS], ";").encode())
    assert found.form.header_row == 4
    assert tried(path, found).rows_used == 3


def test_a_table_without_names_gets_numbers_for_names(tmp_path: Path) -> None:
    path, found = examined(tmp_path, as_csv(PEOPLE[1:], ";").encode())
    assert found.form.header_row == 0
    assert {proposed.place: proposed.column for proposed in found.proposals}["traits.email"] == "column_3"
    assert tried(path, found).rows_used == 3


def test_a_wrong_date_among_dates_is_named_and_does_not_make_the_column_text(tmp_path: Path) -> None:
    rows = [*PEOPLE, ["Jan", "Zły", "z@example.pl", "600100204", "brak daty", "Gdynia", "81-001", "tak", "0", "1,00 zł"]]
    path, found = examined(tmp_path, as_csv(rows, ";").encode())
    born = next(column for column in found.columns if column.name == "Data urodzenia")
    assert (born.form.type, born.odd) == ("date", ((4, "brak daty"),))
    assert any("4 („brak daty”)" in question.pl and "4 (“brak daty”)" in question.en for question in found.questions)
    assert [(error.row, error.column) for error in tried(path, found).errors] == [(4, "Data urodzenia")]


def test_an_amount_nobody_can_read_is_named_where_the_name_promises_one(tmp_path: Path) -> None:
    rows = [*ORDERS, ["1003", "24.04.2026 09:00", "8", "jan@example.pl", "B-1", "Buty", "1", "do ustalenia", "PLN"]]
    _, found = examined(tmp_path, as_csv(rows, ";").encode())
    price = next(column for column in found.columns if column.name == "Cena")
    assert (price.form.type, price.odd) == ("number", ((4, "do ustalenia"),))


def test_an_odd_word_among_consents_is_named_and_does_not_make_a_property_of_them(tmp_path: Path) -> None:
    said = ["tak", "nie", "tak", "może", "nie", "tak"]
    _, found = examined(tmp_path, as_csv([["E-mail", "Newsletter"], *([f"u{row}@example.pl", word] for row, word in enumerate(said))]).encode())
    newsletter = found.columns[1]
    assert (newsletter.form.type, newsletter.odd) == ("boolean", ((4, "może"),))
    assert found.mapping["consents"] == {"marketing_email": "{Newsletter}"}
    assert any("może" in question.pl for question in found.questions)


@pytest.mark.parametrize("cells", [["03.04.2026", "nie wiem", "w maju"], ["12A", "14", "15", "7"]])
def test_a_column_that_holds_some_dates_or_numbers_only_stays_text(tmp_path: Path, cells: list[str]) -> None:
    _, found = examined(tmp_path, as_csv([["E-mail", "Uwagi"], *([f"a{at}@example.pl", cell] for at, cell in enumerate(cells))]).encode())
    assert (found.columns[1].form.type, found.columns[1].odd) == ("text", ())


def test_two_words_for_yes_are_two_values_and_no_yes_and_no(tmp_path: Path) -> None:
    cells = ["x", "y", "t", "x"]
    _, found = examined(tmp_path, as_csv([["E-mail", "Grupa"], *([f"a{at}@example.pl", cell] for at, cell in enumerate(cells))]).encode())
    assert found.columns[1].form.type == "text"


@pytest.mark.parametrize("never", ["0001-01-01 00:00:00", "0001-01-01T00:00:00+05:00"])
def test_a_time_that_falls_before_the_calendar_is_refused_with_its_row(never: str, tmp_path: Path) -> None:
    cells = [never, *(f"2026-01-0{day} 10:00:00" for day in range(1, 9))]
    path, found = examined(tmp_path, as_csv([["E-mail", "Data rejestracji"], *([f"a{at}@example.pl", cell] for at, cell in enumerate(cells))]).encode())
    assert [(error.row, error.problem) for error in tried(path, found).errors] == [(1, "not_a_time")]


def test_what_was_guessed_stays_told_as_far_as_a_person_agrees(tmp_path: Path) -> None:
    path, found = examined(tmp_path, as_csv(PEOPLE, ";").encode())
    again = collect.examine(path, "Klienci 2026.csv", form=found.form)
    other = collect.examine(path, "Klienci 2026.csv", form=found.form.model_copy(update={"header_row": 2}))
    assert again.guessed == found.guessed
    assert {guess.field for guess in found.guessed} - {guess.field for guess in other.guessed} == {"header_row"}


def test_phone_numbers_of_another_country_get_its_prefix_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("E-mail,Tel\na@example.de,030 901820\nb@example.de,+48 600 100 200\nc@example.de,unbekannt\n")
    mapping = {
        "name": "list", "source": "list", "basis": "contract", "acquired": ACQUIRED, "event": "identify", "time": "acquired",
        "columns": {"Tel": {"region": "DE"}}, "traits": {"email": "{E-mail}", "phone": "{Tel}"},
    }  # fmt: skip
    result = file_import.run_import(NoStores(Settings.model_validate({}), ""), path, read_mapping(mapping, "list"), None)
    assert [event["traits"]["phone"] for event in result.first_events] == ["+4930901820", "+48600100200", "unbekannt"]
