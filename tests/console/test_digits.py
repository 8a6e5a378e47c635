"""Whole numbers out of forms: plain digits that fit a column, and nothing else; what is no number is never a fault of ours."""

from pathlib import Path

import pytest

import cegla.console
from cegla.console.digits import MOST_OF_INTEGER, whole
from cegla.console.views import builder, campaign_form
from cegla.vocabulary.errors.intake import FieldMissing

NO_NUMBERS = ["", "²", "٣", "-1", "+1", "1.5", "1_000", "9" * 19, "9" * 5_000]


@pytest.mark.parametrize("text", [*NO_NUMBERS, " 1", None, 7])
def test_what_is_no_plain_number_is_none(text: object) -> None:
    assert whole(text) is None


def test_a_number_fits_its_column() -> None:
    assert whole("9" * 18) == 10**18 - 1
    assert whole("9" * MOST_OF_INTEGER, MOST_OF_INTEGER) == 999_999_999
    assert whole("1" * 10, MOST_OF_INTEGER) is None


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_forms_take_any_text_where_a_number_stands(text: str) -> None:
    fields = {"kind-0": ["leaf"], "op-0": ["did_on_weekdays"], "p-0-event": ["Order Completed"], "p-0-weekdays": [text, "6"]}
    assert builder.rule_of(fields)["weekdays"] == [6]
    assert builder.rule_of({"kind-0": ["leaf"], "op-0": ["in_segment"], "p-0-segment": [text]}).get("segment", "") == text
    rule = {"all": [{"op": "everyone"}]}
    assert builder.edited(rule, f"remove:0.{text}") == rule
    assert campaign_form.read({"id": text}.__getitem__, [])[0] == 0
    with pytest.raises(FieldMissing):
        campaign_form.typed({"segment_id": text or "x", "channel": "email"}, "email", 0)


def test_numbers_are_read_in_one_place_of_the_console() -> None:
    folder = Path(cegla.console.__file__).parent
    others = [one.name for one in folder.rglob("*.py") if one.name != "digits.py" and any(name in one.read_text("utf-8") for name in (".isdigit()", ".isdecimal()"))]
    assert others == []
