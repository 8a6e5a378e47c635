"""Two versions of a letter side by side: each as lines a person can read, and which of them changed."""

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import NamedTuple

from cegla.compose.rules.conditions import CONDITIONS, NOT, TURNED
from cegla.compose.rules.document import Document
from cegla.compose.rules.kinds import BLOCKS
from cegla.vocabulary.text import Language, Text

SUBJECT, PREHEADER, OWN_TEXT = Text("Temat", "Subject"), Text("Zapowiedź", "Preheader"), Text("Tekst własny", "Own text")


class Line(NamedTuple):
    """One line of a comparison; `change` is added, removed or same."""

    change: str
    text: str


def lines(document: Document, language: Language) -> list[str]:
    """A letter as lines: subject, preheader, then each block with what its form holds."""
    made = [f"{SUBJECT.say(language)}: {document.subject}", f"{PREHEADER.say(language)}: {document.preheader}"]
    made += [f"{name}: {value}" for name, value in sorted((document.look | document.tags).items()) if value]
    made += (document.source or "").splitlines() if document.source is not None else [line for block in _blocks(document, language) for line in block]
    return made + [f"{OWN_TEXT.say(language)}: {line}" for line in (document.text or "").splitlines()]


def _blocks(document: Document, language: Language) -> Iterator[list[str]]:
    for block in document.blocks:
        kind = BLOCKS.get(block.kind)
        if kind is None:
            continue
        yield [f"— {kind.label.say(language)}"]
        for field in kind.fields:
            for line in block.fields.get(field.key, "").splitlines():
                yield [f"   {field.label.say(language)}: {line}"]
        yield [f"   {row.label.say(language)}: {block.shown[key]}" for key, row in CONDITIONS.items() if block.shown.get(key)]
        if block.shown.get(NOT):
            yield [f"   {TURNED.say(language)}"]


def compared(before: Document, after: Document, language: Language) -> list[Line]:
    """The lines of both; those that are the same once. Whole lines are compared: looking within them takes minutes for long letters."""
    old, new = lines(before, language), lines(after, language)
    made: list[Line] = []
    for act, old_from, old_to, new_from, new_to in SequenceMatcher(None, old, new).get_opcodes():
        if act == "equal":
            made += [Line("same", line) for line in old[old_from:old_to]]
        else:
            made += [Line("removed", line) for line in old[old_from:old_to]] + [Line("added", line) for line in new[new_from:new_to]]
    return made
