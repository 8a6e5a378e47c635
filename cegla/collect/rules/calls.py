"""A plan's events as the calls of the tracking contract in JSON, made column by column without a Python object for each.

Every field becomes a column of texts such as `,"city":"Łódź"`, null where the field is empty; one join puts an object
together and leaves the nulls out. Products are joined along the rows of their event.
"""

from collections.abc import Mapping as Named
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute

from cegla.collect.rules.mapping import ADDRESSES, CONSENT_AT, IDENTIFY, TOTAL
from cegla.collect.rules.rows import Plan, as_text
from cegla.vocabulary.money import MICROS

pc: Any = pyarrow.compute  # its functions are made at run time, so type checkers do not know them
LONGEST_MESSAGE_ID = 100
MOST_KNOWN = 500_000  #: people whose last traits are remembered: beyond, one more identify call costs less than the memory
SHORT_TRAITS = 40  #: longer ones are remembered by their digest
_UNPRINTABLE = r"[^\x20-\x7e\x{a1}-\x{ac}\x{ae}-\x{24f}]"
_NEEDS_ESCAPE = np.zeros(256, bool)
_NEEDS_ESCAPE[[*range(32), 34, 92]] = True


@dataclass(frozen=True)
class Calls:
    """Calls as JSON, in order of time; `events` says which event of the plan each belongs to. An event may need two calls."""

    texts: Any
    events: Any  #: numpy int64
    by_name: dict[str, int]  #: identify calls as "identify"


def calls(plan: Plan, known_traits: dict[str, str]) -> Calls:
    """The calls of a plan.

    With traits beside a track call, an identify call comes before each event that changed them; `known_traits` remembers
    the last ones by id and belongs to one run.
    """
    values = plan.group_values
    shared = [_member("timestamp", as_text(plan.times)), _member("userId", plan.user_ids), _member("anonymousId", plan.anonymous_ids)]
    consent = _consent(values["consents"], len(plan))
    traits = _object([_member(key, array) for key, array in values["traits"].items()], len(plan))
    identifies = np.asarray(pc.equal(plan.names, IDENTIFY))
    ids = message_ids(plan.mapping.name, plan.keys)
    about = [_constant("type", "identify", len(plan)), _member("messageId", ids), _raw("traits", traits)]
    identify = _object([*shared, _context(consent), *about], len(plan))
    if identifies.all():
        return Calls(identify, np.arange(len(plan)), {IDENTIFY: len(plan)} if len(plan) else {})
    properties = [_member(key, array) for section in ("properties", "more") for key, array in values[section].items()]
    if plan.total_micros is not None:
        properties.append(_member(TOTAL, pa.array(plan.total_micros / MICROS)))
    if plan.product_values:
        properties.append(_raw("products", _products(plan)))
    done = [_constant("type", "track", len(plan)), _member("event", plan.names), _member("messageId", ids)]
    track = _object([*shared, _context(consent, _addresses(plan)), *done, _raw("properties", _object(properties, len(plan)))], len(plan))
    main = pc.if_else(pa.array(identifies), identify, track)
    counted = {row["values"]: row["counts"] for row in plan.names.value_counts().to_pylist()}
    addresses = [as_text(values["traits"][kind]) for kind in ADDRESSES if kind in values["traits"]]
    who = pc.coalesce(plan.user_ids, plan.anonymous_ids, *addresses) if addresses else plan.user_ids  # with an address a guest is somebody
    if not values["traits"] or not (changed := _changed(who, traits, identifies, known_traits)).any():
        return Calls(main, np.arange(len(plan)), counted)
    about[1] = _member("messageId", message_ids(plan.mapping.name, plan.keys, "traits"))
    before = _object([*shared, _context(consent), *about], len(plan)).filter(pa.array(changed))
    places = np.concatenate([2 * np.flatnonzero(changed), 2 * np.arange(len(plan)) + 1])
    order = np.argsort(places, kind="stable")
    counted[IDENTIFY] = counted.get(IDENTIFY, 0) + int(changed.sum())
    return Calls(pa.concat_arrays([before, main]).take(pa.array(order)), places[order] // 2, counted)


def message_id(name: str, key: str, part: str = "") -> str:
    """The id of the event with this key in the import `name`: readable when it fits, else a digest; at most 100 characters."""
    return message_ids(name, pa.array([key], pa.string()), part)[0].as_py()


def message_ids(name: str, keys: Any, part: str = "") -> Any:
    """`message_id` of many keys."""
    plain = pc.binary_join_element_wise(name, keys, *((part,) if part else ()), ":")
    odd = pc.or_(pc.greater(pc.utf8_length(plain), LONGEST_MESSAGE_ID), pc.match_substring_regex(plain, _UNPRINTABLE))
    if not pc.any(odd).as_py():
        return plain
    digests = [f"{name}#{blake2b(text.encode(), digest_size=20).hexdigest()}" for text in plain.filter(odd).to_pylist()]
    return pc.replace_with_mask(plain, odd, pa.array(digests, pa.string()))


def quoted(texts: Any) -> Any:
    """Texts as JSON strings with their quotes; nulls stay."""
    return pc.binary_join_element_wise('"', _escaped(texts), '"', "")


def _escaped(texts: Any) -> Any:
    data = texts.buffers()[2]
    bytes_there = np.frombuffer(data, np.uint8) if data is not None and data.size else np.empty(0, np.uint8)
    if not _NEEDS_ESCAPE[bytes_there].any():
        return texts
    texts = pc.replace_substring(pc.replace_substring(texts, "\\", "\\\\"), '"', '\\"')
    for code in np.unique(bytes_there[bytes_there < 32]).tolist():
        texts = pc.replace_substring(texts, chr(code), f"\\u{code:04x}")
    return texts


def _values(array: Any) -> Any:
    """Any column as JSON values; nulls stay. Numbers come out in the shortest form that reads back the same."""
    if pa.types.is_boolean(array.type) or pa.types.is_integer(array.type) or pa.types.is_floating(array.type):
        return pc.cast(array, pa.string())
    return quoted(as_text(array))


def _member(key: str, array: Any) -> Any:
    """`,"key":value`, null where the value is."""
    return _raw(key, _values(array))


def _raw(key: str, values: Any) -> Any:
    return pc.binary_join_element_wise(f",{msgspec.json.encode(key).decode()}:", values, "")


def _constant(key: str, value: str, count: int) -> Any:
    return pa.repeat(pa.scalar(f",{msgspec.json.encode(key).decode()}:{msgspec.json.encode(value).decode()}"), count)


def _object(members: list[Any], count: int) -> Any:
    """Objects of the members that are not null."""
    if not members:
        return pa.repeat(pa.scalar("{}"), count)
    # not null_handling="skip": that drops a row all of whose members are null (Arrow 26)
    listed = pc.binary_join_element_wise(*members, "", null_handling="replace", null_replacement="")
    return pc.binary_join_element_wise("{", pc.utf8_ltrim(listed, ","), "}", "")


def _consent(consents: Named[str, Any], count: int) -> Any:
    """The consent object as a member of the context, null for events that say nothing about consent."""
    said = [_member(key, array) for key, array in consents.items() if key != CONSENT_AT]
    if not said:
        return pa.nulls(count, pa.string())
    categories = _object(said, count)
    silent = pc.equal(categories, "{}")
    at = _member("at", consents[CONSENT_AT]) if CONSENT_AT in consents else pa.nulls(count, pa.string())
    consent = _object([_raw("categoryPreferences", categories), at], count)
    return pc.if_else(silent, pa.scalar(None, pa.string()), _raw("consent", consent))


def _addresses(plan: Plan) -> Any:
    """The e-mail and phone as a member of the context, for events without an id: they alone say whose event it is."""
    said = [_member(kind, plan.group_values["traits"][kind]) for kind in ADDRESSES if kind in plan.group_values["traits"]]
    if not said:
        return pa.nulls(len(plan), pa.string())
    without_id = pc.and_(pc.is_null(plan.user_ids), pc.is_null(plan.anonymous_ids))
    return pc.if_else(without_id, _raw("traits", _object(said, len(plan))), pa.scalar(None, pa.string()))


def _context(*members: Any) -> Any:
    """The context of the members that are not null; null where all are."""
    context = _object(list(members), len(members[0]))
    return pc.if_else(pc.equal(context, "{}"), pa.scalar(None, pa.string()), _raw("context", context))


def _products(plan: Plan) -> Any:
    """The products of each event as one JSON array, without empty fields."""
    lines = _object([_member(key, array) for key, array in plan.product_values.items()], len(plan.rows))
    lists = pa.ListArray.from_arrays(pa.array(plan.offsets, pa.int32()), lines)
    return pc.binary_join_element_wise("[", pc.binary_join(lists, ","), "]", "")


def _changed(users: Any, traits: Any, identifies: Any, known: dict[str, str]) -> Any:
    """Where a known person's traits are not the ones of their last event."""
    changed = np.zeros(len(identifies), bool)
    for at, (user, said, own) in enumerate(zip(users.to_pylist(), traits.to_pylist(), identifies.tolist(), strict=True)):
        if user is not None and said != "{}" and not own:
            mark = blake2b(said.encode(), digest_size=8).hexdigest() if len(said) > SHORT_TRAITS else said
            if known.get(user) != mark:
                if len(known) >= MOST_KNOWN:
                    known.clear()
                known[user] = mark
                changed[at] = True
    return changed
