import pytest
from hypothesis import given
from hypothesis import strategies as st

from cegla.vocabulary.identifier_rules import BUILT_IN
from cegla.vocabulary.identifiers import LONGEST_IDENTIFIER, normalized


@pytest.mark.parametrize(
    "placeholder",
    [
        "",
        "  ",
        "null",
        "NULL",
        "undefined",
        "0",
        "0000-0000",
        "-1",
        "NaN",
        "[object Object]",
        '"null"',
        "'guest'",
        "anonymous",
        "\u200bnull\u200b",
        "ｎｕｌｌ",
        "\u200b \ufeff",
    ],
)
def test_a_placeholder_never_becomes_an_identifier(placeholder: str) -> None:
    assert normalized("user_id", placeholder) is None


@pytest.mark.parametrize(
    ("kind", "seen", "meant"),
    [
        ("user_id", 1, "1"),
        ("user_id", " u1 ", "u1"),
        ("user_id", "U1", "U1"),  # shops tell cases apart
        ("user_id", "Zoe\u0301", "Zoé"),
        ("email", " Anna.Nowak+promo@Example.PL ", "anna.nowak+promo@example.pl"),
        ("email", "Ola@Żółw.pl", "ola@xn--w-uga1v8h.pl"),
        ("email", "ola@z\u0307o\u0301łw.pl", "ola@xn--w-uga1v8h.pl"),
        ("email", "ola@xn--w-uga1v8h.pl", "ola@xn--w-uga1v8h.pl"),
        ("email", "ola@straße.de", "ola@xn--strae-oqa.de"),  # another domain than strasse.de
        ("email", "ola@ż..pl", None),
        ("email", "ola@" + "ż" * 64 + ".pl", None),
        ("email", "anna@localhost", None),
        ("email", "anna@@example.pl", None),
        ("phone", "600 700 800", "+48600700800"),
        ("phone", "0048 600-700-800", "+48600700800"),
        ("phone", "+44 20 7946 0958", "+442079460958"),
        ("phone", "12", None),
        ("user_id", True, None),
        ("user_id", {"id": 1}, None),
        ("user_id", 1.5, None),
    ],
)
def test_each_type_has_one_form(kind: str, seen: object, meant: str | None) -> None:
    assert normalized(kind, seen) == meant


def test_a_too_long_value_is_refused_and_the_longest_allowed_is_not() -> None:
    assert normalized("user_id", "x" * LONGEST_IDENTIFIER) is not None
    assert normalized("user_id", "x" * (LONGEST_IDENTIFIER + 1)) is None


@given(st.sampled_from(sorted(BUILT_IN)), st.one_of(st.text(), st.integers(), st.none()))
def test_normalizing_twice_changes_nothing(kind: str, value: object) -> None:
    once = normalized(kind, value)
    assert once is None or normalized(kind, once) == once
