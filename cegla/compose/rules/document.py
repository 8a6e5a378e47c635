"""A letter as its author edits it: a subject, a preheader and blocks in an order, or MJML of the author's own. Edits make a new value."""

from collections.abc import Mapping, Sequence

import msgspec

MOST_BLOCKS = 120
LONGEST_FIELD = 20_000


class Block(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One block: its kind (a row of `kinds.BLOCKS`), what its form holds, and to whom it is shown (rows of `conditions.CONDITIONS`; empty: to all)."""

    id: str
    kind: str
    fields: dict[str, str] = {}
    shown: dict[str, str] = {}


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole letter. `source` is MJML in place of blocks; `text` a plain-text part in place of the one made from the blocks (None: made).

    `look` are colours by name, `tags` the UTM parameters by their short names (source, medium, campaign, content).
    """

    subject: str = ""
    preheader: str = ""
    blocks: tuple[Block, ...] = ()
    source: str | None = None
    text: str | None = None
    look: dict[str, str] = {}
    tags: dict[str, str] = {}

    def block(self, block_id: str) -> Block | None:
        """The block of this name."""
        return next((block for block in self.blocks if block.id == block_id), None)


LOOK: Mapping[str, str] = {"accent": "#9c3520", "ground": "#f6f3ef", "paper": "#ffffff", "ink": "#2b2420"}


def free_id(blocks: Sequence[Block]) -> str:
    """A name no block has: b1, b2, …"""
    return f"b{1 + max((int(block.id[1:]) for block in blocks if block.id[1:].isdigit()), default=0)}"


def added(document: Document, kind: str, fields: Mapping[str, str], after: str = "") -> Document:
    """The document with a new block behind the one named; without a name, before the footer or at the end."""
    if len(document.blocks) >= MOST_BLOCKS:
        return document
    place = _place(document, after)
    if place is None:
        place = len(document.blocks)
        while place and document.blocks[place - 1].kind == "footer":
            place -= 1
    else:
        place += 1
    block = Block(free_id(document.blocks), kind, dict(fields))
    return _with(document, [*document.blocks[:place], block, *document.blocks[place:]])


def moved(document: Document, block_id: str, steps: int) -> Document:
    """The document with a block moved by some places, as far as there are any."""
    place = _place(document, block_id)
    if place is None:
        return document
    blocks = list(document.blocks)
    block = blocks.pop(place)
    blocks.insert(min(max(place + steps, 0), len(blocks)), block)
    return _with(document, blocks)


def doubled(document: Document, block_id: str) -> Document:
    """The document with a block once more, right behind itself."""
    place = _place(document, block_id)
    if place is None or len(document.blocks) >= MOST_BLOCKS:
        return document
    twin = msgspec.structs.replace(document.blocks[place], id=free_id(document.blocks))
    return _with(document, [*document.blocks[: place + 1], twin, *document.blocks[place + 1 :]])


def removed(document: Document, block_id: str) -> Document:
    """The document without a block."""
    return _with(document, [block for block in document.blocks if block.id != block_id])


def _place(document: Document, block_id: str) -> int | None:
    return next((place for place, block in enumerate(document.blocks) if block.id == block_id), None)


def _with(document: Document, blocks: Sequence[Block]) -> Document:
    return msgspec.structs.replace(document, blocks=tuple(blocks))
