"""Labelled texts written for the benches: lines of `label text|text|…`, a comment behind "#"."""

from pathlib import Path

FOLDER = Path(__file__).parent / "material"


def labelled(name: str) -> list[tuple[str, str]]:
    """(label, text) of a file whose lines begin with a label."""
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    parted = [line.partition(" ") for line in lines if line and not line.startswith("#")]
    return [(label, text) for label, _, texts in parted for text in texts.split("|")]


def texts(name: str) -> list[str]:
    """The texts of a file without labels."""
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [text for line in lines if line and not line.startswith("#") for text in line.split("|")]
