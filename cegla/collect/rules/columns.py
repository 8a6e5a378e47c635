"""Columns of text become columns of a type; what does not fit is marked, never guessed.

Times come out in UTC. A wall clock that names no zone is read in the column's zone: the hour that exists twice in
autumn is taken as the earlier, the hour that is left out in spring as the moment after it.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute

from cegla.collect.rules.mapping import ColumnForm
from cegla.vocabulary.text import Text

pc: Any = pyarrow.compute  # its functions are made at run time, so type checkers do not know them
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
_INTEGER = r"^[+-]?\d{1,18}(\.0*)?$"
_DAYS_OVER = 3  #: the parser reads 30 February as 2 March: only days 1 to 3 can be such, and are read again strictly
UTC_MICROSECONDS = pa.timestamp("us", "UTC")
_FIRST, _LAST = (pa.scalar(moment, UTC_MICROSECONDS) for moment in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)))


class RowProblem(StrEnum):
    """Why a row of a file did not become an event. The list is closed."""

    WRONG_NUMBER_OF_FIELDS = "wrong_number_of_fields"
    NOT_AN_OBJECT = "not_an_object"
    LINE_TOO_LONG = "line_too_long"
    NOT_OF_A_CALL = "not_of_a_call"
    HOLDS_NUL = "holds_nul"
    NOT_A_NUMBER = "not_a_number"
    NOT_AN_INTEGER = "not_an_integer"
    NOT_A_BOOLEAN = "not_a_boolean"
    NOT_A_TIME = "not_a_time"
    NOT_A_LISTED_VALUE = "not_a_listed_value"
    NO_TIME = "no_time"
    NO_IDENTITY = "no_identity"
    NO_EVENT_NAME = "no_event_name"
    NO_GROUP = "no_group"
    SAME_GROUP = "same_group"
    EVENT_TOO_LARGE = "event_too_large"


PROBLEMS: dict[RowProblem, Text] = {
    RowProblem.WRONG_NUMBER_OF_FIELDS: Text("wiersz ma inną liczbę pól niż nagłówek", "the row has another number of fields than the header"),
    RowProblem.NOT_AN_OBJECT: Text("wiersz nie jest obiektem JSON", "the line is no JSON object"),
    RowProblem.NOT_OF_A_CALL: Text("wiersz nie jest zapisem rozmowy", "the line is no record of a call"),
    RowProblem.HOLDS_NUL: Text("w tekście jest znak NUL, którego żaden tekst mieć nie może", "the text holds the character NUL, which no text may have"),
    RowProblem.LINE_TOO_LONG: Text("wiersz ma ponad 4 MB", "the line is longer than 4 MB"),
    RowProblem.NOT_A_NUMBER: Text("to nie jest liczba", "this is not a number"),
    RowProblem.NOT_AN_INTEGER: Text("to nie jest liczba całkowita", "this is not a whole number"),
    RowProblem.NOT_A_BOOLEAN: Text("to nie jest „tak” ani „nie”", "this is neither yes nor no"),
    RowProblem.NOT_A_TIME: Text("to nie jest czas w podanym formacie", "this is not a time of the given format"),
    RowProblem.NOT_A_LISTED_VALUE: Text("tej wartości nie ma na liście w mapowaniu", "the mapping does not list this value"),
    RowProblem.NO_TIME: Text("brakuje czasu", "the time is missing"),
    RowProblem.NO_IDENTITY: Text("brakuje identyfikatora osoby", "no identifier of a person"),
    RowProblem.NO_EVENT_NAME: Text("brakuje nazwy zdarzenia", "the event has no name"),
    RowProblem.NO_GROUP: Text("kolumna grupująca jest pusta", "the grouping column is empty"),
    RowProblem.SAME_GROUP: Text("inny wiersz tego samego zdarzenia jest błędny", "another row of the same event is wrong"),
    RowProblem.EVENT_TOO_LARGE: Text("zdarzenie jest za duże", "the event is too large"),
}


class Typed(NamedTuple):
    """A column after reading: values of its type with nulls where empty, and a mask of the texts that did not fit."""

    values: Any  #: pyarrow array: string, int64, double, bool, date32, or timestamp[us, UTC]
    wrong: Any  #: numpy bool array
    problem: RowProblem


def typed(texts: Any, form: ColumnForm) -> Typed:
    """The texts of one column (a pyarrow string array) read as `form` says."""
    texts = _cleaned(texts, form)
    if form.type == "text":
        return _exchanged(texts, form)
    values, problem = _READERS[form.type](texts, form)
    return Typed(values, _lost(texts, values), problem)


def holding_nul(texts: Any) -> Any:
    """A numpy mask of the texts of a column that hold the character NUL; None when there are none, which is looked at first."""
    data = texts.buffers()[2]
    if data is None or np.frombuffer(data, np.uint8).all():
        return None
    return np.asarray(pc.fill_null(pc.match_substring(texts, "\0"), False))


def _cleaned(texts: Any, form: ColumnForm) -> Any:
    """Blanks around a text go, also no-break spaces; an empty text becomes a null."""
    texts = pc.utf8_trim_whitespace(texts)
    for nothing in ("", *form.empty):
        texts = pc.if_else(pc.equal(texts, nothing), pa.scalar(None, pa.string()), texts)
    return texts


def _exchanged(texts: Any, form: ColumnForm) -> Typed:
    if not form.values:
        return Typed(texts, np.zeros(len(texts), bool), RowProblem.NOT_A_LISTED_VALUE)
    encoded = texts.dictionary_encode()
    listed = [form.values.get(text, text if form.otherwise == "keep" else None) for text in encoded.dictionary.to_pylist()]
    values = pa.array(listed, pa.string()).take(encoded.indices)
    wrong = _lost(texts, values) if form.otherwise == "error" else np.zeros(len(texts), bool)
    return Typed(values, wrong, RowProblem.NOT_A_LISTED_VALUE)


def _bare(texts: Any, form: ColumnForm) -> Any:
    """Numbers without their unit and the marks between thousands."""
    if form.unit:
        texts = pc.utf8_trim_whitespace(pc.replace_substring(texts, form.unit, ""))
    if form.thousands:
        texts = pc.replace_substring(texts, form.thousands, "")
        if form.thousands == " ":
            texts = pc.replace_substring_regex(texts, "[\u00a0\u202f]", "")
    return texts


def _numbers(texts: Any, form: ColumnForm) -> tuple[Any, RowProblem]:
    texts = _bare(texts, form)
    if form.decimal != ".":
        texts = pc.replace_substring(texts, form.decimal, ".")
    good = pc.if_else(pc.match_substring_regex(texts, _NUMBER), texts, pa.scalar(None, pa.string()))
    values = pc.cast(good, pa.float64())
    return pc.if_else(pc.is_finite(values), values, pa.scalar(None, pa.float64())), RowProblem.NOT_A_NUMBER


def _integers(texts: Any, form: ColumnForm) -> tuple[Any, RowProblem]:
    texts = _bare(texts, form)
    good = pc.if_else(pc.match_substring_regex(texts, _INTEGER), texts, pa.scalar(None, pa.string()))
    bare = pc.replace_substring_regex(good, r"^\+|\.0*$", "")
    return pc.cast(bare, pa.int64()), RowProblem.NOT_AN_INTEGER


def _booleans(texts: Any, form: ColumnForm) -> tuple[Any, RowProblem]:
    words = pc.utf8_lower(texts)
    yes = pc.is_in(words, pa.array([word.lower() for word in form.true_words]))
    no = pc.is_in(words, pa.array([word.lower() for word in form.false_words]))
    return pc.if_else(yes, True, pc.if_else(no, False, pa.scalar(None, pa.bool_()))), RowProblem.NOT_A_BOOLEAN


def _times(texts: Any, form: ColumnForm) -> tuple[Any, RowProblem]:
    if form.format.startswith("epoch_"):
        numbers, _ = _numbers(texts, form)
        factor = 1_000_000 if form.format == "epoch_seconds" else 1_000
        numbers = pc.if_else(pc.less(pc.abs(numbers), 1e17 / factor), numbers, pa.scalar(None, pa.float64()))
        whole = pc.cast(pc.round(pc.multiply(numbers, float(factor))), pa.int64())
        return pc.cast(whole, UTC_MICROSECONDS), RowProblem.NOT_A_TIME
    if form.format == "iso" or "%z" in form.format or "%f" in form.format:
        return _times_one_by_one(texts, form), RowProblem.NOT_A_TIME
    wall = pc.strptime(texts, format=form.format, unit="us", error_is_null=True)
    wall = _without_overflow(texts, wall, form.format)
    return in_utc(wall, form.zone), RowProblem.NOT_A_TIME


def _without_overflow(texts: Any, wall: Any, form: str) -> Any:
    """Days that no calendar has become null."""
    suspicious = np.asarray(pc.fill_null(pc.less_equal(pc.day(wall), _DAYS_OVER), False))
    if not suspicious.any():
        return wall
    candidates = pc.unique(texts.filter(pa.array(suspicious)))
    impossible = [text for text in candidates.to_pylist() if _strict(text, form) is None]
    if not impossible:
        return wall
    return pc.if_else(pc.is_in(texts, pa.array(impossible, pa.string())), pa.scalar(None, wall.type), wall)


def _strict(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007  a wall clock; its zone is applied to the whole column
    except ValueError:
        return None


def _times_one_by_one(texts: Any, form: ColumnForm) -> Any:
    """ISO 8601 and formats with a zone or fractions: each different text once, by the standard library."""
    encoded = texts.dictionary_encode()
    moments: list[datetime | None] = []
    for text in encoded.dictionary.to_pylist():
        try:
            moments.append(datetime.fromisoformat(text) if form.format == "iso" else datetime.strptime(text, form.format))  # noqa: DTZ007  zone follows
        except ValueError:
            moments.append(None)
    aware = pa.array([_of_our_years(moment) for moment in moments], UTC_MICROSECONDS)
    naive = pa.array([moment if moment and not moment.tzinfo else None for moment in moments], pa.timestamp("us"))
    return pc.coalesce(aware, in_utc(naive, form.zone)).take(encoded.indices)


def _of_our_years(moment: datetime | None) -> datetime | None:
    """A moment that names its zone, in UTC, where it may fall out of the calendar."""
    try:
        return moment.astimezone(UTC) if moment and moment.tzinfo else None
    except OverflowError:
        return None


def _dates(texts: Any, form: ColumnForm) -> tuple[Any, RowProblem]:
    """Calendar days, as written: no zone moves them."""
    values, problem = _times(texts, form.model_copy(update={"zone": "UTC"}))
    return pc.cast(values, pa.date32(), safe=False), problem


def in_utc(wall: Any, zone: str) -> Any:
    """Wall-clock times of a zone as moments in UTC; null for one that is before the year 1 or after 9999 there."""
    moments = pc.cast(pc.assume_timezone(wall, zone, ambiguous="earliest", nonexistent="latest"), UTC_MICROSECONDS)
    known = pc.and_(pc.greater_equal(moments, _FIRST), pc.less_equal(moments, _LAST))
    return pc.if_else(known, moments, pa.scalar(None, UTC_MICROSECONDS))


def _lost(texts: Any, values: Any) -> Any:
    """Where there was a text and no value came of it."""
    return np.asarray(pc.and_(pc.is_valid(texts), pc.is_null(values)))


_READERS = {"number": _numbers, "integer": _integers, "boolean": _booleans, "date": _dates, "time": _times}
