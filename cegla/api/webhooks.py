"""Webhooks over the API: make one, change its mapping, try a mapping without writing anything."""

import base64
import binascii
from dataclasses import replace
from typing import Any

from cegla.api.call import Opened
from cegla.api.plain import plain
from cegla.api.shapes import ChangedWebhook, NewWebhook, TriedWebhook
from cegla.collect import actions as collect
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.errors import InvalidInput
from cegla.vocabulary.errors.intake import FieldMissing, WebhookSchemeUnknown
from cegla.vocabulary.text import Text

NOT_BASE64 = Text("to nie jest base64", "it is not base64")


def ready(call: Opened) -> Any:
    """The mappings that come with the product, each with its samples' names."""
    rows = collect.ready_made().values()
    return {"ready": [{"key": row.key, "label": row.label, "scheme": row.scheme, "documentation": row.documentation,
                       "mapping": row.mapping, "samples": [sample.name for sample in row.samples]} for row in rows]}  # fmt: skip


def add(call: Opened, body: NewWebhook) -> Any:
    """Make a source with a webhook; the answer holds the path of its address, which is a secret."""
    found = collect.ready_made().get(body.ready)
    if body.ready and found is None:
        raise WebhookSchemeUnknown(where="/ready", seen=body.ready, name=body.ready)
    mapping = body.mapping or (found.mapping if found else "")
    if not mapping:
        raise FieldMissing(where="/mapping", field="mapping")
    scheme = body.scheme or (found.scheme if found else "path")
    with call.ws.transaction() as conn:
        trusted = found.trusted if found and body.trusted is None else bool(body.trusted)
        secrets = collect.Secrets(body.secret, body.header, body.prefix, body.verify_token)
        new = collect.Webhook(0, "", scheme, secrets, mapping, trusted, True)
        source, webhook = collect.add_webhook(conn, call.ws.keys, body.name, Basis(body.basis), new, call.now)
    call.note("webhook.add", f"source {source.id}", scheme=scheme, basis=str(source.basis))
    return _shape(webhook, address=True)


def shown(call: Opened, source_id: int) -> Any:
    """The webhook of a source; its address only for those who may change sources. Secrets are never shown."""
    with call.ws.transaction() as conn:
        webhook = collect.webhook_of(conn, call.ws.keys, source_id)
    return _shape(webhook, address=call.may("sources.edit"))


def change(call: Opened, source_id: int, body: ChangedWebhook) -> Any:
    """Change what is given of a webhook: its mapping, its scheme, its secret, whether it takes requests."""
    with call.ws.transaction() as conn:
        webhook = collect.webhook_of(conn, call.ws.keys, source_id)
        told = body.model_dump(exclude_none=True)
        secrets = replace(webhook.secrets, **{key: value for key, value in told.items() if key in ("secret", "header", "prefix", "verify_token")})
        plain_fields = {key: value for key, value in told.items() if key in ("mapping", "scheme", "trusted", "enabled")}
        saved = collect.save_webhook(conn, call.ws.keys, replace(webhook, secrets=secrets, **plain_fields), call.now)
    call.note("webhook.change", f"source {source_id}", scheme=saved.scheme)
    return _shape(saved, address=True)


def try_out(call: Opened, body: TriedWebhook) -> Any:
    """What a mapping makes of a request: for each item its events, what was left out and what went wrong. Nothing is written."""
    if body.ready and body.ready not in collect.ready_made():
        raise WebhookSchemeUnknown(where="/ready", seen=body.ready, name=body.ready)
    mapping = body.mapping or (collect.ready_made()[body.ready].mapping if body.ready else "")
    try:
        content = base64.b64decode(body.body_base64, validate=True) if body.body_base64 else body.body.encode()
    except (binascii.Error, ValueError):
        raise InvalidInput(where="/body_base64", detail=NOT_BASE64) from None
    headers = {name.lower(): value for name, value in body.headers.items()}
    mapped = collect.try_webhook(mapping, collect.Framed(content, headers, body.query))
    items = [
        {"events": item.events, "problems": item.problems, "ignored": item.ignored, "rules": [{"rule": one.rule, "missed": one.missed} for one in item.looked]}
        for item in mapped.items
    ]
    return {"problem": mapped.problem or None, "items": items}


def _shape(webhook: collect.Webhook, *, address: bool) -> dict[str, Any]:
    return {
        "source": webhook.source_id, "path": f"/v1/webhooks/{webhook.token}" if address else None, "scheme": webhook.scheme,
        "has_secret": bool(webhook.secrets.secret), "header": webhook.secrets.header, "prefix": webhook.secrets.prefix, "mapping": webhook.mapping,
        "trusted": webhook.trusted, "enabled": webhook.enabled, "changed_at": plain(webhook.changed_at),
    }  # fmt: skip
