"""Computed traits: what people define to be counted. Definitions are YAML text (docs/reference/traits.md), the same in all faces."""

import json
from collections.abc import Sequence
from typing import Any

from cegla.api.call import Call, Opened
from cegla.api.shapes import DefineTraits, RankSources, RemoveTrait, TraitText
from cegla.collect import actions as collect
from cegla.defining import define_traits, rank_sources, remove_trait
from cegla.govern import actions as govern
from cegla.profile import actions as profile
from cegla.segment import actions as segment
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.people import person_label
from cegla.vocabulary.text import Text


def listed(call: Opened) -> Any:
    """Every computed trait with its sentence and how many people have a value, and all of them as one YAML text."""
    with call.ws.transaction() as conn:
        defined, coverage = profile.computed.definitions(conn), profile.computed.coverage(conn)
    ranked = [one["name"] for one in ranking(call)["sources"]]
    return {"traits": [_shape(one) | {"people": coverage.get(one.key, 0)} for one in defined], "text": segment.computed.write(defined, ranked)}


def versions(call: Opened, key: str) -> Any:
    """Every version of one trait, newest first. Raises NotFound."""
    with call.ws.transaction() as conn:
        found = profile.computed.versions(conn, key)
    if not found:
        raise NotFound(where="trait", seen=key, thing=key)
    return {"versions": [_shape(one) for one in found]}


def preview(call: Opened, body: TraitText) -> Any:
    """What definitions would give now: how many people have a value, and a few of them; nothing is kept."""
    return {"traits": [_seen(call, one) for one in segment.computed.read(body.text, _purposes(call))]}


def define(call: Opened, body: DefineTraits) -> Any:
    """Put definitions in force and count them for everybody; with `dry_run` only say what would be new."""
    wanted, names = segment.computed.read(body.text, _purposes(call)), segment.computed.read_ranking(body.text)
    sources = None if names is None else _sources(call, names)
    if body.dry_run:
        with call.ws.transaction() as conn:
            known = {one.key: json.loads(one.document) for one in profile.computed.definitions(conn)}
        changed = [one.key for one in wanted if known.get(one.key) != one.to_json()]
        return {"changed": [{"key": key} for key in changed], "ranking": names, "dry_run": True}
    changed = [{"key": key, "version": version} for key, version in define_traits(call.ws, wanted, call.caller.name)]
    if sources is not None:
        rank_sources(call.ws, sources, call.caller.name)
    return {"changed": changed, "ranking": names, "dry_run": False}


def ranking(call: Opened) -> Any:
    """Whose word counts more where sources declare the same trait: sources, the most credible first."""
    with call.ws.transaction() as conn:
        ranked, names = profile.declared.ranking(conn), {one.id: one.name for one in collect.sources(conn)}
    return {"sources": [{"id": one, "name": names.get(one, str(one))} for one in ranked]}


def rank(call: Opened, body: RankSources) -> Any:
    """Say whose word counts more; it holds at once, for everything that was ever declared. Raises NotFound."""
    rank_sources(call.ws, body.sources, call.caller.name)
    return ranking(call)


def remove(call: Opened, key: str, body: RemoveTrait) -> Any:
    """Take a trait away with everybody's values, or count whose would go. Raises NotFound, and TraitInUse while a segment speaks of it."""
    with call.ws.transaction() as conn:
        people = profile.computed.coverage(conn).get(key, 0)
    if not body.dry_run:
        remove_trait(call.ws, key, call.caller.name)
    return {"key": key, "people": people, "dry_run": body.dry_run}


def _purposes(call: Call) -> tuple[str, ...]:
    with call.ws.transaction() as conn:
        return tuple(govern.register.purposes(conn))


def _sources(call: Call, names: Sequence[str]) -> list[int]:
    """The numbers of sources that a ranking names. Raises NotFound."""
    with call.ws.transaction() as conn:
        known = {one.name: one.id for one in collect.sources(conn)}
    for place, name in enumerate(names):
        if name not in known:
            raise NotFound(where=f"/ranking/{place}", seen=name, thing=Text(f"źródło {name}", f"source {name}"))
    return [known[name] for name in names]


def _shape(one: profile.computed.Definition) -> dict[str, Any]:
    return {
        "key": one.key, "version": one.version, "label": one.label._asdict(), "sentence": one.said._asdict(), "kind": one.kind, "purpose": one.purpose,
        "on_site": one.on_site, "definition": json.loads(one.document), "made_at": one.made_at, "made_by": one.made_by, "removed": one.removed,
    }  # fmt: skip


def _seen(call: Call, wanted: segment.computed.Written) -> dict[str, Any]:
    seen = segment.computed.preview(call.ws, wanted, call.now)
    return {
        "key": wanted.key, "label": wanted.label._asdict(), "sentence": seen.said._asdict(), "kind": seen.kind, "people": seen.people, "known": seen.known,
        "sample": [{"person": person_label(person), "value": value} for person, value in seen.sample],
    }  # fmt: skip
