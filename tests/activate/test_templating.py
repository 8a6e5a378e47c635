"""The template worker: what it renders, and that a bomb costs its own message and nothing else."""

import signal
import sys
import threading
from collections.abc import Generator

import pytest

from cegla.activate import renderer as rendering
from cegla.activate.renderer import Renderer
from cegla.activate.rules.filters import EXAMPLE_DATA, FILTERS, Filter
from cegla.activate.templating import environment
from cegla.vocabulary.errors import Busy
from cegla.vocabulary.errors.messages import TemplateInvalid

WORD = "a" * 60
BOMBS = {
    "a huge range joined": '{{ (1..10000000) | join: "," | size }}',
    "a huge empty loop": "{% for a in (1..10000000) %}{% endfor %}",
    "nested loops": "{% for a in (1..99999) %}{% for b in (1..99999) %}x{% endfor %}{% endfor %}",
    "a string that doubles": "{% assign s = 'x' %}{% for i in (1..60) %}{% assign s = s | append: s %}{% endfor %}{{ s }}",
    "a list that doubles": "{% assign a = (1..9999) | concat: (1..9999) %}{% for i in (1..30) %}{% assign a = a | concat: a %}{% endfor %}",
    "a table of many rows": "{% tablerow i in (1..100000000) %}x{% endtablerow %}",
    "much output": "{% capture s %}{% for i in (1..9999) %}" + WORD + "{% endfor %}{% endcapture %}{% for i in (1..999) %}{{ s }}{% endfor %}",
    "deep nesting": "{% if a %}" * 3_000,
    "a long condition": "{% if " + "a and " * 5_000 + "a %}{% endif %}",
    "slow filters": "{% for i in (1..18000) %}{{ '" + WORD + "' | split: '' | sort | reverse | join: ',' | strip_html | truncatewords: 3 }}{% endfor %}",
    "a reversed range": "{{ (1..100000000) | reverse | first }}",
    "a filter that trusts": "{{ person.name | safe }}",
    "another file": "{% include '/etc/passwd' %}",
    "another template": "{% render 'x' %}",
}


@pytest.fixture(scope="module")
def renderer() -> Generator[Renderer]:
    with Renderer() as one:
        one.load("good", {"subject": "Cześć {{ person.name | default: 'Ty' }}", "html": "<p>{{ person.name }}</p>", "text": "{{ 1234.5 | money }}"})
        yield one


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_and_the_next_message_renders(renderer: Renderer, bomb: str) -> None:
    with pytest.raises(TemplateInvalid):
        renderer.load("bomb", {"html": bomb})
        renderer.render("bomb", {"person": {}})
    assert renderer.render("good", {"person": {"name": "Anna"}})["subject"] == "Cześć Anna"


def test_a_worker_that_ended_between_two_messages_costs_none(renderer: Renderer) -> None:
    assert renderer._child is not None
    renderer._child.process.kill()
    renderer._child.process.wait()
    assert renderer.render("good", {"person": {"name": "Anna"}})["subject"] == "Cześć Anna"


def test_a_worker_that_the_machine_held_up_costs_nobody_a_message(renderer: Renderer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "RENDER_SECONDS", 0.1)
    assert renderer.render("good", {"person": {}})["text"]
    assert renderer._child is not None
    renderer._child.process.send_signal(signal.SIGSTOP)
    going_on = threading.Timer(0.4, renderer._child.process.send_signal, [signal.SIGCONT])
    going_on.start()
    assert renderer.render("good", {"person": {"name": "Anna"}})["subject"] == "Cześć Anna"
    going_on.join()


def test_a_worker_that_cannot_be_started_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(Busy), Renderer() as none:
        none.compile("<mjml></mjml>")


@pytest.mark.parametrize("probe", ["{{ person.__class__ }}", "{{ person.__init__.__globals__ }}", "{{ environ }}", "{{ env.HOME }}", "{{ settings }}", "{{ 'now'.__class__ }}"])
def test_nothing_of_the_machine_is_reachable(renderer: Renderer, probe: str) -> None:
    try:
        renderer.load("probe", {"html": probe})
    except TemplateInvalid:
        return
    assert renderer.render("probe", {"person": {"name": "Anna"}})["html"] == ""


def test_values_are_escaped_in_html_and_not_in_text(renderer: Renderer) -> None:
    renderer.load("both", {"html": "{{ person.name }}", "text": "{{ person.name }}"})
    made = renderer.render("both", {"person": {"name": "<b>Anna & Co</b>"}})
    assert (made["html"], made["text"]) == ("&lt;b&gt;Anna &amp; Co&lt;/b&gt;", "<b>Anna & Co</b>")


def test_prices_are_written_the_polish_way(renderer: Renderer) -> None:
    assert renderer.render("good", {"person": {}})["text"] == "1\u00a0234,50\u00a0zł"


def test_a_mistake_names_its_part_and_line(renderer: Renderer) -> None:
    with pytest.raises(TemplateInvalid) as refused:
        renderer.load("wrong", {"subject": "fine", "html": "line one\nline {% if %}"})
    assert refused.value.where == "html:2"


def test_the_fields_a_template_reads_are_known(renderer: Renderer) -> None:
    assert renderer.load("fields", {"html": "{{ person.name }}{% for p in content.products %}{{ p.price }}{% endfor %}"}) == ["content.products", "person.name"]


def test_compiled_mail_fetches_no_fonts_and_includes_no_files(renderer: Renderer) -> None:
    html = renderer.compile("<mjml><mj-body><mj-section><mj-column><mj-text font-family='Roboto'>{{ person.name }}</mj-text></mj-column></mj-section></mj-body></mjml>")
    assert "fonts.googleapis" not in html and "{{ person.name }}" in html
    with pytest.raises(TemplateInvalid):
        renderer.compile("<mjml><mj-body><mj-include path='/etc/passwd' /></mj-body></mjml>")


def test_quotes_of_a_field_in_the_title_survive_compiling(renderer: Renderer) -> None:
    html = renderer.compile('<mjml><mj-head><mj-title>{{ content.title | default: "Nowości" }}</mj-title></mj-head><mj-body></mj-body></mjml>')
    renderer.load("title", {"html": html})
    assert renderer.render("title", {})["html"].count("Nowości") == 2


def test_every_filter_there_is_has_its_row_and_each_row_its_filter() -> None:
    assert {row.name for row in FILTERS} == set(environment(escape=True).filters)


@pytest.mark.parametrize("row", FILTERS, ids=lambda row: row.name)
def test_the_example_of_a_filter_says_something(row: Filter) -> None:
    assert environment(escape=False).from_string(row.example).render(**EXAMPLE_DATA).strip()


def test_includes_within_includes_end(renderer: Renderer) -> None:
    with pytest.raises(TemplateInvalid):
        renderer.load("loop", {"html": "{% include 'a' %}", "snippet:a": "{% include 'b' %}", "snippet:b": "{% include 'a' %}"})
        renderer.render("loop", {})
    assert renderer.render("good", {"person": {"name": "Anna"}})["subject"] == "Cześć Anna"
