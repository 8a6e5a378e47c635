"""A person's identity graph as rows and arcs: identifiers under their types, what links them, what was refused and to whom."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cegla.console.charts.graph import Arc, GraphRow, Shape, Style
from cegla.console.language import Tongue
from cegla.console.menu import marked
from cegla.console.views import states
from cegla.vocabulary.masking import masked
from cegla.vocabulary.people import person_label

PLACES = ("anonymous_id", "device_id")
FITS = 30  #: letters of a reason beside a person; the whole of it is in the table
RESTS = marked("jeszcze {n} identyfikator|jeszcze {n} identyfikatory|jeszcze {n} identyfikatorów")
BUNDLES = marked("{n} powiązanie|{n} powiązania|{n} powiązań")
SEEN_FIRST = marked("od {moment} · {source}")
OTHERS = marked("Inne osoby")
UNDONE = marked("cofnięte")
SHARED = marked("używana też przez innych")
TITLE = marked("Graf tożsamości osoby {person}: {identifiers}, {links}. Te same dane są w tabeli.")
WHOLE = marked("{n} identyfikator|{n} identyfikatory|{n} identyfikatorów")


@dataclass(frozen=True)
class Drawing:
    """What the chart takes."""

    rows: list[GraphRow]
    arcs: list[Arc]
    title: str


def drawing(graph: Any, sources: Mapping[int, str], tongue: Tongue, *, reveal: bool) -> Drawing:
    """The graph in the visitor's language; values are masked unless revealed."""
    rows: list[GraphRow] = []
    places: dict[int, int] = {}  # identity → row
    rests: dict[str, int] = {}  # type → row of those not drawn
    shown: Callable[[str, str], str] = (lambda value, _: value) if reveal else masked
    for kind, number in graph.counts.items():
        rows.append(GraphRow("heading", f"{type_name(kind, tongue)} · {tongue.number(number)}"))
        nodes = [node for node in graph.nodes if node.type == kind]
        for node in nodes:
            places[node.identity_id] = len(rows)
            shape: Shape = "shared" if node.held else "place" if kind in PLACES else "human"
            rows.append(GraphRow(shape, shown(node.value, kind), _note(node, sources, tongue)))
        if number > len(nodes):
            rests[kind] = len(rows)
            rows.append(GraphRow("rest", str(tongue.count(RESTS, number - len(nodes)))))
    arcs = [_arc(edge, places[edge.strong_id], places[edge.weak_id], sources, tongue) for edge in graph.edges]
    arcs += [
        Arc(places[bundle.identity_id], rests[bundle.type], "bundle", str(tongue.count(BUNDLES, bundle.number)))
        for bundle in graph.bundles
        if bundle.identity_id in places and bundle.type in rests
    ]
    arcs += _outside(graph.outside, graph.person_id, rows, places, sources, tongue)
    links = len(graph.edges) + sum(bundle.number for bundle in graph.bundles)
    said = {"identifiers": tongue.count(WHOLE, graph.whole), "links": tongue.count(BUNDLES, links)}
    return Drawing(rows, arcs, str(tongue.text(TITLE, person=person_label(graph.person_id), **said)))


def type_name(kind: str, tongue: Tongue) -> str:
    """A type of identifier as people call it; one of the installation's own by its key."""
    return str(tongue.text(states.IDENTIFIERS[kind])) if kind in states.IDENTIFIERS else kind


def _note(node: Any, sources: Mapping[int, str], tongue: Tongue) -> str:
    said = str(tongue.text(SEEN_FIRST, moment=tongue.day(node.first_seen_at), source=sources.get(node.source_id, "–")))
    return f"{said} · {tongue.text(SHARED)}" if node.held else said


def _outside(edges: Iterable[Any], person: int, rows: list[GraphRow], places: Mapping[int, int], sources: Mapping[int, str], tongue: Tongue) -> Iterable[Arc]:
    """Rows for the people at the other ends, and the arcs to them."""
    people: dict[int, int] = {}
    for edge in edges:
        ours, theirs = (edge.strong_id, edge.weak_person) if edge.strong_person == person else (edge.weak_id, edge.strong_person)
        if ours not in places:
            continue
        if not people:
            rows.append(GraphRow("heading", str(tongue.text(OTHERS))))
        if theirs not in people:
            people[theirs] = len(rows)
            why = tongue.say(edge.why_refused) if edge.refused else str(tongue.text(UNDONE))
            rows.append(GraphRow("other", person_label(theirs), why if len(why) <= FITS else f"{why[: FITS - 1].rstrip()}…"))
        yield _arc(edge, places[ours], people[theirs], sources, tongue)


def _arc(edge: Any, one: int, other: int, sources: Mapping[int, str], tongue: Tongue) -> Arc:
    style: Style = "undone" if edge.retracted_at else "refused" if edge.refused else "joins"
    said = [str(tongue.text(states.LINKS[edge.rule])), tongue.moment(edge.at), sources.get(edge.source_id, "–")]
    if edge.refused:
        said.append(tongue.say(edge.why_refused))
    return Arc(one, other, style, " · ".join(said))
