"""Whatever a text says, it is read or refused in words; nothing else comes out."""

import pytest

from cegla.storage import documents


@pytest.mark.parametrize("text", ['a: !!int ""', 'a: !!float ""', "a: !!bool perhaps", "a: !!timestamp soon", "a: 2026-13-45", "a: 0x_", "? [a]\n: b"])
def test_a_value_that_is_not_what_it_claims_is_refused_in_words(text: str) -> None:
    with pytest.raises(documents.Unfit) as refused:
        documents.read(text)
    assert "YAML" in refused.value.what.pl
