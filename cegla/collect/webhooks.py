"""Webhooks: their rows, the ready mappings that come with the product, and how their requests become events in intake.

inbox ─► expand ─► an ordinary batch of the mapped events ─► decode ─► restore
             └────► mapping failed: the request, or its one item, goes to quarantine as it came
"""

import secrets as chance
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, cast

import msgspec
import yaml
from psycopg import Connection

from cegla.collect import public_keys, store, webhook_door
from cegla.collect.rules import frame, hooked, signatures
from cegla.collect.rules.decode import Decoded, Request
from cegla.collect.rules.frame import WEBHOOK, Framed
from cegla.collect.rules.hooked import Item, Mapped
from cegla.collect.rules.signatures import Secrets
from cegla.collect.rules.webhooks import WebhookMapping, read_mapping
from cegla.collect.sources import Source, add_source
from cegla.storage import documents
from cegla.storage.documents import Unfit
from cegla.storage.keys import Keys
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.errors import InvalidInput
from cegla.vocabulary.errors.intake import WebhookAbsent, WebhookMappingInvalid, WebhookSchemeUnknown, WebhookSecretMissing
from cegla.vocabulary.events import Reason, SetAside
from cegla.vocabulary.text import Text

READY_MADE = Path(__file__).parent / "ready_made"
LONGEST_MAPPING = 100_000
DEEPEST_MAPPING = 20
NAME_TAKEN = Text("tę nazwę ma już inne źródło", "another source has this name")


@dataclass(frozen=True)
class Webhook:
    """The webhook of a source, opened. `token` is the end of its address; `mapping` is YAML as written."""

    source_id: int
    token: str
    scheme: str
    secrets: Secrets
    mapping: str
    trusted: bool
    enabled: bool
    created_at: datetime | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True)
class Sample:
    """A request in the shape a provider documents, and the events it gives."""

    name: str
    framed: Framed
    events: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class ReadyMade:
    """A mapping that comes with the product."""

    key: str
    label: Text
    about: Text
    scheme: str
    documentation: str
    trusted: bool
    mapping: str
    samples: tuple[Sample, ...]


def webhook_of(conn: Connection, keys: Keys, source_id: int) -> Webhook:
    """The webhook of a source. Raises WebhookAbsent, or WebhookSecretMissing when another installation's key sealed it."""
    row = store.SQL.webhook(conn, source_id=source_id)
    if row is None:
        raise WebhookAbsent(where=f"source {source_id}")
    _, scheme, sealed, mapping, trusted, enabled, created_at, changed_at = row
    try:
        token, secrets = webhook_door.unseal(keys, bytes(sealed))
    except ValueError:
        raise WebhookSecretMissing(where=f"source {source_id}", field="keys/sealing") from None
    return Webhook(source_id, token, scheme, secrets, mapping, trusted, enabled, created_at, changed_at)


def add_webhook(conn: Connection, keys: Keys, name: str, basis: Basis, webhook: Webhook, now: datetime) -> tuple[Source, Webhook]:
    """A source of this name with a webhook, whose `source_id` and token are given here; its address holds the token, a secret.

    Raises InvalidInput when the name is another source's, or a webhook's already, which stays as it is; and what `save_webhook` raises.
    """
    source, _ = add_source(conn, name, "webhook", basis, now)
    if source.kind != "webhook" or store.SQL.webhook(conn, source_id=source.id) is not None:
        raise InvalidInput(where="name", seen=name, detail=NAME_TAKEN)
    return source, save_webhook(conn, keys, replace(webhook, source_id=source.id, token=""), now)


def save_webhook(conn: Connection, keys: Keys, webhook: Webhook, now: datetime) -> Webhook:
    """Make or change the webhook of a source; without a token it gets a new one.

    Raises WebhookMappingInvalid, WebhookSchemeUnknown, or WebhookSecretMissing; then nothing is changed.
    """
    scheme = signatures.SCHEMES.get(webhook.scheme)
    if scheme is None:
        raise WebhookSchemeUnknown(where="scheme", seen=webhook.scheme, name=webhook.scheme)
    if scheme.kind in ("hmac", "equal") and not scheme.header and not webhook.secrets.header:
        raise WebhookSecretMissing(where="header", field="header")
    if scheme.kind in ("public_key", "sns") and webhook.secrets.secret and not public_keys.is_public_key(webhook.secrets.secret):
        raise WebhookSecretMissing(where="secret", field="secret")
    parse_mapping(webhook.mapping)
    kept = webhook if webhook.token else replace(webhook, token=chance.token_urlsafe(24))
    store.SQL.save_webhook(
        conn, source_id=kept.source_id, token_hash=webhook_door.token_hash(kept.token), scheme=kept.scheme,
        sealed=webhook_door.seal(keys, kept.token, kept.secrets), mapping=kept.mapping, trusted=kept.trusted, enabled=kept.enabled, now=now,
    )  # fmt: skip
    return kept


def last_requests(conn: Connection, source_id: int, limit: int = 10) -> list[tuple[datetime, Framed]]:
    """The requests a webhook received last, newest first, for 30 days."""
    return [(received_at, frame.read(bytes(body))) for received_at, body in store.SQL.last_hooked(conn, source_id=source_id, limit=limit)]


def try_webhook(mapping: str, framed: Framed) -> Mapped:
    """What a mapping makes of a request; nothing is written. Raises WebhookMappingInvalid."""
    return hooked.map_request(parse_mapping(mapping), framed)


def proved(scheme: str, secrets: Secrets, headers: Mapping[str, str], body: bytes, now_seconds: float) -> signatures.Refusal | None:
    """None when a request proves that its sender knows the secret, by the scheme of this key; else why not. For doors beside the collector's own."""
    return signatures.check(signatures.SCHEMES[scheme], secrets, headers, body, now_seconds, public_keys.holds)


@cache
def ready_made() -> dict[str, ReadyMade]:
    """The mappings that come with the product, by key, in the order of their names."""
    return {row.key: row for row in (_ready(file) for file in sorted(READY_MADE.glob("*.yaml")))}


def _ready(file: Path) -> ReadyMade:
    values: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    samples = tuple(
        Sample(str(one["name"]), Framed(str(one["body"]).encode(), one.get("headers", {}), one.get("query", {})), tuple(one["events"]))
        for one in values["samples"]
    )
    mapping = yaml.safe_dump(values["mapping"], allow_unicode=True, sort_keys=False, width=120)
    return ReadyMade(
        file.stem, Text(values["label"]["pl"], values["label"]["en"]), Text(values["about"]["pl"], values["about"]["en"]), values["scheme"],
        values["documentation"], bool(values.get("trusted", False)), mapping, samples,
    )  # fmt: skip


@lru_cache(maxsize=128)
def parse_mapping(text: str) -> WebhookMapping:
    """The mapping in a YAML or JSON text. Raises WebhookMappingInvalid with the place and the value seen."""
    try:
        return read_mapping(documents.read(text, DEEPEST_MAPPING, LONGEST_MAPPING))
    except Unfit as unfit:
        raise WebhookMappingInvalid(where=unfit.place, detail=unfit.what) from None


# in intake ---------------------------------------------------------------------------------------------------------------


@dataclass
class Expanded:
    """Requests of webhooks as ordinary batches. `more` and `ignored` are by source: outcomes beyond what the door counted, items left out."""

    requests: list[Request] = field(default_factory=list[Request])
    set_aside: list[SetAside] = field(default_factory=list[SetAside])
    more: dict[int, int] = field(default_factory=dict[int, int])
    ignored: dict[int, int] = field(default_factory=dict[int, int])
    _items: dict[tuple[int, int], tuple[Framed, list[Item]]] = field(default_factory=dict[tuple[int, int], tuple[Framed, list[Item]]])

    def restore(self, decoded: Decoded) -> Decoded:
        """A mapped event that could not be used goes to quarantine as its provider's item, so that a better mapping can mend it."""
        return Decoded(decoded.events, self.set_aside + [self._as_item(row) for row in decoded.set_aside])

    def _as_item(self, row: SetAside) -> SetAside:
        found = self._items.get((row.writer, row.number))
        if found is None:
            return row
        framed, items = found
        return msgspec.structs.replace(row, payload=frame.with_body(framed, items[row.index].alone), kind=WEBHOOK)

    def take(self, request: Request, mapping: WebhookMapping | None) -> None:
        """One request of a webhook."""
        try:
            framed = frame.read(request.body)
            mapped = hooked.map_request(mapping, framed) if mapping is not None else Mapped(problem="the webhook has no mapping")
        except ValueError:
            framed, mapped = Framed(request.body), Mapped(problem="the request cannot be read")
        if mapped.problem:
            self.set_aside.append(_failed(request, 0, request.body, mapped.problem))
            return
        made = [(event, item) for item in mapped.items for event in item.events]
        for place, item in enumerate(item for item in mapped.items if item.problems):
            self.set_aside.append(_failed(request, len(made) + place, frame.with_body(framed, item.alone), "; ".join(item.problems)))
        ignored = sum(item.ignored for item in mapped.items) or (0 if mapped.items else 1)
        outcomes = len(made) + sum(1 for item in mapped.items if item.problems) + ignored
        self.more[request.source_id] = self.more.get(request.source_id, 0) + outcomes - request.events
        self.ignored[request.source_id] = self.ignored.get(request.source_id, 0) + ignored
        if made:
            self._items[request.writer, request.number] = (framed, [item for _, item in made])
            body = msgspec.json.encode({"batch": [event for event, _ in made]})
            self.requests.append(msgspec.structs.replace(request, kind=None, body=body, events=len(made)))


def expand(requests: Sequence[Request], mappings: Mapping[int, WebhookMapping | None]) -> Expanded:
    """The requests with those of webhooks as the batches their mappings make of them, in order."""
    expanded = Expanded()
    for request in requests:
        if request.kind == WEBHOOK:
            expanded.take(request, mappings.get(request.source_id))
        else:
            expanded.requests.append(request)
    return expanded


def mappings_for(conn: Connection, requests: Sequence[Request]) -> dict[int, WebhookMapping | None]:
    """The mappings that requests of webhooks among these need; empty when there are none. A mapping that cannot be read is None."""
    return mappings_of(conn, {request.source_id for request in requests if request.kind == WEBHOOK})


def mappings_of(conn: Connection, wanted: Collection[int]) -> dict[int, WebhookMapping | None]:
    """The mappings of these sources' webhooks. One that cannot be read is None."""
    found: dict[int, WebhookMapping | None] = dict.fromkeys(wanted)
    if wanted:
        for source_id, text in store.SQL.webhook_mappings(conn, source_ids=list(wanted)):
            try:
                found[source_id] = parse_mapping(cast("str", text))
            except WebhookMappingInvalid:
                found[source_id] = None
    return found


def as_batch(mapping: WebhookMapping | None, body: bytes) -> tuple[bytes, bool]:
    """The request of a webhook as the batch of events that its mapping makes of it, and whether all of it becomes events."""
    try:
        mapped = hooked.map_request(mapping, frame.read(body)) if mapping is not None else Mapped()
    except ValueError:
        mapped = Mapped()
    is_whole = bool(mapped.items) and not mapped.problem and all(item.events and not item.problems for item in mapped.items)
    return msgspec.json.encode({"batch": [event for item in mapped.items for event in item.events]}), is_whole


def _failed(request: Request, index: int, payload: bytes, detail: str) -> SetAside:
    return SetAside(
        source_id=request.source_id, reason=Reason.MAPPING_FAILED, detail=detail[:1_000], payload=payload, message_id=None,
        received_at=request.received_at, writer=request.writer, number=request.number, index=index, kind=WEBHOOK,
    )  # fmt: skip
