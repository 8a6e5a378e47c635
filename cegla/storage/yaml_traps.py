"""Traps in YAML that people and strangers write: what makes a short text long, or its reader slow, found before it is read."""

from typing import Any, NamedTuple

import yaml


class Trap(NamedTuple):
    """The first trap in a text: its line (from 1), and whether it is nesting that is too deep; else it is an anchor or an alias."""

    line: int
    is_too_deep: bool


def trap_in(text: str, deepest: int) -> Trap | None:
    """The first alias, anchor, or list or mapping beyond `deepest` levels; reading takes the square of the depth. Raises yaml.YAMLError."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > deepest or isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            mark: Any = event.start_mark
            return Trap(mark.line + 1, depth > deepest)
    return None
