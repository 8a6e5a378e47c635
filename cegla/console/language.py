"""Two languages: messages, plurals, numbers, money and dates.

Polish is the language of the templates; `locale/en.po` holds the English side and is read when the console starts.
A message with a count is written with its Polish forms in CLDR order, "{n} osoba|{n} osoby|{n} osób"; English has two.
"""

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.core import Locale
from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal, format_percent
from markupsafe import Markup, escape

from cegla.console.menu import marked
from cegla.vocabulary.money import from_micros
from cegla.vocabulary.text import Language, Text

LANGUAGES: dict[Language, str] = {"pl": "Polski", "en": "English"}
CATALOG = Path(__file__).parent / "locale" / "en.po"
PLURALS: dict[Language, tuple[str, ...]] = {"pl": ("one", "few", "many", "other"), "en": ("one", "other")}
NOTHING = "–"
A_MOMENT, A_MOMENT_AGO = timedelta(seconds=5), marked("przed chwilą")
CODE_BEFORE_DIGIT = re.compile(r"([A-Z]{3})(?=\d)")  #: CLDR wants a space in "PLN 1,179.60"


@cache
def english() -> dict[str, str]:
    """Polish message → English message."""
    with CATALOG.open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file, locale="en") if message.id and message.string}


@dataclass(frozen=True)
class Tongue:
    """How one visitor is spoken to: language, time zone, currency. `missing` collects messages without translation."""

    language: Language
    zone: ZoneInfo
    currency: str
    missing: set[str] = field(default_factory=set, compare=False)

    @property
    def locale(self) -> Locale:
        """Babel's locale: Polish, or English with a 24-hour clock and day before month."""
        return Locale("pl") if self.language == "pl" else Locale("en", "GB")

    def text(self, message: str, /, **facts: object) -> Markup:
        """A message in the visitor's language with its `{placeholders}` filled; facts are escaped."""
        return Markup(escape(self._translated(message))).format(**facts) if facts else Markup(escape(self._translated(message)))

    def count(self, message: str, n: float, /, **facts: object) -> Markup:
        """A message with a count, in the right plural form: count("{n} osoba|{n} osoby|{n} osób", 5) is "5 osób"."""
        forms = self._translated(message).split("|")
        category = self.locale.plural_form(n)
        order = PLURALS[self.language]
        position = min(order.index(category) if category in order else len(order) - 1, len(forms) - 1)
        return Markup(escape(forms[position])).format(n=self.number(n), **facts)

    def say(self, text: Text | str | None, /, **facts: object) -> str:
        """A two-language text of the vocabulary; a plain string stays as it is."""
        if text is None:
            return NOTHING
        return text.say(self.language, **facts) if isinstance(text, Text) else text

    def _translated(self, message: str) -> str:
        if self.language == "pl":
            return message
        found = english().get(message)
        if found is None:
            self.missing.add(message)
            return message
        return found

    # numbers, money, times -----------------------------------------------------------------------------------------------

    def number(self, value: float | Decimal | None, digits: int = 1) -> str:
        """A number with the language's separators; None is a dash, which is not zero."""
        if value is None:
            return NOTHING
        return format_decimal(round(value, digits), locale=self.locale)

    def money(self, micros: int | None, currency: str | None = None) -> str:
        """An amount from micros: 1 234 567,50 zł."""
        if micros is None:
            return NOTHING
        written = format_currency(from_micros(micros), currency or self.currency, locale=self.locale)
        return CODE_BEFORE_DIGIT.sub("\\1\N{NO-BREAK SPACE}", written)

    def percent(self, share: float | None) -> str:
        """A share 0..1 as percent, with one decimal below ten percent; what is not quite everything is never 100%."""
        if share is None:
            return NOTHING
        if 0.995 <= share < 1:
            return format_percent(min(share, 0.999), format="#,##0.#%", locale=self.locale)
        return format_percent(share, format="#,##0.#%" if abs(share) < 0.1 else "#,##0%", locale=self.locale)

    def day(self, moment: datetime | date | None) -> str:
        """A date: 3 lis 2026."""
        if moment is None:
            return NOTHING
        local = moment.astimezone(self.zone).date() if isinstance(moment, datetime) else moment
        return format_date(local, format="d MMM y", locale=self.locale)

    def short_day(self, moment: date) -> str:
        """A date for the axis of a chart: 3.11."""
        return format_date(moment, format="d.MM" if self.language == "pl" else "d MMM", locale=self.locale)

    def day_name(self, moment: date) -> str:
        """The day of the week alone: poniedziałek."""
        return format_date(moment, format="EEEE", locale=self.locale)

    def weekday(self, moment: date) -> str:
        """A date with its day of the week: poniedziałek, 3 listopada 2026."""
        return format_date(moment, format="EEEE, d MMMM y", locale=self.locale)

    def moment(self, moment: datetime | None, *, seconds: bool = False) -> str:
        """A date and a time in the shop's zone: 3 lis 2026, 14:05."""
        if moment is None:
            return NOTHING
        return format_datetime(moment, format="d MMM y, HH:mm:ss" if seconds else "d MMM y, HH:mm", tzinfo=self.zone, locale=self.locale)

    def clock(self, moment: datetime, *, seconds: bool = False) -> str:
        """A time of day in the shop's zone: 14:05."""
        return format_time(moment, format="HH:mm:ss" if seconds else "HH:mm", tzinfo=self.zone, locale=self.locale)

    def ago(self, moment: datetime | None, now: datetime) -> str:
        """How long ago: 5 minut temu. A few seconds either way are now: clocks differ, and a page is built while time goes on."""
        if moment is None:
            return NOTHING
        if abs(moment - now) < A_MOMENT:
            return self._translated(A_MOMENT_AGO)
        return format_timedelta(moment - now, add_direction=True, locale=self.locale)

    def country(self, code: str) -> str:
        """The name of a country: PL is Polska."""
        return str(self.locale.territories.get(code, code))

    def iso(self, moment: datetime | date) -> str:
        """The machine's form, for <time datetime>."""
        return moment.isoformat()
