"""What an author chooses from: segments, snippets, catalogs, images, and the traits of people with an example of each."""

from typing import Any

from cegla.activate import actions as activate
from cegla.catalog import actions as catalog
from cegla.compose import actions as compose
from cegla.console.views.letter_form import Lists
from cegla.console.views.ready_made import segment_name
from cegla.console.visit import Visit
from cegla.segment import actions as segment
from cegla.vocabulary.text import Text


def choices_of(visit: Visit) -> Lists:
    """The choices by the kind of field."""
    base = visit.public_address
    with visit.ws.transaction() as conn:
        segments = [(str(one.id), _said(visit.tongue.say(segment_name(one.name)))) for one in segment.segments(conn)]
        snippets = [(str(one.id), _said(one.name)) for one in compose.reading.letters(conn, "snippet") if one.version]
        feeds = [(one.name, _said(one.name)) for one in catalog.feeds(conn)]
        images = [(f"{base}/images/{one.name}", _said(one.label)) for one in compose.images.hosted(conn)]
    return {"segment": segments, "snippet": snippets, "image": images, "feed": feeds}


def traits_of(visit: Visit) -> list[tuple[str, Text, str]]:
    """The fields of a person: the Liquid that prints one with a fallback, its label, and the most frequent value of some people."""
    with visit.ws.transaction() as conn:
        found = activate.contents.examples(conn)
    return [(f'{{{{ person.{name} | default: "…" }}}}', label, value) for name, label, value in found]


def _said(text: Any) -> Text:
    return Text(str(text), str(text))
