"""Requests with their events as one string of bytes and back, between the process that reads ahead and the one that applies.

Columns of plain values travel, which are read three times as fast as the requests are decoded. What the events share they share
afterwards, too: equal contexts and properties stay one object. The bodies stay behind: they are four fifths of the bytes, and nobody needs
them once they are decoded. Only for bytes of our own: `marshal` trusts what it is given.
"""

import marshal
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

from cegla.collect.rules.decode import Decoded, Request
from cegla.vocabulary.events import Event, Reason, SetAside

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VERSION = 4
_STAMPS = frozenset({"occurred_at", "received_at", "original_at", "sent_at"})
_REQUEST = tuple(name for name in Request.__struct_fields__ if name != "body")


def packed(requests: Sequence[Request], decoded: Decoded) -> bytes:
    """Requests that are no webhook's, without their bodies, and what they held."""
    columns = (_columns(_REQUEST, requests), _columns(Event.__struct_fields__, decoded.events), _columns(SetAside.__struct_fields__, decoded.set_aside))
    return marshal.dumps(columns, _VERSION)


def unpacked(parcel: bytes | bytearray) -> tuple[list[Request], Decoded]:
    """What was packed: equal to it but for the bodies, which are empty, and shared as it was."""
    requests, events, set_aside = marshal.loads(parcel)
    aside = [SetAside(reason=Reason(fields.pop("reason")), **fields) for fields in _rows(SetAside.__struct_fields__, set_aside)]
    return [Request(**fields, body=b"") for fields in _rows(_REQUEST, requests)], Decoded(_events(events), aside)


def _columns(names: Iterable[str], rows: Sequence[Any]) -> list[list[Any]]:
    columns: list[list[Any]] = []
    for name in names:
        values = map(attrgetter(name), rows)
        columns.append(list(_micros(values)) if name in _STAMPS else [value.value for value in values] if name == "reason" else list(values))
    return columns


def _rows(names: Sequence[str], columns: list[list[Any]]) -> Iterator[dict[str, Any]]:
    values = [list(_moments(column)) if name in _STAMPS else column for name, column in zip(names, columns, strict=True)]
    return (dict(zip(names, row, strict=True)) for row in zip(*values, strict=True))


def _events(columns: list[list[Any]]) -> list[Event]:
    """The events; written out, for it takes a third of the time of `_rows`. A stamp that counts as it came is one object, by which later steps know it."""
    fields = dict(zip(Event.__struct_fields__, columns, strict=True))
    occurred = list(_moments(fields["occurred_at"]))
    originals = [
        moment if stamp == at else None if stamp is None else _EPOCH + timedelta(0, 0, stamp)
        for moment, at, stamp in zip(occurred, fields["occurred_at"], fields["original_at"], strict=True)
    ]
    fields |= {"occurred_at": occurred, "original_at": originals, "received_at": _moments(fields["received_at"]), "sent_at": _moments(fields["sent_at"])}
    return [
        Event(
            source_id=source_id, message_id=message_id, kind=kind, name=name, occurred_at=occurred_at, received_at=received_at, original_at=original_at,
            sent_at=sent_at, anonymous_id=anonymous_id, user_id=user_id, previous_id=previous_id, group_id=group_id, properties=properties, traits=traits,
            context=context, writer=writer, number=number, index=index, trusted=trusted, trace=trace,
        )
        for (
            source_id, message_id, kind, name, occurred_at, received_at, original_at, sent_at, anonymous_id, user_id, previous_id, group_id, properties,
            traits, context, writer, number, index, trusted, trace,
        ) in zip(*fields.values(), strict=True)
    ]  # fmt: skip


def _micros(moments: Iterable[datetime | None]) -> Iterator[int | None]:
    """Microseconds since 1970; one request's events share their stamps, so each is worked out once."""
    last: datetime | None = None
    micros: int | None = None
    for moment in moments:
        if moment is not last:
            last = moment
            if last is None:
                micros = None
            else:
                since = last - _EPOCH
                micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
        yield micros


def _moments(micros: Iterable[int | None]) -> Iterator[datetime | None]:
    """The moments again; equal ones that follow each other are one object."""
    last: int | None = None
    moment: datetime | None = None
    for number in micros:
        if number != last:
            last, moment = number, None if number is None else _EPOCH + timedelta(0, 0, number)
        yield moment
