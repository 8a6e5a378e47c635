"""Social media: whose network a visit is said to come from, against visits whose source is known and which lost most of their traces.

3,000 visits from eight networks, three assistants and from nowhere, a person each. What is left of the source is drawn: the referrer half of the time,
the campaign's source, a click id and the network's own browser more rarely. One visit in six keeps nothing, and to say nothing of it is right; visits
from nowhere come from letters and the own site. The anchor is the referrer alone. The vectors of referrers are those of `bench enrichment`.
"""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from bench.analysers._histories import found
from bench.analysers._scores import calibration_error
from bench.enrichment import of_vectors
from bench.result import Result
from cegla.profile.analysers.social import ANALYSER
from cegla.reference.library import Library
from cegla.vocabulary.events import Event

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
VISITS = 3_000
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) {} Mobile/15E148 Safari/604.1"
#: Network: referrers, sources of campaigns, click id, what its own browser says of itself.
NETWORKS: dict[str, tuple[tuple[str, ...], tuple[str, ...], str, str]] = {
    "Facebook": (("https://l.facebook.com/", "https://m.facebook.com/"), ("facebook", "fb", "Facebook"), "fbclid", "[FBAN/FBIOS;FBAV/500.0]"),
    "Instagram": (("https://l.instagram.com/",), ("instagram", "ig"), "igshid", "Instagram 350.0.0"),
    "TikTok": (("https://www.tiktok.com/",), ("tiktok",), "ttclid", "musical_ly_38.0"),
    "LinkedIn": (("https://www.linkedin.com/", "https://lnkd.in/x"), ("linkedin",),
        "li_fat_id", "[LinkedInApp]/9.30"),
    "X": (("https://t.co/abc",), ("twitter", "x"), "twclid", "Twitter for iPhone/10.2"),
    "Pinterest": (("https://pl.pinterest.com/",), ("pinterest",), "epik", "[Pinterest/iOS]"),
    "YouTube": (("https://www.youtube.com/", "https://youtu.be/"), ("youtube", "yt"), "", ""), "Wykop": (("https://wykop.pl/",), ("wykop",), "", ""),
}  # fmt: skip
ASSISTANTS = {"ChatGPT": ("https://chatgpt.com/", "chatgpt.com"), "Perplexity": ("https://www.perplexity.ai/", "perplexity"),
    "Gemini": ("https://gemini.google.com/", "gemini")}
LEFT = {"referrer": 0.5, "campaign": 0.3, "click": 0.25, "in_app": 0.2}


def run() -> list[Result]:
    """Visits said right, said of nowhere, said by the referrer alone, and how well it is known; the two sets of referrers."""
    library, dice = Library(), random.Random(5)
    told: list[tuple[int, Event]] = []
    truth: dict[int, tuple[str, bool, bool]] = {}
    for person in range(1, VISITS + 1):
        source = dice.choice([*NETWORKS, *ASSISTANTS, "", "", ""])
        event, has_trace, by_referrer = _visit(dice, person, source)
        told.append((person, event))
        truth[person] = ("assistant" if source in ASSISTANTS else source, has_trace, by_referrer)
    answers = found(ANALYSER, told, NOW, library)
    library.settle()
    said = {person: _said(traits) for person, traits in answers.items()}
    traced = [person for person, (source, has_trace, _) in truth.items() if source and has_trace]
    right = sum(said.get(person, ("", 0.0))[0] == truth[person][0] for person in traced) / len(traced)
    alone = sum(truth[person][2] for person in traced) / len(traced)
    untraced = [person for person, (source, has_trace, _) in truth.items() if not (source and has_trace)]
    invented = sum(said.get(person, ("", 0.0))[0] != "" for person in untraced)
    pairs = [(sure, name == truth[person][0]) for person, (name, sure) in said.items() if name]
    error = calibration_error(np.array([sure for sure, _ in pairs]), np.array([float(hit) for _, hit in pairs]))
    return [
        Result("social: visits with a trace, the right network or assistant", 100 * right, "%", ">= 99", right >= 0.99,
            f"{len(traced):,} of {VISITS:,} visits keep a trace; the referrer alone tells {alone:.1%}"),
        Result("social: networks invented for visits without a trace", invented, f"of {len(untraced):,}", "0", invented == 0,
            "letters, the own site, nothing left"),
        Result("social: calibration error", error, "ECE", "report", True,
            f"{len(pairs):,} answers of one visit each: the confidence is a lower bound of a share, so it is modest"),
        *of_vectors(library),
    ]  # fmt: skip


def _visit(dice: random.Random, person: int, source: str) -> tuple[Event, bool, bool]:
    """An arrival, whether anything in it tells the source, and whether the referrer does."""
    query, referrer, agent, traces = "", "", PHONE.format("Version/18.5"), set[str]()
    if source in NETWORKS:
        referrers, sources, click, app = NETWORKS[source]
        traces = {name for name, chance in LEFT.items() if dice.random() < chance}
        traces -= {"click"} if not click else set()
        traces -= {"in_app"} if not app else set()
        referrer = dice.choice(referrers) if "referrer" in traces else ""
        query = "&".join([f"utm_source={dice.choice(sources)}&utm_medium=social"] * ("campaign" in traces) + [f"{click}=abc{person}"] * ("click" in traces))
        agent = PHONE.format(app) if "in_app" in traces else agent
    elif source:
        address, campaign = ASSISTANTS[source]
        traces = {name for name in ("referrer", "campaign") if dice.random() < LEFT[name] + 0.2}
        referrer = address if "referrer" in traces else ""
        query = f"utm_source={campaign}" if "campaign" in traces else ""
    else:
        query = dice.choice(["", "utm_source=newsletter&utm_medium=email", "utm_source=partner&utm_medium=referral"])
        referrer = dice.choice(["", "https://sklep.example/", "https://poczta.wp.pl/"])
    page = {"url": f"https://sklep.example/p/{person % 50}?{query}", "referrer": referrer, "title": "Kubki"}
    context: dict[str, Any] = {"userAgent": agent, "locale": "pl-PL", "page": page}
    at = NOW - timedelta(days=1 + person % 60)
    stamps = {"occurred_at": at, "received_at": at}
    event = Event(source_id=1, message_id=str(person), kind="page", name="Page Viewed", properties={}, traits={}, context=context, **stamps)
    return event, bool(traces), "referrer" in traces


def _said(traits: dict[str, Any]) -> tuple[str, float]:
    """The network or assistant that the one visit of a person is said to come from, and how sure that is."""
    if sources := traits["social.sources"]["value"]:
        return sources[0]["network"], traits["social.sources"]["confidence"]
    assistants = traits["social.ai_assistant_visits"]
    return ("assistant" if assistants["value"] else "", assistants["confidence"] if assistants["value"] else 0.0)
