"""Prometheus metrics of the installation: one exporter, which reads counters that all processes share, so nothing is lost when one ends.

Labels are numbers of sources and receivers, and words of closed lists: bounded, and never personal.
"""

import math
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from fastapi import Request
from starlette.responses import PlainTextResponse

from cegla import forgetting
from cegla.activate import actions as activate
from cegla.collect import actions as collect
from cegla.govern import actions as govern
from cegla.profile import actions as profile
from cegla.repair import actions as repair
from cegla.storage.workspace import Workspace
from cegla.sync import actions as sync
from cegla.vocabulary.messages import SkipReason
from cegla.vocabulary.text import Text

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metric(NamedTuple):
    """One row: its name, what Prometheus shall know about it, and its labels."""

    name: str
    kind: str  #: counter, gauge, histogram
    about: Text
    labels: tuple[str, ...] = ()


SOURCE = ("source",)
RECEIVER = ("receiver",)
WITHOUT_CONSENT = (SkipReason.NO_CONSENT, SkipReason.WITHDRAWN)
METRICS: dict[str, Metric] = {
    row.name: row
    for row in (
        Metric("cegla_events_accepted_total", "counter", Text("zdarzenia przyjęte, także czekające", "events accepted, also those that wait"), SOURCE),
        Metric("cegla_events_projected_total", "counter", Text("zdarzenia w historii", "events in the history"), SOURCE),
        Metric("cegla_events_duplicate_total", "counter", Text("zdarzenia powtórzone i pominięte", "events that came again and were left out"), SOURCE),
        Metric("cegla_events_quarantined_total", "counter", Text("zdarzenia odłożone z powodem", "events set aside with a reason"), SOURCE),
        Metric("cegla_events_in_quarantine", "gauge", Text("zdarzenia, które leżą w kwarantannie", "events that lie in quarantine"), SOURCE),
        Metric("cegla_events_ignored_total", "counter", Text("pominięte celowo przez mapowanie", "left out on purpose by a mapping"), SOURCE),
        Metric("cegla_events_waiting", "gauge", Text("zdarzenia, które czekają na przyjęcie", "events that wait for intake"), SOURCE),
        Metric("cegla_inbox_lag_seconds", "gauge", Text("wiek najstarszego czekającego żądania", "age of the oldest request that waits"), SOURCE),
        Metric("cegla_conservation_holds", "gauge", Text(
            "1, gdy przyjęte = w historii + powtórzone + odłożone + pominięte + czekające",
            "1 when accepted = projected + duplicate + quarantined + ignored + waiting",
        ), SOURCE),
        Metric("cegla_balance_holds", "gauge", Text(
            "1, gdy ostatni rachunek (źródła, piszący, końce łańcuchów) się zgadzał", "1 when the last count (sources, writers, heads of chains) added up",
        )),
        Metric("cegla_balance_checked_timestamp_seconds", "gauge", Text("kiedy ostatnio liczono", "when that was counted last")),
        Metric("cegla_answers_total", "counter", Text("odpowiedzi wszystkich kolektorów według statusu", "answers of all collectors by status"), ("status",)),
        Metric("cegla_requests_refused", "gauge", Text(
            "żądania bez 200 w ostatnich siedmiu dniach według powodu", "requests that got no 200 in the last seven days, by reason",
        ), ("source", "why")),
        Metric("cegla_commit_errors_total", "counter", Text("zapisy, które się nie udały", "commits that failed")),
        Metric("cegla_commit_seconds", "histogram", Text("czas trwałego zapisu grupy żądań", "time of committing a group of requests")),
        Metric("cegla_messages", "gauge", Text("wiadomości kampanii według stanu", "messages of campaigns by state"), ("channel", "state")),
        Metric("cegla_consent_denied_total", "counter", Text(
            "osoby, którym kampania nie mogła nic wysłać bez zgody", "people whom a campaign could send nothing for lack of consent",
        ), ("purpose", "channel")),
        Metric("cegla_suppression_hits_total", "counter", Text("pominięci: adres wykluczony", "people left out: address suppressed"), ("channel",)),
        Metric("cegla_inbox_damaged_places", "gauge", Text("uszkodzone miejsca skrzynki", "places where the inbox's chain does not hold")),
        Metric("cegla_acknowledged_requests_gone", "gauge", Text("potwierdzone żądania, których brakuje", "acknowledged requests that are missing")),
        Metric("cegla_history_set_aside_files", "gauge", Text(
            "uszkodzone pliki historii odłożone na bok i jeszcze nieusunięte", "damaged files of the history that were set aside and are still there",
        )),
        Metric("cegla_history_holds_erased", "gauge", Text(
            "1, gdy bajty usuniętych wierszy są jeszcze w pliku historii, do najbliższej nocy",
            "1 while the bytes of removed rows are still in the history's file, until the night",
        )),
        Metric("cegla_disk_free_bytes", "gauge", Text("wolne miejsce na dysku danych", "free space on the data disk")),
        Metric("cegla_disk_size_bytes", "gauge", Text("rozmiar dysku danych", "size of the data disk")),
        Metric("cegla_analyser_failures_total", "counter", Text("niepowodzenia analizatora", "failures of an analyser"), ("analyser",)),
        Metric("cegla_analyser_failing", "gauge", Text(
            "1, gdy ostatnie próby analizatora się nie udały i ktoś na niego czeka", "1 while an analyser's last attempts failed and somebody is due to it",
        ), ("analyser",)),
        Metric("cegla_audit_chain_holds", "gauge", Text("1, gdy dziennik działań jest cały", "1 when the audit log is whole")),
        Metric("cegla_receiver_failing", "gauge", Text(
            "1, gdy ostatnia próba u odbiorcy zmian segmentów się nie udała", "1 while the last try at a receiver of segments' changes failed",
        ), RECEIVER),
        Metric("cegla_receiver_messages", "gauge", Text(
            "wiadomości do odbiorcy: czekające i odrzucone na dobre", "messages to a receiver: that wait, that were refused for good",
        ), (*RECEIVER, "state")),
        Metric("cegla_campaigns", "gauge", Text("kampanie według stanu", "campaigns by state"), ("state",)),
    )
}  # fmt: skip

Sample = tuple[str, tuple[str, ...], float]


def metrics(request: Request) -> PlainTextResponse:
    """Everything in Prometheus text."""
    ws: Workspace = request.app.state.ws
    return PlainTextResponse(render(samples(ws)), media_type=CONTENT_TYPE, headers={"cache-control": "no-store"})


def samples(ws: Workspace) -> list[Sample]:
    """All figures now."""
    with ws.transaction() as conn:
        standing = collect.standing(conn)
        campaigns = activate.campaigns(conn)
        figures = collect.figures(conn)
        counted = collect.balance(conn)
        audit = govern.first_broken_audit(conn) is None
        waiting = repair.figures.waiting(conn)
        failing = profile.findings.failing(conn)
        receivers = sync.receivers(conn)
    found: list[Sample] = []
    for one in standing:
        label = (str(one.source_id),)
        found += [
            ("cegla_events_accepted_total", label, one.accepted), ("cegla_events_projected_total", label, one.applied),
            ("cegla_events_duplicate_total", label, one.repeated), ("cegla_events_quarantined_total", label, one.quarantined),
            ("cegla_events_in_quarantine", label, waiting.get(one.source_id, 0)),
            ("cegla_events_ignored_total", label, one.ignored), ("cegla_events_waiting", label, one.waiting),
            ("cegla_inbox_lag_seconds", label, one.lag_seconds), ("cegla_conservation_holds", label, one.adds_up),
        ]  # fmt: skip
        found += [("cegla_requests_refused", (*label, why), requests) for why, requests in one.refused.items()]
    data = ws.settings.data_dir
    disk = shutil.disk_usage(data if data.exists() else data.parent)
    found += [
        ("cegla_inbox_damaged_places", (), max((one.damaged for one in standing), default=0)),
        ("cegla_acknowledged_requests_gone", (), max((one.gone for one in standing), default=0)),
        ("cegla_history_set_aside_files", (), len(forgetting.set_aside(ws))), ("cegla_history_holds_erased", (), ws.warehouse.holds_erased),
        ("cegla_disk_free_bytes", (), disk.free), ("cegla_disk_size_bytes", (), disk.total), ("cegla_audit_chain_holds", (), audit),
    ]  # fmt: skip
    if counted is not None:
        found += [("cegla_balance_holds", (), counted.holds), ("cegla_balance_checked_timestamp_seconds", (), counted.checked_at.timestamp())]
    found += [("cegla_analyser_failures_total", (key,), one.failures) for key, one in failing.items()]
    found += [("cegla_analyser_failing", (key,), one.is_due) for key, one in failing.items()]
    return found + _of_collectors(figures) + _of_receivers(receivers) + _of_campaigns(campaigns)


def _of_collectors(figures: Iterable[collect.Figure]) -> list[Sample]:
    names = {"answers": "cegla_answers_total", "commit_errors": "cegla_commit_errors_total"}
    found: list[Sample] = [(names[one.name], (one.label,) if one.label else (), one.value) for one in figures if one.name in names]
    times = [one for one in figures if one.name.startswith("commit_seconds")]
    for one in sorted(times, key=lambda one: float(one.label) if one.label else math.inf):
        found.append((f"cegla_{one.name}", (one.label,) if one.label else (), one.value))
    return found


def _of_receivers(receivers: Iterable[sync.Receiver]) -> list[Sample]:
    found: list[Sample] = []
    for one in receivers:
        label = (str(one.id),)
        found += [("cegla_receiver_failing", label, one.enabled and one.tries > 0)]
        found += [("cegla_receiver_messages", (*label, "waiting"), one.waiting), ("cegla_receiver_messages", (*label, "refused"), one.refused)]
    return found


def _of_campaigns(campaigns: Sequence[activate.Campaign]) -> list[Sample]:
    states = Counter(str(one.state) for one in campaigns)
    messages, denied, suppressed = Counter[tuple[str, ...]](), Counter[tuple[str, ...]](), Counter[tuple[str, ...]]()
    for one in campaigns:
        for state, count in one.counts.items():
            messages[one.channel, state] += count
        denied[one.purpose, one.channel] += sum(one.skipped.get(reason, 0) for reason in WITHOUT_CONSENT)
        suppressed[(one.channel,)] += one.skipped.get(SkipReason.SUPPRESSED, 0)
    named = {"cegla_messages": messages, "cegla_consent_denied_total": denied, "cegla_suppression_hits_total": suppressed}
    found: list[Sample] = [("cegla_campaigns", (state,), states[state]) for state in sorted(states)]
    return found + [(name, label, count) for name, counts in named.items() for label, count in sorted(counts.items())]


def render(found: Iterable[Sample]) -> str:
    """Prometheus text: each metric with its help and type once, then its samples."""
    by_name: dict[str, list[Sample]] = {}
    for sample in found:
        by_name.setdefault(_family(sample[0]), []).append(sample)
    lines: list[str] = []
    for name, rows in by_name.items():
        metric = METRICS[name]
        lines += [f"# HELP {name} {metric.about.en}", f"# TYPE {name} {metric.kind}"]
        labels = ("le",) if metric.kind == "histogram" else metric.labels
        lines += [f"{own}{_labels(labels, values)} {float(value):.17g}" for own, values, value in rows]
    return "\n".join([*lines, ""])


def _family(name: str) -> str:
    """The metric of a sample: a histogram has three kinds of samples."""
    bare = name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
    return name if name in METRICS else bare


def _labels(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    if not values:
        return ""
    pairs = (f'{name}="{value}"' for name, value in zip(names, values, strict=True))
    return "{" + ",".join(pairs) + "}"
