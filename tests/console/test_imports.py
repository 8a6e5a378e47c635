"""A file's way through the console, without JavaScript: upload, guesses, basis, dry run, import, refused rows, undo."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.datastructures import FormData

from cegla.collect import actions as collect
from cegla.console.views import import_form
from cegla.flow import Intake, refresh
from cegla.resolve import actions as resolve
from cegla.storage.workspace import Workspace
from cegla.undoing import undo_import
from cegla.vocabulary.errors.intake import FieldMissing, MappingInvalid
from cegla.vocabulary.identifiers import Identifier
from tests.console.conftest import HOME, Visitor

LIST = (
    "Imię;Nazwisko;Adres e-mail;Telefon;Data urodzenia;Zgoda e-mail\n"
    "Łucja;Żółć;lucja.zolc@poczta.example.com;600 700 801;3.05.1980;tak\n"
    "Świętosław;Gęś;s.ges@poczta.example.com;600 700 802;31.12.1975;nie\n"
    "Zofia;Błąd;zofia.blad@poczta.example.com;600 700 803;31.13.1975;tak\n"
)
BASIS = {
    "from": "formularz w sklepie",
    "date": "2026-05-01",
    "notice": "Zgoda v2",
    "proof": "segregator 7",
    "basis": "contract",
    "name": "lista-testowa",
    "source": "Lista",
}


def upload(visitor: Visitor, content: bytes, name: str = "lista.csv") -> str:
    """The path of the draft's page."""
    answer = visitor.client.post(
        "/imports", data={"csrf": visitor.token("/imports")}, files={"file": (name, content)}, headers={"origin": HOME, "sec-fetch-site": "same-origin"}
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def filled(page: httpx.Response) -> dict[str, str]:
    """The values of a page's form as a browser would send them back."""
    parts = page.text.split("<select ")[1:]
    fields: dict[str, str] = {}
    for part in parts:
        name = part.partition('name="')[2].partition('"')[0]
        options = part.partition("</select>")[0]
        chosen = next((option for option in options.split("<option ")[1:] if " selected" in option.partition(">")[0]), options.partition("<option ")[2])
        fields[name] = chosen.partition('value="')[2].partition('"')[0]
    return {name: value for name, value in fields.items() if name.startswith(("place_", "type_")) or name in ("format", "separator", "encoding")}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1250", "iso-8859-2"])
def test_a_polish_list_is_understood_in_every_encoding(visitors: Callable[..., Any], encoding: str) -> None:
    admin = visitors()
    page = admin.get(upload(admin, LIST.encode(encoding)))
    assert page.status_code == 200
    assert "Łucja" in page.text
    fields = filled(page)
    assert fields["separator"] == ";"
    assert [fields[f"place_{number}"] for number in range(6)] == [
        "traits.first_name", "traits.last_name", "traits.email", "traits.phone", "traits.birthday", "consents.marketing_email",
    ]  # fmt: skip


ORDERS = (
    "Nr zamówienia;Data zamówienia;E-mail;SKU;Produkt;Ilość;Cena\n"
    "Z/1;10.03.2026 12:30;lucja@poczta.example.com;A1;Kubek;1;19,90 zł\n"
    "Z/1;10.03.2026 12:30;lucja@poczta.example.com;A2;Talerz;2;20,90 zł\n"
    "Z/2;13.03.2026 09:00;;A2;Talerz;-1;20,90 zł\n"
)
LINES = "Numer zamówienia;Data;ID klienta;Wartość\nZ/1;10.03.2026;7;19,90 zł\nZ/1;10.03.2026;7;5,00 zł\nZ/2;11.03.2026;;7,00 zł\n"
ACQUIRED = {"from": "sklep", "date": "2026-05-01"}


@pytest.mark.parametrize("content", [LIST, ORDERS, LINES])
def test_a_form_sent_as_proposed_means_what_the_proposal_means(tmp_path: Path, content: str) -> None:
    path = tmp_path / "plik.csv"
    path.write_bytes(content.encode("cp1250"))
    examined = collect.examine(path, "plik.csv")
    proposed = collect.read_mapping(examined.mapping, "proposed")
    untouched = import_form.shown(examined, None, "plik.csv")
    fields = {
        f"{part}_{column.number}": str(getattr(column, name))
        for column in untouched.columns
        for part, name in (("place", "place"), ("own", "own_name"), ("type", "type"), ("region", "region"))
    }
    made = import_form.mapping(FormData({**untouched.values, **fields, **ACQUIRED, "kind": untouched.kind, "basis": "contract"}), examined, 1)
    parts = ("event", "when", "time", "ids", "group_by", "properties", "products", "total", "currency", "traits", "consents", "consent_at")
    assert {part: getattr(made, part) for part in parts} == {part: getattr(proposed, part) for part in parts}


def test_amounts_whose_column_of_currencies_was_taken_away_ask_for_their_currency(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("Numer zamówienia;Data;ID klienta;Wartość;Waluta\nZ/1;10.03.2026;7;19,90;EUR\nZ/2;11.03.2026;8;7,00;EUR\n", encoding="utf-8")
    examined = collect.examine(path, "orders.csv")
    untouched = import_form.shown(examined, None, "orders.csv")
    assert [column.place for column in untouched.columns][-1] == "currency"
    fields = {f"place_{column.number}": "" if column.place == "currency" else column.place for column in untouched.columns}
    sent = {**untouched.values, **fields, **ACQUIRED, "kind": untouched.kind, "basis": "contract"}
    with pytest.raises(FieldMissing, match="currency"):
        import_form.mapping(FormData(sent), examined, 1)
    assert import_form.mapping(FormData({**sent, "currency": "eur"}), examined, 1).currency == "EUR"


@pytest.mark.parametrize("places", [("traits.phone", "traits.phone"), ("traits", "traits")])
def test_two_columns_with_one_place_are_refused_with_the_place_and_the_column(tmp_path: Path, places: tuple[str, str]) -> None:
    path = tmp_path / "list.csv"
    path.write_text("E-mail;Telefon;Komórka\na@example.com;600700801;600700802\nb@example.com;600700803;600700804\n", encoding="utf-8")
    examined = collect.examine(path, "list.csv")
    fields = {"place_0": "traits.email", "place_1": places[0], "place_2": places[1], "own_1": "Numer!", "own_2": "numer"}
    with pytest.raises(MappingInvalid) as caught:
        import_form.mapping(FormData({**BASIS, **fields, "kind": "people"}), examined, 1)
    assert (caught.value.where, caught.value.seen) == (places[0] if "." in places[0] else "traits.numer", "Komórka")


def test_a_trait_of_a_column_whose_name_has_no_latin_letter_has_a_name(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("E-mail;Имя;Місто\na@example.com;Олена;Львів\n", encoding="utf-8")
    fields = {"place_0": "traits.email", "place_1": "traits", "place_2": "traits"}
    made = import_form.mapping(FormData({**BASIS, **fields, "kind": "people"}), collect.examine(path, "list.csv"), 1)
    assert made.traits == {"email": "{E-mail}", "column_2": "{Имя}", "column_3": "{Місто}"}


def test_another_separator_makes_other_columns_that_are_proposed_anew_and_seen_before_they_come_in(visitors: Callable[..., Any]) -> None:
    admin = visitors()
    path = upload(admin, LIST.encode())
    page = admin.get(path)
    names = page.text.partition('name="names" value="')[2].partition('"')[0]
    fields = filled(page) | BASIS | {"kind": "people", "names": names}
    wrong = admin.post(path, path, **{**fields, "separator": "|"})
    one_column = filled(wrong) | BASIS | {"kind": "people", "names": wrong.text.partition('name="names" value="')[2].partition('"')[0]}
    assert "place_1" not in one_column
    again = admin.post(path, path, **{**one_column, "separator": ";"}, start="yes")
    assert again.status_code == 200
    assert "Próba na sucho" in again.text
    assert filled(again)["place_2"] == "traits.email"


def test_a_file_in_apostrophes_is_tried_as_it_was_shown(visitors: Callable[..., Any]) -> None:
    admin = visitors()
    path = upload(admin, b"'E-mail';'Uwagi'\n'a@poczta.example.com';'raz; dwa'\n'b@poczta.example.com';'trzy; cztery'\n")
    page = admin.get(path)
    hidden = {name: page.text.partition(f'name="{name}" value="')[2].partition('"')[0].replace("&#39;", "'") for name in ("names", "quote")}
    tried = admin.post(path, path, **(filled(page) | BASIS | hidden | {"kind": "people"}))
    assert "raz; dwa" in tried.text.partition('id="dry-run"')[2]


def test_no_list_enters_without_its_origin_and_basis(visitors: Callable[..., Any]) -> None:
    admin = visitors()
    path = upload(admin, LIST.encode())
    fields = filled(admin.get(path)) | BASIS | {"kind": "people", "start": "yes"}
    for missing in ("from", "date", "basis"):
        answer = admin.post(path, path, **{**fields, missing: ""})
        assert answer.status_code == 422
    with_consent = admin.post(path, path, **{**fields, "basis": "consent", "notice": ""})
    assert with_consent.status_code == 422


def test_a_list_is_tried_imported_and_taken_back(visitors: Callable[..., Any], shop: Workspace) -> None:
    admin = visitors()
    path = upload(admin, LIST.encode("cp1250"))
    fields = filled(admin.get(path)) | BASIS | {"kind": "people", "type_4": "dots"}
    tried = admin.post(path, path, **fields)
    assert tried.status_code == 200
    assert "Próba na sucho" in tried.text
    assert "to nie jest czas w podanym formacie" in tried.text
    assert admin.post(path, path, **fields, start="yes").status_code == 303
    import_id = int(path.rpartition("/")[2])
    collect.perform(shop, import_id)
    Intake(shop).drain()
    refresh(shop)
    page = admin.get(path).text
    assert "gotowy" in page
    with shop.transaction() as conn:  # as an import was kept that was done before withheld rows were counted
        conn.execute("update collect.imports set result = result - 'rows_withheld' where import_id = %s", [import_id])
    assert admin.get(path).status_code == 200
    assert "31.13.1975" in admin.get(f"{path}/refused").text
    assert person(shop, "lucja.zolc@poczta.example.com") is not None
    assert admin.post(path, f"{path}/undo", sure="").status_code == 422
    assert admin.post(path, f"{path}/undo", sure="yes").status_code == 303
    for _ in range(20):
        if undo_import(shop, import_id) is not None:
            break
        time.sleep(0.1)
    assert "cofnięty" in admin.get(path).text
    assert person(shop, "lucja.zolc@poczta.example.com") is None


def test_a_draft_can_be_dropped_and_its_file_goes(visitors: Callable[..., Any], shop: Workspace) -> None:
    admin = visitors()
    path = upload(admin, LIST.encode())
    assert admin.post(path, f"{path}/discard").status_code == 303
    assert admin.get(path).status_code == 404


def test_a_file_that_is_none_is_a_message(visitors: Callable[..., Any]) -> None:
    admin = visitors()
    page = admin.get(upload(admin, b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "zdjecie.csv"))
    assert page.status_code in (200, 422)


def test_only_who_may_import_uploads(visitors: Callable[..., Any]) -> None:
    marketer = visitors("marketer")
    assert marketer.get("/imports").status_code == 200
    answer = marketer.client.post(
        "/imports",
        data={"csrf": marketer.token("/segments")},
        files={"file": ("a.csv", b"a;b\n1;2\n")},
        headers={"origin": HOME, "sec-fetch-site": "same-origin"},
    )
    assert answer.status_code == 403


def person(ws: Workspace, email: str) -> int | None:
    with ws.transaction() as conn:
        return resolve.look_up(conn, [Identifier("email", email)])[0]
