"""Parts of a file hold every row once, with its number, whatever their size."""

from pathlib import Path

import pytest

from cegla.collect import tables
from cegla.collect.rules.mapping import FileForm


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("broken", [(), (1,), (4, 5, 6), (3, 9, 10)])
def test_broken_rows_keep_their_place_however_the_file_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, broken: tuple[int, ...]) -> None:
    monkeypatch.setattr(tables, "ROWS_IN_A_PART", size)
    file = tmp_path / "rows.csv"
    file.write_text("a,b\n" + "".join(f"{row},x,surplus\n" if row in broken else f"{row},x\n" for row in range(1, 11)))
    parts = list(tables.parts(file, FileForm.model_validate({})))
    rows = [(int(number), text) for part in parts for number, text in zip(part.numbers, part.texts["a"].to_pylist(), strict=True)]
    assert rows == [(row, str(row)) for row in range(1, 11) if row not in broken]
    told = [error.row for part in parts for error in part.broken]
    assert told == list(broken)
    assert all(error.row <= part.numbers[-1] for part in parts[:-2] for error in part.broken)
    assert all(part.texts.num_rows <= size for part in parts)
