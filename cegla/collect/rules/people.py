"""Whom a request names: for handing out and erasing what still lies in the inbox and in quarantine."""

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from urllib.parse import quote, unquote_plus

import msgspec

from cegla.collect.rules import envelope
from cegla.collect.rules.stamps import happened, read_stamp
from cegla.vocabulary.identifier_rules import DEFAULT_RULES, IdentifierRules
from cegla.vocabulary.identifiers import Borne, Identifier, normalized

_PLAIN = re.compile(r"[A-Za-z0-9@.:_-]+")
_SHORTEST_FRAGMENT = 3
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w.-]{1,255}")
ANY_ADDRESS = [b"@", b"%40"]  #: where an address may be written in more ways than can be listed, such as "Żółw@żółw.pl"
_PLACES = frozenset({"anonymous_id", "device_id"})
_FIELDS = {"userId": "user_id", "anonymousId": "anonymous_id", "previousId": "user_id"}


@dataclass(frozen=True)
class Own:
    """What of a request is a person's own, as it came."""

    events: tuple[bytes, ...] = ()
    context: bytes = b""  #: the batch's own, when it names them and nobody else
    unread_bytes: int = 0  #: size of what holds their name but cannot be told apart by person


class Wanted:
    """The identifiers of one person, each for the times in which it is theirs: a released address is in events of two people."""

    def __init__(self, borne: Iterable[Borne]) -> None:
        self.times: dict[Identifier, list[Borne]] = {}
        for one in borne:
            self.times.setdefault(one.identifier, []).append(one)

    def at(self, moment: datetime) -> frozenset[Identifier]:
        """Those that were theirs at that moment."""
        return frozenset(identifier for identifier, times in self.times.items() if any(one.at(moment) for one in times))


def needles(identifier: Identifier, rules: IdentifierRules = DEFAULT_RULES) -> list[bytes]:
    """Texts of which a body that names the identifier holds at least one, once the ASCII letters of both are small.

    They are fragments: case, spelling and the way letters are written (JSON and forms escape some) may differ in the body.
    """
    value = identifier.value
    if identifier.type == "phone":
        end = value[-4:]
        return [end.encode(), *(f"{end[:cut]}{between}{end[cut:]}".encode() for cut in (1, 2) for between in " -.+")]  # 600 100 200, 60 01 02 00
    if identifier.type != "email":
        return _fragments(value)
    local, _, domain = value.rpartition("@")
    if (rules.plus_addressing, rules.gmail_dots) == ("keep", "keep"):
        if "xn--" not in domain:
            return _fragments(value)
        return [*_fragments(value), *(_fragments(f"{local}@") if _plain_part(f"{local}@") else ANY_ADDRESS)]  # the body may tell the domain in its own letters
    domains = (domain, "googlemail.com") if domain == "gmail.com" else (domain,)  # the part before it may be spelled in many ways
    return ANY_ADDRESS if "xn--" in domain else [text for one in domains for text in _fragments(f"@{one}")]


def _fragments(text: str) -> list[bytes]:
    """The longest part of a text that is written alike everywhere, also as a form writes it; of one with no such part the ways JSON may write it."""
    if part := _plain_part(text):
        return [form.encode().lower() for form in {part, quote(part)}]
    spelled = {unicodedata.normalize(form, one) for one in (text, text.lower(), text.upper()) for form in ("NFC", "NFD")}
    written = spelled | {json.dumps(one)[1:-1] for one in spelled} | {json.dumps(one, ensure_ascii=False)[1:-1] for one in spelled}
    return [form.encode().lower() for form in written | {one.replace("/", "\\/") for one in written}]


def _plain_part(text: str) -> str:
    """The longest part of a text that is written alike everywhere; "" when none is long enough to look for."""
    part = max(_PLAIN.findall(text), key=len, default="")
    return part if len(part) >= _SHORTEST_FRAGMENT else ""


def names(body: bytes, wanted: Wanted, received_at: datetime, rules: IdentifierRules = DEFAULT_RULES) -> bool:
    """Whether any event of a request is about one of these people."""
    try:
        parts = envelope.read(body)
    except envelope.NotJson:
        return _text_names(body, wanted.at(received_at), rules)
    return any(_event_names(raw, wanted, received_at, rules) for raw in [*map(bytes, parts.events), _bearing(bytes(parts.context))])


def own_part(body: bytes, wanted: Wanted, received_at: datetime, rules: IdentifierRules = DEFAULT_RULES) -> Own:
    """What may be handed out of a request that names these people, who are one person: other people may be in the rest.

    An event that names nobody is theirs when the batch's context is.
    """
    try:
        parts = envelope.read(body)
    except envelope.NotJson:
        return Own(unread_bytes=len(body))
    context = bytes(parts.context)
    in_context = _named(_bearing(context), rules)
    events, unread = list[bytes](), 0
    for raw in map(bytes, parts.events):
        found = _named(raw, rules)
        if found is None:
            unread += len(raw) if _event_names(raw, wanted, received_at, rules) else 0
        elif _is_of(found, in_context, wanted.at(_moment(raw, received_at))):
            events.append(raw)
    shared = bool(in_context) and in_context <= wanted.at(received_at)
    return Own(tuple(events), context if shared else b"", unread)


def _bearing(context: bytes) -> bytes:
    """An event with nothing but the context of its batch, which names people where the context of an event does."""
    return b'{"context":%b}' % (context or b"{}")


def _is_of(found: frozenset[Identifier], in_context: frozenset[Identifier] | None, theirs: frozenset[Identifier]) -> bool:
    """Whether an event is theirs. A browser several people use says whose it is only where nothing else does."""
    if not found:
        return bool(in_context) and in_context <= theirs
    humans = frozenset(one for one in found if one.type not in _PLACES)
    return bool((humans or found) & theirs)


def _moment(raw: bytes, received_at: datetime) -> datetime:
    """When an event happened, as far as it says so itself."""
    fields = msgspec.json.decode(raw, type=dict[str, Any])
    stamp, sent = fields.get("timestamp") or fields.get("originalTimestamp"), fields.get("sentAt")
    try:
        return happened(read_stamp(stamp) if stamp else None, read_stamp(sent) if sent else None, received_at)
    except (ValueError, TypeError):
        return received_at


def _named(raw: bytes, rules: IdentifierRules) -> frozenset[Identifier] | None:
    """Whom one event names; None when it cannot be read, or holds a batch that was not read as one."""
    try:
        event = msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return None if "batch" in event else frozenset(Identifier(key, value) for key, value in _identifiers(event, rules))


def _text_names(body: bytes, wanted: frozenset[Identifier], rules: IdentifierRules) -> bool:
    """Whether text of any shape, such as a webhook's request, holds one of the identifiers: an e-mail in any case, a phone with any spaces."""
    text = unquote_plus(body.decode("utf-8", "replace")).lower()
    emails = {normalized("email", found, rules) for found in _EMAIL.findall(text)}
    for identifier in wanted:
        if identifier.type == "email":
            pattern = r"(?!)" if identifier.value not in emails else ""
        elif identifier.type == "phone":
            pattern = r"[\s().-]*".join(re.sub(r"\D", "", identifier.value)[-9:]) + r"(?!\d)"
        else:
            pattern = rf"(?<![\w.-]){re.escape(identifier.value.lower())}(?![\w-])"
        if len(identifier.value) > 3 and re.search(pattern, text):
            return True
    return False


def _event_names(raw: bytes, wanted: Wanted, received_at: datetime, rules: IdentifierRules) -> bool:
    try:
        event = msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return any(len(identifier.value) > 3 and identifier.value.encode() in raw for identifier in wanted.at(received_at))
    theirs = wanted.at(_moment(raw, received_at))
    return any(Identifier(key, value) in theirs for key, value in _identifiers(event, rules))


def _identifiers(event: dict[str, Any], rules: IdentifierRules) -> list[tuple[str, str]]:
    found = [(key, normalized(key, event.get(field), rules)) for field, key in _FIELDS.items()]
    found.append(("anonymous_id", normalized("anonymous_id", event.get("previousId"), rules)))
    context = _object(event.get("context"))
    for traits in (_object(event.get("traits")), _object(context.get("traits")), _object(event.get("properties")), _object(event)):
        found += [(key, normalized(key, traits.get(key), rules)) for key in ("email", "phone")]
    external = context.get("externalIds")
    for row in cast("list[Any]", external) if isinstance(external, list) else []:
        fields = _object(row)
        kind = str(fields.get("type"))
        found.append((kind, normalized(kind, fields.get("id"), rules)))
    for kind, place in rules.fields:
        held: Any = event
        for part in place:
            held = _object(held).get(part)
        found.append((kind, normalized(kind, held, rules)))
    return [(key, value) for key, value in found if value is not None]


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
