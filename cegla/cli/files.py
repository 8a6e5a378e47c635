"""Files that a user writes and a command reads: texts, and YAML or JSON within limits. "-" is standard input."""

import json
import sys
from pathlib import Path
from typing import Any

from cegla.storage import documents
from cegla.vocabulary.errors.intake import FileUnreadable
from cegla.vocabulary.text import Text

NOT_AS_JSON = Text("jest w nim coś, czego JSON nie zna, jak .nan, !!binary albo !!set", "it holds something that JSON lacks, such as .nan, !!binary or !!set")
NO_FIELDS = Text("to nie jest zbiór pól", "it is not a mapping of fields")


def text_of(file: Path) -> str:
    """What a file says. Raises FileUnreadable."""
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FileUnreadable(where=str(file), detail=" ".join(str(error).split())) from None


def values_of(file: Path) -> Any:
    """What a YAML or JSON file holds, as JSON can say it: a date is the text it is written as. Raises FileUnreadable."""
    try:
        values = documents.read(text_of(file), dates_as_text=True)
        json.dumps(values, allow_nan=False)
    except documents.Unfit as unfit:
        raise FileUnreadable(where=f"{file}:{unfit.place}", detail=unfit.what) from None
    except (TypeError, ValueError):
        raise FileUnreadable(where=str(file), detail=NOT_AS_JSON) from None
    return values


def fields_of(file: Path) -> dict[str, Any]:
    """The fields of a YAML or JSON file; an empty file has none. Raises FileUnreadable."""
    values = values_of(file)
    if values is not None and not isinstance(values, dict):
        raise FileUnreadable(where=str(file), seen=type(values).__name__, detail=NO_FIELDS)
    return values or {}  # pyright: ignore[reportUnknownVariableType]
