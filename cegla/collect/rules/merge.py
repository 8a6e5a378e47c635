"""RudderStack's merge: two identifiers of one person become the call that says the same here.

    [{"type": "email", "value": ...}, {"type": "user_id", "value": ...}]  ─►  identify with both
    two user ids                                                          ─►  alias from the second to the first
"""

from typing import Any, NamedTuple, cast

from cegla.vocabulary.identifiers import normalized

TYPES = {"userid": "user_id", "anonymousid": "anonymous_id", "mobile": "phone"}


class Merge(NamedTuple):
    """What a merge says, in the fields of the ordinary calls."""

    user_id: str | None
    anonymous_id: str | None
    previous_id: str | None
    external_ids: list[dict[str, str]]

    @property
    def kind(self) -> str:
        """The call it is."""
        return "alias" if self.previous_id is not None else "identify"


def read_merge(properties: Any) -> Merge | None:
    """The merge in `mergeProperties`; None unless they are two usable identifiers, each with a type and a value."""
    if not isinstance(properties, list) or len(cast("list[Any]", properties)) != 2:
        return None
    user_ids: list[str] = []
    anonymous_id: str | None = None
    others: list[dict[str, str]] = []
    for one in cast("list[Any]", properties):
        kind, value = (one.get("type"), one.get("value")) if isinstance(one, dict) else (None, None)
        if not isinstance(kind, str):
            return None
        kind = TYPES.get(kind.lower().replace("_", ""), kind.strip())
        if not kind or normalized(kind, value) is None:
            return None
        if kind == "user_id":
            user_ids.append(str(value))
        elif kind == "anonymous_id" and anonymous_id is None:
            anonymous_id = str(value)
        else:
            others.append({"type": kind, "id": str(value)})
    user_id, previous_id = [*user_ids, None, None][:2]
    return Merge(user_id, anonymous_id, previous_id, others)
