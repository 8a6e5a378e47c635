"""Home, work, rhythm and the consumer profile against the truth of a simulated base with noise, and how well they know how sure they are.

3,000 people (bench/analysers/_people.py): 35 % of visits by the mobile network alone, 28 % on the default point, 10 % through relays of which half
is not known, 4 % of lines in another powiat; 20 % work at home, 15 % by shifts, 15 % not at all. Nobody shares a browser. The anchor for home is
the powiat seen most, whatever the hour.
"""

import random
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from bench.analysers._people import DEFAULT_POINT, MISPLACED, MOBILE_ONLY, NOW, RELAYED, filled, truth
from bench.analysers._scores import calibration_error
from bench.result import Result
from cegla.profile import analysing
from cegla.profile.analysing import Devices, Told, When
from cegla.profile.catalogue import BY_KEY
from cegla.storage.warehouse import Warehouse, history

PEOPLE, EVENTS_EACH = 3_000, 160
ROWS = tuple(BY_KEY[key] for key in ("geo", "device", "rhythm", "place", "consumer"))
Addresses = dict[int, list[tuple[int, str, Any]]]


def run() -> list[Result]:
    """Precision and coverage of home and work, false work, addresses by side, and the calibration error of each."""
    people = truth(PEOPLE)
    with tempfile.TemporaryDirectory(prefix="cegla-bench-") as name:
        warehouse = filled(Path(name), PEOPLE, EVENTS_EACH)
        found = _found(warehouse, _addresses())
        seen = _most_seen(warehouse)
        warehouse.close()
    note = f"{PEOPLE:,} people, {EVENTS_EACH} events each; {MOBILE_ONLY} % mobile only, {DEFAULT_POINT} % default point, "
    note += f"{RELAYED} % relayed, half of it unseen, {MISPLACED} % misplaced"
    homes = {person: home for person, _, home, _ in people}
    works = {person: work for person, _, _, work in people if work}
    results = _judged("home", _values(found, "place.home"), homes, (0.95, 0.70), f"{note}; the powiat seen most: {_share_right(seen, homes):.3f}")
    results += _judged("work of who goes to an office", {p: v for p, v in _values(found, "place.work").items() if p in works}, works, (0.90, 0.60), note)
    others = [person for person, _, _, work in people if not work]
    false = sum(person in _values(found, "place.work") for person in others) / len(others)
    results.append(Result("place: work found of who goes to none", 100 * false, "%", "<= 3", false <= 0.03, f"{len(others):,} people; {note}"))
    kinds = {person: kind for person, kind, _, _ in people}
    results += _kinds(found, kinds, note)
    return results + _uses(found, note)


def _found(warehouse: Warehouse, addresses: Addresses) -> dict[str, dict[int, Any]]:
    """Trait → person → what was found."""
    everybody, told, joined = list(range(1, PEOPLE + 1)), Told(), {key for row in ROWS for key in row.joins}
    told["identity.email"] = addresses
    found: dict[str, dict[int, Any]] = {}
    with analysing.seen_of(warehouse, everybody, ROWS, When(NOW, ZoneInfo("Europe/Warsaw")), Devices()) as seen:
        for row in ROWS:
            judged = analysing.found_by(warehouse, seen, row, everybody, ({}, NOW, Devices(), told))
            told |= {f"trait.{trait.key}": judged.known(trait.key) for trait in row.traits if trait.key in joined}
            for person, document in judged.documents():
                for key, one in document["traits"].items():
                    if one["value"] is not None:
                        found.setdefault(key, {})[person] = one
    return found


def _addresses() -> Addresses:
    """Two addresses each, whose looks deceive in one of ten: a private one on a domain of its own, one for work at a free mailbox. Three of ten
    were given at a time that deceives too.
    """
    made: Addresses = {}
    for person in range(1, PEOPLE + 1):
        work = "osoba@wp.pl" if person % 10 == 3 else f"osoba@firma{person % 300}.pl"
        private = f"osoba@domek{person}.pl" if person % 10 == 7 else "osoba@gmail.com"
        noon, evening = NOW.replace(hour=10) - timedelta(days=1), NOW.replace(hour=19) - timedelta(days=1)
        dice = random.Random(person)
        given = [evening if dice.random() < 0.3 else noon, noon if dice.random() < 0.3 else evening]
        made[person] = [(PEOPLE + 2 * person, work, given[0]), (PEOPLE + 2 * person + 1, private, given[1])]
    return made


def _values(found: Mapping[str, Mapping[int, Any]], key: str) -> dict[int, Any]:
    return dict(found.get(key, {}))


def _most_seen(warehouse: Warehouse) -> dict[int, Any]:
    """The anchor: the powiat most events of a person are from."""
    events: Any = history()
    placed = events.filter(events.powiat.notnull())
    counted = placed.group_by("person_id", "powiat").agg(n=placed.count())
    best = counted.group_by("person_id").agg(powiat=counted.powiat.argmax(counted.n))
    return {row["person_id"]: {"value": row["powiat"]} for row in warehouse.run(best).to_pylist()}


def _share_right(found: Mapping[int, Any], right: Mapping[int, Any]) -> float:
    return sum(one["value"] == right.get(person) for person, one in found.items()) / max(len(found), 1)


def _judged(what: str, found: Mapping[int, Any], right: Mapping[int, Any], reach: tuple[float, float], note: str) -> list[Result]:
    precision, coverage = _share_right(found, right), len(found) / len(right)
    return [
        Result(f"place: {what}, precision", precision, "", f">= {reach[0]:.2f}", precision >= reach[0], note),
        Result(f"place: {what}, coverage", coverage, "", f">= {reach[1]:.2f}", coverage >= reach[1], note),
        _calibration(f"place: {what}", [(one["confidence"], one["value"] == right.get(person)) for person, one in found.items()]),
    ]


def _kinds(found: Mapping[str, Mapping[int, Any]], kinds: Mapping[int, str], note: str) -> list[Result]:
    """What kind of day, where it was told: office, home, shifts."""
    names = {"office": "office", "remote": "home", "shifts": "shifts", "idle": "home"}
    pairs = [(one["confidence"], one["value"] == names[kinds[person]]) for person, one in _values(found, "consumer.day").items()]
    right = sum(hit for _, hit in pairs) / max(len(pairs), 1)
    usual = max(Counter(names[kind] for kind in kinds.values()).values()) / len(kinds)
    told = f"told of {len(pairs):,}; always the most frequent: {usual:.2f}; {note}"
    shifts = [(one["confidence"], one["value"] == (kinds[person] == "shifts")) for person, one in _values(found, "rhythm.shift_worker").items()]
    shift_right = sum(hit for _, hit in shifts) / max(len(shifts), 1)
    return [
        Result("consumer: kind of day, right where told", right, "", ">= 0.90", right >= 0.90, told),
        _calibration("consumer: kind of day", pairs),
        Result("rhythm: who lives by shifts, right", shift_right, "", ">= 0.95", shift_right >= 0.95, f"told of {len(shifts):,}; {note}"),
        _calibration("rhythm: who lives by shifts", shifts),
    ]


def _uses(found: Mapping[str, Mapping[int, Any]], note: str) -> list[Result]:
    """Which address is for work, where it was told."""
    pairs: list[tuple[float, bool]] = []
    asked = 0
    for one in _values(found, "contact.addresses").values():
        for address in one["value"]:
            asked += 1
            if address["use"] != "unclear":
                pairs.append((address["sure"], address["use"] == ("work" if (address["identity"] - PEOPLE) % 2 == 0 else "private")))
    right = sum(hit for _, hit in pairs) / max(len(pairs), 1)
    told = f"{len(pairs):,} of {asked:,} addresses told; looks deceive in one of ten; {note}"
    return [
        Result("consumer: address for work or private, right where told", right, "", ">= 0.90", right >= 0.90, told),
        _calibration("consumer: address for work or private", pairs),
    ]


def _calibration(what: str, pairs: Iterable[tuple[float, bool]]) -> Result:
    sure = list(pairs)
    if not sure:
        return Result(f"{what}, calibration error", 1.0, "", "<= 0.05", False, "nothing was told")
    error = calibration_error(np.array([one for one, _ in sure]), np.array([float(hit) for _, hit in sure]))
    return Result(f"{what}, calibration error", error, "", "<= 0.05", error <= 0.05, f"ten bins of {len(sure):,} answers")
