"""What reveals a special category is seen alike by the rule for a text and by the one for a column, however its letters are written."""

import unicodedata
from typing import Literal

import ibis
import pyarrow as pa
import pytest

from cegla.profile.analysers import behav, consumer, content, intent
from cegla.profile.analysing import Devices, When, seen_of
from cegla.profile.rules import guards
from cegla.profile.rules.blocked import is_blocked, without_blocked
from cegla.profile.rules.facts import facts
from cegla.storage.warehouse import history
from tests.profile.analysed import NOW, ZONE, Deed, found, history_of

HIDDEN = ["Test ciążowy", "Kościół św. Anny", "Krople przeciwbólowe", "Związki zawodowe", "KSIĘŻA", "łuszczyca_maść", "Insulin"]
SEEN = ["Żółta łódź", "Gęś pieczona", "Świeża bułka", "Déjà vu", ""]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_column_hides_what_a_text_hides(form: Literal["NFC", "NFD"]) -> None:
    texts = [unicodedata.normalize(form, text) for text in (*HIDDEN, *SEEN)]
    table = ibis.memtable(pa.table({"text": [*texts, None]}))
    shown = ibis.duckdb.connect().to_pyarrow(table.select(shown=without_blocked(table.text)))["shown"].to_pylist()
    assert [is_blocked(text) for text in texts] == [True] * len(HIDDEN) + [False] * len(SEEN)
    assert [text or None for text in shown] == [*[None] * len(HIDDEN), *(text or None for text in texts[len(HIDDEN) :]), None]


@pytest.mark.parametrize(
    "text",
    [
        "ap\u00adteka", "a\u200bpteka", "Ápteka", "ａｐｔｅｋａ", "𝐚𝐩𝐭𝐞𝐤𝐚", "zdrowie\u00a0psychiczne", "zdrowie, psychiczne", "związki  zawodowe", "/ci%C4%85%C5%BCa/", "ko&sacute;ci&oacute;ł",
        "\u202eapteka", "a\u0338p\u0337t\u0335e\u0337ka", "KOŚCIÓŁ 🙏",
    ],
)  # fmt: skip
def test_however_a_word_is_disguised_the_veil_sees_it(text: str) -> None:
    texts = guards.telling_texts(pa.table({"page_title": [text, "Kubek\u00a0– żółty 🏺"]}))
    assert is_blocked(text)
    assert ibis.duckdb.connect().to_pyarrow(guards.blocked_of(ibis.memtable(texts)))["text"].to_pylist() == [text]


def test_a_page_filed_under_what_is_blocked_tells_nothing_at_all() -> None:
    medicine = {"path": "/p/metformax", "title": "Metformax 500, 30 sztuk", "section": "Leki na receptę"}
    deeds: list[Deed] = []
    for person in (1, 2, 3, 4):
        deeds += [(person, 2.0, "Page Viewed", medicine), (person, 1.99, "Page Left", {"path": "/p/metformax", "seconds": 90})]
        deeds += [(person, 1.0, "Page Viewed", {"path": "/p/kubek", "title": "Kubek", "section": "Ceramika"})]
    with history_of(deeds) as warehouse, seen_of(warehouse, [1], [content.ANALYSER], When(NOW, ZONE), Devices()) as seen:
        rows = warehouse.run(seen.events.order_by("occurred_at"))
    assert rows["page_path"].to_pylist() == [None, None, "/p/kubek"]
    assert rows["page_title"].to_pylist() == [None, None, "Kubek"]
    assert "metformax" not in str(found(content.ANALYSER, deeds, learn=True)).lower()


def test_a_page_is_veiled_alike_for_an_analyser_that_reads_its_section_only() -> None:
    deeds = [(1, 2.0, "Page Viewed", {"path": "/a", "title": "Apteka: leki na cukrzycę", "section": "Polecane"})]
    with history_of(deeds) as warehouse, seen_of(warehouse, [1], [consumer.ANALYSER], When(NOW, ZONE), Devices()) as seen:
        assert warehouse.run(seen.events)["property_section"].to_pylist() == [None]


def test_the_names_of_events_and_of_goods_are_veiled_by_the_words_of_the_shop_too() -> None:
    deeds = [
        (1, 3.0, "Wegański quiz skończony", {}), (1, 2.0, "Product Viewed", {"product_id": "7", "name": "Pasztet wegański", "category": "Spiżarnia"}),
        (1, 1.0, "Product Viewed", {"product_id": "8", "name": "Ser", "category": "Nabiał"}),
    ]  # fmt: skip
    chosen = [behav.ANALYSER, intent.ANALYSER]
    with history_of(deeds) as warehouse, seen_of(warehouse, [1], chosen, When(NOW, ZONE, ("wegańsk",)), Devices()) as seen:
        assert warehouse.run(seen.events.order_by("occurred_at"))["name"].to_pylist() == [None, "Product Viewed", "Product Viewed"]
        assert warehouse.run(seen.lines.order_by("occurred_at"))["category"].to_pylist() == [None, "Nabiał"]


def test_what_is_blocked_is_nobodys_favourite() -> None:
    def looked(days: float, product: str, category: str) -> tuple[int, float, str, dict[str, str]]:
        return 1, days, "Product Viewed", {"product_id": product, "name": product, "category": category}

    deeds = [looked(4.0, "Glukometr", "Zdrowie"), looked(3.0, "Test ciążowy", "Dom"), looked(2.0, "Kubek", "Kubki"), looked(1.0, "Pasztet wegański", "Spiżarnia")]
    with history_of([*deeds, (1, 5.0, "Page Viewed", {"referrer": "https://apteka-zdrowie.example/"})]) as warehouse:
        events, lines = history("events"), history("order_lines")
        plain = warehouse.run(facts(events, lines)).to_pylist()[0]
        own = warehouse.run(facts(events, lines, blocked=("wegańsk",))).to_pylist()[0]
    assert sorted(plain["categories"]) == ["Kubki", "Spiżarnia"]
    assert own["categories"] == ["Kubki"]
    assert plain["origin"] is None
