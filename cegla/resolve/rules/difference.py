"""What other rules would make of the people there are: who would be joined, who parted, who holds more than allowed."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from cegla.resolve.rules.clusters import NO_ERAS, Link, Refusal, derive
from cegla.resolve.rules.releases import Era
from cegla.vocabulary.identifier_rules import IdentifierRules
from cegla.vocabulary.identifiers import Identifier

MOST_EXAMPLES = 1_000  #: people listed of each kind; the counts are of all


class Stored(NamedTuple):
    """A link with what was decided about it and whose its ends are."""

    edge_id: int
    link: Link
    strong_person: int
    weak_person: int
    refused: str | None


class Joined(NamedTuple):
    """People who would become one."""

    people: tuple[int, ...]


class Parted(NamedTuple):
    """A person who would become several; `identities` says how many identifiers each would hold, greatest first."""

    person: int
    identities: tuple[int, ...]


class OutOfBounds(NamedTuple):
    """A person some of whose links the rules would refuse: why, which type of identifier, how many links."""

    person: int
    reason: Refusal
    type: str
    links: int


@dataclass
class Difference:
    """Counts of everything, and lists of up to `MOST_EXAMPLES` of each. `people` are all whom the rules would change, by the ids of today."""

    joined: int = 0
    parted: int = 0
    out_of_bounds: int = 0
    identities_moved: int = 0
    newly_refused: Counter[Refusal] = field(default_factory=Counter[Refusal])
    newly_accepted: int = 0
    joins: list[Joined] = field(default_factory=list[Joined])
    parts: list[Parted] = field(default_factory=list[Parted])
    bounds: list[OutOfBounds] = field(default_factory=list[OutOfBounds])
    people: set[int] = field(default_factory=set[int])


def compare(
    stored: Sequence[Stored], owners: Mapping[int, tuple[Identifier, int]], rules: IdentifierRules, found: Difference, eras: Mapping[int, Era] = NO_ERAS
) -> None:
    """Derive whole connected parts of the graph by `rules` and add to `found` what is not as stored. `owners`: identity → (identifier, person)."""
    derived = derive({identity: identifier.type for identity, (identifier, _) in owners.items()}, (row.link for row in stored), rules, eras)
    moved = {identity: person for identity, (_, person) in owners.items() if derived.person_of[identity] != person}
    refused: dict[tuple[int, Refusal, str], int] = Counter()
    for row in stored:
        reason = derived.refusals[row.link.strong_id, row.link.weak_id]
        if reason == row.refused:
            continue
        found.people.update((row.strong_person, row.weak_person))
        if reason is None:
            found.newly_accepted += 1
        elif row.refused is None:
            found.newly_refused[reason] += 1
            refused[row.strong_person, reason, row.link.weak.type] += 1
    found.people.update(moved.values())
    found.identities_moved += len(moved)
    _note_bounds(found, refused)
    if moved:
        _note_people(found, [(owners[identity][1], now) for identity, now in derived.person_of.items()])


def _note_bounds(found: Difference, refused: Mapping[tuple[int, Refusal, str], int]) -> None:
    found.out_of_bounds += len({person for person, _, _ in refused})
    room = MOST_EXAMPLES - len(found.bounds)
    if room > 0:
        found.bounds += [OutOfBounds(*what, links) for what, links in list(refused.items())[:room]]


def _note_people(found: Difference, before_and_now: Iterable[tuple[int, int]]) -> None:
    into: dict[int, set[int]] = defaultdict(set)
    out_of: dict[int, Counter[int]] = defaultdict(Counter)
    for before, now in before_and_now:
        into[now].add(before)
        out_of[before][now] += 1
    joins = [Joined(tuple(sorted(people))) for people in into.values() if len(people) > 1]
    parts = [Parted(person, tuple(sorted(pieces.values(), reverse=True))) for person, pieces in out_of.items() if len(pieces) > 1]
    found.joined += sum(len(join.people) for join in joins)
    found.parted += len(parts)
    found.joins += joins[: max(0, MOST_EXAMPLES - len(found.joins))]
    found.parts += parts[: max(0, MOST_EXAMPLES - len(found.parts))]
