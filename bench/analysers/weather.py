"""Weather: people with planted rate ratios of 0.7, 1.0 and 1.5 under rain, over a year of made weather; intervals, signs, and the look-up.

The weather is made (wet spells, seasons); the visits follow an hour of the day, a weekday and a season of their own, so that what is controlled
for is there to be controlled for. No provider is asked.
"""

import time
from datetime import UTC, datetime

import duckdb
import numpy as np
import pyarrow as pa

from bench.analysers._scores import calibration_error
from bench.result import Result
from cegla.profile.analysers import weather

PEOPLE = 3_000
RATIOS = (0.7, 1.0, 1.5)
DAYS = 365
NOW = datetime(2026, 11, 26, tzinfo=UTC)


def run() -> list[Result]:
    """Coverage of the 90 % intervals, signs at 50 visits and more, and one look-up of the weather of a visit."""
    random = np.random.default_rng(7)
    wet = _weather(random)
    truth = np.array(RATIOS)[random.integers(0, 3, PEOPLE)]
    strata, hits = _people(random, wet, truth)
    began = time.process_time()
    learnt = weather.spread_of(strata, hits)
    mean, spread = weather.posterior(strata, hits, learnt)
    seconds = time.process_time() - began
    inside = float((np.abs(np.log(truth) - mean) <= weather.NINETY * spread).mean())
    told = np.abs(np.log(truth)) >= np.log(1.3)
    sure = np.array([weather._certain(one) for one in np.abs(mean) / spread])  # pyright: ignore[reportPrivateUsage]
    answered = told & (sure >= 0.9)
    right = float((np.sign(mean) == np.sign(np.log(truth)))[answered].mean())
    every = float((np.sign(mean) == np.sign(np.log(truth)))[told].mean())
    naive = _naive(strata, hits, wet)
    crude = float((np.sign(naive) == np.sign(np.log(truth)))[told].mean())
    about = f"{PEOPLE:,} people with 50 to 149 visits; ratios {RATIOS}; learnt mean {learnt['mean']:.2f}, spread {learnt['spread']:.2f}"
    return [
        Result("weather: 90 % intervals that hold the truth", inside, "share", "0.88 to 0.92", 0.88 <= inside <= 0.92, about),
        Result("weather: sign right, of ratios from 1.3 that are answered", right, "share", ">= 0.95", right >= 0.95,
            f"answered at 0.9: {answered.sum() / told.sum():.0%}; of all {every:.2f}, the crude share's {crude:.2f}"),
        _calibration(random, wet),
        Result("weather: people read", PEOPLE / seconds, "people/s CPU", "", True, "learning and reading one sky"),
        *_join(),
    ]  # fmt: skip


def _people(random: np.random.Generator, wet: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The visits of people with these ratios, 50 to 149 each, as the analyser counts them."""
    strata, hits, visits = np.zeros((len(truth), weather.WIDTH)), np.zeros(len(truth)), random.integers(50, 150, len(truth))
    days, so = _strata(wet)
    for person, ratio in enumerate(truth.tolist()):
        at = _visits(random, wet, ratio, int(visits[person]))
        np.add.at(strata[person], days[at] * 10 + so[at], 1.0)
        hits[person] = (wet[at] & (so[at] < days[at])).sum()
    return strata, hits


def _calibration(random: np.random.Generator, wet: np.ndarray) -> Result:
    """How often the sign is right beside how sure it says to be, of people whose ratios are spread evenly about 1, so that each has a sign."""
    truth = np.exp(random.normal(0.0, 0.35, PEOPLE))
    strata, hits = _people(random, wet, truth)
    mean, spread = weather.posterior(strata, hits, weather.spread_of(strata, hits))
    sure = np.array([weather._certain(one) for one in np.abs(mean) / spread])  # pyright: ignore[reportPrivateUsage]
    error = calibration_error(sure, (np.sign(mean) == np.sign(np.log(truth))).astype(float))
    return Result("weather: calibration error of the sign", error, "ECE", "<= 0.05", error <= 0.05, f"{PEOPLE:,} people with ratios spread about 1")


def _weather(random: np.random.Generator) -> np.ndarray:
    """Wet hours of a year: spells of a few hours, more of them in summer."""
    hours = np.arange(DAYS * 24)
    starts = random.random(len(hours)) < 0.035 * (1 + 0.5 * np.sin(2 * np.pi * hours / len(hours)))
    wet = np.zeros(len(hours), bool)
    for start in np.flatnonzero(starts):
        wet[start : start + random.integers(1, 9)] = True
    return wet


def _visits(random: np.random.Generator, wet: np.ndarray, ratio: float, many: int) -> np.ndarray:
    hours = np.arange(len(wet))
    peak, free, season = random.integers(7, 23), random.uniform(0.5, 2.0), random.uniform(0.0, 0.8)
    rate = np.exp(-(((hours % 24) - peak) ** 2) / 18) + 0.02
    rate = rate * np.where((hours // 24) % 7 >= 5, free, 1.0) * (1 + season * np.sin(2 * np.pi * hours / len(hours))) * np.where(wet, ratio, 1.0)
    return random.choice(hours, many, p=rate / rate.sum())


def _strata(wet: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each hour, the days of its stratum and how many of them are wet."""
    hours = np.arange(len(wet))
    _, place = np.unique(hours // (24 * 28) * 168 + hours % 168, return_inverse=True)
    return np.bincount(place)[place], np.bincount(place, wet)[place].astype(np.int64)


def _naive(strata: np.ndarray, hits: np.ndarray, wet: np.ndarray) -> np.ndarray:
    """The anchor: the share of visits in rain beside the share of rainy hours, controlling for nothing."""
    days, so = np.divmod(np.arange(weather.WIDTH), 10)
    informative = (so > 0) & (so < days)
    return np.log((hits + 0.5) / np.maximum(strata[:, informative].sum(axis=1), 1) / wet.mean())


def _join() -> list[Result]:
    """The weather of one visit, asked of what is kept: 380 places over 30 days."""
    connection = duckdb.connect()
    places, hours = [f"{code:04d}" for code in range(380)], np.datetime64("2026-10-01T00", "us") + np.arange(720) * np.timedelta64(1, "h")
    connection.register("sky", pa.table({
        "powiat": np.repeat(places, len(hours)), "hour": np.tile(hours, len(places)), "temperature": np.zeros(len(hours) * len(places)),
    }))  # fmt: skip
    visits = pa.table({"powiat": places * 250, "hour": np.tile(hours[:250], 380)})
    connection.register("visits", visits)
    took = []
    for _ in range(5):
        began = time.perf_counter()
        connection.sql("select count(*) from visits join sky using (powiat, hour)").fetchall()
        took.append((time.perf_counter() - began) * 1e6 / visits.num_rows)
    return [Result("weather: joined to a visit", min(took), "us a visit", "< 1,000", min(took) < 1_000, f"{visits.num_rows:,} at once, {380 * 720:,} hours")]

