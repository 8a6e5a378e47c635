"""Whose clicks they are: a person follows one link, or two; a scanner follows all of them within seconds, and the one that nobody sees."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

TRAP = 0  #: the number of the link that no reader sees; real ones begin with 1
HELD_SECONDS = 10  #: a click is judged when those that belong to it had time to come
SOON_SECONDS = 3  #: a click so soon after the hand-off is a scanner's
MANY = 3  #: different links of one letter within `HELD_SECONDS`, or all of them where it has fewer


class Click(NamedTuple):
    """A link of a message was opened. `machine` says why no person did, where that was plain at once."""

    link: int
    at: datetime
    machine: str | None = None


def judged(clicks: Sequence[Click], links: int) -> list[str | None]:
    """Why each of these clicks on one message is a machine's: at_once, scanner, trap or all_links; None for a person's. `links` are those of the letter.

    The clicks came within `HELD_SECONDS` of the first of them, so a trap or a sweep speaks of all of them.
    """
    opened = {click.link for click in clicks}
    sweep = "trap" if TRAP in opened else "all_links" if len(opened) >= max(2, min(MANY, links)) else None
    return [click.machine or sweep for click in clicks]
