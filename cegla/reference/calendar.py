"""The Polish calendar: days off, Sundays on which shops may trade."""

from datetime import date
from functools import cached_property, lru_cache

from cegla.reference.pack import read_table


class PolishCalendar:
    """Days that are not like others."""

    def holiday(self, day: date) -> str | None:
        """The Polish name of a public holiday, Christmas Eve since 2025."""
        return _holidays(day.year).get(day)

    def is_trading_sunday(self, day: date) -> bool | None:
        """Whether shops may trade on this Sunday; None for other days, and for years that the table does not hold."""
        if day.weekday() != 6 or day.year not in {known.year for known in self._trading}:
            return None
        return day in self._trading

    def is_workday(self, day: date) -> bool:
        """Monday to Friday, no holiday."""
        return day.weekday() < 5 and day not in _holidays(day.year)

    @cached_property
    def _trading(self) -> frozenset[date]:
        return frozenset(date.fromisoformat(day) for (day,) in read_table("trading_sundays.tsv"))


@lru_cache(maxsize=64)
def _holidays(year: int) -> dict[date, str]:
    from holidays import country_holidays  # loaded when first asked: it brings every country along

    return {day: name for day, name in country_holidays("PL", years=year, language="pl").items() if day.weekday() != 6 or name != "Niedziela"}
