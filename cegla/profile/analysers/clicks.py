"""Clicks: where on pages a person clicks, what annoyed them, whether calls to action work on them, and how they find their way.

The zone of a click comes from the path of its element; rage (three clicks within a second on one spot) and dead clicks (nothing happened) are
seen by the script, which knows what the page did. Clicks lose half their weight every 30 days. What elements say or what was typed is never here.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import ibis
import numpy as np

from cegla.profile.rules.analysis import AnalysedTrait, Analyser, Facts, Found, Params
from cegla.profile.rules.clicking import BANNER, CALL_TO_ACTION, MENU, SEARCH, zone_of
from cegla.profile.rules.confidence import share_lower_bounds
from cegla.profile.rules.guards import Seen, Table, half_life, joined_facts
from cegla.vocabulary.text import Text

HALF_LIFE_DAYS = 30.0
CLICKED = "Element Clicked"
WAYS = (SEARCH, MENU, BANNER)  #: how somebody finds their way
ZONES = {
    "menu": Text("menu", "menu"), "search": Text("wyszukiwarka", "search"), "banner": Text("banery", "banners"),
    "cta": Text("wezwania do działania", "calls to action"),
    "cart": Text("koszyk", "basket"), "filter": Text("filtry i strony listy", "filters and paging"), "footer": Text("stopka", "footer"),
    "gallery": Text("galeria", "gallery"), "product": Text("produkty", "products"), "form": Text("formularze", "forms"), "content": Text("treść", "content"),
}  # fmt: skip
STYLES = {"search": Text("przez wyszukiwarkę", "by search"), "menu": Text("przez menu", "by the menu"), "banner": Text("przez banery", "by banners")}


def facts(seen: Seen) -> Table:
    """For each person the elements clicked, with weights and clicks, and how many were rage or dead."""
    events = seen.events
    own = events.filter((events.name == CLICKED) & events.session_id.notnull())
    weight: Any = own.weight * half_life(own.age_days, HALF_LIFE_DAYS)
    told: Any = ibis.coalesce(own.property_element, own.property_selector)
    element: Any = told.substr(0, 200)
    named = own.mutate(what=element, left=weight).filter(element.notnull())
    counted = named.group_by("person_id", "what").agg(weight=named.left.sum().round(6), n=named.count())
    row: Any = ibis.struct({"what": counted.what, "weight": counted.weight, "n": counted.n})
    elements = counted.group_by("person_id").agg(elements=row.collect(order_by=counted.what))
    totals = own.group_by("person_id").agg(
        clicks=own.count(), rage=own.count(where=own.property_rage == "true"), dead=own.count(where=own.property_dead == "true"),
        visits=own.session_id.nunique(),
    )  # fmt: skip
    return joined_facts(totals, elements)


def read(facts: Facts, params: Params, now: datetime) -> Mapping[str, Found]:
    """Zones are decayed shares; rage and dead clicks are counts; the way is what most of search, menu and banner clicks were."""
    rows, codes, elements, (weights, times) = facts.coded("elements", "weight", "n")
    zones = list(ZONES)
    zone = np.array([zones.index(zone_of(element)) for element in elements], np.int64)[codes] if elements else np.zeros(0, np.int64)
    by_weight = np.bincount(rows * len(zones) + zone, weights, len(facts) * len(zones)).reshape(len(facts), len(zones))
    by_count = np.bincount(rows * len(zones) + zone, times, len(facts) * len(zones)).reshape(len(facts), len(zones))
    clicks, rage, dead, visits = (facts.counts(name) for name in ("clicks", "rage", "dead", "visits"))
    n = by_count.sum(axis=1).astype(np.int64)
    whole = np.maximum(by_weight.sum(axis=1), 1e-9)
    shares = by_weight / whole[:, None]
    cta = shares[:, zones.index(CALL_TO_ACTION)]
    best = np.argmax(np.round(shares, 6), axis=1)
    ways = by_weight[:, [zones.index(way) for way in WAYS]]
    finding = by_count[:, [zones.index(way) for way in WAYS]].sum(axis=1).astype(np.int64)
    way = np.argmax(np.round(ways, 6), axis=1)
    way_share = ways.max(axis=1) / np.maximum(ways.sum(axis=1), 1e-9)
    return {
        "clicks.zones": Found([_zones(row, zones) if many else None for row, many in zip(shares, n.tolist(), strict=True)], n / (n + 10.0), n,
            {"clicks": n, "first_zone": [zones[place] for place in best.tolist()], "zone_share": np.round(shares.max(axis=1), 3)}),
        "clicks.rage": Found(rage, share_lower_bounds(clicks, clicks), clicks, {"rage": rage, "all_clicks": clicks, "visits": visits}),
        "clicks.dead": Found(dead, share_lower_bounds(clicks, clicks), clicks, {"dead": dead, "all_clicks": clicks, "visits": visits}),
        "clicks.cta_affinity": Found(np.round(cta, 3), share_lower_bounds(np.maximum(cta, 1 - cta) * n, n), n,
            {"on_cta": by_count[:, zones.index(CALL_TO_ACTION)].astype(np.int64), "clicks": n}),
        "clicks.nav_style": Found([WAYS[place] if many else None for place, many in zip(way.tolist(), finding.tolist(), strict=True)],
            share_lower_bounds(way_share * finding, finding), finding, {"finding": finding, "way_share": np.round(way_share, 3)}),
    }  # fmt: skip


def _zones(row: Any, zones: list[str]) -> dict[str, float]:
    return {zones[place]: round(float(row[place]), 3) for place in np.flatnonzero(row > 0.0005).tolist()}


ANALYSER = Analyser(
    key="clicks",
    label=Text("Kliknięcia na stronach", "Clicks on pages"),
    promise=Text("W co osoba klika, co ją denerwuje i jak znajduje drogę po sklepie.",
        "What a person clicks, what annoys them, and how they find their way in the shop."),
    inputs=("property.element", "property.selector", "property.rage", "property.dead"),
    facts=facts,
    read=read,
    traits=(
        AnalysedTrait("clicks.zones", Text("Miejsca kliknięć", "Zones of clicks"), "shares",
            Text("Z {clicks} kliknięć najwięcej wagi ma: {first_zone} ({zone_share}).",
                "Of {clicks} clicks most weight is on: {first_zone} ({zone_share})."), ZONES),
        AnalysedTrait("clicks.rage", Text("Kliknięcia ze złości", "Rage clicks"), "number",
            Text("{rage} z {all_clicks} kliknięć w {visits} wizytach to trzecie w ciągu sekundy w to samo miejsce.",
                "{rage} of {all_clicks} clicks in {visits} visits were the third within a second on one spot.")),
        AnalysedTrait("clicks.dead", Text("Kliknięcia bez odpowiedzi", "Dead clicks"), "number",
            Text("Po {dead} z {all_clicks} kliknięć w {visits} wizytach nic się nie stało przez 2,5 sekundy.",
                "After {dead} of {all_clicks} clicks in {visits} visits nothing happened for 2.5 seconds.")),
        AnalysedTrait("clicks.cta_affinity", Text("Podatność na wezwania do działania", "Affinity to calls to action"), "share",
            Text("{on_cta} z {clicks} kliknięć było w przyciski wzywające do działania.",
                "{on_cta} of {clicks} clicks were on calls to action."), min_evidence=5),
        AnalysedTrait("clicks.nav_style", Text("Sposób poruszania się", "Way of finding things"), "word",
            Text("Tak wypada {way_share} z {finding} kliknięć w wyszukiwarkę, menu i banery.",
                "{way_share} of {finding} clicks on search, menu and banners are so."),
            STYLES, min_evidence=3),
    ),
    method=Text(
        "Strefa z drogi do elementu, kliknięcia ze złości i bez odpowiedzi ze skryptu strony; półokres 30 dni.",
        "The zone by the path of the element, rage and dead clicks as the script of the page saw them; half-life 30 days.",
    ),
    purpose="analytics",
    schedule="hourly",
    min_evidence=3,
    half_life_days=HALF_LIFE_DAYS,
    ages=True,
)  # fmt: skip
