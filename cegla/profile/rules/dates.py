"""Dates as people read them in each language, the same as on every page of the console: 3 lis 2026, 3 Nov 2026."""

from datetime import date, datetime, tzinfo

from cegla.vocabulary.text import Language

#: As CLDR abbreviates months within a date, British ones in English.
_MONTHS = {
    "pl": ("sty", "lut", "mar", "kwi", "maj", "cze", "lip", "sie", "wrz", "paź", "lis", "gru"),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sept", "Oct", "Nov", "Dec"),
}  # fmt: skip


def shown_day(day: date, language: Language) -> str:
    """A date: 3 lis 2026. A moment is to be put into its zone before."""
    return f"{day.day} {_MONTHS[language][day.month - 1]} {day.year}"


def shown_moment(moment: datetime, language: Language, zone: tzinfo) -> str:
    """A date with a time of the clock in that zone: 3 lis 2026, 14:05."""
    local = moment.astimezone(zone)
    return f"{shown_day(local, language)}, {local:%H:%M}"
