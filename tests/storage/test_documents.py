"""Whatever a text says, it is read or refused in words; nothing else comes out."""

import pytest

from cegla.storage import documents


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
