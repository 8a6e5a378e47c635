"""Rows of a file become a plan of events, in columns: which rows make which event, who, when, under which name.

    table of text ── typed columns ── groups (one event each) ── who, when, which name ── plan, in order of time
                          └────────────────┴──── rows that cannot be used, each with its problem

`calls.py` makes the JSON of it. A group with one wrong row is refused whole: an order without one of its lines would have
a wrong total. Message ids depend on the import's name and the group's key (or, without groups, on the row's text and how
often it came before), so a second run of the same file makes the same ids and changes nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from cegla.collect.rules.columns import RowProblem, holding_nul, in_utc, typed
from cegla.collect.rules.mapping import ACQUIRED, ADDRESSES, CONSENT_AT, SAID, TOTAL, ColumnForm, Mapping, WhenForm, named_columns, template
from cegla.collect.rules.occurrences import Occurrences
from cegla.vocabulary.errors.intake import MappingInvalid
from cegla.vocabulary.money import MICROS

pc: Any = pyarrow.compute  # its functions are made at run time, so type checkers do not know them
LARGEST_LINE_MICROS = 9.0e15  #: beyond this a float no longer holds every micro
KEY_BYTES = 16
LATEST = np.iinfo(np.int64).max
JOINT = "\x1f"


@dataclass(frozen=True)
class RowError:
    """A row that did not become (part of) an event. `row` counts from 1, the header not included."""

    row: int
    column: str
    problem: RowProblem
    seen: str


@dataclass
class Sheet:
    """The file as typed columns, aligned with `numbers`, the rows' numbers in the file."""

    texts: pa.Table
    columns: dict[str, Any]
    numbers: Any
    bad: Any  #: numpy bool: rows that cannot be used
    errors: list[RowError] = field(default_factory=list)

    def refuse(self, rows: Any, column: str, problem: RowProblem, texts: Any = None) -> None:
        """Mark rows (numpy bool) as unusable."""
        places = np.flatnonzero(rows & ~self.bad)
        if len(places):
            seen = texts.take(pa.array(places)).to_pylist() if texts is not None else [""] * len(places)
            self.errors += [RowError(int(self.numbers[at]), column, problem, str(text or "")[:200]) for at, text in zip(places, seen, strict=True)]
            self.bad = self.bad | rows


@dataclass(frozen=True)
class Plan:
    """Everything about the events but their JSON. Arrays run along the events, in order of time."""

    mapping: Mapping
    keys: Any  #: text
    times: Any  #: timestamp[us, UTC]
    names: Any
    user_ids: Any
    anonymous_ids: Any
    total_micros: Any  #: numpy int64, or None without `total: lines`
    group_values: dict[str, dict[str, Any]]  #: section → key → array along the events
    product_values: dict[str, Any]  #: key → array along the rows, in the events' order
    offsets: Any  #: the rows of event i are offsets[i] to offsets[i + 1]
    rows: Any  #: row numbers in the same order
    errors: list[RowError]

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def event_totals(self) -> Any:
        """Micros of each event's total, as numpy int64: the sum of its lines or what its column says, where an empty one counts 0. None without numbers."""
        given = self.group_values["more"].get("total")
        if self.total_micros is not None or given is None or not (pa.types.is_floating(given.type) or pa.types.is_integer(given.type)):
            return self.total_micros
        micros = np.rint(np.asarray(pc.fill_null(pc.cast(given, pa.float64(), safe=False), 0.0)) * MICROS)
        return np.where(np.abs(micros) < LARGEST_LINE_MICROS, micros, 0).astype(np.int64)


def read_sheet(table: pa.Table, numbers: Any, mapping: Mapping) -> Sheet:
    """The columns of the file (all text, see `check_columns`) read as the mapping says."""
    sheet = Sheet(table, {}, numbers, np.zeros(table.num_rows, bool))
    used = {column for _, column in named_columns(mapping)}
    for name in table.column_names:
        texts = one_chunk(table[name], pa.string())
        if name in used and (nul := holding_nul(texts)) is not None:
            sheet.refuse(nul, name, RowProblem.HOLDS_NUL, pc.replace_substring(texts, "\0", "\ufffd"))
        column = typed(texts, mapping.columns.get(name) or ColumnForm.model_validate({}))
        sheet.columns[name] = column.values
        if column.wrong.any():
            sheet.refuse(column.wrong, name, column.problem, texts)
    return sheet


def row_times(texts: pa.Table, numbers: Any, mapping: Mapping) -> Any:
    """Microseconds since 1970 of each row, the latest there is where it has none; only the column of the time is read."""
    column = template(mapping.time).single
    sheet = read_sheet(texts.select([column] if column in texts.column_names else []), numbers, mapping)
    return np.asarray(pc.cast(_moments(sheet, mapping, "time"), pa.int64()).fill_null(LATEST))


def plan_events(sheet: Sheet, mapping: Mapping, before: Occurrences, normalized: Callable[[str, object], str | None]) -> Plan:
    """Decide which rows make which event. Every row is in exactly one event or in `errors`.

    `before` remembers the rows of earlier parts of the same file, for files that are planned in parts. `normalized` gives
    the form of an e-mail or phone in which it names somebody, None where it names nobody.
    """
    codes, keys = _groups(sheet, mapping, before)
    times = np.asarray(pc.cast(_moments(sheet, mapping, "time"), pa.int64()).fill_null(LATEST))
    sheet.refuse(times == LATEST, mapping.time, RowProblem.NO_TIME)
    user_ids, anonymous_ids, nobody = _ids(sheet, mapping, normalized)
    sheet.refuse(nobody, "ids", RowProblem.NO_IDENTITY)
    sheet.refuse(np.asarray(pc.is_null(_filled(sheet, mapping.event))), mapping.event, RowProblem.NO_EVENT_NAME)
    values = _line_values(sheet, mapping)
    _refuse_whole_groups(sheet, codes)

    order, starts = _in_order_of_time(codes, times, ~sheet.bad)
    first = pa.array(order[starts], pa.int64())
    totals = np.add.reduceat(values[order], starts) if values is not None and len(starts) else None
    names = _names(sheet, mapping, order, starts, totals)
    sections: dict[str, dict[str, Any]] = {name: dict(getattr(mapping, name)) for name in ("properties", "traits", "consents")}
    single: dict[str, Any] = {"currency": mapping.currency, "total": None if mapping.total == "lines" else mapping.total}
    sections["more"] = {key: value for key, value in single.items() if value is not None}
    groups = {section: {key: _plain(_filled(sheet, value).take(first)) for key, value in fields.items()} for section, fields in sections.items()}
    if mapping.consent_at:
        groups["consents"][CONSENT_AT] = as_text(_moments(sheet, mapping, "consent_at").take(first))
    return Plan(
        mapping=mapping, keys=keys.take(pa.array(codes[order[starts]], pa.int64())), names=names,
        times=pa.array(np.minimum.reduceat(times[order], starts) if len(starts) else times[:0], pa.timestamp("us", "UTC")),
        user_ids=user_ids.take(first), anonymous_ids=anonymous_ids.take(first), total_micros=totals,
        group_values=groups, product_values={key: _filled(sheet, value).take(pa.array(order, pa.int64())) for key, value in mapping.products.items()},
        offsets=np.append(starts, len(order)), rows=sheet.numbers[order], errors=sorted(sheet.errors, key=lambda error: error.row),
    )  # fmt: skip


def group_keys(table: pa.Table, mapping: Mapping) -> Any:
    """The text by which rows are put together into one event; null where a grouping column is empty."""
    parts = [pc.utf8_trim_whitespace(one_chunk(table[column], pa.string())) for column in mapping.group_by]
    return parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, JOINT)


def _groups(sheet: Sheet, mapping: Mapping, before: Occurrences) -> tuple[Any, Any]:
    """A group number for each row, and the key of each group. Without `group_by` every row is its own."""
    if not mapping.group_by:
        return np.arange(len(sheet.numbers)), _row_keys(sheet, before)
    for column in mapping.group_by:
        sheet.refuse(np.asarray(pc.is_null(sheet.columns[column])), column, RowProblem.NO_GROUP)
    encoded = pc.fill_null(group_keys(sheet.texts, mapping), "").dictionary_encode()
    return np.asarray(encoded.indices).astype(np.int64), encoded.dictionary


def _row_keys(sheet: Sheet, before: Occurrences) -> Any:
    """A digest of each row's text; equal rows are told apart by how often they came before."""
    parts = [one_chunk(column, pa.string()) for column in sheet.texts.columns]
    joined = pc.binary_join_element_wise(*parts, JOINT, null_handling="replace", null_replacement="")
    digests = b"".join(blake2b(text, digest_size=KEY_BYTES).digest() for text in _bytes_of(joined))
    count = len(joined)
    ends = pa.array(np.arange(count + 1, dtype=np.int32) * (2 * KEY_BYTES))
    keys = pa.Array.from_buffers(pa.string(), count, [None, ends.buffers()[1], pa.py_buffer(digests.hex().encode())])
    times = before.count(np.frombuffer(digests, np.uint64).reshape(-1, KEY_BYTES // 8)[:, 0])
    if not times.any():
        return keys
    numbered = pc.binary_join_element_wise(keys, pc.cast(pa.array(times), pa.string()), ".")
    return pc.if_else(pa.array(times > 0), numbered, keys)


def _bytes_of(texts: Any) -> Iterator[memoryview]:
    """The bytes of each text, without making a Python string of it."""
    ends = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1].tolist()
    data = memoryview(texts.buffers()[2] or b"")
    return (data[start:end] for start, end in pairwise(ends))


def _moments(sheet: Sheet, mapping: Mapping, field: str) -> Any:
    """When each row happened, or was agreed to; a date begins at midnight in its column's zone."""
    text = getattr(mapping, field)
    if text == ACQUIRED and field == "time":
        if mapping.acquired is None:
            raise MappingInvalid(where=field, seen=text, detail=SAID["acquired"])
        return pc.cast(pa.repeat(pa.scalar(mapping.acquired.day), len(sheet.numbers)), pa.timestamp("us", "UTC"))
    column = template(text).single
    form = mapping.columns.get(column or "")
    if column is None or form is None or form.type not in ("time", "date"):
        raise MappingInvalid(where=field, seen=text, detail=SAID["time"])
    values = sheet.columns[column]
    return in_utc(pc.cast(values, pa.timestamp("us")), form.zone) if form.type == "date" else values


def _ids(sheet: Sheet, mapping: Mapping, normalized: Callable[[str, object], str | None]) -> tuple[Any, Any, Any]:
    """Both ids of each row, and a numpy mask of the rows that neither an id nor an address gives to anybody."""
    user_ids, anonymous_ids = (as_text(_filled(sheet, text)) for text in (mapping.ids.user_id, mapping.ids.anonymous_id))
    nobody = np.array(pc.and_(pc.is_null(user_ids), pc.is_null(anonymous_ids)))
    for kind in ADDRESSES:
        if kind in mapping.traits and nobody.any():
            texts = as_text(_filled(sheet, mapping.traits[kind])).filter(pa.array(nobody)).to_pylist()
            nobody[nobody] = [normalized(kind, text) is None for text in texts]
    if mapping.ids.otherwise is not None and nobody.any():
        anonymous_ids = pc.if_else(pa.array(nobody), as_text(_filled(sheet, mapping.ids.otherwise)), anonymous_ids)
        nobody &= np.asarray(pc.is_null(anonymous_ids))
    return user_ids, anonymous_ids, nobody


def _line_values(sheet: Sheet, mapping: Mapping) -> Any:
    """Micros of price × quantity for each row, exact for whole quantities; an empty price or quantity counts 0."""
    if mapping.total != "lines":
        return None
    price, quantity = (_floats(sheet, mapping.products[key], f"products.{key}") for key in ("price", "quantity"))
    values = np.rint(price * MICROS) * quantity
    too_much = ~(np.abs(values) < LARGEST_LINE_MICROS)
    sheet.refuse(too_much, "price", RowProblem.NOT_A_NUMBER)
    return np.where(too_much, 0, np.rint(values)).astype(np.int64)


def _floats(sheet: Sheet, value: Any, place: str) -> Any:
    array = _filled(sheet, value)
    if not (pa.types.is_floating(array.type) or pa.types.is_integer(array.type)):
        raise MappingInvalid(where=place, seen=value, detail=SAID["number"])
    return np.asarray(pc.fill_null(pc.cast(array, pa.float64(), safe=False), 0.0))


def _refuse_whole_groups(sheet: Sheet, codes: Any) -> None:
    """Rows whose group has a row that cannot be used."""
    if sheet.bad.any():
        sheet.refuse(np.isin(codes, codes[sheet.bad]), "", RowProblem.SAME_GROUP)


def _in_order_of_time(codes: Any, times: Any, good: Any) -> tuple[Any, Any]:
    """The good rows, groups together and the earliest group first, and where each group starts. Ties keep the file's order."""
    rows = np.flatnonzero(good)
    if not len(rows):
        return rows, rows
    earliest = np.full(int(codes.max()) + 1, LATEST)
    np.minimum.at(earliest, codes[rows], times[rows])
    order = rows[np.lexsort((rows, codes[rows], earliest[codes[rows]]))]
    starts = np.flatnonzero(np.append(True, codes[order][1:] != codes[order][:-1]))
    return order, starts


def _names(sheet: Sheet, mapping: Mapping, order: Any, starts: Any, totals: Any) -> Any:
    """The name of each event: the first `when` that fits any of its rows, else `event`."""
    first = pa.array(order[starts], pa.int64())
    names = as_text(_filled(sheet, mapping.event)).take(first)
    for when in reversed(mapping.when):
        if not len(starts):
            break
        if when.column == TOTAL and TOTAL not in sheet.columns:
            if totals is None:
                raise MappingInvalid(where="when", seen=TOTAL, detail=SAID["total"])
            fits = _fits(pa.array(totals / MICROS), when)
        else:
            fits = np.logical_or.reduceat(_fits(sheet.columns[when.column], when)[order], starts)
        names = pc.if_else(pa.array(fits), pc.coalesce(as_text(_filled(sheet, when.event)).take(first), names), names)
    return names


def _fits(values: Any, when: WhenForm) -> Any:
    """A numpy mask of the values that meet the condition."""
    if when.equals is not None:
        found = pc.equal(as_text(values), when.equals)
    elif when.starts_with is not None:
        found = pc.starts_with(as_text(values), when.starts_with)
    elif not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
        raise MappingInvalid(where="when", seen=when.column, detail=SAID["number"])
    elif when.below is not None:
        found = pc.less(values, when.below)
    else:
        found = pc.greater(values, when.above)
    return np.asarray(pc.fill_null(found, False))


def _filled(sheet: Sheet, value: Any) -> Any:
    """The column that a template or a constant makes: a lone column keeps its type; a template with an empty column is empty."""
    length = len(sheet.numbers)
    if value is None:
        return pa.nulls(length, pa.string())
    if not isinstance(value, str):
        return pa.repeat(pa.scalar(value), length)
    parts = template(value)
    if parts.single is not None:
        return sheet.columns[parts.single]
    if not parts.columns:
        return pa.repeat(pa.scalar(value), length)
    pieces = [as_text(sheet.columns[part]) if column else pa.scalar(part) for part, column in zip(parts.parts, parts.is_column, strict=True)]
    return pc.binary_join_element_wise(*pieces, "")


def as_text(values: Any) -> Any:
    """Any column as text: times as ISO 8601 in UTC, dates as 2011-12-09."""
    if pa.types.is_timestamp(values.type):
        return pc.strftime(values, format="%Y-%m-%dT%H:%M:%SZ")
    return values if pa.types.is_string(values.type) else pc.cast(values, pa.string())


def _plain(values: Any) -> Any:
    """Times and dates as text, since JSON has none."""
    return as_text(values) if pa.types.is_timestamp(values.type) or pa.types.is_date(values.type) else values


def one_chunk(values: Any, kind: pa.DataType) -> Any:
    """One plain array of a table's column."""
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], kind)
    return array if array.type == kind else pc.cast(array, kind)
