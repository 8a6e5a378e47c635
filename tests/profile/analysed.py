"""Histories written by hand, and what an analyser finds of them: for tests whose expectation was worked out on paper."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from cegla.profile import analysing
from cegla.profile.analysing import Devices, When
from cegla.profile.rules.analysis import Analyser
from cegla.profile.rules.enrichment import Batch, enriched_tables
from cegla.profile.rules.memory import Memory
from cegla.profile.rules.sessions import Sessions
from cegla.storage.warehouse import Warehouse
from cegla.vocabulary.events import Event

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Warsaw")
AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
KINDS = {"Page Viewed": "page", "Identify": "identify", "Group": "group"}
Deed = tuple[int, float, str, dict[str, Any]]  #: person, days ago, event's name, properties; "path", "title" and "referrer" go to the page


def event_of(number: int, deed: Deed) -> Event:
    """The event of a deed."""
    _, days, name, given = deed
    at = NOW - timedelta(days=days)
    page = {"url": f"https://sklep.example{given.get('path', '/')}", "title": given.get("title", ""), "referrer": given.get("referrer", "")}
    properties = {key: value for key, value in given.items() if key not in ("path", "title", "referrer")}
    return Event(
        source_id=1, message_id=f"m{number}", kind=KINDS.get(name, "track"), name=name, occurred_at=at, received_at=at, properties=properties, traits={},
        context={"userAgent": AGENT, "locale": "pl-PL", "page": page},
    )  # fmt: skip


@contextmanager
def history_of(deeds: Sequence[Deed], world: Any = None) -> Generator[Warehouse]:
    """A warehouse that holds these deeds, the oldest first."""
    ordered = sorted(deeds, key=lambda deed: -deed[1])
    events = [event_of(number, deed) for number, deed in enumerate(ordered)]
    tables = enriched_tables(events, [deed[0] for deed in ordered], Batch(1, 1, ZONE), Sessions({}), Memory(world))
    with TemporaryDirectory() as folder:
        warehouse = Warehouse(Path(folder) / "w.duckdb", threads=1)
        try:
            warehouse.append(tables)
            yield warehouse
        finally:
            warehouse.close()


def found(analyser: Analyser, deeds: Sequence[Deed], *, learn: bool = False, told: dict[str, Any] | None = None, world: Any = None) -> dict[int, dict[str, Any]]:
    """What an analyser finds: person → trait → value, None where it is unknown. With `learn` it learns from these people first."""
    people = sorted({deed[0] for deed in deeds})
    with history_of(deeds, world) as warehouse, analysing.seen_of(warehouse, people, [analyser], When(NOW, ZONE), Devices()) as seen:
        params = analyser.fit.learn(analysing.facts_of(warehouse, seen, analyser.fit.learn_from, people, told), NOW) if learn and analyser.fit else {}
        documents = analysing.found_by(warehouse, seen, analyser, people, (params, NOW, Devices(), told or {})).documents()
    return {person: {key: one["value"] for key, one in document["traits"].items()} for person, document in documents}
