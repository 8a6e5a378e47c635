"""A definition in words: "Liczba zdarzeń „Order Completed” w ciągu ostatnich 90 dni"."""

from typing import TYPE_CHECKING

from cegla.segment.rules import words
from cegla.segment.rules.calculations import Counted, Events
from cegla.segment.rules.history import FIELDS
from cegla.vocabulary.text import Language, Text

if TYPE_CHECKING:
    from cegla.segment.rules.sentence import Speaker

KEPT = Text(" (pamiętane {days} po ostatnim z nich)", " (kept {days} after the last of them)")


def sentence(counted: Counted, polish: "Speaker", english: "Speaker") -> Text:
    """The calculation in both languages, without a full stop."""
    return Text(_said(counted, polish), _said(counted, english))


def _said(counted: Counted, speaker: "Speaker") -> str:
    language, row = speaker.language, counted.calculation
    template = row.bare if row.bare is not None and counted.subject is None else row.sentence
    said = template.say(
        language,
        event=words.quoted(counted.events.event, language),
        where=_where(speaker, counted.events),
        days="" if counted.days is None else f" {words.in_last_days(counted.days, language)}",
        subject=_subject(counted, language),
        per="" if counted.per is None else words.quoted(counted.per.event, language) + _where(speaker, counted.per),
    )
    kept = "" if counted.retention_days is None else KEPT.say(language, days=words.DAYS.counted(counted.retention_days, language))
    return said + kept


def _where(speaker: "Speaker", events: Events) -> str:
    return speaker.filters(tuple(dict(one) for one in events.where), FIELDS)


def _subject(counted: Counted, language: Language) -> str:
    if counted.subject is None:
        return ""
    how, what = counted.subject
    return words.quoted(what, language) if how == "property" else FIELDS[what].say(language)
