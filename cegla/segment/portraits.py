"""What portraits say of each person, kept from night to night, so that rules can ask for it."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from cegla.segment import store
from cegla.segment.asking import questions_of, with_events
from cegla.segment.evaluating import known, trees_of
from cegla.segment.rules.portrayed import PORTRAYED
from cegla.storage.arrays import numbers, texts
from cegla.storage.warehouse import Readable
from cegla.storage.workspace import Connection

KINDS = tuple(PORTRAYED)
Found = Mapping[str, Mapping[int, Sequence[str]]]  #: by kind and person, the most telling word first
__all__ = ["KINDS", "keep", "still"]


def still(warehouse: Readable, found: Found, left_out: Collection[int]) -> Found:
    """Of what was found some minutes ago, what is about people whom the history has still: not about who was erased or joined to somebody since, nor about
    who is `left_out`."""
    there = {*with_events(warehouse)}.difference(left_out)
    return {kind: {person: words for person, words in said.items() if person in there} for kind, said in found.items()}


def keep(conn: Connection, found: Found, now: datetime) -> int:
    """Put what was found of everybody, by kind and person, in the place of what was known; who has nothing has no row. Returns of how many people something
    changed; they are looked at within a minute where a segment speaks of it."""
    changed: set[int] = set()
    for kind, words in found.items():
        told = texts(json.dumps(list(one), ensure_ascii=False) for one in words.values())
        changed.update(person for (person,) in store.SQL.drop_portraits_of_others(conn, kind=kind, people=numbers(words)))
        changed.update(person for (person,) in store.SQL.keep_portraits(conn, kind=kind, people=numbers(words), words=told, now=now))
    about = known(conn)
    if any(question.kind == "portrait" for question in questions_of(trees_of(about.segments, about))):
        store.put_due(conn, None, dict.fromkeys(changed, now), instead=False)
    return len(changed)
