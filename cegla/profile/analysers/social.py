"""Social media: which networks and assistants bring a person, what of it ends in an order, what they share and which handles they declared.

A visit came from a network when its first referrer says so, when its campaign's source or click id does, or when it runs in the
network's own browser. A visit without any of them is unknown, not "direct from friends". Nobody's profile anywhere is looked at.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import ibis
import numpy as np

from cegla.profile.rules.analysis import AnalysedTrait, Analyser, Facts, Found, Params
from cegla.profile.rules.confidence import share_lower_bounds
from cegla.profile.rules.guards import Seen, Table, joined_facts
from cegla.vocabulary.text import Text

MOST_SOURCES = 8
MOST_HANDLES = 8
SHARES = ("Product Shared", "Cart Shared", "Content Shared", "Share Clicked", "Shared")
ORDERED = "Order Completed"
#: What campaigns write into utm_source, and click ids, by network.
NETWORK_OF_SOURCE = {
    "facebook": "Facebook", "fb": "Facebook", "facebook.com": "Facebook", "meta": "Facebook", "instagram": "Instagram", "ig": "Instagram",
    "instagram.com": "Instagram", "tiktok": "TikTok", "tiktok.com": "TikTok", "linkedin": "LinkedIn", "linkedin.com": "LinkedIn", "twitter": "X", "x": "X",
    "t.co": "X",
    "youtube": "YouTube", "youtube.com": "YouTube", "yt": "YouTube", "pinterest": "Pinterest", "pinterest.com": "Pinterest", "wykop": "Wykop",
    "wykop.pl": "Wykop",
    "reddit": "Reddit", "reddit.com": "Reddit", "snapchat": "Snapchat", "telegram": "Telegram", "whatsapp": "WhatsApp", "messenger": "Messenger",
    "threads": "Threads",
    "bluesky": "Bluesky", "discord": "Discord", "twitch": "Twitch",
}  # fmt: skip
ASSISTANT_OF_SOURCE = {"chatgpt.com": "ChatGPT", "chatgpt": "ChatGPT", "openai": "ChatGPT", "perplexity": "Perplexity", "perplexity.ai": "Perplexity",
    "copilot.com": "Copilot",
    "copilot": "Copilot", "gemini": "Gemini", "claude.ai": "Claude", "claude": "Claude"}  # fmt: skip
NETWORK_OF_CLICK = {"fbclid": "Facebook", "ttclid": "TikTok", "igshid": "Instagram", "igsh": "Instagram", "li_fat_id": "LinkedIn", "twclid": "X",
    "epik": "Pinterest",
    "sccid": "Snapchat", "rdt_cid": "Reddit"}  # fmt: skip
ONE_NAME = {"Twitter": "X", "tumblr": "Tumblr", "reddit": "Reddit"}
HANDLES = ("instagram", "facebook", "tiktok", "twitter", "linkedin", "youtube", "pinterest", "wykop")


def facts(seen: Seen) -> Table:
    """For each person: visits and orders by network, visits by assistant, things shared, the creator whose link came last."""
    events = seen.events
    active = events.filter(events.session_id.notnull())
    named = active.mutate(network=_network(active), assistant=_assistant(active))
    visits = named.group_by("person_id", "session_id").agg(
        network=named.network.argmin(named.event_id, where=named.network.notnull()),
        assistant=named.assistant.argmin(named.event_id, where=named.assistant.notnull()),
        ordered=(named.name == ORDERED).max(),
        creator=named.campaign_content.argmax(named.event_id, where=_by_creator(named)),
        at=named.occurred_at.max(), weight=named.weight.max(),
    )  # fmt: skip
    came = visits.filter(visits.network.notnull())
    counted = came.group_by("person_id", "network").agg(visits=came.count(), orders=came.ordered.cast("int64").sum())
    row: Any = ibis.struct({"network": counted.network, "visits": counted.visits, "orders": counted.orders})
    networks = counted.group_by("person_id").agg(networks=row.collect(order_by=[counted.visits.desc(), counted.network]))
    totals = visits.group_by("person_id").agg(
        visits=visits.count(), social=visits.network.notnull().cast("int64").sum(), assistants=visits.assistant.notnull().cast("int64").sum(),
        assistant=visits.assistant.max(), creator=visits.creator.argmax(visits["at"], where=visits.creator.notnull()),
    )  # fmt: skip
    shared = events.group_by("person_id").agg(shares=events.name.isin(SHARES).cast("int64").sum(), last=events.occurred_at.max()).drop("last")
    return joined_facts(shared, totals, networks)


def read(facts: Facts, params: Params, now: datetime) -> Mapping[str, Found]:
    """Counts as they are; how sure a favourite is comes from its visits."""
    visits, social, assistants, shares = (facts.counts(name) for name in ("visits", "social", "assistants", "shares"))
    told: list[list[Mapping[str, Any]] | None] = facts.values("networks")
    found = [one[:MOST_SOURCES] if one else [] for one in told]
    sources = [[{"network": one["network"], "visits": one["visits"], "conv": round(one["orders"] / one["visits"], 3)} for one in own] or None for own in found]
    first = [own[0]["network"] if own else None for own in found]
    handles = _handles(facts)
    declared = np.array([len(own) for own in handles])
    creators = facts.values("creator")
    by_creator = np.array([0 if one is None else 1 for one in creators])
    return {
        "social.sources": Found(sources, share_lower_bounds(social, social), social, {"social": social, "visits": visits, "first": first}),
        "social.share_events": Found(shares, share_lower_bounds(shares, shares), shares, {"shares": shares}),
        "social.handles": Found([own or None for own in handles], np.where(declared > 0, 1.0, 0.0), declared, {"told": declared}),
        "social.ai_assistant_visits": Found(assistants, share_lower_bounds(assistants, assistants), assistants,
            {"assistants": assistants, "visits": visits, "assistant": facts.values("assistant")}),
        "social.creator_ref": Found(creators, share_lower_bounds(by_creator, by_creator), by_creator, {"creators": by_creator}),
    }  # fmt: skip


def _network(events: Table) -> Any:
    by_referrer = (events.referrer_kind == "social").ifelse(_mapped(events.referrer_name, ONE_NAME, keep=True), None)
    in_app = events.in_app.notin(["Google", "Outlook"]).ifelse(events.in_app, None)
    return ibis.coalesce(by_referrer, in_app, _mapped(events.campaign_source.lower(), NETWORK_OF_SOURCE), _mapped(events.click_id, NETWORK_OF_CLICK))


def _assistant(events: Table) -> Any:
    by_referrer = (events.referrer_kind == "assistant").ifelse(events.referrer_name, None)
    return ibis.coalesce(by_referrer, _mapped(events.campaign_source.lower(), ASSISTANT_OF_SOURCE))


def _mapped(column: Any, names: Mapping[str, str], *, keep: bool = False) -> Any:
    return ibis.cases(*((column == word, name) for word, name in names.items()), else_=column if keep else ibis.null("string"))


def _by_creator(events: Table) -> Any:
    """Whether the link was a creator's: campaigns say so by their medium, and put the creator into utm_content."""
    return events.campaign_content.notnull() & events.campaign_medium.lower().isin(["influencer", "creator", "affiliate", "ambassador"])


def _handles(facts: Facts) -> list[list[str]]:
    """Networks of which a handle was declared; the handle itself stays in PostgreSQL."""
    columns = {name: facts.told.get(f"declared.{name}", [None] * len(facts)) for name in HANDLES}
    return [[name for name, column in columns.items() if isinstance(column[row], str) and column[row].strip()][:MOST_HANDLES] for row in range(len(facts))]


ANALYSER = Analyser(
    key="social",
    label=Text("Media społecznościowe", "Social media"),
    promise=Text("Z jakich serwisów społecznościowych i asystentów przychodzi osoba i co z tego wynika.",
        "Which social networks and assistants bring a person, and what comes of it."),
    inputs=(
        "referrer_kind", "referrer_name", "campaign_source", "campaign_medium", "campaign_content", "click_id", "in_app",
        *(f"declared.{name}" for name in HANDLES),
    ),
    facts=facts,
    read=read,
    traits=(
        AnalysedTrait("social.sources", Text("Serwisy, z których przychodzi", "Networks that bring them"), "records",
            Text("{social} z {visits} wizyt przyszło z serwisów społecznościowych, najwięcej: {first}.",
                "{social} of {visits} visits came from social networks, most from {first}."), named_by="network"),
        AnalysedTrait("social.share_events", Text("Udostępnienia", "Things shared"), "number",
            Text("Tyle razy osoba coś udostępniła: {shares}.", "How many times the person shared something: {shares}.")),
        AnalysedTrait("social.handles", Text("Podane konta", "Declared accounts"), "list",
            Text("Osoba sama podała konta ({told}): {value}.", "The person declared accounts ({told}): {value}.")),
        AnalysedTrait("social.ai_assistant_visits", Text("Wizyty z asystentów AI", "Visits from AI assistants"), "number",
            Text("{assistants} z {visits} wizyt przyszło z asystenta, na przykład {assistant}.",
                "{assistants} of {visits} visits came from an assistant, such as {assistant}.")),
        AnalysedTrait("social.creator_ref", Text("Twórca, który polecił", "Creator who referred them"), "word",
            Text("Ostatni link twórcy, którym przyszła osoba: {value}.", "The last link of a creator that brought the person: {value}.")),
    ),
    method=Text(
        "Pierwszy referrer wizyty, przeglądarka w aplikacji, utm_source i identyfikator kliknięcia; wizyta bez nich jest nieznana.",
        "The first referrer of a visit, the in-app browser, utm_source and the click id; a visit without them is unknown.",
    ),
    purpose="analytics",
    schedule="hourly",
    data="searchengine-and-social-list 2026-07-15",
)  # fmt: skip
