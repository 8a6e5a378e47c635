"""A segment handed over as a list: to a file, a spreadsheet, an advertising platform. Each address passes the one gate with the list's own purpose,
by the law of the country somebody declared, for a company by that of companies; who objected to profiling is on no list."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq

from cegla.activate.audience import readers
from cegla.activate.rules.lists import FORMS, Contact, Form, meta_hash, rows_of
from cegla.collect import actions as collect
from cegla.govern import actions as govern
from cegla.profile import actions as profile
from cegla.segment import actions as segment
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.errors import InvalidInput
from cegla.vocabulary.people import person_label
from cegla.vocabulary.text import Text

AT_ONCE = 20_000


@dataclass(frozen=True)
class List:
    """A list that was made: of how many members, how many have an address on it, and its bytes."""

    form: Form
    purpose: str
    members: int
    listed: int
    body: bytes


def forms() -> Sequence[Form]:
    """Every form, in the order they are shown in."""
    return tuple(FORMS.values())


def form_of(key: str) -> Form:
    """The form with this key. Raises InvalidInput."""
    if key not in FORMS:
        known = ", ".join(FORMS)
        raise InvalidInput(where="/format", seen=ascii(key), detail=Text(f"format to jedno z: {known}", f"a format is one of: {known}"))
    return FORMS[key]


def hash_of(channel: Channel, address: str) -> str:
    """The hash that a list for platforms has of an address of this channel."""
    email, phone = meta_hash(address, None) if channel is Channel.EMAIL else meta_hash(None, address)
    return email if channel is Channel.EMAIL else phone


def make(ws: Workspace, segment_id: int, key: str, now: datetime, excluded: Iterable[int] = (), purpose: str | None = None) -> List:
    """The list of a segment's members at `now` whom the gate allows for the purpose (None: the form's own), without those `excluded`.

    Who objected to profiling under any of their names is left out, too: being in a segment is being profiled. An e-mail address needs the gate's
    yes to the purpose by e-mail, a telephone number that by SMS; a purpose that does not name the channel says no.
    Raises NotFound for a segment or a purpose that is not there, and InvalidInput for an unknown form.
    """
    form = form_of(key)
    with ws.transaction() as conn:
        rule = segment.segment(conn, segment_id).rule
        held = govern.register.purpose(conn, purpose or form.purpose)
        objecting = profile.places.objecting(conn)
    people: list[int] = segment.members_of(ws, rule, now, excluded={*excluded, *objecting}).to_pylist()
    contacts: list[Contact] = []
    with ws.transaction() as conn:
        for start in range(0, len(people), AT_ONCE):
            contacts += _contacts(ws, conn, people[start : start + AT_ONCE], held, now)
    listed = sum(bool(one.email or one.phone) for one in contacts)
    body = _parquet(form, contacts) if form.suffix == "parquet" else _csv(form, contacts)
    return List(form, held.key, len(people), listed, body)


def _contacts(ws: Workspace, conn: Connection, people: Sequence[int], purpose: govern.Purpose, now: datetime) -> Iterator[Contact]:
    allowed = {channel: _allowed(ws, conn, people, (purpose.key, channel), now) for channel in govern.ADDRESS_TYPES}
    for person in people:
        yield Contact(person_label(person), allowed[Channel.EMAIL].get(person), allowed[Channel.SMS].get(person))


def _allowed(ws: Workspace, conn: Connection, people: Sequence[int], asked_for: tuple[str, Channel], now: datetime) -> Mapping[int, str]:
    """The addresses that the gate allows for the purpose on the channel, by person."""
    purpose, channel = asked_for
    asked = [one for one in readers(conn, people, channel) if one.address is not None]
    verdicts = govern.allowed(conn, ws.keys, [one.subject(one.address) for one in asked], purpose, channel, now)
    return {one.person_id: one.address or "" for one, verdict in zip(asked, verdicts, strict=True) if verdict.allowed}


def _csv(form: Form, contacts: Iterable[Contact]) -> bytes:
    """UTF-8 as RFC 4180 has it, the head first; no cell runs in a spreadsheet unless the form is an exact one."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(form.columns)
    for row in rows_of(form, contacts):
        writer.writerow(row if form.exact else [collect.harmless(cell) for cell in row])
    return file.getvalue().encode()


def _parquet(form: Form, contacts: Iterable[Contact]) -> bytes:
    rows = list(rows_of(form, contacts))
    columns = [pa.array([row[place] for row in rows], pa.string()) for place in range(len(form.columns))]
    file = io.BytesIO()
    pq.write_table(pa.table(columns, names=list(form.columns)), file)  # pyright: ignore[reportUnknownMemberType]
    return file.getvalue()
