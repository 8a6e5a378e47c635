"""To whom a block is shown: one row for each condition, with its words, its choices and what it is in Liquid.

Where a letter is read cannot be asked when it is made, so the screen is the one condition that a style sheet decides, in the mail program;
a daypart is that of the moment when the letter leaves, on the person's own clock.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cegla.vocabulary.text import Text

WORD = re.compile(r"\w+")


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "’").replace("{", "").replace("}", "").replace("%", "") + "'"


@dataclass(frozen=True)
class Condition:
    """One row. `kind` is segment, line or choice; `liquid` makes the condition of the value chosen, None: a style sheet decides."""

    key: str
    label: Text
    hint: Text
    kind: str
    choices: tuple[tuple[str, Text], ...] = ()
    liquid: Callable[[str], str] | None = None


DAYPARTS = (
    ("morning", Text("rano (5–11)", "morning (5–11)")),
    ("day", Text("w dzień (11–17)", "daytime (11–17)")),
    ("evening", Text("wieczorem (17–22)", "evening (17–22)")),
    ("night", Text("w nocy (22–5)", "night (22–5)")),
)
HOURS = {"morning": range(5, 11), "day": range(11, 17), "evening": range(17, 22)}  #: as sending counts them; night is the rest


def _habit(value: str) -> str:
    hours = HOURS.get(value)
    return f"person.usual_hour >= {hours.start} and person.usual_hour < {hours.stop}" if hours else "person.usual_hour >= 22 or person.usual_hour < 5"


def _trait(value: str) -> str:
    name, equals, wanted = (part.strip() for part in value.partition("="))
    if not WORD.fullmatch(name):
        return "false"
    return f"person.{name} == {_quoted(wanted)}" if equals else f"person.{name} and person.{name} != ''"


CONDITIONS: dict[str, Condition] = {
    row.key: row
    for row in (
        Condition(
            "segment",
            Text("Segment", "Segment"),
            Text("osoby, które są w nim, gdy list wychodzi", "people in it when the letter leaves"),
            "segment",
            liquid=lambda value: f"person.segments contains {value if value.isascii() and value.isdigit() else 0}",
        ),
        Condition(
            "interest",
            Text("Zainteresowanie", "Interest"),
            Text("jedna z ulubionych kategorii osoby", "one of the person's favourite categories"),
            "line",
            liquid=lambda value: f"person.favourite_categories contains {_quoted(value)}",
        ),
        Condition(
            "daypart",
            Text("Pora wysłania", "Time of sending"),
            Text("na zegarze osoby, gdy list wychodzi", "on the person's clock when the letter leaves"),
            "choice",
            DAYPARTS,
            lambda value: f"person.daypart == {_quoted(value)}",
        ),
        Condition(
            "habit",
            Text("Zwykła pora osoby", "The person's usual time"),
            Text("kiedy zwykle zagląda do sklepu", "when the person usually visits the shop"),
            "choice",
            DAYPARTS,
            _habit,
        ),
        Condition(
            "device",
            Text("Zwykłe urządzenie", "Usual device"),
            Text("z czego osoba zwykle korzysta", "what the person usually uses"),
            "choice",
            (("phone", Text("telefon", "phone")), ("desktop", Text("komputer", "computer")), ("tablet", Text("tablet", "tablet"))),
            lambda value: f"person.device == {_quoted(value)}",
        ),
        Condition(
            "screen",
            Text("Ekran", "Screen"),
            Text("szerokość ekranu przy czytaniu; rozstrzyga program pocztowy", "width of the screen when read; the mail program decides"),
            "choice",
            (("phone", Text("tylko wąski (telefon)", "narrow only (phone)")), ("desktop", Text("tylko szeroki (komputer)", "wide only (computer)"))),
        ),
        Condition(
            "trait",
            Text("Cecha", "Trait"),
            Text("nazwa albo nazwa = wartość, np. city = Łódź", "a name, or name = value, such as city = Łódź"),
            "line",
            liquid=_trait,
        ),
    )
}
NOT = "not"  #: key of the switch that turns a block's conditions round
TURNED = Text("Odwrotnie: pokaż wszystkim innym", "The other way round: show it to everybody else")


def opening(shown: Mapping[str, str]) -> str:
    """The Liquid tags before a block so that only those meant see it; empty: everybody does. All conditions must hold."""
    wanted = [row.liquid(shown[key]) for key, row in CONDITIONS.items() if row.liquid is not None and shown.get(key)]
    if not wanted:
        return ""
    if shown.get(NOT):
        return "".join(f"{{% unless {one} %}}" for one in wanted[:1]) if len(wanted) == 1 else _turned(wanted)
    return "".join(f"{{% if {one} %}}" for one in wanted)


def closing(shown: Mapping[str, str]) -> str:
    """The Liquid tags behind the block."""
    count = sum(row.liquid is not None and bool(shown.get(key)) for key, row in CONDITIONS.items())
    if not count:
        return ""
    return "{% endunless %}" if shown.get(NOT) else "{% endif %}" * count


def style_class(shown: Mapping[str, str]) -> str:
    """The class that hides a block on the other kind of screen."""
    screen = shown.get("screen", "")
    if screen and shown.get(NOT) and opening(shown) == "":
        screen = "desktop" if screen == "phone" else "phone"
    return f"only-{screen}" if screen in ("phone", "desktop") else ""


def _turned(wanted: list[str]) -> str:
    """Unless all of them hold: a block shown to whoever misses one. Liquid has no brackets, so a mark is set on the way."""
    inside = "".join(f"{{% if {one} %}}" for one in wanted)
    return f"{{% assign all_hold = false %}}{inside}{{% assign all_hold = true %}}{'{% endif %}' * len(wanted)}{{% unless all_hold %}}"
