"""Liquid tags held apart from the markup they stand in: quotes and angle brackets of a tag are not those of MJML or HTML around it."""

import re

TAG = re.compile(r"\{%-?\s*raw\s*-?%\}.*?\{%-?\s*endraw\s*-?%\}|\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_HELD = re.compile(r"liquidTag(\d+)end")


def held(source: str) -> tuple[str, list[str]]:
    """The source with a plain word in place of each tag, and the tags."""
    tags: list[str] = []

    def hold(found: re.Match[str]) -> str:
        tags.append(found.group(0))
        return f"liquidTag{len(tags) - 1}end"

    return TAG.sub(hold, source), tags


def put_back(text: str, tags: list[str]) -> str:
    """The text with the tags where their words stand."""
    return _HELD.sub(lambda found: tags[int(found.group(1))] if int(found.group(1)) < len(tags) else "", text)
