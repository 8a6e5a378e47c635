"""Rows of a file become events of the tracking contract, in columns first and in Python objects only at the end.

    table of text ── typed columns ── groups (one event each) ── who, when, which name ── events, in order of time
                          └────────────────┴──── rows that cannot be used, each with its problem

A group with one wrong row is refused whole: an order without one of its lines would have a wrong total.
Message ids depend on the import's name and the group's key (or, without groups, on the row's text and how often it came
before), so a second run of the same file makes the same ids and changes nothing.
"""

from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from cegla.collect.rules.columns import RowProblem, in_utc, typed
from cegla.collect.rules.mapping import IDENTIFY, SAID, TOTAL, ColumnForm, Mapping, WhenForm, template
from cegla.vocabulary.errors import MappingInvalid
from cegla.vocabulary.money import MICROS

pc: Any = pyarrow.compute  # its functions are made at run time, so type checkers do not know them
LONGEST_MESSAGE_ID = 100
LARGEST_LINE_MICROS = 9.0e15  #: beyond this a float no longer holds every micro
_JOINT = "\x1f"


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
    """Everything about the events but their Python objects. Arrays run along the events, in order of time."""

    mapping: Mapping
    keys: list[str]
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


def read_sheet(table: pa.Table, numbers: Any, mapping: Mapping) -> Sheet:
    """The columns of the file (all text, see `check_columns`) read as the mapping says."""
    sheet = Sheet(table, {}, numbers, np.zeros(table.num_rows, bool))
    for name in table.column_names:
        texts = _one_chunk(table[name], pa.string())
        column = typed(texts, mapping.columns.get(name) or ColumnForm.model_validate({}))
        sheet.columns[name] = column.values
        if column.wrong.any():
            sheet.refuse(column.wrong, name, column.problem, texts)
    return sheet


def plan_events(sheet: Sheet, mapping: Mapping) -> Plan:
    """Decide which rows make which event. Every row is in exactly one event or in `errors`."""
    codes, keys = _groups(sheet, mapping)
    times = np.asarray(pc.cast(_moments(sheet, mapping), pa.int64()).fill_null(np.iinfo(np.int64).max))
    sheet.refuse(times == np.iinfo(np.int64).max, mapping.time, RowProblem.NO_TIME)
    user_ids, anonymous_ids = _ids(sheet, mapping)
    sheet.refuse(np.asarray(pc.and_(pc.is_null(user_ids), pc.is_null(anonymous_ids))), "ids", RowProblem.NO_IDENTITY)
    sheet.refuse(np.asarray(pc.is_null(_filled(sheet, mapping.event))), mapping.event, RowProblem.NO_EVENT_NAME)
    values = _line_values(sheet, mapping)
    _refuse_whole_groups(sheet, codes)

    order, starts = _in_order_of_time(codes, times, ~sheet.bad)
    first = pa.array(order[starts], pa.int64())
    totals = np.add.reduceat(values[order], starts) if values is not None and len(starts) else None
    names = _names(sheet, mapping, order, starts, totals)
    sections = {name: getattr(mapping, name) for name in ("properties", "traits", "consents")}
    single: dict[str, Any] = {"currency": mapping.currency, "total": None if mapping.total == "lines" else mapping.total}
    sections["more"] = {key: value for key, value in single.items() if value is not None}
    return Plan(
        mapping=mapping, keys=[keys[code] for code in codes[order[starts]].tolist()], names=names,
        times=pa.array(np.minimum.reduceat(times[order], starts) if len(starts) else times[:0], pa.timestamp("us", "UTC")),
        user_ids=user_ids.take(first), anonymous_ids=anonymous_ids.take(first), total_micros=totals,
        group_values={section: {key: _plain(_filled(sheet, value).take(first)) for key, value in fields.items()} for section, fields in sections.items()},
        product_values={key: _filled(sheet, value).take(pa.array(order, pa.int64())) for key, value in mapping.products.items()},
        offsets=np.append(starts, len(order)), rows=sheet.numbers[order], errors=sorted(sheet.errors, key=lambda error: error.row),
    )  # fmt: skip


def events(plan: Plan, start: int, stop: int, known_traits: dict[str, Any]) -> Generator[tuple[int, dict[str, Any]]]:
    """Events number `start` to `stop`, each with its number, as the contract's calls, in order of time.

    With traits beside a track call, an identify call comes before each event that changed them; `known_traits` remembers
    the last ones by id and belongs to one run.
    """
    mapping, count = plan.mapping, stop - start
    part = {section: {key: array.slice(start, count).to_pylist() for key, array in fields.items()} for section, fields in plan.group_values.items()}
    times = pc.strftime(plan.times.slice(start, count), format="%Y-%m-%dT%H:%M:%SZ").to_pylist()
    names, users = plan.names.slice(start, count).to_pylist(), plan.user_ids.slice(start, count).to_pylist()
    anonymous = plan.anonymous_ids.slice(start, count).to_pylist()
    products = _product_lists(plan, start, stop)
    for at in range(count):
        call: dict[str, Any] = {"timestamp": times[at]}
        if users[at] is not None:
            call["userId"] = users[at]
        if anonymous[at] is not None:
            call["anonymousId"] = anonymous[at]
        if consents := _present(part["consents"], at):
            call["context"] = {"consent": {"categoryPreferences": consents}}
        traits, key = _present(part["traits"], at), plan.keys[start + at]
        if names[at] == IDENTIFY:
            yield start + at, {"type": "identify", "messageId": message_id(mapping.name, key), **call, "traits": traits}
            continue
        if traits and users[at] is not None and known_traits.get(users[at]) != traits:
            known_traits[users[at]] = traits
            yield start + at, {"type": "identify", "messageId": message_id(mapping.name, key, "traits"), **call, "traits": traits}
        properties = {**_present(part["properties"], at), **_present(part["more"], at)}
        if plan.total_micros is not None:
            properties[TOTAL] = int(plan.total_micros[start + at]) / MICROS
        if products:
            properties["products"] = products[at]
        yield start + at, {"type": "track", "event": names[at], "messageId": message_id(mapping.name, key), **call, "properties": properties}


def message_id(name: str, key: str, part: str = "") -> str:
    """The id of the event with this key in the import `name`: readable when it fits, else a digest; at most 100 characters."""
    plain = f"{name}:{key}:{part}" if part else f"{name}:{key}"
    if len(plain) <= LONGEST_MESSAGE_ID and _JOINT not in plain and plain.isprintable():
        return plain
    return f"{name}#{blake2b(plain.encode(), digest_size=20).hexdigest()}"


def _groups(sheet: Sheet, mapping: Mapping) -> tuple[Any, list[str]]:
    """A group number for each row, and the key of each group. Without `group_by` every row is its own."""
    if not mapping.group_by:
        return np.arange(len(sheet.numbers)), _row_keys(sheet)
    parts = [pc.utf8_trim_whitespace(_one_chunk(sheet.texts[column], pa.string())) for column in mapping.group_by]
    for column in mapping.group_by:
        sheet.refuse(np.asarray(pc.is_null(sheet.columns[column])), column, RowProblem.NO_GROUP)
    joined = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, _JOINT)
    encoded = pc.fill_null(joined, "").dictionary_encode()
    return np.asarray(encoded.indices).astype(np.int64), encoded.dictionary.to_pylist()


def _row_keys(sheet: Sheet) -> list[str]:
    """A digest of each row's text; equal rows are told apart by how often they came before."""
    parts = [pc.fill_null(_one_chunk(column, pa.string()), "") for column in sheet.texts.columns]
    seen: Counter[str] = Counter()
    keys: list[str] = []
    for text in pc.binary_join_element_wise(*parts, _JOINT).to_pylist():
        digest = blake2b(text.encode(), digest_size=16).hexdigest()
        before = seen[digest]
        seen[digest] = before + 1
        keys.append(f"{digest}.{before}" if before else digest)
    return keys


def _moments(sheet: Sheet, mapping: Mapping) -> Any:
    """When each row happened; a date begins at midnight in its column's zone."""
    column = template(mapping.time).single
    form = mapping.columns.get(column or "")
    if column is None or form is None or form.type not in ("time", "date"):
        raise MappingInvalid(where="time", seen=mapping.time, detail=SAID["time"])
    values = sheet.columns[column]
    return in_utc(pc.cast(values, pa.timestamp("us")), form.zone) if form.type == "date" else values


def _ids(sheet: Sheet, mapping: Mapping) -> tuple[Any, Any]:
    user_ids, anonymous_ids = (_as_text(_filled(sheet, text)) for text in (mapping.ids.user_id, mapping.ids.anonymous_id))
    if mapping.ids.otherwise is not None:
        nobody = pc.and_(pc.is_null(user_ids), pc.is_null(anonymous_ids))
        anonymous_ids = pc.if_else(nobody, _as_text(_filled(sheet, mapping.ids.otherwise)), anonymous_ids)
    return user_ids, anonymous_ids


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
    earliest = np.full(int(codes.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(earliest, codes[rows], times[rows])
    order = rows[np.lexsort((rows, codes[rows], earliest[codes[rows]]))]
    starts = np.flatnonzero(np.append(True, codes[order][1:] != codes[order][:-1]))
    return order, starts


def _names(sheet: Sheet, mapping: Mapping, order: Any, starts: Any, totals: Any) -> Any:
    """The name of each event: the first `when` that fits any of its rows, else `event`."""
    first = pa.array(order[starts], pa.int64())
    names = _as_text(_filled(sheet, mapping.event)).take(first)
    for when in reversed(mapping.when):
        if not len(starts):
            break
        if when.column == TOTAL and TOTAL not in sheet.columns:
            if totals is None:
                raise MappingInvalid(where="when", seen=TOTAL, detail=SAID["total"])
            fits = _fits(pa.array(totals / MICROS), when)
        else:
            fits = np.logical_or.reduceat(_fits(sheet.columns[when.column], when)[order], starts)
        names = pc.if_else(pa.array(fits), pc.coalesce(_as_text(_filled(sheet, when.event)).take(first), names), names)
    return names


def _fits(values: Any, when: WhenForm) -> Any:
    """A numpy mask of the values that meet the condition."""
    if when.equals is not None:
        found = pc.equal(_as_text(values), when.equals)
    elif when.starts_with is not None:
        found = pc.starts_with(_as_text(values), when.starts_with)
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
    pieces = [_as_text(sheet.columns[part]) if column else pa.scalar(part) for part, column in zip(parts.parts, parts.is_column, strict=True)]
    return pc.binary_join_element_wise(*pieces, "")


def _as_text(values: Any) -> Any:
    """Any column as text: times as ISO 8601 in UTC, dates as 2011-12-09."""
    if pa.types.is_timestamp(values.type):
        return pc.strftime(values, format="%Y-%m-%dT%H:%M:%SZ")
    return values if pa.types.is_string(values.type) else pc.cast(values, pa.string())


def _product_lists(plan: Plan, start: int, stop: int) -> list[list[dict[str, Any]]]:
    """The products of each event, without empty fields."""
    if not plan.product_values:
        return []
    low, high = int(plan.offsets[start]), int(plan.offsets[stop])
    arrays = [array.slice(low, high - low) for array in plan.product_values.values()]
    keys = tuple(plan.product_values)
    columns = [_plain(array).to_pylist() for array in arrays]
    if any(array.null_count for array in arrays):
        lines = [{key: value for key, value in zip(keys, row, strict=True) if value is not None} for row in zip(*columns, strict=True)]
    else:
        lines = [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]
    edges = (plan.offsets[start : stop + 1] - low).tolist()
    return [lines[left:right] for left, right in pairwise(edges)]


def _plain(values: Any) -> Any:
    """Times and dates as text, since JSON has none."""
    return _as_text(values) if pa.types.is_timestamp(values.type) or pa.types.is_date(values.type) else values


def _present(fields: dict[str, Sequence[Any]], at: int) -> dict[str, Any]:
    return {key: values[at] for key, values in fields.items() if values[at] is not None}


def _one_chunk(values: Any, kind: pa.DataType) -> Any:
    """One plain array of a table's column."""
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], kind)
    return array if array.type == kind else pc.cast(array, kind)
