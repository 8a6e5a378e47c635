"""What is wrong with a value is said in both languages, in our words or by its kind."""

from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from cegla.vocabulary.text import Text, misfit

OURS = Text("za mało", "too few")


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid")
    mode: Literal["warn", "block"] = "warn"
    count: int = 1

    @field_validator("count")
    @classmethod
    def enough(cls, value: int) -> int:
        if value < 1:
            raise ValueError("few")
        return value


@pytest.mark.parametrize(("values", "polish", "english"), [
    ({"mode": "stop"}, "dozwolone wartości: 'warn' lub 'block'", "allowed values: 'warn' or 'block'"),
    ({"count": "many"}, "tu ma być liczba całkowita", "this should be a whole number"),
    ({"colour": 1}, "nie ma takiego pola", "there is no such field"),
    ({"count": 0}, *OURS),
])  # fmt: skip
def test_what_does_not_fit_is_said_in_both_languages(values: dict[str, Any], polish: str, english: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Form(**values)
    assert misfit(caught.value.errors()[0], {"few": OURS}) == Text(polish, english)
