"""Legal form on a labelled list of records (`legal_records.tsv`), beside the rule everybody starts with: a free mailbox is a consumer."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import pyarrow as pa

from bench.result import Result
from cegla.profile.analysers import legal
from cegla.profile.rules.analysis import Facts
from cegla.reference.words import WORDS

LATER = "# From here on"  #: the records below this line were written after the tables were done
RECORDS = Path(__file__).with_name("legal_records.tsv")


def run() -> list[Result]:
    """F1 over the five segments, how many were answered, and the anchor."""
    _, _, unseen = (text := RECORDS.read_text(encoding="utf-8")).partition(LATER)
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    late = len([line for line in unseen.splitlines()[1:] if line])
    truth = [row[0] for row in rows]
    facts = facts_of(rows)
    began = perf_counter()
    found = legal.read(facts, {}, datetime(2026, 11, 26, tzinfo=UTC))["legal.segment"]
    seconds = perf_counter() - began
    given = list(found.values)
    answered = sum(one is not None for one in given) / len(rows)
    rule = ["b2c" if WORDS.is_free_mail(row[2].rpartition("@")[2]) else "b2b" for row in rows]
    for row, one in zip(rows, given, strict=True):
        if one != row[0]:
            print(f"  {row[0]:>7} taken for {one}: {row[1] or '-'} <{row[2]}>")
    error = calibration_error(list(found.confidence), [one == right for one, right in zip(given, truth, strict=True)], given)
    anchor = macro_f1(truth, rule)
    fresh = sum(one == right for one, right in zip(given[-late:], truth[-late:], strict=True)) / late
    many = f"{len(rows)} records made by hand, names and table by one author"
    return [
        Result("legal form: macro-F1", round(macro_f1(truth, given), 3), "", "≥ 0.95", macro_f1(truth, given) >= 0.95, many),
        Result("legal form: right among records unseen by the tables", round(100 * fresh, 1), "%", "", True, f"{late} of them, {fresh * late:.0f} right"),
        Result("legal form: answered", round(100 * answered, 1), "%", "≥ 90 %", answered >= 0.9, many),
        Result("legal form: anchor, the free-mail rule alone", round(anchor, 3), "", "below", anchor < macro_f1(truth, given), many),
        Result("legal form: calibration error", round(error, 3), "", "≤ 0.05", error <= 0.05, "10 bins of confidence"),
        Result("legal form: speed", round(len(rows) / seconds), "records/s", "", True, "one core"),
    ]  # fmt: skip


def facts_of(rows: list[list[str]]) -> Facts:
    """The records as an analyser is given them."""
    people = range(1, len(rows) + 1)
    table: dict[str, Any] = {"person_id": list(people)}
    for name, mark, place in (("invoices", "i", 6), ("receipts", "p", 6), ("working", "w", 7), ("evening", "e", 7)):
        table[name] = [4 if row[place] == mark else 0 for row in rows]
    table |= {"orders": [4] * len(rows), "pieces": [1.0] * len(rows), "visits": [0] * len(rows), "business": [0] * len(rows)}
    told = {"declared.company": 1, "declared.nip": 3, "declared.last_name": 5}
    columns: dict[str, Any] = {name: [row[place] or None for row in rows] for name, place in told.items()}
    columns["identifier.email"] = [[row[2]] for row in rows]
    return Facts(list(people), pa.table(table), columns)


def macro_f1(truth: list[str], given: list[Any]) -> float:
    """The mean of the F1 of each class of the truth."""
    hits = Counter(one for one, right in zip(given, truth, strict=True) if one == right)
    said, there = Counter(given), Counter(truth)
    return sum(2 * hits[one] / (said[one] + there[one]) for one in there) / len(there)


def calibration_error(confidence: list[float], right: list[bool], given: list[Any]) -> float:
    """Expected calibration error (Naeini et al. 2015) of what was answered, over ten bins of equal width."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(10)]
    for sure, good, value in zip(confidence, right, given, strict=True):
        if value is not None:
            bins[min(int(sure * 10), 9)].append((sure, good))
    total = sum(map(len, bins))
    return sum(abs(sum(sure for sure, _ in one) - sum(good for _, good in one)) for one in bins) / total
