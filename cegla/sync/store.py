"""This slice's tables: receivers, whom they were told of, messages."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from cegla.storage import statements
from cegla.storage.arrays import numbers
from cegla.storage.workspace import Connection

SQL = statements.load(__file__)


class Receiver(NamedTuple):
    """Where changes of segments are sent. `waiting` and `refused` are messages, `told` people it takes to be in one of the segments, once a segment."""

    id: int
    name: str
    url: str
    segments: list[int]
    purpose: str
    channel: str
    enabled: bool
    heard: int
    compare_at: datetime | None
    tries: int
    next_at: datetime
    problem: str | None
    made_at: datetime
    waiting: int
    refused: int
    told: int


class Letter(NamedTuple):
    """One message: waiting, delivered or refused; how many lines are kept of it."""

    id: int
    state: str
    tries: int
    problem: str | None
    made_at: datetime
    done_at: datetime | None
    lines: int


class LineRow(NamedTuple):
    """One line of a message as it is kept; `gone` is how the receiver knew somebody who was erased."""

    place: int
    segment_id: int
    person_id: int | None
    gone: str | None
    entered: bool
    reason: str
    at: datetime


def receivers(conn: Connection, receiver_id: int | None = None, *, counted: bool = True) -> list[Receiver]:
    """Every receiver, or one. Counting may take long when a million people are told of; without it `waiting`, `refused` and `told` are 0."""
    return [Receiver(*row) for row in SQL.receivers(conn, id=receiver_id, counted=counted)]


def told(conn: Connection, receiver_id: int, segment_id: int, people: Sequence[int] | None = None) -> set[int]:
    """Whom a receiver takes to be in a segment: of these people, or of all."""
    asked = None if people is None else numbers(people)
    return {person for (person,) in SQL.told(conn, receiver_id=receiver_id, segment_id=segment_id, people=asked)}


def put(conn: Connection, receiver_id: int, lines: Sequence[LineRow], now: datetime) -> None:
    """A message with these lines; their places are given anew."""
    letter_id = SQL.add_letter(conn, receiver_id=receiver_id, now=now)
    columns = {
        "segments": [line.segment_id for line in lines], "people": [line.person_id for line in lines], "gone": [line.gone for line in lines],
        "entered": [line.entered for line in lines], "reasons": [line.reason for line in lines], "moments": [line.at for line in lines],
    }  # fmt: skip
    SQL.add_lines(conn, letter_id=letter_id, **columns)


def lines_of(conn: Connection, letter_id: int) -> list[LineRow]:
    """What a message says, in order."""
    return [LineRow(*row) for row in SQL.lines_of(conn, letter_id=letter_id)]
