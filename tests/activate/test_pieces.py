"""Pieces: what is encoded once for everybody and joined with a person's own is what would have been encoded whole."""

from base64 import b64decode
from collections.abc import Generator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cegla.activate.renderer import Renderer
from cegla.activate.rules.pieces import Fixed, base64_parts, calm, calmed, html_shape, text_shape
from cegla.vocabulary.errors.messages import TemplateInvalid

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=300)
SHARED = {"content": {"items": [{"name": "Kubek <1>", "price": 3}, {"name": "Miska", "price": 4}]}, "shop": {"name": "Sklep"}}
PEOPLE = [{"person": {"name": "Żaneta & Co", "vip": True}}, {"person": {}}]


@pytest.fixture(scope="module")
def renderer() -> Generator[Renderer]:
    with Renderer() as one:
        yield one


@given(st.lists(st.one_of(TEXT, TEXT.map(lambda text: Fixed(text * 4))), max_size=8))
def test_pieces_encode_to_what_they_say_in_lines_that_mail_allows(pieces: list[Fixed | str]) -> None:
    encoded = b"".join(base64_parts(pieces))
    assert all(0 < len(line) <= 76 and len(line) % 4 == 0 for line in encoded.split(b"\r\n")[:-1])
    assert b64decode(encoded).decode() == "".join(map(str, pieces))


@given(st.lists(st.one_of(TEXT, st.none()), min_size=1, max_size=6), st.data())
def test_calm_pieces_make_a_calm_text(pieces: list[str | None], data: st.DataObject) -> None:
    own = [data.draw(TEXT) for piece in pieces if piece is None]
    shape = text_shape(pieces)
    whole = "".join(next(rest) if piece is None else piece for rest in [iter(own)] for piece in pieces)
    if shape.line_at is not None and calm(own):
        made = "".join(map(str, shape.filled(own, "\n")))
        assert calmed(whole).rstrip() == calmed(made).rstrip()


def test_a_line_goes_before_the_last_end_of_the_body_or_has_no_place() -> None:
    shape = html_shape(["<body>", None, "</body> no, here: </body></html>"])
    assert "".join(map(str, shape.filled(["x"], "<p>line</p>"))) == "<body>x</body> no, here: <p>line</p></body></html>"
    assert html_shape(["<body>", None]).line_at is None


@pytest.mark.parametrize(
    ("template", "own"),
    [
        ("{{ shop.name }} {% for p in content.items %}{{ p.name }} {{ p.price | money }};{% endfor %} {{ person.name }}", 1),
        ("{% for p in content.items %}{{ person.name }}{{ p.name }}{% endfor %}", 1),
        ("{% assign content = person %}{{ content.name }}{{ shop.name }}", 1),
        ("{% if person.vip %}{% assign x = 'a' %}{% endif %}{{ shop.name }}{{ x }}", 2),
        ("{% cycle 'a', 'b' %}{{ shop.name }}{% cycle 'a', 'b' %}", 1),
        ("{{ 'now' | date: '%Y' }}{{ shop.name }}", 1),
        ("{% assign p = content.items.first %}{{ p.name }}{% assign p = person %}{{ p.name }}", 1),
        ("{{ shop.name }}", 0),
        ("{% for p in content.items limit: 1 %}{{ p.name }}{% endfor %}{% for p in content.items offset: continue %}{{ p.name }}{% endfor %}", 1),
    ],
    ids=["shared", "personal loop", "shadowed", "assigned", "counting", "by the clock", "assigned twice", "all shared", "going on"],
)
def test_what_is_rendered_once_for_all_is_what_each_would_have_got(renderer: Renderer, template: str, own: int) -> None:
    renderer.load("apart", {"html": template, "text": template}, SHARED)
    renderer.load("whole", {"html": template, "text": template})
    assert renderer.loaded("apart").pieces["html"].count(None) == own
    for person in PEOPLE:
        assert renderer.render("apart", person) == renderer.render("whole", SHARED | person)


def test_one_person_who_breaks_a_template_costs_no_other(renderer: Renderer) -> None:
    renderer.load("slow", {"html": "{{ person.name }}{% for i in (1..person.n) %}{% for j in (1..person.n) %}{% endfor %}{% endfor %}"})
    people = [{"person": {"name": name, "n": n}} for name, n in (("Anna", 1), ("Bomb", 9_999), ("Ewa", 1))]
    first, second, third = renderer.render_all("slow", people)
    assert first == {"html": ["Anna"]} and third == {"html": ["Ewa"]} and isinstance(second, Exception)


def test_what_all_share_counts_against_the_limit_of_a_message(renderer: Renderer) -> None:
    renderer.load("long", {"html": "{% for i in (1..900) %}{{ content.words }}{% endfor %}" * 2}, {"content": {"words": "x" * 2_000}})
    with pytest.raises(TemplateInvalid):
        renderer.render("long", {"person": {}})
