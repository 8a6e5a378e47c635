"""What the texts of a column are: numbers, dates, yes and no, addresses. Only a form that reads them is proposed.

Where a text can be read in two ways (03/04/2025, 1,234) the likelier form is proposed and the other is named beside it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from cegla.collect.rules.columns import typed
from cegla.collect.rules.mapping import ColumnForm
from cegla.vocabulary.folding import folded
from cegla.vocabulary.text import Text

SHARE_READ = 0.97  #: of the texts that are looked at; the others become refused rows, which the dry run shows
SHARE_CLEAR = 0.6  #: of dates, or of the numbers or consents that a name promises: the others are named, and a person decides
ODD_SHOWN = 5
SAMPLES = 5
LONGEST_TEXT = 300
LONGEST_ODD = 40
EXAMPLE = datetime(2026, 12, 31, 15, 30, tzinfo=UTC)  #: by which a form of dates is shown
EMPTY_WORDS = frozenset(("-", "--", "n/a", "n.a.", "na", "nd", "n.d.", "brak", "b/d", "brak danych", "null", "none", "nan", "nie podano", "#n/d", "#n/a", "?"))

_EMAIL = re.compile(r"[^@\s;,]{1,64}@[^@\s;,]{1,200}\.[^@\s;,.]{2,20}\Z")
_PHONE = re.compile(r"(?:\+|00)?\(?\d[\d\s()./-]{7,18}\d\Z")
_POLISH_PHONE = re.compile(r"(?:(?:\+|00)?48[\s-]?)?(?:[1-9]\d{2}[\s-]?\d{3}[\s-]?\d{3}|\(?[1-9]\d\)?[\s-]?\d{3}[\s-]?\d{2}[\s-]?\d{2})\Z")
_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:[ \u00a0\u202f.,']\d{3})+|\d{1,15})(?:[.,]\d{1,8})?(?:[eE][+-]?\d{1,3})?\Z|[+-]?[.,]\d{1,8}\Z")
_WITH_UNIT = re.compile(r"(?P<number>[+-]?\d[\d \u00a0\u202f.,']*?)\s*(?P<unit>zł|PLN|pln|€|EUR|\$|USD|£|GBP|%|szt\.?|kg)\Z")
_IDENTIFIER = re.compile(r"0\d|\d{9,}\Z|\d+[ -]\d{3}[ -]\d{3}\Z")  #: leading zeros, NIP, telephone numbers: no number to count with
_POSTCODE = re.compile(r"\d{2}-\d{3}\Z")
_DATE = re.compile(
    r"(?P<day>\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2}))"
    r"(?P<time>[T ]\d{1,2}:\d{2}(?P<seconds>:\d{2}(?P<fraction>[.,]\d{1,9})?)?)?(?P<zone>\s?(?:Z|[+-]\d{2}:?\d{2}))?\Z"
)
_TRUE = frozenset("tak true yes t y 1 x on prawda zgoda wyrazona wyrazono aktywna aktywny subscribed opted_in given".split())
_FALSE = frozenset("nie,false,no,n,f,0,off,falsz,brak zgody,niewyrazona,nie wyrazono,nieaktywna,nieaktywny,unsubscribed,opted_out,refused".split(","))
_EPOCH_SECONDS, _EPOCH_MILLISECONDS = re.compile(r"1[0-9]{9}(?:\.\d+)?\Z"), re.compile(r"1[0-9]{12}\Z")
DEFAULT = ColumnForm.model_validate({})
MONTH_FIRST = Text("dzień czy miesiąc jest pierwszy", "whether day or month comes first")
THOUSANDS = Text("czy znak oddziela tysiące, czy części ułamkowe", "whether the mark sets thousands or decimals apart")


@dataclass(frozen=True)
class ColumnGuess:
    """What a column is. `ambiguous` are other forms that read its texts too; `holds` is email, phone, postal_code, yes_no or empty."""

    name: str
    form: ColumnForm
    samples: tuple[str, ...]
    reason: Text
    ambiguous: tuple[ColumnForm, ...] = ()
    holds: str = ""
    doubt: Text | None = None
    odd: tuple[tuple[int, str], ...] = ()  #: the first texts that the form does not read, with their rows counted from 1


def is_value(cell: str) -> bool:
    """Whether a cell can hardly be the name of a column: a number, a date, an address."""
    text = cell.strip()
    if len(text) > LONGEST_TEXT:
        return True
    return any(pattern.match(text) for pattern in (_NUMBER, _DATE, _EMAIL, _PHONE, _POSTCODE, _WITH_UNIT)) or text.lower() in ("tak", "nie", "true", "false")


@dataclass(frozen=True)
class Promise:
    """What the name of a column says of it: a time, an amount, a yes or no."""

    dated: bool = False
    counted: bool = False
    agreed: bool = False


def guess_column(name: str, texts: Sequence[str | None], zone: str, promise: Promise = Promise()) -> ColumnGuess:
    """What the first texts of a column are. `zone`: of clocks that name none."""
    stripped = [text.strip()[:LONGEST_TEXT] for text in texts if text and text.strip()]
    said = [text for text in stripped if text.lower() not in EMPTY_WORDS]
    empty = tuple(sorted({text for text in stripped if text.lower() in EMPTY_WORDS}))
    samples = tuple(dict.fromkeys(said or stripped))[:SAMPLES]
    if not said:
        return ColumnGuess(name, DEFAULT, samples, Text("kolumna jest pusta", "the column is empty"))
    for look in (_addresses, _booleans, _dates, _numbers):
        found = look(_Column(name, said, empty, zone, promise))
        if found is not None:
            form, others, reason, holds, doubt = found
            return ColumnGuess(name, form, samples, reason, others, holds, doubt, _odd(texts, form))
    return ColumnGuess(name, _form({}, empty), samples, Text("to tekst", "it is text"))


@dataclass(frozen=True)
class _Column:
    name: str
    texts: list[str]
    empty: tuple[str, ...]
    zone: str
    promise: Promise

    def share(self, pattern: re.Pattern[str]) -> float:
        """How many of the texts are so."""
        return sum(pattern.match(text) is not None for text in self.texts) / len(self.texts)

    def reads(self, form: ColumnForm, least: float) -> bool:
        """Whether the import itself reads at least that share of the texts so."""
        wrong = typed(pa.array(self.texts, pa.string()), form).wrong
        return float(wrong.mean()) <= 1 - least


def _odd(texts: Sequence[str | None], form: ColumnForm) -> tuple[tuple[int, str], ...]:
    """The first texts that a form does not read, with their rows."""
    if form.type == "text":
        return ()
    wrong = typed(pa.array(texts, pa.string()), form).wrong
    return tuple((int(at) + 1, (texts[at] or "").strip()[:LONGEST_ODD]) for at in wrong.nonzero()[0][:ODD_SHOWN])


_Found = tuple[ColumnForm, tuple[ColumnForm, ...], Text, str, Text | None]


def _form(values: dict[str, Any], empty: tuple[str, ...]) -> ColumnForm:
    return ColumnForm.model_validate({**values, "empty": empty} if empty else values)


def _addresses(column: _Column) -> _Found | None:
    if column.share(_EMAIL) >= 0.8:
        return DEFAULT, (), Text("to adresy e-mail", "these are e-mail addresses"), "email", None
    if column.share(_POSTCODE) >= SHARE_READ:
        return DEFAULT, (), Text("to kody pocztowe", "these are postal codes"), "postal_code", None
    if column.share(_POLISH_PHONE) >= 0.8 or (column.share(_PHONE) >= 0.8 and column.share(_DATE) < 0.2 and column.share(_NUMBER) < 0.2):
        return DEFAULT, (), Text("to wyglądają na numery telefonów", "these look like telephone numbers"), "phone", None
    return None


def _booleans(column: _Column) -> _Found | None:
    told = [folded(text) for text in column.texts]
    yes, no = _TRUE.intersection(told), _FALSE.intersection(told)
    words = yes | no
    clear = sum(word in words for word in told) / len(told)
    if clear < (SHARE_CLEAR if column.promise.agreed else 1) or len(words) > 4:
        return None
    digits = words <= {"0", "1"}
    if not column.promise.agreed and (not yes or not no or (words == frozenset("tf") and len(column.texts) < 4)):
        return None
    shown = {text.lower() for text in column.texts}
    values: dict[str, Any] = {"type": "boolean"}
    for field, known in (("true_words", yes), ("false_words", no)):
        extra = tuple(sorted(text for text in shown if folded(text) in known and text not in getattr(DEFAULT, field)))
        if extra:
            values[field] = (*getattr(DEFAULT, field), *extra)
    form = _form(values, column.empty)
    others = (_form({"type": "integer"}, column.empty),) if digits and not column.promise.agreed else ()
    said = " / ".join(sorted(dict.fromkeys(column.texts[:200]))[:4])
    reason = Text(f"są w niej tylko: {said}", f"it holds only: {said}") if clear == 1 else Text("mówi tak albo nie", "it says yes or no")
    return form, others, reason, "yes_no", None


def _dates(column: _Column) -> _Found | None:
    if column.promise.dated and (seconds := column.share(_EPOCH_SECONDS) >= SHARE_READ) | (column.share(_EPOCH_MILLISECONDS) >= SHARE_READ):
        form = _form({"type": "time", "format": "epoch_seconds" if seconds else "epoch_milliseconds"}, column.empty)
        return form, (), Text("to czas liczony od 1970 roku", "it is time counted from 1970"), "", None
    matches = [found for text in column.texts if (found := _DATE.match(text))]
    if len(matches) < max(2, SHARE_CLEAR * len(column.texts)) and len(matches) < len(column.texts):
        return None
    share = len(matches) / len(column.texts)  # what looks like no date shall not decide on the form of the others
    fits = [form for form in _date_forms(matches, column) if column.reads(form, SHARE_READ * share)]
    if not fits:
        fits = [form for form in _date_forms(matches, column) if column.reads(form, SHARE_CLEAR)]
    if not fits:
        return None
    form, others = fits[0], tuple(fits[1:])
    shape = EXAMPLE.strftime(form.format) if form.format != "iso" else f"{EXAMPLE:%Y-%m-%d}"
    return form, others, Text(f"to daty w postaci {shape}", f"these are dates as {shape}"), "", MONTH_FIRST if others else None


def _date_forms(matches: list[re.Match[str]], column: _Column) -> list[ColumnForm]:
    """Every form the dates may have, the likeliest first."""
    first = matches[0]
    timed = any(found["time"] for found in matches)
    if first["day"][:4].isdigit() and first["day"][4] == "-" and (any(found["zone"] or found["fraction"] for found in matches) or _padded(matches)):
        return [_dated("iso", timed, column)]
    sign = next(letter for letter in first["day"] if not letter.isdigit())
    if first["day"][:4].isdigit():
        days = [f"%Y{sign}%m{sign}%d"]
    else:
        year = "%Y" if len(first["day"].rpartition(sign)[2]) == 4 else "%y"
        days = [f"%d{sign}%m{sign}{year}", *([f"%m{sign}%d{sign}{year}"] if sign != "." else [])]
    clock = ""
    if timed:
        between = "T" if "T" in first[0] else " "
        clock = f"{between}%H:%M" + (":%S" if first["seconds"] else "") + (".%f" if first["fraction"] else "") + ("%z" if first["zone"] else "")
    return [_dated(day + clock, timed, column) for day in days]


def _padded(matches: list[re.Match[str]]) -> bool:
    return all(len(found["day"]) == 10 and (not found["time"] or len(found["time"].split(":")[0]) == 3) for found in matches)


def _dated(shape: str, timed: bool, column: _Column) -> ColumnForm:
    values: dict[str, Any] = {"type": "time" if timed else "date", "format": shape, "zone": column.zone}
    return _form(values, column.empty)


def _numbers(column: _Column) -> _Found | None:
    bare, unit = column.texts, ""
    units = {found["unit"] for text in bare if (found := _WITH_UNIT.match(text))}
    if len(units) == 1:
        unit = units.pop()
        bare = [text.removesuffix(unit).rstrip() for text in bare]
    numbers = [text for text in bare if _NUMBER.match(text)]
    least = SHARE_CLEAR if column.promise.counted else SHARE_READ
    if len(numbers) < least * len(bare) or any(_IDENTIFIER.match(text) for text in numbers):
        return None
    more: dict[str, Any] = {"unit": unit} if unit else {}
    forms = [_form({**values, **more}, column.empty) for values in _number_forms(numbers)]
    fits = [form for form in forms if column.reads(form, SHARE_READ * len(numbers) / len(bare))]
    if not fits:
        return None
    form, others = fits[0], tuple(fits[1:])
    if form.type == "integer":
        return form, others, Text("to liczby całkowite", "these are whole numbers"), "", THOUSANDS if others else None
    marks = Text("przecinek dziesiętny", "a decimal comma") if form.decimal == "," else Text("kropka dziesiętna", "a decimal point")
    return form, others, Text(f"to liczby, {marks.pl}", f"these are numbers with {marks.en}"), "", THOUSANDS if others else None


def _number_forms(texts: list[str]) -> list[dict[str, Any]]:
    """Every way the marks between digits may be meant, the likeliest first."""
    spaces = next((mark for mark in (" ", "\u00a0", "\u202f", "'") if any(mark in text for text in texts)), "")
    commas, points = any("," in text for text in texts), any("." in text for text in texts)
    if not commas and not points:
        return [{"type": "integer", **({"thousands": " " if spaces == "\u00a0" else spaces} if spaces else {})}]
    if commas and points:
        both = next((text for text in texts if "," in text and "." in text), "1,0.0")
        decimal = "," if both.rfind(",") > both.rfind(".") else "."
        return [{"type": "number", "decimal": decimal, "thousands": "." if decimal == "," else ","}]
    mark = "," if commas else "."
    as_decimal: dict[str, Any] = {"type": "number", "decimal": mark, **({"thousands": " " if spaces == "\u00a0" else spaces} if spaces else {})}
    as_thousands: dict[str, Any] = {"type": "integer", "thousands": mark}
    marked = [text for text in texts if mark in text]
    if any(text.count(mark) > 1 for text in marked):
        return [as_thousands]
    if mark == "." and all(re.match(r"[+-]?\d+\.0+\Z", text) for text in marked):
        return [{"type": "integer"}]
    if not spaces and all(re.match(r"[+-]?[1-9]\d{0,2}[.,]\d{3}\Z", text) for text in marked):
        return [as_decimal, as_thousands]
    return [as_decimal]
