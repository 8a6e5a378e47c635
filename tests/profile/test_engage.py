"""Engagement: what the weights of actions are learnt from, on bases made by hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from cegla.profile.analysers.engage import ANALYSER, RULES, points
from cegla.profile.rules.analysis import Facts
from tests.profile.analysed import NOW, found


def base(looks: Sequence[float], visits: Sequence[float], outcome: Any, came: Any) -> Facts:
    """People with these sums of looks and visits, the same two weeks ago, and what they did since."""
    many = len(looks)
    sums = {kind: np.zeros(many) for kind in RULES} | {"look": np.asarray(looks), "visit": np.asarray(visits)}
    table = sums | {f"{kind}_then": column for kind, column in sums.items()}
    return Facts(range(many), pa.table({**table, "person_id": range(many), "known": [1] * many, "outcome": outcome, "came": came}))


def test_actions_weigh_by_what_told_an_order_and_by_what_told_a_return() -> None:
    looks, visits = [0.0, 0.0, 9.0, 9.0] * 60, [0.0, 9.0, 0.0, 9.0] * 60
    ordered = np.array([False, False, True, True] * 60) ^ (np.arange(240) % 9 == 0)
    came = np.array([False, True, False, True] * 60) ^ (np.arange(240) % 7 == 0)
    facts = base(looks, visits, ordered, came)
    learnt = ANALYSER.fit.learn(facts, NOW) if ANALYSER.fit else {}
    nothing, reader, buyer, both = points(facts, learnt)[:4]
    assert nothing < min(reader, buyer) and max(reader, buyer) < both
    plain = points(facts, {"model": learnt["model"]})
    assert plain[1] - plain[0] < 0.2 < reader - nothing  # reading alone never told an order


def test_a_base_where_everybody_came_back_is_judged_by_orders_alone() -> None:
    learnt = ANALYSER.fit.learn(base([0.0, 9.0] * 60, [1.0] * 120, [False, True] * 60, [True] * 120), NOW) if ANALYSER.fit else {}
    assert "model" in learnt and "coming" not in learnt


def test_returning_lifts_a_score_where_orders_and_replies_tell_nothing() -> None:
    deeds = [(person, days, "Page Viewed", {}) for person in range(1, 201) for days in ((30.0, 20.0, 3.0) if person % 2 else (30.0,))]
    deeds += [(person, 5.0, "Email Link Clicked", {}) for person in range(1, 201) if person % 4 in (1, 2)]
    scores = {person: traits["engage.score"] for person, traits in found(ANALYSER, deeds, learn=True).items()}
    assert scores[1] > scores[2] and scores[3] > scores[4]
