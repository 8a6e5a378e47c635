"""The click map of a million clicks: seconds from the history to the map of the busiest page, beside counting the rows alone."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

import ibis
import numpy as np
import pyarrow as pa

from bench.result import Result
from cegla.analyse.rules import click_map
from cegla.storage.warehouse import EVENTS, Warehouse, history

CLICKS, PEOPLE, PAGES = 1_000_000, 100_000, 40
NOW = datetime(2026, 11, 20, 12, 0)


def run() -> list[Result]:
    """Pages, elements, cells and one element of a million clicks over thirty days."""
    with tempfile.TemporaryDirectory() as folder:
        warehouse = Warehouse(Path(folder) / "w.duckdb")
        warehouse.append({"events": _clicks()})
        since = NOW - timedelta(days=30)
        began = perf_counter()
        first = warehouse.run(click_map.pages(history(), since, NOW)).to_pylist()[0]
        with warehouse.keep(click_map.clicks_of(history(), first["page"], first["viewport"], since, NOW)) as clicks:
            elements = warehouse.run(click_map.elements(clicks)).to_pylist()
            cells = warehouse.run(click_map.cells(clicks)).num_rows
            warehouse.run(click_map.within(clicks, elements[0]["element"]))
        seconds = perf_counter() - began
        began = perf_counter()
        past = history()
        warehouse.run(past.filter(past.name == "Element Clicked").aggregate(clicks=ibis._.count()))
        alone = perf_counter() - began
        warehouse.close()
    return [Result("clicks: the map of a million clicks", seconds, "s", "< 2", seconds < 2.0,
        f"{CLICKS:,} clicks of {PEOPLE:,} people on {PAGES} pages; {len(elements)} elements, {cells} cells; counting alone {alone:.3f} s")]  # fmt: skip


def _clicks() -> pa.Table:
    """A million clicks: a few elements and places of each page get most."""
    dice = np.random.default_rng(3)
    page, element = dice.zipf(1.5, CLICKS) % PAGES, dice.zipf(1.6, CLICKS) % 60
    x, y, across, down = dice.random((4, CLICKS)).round(3)
    kinds = np.array(["phone", "tablet", "desktop", "wide"])[dice.integers(0, 4, CLICKS)]
    texts = [
        f'{{"element":"main > div:nth-of-type({one}) > a","tag":"a","x":{left},"y":{top},"page_x":{right},"page_y":{round(low * 3_000)},'
        f'"page_height":3000,"viewport":"{kind}"}}'
        for one, left, top, right, low, kind in zip(element.tolist(), x.tolist(), y.tolist(), across.tolist(), down.tolist(), kinds.tolist(), strict=True)
    ]  # fmt: skip
    at = np.datetime64(NOW.replace(tzinfo=UTC).replace(tzinfo=None), "us") - dice.integers(0, 30 * 86_400_000_000, CLICKS).astype("timedelta64[us]")
    told = {
        "batch": pa.array(np.ones(CLICKS, np.int64)), "event_id": pa.array(np.arange(1, CLICKS + 1)), "identity_id": pa.array(dice.integers(1, PEOPLE, CLICKS)),
        "name": pa.array(["Element Clicked"] * CLICKS), "occurred_at": pa.array(at), "is_bot": pa.array(np.zeros(CLICKS, bool)),
        "page_path": pa.array([f"/p/{100 + one}" if one % 2 else f"/kategoria-{chr(97 + one % 26)}" for one in page.tolist()]), "properties": pa.array(texts),
    }  # fmt: skip
    return pa.table({field.name: told.get(field.name, pa.nulls(CLICKS, field.type)).cast(field.type) for field in EVENTS})
