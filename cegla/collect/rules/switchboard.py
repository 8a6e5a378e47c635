"""Logs of telephone switchboards, read as calls: Asterisk's call records (CDR) and its queue_log.

    lines ──of one call, which may be many and apart──► Call, told when nothing was heard of it for an hour ──► one row a call

A call that rings five advisers has five records, and one that waits in two queues has two entries; here it is one row, whatever
its records say of parts of it. Who called whom is known by the numbers: extensions are short, customers' numbers are not.
Formats: docs.asterisk.org, "CDR Specification" and "Queue Logs"; where a file lists its columns, their names count, not their places.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

COLUMNS = (
    "call_id", "phone", "direction", "adviser", "queue", "outcome", "started_at", "ended_at", "wait_seconds", "talk_seconds", "duration_seconds", "ended_by",
)  # fmt: skip
QUIET_SECONDS = 3_600  #: a call of which nothing was heard for so long is over
MOST_OPEN = 50_000  #: calls at once; the one heard of longest ago is taken to be over
FORMATS = ("asterisk_cdr", "asterisk_queue_log")
_OUTCOMES = {"ANSWERED": "answered", "ANSWER": "answered", "NO ANSWER": "no_answer", "NOANSWER": "no_answer", "BUSY": "busy", "FAILED": "failed",
    "CONGESTION": "failed", "CANCEL": "no_answer", "CHANUNAVAIL": "failed"}  # fmt: skip
_STRENGTH = {"answered": 4, "abandoned": 3, "busy": 2, "no_answer": 1, "failed": 0}
#: The fields of Master.csv: cdr_csv writes the account first, the custom Master.csv of the example settings the caller's name.
_CSV = ("accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer", "end", "duration", "billsec",
    "disposition", "amaflags")  # fmt: skip
_CUSTOM = ("clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer", "end", "duration", "billsec", "disposition",
    "amaflags", "accountcode")  # fmt: skip
_NAMES = {
    "calldate": "start", "starttime": "start", "answertime": "answer", "endtime": "end", "source": "src", "destination": "dst",
    "destinationcontext": "dcontext", "callerid": "clid",
    "destinationchannel": "dstchannel", "lastapplication": "lastapp", "billableseconds": "billsec",
}  # fmt: skip
_UNIQUE = re.compile(r"(?:[\w.\-]+-)?\d{9,10}\.\d+\Z")
_FROM_OUTSIDE = re.compile(r"from-(?:trunk|pstn|did|external|sip-external|queue|outside)|ext-did|incoming|inbound|przychodz|trunk", re.IGNORECASE)
_PEER = re.compile(r"[^/]+/(?:[^@/]*@)?([^@/;-]+(?:-[^@/;-]+)*?)(?:-[0-9a-f]{8})?(?:;\d)?\Z")
_LONGEST_EXTENSION = 6
_QUEUE_LINE = re.compile(r"\d{9,10}(?:\.\d+)?\|[^|]*\|[^|]*\|[^|]*\|[A-Z]")
#: Lines of queue_log that end the wait, with the place of the waiting time among their data and what they mean.
_ENDS = {"COMPLETEAGENT": (0, "answered"), "COMPLETECALLER": (0, "answered"), "TRANSFER": (2, "answered"), "BLINDTRANSFER": (2, "answered"),
    "ATTENDEDTRANSFER": (3, "answered"), "ABANDON": (2, "abandoned"), "EXITWITHTIMEOUT": (2, "no_answer"), "EXITEMPTY": (2, "no_answer"),
    "EXITWITHKEY": (3, "no_answer")}  # fmt: skip
_TALKED = {"COMPLETEAGENT": 1, "COMPLETECALLER": 1, "TRANSFER": 3, "BLINDTRANSFER": 3, "ATTENDEDTRANSFER": 4}
_ENDED_BY = {"COMPLETEAGENT": "adviser", "COMPLETECALLER": "caller"}


@dataclass
class Call:
    """One call on its way: what is known of it by now, the line it was heard of last, and when (seconds by the log's own clock)."""

    call_id: str
    told: dict[str, str] = field(default_factory=dict[str, str])
    line: int = 0
    at: float = 0.0

    def row(self) -> tuple[str | None, ...]:
        """Its row, along `COLUMNS`; what is unknown is None."""
        return tuple(self.told.get(name) or None for name in COLUMNS)


class Switchboard:
    """Calls put together from lines of one kind of log, in the order of the file."""

    def __init__(self, kind: str) -> None:
        self._read = {"asterisk_cdr": self._record, "asterisk_queue_log": self._entry}[kind]
        self._open: dict[str, Call] = {}
        self._names: Sequence[str] | None = None
        self._now = 0.0

    def take(self, line: int, text: str) -> bool:
        """Read a line; False when it is not one of such a log."""
        return not text.strip() or self._read(line, text)

    def over(self) -> Iterator[Call]:
        """Calls that ended, each once."""
        for call in [one for one in self._open.values() if self._now - one.at > QUIET_SECONDS]:
            yield self._open.pop(call.call_id)
        while len(self._open) > MOST_OPEN:
            yield self._open.pop(next(iter(self._open)))

    def rest(self) -> Iterator[Call]:
        """The calls that are left at the end of the file."""
        yield from self._open.values()
        self._open = {}

    def _call(self, call_id: str, line: int, at: float) -> Call:
        call = self._open.pop(call_id, None) or Call(call_id, {"call_id": call_id})
        self._open[call_id] = call  # the one heard of last stands last
        call.line, call.at = line, at
        self._now = max(self._now, at)
        return call

    # call records --------------------------------------------------------------------------------------------------------

    def _record(self, line: int, text: str) -> bool:
        fields = next(csv.reader([text]), [])
        if self._names is None:
            names = heading(fields)
            self._names = names or ()
            if names:
                return True
        told = dict(zip(self._names, fields, strict=False)) if self._names else _by_place(fields)
        call_id, outcome = told.get("linkedid") or told.get("uniqueid", ""), _OUTCOMES.get(told.get("disposition", "").upper())
        start, at = told.get("start", ""), _seconds(told.get("end", "") or told.get("start", ""))
        if not (call_id and outcome and at is not None):
            return False
        direction, phone = _sides(told)
        duration = told.get("duration", "")
        end = told.get("end", "") or datetime.fromtimestamp(at + (int(duration) if duration.isdigit() else 0), UTC).strftime("%Y-%m-%d %H:%M:%S")
        peer = told.get("dstchannel" if direction == "inbound" else "channel", "")
        more = {"outcome": outcome, "adviser": _peer(peer), "talk_seconds": told.get("billsec", ""), "queue": told.get("lastdata", "").split(",")[0]
            if told.get("lastapp") == "Queue" else "", "wait_seconds": _between(start, told.get("answer", ""))}  # fmt: skip
        call = self._call(call_id, line, at)
        known = call.told
        if _STRENGTH[outcome] > _STRENGTH.get(known.get("outcome", ""), -1):
            known.update({name: value for name, value in more.items() if value})
        if phone and not known.get("phone"):
            known.update(phone=phone, direction=direction)
        known["started_at"] = min(start, known.get("started_at", start))
        known["ended_at"] = max(end, known.get("ended_at", end))
        known["duration_seconds"] = _between(known["started_at"], known["ended_at"]) or duration
        return True

    # queue_log -----------------------------------------------------------------------------------------------------------

    def _entry(self, line: int, text: str) -> bool:
        if not _QUEUE_LINE.match(text):
            return False
        moment, call_id, queue, adviser, event, *data = text.strip().split("|")
        if call_id in ("NONE", "REALTIME", "MANAGER", ""):
            self._now = max(self._now, float(moment))
            return True  # advisers coming and going: no call
        call = self._call(call_id, line, float(moment))
        known = call.told
        second = moment.partition(".")[0]
        if event == "ENTERQUEUE":
            known.setdefault("started_at", second)
            known.update({name: value for name, value in (("phone", data[1] if len(data) > 1 else ""), ("queue", queue)) if value}, direction="inbound")
        elif event == "CONNECT":
            known.update(adviser=_peer(adviser), outcome="answered", wait_seconds=_whole(data, 0))
        elif event in _ENDS:
            place, outcome = _ENDS[event]
            if _STRENGTH[outcome] >= _STRENGTH.get(known.get("outcome", ""), -1):
                more = {"outcome": outcome, "wait_seconds": _whole(data, place), "talk_seconds": _whole(data, _TALKED[event]) if event in _TALKED else ""}
                known.update({name: value for name, value in (more | {"ended_by": _ENDED_BY.get(event, "")}).items() if value})
        known["ended_at"] = second if event in _ENDS or event == "CONNECT" else known.get("ended_at", second)
        known.setdefault("queue", queue)
        known.setdefault("outcome", "no_answer")
        return True


def kind_of(head: str) -> str | None:
    """The log that a text begins like: one of `FORMATS`, or None."""
    lines = [line for line in head.splitlines() if line.strip()][:20]
    if not lines:
        return None
    if sum(bool(_QUEUE_LINE.match(line)) for line in lines) >= 0.8 * len(lines):
        return "asterisk_queue_log"
    rows = [row for row in csv.reader(lines) if row]
    if heading(rows[0]):
        return "asterisk_cdr"
    return "asterisk_cdr" if sum(_place_of_outcome(row) is not None for row in rows) >= 0.8 * len(rows) else None


def heading(fields: Sequence[str]) -> list[str] | None:
    """The columns of call records that a first line names; None when it names none."""
    plain = [re.sub(r"[\s_]", "", one.strip().lower().removeprefix("\ufeff")) for one in fields]
    names = [_NAMES.get(one, one) for one in plain]
    return names if {"src", "dst", "disposition", "uniqueid"} <= set(names) else None


def _place_of_outcome(fields: Sequence[str]) -> int | None:
    return next((place for place in (14, 13) if len(fields) > place + 1 and fields[place].upper() in _OUTCOMES and _seconds(fields[place - 5])), None)


def _by_place(fields: Sequence[str]) -> dict[str, str]:
    """A record without a heading: which of the two orders it has is told by where the outcome stands, the call's number by its form."""
    place = _place_of_outcome(fields)
    if place is None:
        return {}
    names = _CSV if place == 14 else _CUSTOM
    rest = [one for one in fields[len(names) :] if _UNIQUE.match(one)]
    return dict(zip(names, fields, strict=False)) | {"uniqueid": rest[0] if rest else "", "linkedid": rest[1] if len(rest) > 1 else ""}


def _sides(told: dict[str, str]) -> tuple[str, str]:
    """The direction, and the number of the customer; empty for calls inside the house and for callers who hid theirs."""
    caller, called = _digits(told.get("src", "")), _digits(told.get("dst", ""))
    inside = _is_extension(_peer(told.get("channel", ""))) and not _FROM_OUTSIDE.search(told.get("dcontext", ""))
    if _is_extension(caller) or (inside and not _is_extension(called)):
        return "outbound", "" if _is_extension(called) else called
    return "inbound", "" if _is_extension(caller) else caller


def _is_extension(number: str) -> bool:
    return len(number) <= _LONGEST_EXTENSION or not number.lstrip("+").isdigit()


def _digits(number: str) -> str:
    """A number without what people write between digits."""
    return re.sub(r"[\s().\-]", "", number)


def _peer(channel: str) -> str:
    """Whose channel it is: 201 of "PJSIP/201-00000013"."""
    found = _PEER.match(channel)
    return found[1] if found else channel


def _whole(data: Sequence[str], place: int) -> str:
    return data[place] if len(data) > place and data[place].isdigit() else ""


def _seconds(text: str) -> float | None:
    """A wall clock of the log as seconds; only differences mean anything."""
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def _between(one: str, other: str) -> str:
    start, end = _seconds(one), _seconds(other)
    return str(round(end - start)) if start is not None and end is not None and end >= start else ""


MAPPINGS: dict[str, dict[str, object]] = {
    kind: {
        "name": name, "event": "Call Ended", "time": "{ended_at}", "group_by": ["call_id"],
        "columns": {"ended_at": form, "started_at": dict(form), "wait_seconds": {"type": "integer"}, "talk_seconds": {"type": "integer"},
            "duration_seconds": {"type": "integer"}},
        "traits": {"phone": "{phone}"},
        "properties": {column: f"{{{column}}}" for column in COLUMNS if column not in ("phone", "ended_at", "started_at")},
    }
    for kind, name, form in (
        ("asterisk_cdr", "asterisk-cdr", {"type": "time", "zone": "Europe/Warsaw"}),
        ("asterisk_queue_log", "asterisk-queue-log", {"type": "time", "format": "epoch_seconds"}),
    )
}  # fmt: skip
