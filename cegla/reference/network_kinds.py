"""Operators and their kinds of networks: whose lines; and the words in an operator's name that tell when nobody has written it down."""

import re
from functools import cache

from cegla.reference.pack import read_table

#: Kinds in the order of their numbers in the pack, with words in the names of operators of that kind.
KIND_WORDS = (
    ("education", r"universit|uniwersytet|politechnik|akademi|academ|uczelni|szkola wyzsza|instytut|institute of|college"),
    ("public", r"ministerstw|urzad|starostw|gmina |powiat|wojewod|sad |policj|kancelari"),
    ("hosting", r"hosting|cloud|data ?cent|server|serwer|vps|colocation|kolokac|domeny|webhost"),
    ("mobile", r"polkomtel|\bp4\b|t-mobile"),
    ("fixed", r"telekom|telecom|telewizj|kablow|cable|spoldzielnia|fiber|swiatl|internet|\bnet\b|[a-z]net\b|network|sat\b|media|isp|multimedia|tel\b|online"),
    ("business", r"bank|s\.?a\.?$|ubezpiecz|insurance|logist|energ"),
)
KIND_NAMES = tuple(kind for kind, _ in KIND_WORDS)
KIND_NUMBERS = {kind: number for number, kind in enumerate(KIND_NAMES)}


def kind_of(operator: str) -> str | None:
    """The kind that an operator's name gives away; None when it does not."""
    name = operator.lower()
    return next((kind for kind, words in KIND_WORDS if re.search(words, name)), None)


@cache
def operators() -> dict[int, str]:
    """Names of the operators of most Polish addresses, by autonomous system: as they ship, shared by every reader."""
    return {int(asn): name for asn, _, name in read_table("networks_pl.tsv")}
