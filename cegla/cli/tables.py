"""Answers as people read them: tables and short lists, in the user's language."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from rich import box
from rich.table import Table

from cegla.cli.desk import Desk
from cegla.vocabulary.text import Language, Text

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\Z")
NOTHING = Text("Nic tu jeszcze nie ma.", "Nothing here yet.")


def table(desk: Desk, columns: Sequence[Text], rows: Iterable[Sequence[Any]], whole: Sequence[Text] = ()) -> None:
    """A table on standard output; when there is no row, a word about it on standard error. Columns in `whole` can be copied: they never wrap."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        shown.add_column(desk.say(column), overflow="fold", no_wrap=column in whole)
    for row in rows:
        shown.add_row(*(_cell(desk, value) for value in row))
    if shown.row_count:
        desk.out.print(shown, markup=False)
    else:
        desk.tell(NOTHING)


def facts(desk: Desk, pairs: Iterable[tuple[Text, Any]]) -> None:
    """Names and values, one a line."""
    shown = Table(box=None, show_header=False, pad_edge=False)
    for name, value in pairs:
        shown.add_row(desk.say(name), _cell(desk, value))
    desk.out.print(shown, markup=False)


def both(value: Any, language: Language) -> str:
    """The sentence of a {"pl", "en"} pair."""
    return str(value[language]) if isinstance(value, dict) and language in value else str(value)


def _cell(desk: Desk, value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return desk.say(Text("tak", "yes") if value else Text("nie", "no"))
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u00a0" if desk.language == "pl" else ",")
    if isinstance(value, float):
        return f"{value:.2f}".replace(".", "," if desk.language == "pl" else ".")
    if isinstance(value, dict):
        return both(value, desk.language)
    if isinstance(value, list):
        return ", ".join(_cell(desk, one) for one in value)
    if isinstance(value, str) and MOMENT.match(value):
        return datetime.fromisoformat(value).astimezone(desk.settings.zone).strftime("%Y-%m-%d %H:%M")
    return str(value)
