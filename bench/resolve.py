"""How fast events find their people, and whether the people are right: beside it, connected components by another program."""

import argparse
import gc
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from cegla.resolve import actions as resolve
from cegla.storage.settings import load_settings
from cegla.storage.workspace import Workspace, open_workspace
from cegla.vocabulary.events import Event
from cegla.vocabulary.identifiers import Identifier

BATCH = 20_000
START = datetime(2026, 1, 1, tzinfo=UTC)


def event(rng: random.Random, number: int, *, user: str | None, browser: str, **more: Any) -> Event:
    """An event a tenth of a second after the one before; one in fifty comes up to an hour late."""
    at = START + timedelta(seconds=number / 10 - (rng.randrange(3600) if rng.randrange(50) == 0 else 0))
    kind = "identify" if "traits" in more else "page"
    given = {"source_id": 1, "message_id": f"m{number}", "kind": kind, "name": kind, "trusted": True} | more
    return Event(occurred_at=at, received_at=at, user_id=user, anonymous_id=browser, **given)


def traffic(events: int, people: int, seed: int, *, families: bool) -> list[Event]:
    """A shop's traffic: few people do much, on one to three browsers each; with families, one in ten also uses a shared one."""
    rng = random.Random(seed)
    made: list[Event] = []
    for number in range(events):
        person = int(people * rng.random() ** 2)
        browser = f"b{person}-{rng.randrange(1 + person % 3)}"
        if families and person % 10 == 0 and rng.randrange(3) == 0:
            browser = f"family{person // 40}"
        chance = rng.random()
        if chance < 0.05:
            made.append(event(rng, number, user=f"u{person}", browser=browser, traits={"email": f"u{person}@example.pl"}))
        else:
            made.append(event(rng, number, user=f"u{person}" if chance < 0.4 else None, browser=browser))
    return made


def visitors(events: int, seed: int) -> list[Event]:
    """Every event shows a browser never seen before."""
    rng = random.Random(seed)
    return [event(rng, number, user=None, browser=f"visitor{number}") for number in range(events)]


def newcomers(events: int, seed: int) -> list[Event]:
    """Every event shows a user never seen on a browser never seen; one in three gives an e-mail address too."""
    rng = random.Random(seed)
    named = [{"traits": {"email": f"new{number}@example.pl"}} if number % 3 == 0 else {} for number in range(events)]
    return [event(rng, number, user=f"new{number}", browser=f"fresh{number}", **more) for number, more in enumerate(named)]


def take_in(ws: Workspace, events: Sequence[Event], cache: resolve.IdentityCache) -> float:
    """Events a second, a committed transaction for each batch."""
    gc.freeze()  # the waiting events are the bench's, not the product's
    started = time.perf_counter()
    for first in range(0, len(events), BATCH):
        with ws.transaction() as conn:
            resolve.find_people(conn, events[first : first + BATCH], cache)
    return len(events) / (time.perf_counter() - started)


def components(events: Iterable[Event]) -> set[frozenset[Identifier]]:
    """The oracle: who hangs together, by walking the graph of identifiers that share an event."""
    neighbors: dict[Identifier, set[Identifier]] = defaultdict(set)
    for row in events:
        named = [("user_id", row.user_id), ("anonymous_id", row.anonymous_id), ("email", row.traits.get("email"))]
        ids = [Identifier(kind, value) for kind, value in named if value]
        for one in ids:
            neighbors[one].update(ids)
    found: set[frozenset[Identifier]] = set()
    while neighbors:
        reached, frontier = set[Identifier](), [next(iter(neighbors))]
        while frontier:
            one = frontier.pop()
            if one not in reached:
                reached.add(one)
                frontier += neighbors.pop(one)
        found.add(frozenset(reached))
    return found


def clusters(ws: Workspace) -> set[frozenset[Identifier]]:
    """Everybody, as the store has it."""
    members: dict[int, set[Identifier]] = defaultdict(set)
    after = 0
    with ws.transaction() as conn:
        while rows := resolve.find(conn, "", after, 10_000):
            for row in rows:
                members[row.id].update(row.identifiers)
            after = rows[-1].id
    return set(map(frozenset, members.values()))


def one_huge_person(ws: Workspace, browsers: int) -> tuple[float, float, float]:
    """Milliseconds for a first batch with a login on a new browser, the same late in that person's life, and of taking a link back."""
    rng = random.Random(3)
    cache = resolve.IdentityCache()
    many = [event(rng, number, user="huge", browser=f"huge{number}") for number in range(browsers)]
    small = _one(ws, event(rng, browsers, user="small", browser="small0"), cache)
    take_in(ws, many, cache)
    huge = _one(ws, event(rng, browsers * 2, user="huge", browser="one more"), cache)
    with ws.transaction() as conn:
        person = resolve.look_up(conn, [Identifier("user_id", "huge")])[0] or 0
        edge = next(edge for edge in resolve.links.edges_of(conn, person) if not edge.refused)
        started = time.perf_counter()
        resolve.links.retract(conn, edge.edge_id, "bench", START)
    return small, huge, (time.perf_counter() - started) * 1_000


def _one(ws: Workspace, row: Event, cache: resolve.IdentityCache) -> float:
    started = time.perf_counter()
    take_in(ws, [row], cache)
    return (time.perf_counter() - started) * 1_000


def main(argv: list[str] | None = None) -> None:
    """Print events a second for new and known people, and whether the clusters equal the oracle's."""
    options = argparse.ArgumentParser(prog="bench resolve")
    options.add_argument("--events", type=int, default=300_000)
    options.add_argument("--people", type=int, default=30_000)
    chosen = options.parse_args(argv)
    gc.set_threshold(50_000, 20, 20)  # as the app does: batches make many small tuples
    print(f"resolve: {chosen.events:,} events of {chosen.people:,} people in batches of {BATCH:,}, {datetime.now(UTC):%Y-%m-%d}")
    with tempfile.TemporaryDirectory(prefix="cegla-bench-") as folder, open_workspace(load_settings(environment={"CEGLA_DATA_DIR": folder})) as ws:
        cache = resolve.IdentityCache()
        plain = traffic(chosen.events, chosen.people, 1, families=False)
        first = take_in(ws, plain, cache)
        known = take_in(ws, plain, cache)
        expected = components(plain)
        found = clusters(ws)
        print(f"  {known:>10,.0f} events/s   known identifiers            (reach ≥ 50,000)")
        print(f"  {first:>10,.0f} events/s   from nothing")
        print(f"  {'equal' if found == expected else 'NOT EQUAL':>10}            {len(found):,} people, the oracle has {len(expected):,}")
        strange = take_in(ws, visitors(chosen.events // 3, 5), cache)
        print(f"  {strange:>10,.0f} events/s   every event a new browser    (reach ≥ 20,000)")
        fresh = take_in(ws, newcomers(chosen.events // 3, 2), cache)
        print(f"  {fresh:>10,.0f} events/s   every event a new user, browser and sometimes e-mail")
        shared = take_in(ws, traffic(chosen.events, chosen.people, 4, families=True), cache)
        print(f"  {shared:>10,.0f} events/s   with browsers that families share")
        small, huge, back = one_huge_person(ws, 10_000)
        print(f"  {small:.1f} ms a login of a new person, {huge:.1f} ms of one with 10,000 browsers; {back:.0f} ms to take a link of theirs back")


if __name__ == "__main__":
    main()
