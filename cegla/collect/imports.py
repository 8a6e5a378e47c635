"""Imports as things that are known: registered, run, resumed, listed, taken back.

    draft ─► waiting ─► running ─► done ─► undoing ─► undone
      (mapping and      └─► failed ─► waiting (resumed: the bodies in the inbox already are passed over)
       basis)
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from psycopg.types.json import Jsonb

from cegla.collect import sources, store
from cegla.collect.file_import import ENGINE, Body, Ear, ImportResult, Progress, Target, run_import
from cegla.collect.rules.mapping import Mapping, read_mapping
from cegla.collect.sources import Source
from cegla.storage.settling import settle_file
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.errors import CeglaError, InvalidInput, NotFound
from cegla.vocabulary.errors.intake import BasisMissing, FieldMissing, FileUnreadable, ImportBegunOtherwise, SourceUnlike
from cegla.vocabulary.text import Language, Text

FOLDER = "imports"
STATES: dict[str, Text] = {
    "draft": Text("szkic", "draft"),
    "waiting": Text("czeka", "waiting"),
    "running": Text("trwa", "running"),
    "done": Text("gotowy", "done"),
    "failed": Text("przerwany", "stopped"),
    "undoing": Text("jest cofany", "being undone"),
    "undone": Text("cofnięty", "undone"),
}
NOT_THERE = Text("nie ma takiego pliku albo brak do niego prawa", "there is no such file, or no right to read it")
TOO_LARGE = Text("jest większy, niż pozwala ustawienie", "it is larger than the setting allows")
IMPORT = "import"  #: the kind of sources that files come from
NOT_OF_FILES = Text("przyjmuje zdarzenia ze strony, aplikacji lub usługi, a nie z plików", "it takes events of a website, an app or a service, not of files")
OTHER_BASIS = {
    Basis.CONSENT: Text("jego podstawą jest zgoda", "it rests on consent"),
    Basis.CONTRACT: Text("jego podstawą jest umowa", "it rests on a contract"),
    Basis.LEGAL_OBLIGATION: Text("jego podstawą jest obowiązek prawny", "it rests on a legal obligation"),
    Basis.LEGITIMATE_INTEREST: Text("jego podstawą jest prawnie uzasadniony interes", "it rests on legitimate interest"),
}
ANOTHER_FILE = Text("to nie jest plik, od którego zaczął się import", "it is not the file that the import began with")


@dataclass(frozen=True)
class Import:
    """A file that was, or is to be, brought in. `result` holds counts: rows, rows_used, rows_refused, events, by_name, by_column, total_micros."""

    id: int
    name: str
    actor: str
    state: str  #: one of STATES
    runner: str  #: "app", or "command" for one that a command line works on
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    undone_at: datetime | None
    undone_by: str | None
    file_name: str
    file_path: str
    file_kept: bool
    file_bytes: int
    file_sha256: bytes
    errors_path: str | None
    source_id: int | None
    mapping: dict[str, Any] | None
    acquired: dict[str, Any] | None
    rows_about: int
    rows_done: int
    result: dict[str, Any] | None
    problem: dict[str, str] | None
    events_undone: int | None
    language: Language | None  #: of whoever had the app do it

    def read(self) -> Mapping:
        """Its mapping. Raises FieldMissing for a draft without one."""
        if self.mapping is None:
            raise FieldMissing(where="mapping", field="mapping")
        return read_mapping(self.mapping, f"import {self.id}")


@dataclass(frozen=True)
class Layer:
    """An import as the steps of intake see it: its number, and what proves the decisions of its events."""

    import_id: int
    proof: dict[str, Any]


def upload(ws: Workspace, name: str, content: BinaryIO, actor: str) -> int:
    """Keep a file for an import, readable by its owner only; returns the number of the draft. Raises FileUnreadable when it is too large."""
    folder = ws.settings.data_dir / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    most = ws.settings.imports.largest_file_bytes
    digest, size, now = hashlib.sha256(), 0, ws.clock()
    path = folder / f"upload-{now:%Y%m%d-%H%M%S-%f}{_suffixes(name)}"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            while block := content.read(1 << 20):
                size += len(block)
                if size > most:
                    raise FileUnreadable(where="imports.largest_file_bytes", seen=name, detail=TOO_LARGE)
                digest.update(block)
                file.write(block)
        settle_file(path)  # the row that names it is committed next
        with ws.transaction() as conn:
            return store.SQL.add_import(
                conn, name="", actor=actor, state="draft", runner="app", now=now, file_name=Path(name).name[:200], file_path=str(path.resolve()),
                file_kept=True, file_bytes=size, file_sha256=digest.digest(), mapping=None, acquired=None,
            )  # fmt: skip
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def register(ws: Workspace, path: Path, mapping: Mapping, actor: str, resumed: int | None = None) -> int:
    """The import of a file that lies where a command found it: the one to go on with, or the unfinished one of the same file and name, or a new one.

    Raises BasisMissing, FileUnreadable, InvalidInput when the one to go on with did not stop half way, and ImportBegunOtherwise when it wrote
    something by another mapping: its end would not fit its beginning.
    """
    acquired = _acquired(mapping)
    size, digest = _measured(path)
    with ws.transaction() as conn:
        known = _resumable(import_of(conn, resumed), digest) if resumed else store.SQL.unfinished_import(conn, file_sha256=digest, name=mapping.name)
        if known is not None:
            _, written, _ = store.SQL.lock_import_writer(conn, import_id=known)
            if written and import_of(conn, known).read() != mapping:
                raise ImportBegunOtherwise(where="mapping", seen=path.name, number=known)
            store.SQL.start_import(
                conn, import_id=known, state="running", runner="command", name=mapping.name, mapping=_json(mapping), acquired=Jsonb(acquired), language=None
            )
            return known
        return store.SQL.add_import(
            conn, name=mapping.name, actor=actor, state="running", runner="command", now=ws.clock(), file_name=path.name, file_path=str(path.resolve()),
            file_kept=False, file_bytes=size, file_sha256=digest, mapping=_json(mapping), acquired=Jsonb(acquired),
        )  # fmt: skip


def source_for(conn: Connection, mapping: Mapping) -> Source | None:
    """The source that a mapping names, None when it is to be made. Raises SourceUnlike.

    The basis of a source decides what is kept of its events, and only a source of files knows a repeated import for good; so neither may differ.
    """
    known = next((source for source in sources.sources(conn) if source.name == mapping.source), None)
    if known is not None and known.kind != IMPORT:
        raise SourceUnlike(where="source", seen=mapping.source, source=mapping.source, detail=NOT_OF_FILES)
    if known is not None and known.basis is not mapping.basis:
        raise SourceUnlike(where="basis", seen=mapping.basis, source=mapping.source, detail=OTHER_BASIS[known.basis])
    return known


def save_draft(conn: Connection, import_id: int, mapping: Mapping) -> None:
    """What a draft will be."""
    acquired = Jsonb(_acquired(mapping)) if mapping.acquired else None
    store.SQL.set_import_mapping(conn, import_id=import_id, name=mapping.name, mapping=_json(mapping), acquired=acquired)


def begin(conn: Connection, import_id: int, language: Language | None = None) -> None:
    """Let the app do a draft, or go on with one that stopped; `language` is that of the refused rows' reasons. Raises BasisMissing, InvalidInput, NotFound."""
    found = import_of(conn, import_id)
    if found.state not in ("draft", "failed"):
        raise _wrong_state(found)
    mapping = found.read()
    source_for(conn, mapping)
    store.SQL.start_import(
        conn, import_id=import_id, state="waiting", runner="app", name=mapping.name, mapping=_json(mapping), acquired=Jsonb(_acquired(mapping)),
        language=language,
    )  # fmt: skip


def perform(ws: Workspace, import_id: int, ear: Ear) -> ImportResult:
    """Do an import, or go on with it; the file must be the one it began with. A failure is kept with the import and raised."""
    with ws.transaction() as conn:
        found = import_of(conn, import_id)
    if found.state not in ("waiting", "running"):
        raise _wrong_state(found)
    path, mapping = Path(found.file_path), found.read()
    errors_to = _beside(path, import_id) if found.file_kept else ear.errors_to
    try:
        if _measured(path)[1] != found.file_sha256:
            raise FileUnreadable(where=found.file_name, detail=ANOTHER_FILE)
        target = _target(ws, found, _source(ws, mapping))
        if found.file_kept and errors_to is not None:
            errors_to.touch(mode=0o600)
        told = Ear(errors_to, _Told(ws, import_id, ear.progress), ear.language or found.language)
        result = run_import(ws, path, mapping, target, told)
    except CeglaError as error:
        if isinstance(error, InvalidInput):
            _end(ws, import_id, "failed", None, {"pl": error.say("pl"), "en": error.say("en")}, None)
        raise
    kept = errors_to if found.file_kept and result.rows_refused else None
    if found.file_kept and errors_to is not None and kept is None:
        errors_to.unlink(missing_ok=True)
    _end(ws, import_id, "done", _counts(result), None, kept)
    return replace(result, import_id=import_id)


def refused_rows(conn: Connection, import_id: int) -> Path | None:
    """The file of refused rows that is kept here, if there is one."""
    found = import_of(conn, import_id)
    return Path(found.errors_path) if found.errors_path and Path(found.errors_path).exists() else None


def import_of(conn: Connection, import_id: int) -> Import:
    """One import. Raises NotFound."""
    for row in store.SQL.imports(conn, only=import_id, before=None, limit=1):
        return _import(row)
    raise NotFound(where="import", seen=import_id, thing=f"import {import_id}")


def imports(conn: Connection, before: int | None = None, limit: int = 50) -> list[Import]:
    """Imports, newest first; `before` is the last number of the page before."""
    return [_import(row) for row in store.SQL.imports(conn, only=None, before=before, limit=limit)]


def next_import(conn: Connection) -> tuple[int, str] | None:
    """The number and state of the next import that the app has to do, go on with, or take back."""
    return store.SQL.next_import(conn)


def ask_undo(conn: Connection, import_id: int, actor: str) -> None:
    """Let the app take an import back: what it brought goes once intake has taken in the rest of it. Raises InvalidInput, NotFound."""
    if not store.SQL.ask_undo(conn, import_id=import_id, actor=actor):
        raise _wrong_state(import_of(conn, import_id))


def discard(conn: Connection, import_id: int) -> None:
    """Drop a draft and its file. Raises InvalidInput, NotFound."""
    found = import_of(conn, import_id)
    if not store.SQL.delete_draft(conn, import_id=import_id):
        raise _wrong_state(found)
    Path(found.file_path).unlink(missing_ok=True)


# intake ------------------------------------------------------------------------------------------------------------------


def layers(conn: Connection, writers: Sequence[int]) -> dict[int, Layer]:
    """Which of these writers of the inbox are imports, with what proves the decisions of their events."""
    found: dict[int, Layer] = {}
    for writer, import_id, acquired in store.SQL.import_writers(conn, writers=list(set(writers))):
        found[writer] = Layer(import_id, {"import": import_id, **(acquired or {})})
    return found


def note_events(conn: Connection, batch: int, first_event_id: int, import_ids: Sequence[int]) -> None:
    """Remember which event ids of a batch are an import's; `import_ids` run along the batch's events, 0 for the others."""
    ranges: list[tuple[int, int, int]] = []
    for place, import_id in enumerate(import_ids):
        if import_id:
            if ranges and ranges[-1][0] == import_id and ranges[-1][2] == first_event_id + place - 1:
                ranges[-1] = (import_id, ranges[-1][1], first_event_id + place)
            else:
                ranges.append((import_id, first_event_id + place, first_event_id + place))
    if ranges:
        numbers, firsts, lasts = map(list, zip(*ranges, strict=True))
        store.SQL.note_import_events(conn, batch=batch, imports=numbers, firsts=firsts, lasts=lasts)


def events_of(conn: Connection, import_id: int) -> list[tuple[int, int]] | None:
    """Ranges of event ids that an import brought; None while intake has not taken in everything it wrote."""
    return None if store.SQL.import_waits(conn, import_id=import_id) else list(store.SQL.import_events(conn, import_id=import_id))


def ranges_of(conn: Connection, import_id: int) -> list[tuple[int, int]]:
    """Ranges of event ids that an import brought so far."""
    return list(store.SQL.import_events(conn, import_id=import_id))


def take_back(conn: Connection, import_id: int, events: int, now: datetime) -> int:
    """Forget what this slice holds of an import: its requests, and that its events were seen; returns its writer of the inbox."""
    writer = store.SQL.writer_of_import(conn, import_id=import_id) or 0
    store.SQL.forget_requests_of_import(conn, import_id=import_id)
    store.SQL.forget_seen_of_import(conn, import_id=import_id)
    store.SQL.forget_import_events(conn, import_id=import_id)
    store.SQL.import_undone(conn, import_id=import_id, events=events, now=now)
    return writer


# files -------------------------------------------------------------------------------------------------------------------


def forget_files(conn: Connection, before: datetime | None, needles: Sequence[bytes] = ()) -> int:
    """Remove kept files of imports that ended before a moment, or, given needles, all that hold one of these texts; returns how many."""
    removed = 0
    for import_id, state, kept, refused in list(store.SQL.files_of_imports(conn, before=before)):
        paths = {Path(kept), _beside(Path(kept), import_id)} if kept else set[Path]()  # that of refused rows is named in the row only when it ends
        there = [path for path in paths | ({Path(refused)} if refused else set()) if path.exists()]
        if state in ("waiting", "running") or (needles and not any(_holds(path, needles) for path in there)):
            continue
        for path in there:
            path.unlink(missing_ok=True)
            removed += 1
        store.SQL.forget_files_of_import(conn, import_id=import_id)
    return removed


# inside ------------------------------------------------------------------------------------------------------------------


def _beside(file: Path, import_id: int) -> Path:
    """Where the refused rows of a kept file are written."""
    return file.with_name(f"refused-{import_id}.csv")


class _Told:
    """Tells progress to whoever listens, and about once a second to the import's row."""

    def __init__(self, ws: Workspace, import_id: int, listener: Progress | None) -> None:
        self._ws, self._import_id, self._listener = ws, import_id, listener
        self._told_at: datetime | None = None

    def __call__(self, stage: str, done: int, of: int) -> None:
        if self._listener is not None:
            self._listener(stage, done, of)
        now = self._ws.clock()
        if self._told_at is None or now - self._told_at > timedelta(seconds=1):
            self._told_at = now
            with self._ws.transaction() as conn:
                store.SQL.import_progress(conn, import_id=self._import_id, done=done, about=of)


def _target(ws: Workspace, found: Import, source_id: int) -> Target:
    """Where the bodies go. What another engine wrote cannot be passed over; its events are known by their ids instead."""
    with ws.transaction() as conn:
        same_engine = store.SQL.engine_of_import(conn, import_id=found.id) in ("", ENGINE)
        store.SQL.run_import(conn, import_id=found.id, now=ws.clock(), source_id=source_id, engine=ENGINE)
        _, written, _ = store.SQL.lock_import_writer(conn, import_id=found.id)
    at = written

    def write_down(conn: Connection, bodies: Sequence[Body], now: datetime) -> None:
        nonlocal at
        store.append_imported(conn, found.id, source_id, bodies, at, now)
        at += len(bodies)

    return Target(write_down, written if same_engine else 0)


def _source(ws: Workspace, mapping: Mapping) -> int:
    with ws.transaction() as conn:
        known = source_for(conn, mapping)
        return (known or sources.add_source(conn, mapping.source, IMPORT, mapping.basis, ws.clock())[0]).id


def _end(ws: Workspace, import_id: int, state: str, result: dict[str, Any] | None, problem: dict[str, str] | None, errors: Path | None) -> None:
    with ws.transaction() as conn:
        store.SQL.end_import(
            conn, import_id=import_id, state=state, now=ws.clock(), result=Jsonb(result) if result else None, problem=Jsonb(problem) if problem else None,
            errors_path=str(errors.resolve()) if errors else None,
        )  # fmt: skip


def _counts(result: ImportResult) -> dict[str, Any]:
    by_column = {name: {str(problem): count for problem, count in problems.items()} for name, problems in result.by_column.items()}
    names = ("rows", "rows_used", "rows_refused", "rows_withheld", "events", "by_name", "total_micros", "seconds")
    return {name: getattr(result, name) for name in names} | {"by_column": by_column}


def _acquired(mapping: Mapping) -> dict[str, Any]:
    """Origin and basis as they are kept. Raises BasisMissing."""
    form = mapping.acquired
    if form is None:
        raise BasisMissing(where="acquired", field="acquired")
    if mapping.basis is Basis.CONSENT and not form.notice.strip():
        raise BasisMissing(where="acquired.notice", field="acquired.notice")
    return {"from": form.source, "date": form.day.isoformat(), "basis": str(mapping.basis), "notice": form.notice, "proof": form.proof}


def _resumable(found: Import, digest: bytes) -> int:
    """Its number. Raises InvalidInput when it is not one that stopped, FileUnreadable when the file is another by now."""
    if found.state not in ("waiting", "running", "failed"):
        raise _wrong_state(found)
    if found.file_sha256 != digest:
        raise FileUnreadable(where=found.file_name, detail=ANOTHER_FILE)
    return found.id


def _json(mapping: Mapping) -> Jsonb:
    return Jsonb(mapping.model_dump(mode="json", by_alias=True, exclude_defaults=True))


def _import(row: Sequence[Any]) -> Import:
    found = Import(*row)
    return replace(found, file_sha256=bytes(found.file_sha256))


def _wrong_state(found: Import) -> InvalidInput:
    state = STATES[found.state]
    detail = Text(f"stan importu {found.id} to „{state.pl}”", f"the state of import {found.id} is “{state.en}”")
    return InvalidInput(where="import", seen=found.state, detail=detail)


def _measured(path: Path) -> tuple[int, bytes]:
    try:
        with path.open("rb") as file:
            return path.stat().st_size, hashlib.file_digest(file, "sha256").digest()
    except OSError:
        raise FileUnreadable(where=str(path), detail=NOT_THERE) from None


def _holds(path: Path, needles: Sequence[bytes]) -> bool:
    """Whether a file holds one of these texts in small letters (see `people.needles`); one that is packed or in UTF-16 is taken as if it did."""
    if path.suffix.lower() not in (".csv", ".jsonl", ".txt", ".json"):
        return True
    with path.open("rb") as file:
        rest = b""
        while block := file.read(1 << 20):
            block = block.lower()
            if b"\0" in block or any(needle in rest + block for needle in needles):
                return True
            rest = block[-500:]
    return False


_KNOWN_SUFFIXES = frozenset(".csv .tsv .txt .log .xlsx .xlsm .jsonl .ndjson .json .parquet .gz .zst".split())


def _suffixes(name: str) -> str:
    """The endings that say how a file is written, and nothing else of a name that came from outside."""
    known = [suffix.lower() for suffix in Path(name).suffixes[-2:]]
    return "".join(suffix for suffix in known if suffix in _KNOWN_SUFFIXES)
