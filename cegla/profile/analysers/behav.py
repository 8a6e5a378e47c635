"""Behaviour: what visits are for, how a person buys, whether discounts move them, where they act, what they do next, and when they do not act
like themselves.

The type of a visit follows Moe (2003); styles are percentiles in the own base of what people did, never of what they may be like: no psychographics.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import ibis
import numpy as np

from cegla.profile.rules.analysis import AnalysedTrait, Analyser, Facts, Fit, Found, Params
from cegla.profile.rules.confidence import share_lower_bounds
from cegla.profile.rules.guards import Seen, Table, gathered, joined_facts
from cegla.profile.rules.learning import percentiles, rank
from cegla.profile.rules.succession import learn_succession, next_events
from cegla.profile.rules.visiting import KINDS, Visit, departures, strategies
from cegla.vocabulary.text import Text

ORDERED, LOOKED = "Order Completed", ("Product Viewed", "Product Clicked", "Product Added", "Product Compared")
SEARCHED = ("Site Searched", "Products Searched", "Search Performed")
BUYING = ("Product Added", "Cart Viewed", "Checkout Started", "Payment Info Entered", ORDERED)
SIDE, TELLS = ("Page Left", "Element Clicked"), ("identify", "group", "alias")  #: events and kinds of calls by the way: no step of a visit
WEEKS = 16
RECENT = 3  #: events that say what comes next
MOST_NEXT = 3
LEAST_ORDERS = 2
VISITS = {"directed": Text("celowe", "directed"), "search": Text("poszukiwanie", "searching"), "browse": Text("przeglądanie", "browsing"),
    "knowledge": Text("zbieranie wiedzy", "building knowledge")}  # fmt: skip
STYLES = {"price_hunter": Text("łowca okazji", "price hunter"), "loyal": Text("wierny", "loyal"), "explorer": Text("odkrywca", "explorer"),
    "impulsive": Text("impulsywny", "impulsive"), "researcher": Text("badacz", "researcher")}  # fmt: skip
CHANNELS = {"site": Text("strona", "site"), "app": Text("aplikacja", "app"), "store": Text("sklep stacjonarny", "shop"), "phone": Text("telefon", "phone"),
    "message": Text("wiadomości", "messages")}  # fmt: skip
ANOMALIES = {"usual": Text("jak zwykle", "as usual"), "more": Text("znacznie częściej niż zwykle", "much more than usual"),
    "less": Text("znacznie rzadziej niż zwykle", "much less than usual")}  # fmt: skip


def facts(seen: Seen) -> Table:
    """For each person: visits by their measures, orders and discounts, how long before an order they looked, channels, weeks, and the last events."""
    events = seen.events
    own = events.filter(events.session_id.notnull())
    measures = _visits(seen)
    row: Any = ibis.struct({name: measures[name] for name in Visit._fields})
    visits = measures.group_by("person_id").agg(visits=row.collect(order_by=[measures.session_id]), n_visits=measures.count())
    weeks = own.filter(own.days_ago < 7 * WEEKS)
    weekly = gathered(weeks.group_by("person_id", what=(weeks.days_ago / 7).floor().cast("int64")).agg(
        weight=weeks.days_ago.nunique().cast("float64")), "weeks")  # fmt: skip
    channels = gathered(own.select("person_id", what=_channel(own), weight=own.weight), "channels")
    steps = _steps(own)
    last = steps.group_by("person_id").agg(steps=steps.count(), oldest_days=own.days_ago.max(), session=steps.session_id.argmax(
        ibis.struct({"at": steps.occurred_at, "id": steps.event_id})))  # fmt: skip
    newest = last.select(walker="person_id", walked="session")
    lately = steps.inner_join(newest, [steps.person_id == newest.walker, steps.session_id == newest.walked])
    trail = lately.group_by("person_id").agg(trail=lately.name.collect(order_by=[lately.occurred_at, lately.name]))
    return joined_facts(last.drop("session"), trail, visits, _buying(seen), weekly, channels)


def read(facts: Facts, params: Params, now: datetime) -> Mapping[str, Found]:
    """The type that most visits have; styles by percentile; the rest from counts."""
    visit_type, visit_share, n_visits = _visit_types(facts)
    orders, discounted = facts.counts("orders"), facts.counts("discounted")
    affinity = _affinity(facts, params)
    style, style_lead, style_rank = _styles(facts, params, affinity)
    steps = facts.counts("steps")
    trails = [tuple((trail or ())[-RECENT:]) for trail in facts.values("trail")]
    follows = {trail: next_events(params.get("next", {}), trail)[:MOST_NEXT] for trail in set(trails)}  # many people were last seen doing the same
    coming = [[{"event": name, "chance": chance} for name, chance in follows[trail]] or None for trail in trails]
    known_next = np.where([one is not None for one in coming], steps, 0)
    first_next = [one[0]["event"] if one else None for one in coming]
    chance = np.array([one[0]["chance"] if one else 0.0 for one in coming])
    channels = [_shares(found) for found in facts.pairs("channels")]
    unlike = _unlike(facts.matrix("weeks", WEEKS), np.minimum(facts.counts("oldest_days") // 7, WEEKS - 1))
    anomaly = ["usual" if not one else "more" if one > 0 else "less" for one in unlike.tolist()]
    n_weeks = np.minimum(facts.counts("oldest_days") // 7 + 1, WEEKS)
    return {
        "behav.visit_type": Found(visit_type, share_lower_bounds(visit_share * n_visits, n_visits), n_visits,
            {"n_visits": n_visits, "visit_share": np.round(visit_share, 3)}),
        "behav.style": Found(style, np.where(orders > 0, style_lead * orders / (orders + 3.0), 0.0), np.where([one is not None for one in style], orders, 0),
            {"orders": orders, "style_rank": style_rank}),
        "behav.discount_affinity": Found(affinity, orders / (orders + 4.0), orders,
            {"orders": orders, "discounted": discounted, "coupons": facts.counts("coupons")}),
        "behav.channel_pref": Found(channels, steps / (steps + 5.0), steps, {"steps": steps}),
        "behav.next_event": Found(coming, chance, known_next, {"last_event": [trail[-1] if trail else None for trail in trails], "next": first_next,
            "next_share": np.round(chance, 3)}),
        "behav.anomaly": Found(anomaly, n_weeks / (n_weeks + 6.0), n_weeks, {"weeks": n_weeks, "sigma": np.abs(unlike)}),
    }  # fmt: skip


def _steps(events: Table) -> Table:
    """What people did themselves in a visit, step by step."""
    return events.filter(events.session_id.notnull() & events.name.notin(SIDE) & events.kind.notin(TELLS))


def _visits(seen: Seen) -> Table:
    """One row a person and visit with the measures of `Visit`."""
    events, lines = seen.events, seen.lines
    own = _steps(events)
    page: Any = own.kind.isin(["page", "screen"])
    about_product: Any = own.property_kind.lower().isin(["product", "productgroup", "offer"]).fill_null(False)
    a_list: Any = own.property_kind.lower().isin(["collectionpage", "itemlist", "searchresultspage", "website"]).fill_null(False)
    # Where a product's page and "Product Viewed" tell of one look, the page is not counted again.
    steps = own.group_by("person_id", "session_id").agg(
        searches=own.count(where=own.name.isin(SEARCHED)).cast("float64"), buying=own.count(where=own.name.isin(BUYING)).cast("float64"),
        information=own.count(where=page & ~about_product & ~a_list).cast("float64"), pages=own.count(where=page & about_product).cast("float64"),
        page_products=own.page_path.nunique(where=page & about_product).cast("float64"),
    )  # fmt: skip
    sessions = own.select(line_event="event_id", line_session="session_id")
    looked = lines.filter(lines.name.isin(LOOKED))
    looked = looked.inner_join(sessions, looked.event_id == sessions.line_event)
    product: Any = ibis.coalesce(looked.product_id, looked["product"])
    products = looked.group_by(looker="person_id", looked_in="line_session").agg(
        shown=looked.event_id.nunique().cast("float64"), products=product.nunique().cast("float64"),
        kinds=looked.category.nunique().cast("float64"),
    )  # fmt: skip
    joined = steps.left_join(products, [steps.person_id == products.looker, steps.session_id == products.looked_in])
    shown, known = joined.shown.fill_null(0.0), joined.products.fill_null(0.0)
    looks: Any = ibis.greatest(shown, joined.pages)
    information: Any = ibis.greatest(joined.information - shown, 0.0)
    return joined.select(
        "person_id", "session_id", "searches", "buying", information=information, looks=looks, products=ibis.greatest(known, joined.page_products),
        kinds=ibis.greatest(joined.kinds.fill_null(0.0), (joined.page_products > 0).cast("float64")), steps=joined.searches + information + looks,
    )  # fmt: skip


def _buying(seen: Seen) -> Table:
    """Orders, those with a discount, how often the same product or category came again, and how many looks came before an order."""
    events, lines = seen.events, seen.lines
    bought = events.filter(events.name == ORDERED)
    coupon: Any = bought.property_coupon.fill_null("") != ""
    off: Any = (bought.property_discount.try_cast("float64").fill_null(0.0) > 0) | coupon
    orders = bought.group_by("person_id").agg(orders=bought.count(), discounted=bought.count(where=off), coupons=bought.count(where=coupon))
    paid = lines.filter(lines.name == ORDERED)
    product: Any = ibis.coalesce(paid.product_id, paid["product"])
    kinds = paid.group_by("person_id").agg(lines_bought=paid.count(), products_bought=product.nunique(), kinds_bought=paid.category.nunique())
    seen_before = lines.filter(lines.name.isin(LOOKED)).group_by("person_id").agg(looks_made=ibis._.event_id.nunique())
    asked = events.filter(events.name.isin(SEARCHED)).group_by("person_id").agg(searches_made=ibis._.count())
    return joined_facts(orders, kinds, seen_before, asked)


def _visit_types(facts: Facts) -> tuple[list[str | None], Any, Any]:
    """The strategy that most visits of a person have, its share, and how many visits have one."""
    owner, flat = facts.flat("visits")
    if not len(owner):
        return [None] * len(facts), np.zeros(len(facts)), np.zeros(len(facts), np.int64)
    kind = strategies(Visit(*(flat.field(name).cast("float64").fill_null(0.0).to_numpy(zero_copy_only=False) for name in Visit._fields)))
    known = kind >= 0
    counts = np.bincount(owner[known] * len(KINDS) + kind[known], minlength=len(facts) * len(KINDS)).reshape(len(facts), len(KINDS))
    n = counts.sum(axis=1)
    best = np.argmax(counts, axis=1)
    return [KINDS[place] if many else None for place, many in zip(best.tolist(), n.tolist(), strict=True)], counts.max(axis=1) / np.maximum(n, 1), n


def _affinity(facts: Facts, params: Params) -> Any:
    """The place among buyers of what discounts and coupons come to; 0 for who never used one, NaN for who never ordered."""
    used = sway(facts.counts("discounted") - facts.counts("coupons"), facts.counts("coupons"))
    place = rank(params["sway"], used) if params.get("sway") else 100.0 * used / (used + 2.0)
    return np.where(facts.counts("orders") > 0, np.round(np.where(used > 0, place, 0.0), 1), np.nan)


def sway(reduced: Any, coupons: Any) -> Any:
    """What orders at a reduced price and with a coupon say together: a coupon is asked for, so it says more; the tenth says less than the first."""
    return np.log1p(reduced) + 2.0 * np.log1p(coupons)


def _measures(facts: Facts) -> dict[str, Any]:
    """What styles are made of, each the greater the more; NaN of who never ordered."""
    orders, lines = facts.counts("orders"), np.maximum(facts.counts("lines_bought"), 1)
    some = orders > 0
    per_order = np.maximum(orders, 1)
    looks, searches = facts.counts("looks_made"), facts.counts("searches_made")
    again = 1.0 - facts.counts("products_bought") / lines
    return {name: np.where(some, value, np.nan) for name, value in (
        ("price_hunter", facts.counts("discounted") / per_order), ("loyal", again + np.log1p(orders) * 0.2),
        ("explorer", facts.counts("kinds_bought") / np.sqrt(lines)), ("impulsive", -(looks + searches) / per_order),
        ("researcher", (looks + 2.0 * searches) / per_order),
    )}  # fmt: skip


def _styles(facts: Facts, params: Params, affinity: Any) -> tuple[list[str | None], Any, Any]:
    """The style in which a person stands highest in the own base, by how much, and where; None before anything was learnt."""
    cuts = params.get("styles", {})
    measures = _measures(facts)
    if not cuts:
        return [None] * len(facts), np.zeros(len(facts)), np.full(len(facts), np.nan)
    names = list(STYLES)
    ranks = np.column_stack([rank(cuts[name], np.nan_to_num(measures[name], nan=-1e9)) for name in names])
    best = np.argmax(ranks, axis=1)
    top = ranks.max(axis=1)
    enough = (facts.counts("orders") >= LEAST_ORDERS) & (top >= 60.0)
    return [names[place] if one else None for place, one in zip(best.tolist(), enough.tolist(), strict=True)], top / 100.0, top


def _channel(own: Table) -> Any:
    told = own.property_channel.lower()
    return ibis.cases(
        (told.isin(["store", "pos", "shop", "offline"]), "store"), (own.name.startswith("Call"), "phone"), (own.kind == "screen", "app"),
        (own.name.startswith("Message") | own.name.startswith("Email") | own.name.startswith("SMS"), "message"), else_="site",
    )  # fmt: skip


def _shares(found: list[tuple[Any, float]]) -> dict[str, float] | None:
    whole = sum(weight for _, weight in found)
    return {str(name): round(weight / whole, 3) for name, weight in found} if whole > 0 else None


def _unlike(active: Any, weeks: Any) -> Any:
    """How everybody's last weeks depart from their own habit, by active days a week: without the week that is not over and those before the first event.

    Who has been known for as many `weeks` is looked at together.
    """
    found = np.zeros(len(weeks))
    for many in np.unique(weeks).tolist():
        alike = weeks == many
        found[alike] = departures(active[alike][:, many:0:-1])
    return found


def _learn_from(seen: Seen) -> Table:
    """What styles are made of, and the visits as sequences of events."""
    own = _steps(seen.events)
    everybody = seen.events.group_by("person_id").agg(events=seen.events.count())
    walks = own.group_by("person_id", "session_id").agg(walk=own.name.collect(order_by=[own.occurred_at, own.name]))
    trails = walks.group_by("person_id").agg(walks=walks.walk.collect(order_by=walks.session_id))
    return joined_facts(everybody, _buying(seen), trails)


def _learn(facts: Facts, now: datetime) -> Params:
    measures = _measures(facts)
    walks = [walk for own in facts.values("walks") for walk in own or ()]
    cuts = {name: [round(cut, 6) for cut in percentiles(column)] for name, column in measures.items()}
    some = facts.counts("orders") > 0
    used = sway((facts.counts("discounted") - facts.counts("coupons"))[some], facts.counts("coupons")[some])
    learnt = {"styles": cuts, "sway": [round(cut, 6) for cut in percentiles(used)]} if cuts["loyal"] else {}
    return learnt | {"next": learn_succession(walks)}


ANALYSER = Analyser(
    key="behav",
    label=Text("Zachowanie", "Behaviour"),
    promise=Text("Po co osoba przychodzi, jak kupuje, czy działają na nią rabaty, co zrobi dalej i kiedy zachowuje się inaczej niż zwykle.",
        "What a person comes for, how they buy, whether discounts move them, what they do next, and when they act unlike themselves."),
    inputs=("page_path", "property.kind", "property.channel", "property.discount", "property.coupon", "line.product_id", "line.product", "line.category"),
    facts=facts,
    read=read,
    traits=(
        AnalysedTrait("behav.visit_type", Text("Rodzaj wizyt", "Type of visits"), "word",
            Text("Taki charakter ma {visit_share} z {n_visits} wizyt.", "{visit_share} of {n_visits} visits are of this kind."), VISITS),
        AnalysedTrait("behav.style", Text("Styl kupowania", "Style of buying"), "word",
            Text("Na podstawie {orders} zamówień; w tym wymiarze osoba stoi wyżej niż {style_rank}% kupujących.",
                "From {orders} orders; in this the person stands above {style_rank}% of buyers."), STYLES, min_evidence=LEAST_ORDERS),
        AnalysedTrait("behav.discount_affinity", Text("Podatność na rabaty", "Discount affinity"), "score",
            Text("{discounted} z {orders} zamówień było z rabatem, w tym {coupons} z kuponem; wynik to miejsce wśród kupujących.",
                "{discounted} of {orders} orders had a discount, {coupons} of them a coupon; the score is the place among buyers."), min_evidence=LEAST_ORDERS),
        AnalysedTrait("behav.channel_pref", Text("Kanały działania", "Where they act"), "shares",
            Text("Podział {steps} działań: {value}.", "How {steps} actions are divided: {value}."), CHANNELS, min_evidence=3),
        AnalysedTrait("behav.next_event", Text("Co zrobi dalej", "What they do next"), "records",
            Text("Po „{last_event}” najczęściej następuje „{next}” ({next_share}).", "After “{last_event}” most often comes “{next}” ({next_share})."),
            named_by="event"),
        AnalysedTrait("behav.anomaly", Text("Odstępstwo od zwyczaju", "Departure from habit"), "word",
            Text("Dni aktywności w {weeks} tygodniach; suma odchyleń ostatnich: {sigma} odchylenia standardowego.",
                "Active days over {weeks} weeks; the last ones sum up to {sigma} standard deviations."), ANOMALIES, min_evidence=8),
    ),
    method=Text(
        "Typ wizyty według Moe (2003): rozpiętość kategorii, powtórzenia, udział wyszukiwania i stron z wiedzą; style jako percentyle bazy; łańcuch Markowa "
        "o zmiennej długości; suma skumulowana tygodni.",
        "Types of visits after Moe (2003): breadth of categories, repetition, shares of search and information; styles as percentiles of the base; a "
        "variable-order Markov chain; a cumulative sum over weeks.",
    ),
    purpose="profiling",
    schedule="nightly",
    min_evidence=1,
    ages=True,
    version=2,
    fit=Fit(_learn_from, _learn),
)  # fmt: skip
