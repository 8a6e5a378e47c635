"""The letter's form and the letter: what a page posts as a document, and a document as the rows of a form."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from cegla.compose import actions as compose
from cegla.vocabulary.text import Language, Text

Asked = Callable[[str], str]  #: a field of the form by its name; "" when it is not there
FEW = 5  #: so many blocks are all shown open


@dataclass(frozen=True)
class Input:
    """One field as the template draws it."""

    name: str
    label: Text
    kind: str
    value: str
    choices: Sequence[tuple[str, Text]] = ()
    hint: Text | None = None


@dataclass(frozen=True)
class Row:
    """One block as the template draws it; `about` is the beginning of what it says."""

    id: str
    kind: str
    label: Text
    about: str
    inputs: tuple[Input, ...]
    shown: tuple[Input, ...]
    limited: bool
    open: bool


Lists = Mapping[str, Sequence[tuple[str, Text]]]  #: what to choose from, by the kind of field: segment, snippet, feed


def document_of(asked: Asked, before: compose.Document) -> compose.Document:
    """The letter a page posts; what the page did not hold stays as it was."""
    source = asked("source") if before.source is not None else None
    text = (asked("text") or "") if asked("own_text") else None
    names = [name for name in asked("order").split(",") if asked(f"kind-{name}") in compose.BLOCKS]
    blocks = before.blocks if source is not None else tuple(_block(asked, name) for name in names)
    look = {name: asked(f"look-{name}") for name in compose.LOOK}
    tags = {name: asked(f"tag-{name}") for name in compose.TAGS}
    return compose.Document(asked("subject"), asked("preheader"), blocks, source, text, _filled(look), _filled(tags))


def _block(asked: Asked, name: str) -> compose.Block:
    kind = compose.BLOCKS[asked(f"kind-{name}")]
    fields = {field.key: asked(f"f-{name}-{field.key}") for field in kind.fields}
    shown = {key: asked(f"s-{name}-{key}") for key in (*compose.CONDITIONS, compose.NOT)}
    return compose.Block(name, kind.key, _filled(fields), _filled(shown))


def _filled(values: Mapping[str, str]) -> dict[str, str]:
    return {key: value.replace("\r\n", "\n")[:20_000] for key, value in values.items() if value}


def changed(document: compose.Document, wish: str, language: Language, asked: Asked, mjml: Callable[[compose.Document], str]) -> compose.Document:
    """The document after one press of a button: add:KIND, after:BLOCK, up:BLOCK, down:BLOCK, copy:BLOCK, drop:BLOCK, source, blocks."""
    act, _, name = wish.partition(":")
    match act:
        case "add" if name in compose.BLOCKS:
            return compose.document.added(document, name, example(name, language))
        case "after" if asked(f"add-{name}") in compose.BLOCKS:
            kind = asked(f"add-{name}")
            return compose.document.added(document, kind, example(kind, language), name)
        case "up" | "down":
            return compose.document.moved(document, name, -1 if act == "up" else 1)
        case "copy":
            return compose.document.doubled(document, name)
        case "drop":
            return compose.document.removed(document, name)
        case "source":
            return msgspec.structs.replace(document, source=mjml(document))
        case "blocks":
            return msgspec.structs.replace(document, source=None)
        case _:
            return document


def example(kind: str, language: Language) -> dict[str, str]:
    """What a new block holds."""
    return {field.key: value for field in compose.BLOCKS[kind].fields if (value := field.example.say(language))}


def rows(document: compose.Document, lists: Lists, opened: Sequence[str] | None) -> list[Row]:
    """The blocks for the template; `opened` are those unfolded (None: nobody chose yet)."""
    known = [block for block in document.blocks if block.kind in compose.BLOCKS]
    return [_row(block, lists, len(known) <= FEW if opened is None else block.id in opened) for block in known]


def _row(block: compose.Block, lists: Lists, unfolded: bool) -> Row:
    kind = compose.BLOCKS[block.kind]
    inputs = tuple(
        Input(f"f-{block.id}-{field.key}", field.label, field.kind, block.fields.get(field.key, ""), field.choices or lists.get(field.kind, ()), field.hint)
        for field in kind.fields
    )
    shown = tuple(
        Input(f"s-{block.id}-{key}", row.label, row.kind, block.shown.get(key, ""), row.choices or lists.get(row.kind, ()), row.hint)
        for key, row in compose.CONDITIONS.items()
    )
    turned = Input(f"s-{block.id}-{compose.NOT}", compose.TURNED, "switch", block.shown.get(compose.NOT, ""))
    about = next((one.value for one in inputs if one.value and one.kind in ("line", "text")), "")
    limited = any(key != compose.NOT for key in block.shown)
    return Row(block.id, block.kind, kind.label, " ".join(about.split())[:60], inputs, (*shown, turned), limited, unfolded)


def looks(document: compose.Document) -> dict[str, str]:
    """The letter's colors, the usual ones where none is chosen."""
    return {name: document.look.get(name) or usual for name, usual in compose.LOOK.items()}


def frame(html: str, *, dark: bool, base_url: str) -> str:
    """A letter's HTML for the preview: in the light or the dark as asked, whatever the visitor's system prefers; our own images by our own path."""
    wanted, other = ("dark", "light") if dark else ("light", "dark")
    shown = html.replace(f"(prefers-color-scheme: {wanted})", "all").replace(f"(prefers-color-scheme:{wanted})", "all")
    shown = shown.replace(f"(prefers-color-scheme: {other})", "not all").replace(f"(prefers-color-scheme:{other})", "not all")
    return shown.replace(f"{base_url}/images/", "/images/")
