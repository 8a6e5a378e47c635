"""Imports over the API: a file is sent, looked at, described, tried, brought in, and can be taken back."""

import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Annotated, Any, BinaryIO
from urllib.parse import unquote

from fastapi import Depends, Header, Request
from fastapi.responses import FileResponse

from cegla.api.call import Opened
from cegla.api.plain import plain
from cegla.api.shapes import Limit, MappingBody, UndoImport
from cegla.collect import actions as collect
from cegla.undoing import would_undo
from cegla.vocabulary.errors import InvalidInput, NotFound
from cegla.vocabulary.errors.intake import FileUnreadable
from cegla.vocabulary.money import from_micros
from cegla.vocabulary.text import Text

TOO_LARGE = Text("jest większy, niż pozwala ustawienie imports.largest_file_bytes", "it is larger than the setting imports.largest_file_bytes allows")
EMPTY = Text("treść żądania jest pusta; prześlij w niej plik", "the body is empty; send the file in it")
ERRORS_SHOWN = 100
HIDDEN = ("file_path", "errors_path", "file_sha256", "mapping")


async def received(request: Request, call: Opened) -> AsyncGenerator[BinaryIO]:
    """The body of a request on disk, as it comes in; nothing of it stays when it is too large or breaks off."""
    folder = call.ws.settings.data_dir / "imports"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    most = call.ws.settings.imports.largest_file_bytes
    with tempfile.TemporaryFile(dir=folder) as file:
        size = 0
        async for block in request.stream():
            size += len(block)
            if size > most:
                raise FileUnreadable(where="body", seen=f"> {most}", detail=TOO_LARGE)
            file.write(block)
        if not size:
            raise InvalidInput(where="body", detail=EMPTY)
        file.seek(0)
        yield file


FileName = Annotated[str, Header(alias="X-File-Name", max_length=600, description="the file's name, percent-encoded: its ending says how it is packed")]


def upload(call: Opened, file: Annotated[BinaryIO, Depends(received)], file_name: FileName) -> Any:
    """Keep the body as the file of a new draft. The name is in a header, since names of lists say things of people."""
    number = collect.upload(call.ws, unquote(file_name), file, call.caller.name)
    call.note("import.upload", f"import {number}")
    return _shown(call, number)


def listed(call: Opened, before: int | None = None, limit: Limit = 50) -> Any:
    """Imports, newest first; `before` is the number of the last one of the page before."""
    with call.ws.transaction() as conn:
        return {"imports": [_shape(one) for one in collect.imports(conn, before, limit)]}


def shown(call: Opened, import_id: int) -> Any:
    """One import with its state, progress and counts, and its mapping."""
    return _shown(call, import_id)


def examined(call: Opened, import_id: int) -> Any:
    """What the file seems to be: how it is written, its columns with samples, a proposed mapping, reasons, open questions."""
    found = _import(call, import_id)
    look = collect.examine(Path(found.file_path), found.file_name, call.ws.settings.timezone)
    columns = [
        {
            "name": one.name, "form": one.form.model_dump(mode="json", exclude_defaults=True), "samples": one.samples, "reason": one.reason,
            "ambiguous": [form.model_dump(mode="json", exclude_defaults=True) for form in one.ambiguous],
        }
        for one in look.columns
    ]  # fmt: skip
    return {
        "format": look.format, "form": look.form.model_dump(mode="json"), "guessed": look.guessed, "columns": columns, "preview": look.preview,
        "kind": look.kind, "mapping": look.mapping, "proposals": look.proposals, "questions": look.questions,
    }  # fmt: skip


def describe(call: Opened, import_id: int, body: MappingBody) -> Any:
    """Save the mapping of a draft, as YAML has it."""
    mapping = collect.read_mapping(body.mapping, "/mapping")
    with call.ws.transaction() as conn:
        collect.save_draft(conn, import_id, mapping)
    return _shown(call, import_id)


def try_out(call: Opened, import_id: int) -> Any:
    """Read the whole file and write nothing: counts, the first events, rows that would be refused."""
    found = _import(call, import_id)
    result = collect.import_file(call.ws, Path(found.file_path), found.read(), dry_run=True)
    total = None if result.total_micros is None else str(from_micros(result.total_micros))
    told = plain(result) | {"errors": plain(result.errors[:ERRORS_SHOWN]), "problems": plain(result.problems()), "total": total}
    return {key: value for key, value in told.items() if key != "import_id"}


def begin(call: Opened, import_id: int) -> Any:
    """Let the app bring the file in, or go on with an import that stopped. Needs where the list comes from, and on which basis it is held."""
    with call.ws.transaction() as conn:
        collect.begin(conn, import_id, call.language)
    call.note("import.start", f"import {import_id}")
    return _shown(call, import_id)


def refused_rows(call: Opened, import_id: int) -> Any:
    """The file of refused rows with their reasons: mend it and import it."""
    with call.ws.transaction() as conn:
        path = collect.refused_rows(conn, import_id)
    if path is None:
        raise NotFound(where="import", seen=import_id, thing=f"import {import_id}: CSV")
    call.note("import.refused_rows", f"import {import_id}")
    return FileResponse(path, media_type="text/csv", filename=path.name, headers={"cache-control": "no-store", "x-content-type-options": "nosniff"})


def undo(call: Opened, import_id: int, body: UndoImport) -> Any:
    """Take an import back as if it had never been, or count what would go."""
    counted = would_undo(call.ws, _import(call, import_id).id)
    if not body.dry_run:
        with call.ws.transaction() as conn:
            collect.ask_undo(conn, import_id, call.caller.name)
        call.note("import.undo", f"import {import_id}")
    return _shown(call, import_id) | {"dry_run": body.dry_run, "counts": counted}


def discard(call: Opened, import_id: int) -> Any:
    """Drop a draft and its file."""
    with call.ws.transaction() as conn:
        collect.discard(conn, import_id)
    call.note("import.discard", f"import {import_id}")
    return {"import": import_id, "discarded": True}


def _import(call: Opened, import_id: int) -> collect.Import:
    with call.ws.transaction() as conn:
        return collect.import_of(conn, import_id)


def _shown(call: Opened, import_id: int) -> dict[str, Any]:
    found = _import(call, import_id)
    return _shape(found) | {"mapping": found.mapping, "file_path": found.file_path if found.runner == "command" else None}


def _shape(found: collect.Import) -> dict[str, Any]:
    fields = {key: value for key, value in plain(found).items() if key not in HIDDEN}
    return {"import": fields.pop("id"), **fields, "has_refused_rows": found.errors_path is not None}
