"""Which other segments the JSON of a rule speaks of, also of one that can no longer be read."""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=4_096)
def named_in(rule: str) -> tuple[int | str, ...]:
    """The numbers and keys of segments in a rule's JSON text, each once, in their order."""
    return tuple(dict.fromkeys(_named(json.loads(rule))))


def _named(node: Any) -> Iterator[int | str]:
    if isinstance(node, dict):
        if node.get("op") == "in_segment" and isinstance(node.get("segment"), (int, str)):
            yield node["segment"]
        for value in node.values():
            yield from _named(value)
    elif isinstance(node, list):
        for value in node:
            yield from _named(value)
