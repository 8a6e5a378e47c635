"""Segments: save, list, count, members, explain, the sentence. The rule is the same JSON tree in API, console and command line."""

from typing import Any

from fastapi import Response

from cegla.activate import actions as activate
from cegla.api.call import Call, Opened, person_number
from cegla.api.plain import plain
from cegla.api.shapes import After, Days, Limit, NewSegment, OnSite, Overlapping, RuleBody
from cegla.defining import save_segment, used_segments
from cegla.profile import actions as profile
from cegla.segment import actions as segment
from cegla.vocabulary.people import person_label


def listed(call: Opened) -> Any:
    """All segments, each with its sentence in both languages."""
    with call.ws.transaction() as conn:
        about = segment.known(conn)
        return {"segments": [_shape(one, about) for one in segment.segments(conn)]}


def save(call: Opened, body: NewSegment) -> Any:
    """Make a segment, or change the one named by `key`; its members are computed at once."""
    saved = save_segment(call.ws, body.name, body.rule, call.caller.name, body.key)
    with call.ws.transaction() as conn:
        return _shape(saved, segment.known(conn))


def shown(call: Opened, segment_id: int) -> Any:
    """One segment with its rule, its sentence, and how many people the rule holds for now."""
    with call.ws.transaction() as conn:
        found, about = segment.segment(conn, segment_id), segment.known(conn)
    return _shape(found, about) | {"count": None if found.problem else _count(call, found.rule)}


def count(call: Opened, body: RuleBody) -> Any:
    """How many people a rule holds for now, and up to five of them; nothing is saved."""
    return _count(call, body.rule)


def estimate(call: Opened, body: RuleBody) -> Any:
    """About how many people a rule holds for now, and between which numbers that most likely lies; `share` of all people were looked at, 1: exact."""
    with call.ws.transaction() as conn:
        excluded = profile.places.objecting(conn)
    found = segment.estimate(call.ws, body.rule, call.now, excluded)
    return {"members": found.members, "low": found.low, "high": found.high, "share": round(found.share, 4), "exact": found.share == 1, "at": found.at}


def sentence(call: Opened, body: RuleBody) -> Any:
    """A rule in words, Polish and English."""
    with call.ws.transaction() as conn:
        return _words(body.rule, segment.known(conn))


def mark(call: Opened, segment_id: int, body: OnSite) -> Any:
    """Let a page's own script see that its visitor is in this segment, or not. Raises NotFound."""
    with call.ws.transaction() as conn:
        segment.marks.mark(conn, segment_id, visible=body.visible)
    call.note("segment.on-site", f"segment {segment_id}", visible=body.visible)
    return {"id": segment_id, "on_site": body.visible}


def members(call: Opened, segment_id: int, after: After = 0, limit: Limit = 100) -> Any:
    """People in the segment with the time they entered; `after` is the person number of the last one already seen."""
    with call.ws.transaction() as conn:
        segment.segment(conn, segment_id)
        rows = segment.membership(conn, segment_id, after, limit)
    people = [{"person": person_label(row.person_id), "entered_at": row.entered_at} for row in rows]
    return {"segment": segment_id, "members": people, "next_after": rows[-1].person_id if len(rows) == limit else None}


def changes(call: Opened, after: After = 0, limit: Limit = 100, segment_id: int | None = None) -> Any:
    """Who entered and left after a change, oldest first; keep the last id and ask again with it: each change is heard once. 30 days are kept."""
    with call.ws.transaction() as conn:
        rows = segment.reading.changes(conn, after, limit, segment_id)
    found = [{"id": row.id, "segment": row.segment_id, "person": person_label(row.person_id), "entered": row.entered, "at": row.at} for row in rows]
    return {"changes": found, "next_after": rows[-1].id if rows else after}


def graph(call: Opened) -> Any:
    """Which segment rests on which, and of each whether anything uses it and whether its rule can still be read."""
    with call.ws.transaction() as conn:
        used, rows = used_segments(conn), segment.segments(conn)
        edges = segment.reading.dependencies(conn)
    nodes = [{"id": row.id, "name": row.name, "used_by": used.get(row.id, []), "problem": plain(row.problem)} for row in rows]
    return {"segments": nodes, "rests_on": [{"segment": edge.segment_id, "on": edge.rests_on} for edge in edges]}


def overlap(call: Opened, body: Overlapping) -> Any:
    """How many people each pair of segments shares, as stored now; `share` is of those in either (Jaccard)."""
    with call.ws.transaction() as conn:
        pairs = segment.reading.overlaps(conn, body.segments)
    return {"overlaps": [plain(one) | {"share": round(one.share, 4)} for one in pairs]}


def sizes(call: Opened, segment_id: int, days: Days = 30) -> Any:
    """The size of a segment at the end of each day of the shop, and how many entered and left that day. Raises NotFound."""
    with call.ws.transaction() as conn:
        segment.segment(conn, segment_id)
        return {"segment": segment_id, "days": segment.reading.sizes(conn, segment_id, call.now, call.ws.settings.zone, days)}


def handed_over(call: Opened, segment_id: int, form: str = "csv", purpose: str | None = None) -> Response:
    """The segment's members as a file that others take: only addresses the gate allows for the purpose. It is noted in the audit log."""
    with call.ws.transaction() as conn:
        excluded = profile.places.objecting(conn)
    made = activate.lists.make(call.ws, segment_id, form, call.now, excluded, purpose)
    call.note("segment.list", f"segment {segment_id}", form=form, purpose=made.purpose, members=made.members, listed=made.listed)
    return file_of(segment_id, made)


def file_of(segment_id: int, made: activate.lists.List) -> Response:
    """The list as a download that no cache keeps."""
    kind = "application/vnd.apache.parquet" if made.form.suffix == "parquet" else "text/csv; charset=utf-8"
    name = f"segment-{segment_id}-{made.form.key}.{made.form.suffix}"
    return Response(made.body, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"})


def explain(call: Opened, segment_id: int, person: str) -> Any:
    """Why a person is in the segment or not: the rule as a tree with the value seen at each leaf."""
    number = person_number(person)
    with call.ws.transaction() as conn:
        found = segment.segment(conn, segment_id)
    return {"segment": segment_id, "person": person_label(number), "explanation": segment.explain(call.ws, found.rule, number, call.now)}


def _count(call: Call, rule: Any) -> dict[str, Any]:
    with call.ws.transaction() as conn:
        excluded = profile.places.objecting(conn)
    found = segment.count(call.ws, rule, call.now, excluded)
    return {"members": found.members, "sample": [person_label(one) for one in found.sample], "at": found.at}


def _shape(one: segment.Segment, about: segment.Known) -> dict[str, Any]:
    return plain(one) | {"sentence": None if one.problem else _words(one.rule, about)}


def _words(rule: Any, about: segment.Known) -> dict[str, str]:
    return {"pl": segment.sentence(rule, "pl", about=about), "en": segment.sentence(rule, "en", about=about)}
