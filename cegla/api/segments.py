"""Segments: save, list, count, members, explain, the sentence. The rule is the same JSON tree in API, console and command line."""

from typing import Any

from cegla.api.call import Call, Opened, not_found, person_number
from cegla.api.plain import plain
from cegla.api.shapes import After, Limit, NewSegment, RuleBody
from cegla.segment import actions as segment
from cegla.vocabulary.people import person_label


def listed(call: Opened) -> Any:
    """All segments, each with its sentence in both languages."""
    with call.ws.transaction() as conn:
        return {"segments": [_shape(one) for one in segment.segments(conn)]}


def save(call: Opened, body: NewSegment) -> Any:
    """Make a segment, or change the one named by `key`; its members are computed at once."""
    with call.ws.transaction() as conn:
        saved = segment.save(conn, body.name, body.rule, call.now, key=body.key)
        segment.refresh(conn, call.ws.warehouse, None, call.now)
    call.note("segment.save", f"segment {saved.id}")
    return _shape(saved)


def shown(call: Opened, segment_id: int) -> Any:
    """One segment with its rule, its sentence and its count now."""
    found = _segment(call, segment_id)
    return _shape(found) | {"count": segment.count(call.ws, found.rule, call.now)}


def count(call: Opened, body: RuleBody) -> Any:
    """How many people a rule holds for now, and five of them; nothing is saved."""
    return segment.count(call.ws, body.rule, call.now)


def sentence(call: Opened, body: RuleBody) -> Any:
    """A rule in words, Polish and English."""
    return {"pl": segment.sentence(body.rule, "pl"), "en": segment.sentence(body.rule, "en")}


def members(call: Opened, segment_id: int, after: After = 0, limit: Limit = 100) -> Any:
    """People in the segment with the time they entered; `after` is the person number of the last one already seen."""
    _segment(call, segment_id)
    with call.ws.transaction() as conn:
        return {"segment": segment_id, "members": segment.membership(conn, segment_id, after, limit)}


def explain(call: Opened, segment_id: int, person: str) -> Any:
    """Why a person is in the segment or not: the rule as a tree with the value seen at each leaf."""
    number = person_number(person)
    found = _segment(call, segment_id)
    return {"segment": segment_id, "person": person_label(number), "explanation": segment.explain(call.ws, found.rule, number, call.now)}


def _segment(call: Call, segment_id: int) -> segment.SegmentRow:
    with call.ws.transaction() as conn:
        found = next((one for one in segment.segments(conn) if one.id == segment_id), None)
    if found is None:
        raise not_found("segment", segment_id)
    return found


def _shape(one: segment.SegmentRow) -> dict[str, Any]:
    return plain(one) | {"sentence": {"pl": segment.sentence(one.rule, "pl"), "en": segment.sentence(one.rule, "en")}}
