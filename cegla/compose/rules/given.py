"""A document as somebody wrote it by hand, in YAML or JSON: checked against the rows of blocks and conditions, with the place of the first mistake."""

from collections.abc import Mapping
from typing import Any

import msgspec

from cegla.compose.rules.conditions import CONDITIONS, NOT
from cegla.compose.rules.document import LONGEST_FIELD, MOST_BLOCKS, Block, Document, free_id
from cegla.compose.rules.kinds import BLOCKS
from cegla.vocabulary.errors import InvalidInput
from cegla.vocabulary.text import Language, Text

BEYOND = Text(f"najwyżej {MOST_BLOCKS} bloków", f"at most {MOST_BLOCKS} blocks")
UNKNOWN = Text("nie ma takiego; są: {known}", "there is none of this name; there are: {known}")
TWICE = Text("tak nazywa się już inny blok", "another block has this name already")
NOT_STORABLE = Text("zawiera znak NUL albo pół znaku", "it holds the character NUL, or half of a character")
WAYS = ("leave", "choose")  #: fields of a footer that hold the words of a link
LONG = Text(f"najwyżej {LONGEST_FIELD} znaków", f"at most {LONGEST_FIELD} characters")


def document(given: Mapping[str, Any], language: Language) -> Document:
    """The document; a block without a name (`id`) is given one, and a footer without words for its two links the usual ones.

    Raises InvalidInput with the place in `where`.
    """
    try:
        read = msgspec.convert(_named(given), Document)
    except msgspec.ValidationError as error:
        raise InvalidInput(where="/document", detail=str(error)) from None
    if not _storable(read):
        raise InvalidInput(where="/document", detail=NOT_STORABLE)
    if len(read.blocks) > MOST_BLOCKS:
        raise InvalidInput(where="/document/blocks", seen=len(read.blocks), detail=BEYOND)
    names: set[str] = set()
    for place, block in enumerate(read.blocks):
        where = f"/document/blocks/{place}"
        if block.id in names:
            raise InvalidInput(where=f"{where}/id", seen=block.id, detail=TWICE)
        names.add(block.id)
        _check(block, where)
    return msgspec.structs.replace(read, blocks=tuple(_worded(block, language) for block in read.blocks))


def _worded(block: Block, language: Language) -> Block:
    """A footer whose ways out have words; any other block as it is."""
    if block.kind != "footer":
        return block
    usual = {field.key: field.example.say(language) for field in BLOCKS["footer"].fields if field.key in WAYS}
    return msgspec.structs.replace(block, fields={**block.fields, **{name: block.fields.get(name) or words for name, words in usual.items()}})


def _named(given: Mapping[str, Any]) -> dict[str, Any]:
    """The document with a name for every block that has none; what is no list of mappings stays as it is, and is refused by its type."""
    blocks: Any = given.get("blocks")
    if not isinstance(blocks, list):
        return dict(given)
    named: list[Any] = []
    taken = [Block(str(one["id"]), "") for one in blocks if isinstance(one, Mapping) and "id" in one]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    for one in blocks:  # pyright: ignore[reportUnknownVariableType]
        if isinstance(one, Mapping) and "id" not in one:
            taken.append(Block(free_id(taken), ""))
            one = {**one, "id": taken[-1].id}
        named.append(one)
    return {**given, "blocks": named}


def _storable(read: Document) -> bool:
    """Whether a database can keep every text of it: no zero character, no half of a character."""
    try:
        return b"\\u0000" not in msgspec.json.encode(read)
    except UnicodeEncodeError:
        return False


def _check(block: Block, where: str) -> None:
    if block.kind not in BLOCKS:
        raise InvalidInput(where=f"{where}/kind", seen=block.kind, detail=_unknown(BLOCKS))
    fields = {field.key for field in BLOCKS[block.kind].fields}
    for name, value in block.fields.items():
        if name not in fields:
            raise InvalidInput(where=f"{where}/fields/{name}", seen=name, detail=_unknown(fields))
        if len(value) > LONGEST_FIELD:
            raise InvalidInput(where=f"{where}/fields/{name}", seen=len(value), detail=LONG)
    for name in block.shown:
        if name not in (*CONDITIONS, NOT):
            raise InvalidInput(where=f"{where}/shown/{name}", seen=name, detail=_unknown((*CONDITIONS, NOT)))


def _unknown(known: Any) -> Text:
    names = ", ".join(sorted(known))
    return Text(UNKNOWN.say("pl", known=names), UNKNOWN.say("en", known=names))
