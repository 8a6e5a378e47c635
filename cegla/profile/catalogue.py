"""The table of analysers: one row each, from which docs, console, settings and the contract suite are derived.

An analyser is a file of `profile/analysers/` that ends in its row, `ANALYSER`; to be listed here is all it takes to run. Those that join
what others found stand behind them.
"""

from cegla.profile.analysers import (
    behav,
    call,
    clicks,
    consumer,
    content,
    device,
    engage,
    geolocation,
    intent,
    legal,
    online,
    os,
    place,
    quality,
    rhythm,
    search,
    social,
    wealth,
    weather,
)
from cegla.profile.rules.analysis import AnalysedTrait, Analyser

ANALYSERS: tuple[Analyser, ...] = (
    geolocation.ANALYSER,
    os.ANALYSER,
    device.ANALYSER,
    online.ANALYSER,
    engage.ANALYSER,
    intent.ANALYSER,
    rhythm.ANALYSER,
    place.ANALYSER,
    legal.ANALYSER,
    quality.ANALYSER,
    social.ANALYSER,
    content.ANALYSER,
    wealth.ANALYSER,
    weather.ANALYSER,
    call.ANALYSER,
    search.ANALYSER,
    behav.ANALYSER,
    clicks.ANALYSER,
    consumer.ANALYSER,  # last: it joins what the others found
)
BY_KEY: dict[str, Analyser] = {row.key: row for row in ANALYSERS}
TRAITS: dict[str, tuple[Analyser, AnalysedTrait]] = {trait.key: (row, trait) for row in ANALYSERS for trait in row.traits}
