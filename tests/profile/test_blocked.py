"""What reveals a special category is seen alike by the rule for a text and by the one for a column, however its letters are written."""

import unicodedata
from typing import Literal

import ibis
import pyarrow as pa
import pytest

from cegla.profile.rules.blocked import is_blocked, without_blocked

HIDDEN = ["Test ciążowy", "Kościół św. Anny", "Krople przeciwbólowe", "Związki zawodowe", "KSIĘŻA", "łuszczyca_maść", "Insulin"]
SEEN = ["Żółta łódź", "Gęś pieczona", "Świeża bułka", "Déjà vu", ""]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_column_hides_what_a_text_hides(form: Literal["NFC", "NFD"]) -> None:
    texts = [unicodedata.normalize(form, text) for text in (*HIDDEN, *SEEN)]
    table = ibis.memtable(pa.table({"text": [*texts, None]}))
    shown = ibis.duckdb.connect().to_pyarrow(table.select(shown=without_blocked(table.text)))["shown"].to_pylist()
    assert [is_blocked(text) for text in texts] == [True] * len(HIDDEN) + [False] * len(SEEN)
    assert [text or None for text in shown] == [*[None] * len(HIDDEN), *(text or None for text in texts[len(HIDDEN) :]), None]
