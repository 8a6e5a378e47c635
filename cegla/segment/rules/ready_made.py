"""The segments every installation begins with: RFM groups, stages of the life cycle, and sets that rest on what people do and on what analysers find."""

from dataclasses import dataclass
from typing import Any

from cegla.segment.rules import rfm
from cegla.vocabulary.text import Text

LOOKS, LOOK_DAYS, SILENT_DAYS = 5, 30, 180
TOP_FIFTH, SURE = 80, 50


@dataclass(frozen=True)
class ReadyMade:
    """One segment: its key, its name in both languages (kept in Polish, shown in either), and its rule as JSON."""

    key: str
    name: Text
    rule: dict[str, Any]


def _found(trait: str, value: str) -> dict[str, Any]:
    return {"op": "trait_is", "trait": trait, "value": value, "confidence": SURE}


SETS: tuple[ReadyMade, ...] = (
    ReadyMade("set.window_shoppers", Text("Oglądają, nie kupują", "Window shoppers"), {"all": [
        {"op": "did", "event": "Product Viewed", "at_least": LOOKS, "days": LOOK_DAYS},
        {"op": "did_not", "event": "Order Completed", "days": SILENT_DAYS},
    ]}),
    ReadyMade("set.discount_hunters", Text("Łowcy rabatów", "Discount hunters"),
        {"op": "trait_over", "trait": "behav.discount_affinity", "value": TOP_FIFTH, "confidence": SURE}),
    ReadyMade("set.price_sensitive", Text("Wrażliwi na cenę", "Price sensitive"), _found("wealth.price_tier", "budget")),
    ReadyMade("set.premium", Text("Wybierają droższe", "Choose the dearer"), _found("wealth.price_tier", "premium")),
    ReadyMade("set.b2b", Text("Firmy (B2B)", "Companies (B2B)"), _found("consumer.side", "b2b")),
    ReadyMade("set.b2c", Text("Konsumenci (B2C)", "Consumers (B2C)"), _found("consumer.side", "b2c")),
)  # fmt: skip
READY_MADE: tuple[ReadyMade, ...] = (
    *(ReadyMade(f"rfm.{row.key}", Text(f"RFM: {row.label.pl}", f"RFM: {row.label.en}"), {"op": "rfm_group", "groups": [row.key]}) for row in rfm.GROUPS),
    *(
        ReadyMade(
            f"life_cycle.{stage.key}",
            Text(f"Etap: {stage.label.pl.partition(':')[0]}", f"Stage: {stage.label.en.partition(':')[0]}"),
            {"op": "life_cycle", "groups": [stage.key]},
        )
        for stage in rfm.STAGES
    ),
    *SETS,
)
