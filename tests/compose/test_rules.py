"""The pure core of letters: edits of a document, blocks as MJML and as text, who sees a block, links and their tags, the checks."""

import struct
import zlib
from collections.abc import Generator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cegla.activate import actions as activate
from cegla.compose import following
from cegla.compose.rules import checks, comparing, conditions, drawing, links, markup, pictures, plain
from cegla.compose.rules.document import Block, Document, added, doubled, moved, removed
from cegla.compose.rules.kinds import BLOCKS
from cegla.reference.crawling import NotFetched
from cegla.vocabulary.errors.messages import TemplateInvalid

KINDS = tuple(BLOCKS)
FEED = [{"title": "Kubek „Świt”", "price": 39.9, "currency": "PLN", "link": "https://sklep.pl/kubek", "category": "Kuchnia"}]


def example(kind: str, **fields: str) -> Block:
    """A block as the editor adds it."""
    return Block("b1", kind, {field.key: field.example.pl for field in BLOCKS[kind].fields} | fields)


@pytest.fixture(scope="module")
def renderer() -> Generator[activate.Renderer]:
    with activate.Renderer() as one:
        yield one


def made(renderer: activate.Renderer, document: Document, person: dict[str, object] | None = None) -> dict[str, str]:
    """A letter as one person gets it."""
    compiled = activate.contents.parts(renderer, document.subject, drawing.mjml(document, {}), plain.text(document, {}))
    renderer.load("one", {name: compiled[name] for name in ("subject", "html", "text")}, {"feeds": {"main": FEED}})
    return renderer.render("one", {"person": person or {}, "unsubscribe_url": "https://x.pl/u/1", "preferences_url": "https://x.pl/p/1"})


@given(st.lists(st.tuples(st.sampled_from(("add", "up", "down", "copy", "drop")), st.integers(0, 9)), max_size=30))
def test_whatever_is_pressed_each_block_keeps_a_name_of_its_own(presses: list[tuple[str, int]]) -> None:
    document = Document()
    for act, place in presses:
        name = document.blocks[place % len(document.blocks)].id if document.blocks else ""
        before = [block.id for block in document.blocks]
        match act:
            case "add":
                document = added(document, KINDS[place % len(KINDS)], {})
            case "copy":
                document = doubled(document, name)
            case "drop":
                document = removed(document, name)
            case _:
                document = moved(document, name, -1 if act == "up" else 1)
                assert sorted(block.id for block in document.blocks) == sorted(before)
        ids = [block.id for block in document.blocks]
        assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "snippet"])
def test_every_block_compiles_as_it_is_added(kind: str, renderer: activate.Renderer) -> None:
    block = example(kind, image="https://sklep.pl/a.png", feed="main", facebook="https://facebook.com/sklep")
    html = made(renderer, Document(subject="Temat", blocks=(block,)))["html"]
    assert "liquidTag" not in html
    assert "<mj-" not in html


def test_what_is_typed_into_a_form_never_becomes_markup(renderer: activate.Renderer) -> None:
    hostile = '"><script>alert(1)</script>'
    blocks = tuple(Block(f"b{place}", kind, {field.key: hostile for field in row.fields}) for place, (kind, row) in enumerate(BLOCKS.items()) if kind != "code")
    document = Document(subject=hostile, preheader=hostile, blocks=blocks, look={"accent": hostile})
    assert "<script" not in made(renderer, document)["html"]
    assert markup.safe_address("javascript:alert(1)") == "#"
    assert 'href="#"' in markup.html("[x](javascript:alert)", "#000")


def test_liquid_of_an_author_survives_quotes_and_brackets(renderer: activate.Renderer) -> None:
    text = 'Cześć {{ person.first_name | default: "Ty" }}{% if person.order_count < 3 %}, witaj{% endif %}'
    letter = made(renderer, Document(subject=text, blocks=(example("text", text=text),)), {"order_count": 1})
    assert letter["subject"] == "Cześć Ty, witaj"
    assert "Cześć Ty, witaj" in letter["html"]
    assert "Cześć Ty, witaj" in letter["text"]


@pytest.mark.parametrize(
    ("shown", "person", "seen"),
    [
        ({"segment": "7"}, {"segments": [7]}, True),
        ({"segment": "7"}, {"segments": [8]}, False),
        ({"segment": "7", "not": "yes"}, {"segments": [8]}, True),
        ({"interest": "Kuchnia"}, {"favourite_categories": ["Dom", "Kuchnia"]}, True),
        ({"interest": "Kuchnia"}, {}, False),
        ({"daypart": "evening"}, {"daypart": "evening"}, True),
        ({"habit": "night"}, {"usual_hour": 2}, True),
        ({"habit": "night"}, {"usual_hour": 12}, False),
        ({"device": "phone"}, {"device": "desktop"}, False),
        ({"trait": "city = Łódź"}, {"city": "Łódź"}, True),
        ({"trait": "city"}, {}, False),
        ({"segment": "7", "device": "phone", "not": "yes"}, {"segments": [7], "device": "phone"}, False),
        ({"segment": "7", "device": "phone", "not": "yes"}, {"segments": [7], "device": "desktop"}, True),
        ({"trait": "city = x' or 'a' == 'a"}, {"city": "Łódź"}, False),
    ],
    ids=lambda value: "",
)
def test_a_block_is_shown_to_those_meant_and_the_text_part_agrees(shown: dict[str, str], person: dict[str, object], seen: bool, renderer: activate.Renderer) -> None:
    block = Block("b1", "text", {"text": "tylko dla niektórych"}, shown)
    letter = made(renderer, Document(subject="x", blocks=(block,)), person)
    assert ("tylko dla niektórych" in letter["html"], "tylko dla niektórych" in letter["text"]) == (seen, seen)


def test_products_fall_back_to_the_catalog_or_hide(renderer: activate.Renderer) -> None:
    own = {"viewed_products": [{"title": "Deska", "price": 10, "link": "https://sklep.pl/deska"}]}
    block = example("products", source="viewed", feed="main", fallback="feed")
    assert "Deska" in made(renderer, Document(subject="x", blocks=(block,)), own)["html"]
    assert "Kubek" in made(renderer, Document(subject="x", blocks=(block,)), {})["text"]
    hidden = example("products", source="viewed", feed="main", fallback="", title="Dla Ciebie")
    assert "Dla Ciebie" not in made(renderer, Document(subject="x", blocks=(hidden,)), {})["html"]


def test_a_snippet_within_itself_ends() -> None:
    round_ = Document(blocks=(Block("b1", "snippet", {"snippet": "1"}), Block("b2", "text", {"text": "x"})))
    assert drawing.mjml(round_, {"1": round_}).count(">x<") <= 5
    fan = Document(blocks=tuple(Block(f"b{place}", "snippet", {"snippet": "1"}) for place in range(120)))
    with pytest.raises(TemplateInvalid):
        drawing.mjml(fan, {"1": fan})


HOSTILE = ('<a href="' + "{{a}}" * 400, "<a " + "{{a}}" * 400, "<img " + "{{a}}" * 400, "{{" * 4_000, "{{ {% " * 4_000, "{{" + " " * 2_000 + "x", "[" * 4_000)


@pytest.mark.parametrize("source", HOSTILE, ids=lambda source: source[:12].strip())
def test_no_letter_keeps_who_reads_it_busy_for_good(source: str) -> None:
    assert links.tagged_html(source, links.USUAL_TAGS) == source
    assert (links.links(source), links.images(source)) == ([], [])
    assert links.tagged_html(f'<a href="{source}">x</a>', links.USUAL_TAGS)
    assert markup.html(source, "#000")


def test_links_get_their_tags_once_and_the_way_out_none() -> None:
    html = '<a href="https://a.pl/x?y=1#z">a</a><a href="{{ product.link }}">b</a><a href="{{ unsubscribe_url }}">c</a><a href="https://a.pl/?utm_source=own">d</a><a href="mailto:a@b.pl">e</a>'
    done = links.tagged_html(html, {"source": "news letter", "campaign": "jesień"})
    assert "https://a.pl/x?y=1&amp;utm_source=news%20letter&amp;utm_campaign=jesie%C5%84#z" in done
    assert '{{ product.link | tagged: "utm_source=news%20letter&utm_campaign=jesie%C5%84" }}' in done
    assert done.count("utm_source=news") == 2
    assert links.tagged_html(done, {"source": "again"}).count("again") == 0


@pytest.mark.parametrize(
    ("key", "draft"),
    [
        ("size", checks.Draft("t", "z", "x" * 104_449, "tekst tekst tekst tekst")),
        ("false_reply", checks.Draft("Re: zamówienie", "z", "<p>x</p>", "t")),
        ("way_out", checks.Draft("t", "z", "<p>x</p>", "t")),
        ("disguise", checks.Draft("t", "z", '<a href="https://zly.pl/">bank.pl</a>', "t")),
        ("forbidden", checks.Draft("t", "z", "<form></form>", "t")),
        ("capitals", checks.Draft("WIELKA WYPRZEDAŻ DZIŚ", "z", "<p>x</p>", "t")),
        ("alt", checks.Draft("t", "z", '<img src="https://a.pl/x.png">', "t")),
        ("shortener", checks.Draft("t", "z", '<a href="https://bit.ly/x">x</a>', "t")),
        ("link", checks.Draft("t", "z", '<a href="#">x</a>', "t")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_check_finds_what_it_is_there_for_and_says_why(key: str, draft: checks.Draft) -> None:
    found = [one for one in checks.findings(draft) if one.key == key]
    assert found
    assert found[0].kind in (checks.BAD, checks.WARN)
    assert found[0].why.pl and found[0].why.en


def test_a_calm_letter_passes_every_check() -> None:
    way = '<a href="{{ unsubscribe_url }}">Wypisz się</a>'
    html = f'<p>{"słowo " * 30}</p><img src="https://a.pl/x.png" alt="Kubek"><a href="https://sklep.pl/kubki">Zobacz kubki</a>{way}'
    found = checks.findings(checks.Draft("Nowe kubki na jesień", "Dwa wzory, ta sama cena", html, "Nowe kubki: https://sklep.pl/kubki {{ unsubscribe_url }}"))
    assert [one.key for one in found if one.kind != checks.GOOD] == []


def test_versions_are_compared_in_words_of_the_form() -> None:
    before, after = (Document(subject="Temat", blocks=(example("button", label=label),)) for label in ("Stary", "Nowy"))
    changed = [line for line in comparing.compared(before, after, "pl") if line.change != "same"]
    assert {line.text.strip() for line in changed} == {"Napis: Stary", "Napis: Nowy"}
    turned = msgspec.structs.replace(after, blocks=(msgspec.structs.replace(after.blocks[0], shown={"device": "phone", "not": "yes"}),))
    assert len([line for line in comparing.compared(after, turned, "pl") if line.change == "added"]) == 2


def test_long_letters_are_compared_without_end_to_the_wait() -> None:
    before, after = (Document(source="\n".join(f"<mj-text>{place} {word}</mj-text>" for place in range(2_000))) for word in ("stary", "nowy"))
    assert len([line for line in comparing.compared(before, after, "pl") if line.change == "added"]) == 2_000


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int = 2, extra: bytes = b"") -> bytes:
    rows = zlib.compress((b"\0" + b"\xff\0\0" * width) * 2)
    return pictures.PNG + chunk(b"IHDR", struct.pack(">IIBBBBB", width, 2, 8, 2, 0, 0, 0)) + extra + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_an_image_keeps_its_picture_and_loses_what_a_camera_or_a_rogue_wrote() -> None:
    clean = pictures.cleaned(png())
    assert pictures.cleaned(png(extra=chunk(b"eXIf", b"52.2297 N")) + b"<script>alert(1)</script>") == clean
    assert (clean.media_type, clean.width, clean.height) == ("image/png", 2, 2)
    jpeg = b"\xff\xd8" + b"\xff\xe1\x00\x0aExif\0\0GP" + b"\xff\xc0\x00\x0b\x08\x00\x02\x00\x03\x01\x01\x11\x00" + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + b"ab\xff\x00c" + b"\xff\xd9<?php"
    kept = pictures.cleaned(jpeg)
    assert (kept.width, kept.height, b"Exif" in kept.content, kept.content[-2:]) == (3, 2, False, b"\xff\xd9")


@pytest.mark.parametrize("raw", [b"<svg onload=alert(1)>", b"<html>", b"", png()[:-20], b"GIF89a", b"\xff\xd8\xff\xe0", png(5_000), b"RIFF0000WEBP", png()[:40] + b"\0" * 200], ids=range(9))
def test_what_is_no_image_for_mail_is_refused(raw: bytes) -> None:
    with pytest.raises(pictures.Wrong):
        pictures.cleaned(raw)


@given(st.binary(max_size=300), st.sampled_from((pictures.PNG, pictures.JPEG, b"GIF89a")))
def test_no_file_breaks_the_reader_of_images(raw: bytes, head: bytes) -> None:
    try:
        pictures.cleaned(head + raw)
    except pictures.Wrong as refused:
        assert str(refused) in ("broken", "too_wide", "unknown", "too_large")


def test_conditions_of_a_stranger_are_data() -> None:
    assert conditions.opening({"segment": "1 or true"}) == "{% if person.segments contains 0 %}"
    assert "%}" not in conditions.opening({"interest": "x' %}{{ secret }}"}).removesuffix("%}")


def test_links_are_asked_once_and_judged_by_what_comes_back() -> None:
    def ask(address: str) -> None:
        if not address.endswith("/there"):
            raise NotFetched(address.rpartition("/")[2])

    asked = ("https://a.pl/there", "https://a.pl/there", "https://a.pl/absent", "https://a.pl/type", "https://10.0.0.1/address", "{{ product.link }}", "#", "mailto:a@b.pl")
    found = following.followed("".join(f'<a href="{address}">x</a>' for address in asked), ask)
    assert [(one.address, one.kind) for one in found] == list(zip(asked[1:6], ("good", "bad", "good", "warn", "info"), strict=True))


def test_no_link_of_a_letter_is_a_way_into_the_own_network_or_breaks_the_look_at_the_others() -> None:
    hosts = ("127.0.0.1", "127.1", "0x7f.1", "0.0.0.0", "169.254.169.254", "100.64.0.1", "10.0.0.1", "user:word@127.0.0.1", f"{'a' * 300}.pl")
    found = following.followed("".join(f'<a href="http://{host}/">x</a>' for host in hosts))
    assert len(found) == len(hosts) and {one.kind for one in found} <= {"warn", "bad"}
