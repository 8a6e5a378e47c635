"""Searches: what a person looks for on the site and before they came, of which brands, whether to learn or to buy, and what they did not find.

Queries lose half their weight every 30 days. Categories and brands come from what the base looked at and bought; a query that names a person
or anything of a special category counts as a search and says nothing more. Which words somebody typed is kept of searches elsewhere only, and
only what several people typed.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import ibis
import numpy as np

from cegla.profile.rules.analysis import AnalysedTrait, Analyser, Facts, Fit, Found, Params
from cegla.profile.rules.confidence import share_lower_bounds
from cegla.profile.rules.guards import Seen, Table, gathered, half_life, joined_facts
from cegla.profile.rules.queries import Catalogue, Query, is_refined, lemmas_of, read_query
from cegla.reference.topics import TAXONOMY, TOPICS
from cegla.vocabulary.text import Text

HALF_LIFE_DAYS = 30.0
SEARCHED = ("Site Searched", "Products Searched", "Search Performed", "Products List Filtered")
MOST_KEPT = 5
LEAST_PEOPLE = 3  #: who typed or bought it, for a word to be kept of the base
MOST_CATALOGUE_WORDS, MOST_BRANDS = 3_000, 500
INTENTS = {"nav": Text("szuka strony sklepu", "to find a page"), "info": Text("chce się dowiedzieć", "to learn"), "trans": Text("chce kupić", "to buy")}


def facts(seen: Seen) -> Table:
    """For each person the searches in their order, with the results that were told, and the terms that brought them."""
    events = seen.events
    asked = events.filter(events.name.isin(SEARCHED) & ibis.coalesce(events.property_query, events.property_search_term).notnull())
    told: Any = ibis.coalesce(asked.property_results, asked.property_results_count, asked.property_result_count).try_cast("float64")
    left: Any = asked.weight * half_life(asked.age_days, HALF_LIFE_DAYS)
    query: Any = ibis.coalesce(asked.property_query, asked.property_search_term)
    asked = asked.mutate(query=query.substr(0, 200), told=told, left=left.round(6))
    row: Any = ibis.struct({"query": asked.query, "session": asked.session_id, "told": asked.told, "weight": asked.left})
    own = asked.group_by("person_id").agg(searches=row.collect(order_by=[asked.occurred_at, asked.event_id]))
    brought = events.filter(ibis.coalesce(events.referrer_term, events.campaign_term).notnull())
    term: Any = ibis.coalesce(brought.referrer_term, brought.campaign_term)
    visits = brought.mutate(term=term).group_by("person_id", "session_id", "term").agg(
        weight=(brought.weight * half_life(brought.age_days, HALF_LIFE_DAYS)).max()
    )  # fmt: skip
    everybody = events.group_by("person_id").agg(events=events.count())
    return joined_facts(everybody, own, gathered(visits, "terms", what="term"))


def read(facts: Facts, params: Params, now: datetime) -> Mapping[str, Found]:
    """Each query is read once; topics, brands and intents are decayed shares."""
    catalogue, known_terms = Catalogue(params), set(params.get("terms", ()))
    read_before: dict[tuple[str, bool], Query] = {}

    def said(text: str, on_site: bool) -> Query:
        if (text, on_site) not in read_before:
            read_before[text, on_site] = read_query(text, catalogue, on_site=on_site)
        return read_before[text, on_site]

    people = [
        _Person([(said(one["query"], True), one) for one in searches or ()], [(said(str(term), False), weight) for term, weight in terms], known_terms)
        for searches, terms in zip(facts.values("searches"), facts.pairs("terms"), strict=True)
    ]  # fmt: skip
    n = np.array([one.count for one in people])
    clear = np.array([len(one.kept) for one in people])
    topics, brands = [one.ranked("topics") for one in people], [one.ranked("brand") for one in people]
    intents = [one.intent() for one in people]
    share = np.array([found[1] for found in intents])
    priced = np.array([one.asking_price for one in people])
    counted, empty = np.array([one.counted for one in people]), np.array([one.empty for one in people])
    external = [one.external for one in people]
    n_external = np.array([len(one.terms) for one in people])
    searches, refined = np.array([one.searches for one in people]), np.array([one.refined for one in people])
    return {
        "search.topics": Found([one[0] for one in topics], _sure(topics, n), _counts(topics), {"searches": n, "first_topic": _firsts(topics)}),
        "search.brands": Found([one[0] for one in brands], _sure(brands, n), _counts(brands), {"searches": n, "first_brand": _firsts(brands)}),
        "search.intent": Found([one[0] for one in intents], share_lower_bounds(share * clear, clear), clear,
            {"clear": clear, "intent_share": np.round(share, 3)}),
        "search.zero_results": Found(np.where(counted > 0, empty, np.nan), share_lower_bounds(counted, counted), counted, {"empty": empty, "counted": counted}),
        "search.refinements": Found(np.where(searches > 0, refined, np.nan), searches / (searches + 2.0), searches,
            {"refined": refined, "own_searches": searches}),
        "search.price_words": Found(np.round(priced / np.maximum(clear, 1), 3), clear / (clear + 4.0), clear, {"priced": priced, "clear": clear}),
        "search.external_terms": Found(external, n_external / (n_external + 2.0), np.where([one is not None for one in external], n_external, 0),
            {"brought": n_external}),
    }  # fmt: skip


class _Person:
    """The searches of one person: on the site in their order, and terms that brought them."""

    def __init__(self, asked: Sequence[tuple[Query, Mapping[str, Any]]], terms: Sequence[tuple[Query, float]], known_terms: set[str]) -> None:
        self.searches, self.terms = len(asked), [query for query, _ in terms]
        self.count = self.searches + len(terms)
        self.kept = [(query, float(one["weight"])) for query, one in asked if query.kept] + [(query, weight) for query, weight in terms if query.kept]
        self.asking_price = sum(query.asks_price for query, _ in self.kept)
        results = [one["told"] for _, one in asked if one["told"] is not None]
        self.counted, self.empty = len(results), sum(found <= 0 for found in results)
        self.refined = sum(
            before[1]["session"] == after[1]["session"] and is_refined(before[0], after[0]) for before, after in pairwise(asked)
        )
        often = sorted((query.text for query, _ in terms if query.kept and query.text.lower() in known_terms))
        self.external = list(dict.fromkeys(often))[:MOST_KEPT] or None

    def ranked(self, kind: str) -> tuple[list[str] | None, int, float]:
        """The topics or brands most looked for, in how many searches any was, and the share of the first."""
        weights: dict[str, float] = {}
        times = 0
        for query, weight in self.kept:
            found = query.topics if kind == "topics" else tuple(filter(None, [query.brand]))
            times += bool(found)
            for name in found:
                weights[name] = weights.get(name, 0.0) + weight / len(found)
        order = sorted(weights, key=lambda name: (-round(weights[name], 6), name))[:MOST_KEPT]
        return order or None, times, weights[order[0]] / sum(weights.values()) if order and sum(weights.values()) > 0 else 0.0

    def intent(self) -> tuple[str | None, float]:
        """What most of the weight is about, and its share."""
        weights: dict[str, float] = {}
        for query, weight in self.kept:
            weights[query.intent] = weights.get(query.intent, 0.0) + weight
        best = min(weights, key=lambda name: (-round(weights[name], 6), name), default=None)
        whole = sum(weights.values())
        return best, weights[best] / whole if best and whole > 0 else 0.0


def _sure(ranked: Sequence[tuple[Any, int, float]], n: Any) -> Any:
    times = _counts(ranked)
    return share_lower_bounds(np.array([share for _, _, share in ranked]) * times, times)


def _counts(ranked: Sequence[tuple[Any, int, float]]) -> Any:
    return np.array([times for _, times, _ in ranked])


def _firsts(ranked: Sequence[tuple[list[str] | None, int, float]]) -> list[str | None]:
    return [names[0] if names else None for names, _, _ in ranked]


def _learn_from(seen: Seen) -> Table:
    """Words of products by category, brands, and terms, each with who met them."""
    lines, events = seen.lines, seen.events
    named = lines.filter(lines["product"].notnull() & lines.category.notnull())
    products = named.select("person_id", what=named["product"].substr(0, 100) + "\x1f" + named.category.substr(0, 60), weight=ibis.literal(1.0))
    branded = events.filter(events.property_brand.notnull()).select("person_id", what=ibis._.property_brand.substr(0, 60), weight=ibis.literal(1.0))
    brought = events.filter(ibis.coalesce(events.referrer_term, events.campaign_term).notnull())
    term: Any = ibis.coalesce(brought.referrer_term, brought.campaign_term)
    terms = brought.select("person_id", what=term.substr(0, 100).lower(), weight=ibis.literal(1.0))
    everybody = events.group_by("person_id").agg(events=events.count())
    return joined_facts(everybody, gathered(products, "products"), gathered(branded, "brands"), gathered(terms, "terms"))


def _learn(facts: Facts, now: datetime) -> Params:
    """The catalogue as several people know it: brands, words with the categories they tell of, and terms that several people typed."""
    brands, terms = _common(facts, "brands")[:MOST_BRANDS], _common(facts, "terms")[:MOST_CATALOGUE_WORDS]
    return {"brands": brands, "terms": terms, "words": _telling(_common(facts, "products"))}


def _common(facts: Facts, name: str) -> list[str]:
    """What at least `LEAST_PEOPLE` people share, by alphabet."""
    _, places, texts, _ = facts.coded(name)
    people = np.bincount(places, minlength=len(texts)) if texts else np.zeros(0)
    return sorted(text for text, times in zip(texts, people.tolist(), strict=True) if times >= LEAST_PEOPLE)


def _telling(products: Sequence[str]) -> dict[str, dict[str, float]]:
    """Word → category → how telling: the share of its products that are in the category, less for words of many categories."""
    counts: dict[str, dict[str, int]] = {}
    for one in products:
        product, _, category = one.partition("\x1f")
        for lemma in dict.fromkeys((*lemmas_of(product), *lemmas_of(category))):
            if len(lemma) > 2:
                of_word = counts.setdefault(lemma, {})
                of_word[category] = of_word.get(category, 0) + 1
    chosen = sorted(counts, key=lambda word: (-sum(counts[word].values()), word))[:MOST_CATALOGUE_WORDS]
    return {
        word: {category: round(times / sum(counts[word].values()) / len(counts[word]) ** 0.5, 4) for category, times in sorted(counts[word].items())[:20]}
        for word in sorted(chosen)
    }  # fmt: skip


ANALYSER = Analyser(
    key="search",
    label=Text("Wyszukiwania", "Searches"),
    promise=Text("Czego osoba szuka, jakich marek, czy po to, by kupić, i czego nie znalazła.",
        "What a person looks for, of which brands, whether to buy, and what they did not find."),
    inputs=(
        "property.query", "property.search_term", "property.results", "property.results_count", "property.result_count", "property.brand", "referrer_term",
        "campaign_term", "line.product", "line.category",
    ),
    facts=facts,
    read=read,
    traits=(
        AnalysedTrait("search.topics", Text("Czego szuka", "Looks for"), "list",
            Text("Z {searches} wyszukiwań najwięcej dotyczy: {first_topic}.", "Of {searches} searches most are about {first_topic}."), TOPICS.names),
        AnalysedTrait("search.brands", Text("Marki, których szuka", "Brands looked for"), "list",
            Text("W {searches} wyszukiwaniach najczęściej: {first_brand}.", "Most often in {searches} searches: {first_brand}.")),
        AnalysedTrait("search.intent", Text("Po co szuka", "Why they search"), "word",
            Text("{intent_share} z {clear} zapytań ma ten zamiar.", "{intent_share} of {clear} queries have this intent."), INTENTS),
        AnalysedTrait("search.zero_results", Text("Wyszukiwania bez wyników", "Searches without results"), "number",
            Text("{empty} z {counted} wyszukiwań nic nie znalazło.", "{empty} of {counted} searches found nothing.")),
        AnalysedTrait("search.refinements", Text("Poprawione zapytania", "Queries refined"), "number",
            Text("{refined} z {own_searches} wyszukiwań poprawiało poprzednie w tej samej wizycie.",
                "{refined} of {own_searches} searches refined the one before in the same visit.")),
        AnalysedTrait("search.price_words", Text("Pytania o cenę", "Questions of price"), "share",
            Text("{priced} z {clear} zapytań pyta o cenę lub okazję.", "{priced} of {clear} queries ask for a price or a bargain.")),
        AnalysedTrait("search.external_terms", Text("Hasła, które przywiodły", "Terms that brought them"), "list",
            Text("Hasła z wyszukiwarek i reklam ({brought}), które wpisało kilka osób: {value}.",
                "Terms of search engines and ads ({brought}) that several people typed: {value}.")),
    ),
    method=Text(
        "Formy podstawowe słów, marki i kategorie z własnego katalogu, zamiar według słów wskazujących (Broder), poprawki w obrębie wizyty; półokres 30 dni.",
        "Base forms of words, brands and categories of the own catalogue, intent by cue words (Broder), refinements within a visit; half-life 30 days.",
    ),
    purpose="profiling",
    schedule="hourly",
    min_evidence=1,
    half_life_days=HALF_LIFE_DAYS,
    ages=True,
    version=2,
    data=TAXONOMY,
    fit=Fit(_learn_from, _learn),
)  # fmt: skip
