"""Bounces of sixty mail systems: what ours makes of each beside the verdicts of Sisimai, and beside the usual rule that 5.x.x is a dead address.

The messages and verdicts are those of the tests (`tests/activate/material`, with origin and licence). A person is found by the token of the
envelope, or else by the one in the copy of the message.
"""

import re
import time
from typing import Any

from bench.result import Result
from cegla.activate.letters import return_address
from cegla.activate.rules.bounces import failures
from cegla.activate.rules.returned import tokens_in
from tests.activate.others import files, rows

_FIRST_STATUS = re.compile(rb"^Status:\s*(\d)\.\d+\.\d+|\b([45])\d\d[ -][45]\.\d+\.\d+", re.MULTILINE)


class Unkeyed:
    """Keys whose signatures need not be believed here: only whether a token is found."""

    def signature(self, purpose: str, payload: bytes) -> bytes:
        """Sixteen bytes."""
        return (purpose.encode() + payload).ljust(16, b"x")[:16]


def main(_: list[str]) -> list[Result]:
    """Read every bounce once."""
    bounces = files("sisimai-bounces")
    judged = [row for row in rows("sisimai-bounces", "verdicts.jsonl") if row["verdicts"] and "same_as" not in row]
    keys: Any = Unkeyed()
    pairs, usual, found = [], 0, 0
    began = time.process_time()
    for row in judged:
        said = failures(bounces[row["file"]])
        pairs += [(verdict, said[place] if place < len(said) else None) for place, verdict in enumerate(row["verdicts"])]
    seconds = time.process_time() - began
    for number, row in enumerate(judged, 1):
        first = _FIRST_STATUS.search(bounces[row["file"]])
        usual += sum(verdict["hard"] == bool(first and b"5" in first.groups()) for verdict in row["verdicts"])
        address = return_address(keys, number, "bounce.example.pl")
        copy = bounces[row["file"]] + f"\nReturn-Path: <{address}>\n".encode()
        found += len(tokens_in(b"", address)) == 1 and len(tokens_in(copy)) == 1
    hard = sum(failure is not None and failure.hard == verdict["hard"] for verdict, failure in pairs) / len(pairs)
    reason = sum(failure is not None and failure.reason == verdict["reason"] for verdict, failure in pairs) / len(pairs)
    how = f"{len(judged)} messages, {len(pairs)} recipients"
    person, slow = found / len(judged), seconds / len(judged) * 1000
    return [
        Result("bounces: the person is found", 100 * person, "%", "≥ 99", person >= 0.99, f"{how}; by the envelope, and by the copy alone"),
        Result("bounces: hard or soft as Sisimai says", 100 * hard, "%", "≥ 95", hard >= 0.95, how),
        Result("bounces: the reason as Sisimai says", 100 * reason, "%", "≥ 85", reason >= 0.85, how),
        Result("bounces: hard or soft by the first digit", 100 * usual / len(pairs), "%", "shown", True, "the usual rule, on the same messages"),
        Result("bounces: reading one", slow, "ms", "shown", True, "processor time"),
    ]
