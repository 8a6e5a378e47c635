"""Prometheus metrics of the installation: one exporter, which reads counters that all processes share, so nothing is lost when one ends.

Labels are numbers of sources and words of closed lists: bounded, and never personal.
"""

import shutil
from collections.abc import Iterable
from typing import NamedTuple

from fastapi import Request
from starlette.responses import PlainTextResponse

from cegla.activate import actions as activate
from cegla.collect import actions as collect
from cegla.govern import actions as govern
from cegla.storage.workspace import Workspace
from cegla.vocabulary.text import Text

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metric(NamedTuple):
    """One row: its name, what Prometheus shall know about it, and its labels."""

    name: str
    kind: str  #: counter, gauge
    about: Text
    labels: tuple[str, ...] = ()


SOURCE = ("source",)
METRICS: dict[str, Metric] = {
    row.name: row
    for row in (
        Metric("cegla_events_accepted_total", "counter", Text("zdarzenia przyjęte, także czekające", "events accepted, also those that wait"), SOURCE),
        Metric("cegla_events_projected_total", "counter", Text("zdarzenia w historii", "events in the history"), SOURCE),
        Metric("cegla_events_duplicate_total", "counter", Text("zdarzenia powtórzone i pominięte", "events that came again and were left out"), SOURCE),
        Metric("cegla_events_quarantined_total", "counter", Text("zdarzenia odłożone z powodem", "events set aside with a reason"), SOURCE),
        Metric("cegla_events_ignored_total", "counter", Text("pominięte celowo przez mapowanie", "left out on purpose by a mapping"), SOURCE),
        Metric("cegla_events_waiting", "gauge", Text("zdarzenia, które czekają na przyjęcie", "events that wait for intake"), SOURCE),
        Metric("cegla_inbox_lag_seconds", "gauge", Text("wiek najstarszego czekającego żądania", "age of the oldest request that waits"), SOURCE),
        Metric("cegla_conservation_holds", "gauge", Text(
            "1, gdy przyjęte = w historii + powtórzone + odłożone + pominięte + czekające",
            "1 when accepted = projected + duplicate + quarantined + ignored + waiting",
        ), SOURCE),
        Metric("cegla_inbox_damaged_places", "gauge", Text("uszkodzone miejsca skrzynki", "places where the inbox's chain does not hold")),
        Metric("cegla_acknowledged_requests_gone", "gauge", Text("potwierdzone żądania, których brakuje", "acknowledged requests that are missing")),
        Metric("cegla_disk_free_bytes", "gauge", Text("wolne miejsce na dysku danych", "free space on the data disk")),
        Metric("cegla_disk_size_bytes", "gauge", Text("rozmiar dysku danych", "size of the data disk")),
        Metric("cegla_audit_chain_holds", "gauge", Text("1, gdy dziennik działań jest cały", "1 when the audit log is whole")),
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
        states = [str(one.state) for one in activate.campaigns(conn)]
        audit = govern.first_broken_audit(conn) is None
    found: list[Sample] = []
    for one in standing:
        label = (str(one.source_id),)
        found += [
            ("cegla_events_accepted_total", label, one.accepted), ("cegla_events_projected_total", label, one.applied),
            ("cegla_events_duplicate_total", label, one.repeated), ("cegla_events_quarantined_total", label, one.quarantined),
            ("cegla_events_ignored_total", label, one.ignored), ("cegla_events_waiting", label, one.waiting),
            ("cegla_inbox_lag_seconds", label, one.lag_seconds), ("cegla_conservation_holds", label, one.adds_up),
        ]  # fmt: skip
    data = ws.settings.data_dir
    disk = shutil.disk_usage(data if data.exists() else data.parent)
    found += [
        ("cegla_inbox_damaged_places", (), max((one.damaged for one in standing), default=0)),
        ("cegla_acknowledged_requests_gone", (), max((one.gone for one in standing), default=0)),
        ("cegla_disk_free_bytes", (), disk.free), ("cegla_disk_size_bytes", (), disk.total), ("cegla_audit_chain_holds", (), audit),
    ]  # fmt: skip
    return found + [("cegla_campaigns", (state,), states.count(state)) for state in sorted(set(states))]


def render(found: Iterable[Sample]) -> str:
    """Prometheus text: each metric with its help and type once, then its samples."""
    by_name: dict[str, list[Sample]] = {}
    for sample in found:
        by_name.setdefault(sample[0], []).append(sample)
    lines: list[str] = []
    for name, rows in by_name.items():
        metric = METRICS[name]
        lines += [f"# HELP {name} {metric.about.en}", f"# TYPE {name} {metric.kind}"]
        lines += [f"{name}{_labels(metric.labels, values)} {float(value):.17g}" for _, values, value in rows]
    return "\n".join([*lines, ""])


def _labels(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    if not names:
        return ""
    pairs = (f'{name}="{value}"' for name, value in zip(names, values, strict=True))
    return "{" + ",".join(pairs) + "}"
