"""Call center: logs of a switchboard made with known calls, numbers in 200 ways of writing, hours people pick up, and moods of sentences.

Truth is known by construction, but for the sentences: hotel reviews of WCCRS (CC BY-SA 4.0, local only), of which the two clear moods are asked.
"""

import gzip
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from bench.analysers._scores import DATA
from bench.result import Result
from cegla.collect.rules.switchboard import Switchboard
from cegla.profile.analysers.call import DAYTIME, HOURS, Call, _hours  # pyright: ignore[reportPrivateUsage]
from cegla.profile.rules.call_notes import mood_of
from cegla.vocabulary.identifiers import normalized

CALLS = 20_000
PEOPLE = 1_000


def run() -> list[Result]:
    """Calls found in both kinds of logs, numbers matched, hours hit, moods right."""
    results = [_logs("asterisk_cdr", _records), _logs("asterisk_queue_log", _entries), _numbers(), _reached()]
    return [*results, *_moods()]


def _logs(kind: str, made: Any) -> Result:
    lines, truth = made(np.random.default_rng(7))
    board, calls, wrong = Switchboard(kind), [], 0
    began = time.process_time()
    for number, line in enumerate(lines, 1):
        wrong += not board.take(number, line)
        if number % 1_000 == 0:
            calls += board.over()
    calls += board.rest()
    seconds = time.process_time() - began
    found = {call.call_id: (call.told.get("phone"), call.told.get("outcome")) for call in calls}
    right = sum(found.get(call_id) == told for call_id, told in truth.items()) / len(truth) if len(found) == len(truth) == len(calls) else 0.0
    return Result(f"call: {kind} read right", 100 * right, "% of calls", "100", right == 1.0 and not wrong,
        f"{len(lines):,} lines of {len(truth):,} calls, {wrong} not understood; {len(lines) / seconds:,.0f} lines/s CPU")  # fmt: skip


def _records(random: np.random.Generator) -> tuple[list[str], dict[str, tuple[str | None, str]]]:
    """Call records: a call rings one to four advisers, some of them at once, so that the records of several calls lie mixed."""
    rows, truth = list[tuple[float, str]](), dict[str, tuple[str | None, str]]()
    start = datetime(2026, 3, 2, 8, tzinfo=UTC)
    for number in range(CALLS):
        call_id, phone = f"{1772438400 + number * 20}.{number}", f"+48{random.integers(500_000_000, 899_999_999)}"
        begun, inbound = start + timedelta(seconds=20 * number), random.random() < 0.7
        outcome = ("ANSWERED", "NO ANSWER", "BUSY")[int(random.choice(3, p=[0.6, 0.3, 0.1]))]
        rings = int(random.integers(1, 5)) if inbound else 1
        for ring in range(rings):
            last = ring == rings - 1
            ended = begun + timedelta(seconds=15 * (ring + 1) + (int(random.integers(10, 600)) if last and outcome == "ANSWERED" else 0))
            said = outcome if last else "NO ANSWER"
            answer = f"{begun + timedelta(seconds=15 * (ring + 1)):%Y-%m-%d %H:%M:%S}" if said == "ANSWERED" else ""
            caller, called, context = (phone, "100", "from-trunk") if inbound else ("201", phone, "internal")
            outside, inside = "PJSIP/trunk-0000000a", f"PJSIP/{200 + ring}-0000000b"
            channels = (outside, inside) if inbound else ("PJSIP/201-0000000c", outside)
            fields = ["", caller, called, context, f'""{caller}"" <{caller}>', *channels, "Queue" if inbound else "Dial", "sales,t",
                f"{begun:%Y-%m-%d %H:%M:%S}", answer, f"{ended:%Y-%m-%d %H:%M:%S}"]  # fmt: skip
            text = ",".join(f'"{field}"' for field in fields) + f',{(ended - begun).seconds},{5 if answer else 0},"{said}","DOCUMENTATION","{call_id}",""'
            rows.append((ended.timestamp(), text))
        truth[call_id] = (phone, {"ANSWERED": "answered", "NO ANSWER": "no_answer", "BUSY": "busy"}[outcome])
    return [text for _, text in sorted(rows)], truth


def _entries(random: np.random.Generator) -> tuple[list[str], dict[str, tuple[str | None, str]]]:
    """queue_log: a call waits in one queue or two, rings advisers, is taken or not; advisers come and go between."""
    rows, truth = list[tuple[float, str]](), dict[str, tuple[str | None, str]]()
    for number in range(CALLS):
        at = 1772438400 + 20 * number
        call_id, phone = f"{at}.{number}", f"+48{random.integers(500_000_000, 899_999_999)}"
        for place in range(queues := int(random.integers(1, 3))):
            queue = ("sales", "service")[place]
            rows.append((at, f"{at}|{call_id}|{queue}|NONE|ENTERQUEUE||{phone}|1"))
            at += int(random.integers(5, 60))
            rows.append((at, f"{at}|{call_id}|{queue}|PJSIP/201|RINGNOANSWER|5000"))
            if place < queues - 1:
                rows.append((at + 1, f"{at + 1}|{call_id}|{queue}|NONE|EXITWITHTIMEOUT|1|1|{at % 60}"))
                at += 2
        if random.random() < 0.6:
            ended = ("COMPLETECALLER", "COMPLETEAGENT")[int(random.integers(2))]
            rows.append((at + 5, f"{at + 5}|{call_id}|{queue}|PJSIP/202|CONNECT|12|{call_id}1|6"))
            rows.append((at + 90, f"{at + 90}|{call_id}|{queue}|PJSIP/202|{ended}|12|85|1"))
            truth[call_id] = (phone, "answered")
        else:
            rows.append((at + 30, f"{at + 30}|{call_id}|{queue}|NONE|ABANDON|1|1|30"))
            truth[call_id] = (phone, "abandoned")
        if number % 10 == 0:
            rows.append((at, f"{at}|NONE|NONE|PJSIP/203|PAUSE|lunch"))
    return [text for _, text in sorted(rows)], truth


def _numbers() -> Result:
    """Each of 20 numbers as people and switchboards write it: one number, one identity."""
    random = np.random.default_rng(7)
    wrong, tried = [], 0
    for number in (f"{first}{random.integers(10_000_000, 99_999_999)}"[:9] for first in ("50", "51", "53", "60", "66", "69", "72", "78", "79", "88") * 2):
        for text in _written(number):
            tried += 1
            if normalized("phone", text) != f"+48{number}":
                wrong.append(text)
    share = 1 - len(wrong) / tried
    return Result("call: numbers matched", 100 * share, "%", ">= 99.5", share >= 0.995, f"{tried} ways of writing; missed: {', '.join(wrong[:3]) or 'none'}")


def _written(number: str) -> Iterator[str]:
    one, two, three = number[:3], number[3:6], number[6:]
    yield from (number, f"{one} {two} {three}", f"{one}-{two}-{three}", f"+48{number}", f"+48 {one} {two} {three}", f"0048{number}",
        f"(+48) {one}-{two}-{three}", f"48{number}", f"tel. {one} {two} {three}", f"{one}.{two}.{three}",
        f"+48\u00a0{one}\u00a0{two}\u00a0{three}")  # fmt: skip


def _reached() -> Result:
    """People who pick up in their own hours, nine times in ten, and one time in six else; twelve calls by chance, then one call at each of the best hours."""
    random = np.random.default_rng(7)
    daytime = np.array([hour for hour in range(120) if hour % 24 in DAYTIME])
    hits, tries, base = 0.0, 0, 0.0
    learnt: dict[str, Any] = {}
    chances = []
    for _ in range(PEOPLE):
        chance, begin = np.full(HOURS, 1 / 6), int(random.integers(8, 18))
        days = random.random(7) < 0.8
        for hour in daytime.tolist():
            if begin <= hour % 24 < begin + 3 and days[hour // 24]:
                chance[hour] = 0.9
        chances.append(chance)
    usual = np.mean(chances, axis=0)
    learnt["base"] = usual.tolist()
    for chance in chances:
        at = random.choice(daytime, 12)
        own = [Call(1.0, 1.0, 4 if random.random() < chance[hour] else 1, "outbound", int(hour), "", "", 0, 0, 0, "") for hour in at]
        for name, _ in _hours(own, learnt):
            day, hour = name.split("-")
            hits, tries = hits + chance[(int(day) - 1) * 24 + int(hour)], tries + 1
        base += chance[daytime].mean()
    lift = (hits / tries) / (base / PEOPLE)
    return Result("call: picked up at the three best hours", lift, "times the base", ">= 1.5", lift >= 1.5,
        f"{hits / tries:.2f} against {base / PEOPLE:.2f}; {PEOPLE:,} simulated people, 12 calls each")  # fmt: skip


def _moods() -> list[Result]:
    file = DATA / "analysers" / "polish-text" / "wccrs_hotels_dev.txt.gz"
    if not file.exists():
        raise SystemExit(f"{file} is missing; CEGLA_BENCH_DATA names the folder of the shared data sets")
    with gzip.open(file, "rt", encoding="utf-8") as text:
        told = [(line[0], line[2:]) for line in text if line[0] in "23"]
    said = [(mood, mood_of(sentence)) for mood, sentence in told]
    known = [({"2": "positive", "3": "negative"}[mood], found) for mood, found in said if found in ("positive", "negative")]
    right = sum(mood == found for mood, found in known) / len(known)
    return [Result("call: mood of hotel sentences, by words", 100 * right, "% of answered", ">= 86", right >= 0.86,
        f"{len(known) / len(told):.0%} of {len(told)} clear sentences answered; nothing trained: no labelled notes may ship")]  # fmt: skip
