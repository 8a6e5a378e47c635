"""155 million messages a month in 1,000 campaigns: what hardware, how many addresses to send from, how long; planned, then simulated at 1 : 1,000.

    planned      processor seconds a letter, measured here by the sender itself ──► cores; destinations' speeds ──► sending addresses (IPs)
    simulated    22 days of 8 hours, minute by minute, each address at the sender's usual speed of a destination, slower when a provider asks for it

The shares of mailbox providers are a list of consumers in Poland, rounded: an assumption, printed with the result. A provider asks
one of the addresses to slow down at random, on average once a day and address, with the words and the 90 minutes that the rules know.
"""

import argparse
import math
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bench.result import Result
from cegla.activate.rules.destinations import SLOW_PER_MINUTE, Day, WarmUp, ceiling, label, usual_speed, wish_of
from cegla.activate.rules.replies import Reply

MONTH, CAMPAIGNS, DAYS, MINUTES = 155_000_000, 1_000, 22, 8 * 60
SCALE = 1_000
SHARES = {"google": 0.42, "wp": 0.17, "onet": 0.13, "interia": 0.08, "microsoft": 0.07, "apple": 0.03, "yahoo": 0.02, "gazeta": 0.01, "firms": 0.07}
FIRMS = 500  #: domains that "firms" stands for: each has a speed of its own, so no address is ever held up by them
BEGUN = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
PLAN = WarmUp(first_day=2_000, growth_percent=50, most=10_000_000, started_on=BEGUN.date())
DEFERRED = Reply(421, "4.7.0 temporarily deferred due to unexpected volume", "rcpt")
SPARE = 0.7  #: an address is planned to be busy for so much of its day


@dataclass
class Address:
    """One sending address at one destination: letters a minute, how much of a letter it has saved up, and until when it goes slowly."""

    speed: float
    saved: float = 0.0
    slow_until: datetime = BEGUN

    def fill(self, now: datetime) -> None:
        """One minute passes; what is not used is not kept for long."""
        self.saved = min(self.saved + (SLOW_PER_MINUTE / SCALE if self.slow_until > now else self.speed), max(1.0, self.speed))


@dataclass
class Month:
    """What a simulated month came to, in scaled letters."""

    left: int = 0
    minutes: list[int] = field(default_factory=list)  #: of each campaign, from its launch to its last letter
    slowed: int = 0


def addresses_needed() -> dict[str, int]:
    """For each destination, the addresses that carry its share of a day at its usual speed."""
    daily = MONTH / DAYS
    speeds = {key: usual_speed(key) * (FIRMS if key == "firms" else 1) for key in SHARES}
    return {key: math.ceil(daily * share / (speeds[key] * MINUTES * SPARE)) for key, share in SHARES.items()}


def days_to_warm_up(needed: int) -> int:
    """Days until one new address may carry its part of the busiest destination, when every day goes well."""
    target, days = MONTH / DAYS * SHARES["google"] / needed, list[Day]()
    for number in range(365):
        today = PLAN.started_on + timedelta(days=number)
        allowed = ceiling(PLAN, days, today)
        if allowed >= target:
            return number
        days.append(Day(today, sent=allowed))
    return 365


def simulated(addresses: int, seed: int) -> Month:
    """The month at 1 : 1,000: every campaign's letters by destination, addresses with scaled buckets, requests to slow down at random."""
    rng, month = random.Random(seed), Month()
    lanes = {key: [Address(usual_speed(key) * (FIRMS if key == "firms" else 1) / SCALE) for _ in range(addresses)] for key in SHARES}
    size, per_day = MONTH // CAMPAIGNS // SCALE, math.ceil(CAMPAIGNS / DAYS)
    for day in range(DAYS):
        begun = BEGUN + timedelta(days=day)
        launches = sorted(rng.randrange(MINUTES // 2) for _ in range(per_day))
        waiting: dict[str, list[list[int]]] = {key: [] for key in SHARES}  #: [campaign, letters left]
        ends = [0] * per_day
        for minute in range(MINUTES):
            now = begun + timedelta(minutes=minute)
            for number, launch in enumerate(launches):
                if launch == minute:
                    for key, count in _split(size, rng).items():
                        waiting[key].append([number, count])
            for key, queue in waiting.items():
                for address in lanes[key]:
                    if rng.random() < 1 / MINUTES / len(SHARES):
                        wish = wish_of(DEFERRED, now)
                        address.slow_until, month.slowed = (wish.until if wish else now), month.slowed + 1
                    address.fill(now)
                    while queue and address.saved >= 1:
                        address.saved -= 1
                        queue[0][1] -= 1
                        ends[queue[0][0]] = minute
                        if not queue[0][1]:
                            queue.pop(0)
        month.left += sum(left for queue in waiting.values() for _, left in queue)
        month.minutes += [end - launch for end, launch in zip(ends, launches, strict=True)]
    return month


def _split(size: int, rng: random.Random) -> dict[str, int]:
    counts = dict.fromkeys(SHARES, 0)
    for key in rng.choices(list(SHARES), list(SHARES.values()), k=size):
        counts[key] += 1
    return {key: count for key, count in counts.items() if count}


def main(options: list[str]) -> list[Result]:
    """Measure a letter's price on `--people`, plan the month, simulate it with `--seed`."""
    from bench.sending import ours

    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=7)
    wanted = parser.parse_args(options)
    run = ours(wanted.people)
    rate = MONTH / DAYS / (MINUTES * 60)
    cores = rate / (run.sent / run.used)
    needed = addresses_needed()
    most = max(needed.values())
    month = simulated(most, wanted.seed)
    month.minutes.sort()
    shares = ", ".join(f"{label(key)} {share:.0%}: {needed[key]}" for key, share in SHARES.items())
    sample = f"{MONTH // SCALE:,} letters in {len(month.minutes):,} campaigns, {month.slowed} requests to slow down"
    price = f"{run.sent / run.used:.0f} letters/s a core measured on {run.sent:,} letters to {run.sink}"
    wire = f"{len(run.letter) / 1000:.0f} kB a letter on the wire: {rate * len(run.letter) * 8 / 1e6:.0f} Mbit/s while sending"
    growth = f"from {PLAN.first_day:,} a day and address, +{PLAN.growth_percent} % a day"
    return [
        Result("155 million a month: letters", rate, "letters/s", "shown", True, f"{DAYS} days of {MINUTES // 60} hours"),
        Result("155 million a month: cores for sending", cores, "cores", "shown", True, price),
        Result("155 million a month: disk for the outbox", MONTH * run.kept_bytes / 1e9, "GB a month", "shown", True, wire),
        Result("155 million a month: sending addresses", most, "IPs", "shown", True, f"by destination, busy {SPARE:.0%} of the day: {shares}"),
        Result("155 million a month: warm-up", days_to_warm_up(most), "days", "shown", True, growth),
        Result("the month at 1 : 1,000: letters left over", month.left, "letters", "0", month.left == 0, sample),
        Result("the month at 1 : 1,000: a campaign, median", month.minutes[len(month.minutes) // 2], "minutes", "shown", True, "launch to last letter"),
        Result("the month at 1 : 1,000: a campaign, longest", month.minutes[-1], "minutes", "shown", True, "launch to last letter"),
    ]
