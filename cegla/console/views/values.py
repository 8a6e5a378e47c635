"""The value of a trait in words: a date, an amount, a share, a place by its name; and what lies in it, for those of several parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cegla.console.charts.marks import Mark
from cegla.console.language import Tongue
from cegla.console.views.events import event_name
from cegla.profile import actions as profile
from cegla.reference.places import poland
from cegla.vocabulary.text import Text

Words = Mapping[str, Text]

HOURS_OF_A_WEEK, HOURS_OF_A_DAY, HOURS_TOGETHER = 168, 24, 3
MOST_NAMED = 8
YES, NO = Text("tak", "yes"), Text("nie", "no")
DIRECT = Text("wejście bezpośrednie", "directly")
MORE = Text("i {n} więcej", "and {n} more")
DAYS = (Text("pon.", "Mon"), Text("wt.", "Tue"), Text("śr.", "Wed"), Text("czw.", "Thu"), Text("pt.", "Fri"), Text("sob.", "Sat"), Text("niedz.", "Sun"))
DEVICES = {
    "desktop": Text("komputer", "computer"), "phone": Text("telefon", "phone"), "tablet": Text("tablet", "tablet"), "tv": Text("telewizor", "TV"),
    "server": Text("serwer", "server"), "bot": Text("robot", "bot"), "unknown": Text("nieznane", "unknown"),
}  # fmt: skip
#: Words that mean the same in the records of every analyser.
COMMON: Words = {
    "morning": Text("rano (5–9)", "morning (5–9)"), "work": Text("w pracy (9–17)", "working hours (9–17)"),
    "evening": Text("wieczorem (17–23)", "evening (17–23)"),
    "day": Text("w dzień (9–17)", "by day (9–17)"), "rising": Text("rośnie", "rising"),
    "steady": Text("bez zmian", "steady"), "falling": Text("spada", "falling"),
    "email": Text("e-mail", "e-mail"), "sms": Text("SMS", "text message"),
    "night": Text("nocą (23–5)", "night (23–5)"), "weekend": Text("w weekend", "weekend"), "private": Text("prywatne", "private"),
    "both": Text("tu i tu", "both"),
}  # fmt: skip
#: The parts of records, as columns.
PARTS = {
    "device": Text("urządzenie", "device"), "daypart": Text("pora", "time of day"),
    "use": Text("użycie", "used for"), "share": Text("udział", "share"),
    "network": Text("serwis", "network"), "visits": Text("wizyty", "visits"), "conv": Text("zamówień na wizytę", "orders a visit"),
    "iab_id": Text("temat", "topic"), "topics": Text("tematy", "topics"), "trend": Text("kierunek", "trend"), "depth": Text("jak uważnie", "how closely"),
    "event": Text("zdarzenie", "event"), "chance": Text("szansa", "chance"), "about": Text("o czym", "about"), "channel": Text("kanał", "channel"),
    "days": Text("kiedy", "when"), "hour": Text("godzina", "hour"), "side": Text("jaki", "kind"), "reasons": Text("dlaczego", "why"),
    "check": Text("co się nie zgadza", "at odds"), "one": Text("jedno", "one side"), "other": Text("drugie", "the other"), "weight": Text("waga", "weight"),
    "trait": Text("cecha", "trait"), "value": Text("wartość", "value"), "n": Text("dowody", "evidence"), "sure": Text("pewność", "sure"),
    "confidence": Text("pewność", "sure"), "lift": Text("ponad przeciętną", "over the average"),
    "field": Text("pole", "field"), "valid": Text("poprawne", "valid"), "reason": Text("uwaga", "remark"), "normalised": Text("chodziło o", "meant"),
}  # fmt: skip
SHARES = ("share", "conv", "chance", "sure", "confidence")
UNSHOWN = ("identity",)  #: numbers of ours that say nothing to a reader


@dataclass(frozen=True)
class Value:
    """A value as it is shown. `text` stands in one line; at most one of the others draws or lists what it is made of."""

    text: str
    bars: Sequence[Mark] = ()
    week: tuple[Sequence[str], Sequence[tuple[str, Sequence[Mark]]]] | None = None  #: heads and rows of a heat table
    table: tuple[Sequence[str], Sequence[Sequence[str]]] | None = None


def value(key: str, value_type: str, said: Any, tongue: Tongue, words: Words | None = None) -> Value:
    """A value by its type, in the visitor's language."""
    known = words or {}
    if value_type == "shares" and isinstance(said, Mapping):
        return _shares(said, tongue, known)
    if value_type == "histogram" and isinstance(said, (list, tuple)) and len(said) == HOURS_OF_A_WEEK:
        return _week(said, tongue)
    if value_type == "records" and isinstance(said, (list, tuple)):
        return _records([dict(one) for one in said], tongue, known)
    if key.endswith("_hours") and isinstance(said, (list, tuple)):
        return Value(", ".join(_hour(one) for one in said))
    if isinstance(said, (list, tuple)):
        rest = len(said) - MOST_NAMED
        named = [_plain(key, one, tongue, known) for one in said[:MOST_NAMED]]
        return Value(", ".join(named) + (f" {tongue.say(MORE, n=rest)}" if rest > 0 else ""))
    return Value(_one(key, value_type, said, tongue, known))


def _one(key: str, value_type: str, said: Any, tongue: Tongue, words: Words) -> str:
    if isinstance(said, datetime):
        return tongue.moment(said)
    if value_type == "micros":
        return tongue.money(int(said))
    if value_type == "hour":
        return _hour(said)
    if value_type == "score":
        return f"{tongue.number(float(said), 0)} / 100"
    if value_type == "share":
        return tongue.percent(float(said))
    return _plain(key, said, tongue, words)


def _plain(key: str, said: Any, tongue: Tongue, words: Words) -> str:
    if said is None:
        return "–"
    if isinstance(said, bool):
        return tongue.say(YES if said else NO)
    if isinstance(said, (int, float)):
        return str(said) if key.endswith(".year") else tongue.number(said, 2)
    return _word(key, str(said), tongue, words)


def named(key: str, value_type: str, said: str, tongue: Tongue, words: Words) -> str:
    """A value of a distribution, or the part of one by which people are counted, as it stands in text, in the words of the value itself."""
    if value_type == "flag":
        return tongue.say(YES if said == "true" else NO)
    return _word(key, said, tongue, {**COMMON, **words} if value_type == "records" else words)


def between(key: str, value_type: str, low: float, high: float, tongue: Tongue) -> str:
    """A step of a distribution: "3", "10–19", "5–10%"; a share ends at 100%."""
    if value_type == "share":
        return tongue.percent(1.0) if low >= 1 else f"{tongue.number(100 * low, 1)}–{tongue.percent(min(round(high, 3), 1.0))}"
    if low == int(low) and high == int(high):
        shown = [str(int(bound)) if key.endswith(".year") else tongue.number(int(bound)) for bound in (low, high)]
        return shown[0] if low == high else "–".join(shown)
    return f"{tongue.number(low, 3)}–{tongue.number(float(f'{high:.4g}'), 3)}"


def _hour(said: Any) -> str:
    return f"{int(said)}:00–{(int(said) + 1) % HOURS_OF_A_DAY or HOURS_OF_A_DAY}:00"


def _word(key: str, said: str, tongue: Tongue, words: Words) -> str:
    last = key.rpartition(".")[2]
    if said in words:
        return tongue.say(words[said])
    if key == "device" and said in DEVICES:
        return tongue.say(DEVICES[said])
    if last in ("device", "primary_by_daypart", "work_private_guess"):
        return profile.stories.device_named(said, tongue.language)
    if last in ("event", "next_event"):
        return tongue.say(event_name(said))
    if last == "top_referrer" and said == "direct":
        return tongue.say(DIRECT)
    if last == "country":
        return tongue.country(said)
    if last == "language":
        return tongue.locale.languages.get(said, said)
    if last == "voivodeship":
        return poland().voivodeships.get(said, said)
    if last in ("powiat", "home", "work"):
        return poland().powiat_name(said) or said
    return said


def _shares(said: Mapping[str, Any], tongue: Tongue, words: Words) -> Value:
    ranked = sorted(((name, float(share)) for name, share in said.items()), key=lambda one: (-one[1], one[0]))[:MOST_NAMED]
    marks = [Mark(_word("", name, tongue, words), share, tongue.percent(share)) for name, share in ranked]
    first = f"{marks[0].label} {marks[0].shown}" if marks else ""
    return Value(first, bars=marks if len(marks) > 1 else ())


def _week(said: Sequence[Any], tongue: Tongue) -> Value:
    """A week of hours, Monday first, three hours together: a day a row."""
    hours = [float(one or 0.0) for one in said]
    whole = sum(hours) or 1.0
    heads = [f"{start}–{start + HOURS_TOGETHER}" for start in range(0, HOURS_OF_A_DAY, HOURS_TOGETHER)]
    rows, totals = list[tuple[str, Sequence[Mark]]](), list[tuple[float, str]]()
    for day, name in enumerate(DAYS):
        own = hours[day * HOURS_OF_A_DAY : (day + 1) * HOURS_OF_A_DAY]
        parts = [sum(own[start : start + HOURS_TOGETHER]) / whole for start in range(0, HOURS_OF_A_DAY, HOURS_TOGETHER)]
        rows.append((tongue.say(name), [Mark(head, share, f"{round(100 * share)}") for head, share in zip(heads, parts, strict=True)]))
        totals += [(share, f"{tongue.say(name)} {head}") for head, share in zip(heads, parts, strict=True)]
    most, when = max(totals)
    return Value(f"{when} ({tongue.percent(most)})", week=(heads, rows))


def _records(said: Sequence[Mapping[str, Any]], tongue: Tongue, words: Words) -> Value:
    """Records as a small table; a column for each part that any of them has."""
    columns = sorted({part for one in said for part in one if part not in UNSHOWN}, key=lambda part: _rank(part, said))
    known = {**COMMON, **words}
    rows = [[_part(part, one.get(part), tongue, known) for part in columns] for one in said]
    heads = [tongue.say(PARTS[part]) if part in PARTS else part for part in columns]
    return Value(", ".join(dict.fromkeys(row[0] for row in rows)), table=(heads, rows))


def _rank(part: str, said: Sequence[Mapping[str, Any]]) -> tuple[bool, int]:
    """Names stand before numbers and remarks, in the order of `PARTS`."""
    names = all(isinstance(one.get(part), str) for one in said)
    return not names, list(PARTS).index(part) if part in PARTS else len(PARTS)


def _part(part: str, said: Any, tongue: Tongue, words: Words) -> str:
    if part in SHARES and said is not None:
        return tongue.percent(float(said))
    if isinstance(said, Mapping):
        return ", ".join(_part(name, one, tongue, words) for name, one in said.items())
    if isinstance(said, (list, tuple)):
        return ", ".join(_part(part, one, tongue, words) for one in said)
    return _hour(said) if part == "hour" and said is not None else _plain(part, said, tongue, words)
