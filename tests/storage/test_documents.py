"""Whatever a text says, it is read or refused in words; nothing else comes out."""

from typing import Annotated, Any, Literal

import msgspec
import pytest

from cegla.storage import documents
from cegla.vocabulary.text import Text


@pytest.mark.parametrize("text", ['a: !!int ""', 'a: !!float ""', "a: !!bool perhaps", "a: !!timestamp soon", "a: 2026-13-45", "a: 0x_", "? [a]\n: b"])
def test_a_value_that_is_not_what_it_claims_is_refused_in_words(text: str) -> None:
    with pytest.raises(documents.Unfit) as refused:
        documents.read(text)
    assert "YAML" in refused.value.what.pl


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("traits:\n  a: {b: 1}\n  a: {b: 2}", "3:3"),
        ('limit: 3\n"limit": 5', "2:1"),
        ('{"a": {"b": 1, "b": 2}}', "1:16"),
        ("- {żółw: 1, żółw: 1}", "1:13"),
    ],
)
def test_a_field_that_is_there_twice_is_refused_with_its_place(text: str, place: str) -> None:
    with pytest.raises(documents.Unfit) as refused:
        documents.read(text)
    assert (refused.value.place, "dwa razy" in refused.value.what.pl) == (place, True)


@pytest.mark.parametrize("text", ["a: {b: 1}\nc: {b: 2}", '{"a": {"b": 1}, "c": {"b": 2}}', 'yes: 1\n"yes": 2'])
def test_fields_of_one_name_in_different_places_are_no_repetition(text: str) -> None:
    assert len(documents.read(text)) == 2


class Form(msgspec.Struct, forbid_unknown_fields=True):
    number: Annotated[int, msgspec.Meta(ge=1, le=9)]
    share: Annotated[float, msgspec.Meta(ge=0.5, le=1)] | None = None
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=3)] = "a"
    code: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")] = "PL"
    choice: Literal["a", "b"] = "a"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"number": 0}, "najmniejsza możliwa liczba to 1"),
        ({"number": 10}, "największa możliwa liczba to 9"),
        ({"number": 1, "share": 0.25}, "najmniejsza możliwa liczba to 0.5"),
        ({"number": 1, "share": "x"}, "powinno być: liczba albo nic (null), a jest: tekst"),
        ({"number": None}, "powinno być: liczba całkowita, a jest: nic (null)"),
        ({"number": 1, "text": ""}, "za krótki tekst; najmniej znaków: 1"),
        ({"number": 1, "text": "abcd"}, "za długi tekst; najwięcej znaków: 3"),
        ({"number": 1, "code": "Polska"}, "tekst ma mieć postać ^[A-Z]{2}$"),
        ({"number": 1, "choice": "c"}, "nie ma takiej możliwości: 'c'"),
        ({"number": 1, "nubmer": 1}, "nie ma pola „nubmer”"),
        ({}, "brakuje pola „number”"),
        ([], "powinno być: pola z nazwami, a jest: lista"),
    ],
)
def test_what_does_not_fit_a_form_is_said_in_polish_too(wrong: Any, said: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.convert(wrong, Form)
    message = documents.misfit(str(refused.value).partition(" - at ")[0])
    assert isinstance(message, Text)
    assert message.pl == said


def test_an_unknown_sentence_stays_as_it_is() -> None:
    assert documents.misfit("Something else") == "Something else"
