"""Content read: which topics a person reads, at what time of day, how deeply, in which forms, and how new what they read is.

    page ──section, topics, title, address──► subject (words, or the model learnt of this site) ──engaged seconds, decaying──► topics of the person

A page weighs by the seconds it was in view and by how far it was scrolled, and loses half its weight every 30 days. A topic ranks by how much
more of it a person reads than the base does, so that the topic of the whole shop does not hide what is their own. Pages of health, belief,
politics and sensitive matters count for nobody.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import ibis
import numpy as np

from cegla.profile.rules.analysis import AnalysedTrait, Analyser, Facts, Fit, Found, Params
from cegla.profile.rules.confidence import share_lower_bounds
from cegla.profile.rules.guards import Seen, Table, half_life, in_order, joined_facts
from cegla.profile.rules.reading import Reading, known_words, read_pages, site_model, site_pages
from cegla.profile.rules.words_of_interest import favourite_words
from cegla.reference.topics import TAXONOMY, TOPICS
from cegla.vocabulary.text import Text

HALF_LIFE_DAYS = 30.0
VIEWS, LEFT = ("Page Viewed", "Screen Viewed"), "Page Left"
MOST_SECONDS, ASSUMED_SECONDS = 600.0, 10.0  #: of one page in one visit; assumed where no one said how long
DEEP_SECONDS, DEEP_SCROLL = 30.0, 75.0
RECENT_DAYS = 30.0
MOST_TOPICS = 5
LEAST_SHARE = 0.05
PRIOR_SECONDS = 120.0  #: of reading what everybody reads, added to everybody
#: The parts of `guards.DAYPARTS` without the weekend: 5–9, 9–17, 17–23, 23–5.
DAYPARTS = {"m": Text("rano (5–9)", "morning (5–9)"), "d": Text("w dzień (9–17)", "day (9–17)"), "e": Text("wieczorem (17–23)", "evening (17–23)"),
    "n": Text("w nocy (23–5)", "night (23–5)")}  # fmt: skip
LEAST_OF_DAYPART = 2
DAYPART_KEYS = {"m": "morning", "d": "day", "e": "evening", "n": "night"}
FORMATS = {
    "article": Text("artykuły", "articles"), "product": Text("produkty", "products"), "video": Text("filmy", "videos"), "recipe": Text("przepisy", "recipes"),
    "guide": Text("poradniki", "guides"), "questions": Text("pytania i odpowiedzi", "questions and answers"), "list": Text("listy i kategorie", "lists"),
    "event": Text("wydarzenia", "events"), "audio": Text("nagrania", "audio"), "other": Text("inne", "other"),
}  # fmt: skip
FORMAT_OF_KIND = {
    "article": "article", "newsarticle": "article", "blogposting": "article", "reportagenewsarticle": "article", "techarticle": "guide", "howto": "guide",
    "product": "product", "productgroup": "product", "offer": "product", "videoobject": "video", "video.other": "video", "video.movie": "video",
    "recipe": "recipe", "faqpage": "questions", "qapage": "questions", "question": "questions", "collectionpage": "list", "itemlist": "list",
    "searchresultspage": "list", "event": "event", "audioobject": "audio", "podcastepisode": "audio",
}  # fmt: skip
TRENDS = {"rising": Text("rośnie", "rising"), "steady": Text("bez zmian", "steady"), "falling": Text("spada", "falling")}
SEPARATOR = "\x1f"


class Topical(NamedTuple):
    """What people read by topic: weights (people by topics), the same of late and before, by daypart, and how many readings of any topic."""

    topics: list[str]
    weights: Any
    recent: Any
    before: Any
    dayparts: dict[str, Any]
    readings: Any


def facts(seen: Seen) -> Table:
    """For each person the pages read, by daypart and age, with weight and readings; how many were read deeply; forms; how old pages were."""
    readings = _readings(seen)
    weight: Any = readings.weight * half_life(readings.age_days, HALF_LIFE_DAYS) * readings.engaged * (0.5 + readings.scroll.fill_null(50.0) / 200.0)
    when: Any = readings.daypart + (readings.age_days < RECENT_DAYS).ifelse("r", "b")
    long = readings.select("person_id", "path", "heavy", "light", when=when, weight=weight)
    once = long.group_by("person_id", "when", "path").agg(  # what a page says of itself is one text a reader and path
        weight=long.weight.sum().round(6), n=long.count(), heavy=long.heavy.max().fill_null(""), light=long.light.max().fill_null(""),
    )  # fmt: skip
    counted = once.select("person_id", "weight", "n", what=_behind(SEPARATOR, [once.when, once.path, once.heavy, once.light]))
    row: Any = ibis.struct({"what": counted.what, "weight": counted.weight, "n": counted.n})
    pages = counted.group_by("person_id").agg(pages=in_order(row))
    kinds = readings.filter(readings.kind_of_page.notnull()).group_by("person_id", what="kind_of_page").agg(n=ibis._.count())
    kind: Any = ibis.struct({"what": kinds.what, "n": kinds.n})
    formats = kinds.group_by("person_id").agg(kinds=in_order(kind))
    deep: Any = (readings.seconds >= DEEP_SECONDS) & (readings.scroll >= DEEP_SCROLL)
    totals = readings.group_by("person_id").agg(
        readings=readings.count(), measured=readings.count(where=readings.seconds.notnull() & readings.scroll.notnull()), deep=readings.count(where=deep),
        seconds=readings.seconds.sum().round(0), dated=readings.count(where=readings.age_of_page.notnull()), age_of_page=readings.age_of_page.median(),
    )  # fmt: skip
    return joined_facts(totals, pages, formats)


def read(facts: Facts, params: Params, now: datetime) -> Mapping[str, Found]:
    """Topics by lift over the base, keywords by log-odds over it; the rest from counts."""
    rows, codes, whats, (weights, times) = facts.coded("pages", "weight", "n")
    pages = [_reading(what) for what in whats]
    found = read_pages(pages, params, site_pages(facts.told))
    topical = _topical((rows, codes, weights, times), pages, [one.subject.topic for one in found], len(facts))
    details = _details(rows, codes, weights, [(one.subject.topic, one.subject.detail) for one in found])
    values, shares, firsts = _ranked(topical, params, details)
    n = topical.readings
    words, n_words, best = favourite_words((rows, codes, weights, times), [one.words for one in found], params.get("words", {}), len(facts))
    measured, deep, dated = facts.counts("measured"), facts.counts("deep"), facts.counts("dated")
    formats, n_formats, first_format = _formats(facts)
    dayparts, n_dayparts = _dayparts(topical)
    seconds = facts.counts("seconds")
    return {
        "content.topics": Found(values, share_lower_bounds(shares * n, n), n, {"readings": n, "first": firsts, "first_share": np.round(shares, 3)}),
        "content.keywords": Found(words, n_words / (n_words + 5.0), n_words, {"pages_with": n_words, "best": best}),
        "content.depth": Found(np.where(measured > 0, np.round(deep / np.maximum(measured, 1), 3), np.nan), measured / (measured + 5.0), measured,
            {"deep": deep, "measured": measured, "minutes": np.round(seconds / 60, 1)}),
        "content.formats": Found(formats, n_formats / (n_formats + 5.0), n_formats, {"formed": n_formats, "first_format": first_format}),
        "content.freshness": Found(np.round(facts.numbers("age_of_page"), 1), dated / (dated + 5.0), dated, {"dated": dated}),
        "content.dayparts": Found(dayparts, n_dayparts / (n_dayparts + 8.0), n_dayparts, {"of_dayparts": n_dayparts}),
    }  # fmt: skip


def _readings(seen: Seen) -> Table:
    """One row a person, visit and page: how long, how far, when, and what the page says of itself."""
    events = seen.events
    own = events.filter(events.session_id.notnull() & events.page_path.notnull() & events.name.isin([*VIEWS, LEFT]))
    seconds = _number(ibis.coalesce(own.property_seconds, own.property_engaged_seconds))
    scroll = _number(ibis.coalesce(own.property_scroll_depth, own.property_scroll_percent))
    read = own.mutate(seconds=_within(seconds, 86_400.0), scroll=_within(scroll, 100.0))
    once = read.group_by("person_id", "session_id", path=read.page_path).agg(
        seconds=read.seconds.sum().round(3), scroll=read.scroll.max(), age_days=read.age_days.max(), weight=read.weight.max(), began=read.local_at.min(),
    )  # fmt: skip
    hour: Any = once.began.hour()
    once = once.mutate(
        engaged=ibis.least(once.seconds.fill_null(ASSUMED_SECONDS), MOST_SECONDS),
        daypart=ibis.cases((hour.between(5, 8), "m"), (hour.between(9, 16), "d"), (hour.between(17, 22), "e"), else_="n"),
    )
    pages = _pages(own)
    joined = once.left_join(pages, [once.person_id == pages.reader, once.path == pages.page]).drop("reader", "page")
    days: Any = joined.began.date().epoch_days() - joined.published.epoch_days()
    return joined.mutate(age_of_page=(days >= 0).ifelse(days, None))


def _within(number: Any, most: float) -> Any:
    """A number no less than 0 and no more than `most`; what was not told stays unknown, where the greater of nothing and 0 would be 0."""
    return number.notnull().ifelse(ibis.least(ibis.greatest(number, 0.0), most), ibis.null("float64"))


def _number(text: Any) -> Any:
    """A number that was told as text; null for what is none, "NaN" too."""
    found: Any = text.try_cast("float64")
    return found.isnan().ifelse(ibis.null("float64"), found)


def _pages(own: Table) -> Table:
    """What pages say of themselves, by reader and path: `heavy` is what they are filed under, `light` what they are called."""
    heavy: Any = _joined(own.property_section, own.property_breadcrumbs, own.property_subject_category, own.property_topics, own.property_keywords)
    light: Any = _joined(ibis.coalesce(own.property_subject, own.page_title), own.property_description)
    told = own.mutate(heavy=heavy, light=light).filter(own.name.isin(VIEWS))
    return told.group_by(reader="person_id", page="page_path").agg(
        heavy=told.heavy.max(), light=told.light.max(), kind_of_page=told.property_kind.lower().max(),
        published=told.property_published.substr(0, 10).try_cast("date").max(),
    )  # fmt: skip


def _joined(*columns: Any) -> Any:
    """Texts behind one another, at most 300 characters of each."""
    return _behind(" · ", [column.substr(0, 300).fill_null("").replace(SEPARATOR, " ") for column in columns])


def _behind(separator: str, columns: list[Any]) -> Any:
    between: Any = ibis.literal(separator)
    return between.join(columns)


def _reading(what: str) -> Reading:
    when, path, heavy, light = what.split(SEPARATOR, 3)
    return Reading(path, heavy, light, when[0], when[1] == "r")


def _topical(flat: tuple[Any, Any, Any, Any], pages: Sequence[Reading], topic_of: Sequence[str], people: int) -> Topical:
    rows, codes, weights, times = flat
    topics = sorted({one for one in topic_of if one and one != "blocked"})
    place_of = {topic: place for place, topic in enumerate(topics)}
    of_page = np.array([place_of.get(topic, -1) for topic in topic_of], np.int64) if pages else np.zeros(0, np.int64)
    place = of_page[codes]
    recent, part = np.array([page.is_recent for page in pages], bool)[codes], np.array([page.daypart for page in pages], "<U1")[codes]

    def summed(chosen: Any, of: Any) -> Any:
        kept = chosen & (place >= 0)
        flat_places = rows[kept] * max(len(topics), 1) + place[kept]
        return np.bincount(flat_places, of[kept], people * max(len(topics), 1)).reshape(people, max(len(topics), 1))

    everything = np.ones(len(rows), bool)
    dayparts = {name: (summed(part == name, weights), summed(part == name, times).sum(axis=1)) for name in DAYPARTS}
    readings = summed(everything, times).sum(axis=1).astype(np.int64)
    return Topical(topics, summed(everything, weights), summed(recent, weights), summed(~recent, weights), dayparts, readings)


def _ranked(topical: Topical, params: Params, details: Mapping[tuple[int, str], str]) -> tuple[list[Any], Any, list[str | None]]:
    """The topics of each person that stand out, the share of the first, and its name."""
    usual = np.array([params.get("usual", {}).get(topic, 0.0) for topic in topical.topics])
    whole = topical.weights.sum(axis=1, keepdims=True)
    share = topical.weights / np.maximum(whole, 1e-9)
    values, firsts = list[Any](), list[str | None]()
    if not topical.topics:
        return [None] * len(whole), np.zeros(len(whole)), [None] * len(whole)
    prior = np.where(usual > 0, usual, 1e-3)
    lift = ((topical.weights + PRIOR_SECONDS * prior) / (whole + PRIOR_SECONDS)) / prior if usual.any() else np.ones_like(share)
    score = np.where((share >= LEAST_SHARE) & (topical.weights > 0), share * np.log2(1.0 + lift), 0.0)
    order = np.argsort(-np.round(score, 6), axis=1, kind="stable")[:, :MOST_TOPICS]
    best = [np.take_along_axis(of, order, axis=1).tolist() for of in (share, lift, _trends(topical))]
    many = (np.take_along_axis(score, order, axis=1) > 0).sum(axis=1).tolist()  # what stands out stands first
    for person, (places, number, *told) in enumerate(zip(order.tolist(), many, *best, strict=True)):
        names = [topical.topics[place] for place in places[:number]]
        values.append([
            {"iab_id": details.get((person, name)) or name, "share": round(portion, 3), "lift": round(lead, 2), "trend": trend}
            for name, portion, lead, trend in zip(names, *told, strict=False)
        ] or None)  # fmt: skip
        firsts.append(names[0] if names else None)
    shares = np.where(np.array(many) > 0, np.take_along_axis(share, order[:, :1], axis=1)[:, 0], 0.0)
    return values, shares, firsts


def _trends(topical: Topical) -> Any:
    """Of each person and topic: whether its share of late is at least half as much again as before, or the other way round."""
    late, early = topical.recent.sum(axis=1, keepdims=True), topical.before.sum(axis=1, keepdims=True)
    now, then = topical.recent / np.maximum(late, 1e-9), topical.before / np.maximum(early, 1e-9)
    both = (late > 0) & (early > 0)
    return np.where(both & (now > 1.5 * then + 0.02), "rising", np.where(both & (then > 1.5 * now + 0.02), "falling", "steady"))


def _details(rows: Any, codes: Any, weights: Any, of_page: Sequence[tuple[str, str]]) -> dict[tuple[int, str], str]:
    """(person, topic) → the narrower topic that at least half of it is."""
    topics, narrow = sorted({topic for topic, _ in of_page if topic}), sorted({one for one in of_page if all(one)})
    if not narrow:
        return {}
    place_of, inner_of = {topic: place for place, topic in enumerate(topics)}, {one: place for place, one in enumerate(narrow)}
    outer = np.array([place_of.get(topic, -1) for topic, _ in of_page], np.int64)[codes]
    inner = np.array([inner_of.get(one, -1) for one in of_page], np.int64)[codes]
    named, detailed = outer >= 0, inner >= 0
    whole = np.bincount(rows[named] * len(topics) + outer[named], weights[named], (int(rows.max(initial=0)) + 1) * len(topics))
    keys, places = np.unique(rows[detailed] * len(narrow) + inner[detailed], return_inverse=True)
    (person, within), weight = np.divmod(keys, len(narrow)), np.bincount(places, weights[detailed], len(keys))
    around = np.array([place_of[topic] for topic, _ in narrow], np.int64)[within]
    most = weight > 0.5 * whole[person * len(topics) + around] + 1e-6
    return {(one, narrow[place][0]): narrow[place][1] for one, place in zip(person[most].tolist(), within[most].tolist(), strict=True)}


def _dayparts(topical: Topical) -> tuple[list[Any], Any]:
    """Of each daypart with enough readings its first topic."""
    people = len(topical.weights)
    values: list[list[dict[str, Any]]] = [[] for _ in range(people)]
    counted = np.zeros(people, np.int64)
    if topical.topics:
        for name, (weights, times) in topical.dayparts.items():
            whole, best = weights.sum(axis=1), np.argmax(np.round(weights, 6), axis=1)
            for person in np.flatnonzero((times >= LEAST_OF_DAYPART) & (whole > 0)).tolist():
                share = float(weights[person, best[person]] / whole[person])
                values[person].append({"daypart": DAYPART_KEYS[name], "iab_id": topical.topics[best[person]], "share": round(share, 3)})
                counted[person] += int(times[person])
    return [one or None for one in values], counted


def _formats(facts: Facts) -> tuple[list[Any], Any, list[str | None]]:
    """Shares of the forms of what was read."""
    values, counted, firsts = list[Any](), list[int](), list[str | None]()
    for found in facts.pairs("kinds", weight="n"):
        forms: dict[str, float] = {}
        for kind, times in found:
            form = FORMAT_OF_KIND.get(str(kind).strip(), "other")
            forms[form] = forms.get(form, 0.0) + times
        whole = sum(forms.values())
        values.append({form: round(times / whole, 3) for form, times in sorted(forms.items())} or None)
        counted.append(int(whole))
        firsts.append(max(sorted(forms), key=lambda form: forms[form]) if forms else None)
    return values, np.array(counted, np.int64), firsts


def _learn(facts: Facts, now: datetime) -> Params:
    """What the base reads: the usual share of each topic (each reader one vote), how many readers a word has, and the model of the site."""
    rows, codes, whats, (weights, times) = facts.coded("pages", "weight", "n")
    pages = [_reading(what) for what in whats]
    site = site_pages(facts.told)
    model = site_model(pages, rows, codes, site)
    found = read_pages(pages, model, site)
    topical = _topical((rows, codes, weights, times), pages, [one.subject.topic for one in found], len(facts))
    whole = topical.weights.sum(axis=1, keepdims=True)
    known = whole[:, 0] > 0
    usual = (topical.weights[known] / whole[known]).mean(axis=0) if known.any() else np.zeros(len(topical.topics))
    shares = {topic: round(float(usual[place]), 5) for place, topic in enumerate(topical.topics) if usual[place] > 0}
    return model | {"usual": shares, "words": known_words(rows, codes, [one.words for one in found])}


ANALYSER = Analyser(
    key="content",
    label=Text("Czytane treści", "Content read"),
    promise=Text("Jakie tematy osoba czyta, o jakiej porze, jak uważnie i w jakiej formie.",
        "Which topics a person reads, when, how deeply and in which form."),
    inputs=(
        "page_path", "page_title", "property.section", "property.breadcrumbs", "property.subject_category", "property.topics", "property.keywords",
        "property.subject", "property.description", "property.kind", "property.published", "property.seconds", "property.engaged_seconds",
        "property.scroll_depth", "property.scroll_percent", "site.pages",
    ),
    facts=facts,
    read=read,
    traits=(
        AnalysedTrait("content.topics", Text("Czytane tematy", "Topics read"), "records",
            Text("Przeczytane strony z tematem: {readings}; najbardziej wyróżnia się {first} ({first_share} uwagi).",
                "Pages read that have a topic: {readings}; what stands out most is {first} ({first_share} of the attention)."), TOPICS.names,
            named_by="iab_id"),
        AnalysedTrait("content.keywords", Text("Słowa kluczowe", "Keywords"), "list",
            Text("Słowa częstsze niż u innych na przeczytanych stronach ({pages_with}), najbardziej: {best}.",
                "Words more frequent than with others on the pages read ({pages_with}), most of all: {best}.")),
        AnalysedTrait("content.depth", Text("Uważność czytania", "Depth of reading"), "share",
            Text("{deep} z {measured} stron czytano co najmniej 30 sekund i do trzech czwartych; razem {minutes} minut.",
                "{deep} of {measured} pages were read for at least 30 seconds and three quarters down; {minutes} minutes together.")),
        AnalysedTrait("content.formats", Text("Formy treści", "Forms of content"), "shares",
            Text("Formy {formed} czytanych stron, najczęściej {first_format}.", "Forms of {formed} pages read, most often {first_format}."), FORMATS),
        AnalysedTrait("content.freshness", Text("Wiek czytanych treści (dni)", "Age of what is read (days)"), "number",
            Text("Połowa z {dated} stron z datą miała w chwili czytania najwyżej {value} dni.",
                "Half of {dated} pages with a date were at most {value} days old when read.")),
        AnalysedTrait("content.dayparts", Text("Tematy według pory dnia", "Topics by time of day"), "records",
            Text("Pierwszy temat każdej pory dnia, w której czytano co najmniej dwie strony; razem {of_dayparts}.",
                "The first topic of each time of day at which at least two pages were read; {of_dayparts} together."),
            TOPICS.names, min_evidence=4, named_by="iab_id"),
    ),
    method=Text(
        "Temat strony z działu, tagów, tytułu i adresu (IAB 3.1, słowa i model własnego serwisu); waga: sekundy w oknie i przewinięcie, półokres 30 dni; "
        "ranking według przewagi nad bazą.",
        "The topic of a page by its section, tags, title and address (IAB 3.1, words and a model of the own site); weight: seconds in view and scroll, "
        "half-life 30 days; ranked by the lead over the base.",
    ),
    purpose="profiling",
    schedule="nightly",
    min_evidence=3,
    half_life_days=HALF_LIFE_DAYS,
    ages=True,
    version=3,
    data=TAXONOMY,
    fit=Fit(facts, _learn),
)  # fmt: skip
