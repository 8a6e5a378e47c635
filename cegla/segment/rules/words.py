"""How numbers, money, dates and events are said in Polish and English.

The narrow space in amounts is U+00A0, and Polish plurals follow CLDR: 1 one; 2–4, 22–24 few; 0, 5–21, 25 many; fractions other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from cegla.vocabulary.text import Language, Text

SPACE = "\u00a0"


@dataclass(frozen=True)
class Noun:
    """A countable word: Polish one / few / many / other, English one / other."""

    pl: tuple[str, str, str, str]
    en: tuple[str, str]

    def counted(self, count: float, language: Language) -> str:
        """The number with the form that belongs to it: 1 raz, 2 razy, 5 razy."""
        return f"{decimal(count, language)}{SPACE}{self.form(count, language)}"

    def form(self, count: float, language: Language) -> str:
        """The form that belongs to a number."""
        if language == "en":
            return self.en[0 if count == 1 else 1]
        return self.pl[("one", "few", "many", "other").index(polish_plural(count))]


TIMES = Noun(("raz", "razy", "razy", "raza"), ("time", "times"))
DAYS = Noun(("dzień", "dni", "dni", "dnia"), ("day", "days"))
SPANS = {
    "m": Noun(("minutę", "minuty", "minut", "minuty"), ("minute", "minutes")),
    "h": Noun(("godzinę", "godziny", "godzin", "godziny"), ("hour", "hours")),
    "d": DAYS,
}
#: the same after "within": w ciągu 1 godziny, 3 dni
SPANS_OF = {
    "m": Noun(("minuty", "minut", "minut", "minuty"), ("minute", "minutes")),
    "h": Noun(("godziny", "godzin", "godzin", "godziny"), ("hour", "hours")),
    "d": Noun(("dnia", "dni", "dni", "dnia"), ("day", "days")),
}
PEOPLE = Noun(("osoba", "osoby", "osób", "osoby"), ("person", "people"))
LAST_DAYS = Noun(("ostatniego dnia", "ostatnich {} dni", "ostatnich {} dni", "ostatnich {} dni"), ("last day", "last {} days"))
MONTHS: Mapping[Language, Sequence[str]] = {
    "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia".split(),
    "en": "January February March April May June July August September October November December".split(),
}
DIFFERENT = Noun(("różną wartością", "różnymi wartościami", "różnymi wartościami", "różnymi wartościami"), ("different value", "different values"))


@dataclass(frozen=True)
class EventWords:
    """An event as a predicate about several people ("Osoby, które …"), its denial, and its name after a number."""

    did: Text
    did_not: Text
    of: Text


EVENTS: dict[str, EventWords] = {
    "Order Completed": EventWords(
        Text("złożyły zamówienie", "placed an order"), Text("nie złożyły zamówienia", "did not place an order"), Text("zamówienia", "orders")
    ),
    "Order Refunded": EventWords(
        Text("dostały zwrot pieniędzy", "got a refund"), Text("nie dostały zwrotu pieniędzy", "did not get a refund"), Text("zwroty", "refunds")
    ),
    "Product Viewed": EventWords(
        Text("obejrzały produkt", "viewed a product"),
        Text("nie obejrzały żadnego produktu", "did not view any product"),
        Text("obejrzenia produktów", "product views"),
    ),
    "Product Added": EventWords(
        Text("dodały produkt do koszyka", "added a product to the cart"),
        Text("nie dodały produktu do koszyka", "did not add a product to the cart"),
        Text("dodania do koszyka", "additions to the cart"),
    ),
    "Checkout Started": EventWords(
        Text("rozpoczęły zakup", "started a checkout"),
        Text("nie rozpoczęły zakupu", "did not start a checkout"),
        Text("rozpoczęte zakupy", "started checkouts"),
    ),
    "Page Viewed": EventWords(Text("odwiedziły stronę", "viewed a page"), Text("nie odwiedziły strony", "did not view a page"), Text("odsłony", "page views")),
    "Products Searched": EventWords(
        Text("szukały produktów", "searched for products"), Text("nie szukały produktów", "did not search for products"), Text("wyszukiwania", "searches")
    ),
    "Site Searched": EventWords(
        Text("szukały czegoś na stronie", "searched the site"),
        Text("nie szukały niczego na stronie", "did not search the site"),
        Text("wyszukiwania", "searches"),
    ),
    "File Downloaded": EventWords(
        Text("pobrały plik", "downloaded a file"), Text("nie pobrały żadnego pliku", "did not download any file"), Text("pobrania plików", "downloads")
    ),
    "Form Submitted": EventWords(
        Text("wysłały formularz", "submitted a form"),
        Text("nie wysłały żadnego formularza", "did not submit any form"),
        Text("wysłane formularze", "submitted forms"),
    ),
}


def event(name: str) -> EventWords:
    """The words for an event; one without words of its own is quoted."""
    return EVENTS.get(name) or EventWords(
        Text(f"wykonały zdarzenie {quoted(name, 'pl')}", f"did {quoted(name, 'en')}"),
        Text(f"nie wykonały zdarzenia {quoted(name, 'pl')}", f"did not do {quoted(name, 'en')}"),
        Text(f"zdarzenia {quoted(name, 'pl')}", f"{quoted(name, 'en')} events"),
    )


def polish_plural(count: float) -> str:
    """The CLDR plural category of a number in Polish."""
    if count != int(count):
        return "other"
    whole = abs(int(count))
    if whole == 1:
        return "one"
    return "few" if 2 <= whole % 10 <= 4 and not 12 <= whole % 100 <= 14 else "many"


def decimal(number: float, language: Language, places: int | None = None) -> str:
    """A number with the language's separators: 1 234,5 or 1,234.5. `places`: that many digits after the point."""
    written = f"{number:,.{places}f}" if places is not None else f"{number:,}"
    if places is None and isinstance(number, float):
        written = f"{number:,.6f}".rstrip("0").rstrip(".")
    return written.replace(",", SPACE).replace(".", ",") if language == "pl" else written


def money(amount: float, language: Language, currency: str) -> str:
    """An amount in the currency: 500 zł, 49,99 zł, PLN 49.99."""
    written = decimal(amount, language, 0 if amount == int(amount) else 2)
    if language == "en":
        return f"{currency}{SPACE}{written}"
    return f"{written}{SPACE}{'zł' if currency == 'PLN' else currency}"


def quoted(text: str, language: Language) -> str:
    """Text in the language's quotation marks, line breaks as spaces."""
    flat = " ".join(text.split())
    return f"„{flat}”" if language == "pl" else f"“{flat}”"


def in_last_days(days: int, language: Language) -> str:
    """In the last 90 days."""
    phrase = LAST_DAYS.form(days, language).format(decimal(days, language))
    return f"w ciągu {phrase}" if language == "pl" else f"in the {phrase}"


def days_ago(days: int, language: Language) -> str:
    """90 days ago."""
    return f"{DAYS.counted(days, language)} {'temu' if language == 'pl' else 'ago'}"


def calendar_day(day: date, language: Language) -> str:
    """23 listopada 2026, 23 November 2026."""
    return f"{day.day}{SPACE}{MONTHS[language][day.month - 1]}{SPACE}{day.year}"


def offset_days(offset: int, language: Language, *, to: bool) -> str:
    """From today, in 7 days, 3 days ago, with the preposition that begins or ends a span of days."""
    word = Text("do" if to else "od", "to" if to else "from").say(language)
    if offset == 0:
        return f"{word} {Text('dziś', 'today').say(language)}"
    days = DAYS.counted(abs(offset), language)
    if offset > 0:
        return f"{word} {Text('dnia za {days}', '{days} from now').say(language, days=days)}"
    return f"{word} {Text('dnia {days} temu', '{days} ago').say(language, days=days)}"


def listed(words: list[str], language: Language, last: Text) -> str:
    """a, b or c."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last.say(language)} {words[-1]}"
