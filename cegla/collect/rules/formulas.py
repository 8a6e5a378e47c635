"""Cells that a spreadsheet would run as a formula: made harmless on the way out, made whole again when the file comes back.

OWASP ASVS 5.0, 1.2.10: a cell that begins with one of these gets an apostrophe before it. One that already begins with
apostrophes and such a character gets one more, so that taking one away always gives the cell as it was.
"""

import re

_RUNS = re.compile(r"'*[=+\-@\t\r\0＝＋－＠]")
PATTERN_OF_SAFE = r"^'('*[=+\-@\t\r\x00＝＋－＠])"  #: RE2: what `made_whole` takes the first apostrophe from


def harmless(cell: str) -> str:
    """The cell as a spreadsheet may show it."""
    return f"'{cell}" if _RUNS.match(cell) else cell


def made_whole(cell: str) -> str:
    """What `harmless` was given."""
    return cell[1:] if cell.startswith("'") and _RUNS.match(cell[1:]) else cell
