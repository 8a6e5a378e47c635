"""How fast events find their people, and whether the people are right: beside it, connected components by a plain union-find."""

import argparse
import gc
import random
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from bench.result import Result
from cegla.resolve import actions as resolve
from cegla.storage.settings import load_settings
from cegla.storage.workspace import Workspace, open_workspace
from cegla.vocabulary.events import Event
from cegla.vocabulary.identifiers import Identifier

BATCH = 50_000  #: as many as intake takes at once
AT_ONCE = 500_000  #: events made in one go
AT_A_TIME = 200  #: about as many visits go on side by side
START = datetime(2026, 1, 1, tzinfo=UTC)


def event(rng: random.Random, number: int, *, user: str | None, browser: str, **more: Any) -> Event:
    """An event a tenth of a second after the one before; one in fifty comes up to an hour late."""
    at = START + timedelta(seconds=number / 10 - (rng.randrange(3600) if rng.randrange(50) == 0 else 0))
    kind = "identify" if "traits" in more else "page"
    given = {"source_id": 1, "message_id": f"m{number}", "kind": kind, "name": kind, "trusted": True} | more
    return Event(occurred_at=at, received_at=at, user_id=user, anonymous_id=browser, **given)


def traffic(events: int, people: int, seed: int) -> Iterator[list[Event]]:
    """A shop's traffic in batches: visits of four events on average, 200 of them at a time; few people come often, on one to three
    browsers each, and one in ten also uses one that a family shares. Two in five are logged in, one in twelve logs in on the way."""
    rng = np.random.default_rng(seed)
    for first in range(0, events, AT_ONCE):
        rows = _some_traffic(rng, first, min(AT_ONCE, events - first), people)
        for start in range(0, len(rows), BATCH):
            yield rows[start : start + BATCH]


def _some_traffic(rng: np.random.Generator, first: int, count: int, people: int) -> list[Event]:
    """So many events, from the `first` on: visits in columns, their events put in order by when each of them is due."""
    lengths = 1 + rng.exponential(3.5, count).astype(np.int64)
    lengths = lengths[: np.searchsorted(np.cumsum(lengths), count) + 1]
    visits = len(lengths)
    persons = (people * rng.random(visits) ** 2).astype(np.int64)
    at_home = (persons % 10 == 0) & (rng.integers(0, 3, visits) == 0)
    own = rng.integers(0, 1 + persons % 3)
    chance = rng.random(visits)
    logs_in_at = np.where(chance < 0.4, -1, np.where(chance < 0.48, rng.integers(0, lengths), lengths))
    users = [f"u{person}" for person in persons.tolist()]
    browsers = [
        f"family{person // 40}" if home else f"b{person}-{number}" for person, home, number in zip(persons.tolist(), at_home, own, strict=True)
    ]
    visit = np.repeat(np.arange(visits), lengths)
    place = np.arange(len(visit)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    due = np.repeat(np.sort(rng.integers(0, count, visits)), lengths) + place * AT_A_TIME * rng.uniform(0.5, 1.5, len(visit))
    in_order = np.argsort(due, kind="stable")[:count]
    late = np.where(rng.integers(0, 50, count) == 0, rng.integers(0, 3_600, count), 0)
    seconds = np.arange(first, first + count) / 10 - late
    made: list[Event] = []
    columns = (visit[in_order], place[in_order], logs_in_at[visit[in_order]], seconds)
    for number, (of, turn, logs_in, second) in enumerate(zip(*(column.tolist() for column in columns), strict=True), first):
        at, user, browser = START + timedelta(seconds=second), users[of] if turn >= logs_in else None, browsers[of]
        if turn == logs_in:
            made.append(Event(source_id=1, message_id=f"m{number}", kind="identify", name="identify", trusted=True, occurred_at=at, received_at=at,
                              user_id=user, anonymous_id=browser, traits={"email": f"{user}@example.pl"}))
        else:
            made.append(Event(source_id=1, message_id=f"m{number}", kind="page", name="page", trusted=True, occurred_at=at, received_at=at,
                              user_id=user, anonymous_id=browser))
    return made


def visitors(events: int, seed: int) -> Iterator[list[Event]]:
    """Every event shows a browser never seen before."""
    rng = random.Random(seed)
    for first in range(0, events, BATCH):
        yield [event(rng, number, user=None, browser=f"visitor{number}") for number in range(first, first + BATCH)]


class Oracle:
    """Who hangs together: union-find over user–address and user–browser, where a browser is its first user's."""

    def __init__(self) -> None:
        self.parents: dict[str, str] = {}
        self.first: dict[str, tuple[datetime, str]] = {}

    def see(self, rows: Iterable[Event]) -> None:
        """Note what a batch shows."""
        for row in rows:
            for name in (row.user_id, row.anonymous_id, row.traits.get("email")):
                if name is not None:
                    self.parents.setdefault(name, name)
            if row.user_id is not None and row.anonymous_id is not None:
                seen = (row.occurred_at, row.user_id)
                self.first[row.anonymous_id] = min(seen, self.first.get(row.anonymous_id, seen))
            if row.user_id is not None and "email" in row.traits:
                self.join(row.user_id, row.traits["email"])

    def join(self, one: str, other: str) -> None:
        """These two are one person."""
        self.parents[self.root(one)] = self.root(other)

    def root(self, name: str) -> str:
        """The name by which a component goes."""
        top = name
        while self.parents[top] != top:
            top = self.parents[top]
        while self.parents[name] != top:
            self.parents[name], name = top, self.parents[name]
        return top

    def agrees(self, owners: Iterable[tuple[str, int]]) -> bool:
        """Whether identifiers and whose they are, as stored, are the same partition."""
        for browser, (_, user) in self.first.items():
            self.join(browser, user)
        stored = dict(owners)
        pairs = {(self.root(name), stored.get(name)) for name in self.parents}
        return stored.keys() == self.parents.keys() and len(pairs) == len({root for root, _ in pairs}) == len({person for _, person in pairs})


def owners(ws: Workspace) -> Iterator[tuple[str, int]]:
    """Every identifier with its person, as the store has it."""
    with ws.transaction() as conn, conn.cursor("owners") as cursor:
        cursor.itersize = 50_000
        yield from cursor.execute("select value, person_id from resolve.identities where holder_id = 0")


def take_in(ws: Workspace, batches: Iterable[Sequence[Event]], cache: resolve.IdentityCache, oracle: Oracle | None = None) -> tuple[int, float]:
    """Events and seconds, a committed transaction for each batch; making the events is not counted."""
    events, seconds = 0, 0.0
    for rows in batches:
        if oracle is not None:
            oracle.see(rows)
        started = time.perf_counter()
        with ws.transaction() as conn:
            resolve.find_people(conn, rows, cache)
        seconds += time.perf_counter() - started
        events += len(rows)
    return events, seconds


def one_huge_person(ws: Workspace, browsers: int) -> tuple[float, float]:
    """Milliseconds by which a login on a new browser takes longer for a person with many (medians), and what it takes the first time."""
    rng = random.Random(3)
    cache = resolve.IdentityCache()
    with ws.transaction() as conn:  # by the default rules nobody holds more than 1,000
        resolve.ruling.apply(conn, {"types": {"anonymous_id": {"limit": 100_000}}, "most_identifiers": 100_000}, "bench", START)
    many = [event(rng, number, user="huge", browser=f"huge{number}") for number in range(browsers)]
    take_in(ws, [many[start : start + BATCH] for start in range(0, browsers, BATCH)], cache)
    with ws.transaction() as conn:
        person = resolve.look_up(conn, [Identifier("user_id", "huge")])[0] or 0
        assert len(resolve.links.identity_ids(conn, person)) > browsers, "all of them are one person"
    later = browsers * 2
    cold = _one(ws, event(rng, later, user="huge", browser="cold"), resolve.IdentityCache())
    _one(ws, event(rng, later + 1, user="huge", browser="warm"), cache)
    times: dict[str, list[float]] = {"huge": [], "small": []}
    for turn in range(1, 30):
        for user, taken in times.items():
            taken.append(_one(ws, event(rng, later + 50_000 * turn, user=user, browser=f"{user} again {turn}"), cache))
    return sorted(times["huge"])[14] - sorted(times["small"])[14], cold


def _one(ws: Workspace, row: Event, cache: resolve.IdentityCache) -> float:
    return take_in(ws, [[row]], cache)[1] * 1_000


def undo(ws: Workspace, identifiers: int) -> tuple[float, int]:
    """Milliseconds of taking one link of a cluster back, and the size of that cluster."""
    rng = random.Random(4)
    rows = [event(rng, number, user="apart", browser=f"apart{number}") for number in range(identifiers - 1)]
    take_in(ws, [rows], resolve.IdentityCache())
    with ws.transaction() as conn:
        person = resolve.look_up(conn, [Identifier("user_id", "apart")])[0] or 0
        size = len(resolve.identifiers_of(conn, [person])[person])
        edge = next(edge for edge in resolve.links.edges_of(conn, person) if not edge.refused)
        started = time.perf_counter()
        resolve.links.retract(conn, edge.edge_id, "bench", START)
    return (time.perf_counter() - started) * 1_000, size


def rebuild(ws: Workspace) -> tuple[float, int]:
    """Seconds to derive everybody again from all links, and how many people are not as stored."""
    started = time.perf_counter()
    with ws.transaction() as conn:
        wrong = resolve.ruling.unsettled(conn)
    return time.perf_counter() - started, len(wrong)


def main(argv: list[str] | None = None) -> list[Result]:
    """Events a second, whether the clusters equal the oracle's, deriving everybody again, a huge person, an undone link."""
    options = argparse.ArgumentParser(prog="bench resolve")
    options.add_argument("--events", type=int, default=10_000_000)
    options.add_argument("--people", type=int, default=1_000_000)
    chosen = options.parse_args(argv)
    gc.set_threshold(50_000, 20, 20)  # as the app does: batches make many small tuples
    with tempfile.TemporaryDirectory(prefix="cegla-bench-") as folder, open_workspace(load_settings(environment={"CEGLA_DATA_DIR": folder})) as ws:
        oracle, note = Oracle(), f"{chosen.events:,} events, {chosen.people:,} people, batches of {BATCH:,}, one in ten on a browser a family shares"
        events, seconds = take_in(ws, traffic(chosen.events, chosen.people, 1), resolve.IdentityCache(), oracle)
        results = [Result("resolve events from nothing", events / seconds, "events/s", "≥ 50,000", events / seconds >= 50_000, note)]
        equal = oracle.agrees(owners(ws))
        with ws.transaction() as conn:
            people = resolve.links.count_people(conn)
        results.append(Result("people equal to connected components", float(equal), "1 = equal", "1", equal, f"{people:,} people, by a union-find of its own"))
        del oracle
        again, wrong = rebuild(ws)
        results.append(Result("derive everybody again from all links", again, "s", "≤ 300", again <= 300 and not wrong, f"{wrong} people not as stored"))
        strange, seconds = take_in(ws, visitors(min(chosen.events, 400_000), 5), resolve.IdentityCache())
        results.append(Result("every event a new browser", strange / seconds, "events/s", "≥ 20,000", strange / seconds >= 20_000, "a flood of made-up ids"))
        added, cold = one_huge_person(ws, 10_000)
        huge = Result("one person with 10,000 anonymous ids", added, "ms added", "≤ 5", added <= 5, f"median of 29; {cold:.0f} ms with nothing remembered")
        results.append(huge)
        taken, size = undo(ws, 1_000)
        results.append(Result(f"undo a link in a cluster of {size:,}", taken, "ms", "≤ 1,000", taken <= 1_000, "no event and no history is touched"))
    return results


if __name__ == "__main__":
    from bench.__main__ import machine, show

    show(main(), machine())
