"""Sources: where events come from, and what became of them."""

import json
import secrets
from dataclasses import replace
from typing import Any

from cegla.api.call import Opened, not_found
from cegla.api.plain import plain
from cegla.api.shapes import KeyChange, NewSource, SourceChange
from cegla.collect import actions as collect
from cegla.repair import actions as repair
from cegla.storage.workspace import Connection
from cegla.vocabulary.consent import Basis

TEST_USER = "cegla-test"


def listed(call: Opened) -> Any:
    """Every source with its write key, what became of its events since the beginning, and how many lie in quarantine now. Secret keys are never shown again."""
    with call.ws.transaction() as conn:
        standing, waiting = {one.source_id: one for one in collect.standing(conn)}, repair.figures.waiting(conn)
        return {"sources": [_shape(one, standing.get(one.id)) | {"in_quarantine": waiting.get(one.id, 0)} for one in collect.sources(conn)]}


def add(call: Opened, body: NewSource) -> Any:
    """Make a source; the answer holds its secret key, this once. A name that exists gives the old source and no secret."""
    with call.ws.transaction() as conn:
        source, secret = collect.add_source(conn, body.name, body.kind, Basis(body.basis), call.now)
    if secret:
        call.note("source.add", f"source {source.id}", kind=source.kind, basis=str(source.basis))
    return _shape(source, None) | {"secret": secret or None}


def change(call: Opened, source_id: int, body: SourceChange) -> Any:
    """Change what a source may do and how much; collectors follow within two seconds."""
    with call.ws.transaction() as conn:
        saved = collect.change_source(conn, replace(_found(conn, source_id), **body.model_dump(include=body.model_fields_set)))
    call.note("source.change", f"source {source_id}", fields=", ".join(sorted(body.model_fields_set)))
    return _shape(saved, None)


def rotate_key(call: Opened, source_id: int, body: KeyChange) -> Any:
    """Give a source a new key, shown in the answer (a secret key this once). The old key works until it is revoked."""
    with call.ws.transaction() as conn:
        _found(conn, source_id)
        made = collect.rotate_key(conn, source_id, call.now, secret=body.secret)
    call.note("source.rotate_key", f"source {source_id}", secret=body.secret)
    return {"source": source_id, "secret": body.secret, "key": made}


def revoke_former_keys(call: Opened, source_id: int) -> Any:
    """Make all keys that a source had before useless; whoever still sends with one gets 401."""
    with call.ws.transaction() as conn:
        _found(conn, source_id)
        count = collect.revoke_former_keys(conn, source_id, call.now)
    call.note("source.revoke_former_keys", f"source {source_id}", keys=count)
    return {"source": source_id, "revoked": count}


def send_test_event(call: Opened, source_id: int) -> Any:
    """Put one harmless event into the inbox of a source, to see it arrive."""
    message_id = f"test-{secrets.token_hex(8)}"
    event = {"type": "track", "event": "Test Event", "messageId": message_id, "userId": TEST_USER, "timestamp": plain(call.now)}
    with call.ws.transaction() as conn:
        _found(conn, source_id)
        collect.write_down(conn, source_id, [json.dumps(event).encode()], call.now)
    return {"message_id": message_id, "source": source_id}


def _found(conn: Connection, source_id: int) -> collect.Source:
    """The source of a number. Raises NotFound."""
    for source in collect.sources(conn):
        if source.id == source_id:
            return source
    raise not_found("source", source_id)


def _shape(source: collect.Source, standing: collect.SourceStanding | None) -> dict[str, Any]:
    shape: dict[str, Any] = plain(source)
    del shape["secret_hash"]
    return shape | {"has_secret": source.secret_hash is not None, "standing": standing and plain(standing) | {"adds_up": standing.adds_up}}
