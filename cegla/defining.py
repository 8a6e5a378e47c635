"""What people define to be known, and whose word holds: computed traits, the ranking of sources, corrections; what they give follows.

Definitions change while nobody else rewrites traits, in one transaction with the values they give. Values that time alone changes are
counted again when they are due; nobody else is looked at.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cegla.activate import actions as activate
from cegla.flow import as_of, settled
from cegla.govern import actions as govern
from cegla.profile import actions as profile
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.people import person_label


def define_traits(ws: Workspace, wanted: Sequence[segment.computed.Written], actor: str) -> list[tuple[str, int]]:
    """Put definitions in force and count them for everybody; returns the key and version of those that are new."""
    now = ws.clock()
    with settled(ws) as (conn, past):
        changed = segment.computed.apply(conn, wanted, ws.settings.currency, actor, now)
        if changed:
            segment.computed.refresh(conn, past, None, now, profile.places.objecting(conn))
        for key, version in changed:
            govern.note(conn, actor, "trait.define", f"trait {key}", {"version": version}, now)
    return changed


def remove_trait(ws: Workspace, key: str, actor: str) -> None:
    """Take a computed trait away, and its values with it. Raises NotFound, TraitInUse."""
    now = ws.clock()
    with settled(ws) as (conn, _):
        segment.computed.remove(conn, key, actor, now)
        govern.note(conn, actor, "trait.remove", f"trait {key}", {}, now)


def rank_sources(ws: Workspace, source_ids: Sequence[int], actor: str) -> None:
    """Say whose word counts more, the most credible source first; segments follow for everybody. Raises NotFound, InvalidInput."""
    now = ws.clock()
    with settled(ws) as (conn, past):
        if profile.declared.ranking(conn) == list(source_ids):
            return
        profile.declared.rank(conn, source_ids, actor, now)
        segment.refresh(conn, past, None, as_of(ws, conn, now))
        govern.note(conn, actor, "traits.ranking", ", ".join(map(str, source_ids)), {}, now)


def correct(ws: Workspace, person: int, trait: str, value: Any, actor: str) -> None:
    """Write down what a person had corrected (GDPR art. 16); null says that it is not true of them. The person's segments follow.

    Raises InvalidInput.
    """
    now = ws.clock()
    with settled(ws) as (conn, past):
        profile.declared.correct(conn, person, trait, value, actor, now)
        segment.refresh(conn, past, [person], as_of(ws, conn, now))
        govern.note(conn, actor, "person.correct", person_label(person), {"trait": trait}, now)


def take_correction_back(ws: Workspace, person: int, trait: str, actor: str) -> None:
    """Let the sources speak again about one trait of a person. Raises NotFound when nothing was corrected."""
    now = ws.clock()
    with settled(ws) as (conn, past):
        if not profile.declared.take_correction_back(conn, resolve.links.identity_ids(conn, person), trait):
            raise NotFound(where="trait", seen=trait, thing=trait)
        segment.refresh(conn, past, [person], as_of(ws, conn, now))
        govern.note(conn, actor, "person.correct", person_label(person), {"trait": trait, "taken_back": True}, now)


def save_segment(ws: Workspace, name: str, rule: object, actor: str, key: str | None = None) -> segment.Segment:
    """Define a segment, or redefine the one with this key, and find its members and those of the segments that rest on it. Raises RuleInvalid, InvalidInput."""
    now = ws.clock()
    with settled(ws) as (conn, past):
        saved = segment.save(conn, name, rule, now, key)
        segment.refresh(conn, past, None, as_of(ws, conn, now), only=[saved.id])
        govern.note(conn, actor, "segment.save", f"segment {saved.id}", {}, now)
        return segment.segment(conn, saved.id)


def used_segments(conn: Connection) -> dict[int, list[str]]:
    """What each segment is used by: "campaign 3", "segment 7", "site"; one that nothing uses is left out."""
    used: dict[int, list[str]] = {}
    for one in activate.campaigns(conn):
        used.setdefault(one.segment_id, []).append(f"campaign {one.id}")
    for edge in segment.reading.dependencies(conn):
        used.setdefault(edge.rests_on, []).append(f"segment {edge.segment_id}")
    for number in segment.marks.on_site(conn):
        used.setdefault(number, []).append("site")
    return used


def recount_due(ws: Workspace, now: datetime) -> int:
    """Count again whose values time alone has changed, until nobody is due; returns how many people that were."""
    counted = 0
    while True:
        with settled(ws) as (conn, past):
            found = segment.computed.refresh_due(conn, past, now, profile.places.objecting(conn))
        counted += found
        if found < segment.computed.DUE_AT_ONCE:
            return counted
