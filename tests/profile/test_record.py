"""Fields of a record: what is wrong with them, and what was meant."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cegla.profile.rules.record import CHECKS, check_email, check_name, check_phone, checked, gender_of, meant_domain, repaired_encoding
from cegla.reference.places import poland

TODAY = date(2026, 11, 26)


def reasons(**record: str) -> dict[str, str]:
    return {name: one.reason for name, one in checked(record, TODAY, poland()).items()}


def meant(**record: str) -> dict[str, str | None]:
    return {name: one.meant for name, one in checked(record, TODAY, poland()).items() if one.meant}


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("anna@gmial.com", "anna@gmail.com"), ("anna@gmail.con", "anna@gmail.com"), ("anna@wp.p", "anna@wp.pl"), ("anna@oent.pl", "anna@onet.pl"),
        ("anna(at)wp.pl", "anna@wp.pl"), ("anna@@wp.pl", "anna@wp.pl"), ("anna@onetpl", "anna@onet.pl"), ("anna @wp.pl", "anna@wp.pl"),
    ],
)  # fmt: skip
def test_a_mistyped_address_is_found_and_what_was_meant_is_proposed(written: str, right: str) -> None:
    assert check_email(written).meant == right
    assert not check_email(written).valid


@pytest.mark.parametrize("address", ["anna@wp.pl", "a.b+c@firma-abc.pl", "jan@ii.uj.edu.pl", "o'neil@gmail.com", "anna@gmx.de"])
def test_a_right_address_is_left_alone(address: str) -> None:
    assert check_email(address) == (True, "", None)


@pytest.mark.parametrize("address", ["", "@", "anna", "anna@", ".anna@wp.pl", "an..na@wp.pl", "anna@-wp.pl", "anna@wp", "a" * 65 + "@wp.pl"])
def test_what_no_mail_server_would_take_is_malformed(address: str) -> None:
    assert check_email(address).reason == "syntax"


def test_the_trap_of_a_slip_is_a_slip_and_not_a_throw_away_mailbox() -> None:
    assert check_email("anna@gmial.com").reason == "typo"
    assert check_email("anna@niepodam.pl").reason == "disposable"


def test_a_domain_unlike_any_or_near_two_is_not_guessed() -> None:
    assert meant_domain("wo.pl") is None
    assert meant_domain("firma.pl") is None


@pytest.mark.parametrize("number", ["600 100 200", "+48 600-100-200", "0048600100200", "22 612 34 56", "+44 20 7946 0958"])
def test_numbers_of_the_numbering_plan_are_fine(number: str) -> None:
    assert check_phone(number).valid


@pytest.mark.parametrize(
    ("number", "reason"), [("112", "length"), ("60010020", "length"), ("600100200300400500", "syntax"), ("123456789", "placeholder"), ("a@wp.pl", "email_in_phone")]
)
def test_numbers_that_nobody_answers_say_why(number: str, reason: str) -> None:
    assert check_phone(number).reason == reason


@given(st.text(alphabet="ąćęłńóśźżĄĆĘŁŃÓŚŹŻabcXYZ -", min_size=1, max_size=20), st.sampled_from(["cp1250", "cp1252"]))
def test_letters_broken_by_the_wrong_encoding_are_whole_again(text: str, encoding: str) -> None:
    broken = "".join(bytes([byte]).decode(encoding, "ignore") or chr(byte) for byte in text.encode())
    if broken != text:
        assert repaired_encoding(broken) == text


@given(st.text(alphabet="ąćęłńóśźżĄĆĘŁŃÓŚŹŻaeiouKRZ -'", max_size=24))
def test_polish_text_is_never_called_broken(text: str) -> None:
    assert repaired_encoding(text) is None


def test_fields_that_changed_places_get_each_other() -> None:
    assert meant(first_name="Kowalska", last_name="Anna") == {"first_name": "Anna", "last_name": "Kowalska"}
    assert meant(email="600100200", phone="anna@wp.pl") == {"email": "anna@wp.pl", "phone": "600100200"}
    assert meant(city="30-059", postcode="Kraków") == {"city": "Kraków", "postcode": "30-059"}


def test_a_given_name_that_looks_like_a_surname_is_not_moved_without_a_given_name_on_the_other_side() -> None:
    assert reasons(first_name="Koska", last_name="Nowak") == {"first_name": "", "last_name": ""}


def test_a_postcode_must_be_near_its_city() -> None:
    assert reasons(postcode="30-059", city="Kraków")["postcode"] == ""
    assert reasons(postcode="30-059", city="krakow")["postcode"] == ""
    assert reasons(postcode="30-059", city="Gdańsk")["postcode"] == "city_mismatch"
    assert reasons(postcode="30-059", city="Nieznana Wola Mała")["postcode"] == ""
    assert reasons(postcode="00-000")["postcode"] == "unknown"


def test_a_gender_must_fit_the_given_name_unless_the_name_does_not_say() -> None:
    assert reasons(first_name="Anna", gender="M")["gender"] == "name_mismatch"
    assert reasons(first_name="Kuba", gender="M")["gender"] == ""
    assert reasons(first_name="Andrea", gender="M")["gender"] == ""
    assert [gender_of(name) for name in ("Anna", "Barnaba", "Sasha", "Jan Maria", "")] == ["f", "m", None, "m", None]


@pytest.mark.parametrize(("born", "reason"), [("1990-02-31", "syntax"), ("2031-01-01", "future"), ("1890-05-05", "too_old"), ("1900-01-01", "placeholder"), ("1985-07-14", "")])
def test_a_birthday_is_a_day_of_somebody_alive(born: str, reason: str) -> None:
    assert reasons(birthday=born)["birthday"] == reason


@pytest.mark.parametrize(("name", "reason"), [("Anna", ""), ("Nowak-Kowalska", ""), ("O'Brien", ""), ("ANNA", "letter_case"), ("Anna2", "digits"), ("test", "placeholder"), ("Anna!", "syntax")])
def test_a_name_is_made_of_letters(name: str, reason: str) -> None:
    assert check_name(name).reason == reason


@given(st.dictionaries(st.sampled_from(sorted(CHECKS)), st.text(max_size=40), max_size=6))
def test_no_text_breaks_a_check_and_whoever_is_fine_needs_no_repair(record: dict[str, str]) -> None:
    for one in checked(record, TODAY, poland()).values():
        assert one.valid == (not one.reason)
        assert not (one.valid and one.meant)
