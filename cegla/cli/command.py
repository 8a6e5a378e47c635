"""What one command is: its words, its handler, what it does in both languages, and examples."""

from collections.abc import Callable
from typing import NamedTuple

from cegla.vocabulary.text import Text


class Command(NamedTuple):
    """One command. `group` is "" for a word of its own; `passes_on` hands unknown words to somebody else."""

    group: str
    name: str
    handler: Callable[..., None]
    what: Text
    examples: tuple[str, ...]
    passes_on: bool = False

    @property
    def words(self) -> str:
        """As it is typed."""
        return " ".join(filter(None, ["cegla", self.group, self.name]))
