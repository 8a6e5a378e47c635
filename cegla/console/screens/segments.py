"""Segments: the list, the form that is the rule, and a segment's page. Each change posts the whole form; the answer is the
form, the sentence, the count, who can be reached and five people. Without JavaScript the same happens by a button."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from cegla.activate import actions as activate
from cegla.console.charts.marks import Mark, Wording
from cegla.console.digits import whole
from cegla.console.menu import marked
from cegla.console.screens.names import display_names
from cegla.console.screens.reach import Reach, reach
from cegla.console.views import builder
from cegla.console.visit import Visit, go
from cegla.defining import save_segment, used_segments
from cegla.govern import actions as govern
from cegla.profile import actions as profile
from cegla.segment import actions as segment
from cegla.vocabulary.errors import CeglaError, NotFound
from cegla.vocabulary.people import parse_person_label

AT_ONCE = 50
NEWEST, SIZE_DAYS, EXAMPLES = 10, 30, 5
NAMES_DAYS = 365
KINDS = (("all", marked("wszystkie warunki")), ("any", marked("co najmniej jeden warunek")), ("not", marked("żaden z warunków")))
TITLES = {
    "events": marked("Co osoba zrobiła"), "products": marked("Produkty i kategorie"), "sequences": marked("Co po czym"),
    "traits": marked("Co o osobie wiadomo"), "places": marked("Gdzie mieszka i bywa"), "consents": marked("Zgody i kontakt"),
    "accounts": marked("Do której firmy należy"), "groups": marked("Grupy, podziały, inne segmenty"),
}  # fmt: skip
COMPARISONS = (
    ("is", marked("równa")), ("is_not", marked("inna niż")), ("in", marked("jedna z")), ("contains", marked("zawiera")),
    ("starts_with", marked("zaczyna się od")), ("over", marked("większa niż")), ("under", marked("mniejsza niż")), ("known", marked("znana")),
)  # fmt: skip


@dataclass(frozen=True)
class Draft:
    """A rule in the making and what it gives now: either the counts, or the problem that stops it.

    `members` is exact, or an estimate that most likely lies between the two numbers of `between`.
    """

    key: str = ""
    name: str = ""
    rule: dict[str, Any] = field(default_factory=dict[str, Any])
    sentences: Mapping[str, str] = field(default_factory=dict[str, str])
    members: int | None = None
    between: tuple[int, int] | None = None
    reach: Sequence[Reach] = ()
    sample: Sequence[tuple[int, str]] = ()
    problem: dict[str, Any] | None = None


def show(visit: Visit) -> Response:
    """All segments with their sentences and members."""
    with visit.ws.transaction() as conn:
        used = used_segments(conn)
        rows = [(row, visit.tongue.say(row.problem) if row.problem else _said(visit, row.rule)[visit.language]) for row in segment.segments(conn)]
    return visit.page("segments.html", {"rows": rows, "used": used})


def show_new(visit: Visit) -> Response:
    """The form with one condition to begin with; `?event=` fills it in, or `?trait=` and `?value=`."""
    if (row := _about(visit).traits.get(visit.query.get("trait", ""))) is not None:
        value: Any = visit.asked_number("value") if row.kind == "number" else visit.query.get("value", "")
        said = {"op": "trait_has" if row.kind == "list" else "trait_is", "trait": row.key, "value": value}
        return _form(visit, _drafted(visit, Draft(rule={"all": [said]})))
    first = {"op": "did", "event": visit.query.get("event", "Order Completed"), "at_least": 1, "days": visit.asked_number("days", 90)}
    return _form(visit, _drafted(visit, Draft(rule={"all": [first]})))


def show_edit(visit: Visit) -> Response:
    """The form of a segment that exists."""
    found = _segment(visit)
    return _form(visit, _drafted(visit, Draft(str(found.id), found.name, builder.as_group(found.rule))))


def change(visit: Visit) -> Response:
    """A posted form: a button or a change gives the form again, "save" saves. 422 keeps what was typed."""
    fields = {name: [str(value) for value in visit.form.getlist(name)] for name in visit.form}
    act = visit.field("do")
    draft = Draft(visit.field("key"), visit.field("name"), builder.edited(builder.rule_of(fields, about=_about(visit)), act))
    if act == "save":
        return _save(visit, draft)
    return _form(visit, _drafted(visit, draft, exact=act == "count"))


def _save(visit: Visit, draft: Draft) -> Response:
    try:
        name = visit.required("name")
        with visit.ws.transaction() as conn:
            key = segment.segment(conn, number).key if (number := whole(draft.key)) is not None else None
        saved = save_segment(visit.ws, name, _tidy(draft.rule), visit.actor, key)
    except CeglaError as error:
        drafted = _drafted(visit, draft)
        problem = error.problem(visit.language)
        return _form(visit, replace(drafted, problem=problem), error.status)
    return go(visit, f"/segments/{saved.id}", done="saved")


def show_one(visit: Visit) -> Response:
    """A segment: its sentence, who can be reached, its members, newest first. Of one whose rule cannot be read: why, and whom it keeps."""
    found = _segment(visit)
    after = visit.asked_number("after")
    with visit.ws.transaction() as conn:
        left_out = profile.places.objecting(conn)
    people = [] if found.problem else segment.members_of(visit.ws, found.rule, visit.now, excluded=left_out).to_pylist()
    with visit.ws.transaction() as conn:
        rows = segment.membership(conn, found.id, after, AT_ONCE + 1)
        reached = [] if found.problem else reach(visit, conn, people)
        moves = segment.reading.newest_changes(conn, found.id, NEWEST)
        names = display_names(conn, [*(row.person_id for row in rows), *(row.person_id for row in moves)])
        known, days = {row.id: row for row in segment.segments(conn)}, segment.reading.sizes(conn, found.id, visit.now, visit.ws.settings.zone, SIZE_DAYS)
        edges, used = segment.reading.dependencies(conn), used_segments(conn)
        purposes = govern.register.purposes(conn).values()
        beside = [found.id, *(row.id for row in known.values() if row.id != found.id and row.members)][: segment.reading.MOST_COMPARED]
        shared = [(known[_other(one, found.id)], one) for one in segment.reading.overlaps(conn, beside) if found.id in (one.first, one.second) and one.both]
    more = rows[AT_ONCE - 1].person_id if len(rows) > AT_ONCE else None
    sentences = {visit.language: visit.tongue.say(found.problem)} if found.problem else _said(visit, found.rule)
    model = {"segment": found, "sentences": sentences, "rows": rows[:AT_ONCE], "names": names, "reach": reached, "after": after, "more": more}
    model |= {
        "moves": moves, "sizes": _sizes(visit, days), "size_words": _size_words(visit), "shared": sorted(shared, key=lambda pair: -pair[1].both)[:NEWEST],
        "rests_on": [known[edge.rests_on] for edge in edges if edge.segment_id == found.id],
        "used_by": [known[edge.segment_id] for edge in edges if edge.rests_on == found.id],
        "used": used.get(found.id, []), "forms": activate.lists.forms(), "purposes": purposes,
    }  # fmt: skip
    return visit.page("segment.html", model)


def _other(one: segment.reading.Overlap, segment_id: int) -> int:
    return one.second if one.first == segment_id else one.first


def _sizes(visit: Visit, days: Sequence[segment.reading.Size]) -> list[Mark]:
    """A column a day; today is not over."""
    t = visit.tongue
    return [
        Mark(t.short_day(one.day), one.members, f"{t.number(one.members)} (+{t.number(one.entered)} −{t.number(one.left)})", unfinished=one is days[-1])
        for one in days
    ]


def _size_words(visit: Visit) -> Wording:
    t = visit.tongue
    about = t.text("Na koniec każdego dnia, strefa {zone}; w nawiasie ile osób weszło i wyszło.", zone=str(visit.ws.settings.zone))
    return Wording(str(t.text("Wielkość segmentu")), str(t.text("Dzień")), str(t.text("Osoby")), str(about), str(t.text("Tabela")))


def hand_over(visit: Visit) -> Response:
    """The members as a file for others, as far as the gate allows; the audit log remembers."""
    number, now = visit.number("id"), visit.now
    with visit.ws.transaction() as conn:
        left_out = profile.places.objecting(conn)
    made = activate.lists.make(visit.ws, number, visit.field("form"), now, left_out, visit.field("purpose"))
    with visit.ws.transaction() as conn:
        detail = {"form": made.form.key, "purpose": made.purpose, "members": made.members, "listed": made.listed}
        govern.note(conn, visit.actor, "segment.list", f"segment {number}", detail, now)
    headers = {"content-disposition": f'attachment; filename="segment-{number}-{made.form.key}.{made.form.suffix}"', "cache-control": "no-store"}
    return Response(made.body, media_type="application/octet-stream", headers=headers)


def show_why(visit: Visit) -> Response:
    """Why one person is in the segment, or is not: the rule as a tree with the value seen at each leaf."""
    found = _segment(visit)
    asked = visit.query.get("person", "")
    if (person := parse_person_label(asked)) is None:
        raise NotFound(where="person", seen=asked, thing=asked)
    explanation = segment.explain(visit.ws, found.rule, person, visit.now)
    return visit.page("segment_why.html", {"segment": found, "person": person, "explanation": explanation})


def _said(visit: Visit, rule: Any) -> dict[str, str]:
    """The rule in both languages."""
    currency = visit.ws.settings.currency
    with visit.ws.transaction() as conn:
        about = segment.known(conn)
    return {"pl": segment.sentence(rule, "pl", currency, about), "en": segment.sentence(rule, "en", currency, about)}


def _segment(visit: Visit) -> Any:
    with visit.ws.transaction() as conn:
        return segment.segment(conn, visit.number("id"))


def _about(visit: Visit) -> segment.Known:
    """What a condition may speak of: traits, built in, found and computed, and other segments."""
    with visit.ws.transaction() as conn:
        return segment.known(conn)


def _tidy(rule: Mapping[str, Any]) -> Any:
    """A group of one is that one."""
    for kind in ("all", "any"):
        if kind in rule and len(rule[kind]) == 1:
            return rule[kind][0]
    return rule


def _drafted(visit: Visit, draft: Draft, *, exact: bool = False) -> Draft:
    """The draft with its sentence, count, reach and sample, or with the problem of its rule. The count is an estimate unless it is asked for."""
    try:
        rule = _tidy(draft.rule)
        sentences = _said(visit, rule)
        with visit.ws.transaction() as conn:
            left_out = profile.places.objecting(conn)
        if exact:
            counted = segment.count(visit.ws, rule, visit.now, excluded=left_out)
            members, between, people = counted.members, None, counted.people.to_pylist()
        else:
            guessed = segment.estimate(visit.ws, rule, visit.now, excluded=left_out)
            members, people = guessed.members, guessed.people.to_pylist()
            between = (guessed.low, guessed.high) if guessed.share < 1 else None
    except CeglaError as error:
        return Draft(draft.key, draft.name, draft.rule, problem=error.problem(visit.language))
    shown = people[:: max(1, len(people) // EXAMPLES)][:EXAMPLES]
    with visit.ws.transaction() as conn:
        reached = reach(visit, conn, people, whole=members)
        names = display_names(conn, shown)
    sample = [(person, names.get(person, "")) for person in shown]
    return Draft(draft.key, draft.name, draft.rule, sentences, members, between, reached, sample)


def _form(visit: Visit, draft: Draft, status: int = 200) -> Response:
    operators = [(TITLES[group], [row for row in segment.OPERATORS.values() if row.group == group]) for group in TITLES]
    events = [] if visit.partial else profile.past.event_volumes(visit.ws.warehouse, visit.now - timedelta(days=NAMES_DAYS))
    words = {"kinds": KINDS, "operators": operators, "comparisons": COMPARISONS, "numbers": builder.NUMBERS}
    model = {"draft": draft, "tree": builder.form_of(draft.rule, about=_about(visit)), "words": words, "event_names": [row.name for row in events]}
    return visit.page("segment_form.html", model, block="form", status=status)
