"""What a campaign changed: its variants beside each other, and everybody it was meant for beside the group held out.

Everybody counts in the arm they were drawn into at the launch, whatever became of their message, from the launch on: so the arms differ
by chance and by the campaign alone. Whose clicks may not be measured are left out of the comparison of clicks in every arm alike.
"""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from cegla.activate import actions as activate
from cegla.analyse.rules import campaigns
from cegla.analyse.rules.experiment import ALPHA, Difference, Result, Sums, judge
from cegla.govern import actions as govern
from cegla.resolve import actions as resolve
from cegla.storage.warehouse import history
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.errors.messages import CampaignNotReady
from cegla.vocabulary.text import Text

AT_ONCE = 50_000
EVERYBODY = "campaign"
DEFINITION = Text(
    "Każda osoba liczy się w grupie wylosowanej przy starcie, cokolwiek stało się z wiadomością; zamówienia z {days} dni od startu, bez zwrotów; wcześniejsze "
    "zakupy z {before} dni zmniejszają szum (CUPED). Przedziały 95 % obowiązują przy każdym podglądzie. Otwarcia nigdy nie decydują.",
    "Everybody counts in the group drawn at the launch, whatever became of the message; orders within {days} days of the launch, without refunds; purchases of "
    "the {before} days before take out noise (CUPED). The 95 % intervals hold at every look. Opens never decide.",
)


@dataclass(frozen=True)
class Arm:
    """A group: people drawn into it, buyers, orders and their value since the launch; `clicked` of those `measured`."""

    key: str
    people: int
    buyers: int
    orders: int
    value_micros: int
    measured: int
    clicked: int


@dataclass(frozen=True)
class Incremental:
    """What the whole campaign brought more than without it, with the interval: orders in orders, revenue in micros."""

    result: Result
    orders: tuple[float, float, float]  #: value, low, high
    revenue_micros: tuple[int, int, int]


@dataclass(frozen=True)
class Experiment:
    """The variants by the campaign's goal, and the campaign beside its holdout. None: there was nothing to compare.

    `mixed` are people who were drawn into two groups under names that turned out to be one person's: they count in none.
    """

    goal: str
    arms: tuple[Arm, ...]
    variants: Result | None
    against_holdout: Incremental | None
    ends_at: datetime | None
    currency: str
    definition: Text
    mixed: int = 0


def choose_winners(ws: Workspace, now: datetime) -> list[int]:
    """For every campaign whose test is over, choose the variant that the rest of its audience gets; returns the campaigns' numbers.

    The one that is proven better, else the first: where no effect was found, none of them has earned more. A campaign that somebody ended
    meanwhile is left as it is.
    """
    with ws.transaction() as conn:
        due = activate.choosing.due(conn, now)
    chosen: list[int] = []
    for number in due:
        result = experiment_of(ws, number, now).variants
        key, why = (result.winner or activate.FIRST, result.verdict) if result is not None else (activate.FIRST, "too_few")
        with suppress(CampaignNotReady), ws.transaction() as conn:
            activate.choosing.choose(conn, number, key, why, now)
            govern.note(conn, "cegla", "campaign.choose", f"campaign {number}", {"variant": key, "verdict": why}, now)
            chosen.append(number)
    return chosen


def experiment_of(ws: Workspace, campaign_id: int, now: datetime) -> Experiment:
    """What may be said of a campaign's experiment at `now`. Raises NotFound."""
    with ws.transaction() as conn:
        campaign = activate.campaign(conn, campaign_id)
        rows = activate.arms(conn, campaign_id)
        drawn, mixed = _today(conn, rows)
    launched = campaign.launched_at
    definition = Text(*(text.format(days=campaigns.DAYS_AFTER, before=campaigns.DAYS_BEFORE) for text in DEFINITION))
    if launched is None or not drawn.num_rows:
        return Experiment(campaign.goal, (), None, None, None, ws.settings.currency, definition)
    people = Counter(drawn["arm"].to_pylist())
    measured = Counter(drawn.filter(drawn["measured"])["arm"].to_pylist())
    with ws.warehouse.keep(drawn) as kept:
        start, end = launched.astimezone(UTC).replace(tzinfo=None), now.astimezone(UTC).replace(tzinfo=None)
        outcomes = {row["arm"]: row for row in ws.warehouse.run(campaigns.outcomes(history(), kept, start, end)).to_pylist()}
        clicked = {row["arm"]: row["clicked"] for row in ws.warehouse.run(campaigns.clickers(history(), kept, campaign_id, end)).to_pylist()}
    keys = [key for key, _ in campaign.shares] + ([activate.HOLDOUT] if people[activate.HOLDOUT] else [])
    arms = tuple(_arm(key, people[key], outcomes.get(key, {}), measured[key], clicked.get(key, 0)) for key in keys)
    variants = None
    if len(campaign.shares) > 1:
        sums = {key: _clicks(arms, key) if campaign.goal == "clicks" else _orders(outcomes.get(key, {}), people[key]) for key, _ in campaign.shares}
        variants = judge(sums, dict(campaign.shares))
    return Experiment(
        campaign.goal, arms, variants, _against_holdout(outcomes, people, campaign.holdout_percent), launched + timedelta(days=campaigns.DAYS_AFTER),
        ws.settings.currency, definition, mixed,
    )  # fmt: skip


def _today(conn: Connection, rows: list[tuple[str, int, int, bool]]) -> tuple[pa.Table, int]:
    """Arm and person of today, once a person, and whether their clicks are measured; who was erased is nobody any more.

    Whoever is in two arms since two people turned out to be one saw both, so they are in none; that many are said.
    """
    here: dict[int, tuple[str, bool]] = {}
    mixed = set[int]()
    for start in range(0, len(rows), AT_ONCE):
        part = [row for row in rows[start : start + AT_ONCE] if row[1] > 0]
        owners = resolve.reach.owners(conn, [row[2] for row in part])
        for arm, person, identity, tracked in part:
            owner = owners.get(identity, person)
            before, measured = here.setdefault(owner, (arm, tracked))
            here[owner] = before, measured or tracked
            if before != arm:
                mixed.add(owner)
    kept = {person: one for person, one in here.items() if person not in mixed}
    columns = {"person_id": pa.array(kept, pa.int64()), "arm": pa.array([arm for arm, _ in kept.values()], pa.string())}
    return pa.table(columns | {"measured": pa.array([measured for _, measured in kept.values()], pa.bool_())}), len(mixed)


def _arm(key: str, people: int, found: dict[str, Any], measured: int, clicked: int) -> Arm:
    return Arm(key, people, found.get("buyers", 0), found.get("orders", 0), int(found.get("y", 0) * campaigns.UNIT), measured, clicked)


def _orders(found: dict[str, Any], people: int) -> Sums:
    return Sums(people, *(float(found.get(name, 0)) for name in ("o", "oo", "x_o", "xx_o", "xo")))


def _revenue(found: dict[str, Any], people: int) -> Sums:
    return Sums(people, *(float(found.get(name, 0)) for name in ("y", "yy", "x", "xx", "xy")))


def _clicks(arms: tuple[Arm, ...], key: str) -> Sums:
    one = next(arm for arm in arms if arm.key == key)
    return Sums(one.measured, one.clicked, one.clicked)


def _against_holdout(outcomes: dict[str, dict[str, Any]], people: Counter[str], percent: int) -> Incremental | None:
    """Everybody drawn to get something beside the group held out. The verdict is that of revenue."""
    if not people[activate.HOLDOUT]:
        return None
    names = ("o", "oo", "x_o", "xx_o", "xo", "y", "yy", "x", "xx", "xy")
    together = {name: sum(float(row[name]) for arm, row in outcomes.items() if arm != activate.HOLDOUT) for name in names}
    reached = people.total() - people[activate.HOLDOUT]
    held = outcomes.get(activate.HOLDOUT, {})
    shares = {activate.HOLDOUT: float(percent), EVERYBODY: 100.0 - percent}
    both = [
        judge({activate.HOLDOUT: of(held, people[activate.HOLDOUT]), EVERYBODY: of(together, reached)}, shares, ALPHA / 2) for of in (_orders, _revenue)
    ]
    orders, revenue = (_times(one.differences, reached) for one in both)
    return Incremental(both[1], orders, (int(revenue[0] * campaigns.UNIT), int(revenue[1] * campaigns.UNIT), int(revenue[2] * campaigns.UNIT)))


def _times(found: tuple[Difference, ...], people: int) -> tuple[float, float, float]:
    return (found[0].value * people, found[0].low * people, found[0].high * people) if found else (0.0, 0.0, 0.0)
