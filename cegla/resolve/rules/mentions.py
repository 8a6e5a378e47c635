"""Which identifiers an event mentions, which of them it links, and which one it points at.

An identifier names a human (user id, e-mail, phone, card, external ids) or a *place* (a browser, a phone), which several
humans may share. Links run from the strongest human identifier of an event to each other one; an event that mentions
places only links nothing, so a shared device never chains strangers together.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

from cegla.vocabulary.events import Event
from cegla.vocabulary.identifier_rules import DEFAULT_RULES, IdentifierRules
from cegla.vocabulary.identifiers import LONGEST_IDENTIFIER, Identifier, normalized

Rule = Literal["confirmed", "same", "alias", "stated", "seen"]
#: Strongest first. confirmed: a person said so; same: one mailbox by the rules of the installation, not by an event.
RULES: tuple[Rule, ...] = ("confirmed", "same", "alias", "stated", "seen")
PLACES = frozenset({"anonymous_id", "device_id"})
POINTING = ("user_id", "email", "phone", "loyalty_card", "anonymous_id", "device_id")  #: what an event points at, first choice first
PLAIN = frozenset({"track", "page", "screen", "group"})  #: kinds of events whose own fields name nobody further
MOST_EXTERNAL_IDS = 20  #: of one event
LONGEST_TYPE = 50

Extra = tuple[str, str | int, Rule]  #: a type, a value as sent, and how strongly the event links it
Names = tuple[str | None, str | None, bool, tuple[Extra, ...]]  #: user id, anonymous id, trusted, everything else


class Mention(NamedTuple):
    """What an event says about who it is. `links` are (strong, weak, rule); `point` is None when nothing usable is there."""

    point: Identifier | None
    identifiers: tuple[Identifier, ...]  #: strongest first
    links: tuple[tuple[Identifier, Identifier, Rule], ...]
    places: tuple[Identifier, ...]  #: those that are browsers or phones
    too_long: tuple[str, ...] = ()  #: types of identifiers left out for their length


def names_in(event: Event, rules: IdentifierRules = DEFAULT_RULES) -> Names:
    """The raw names of an event. Events with equal names have equal mentions, so this is what caches go by."""
    context = event.context
    more = "traits" in context or "device" in context or "externalIds" in context
    if more or event.kind == "identify" or event.kind == "alias" or (event.trusted and "email" in event.properties) or rules.fields:
        return event.user_id, event.anonymous_id, event.trusted, _extras(event, rules)
    return event.user_id, event.anonymous_id, event.trusted, ()


def all_names(events: Sequence[Event], rules: IdentifierRules = DEFAULT_RULES) -> Iterator[Names]:
    """The names of each event of a batch. Most events come without extras, so that way is short."""
    more_fields = bool(rules.fields)
    for event in events:
        context = event.context
        plain = event.kind in PLAIN and not (more_fields or "traits" in context or "device" in context or "externalIds" in context)
        if plain and not (event.trusted and "email" in event.properties):
            yield event.user_id, event.anonymous_id, event.trusted, ()
        else:
            yield names_in(event, rules)


def mention(names: Names, rules: IdentifierRules = DEFAULT_RULES) -> Mention:
    """Normalize, drop what is blocked, choose the identifier to point at, and link the rest to the strongest one.

    A mention's previousId (rule "alias") counts as a browser id here; when it is also known as a user id, intake adds
    the link between the two users.
    """
    user, anonymous, _, extras = names
    if not extras and (short := _mention_of_two(user, anonymous, rules)) is not None:
        return short
    sent: list[tuple[str, object, Rule]] = [("user_id", user, "seen"), ("anonymous_id", anonymous, "seen")]
    found: dict[Identifier, Rule] = {}
    too_long: list[str] = []
    for kind, raw, rule in (*sent, *extras):
        value = normalized(kind, raw, rules)
        if value is None:
            if isinstance(raw, str) and len(raw) > LONGEST_IDENTIFIER:
                too_long.append(kind)
        elif not (rule == "alias" and Identifier("user_id", value) in found):
            identifier = Identifier(kind, value)
            found[identifier] = stronger(found.get(identifier, rule), rule)
    ranked = sorted(found, key=partial(rank, rules=rules))
    return Mention(
        min(ranked, key=_pointing, default=None),
        tuple(ranked),
        tuple(_links(ranked, found)),
        tuple(one for one in ranked if one.type in PLACES),
        tuple(too_long),
    )


def _mention_of_two(user: str | None, anonymous: str | None, rules: IdentifierRules) -> Mention | None:
    """The same for the two commonest cases, a browser alone and a user in a browser; None for any other."""
    value = normalized("anonymous_id", anonymous, rules)
    if value is None:
        return None
    browser = Identifier("anonymous_id", value)
    if user is None:
        return Mention(browser, (browser,), (), (browser,))
    value = normalized("user_id", user, rules)
    if value is None:
        return None
    strong = Identifier("user_id", value)
    return Mention(strong, (strong, browser), ((strong, browser, "seen"),), (browser,))


def rank(identifier: Identifier, rules: IdentifierRules = DEFAULT_RULES) -> tuple[int, str, str]:
    """The order in which identifiers decide: priority of the type, then type and value as text."""
    return rules.type(identifier.type).priority, identifier.type, identifier.value


def stronger(one: Rule, other: Rule) -> Rule:
    """The rule with the greater authority."""
    return one if RULES.index(one) <= RULES.index(other) else other


def _pointing(identifier: Identifier) -> tuple[int, str, str]:
    kind = identifier.type
    return (POINTING.index(kind) if kind in POINTING else len(POINTING)), kind, identifier.value


def _links(ranked: list[Identifier], found: dict[Identifier, Rule]) -> list[tuple[Identifier, Identifier, Rule]]:
    strong = next((identifier for identifier in ranked if identifier.type not in PLACES), None)
    if strong is None:
        return []
    links: list[tuple[Identifier, Identifier, Rule]] = []
    for weak in ranked:
        rule = found[weak]
        if rule == "stated" and strong.type != "user_id":
            rule = "seen"
        if weak != strong:
            links.append((strong, weak, rule))
    return links


def _extras(event: Event, rules: IdentifierRules) -> tuple[Extra, ...]:
    extras: list[Extra] = []
    if event.kind == "alias":
        _add(extras, "anonymous_id", event.previous_id, "alias")
    if event.kind == "identify":
        _add_addresses(extras, event.traits)
    context = event.context
    if isinstance(traits := context.get("traits"), dict):
        _add_addresses(extras, traits)
    if event.trusted:
        _add(extras, "email", event.properties.get("email"), "seen")
    if isinstance(device := context.get("device"), dict):
        _add(extras, "device_id", device.get("id"), "seen")
    if isinstance(external := context.get("externalIds"), list):
        for row in external[:MOST_EXTERNAL_IDS]:
            _add_external(extras, row)
    for kind, place in rules.fields:
        _add_field(extras, event, kind, place)
    return tuple(extras)


def _add_field(extras: list[Extra], event: Event, kind: str, place: tuple[str, ...]) -> None:
    """A field that the rules name; among properties it counts only with a secret key, and traits of a group are its own."""
    if (place[0] == "properties" and not event.trusted) or (place[0] == "traits" and event.kind == "group"):
        return
    value: Any = {"traits": event.traits, "properties": event.properties, "context": event.context}[place[0]]
    for part in place[1:]:
        value = value.get(part) if isinstance(value, dict) else None
    _add(extras, kind, value, "seen" if place[0] == "properties" else "stated")


def _add(extras: list[Extra], kind: str, value: Any, rule: Rule) -> None:
    if type(value) is str or type(value) is int:
        extras.append((kind, value, rule))


def _add_addresses(extras: list[Extra], traits: dict[str, Any]) -> None:
    _add(extras, "email", traits.get("email"), "stated")
    _add(extras, "phone", traits.get("phone"), "stated")


def _add_external(extras: list[Extra], row: Any) -> None:
    """Rows of `context.externalIds` as Segment documents them: id, type, collection ("users"), encoding ("none")."""
    if not isinstance(row, dict) or row.get("collection", "users") != "users" or row.get("encoding", "none") != "none":
        return
    kind = row.get("type")
    if isinstance(kind, str) and 0 < len(kind := kind.strip().lower()) <= LONGEST_TYPE:
        _add(extras, kind, row.get("id"), "seen")
