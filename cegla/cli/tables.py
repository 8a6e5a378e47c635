"""Answers as people read them: tables and short lists, in the user's language."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.table import Table

from cegla.cli.desk import Desk
from cegla.vocabulary.text import Language, Text

NOTHING = Text("Nic tu jeszcze nie ma.", "Nothing here yet.")


def table(desk: Desk, columns: Sequence[Text], rows: Iterable[Sequence[Any]]) -> None:
    """A table on standard output; when there is no row, a word about it on standard error."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        shown.add_column(desk.say(column), overflow="fold")
    for row in rows:
        shown.add_row(*(_cell(desk.language, value) for value in row))
    if shown.row_count:
        desk.out.print(shown, markup=False)
    else:
        desk.tell(NOTHING)


def facts(desk: Desk, pairs: Iterable[tuple[Text, Any]]) -> None:
    """Names and values, one a line."""
    shown = Table(box=None, show_header=False, pad_edge=False)
    for name, value in pairs:
        shown.add_row(desk.say(name), _cell(desk.language, value))
    desk.out.print(shown, markup=False)


def both(value: Any, language: Language) -> str:
    """The sentence of a {"pl", "en"} pair."""
    return str(value[language]) if isinstance(value, dict) and language in value else str(value)


def _cell(language: Language, value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return ({"pl": "tak", "en": "yes"} if value else {"pl": "nie", "en": "no"})[language]
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u00a0" if language == "pl" else ",")
    if isinstance(value, dict):
        return both(value, language)
    if isinstance(value, list):
        return ", ".join(_cell(language, one) for one in value)
    return str(value)
