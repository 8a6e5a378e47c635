"""What is told of an event in quarantine beside its reason, or of why a fix does not fit it: one English sentence, said in both languages.

A sentence may quote what came. Whoever may not see personal data gets it without: parts named `value` always, others when they could be an address or
a number.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from cegla.vocabulary.text import Text

HIDDEN = "•••"
MOST_PREFIXES = 3  #: a webhook's sentence stands behind its rule and its field
ROWS: tuple[Text, ...] = (
    Text("typ to {value}", "type is {value}"),
    Text("nie ma typu", "there is no type"),
    Text("wywołanie track wymaga pola event", "a track call needs an event"),
    Text("nie ma userId, anonymousId ani innego identyfikatora", "neither userId nor anonymousId, nor another identifier"),
    Text("każdy identyfikator jest pusty albo zablokowany", "every identifier is blank or blocked"),
    Text("brak pola {field}", "{field} is missing"),
    Text("{field} ma więcej znaków niż {most}", "{field} is longer than {most} characters"),
    Text("merge łączy dwie osoby, a klucz zapisu jest jawny", "merge joins two people, and a write key is public"),
    Text("mergeProperties to nie są dwa identyfikatory, każdy z type i value", "mergeProperties are not two identifiers, each with type and value"),
    Text("zdarzenie to nie obiekt JSON", "the event is no JSON object"),
    Text("powinno być `{wanted}`, a jest `{found}` w {place}", "Expected `{wanted}`, got `{found}` - at {place}"),
    Text("powinno być `{wanted}`, a jest `{found}`", "Expected `{wanted}`, got `{found}`"),
    Text("{size} bajtów; wolno {most}", "{size} bytes; {most} are allowed"),
    Text("w żądaniu jest zdarzeń: {count}; wolno {most}", "the request holds {count} events; {most} are allowed"),
    Text("właściwości lub cech jest więcej niż {most}", "more than {most} properties or traits"),
    Text("zagnieżdżone głębiej niż {most} poziomów", "nested deeper than {most} levels"),
    Text("zagnieżdżone za głęboko", "nested too deeply"),
    Text("części formularza są zagnieżdżone za głęboko", "the parts of the form are nested too deeply"),
    Text("to nie jest poprawny JSON", "malformed"),
    Text("w tekście jest znak NUL", "the text holds the character NUL"),
    Text("tekst nie jest poprawnym UTF-8", "the text is not valid UTF-8"),
    Text("w tekście jest połowa znaku (surogat)", "the text holds half a surrogate pair"),
    Text("zamiast liczby jest NaN albo Infinity", "NaN or Infinity stands for a number"),
    Text("timestamp to {value}", "timestamp is {value}"),
    Text("nieoczekiwany błąd; szczegóły są w dzienniku", "an unexpected failure; see the log"),
    Text("plan odrzuca {event}", "{event} is refused by the tracking plan"),
    Text("plan nie zna {event}", "{event} is not in the tracking plan"),
    Text("to nie jest JSON ({why})", "it is not JSON ({why})"),
    Text("nie da się odczytać formularza ({why})", "the form cannot be read ({why})"),
    Text("nie da się odczytać CSV ({why})", "the CSV cannot be read ({why})"),
    Text("w {place} nie ma listy", "there is no list at {place}"),
    Text("{place} to nie lista", "{place} is no list"),
    Text("ta wartość nie ma nazwy", "there is no name for this value"),
    Text("odpowiedź to ani tak, ani nie", "an answer is neither yes nor no"),
    Text("nie ma wartości w {place}", "there is no value at {place}"),
    Text("krok {count}: {place} zawiera wartość spoza listy", "step {count}: {place} holds a value that is not listed"),
    Text("krok {count}: {place} nie da się odczytać jako {wanted}", "step {count}: {place} cannot be read as {wanted}"),
    Text("{place} nie da się odczytać jako {wanted}", "{place} cannot be read as {wanted}"),
)


def _pattern(row: Text) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(row.en)), re.DOTALL)


def _may_hold_semicolon(row: Text) -> bool:
    return any(sign in row.en for sign in (";", "{value}", "{event}"))


_WHOLE = tuple((_pattern(row), row) for row in ROWS if _may_hold_semicolon(row))  #: the others may stand side by side, with a semicolon between them
_SINGLE = tuple((_pattern(row), row) for row in ROWS if not _may_hold_semicolon(row))
_BROKEN = re.compile(r'(?P<path>"(?:[^"\\]|\\.)*"|.+?): (?P<kind>[a-z_]+)(?P<seen> \([a-z]+\))?(?:, |\Z)', re.DOTALL)
_MORE = re.compile(r"(?P<rest>.*) and (?P<count>\d+) more", re.DOTALL)


def said(detail: str, kinds: Mapping[str, Text], *, values: bool = True) -> Text:
    """A detail in both languages, with what it quotes or without. `kinds` are the ways in which an event may break a plan."""
    whole = _row(detail, values, _WHOLE) or _breaches(detail, kinds, values)
    parts = [whole] if whole else [_part(part, kinds, values) or _as_it_is(part, values) for part in detail.split("; ")]
    return Text("; ".join(part.pl for part in parts), "; ".join(part.en for part in parts))


def _part(text: str, kinds: Mapping[str, Text], values: bool) -> Text | None:
    if (broken := _breaches(text, kinds, values)) is not None:
        return broken
    before = ""
    for _ in range(MOST_PREFIXES):
        if (found := _row(text, values, _SINGLE)) is not None:
            return Text(before + found.pl, before + found.en)
        head, colon, text = text.partition(": ")
        before += _shown(head, values) + colon
    return None


def _row(text: str, values: bool, rows: Sequence[tuple[re.Pattern[str], Text]]) -> Text | None:
    for pattern, row in rows:
        if (found := pattern.fullmatch(text)) is not None:
            facts = {name: HIDDEN if name == "value" and not values else _shown(part, values) for name, part in found.groupdict().items()}
            return Text(row.pl.format(**facts), row.en.format(**facts))
    return None


def _breaches(text: str, kinds: Mapping[str, Text], values: bool) -> Text | None:
    """What broke a plan, as `plan.matching` tells it: "total: wrong_type (string), order_id: missing and 2 more"."""
    more = _MORE.fullmatch(text)
    found = list(_each_breach(more["rest"] if more else text, kinds, values))
    if not found or None in found:
        return None
    told = [one for one in found if one is not None]
    after = Text(f" i jeszcze {more['count']}", f" and {more['count']} more") if more else Text("", "")
    return Text(", ".join(one.pl for one in told) + after.pl, ", ".join(one.en for one in told) + after.en)


def _each_breach(text: str, kinds: Mapping[str, Text], values: bool) -> Iterator[Text | None]:
    end = 0
    while end < len(text):
        found = _BROKEN.match(text, end)
        kind = kinds.get(found["kind"]) if found else None
        if found is None or kind is None:
            yield None
            return
        end = found.end()
        path, seen = (_shown(found[name] or "", values) for name in ("path", "seen"))
        yield Text(f"{path}: {kind.pl}{seen}", f"{path}: {kind.en}{seen}")


def _as_it_is(text: str, values: bool) -> Text:
    shown = _shown(text, values)
    return Text(shown, shown)


def _shown(text: str, values: bool) -> str:
    return HIDDEN if not values and ("@" in text or sum(sign.isdigit() for sign in text) > 6) else text
