"""Events through enrichment into a warehouse, and what an analyser finds of the people in it."""

import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
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
from cegla.vocabulary.world import World

ZONE = ZoneInfo("Europe/Warsaw")


def found(
    analyser: Analyser, told: Sequence[tuple[int, Event]], now: datetime, world: World | None = None, *, learn: bool = False
) -> dict[int, dict[str, Any]]:
    """Person → trait → what is kept of it, of (person, event) pairs in order of time; with `learn` the analyser learns of them first."""
    people = sorted({person for person, _ in told})
    tables = enriched_tables([event for _, event in told], [person for person, _ in told], Batch(1, 1, ZONE), Sessions({}), Memory(world))
    with tempfile.TemporaryDirectory(prefix="cegla-bench-") as folder:
        warehouse = Warehouse(Path(folder) / "w.duckdb")
        warehouse.append(tables)
        with analysing.seen_of(warehouse, people, [analyser], When(now, ZONE), Devices()) as seen:
            params = analyser.fit.learn(analysing.facts_of(warehouse, seen, analyser.fit.learn_from, people), now) if learn and analyser.fit else {}
            documents = analysing.found_by(warehouse, seen, analyser, people, (params, now, Devices(), {})).documents()
        warehouse.close()
    return {person: document["traits"] for person, document in documents}
