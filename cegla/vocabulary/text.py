"""A sentence in the two languages the product speaks."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Language = Literal["pl", "en"]


class Text(NamedTuple):
    """The same sentence in Polish and English; `{placeholders}` are filled by `format`."""

    pl: str
    en: str

    def say(self, language: Language, **facts: object) -> str:
        """The sentence in one language with its placeholders filled from `facts`."""
        template = self.pl if language == "pl" else self.en
        return template.format(**facts) if facts else template


def misfit(problem: Mapping[str, Any], said: Mapping[str, Text]) -> Text:
    """What pydantic found wrong, in both languages: in our own words when a check of ours said so, by its kind otherwise."""
    context, message = problem.get("ctx", {}), str(problem.get("msg", "")).removeprefix("Value error, ")
    own = said.get(str(context.get("error", ""))) or said.get(message)
    if own is not None:
        return own
    if problem.get("type") in ("literal_error", "enum"):
        allowed = str(context.get("expected", ""))
        return Text("dozwolone wartości: " + allowed.replace(" or ", " lub "), f"allowed values: {allowed}")
    return _MISFITS.get(str(problem.get("type"))) or Text(f"nieprawidłowa wartość ({message})", message)


_MISFITS = {
    "missing": Text("brakuje tego pola", "this field is missing"),
    "extra_forbidden": Text("nie ma takiego pola", "there is no such field"),
    "nul": Text("znaku NUL nie da się zapisać", "the character NUL cannot be kept"),
    "string_too_short": Text("ten tekst jest pusty albo za krótki", "this text is blank or too short"),
    "string_type": Text("tu ma być tekst", "this should be a text"),
    "bool_type": Text("tu ma być true albo false", "this should be true or false"),
    "bool_parsing": Text("tu ma być true albo false", "this should be true or false"),
    "int_type": Text("tu ma być liczba całkowita", "this should be a whole number"),
    "int_parsing": Text("tu ma być liczba całkowita", "this should be a whole number"),
    "float_type": Text("tu ma być liczba", "this should be a number"),
    "float_parsing": Text("tu ma być liczba", "this should be a number"),
    "list_type": Text("tu ma być lista", "this should be a list"),
    "tuple_type": Text("tu ma być lista", "this should be a list"),
    "dict_type": Text("tu mają być pola z wartościami", "this should be fields with values"),
    "model_type": Text("tu mają być pola z wartościami", "this should be fields with values"),
    "model_attributes_type": Text("tu mają być pola z wartościami", "this should be fields with values"),
    "datetime_parsing": Text("tu ma być czas, jak 2026-11-26T10:00:00Z", "this should be a time, such as 2026-11-26T10:00:00Z"),
    "datetime_from_date_parsing": Text("tu ma być czas, jak 2026-11-26T10:00:00Z", "this should be a time, such as 2026-11-26T10:00:00Z"),
}
