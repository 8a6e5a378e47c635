"""Webhooks: an address for a provider, its signature, the mapping to events, and a place to try a mapping before it holds."""

import json
from dataclasses import dataclass, replace
from typing import Any

from starlette.responses import Response

from cegla.collect import actions as collect
from cegla.console.screens.sources import BASES
from cegla.console.visit import Visit, see_other
from cegla.govern import actions as govern
from cegla.repair import actions as repair
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.errors import CeglaError, NotFound
from cegla.vocabulary.errors.intake import WebhookSchemeUnknown
from cegla.vocabulary.events import Reason

NEWEST = 5
PREFIX = "/v1/webhooks/"


@dataclass(frozen=True)
class Chosen:
    """The request a mapping is tried on, and where it came from."""

    key: str
    framed: collect.Framed


def show_new(visit: Visit) -> Response:
    """The ready mappings, and the form for a new webhook."""
    return visit.page("webhook_new.html", {"ready": collect.ready_made(), "bases": BASES, "problem": None, "form": {}})


def add(visit: Visit) -> Response:
    """A source with a webhook that begins with a ready mapping."""
    try:
        name, key = visit.required("name"), visit.field("ready")
        ready = collect.ready_made().get(key)
        if ready is None:
            raise WebhookSchemeUnknown(where="ready", seen=key, name=key)
        with visit.ws.transaction() as conn:
            new = collect.Webhook(0, "", ready.scheme, collect.Secrets(header="X-Signature"), ready.mapping, ready.trusted, True)
            source, _ = collect.add_webhook(conn, visit.ws.keys, name, Basis(visit.one_of("basis", dict(BASES))), new, visit.now)
            govern.note(conn, visit.actor, "webhook.add", f"source {source.id}", {"ready": key, "basis": str(source.basis)}, visit.now)
    except CeglaError as error:
        model = {"ready": collect.ready_made(), "bases": BASES, "problem": error.problem(visit.language), "form": visit.form}
        return visit.page("webhook_new.html", model, status=error.status)
    return see_other(f"/sources/{source.id}/webhook", done="saved")


def show(visit: Visit) -> Response:
    """Address, signature, mapping, and what the mapping makes of the last request or of a sample."""
    return _page(visit, _webhook(visit))


def try_out(visit: Visit) -> Response:
    """What the mapping in the form makes of the chosen request; nothing is written."""
    return _page(visit, replace(_webhook(visit), mapping=visit.field("mapping")))


def save(visit: Visit) -> Response:
    """Change scheme, secrets and mapping; an empty secret stays as it was."""
    webhook = _webhook(visit)
    try:
        secrets = replace(
            webhook.secrets, secret=visit.field("secret") or webhook.secrets.secret, header=visit.field("header"), prefix=visit.field("prefix"),
            verify_token=visit.field("verify_token") or webhook.secrets.verify_token,
        )  # fmt: skip
        changed = replace(
            webhook, scheme=visit.field("scheme"), secrets=secrets, mapping=visit.field("mapping"), trusted=visit.field("trusted") == "yes",
            enabled=visit.field("enabled") == "yes", token="" if visit.field("new_address") == "yes" else webhook.token,
        )  # fmt: skip
        with visit.ws.transaction() as conn:
            collect.save_webhook(conn, visit.ws.keys, changed, visit.now)
            govern.note(conn, visit.actor, "webhook.change", f"source {webhook.source_id}", {"scheme": changed.scheme}, visit.now)
    except CeglaError as error:
        return _page(visit, replace(webhook, mapping=visit.field("mapping")), error)
    return see_other(f"/sources/{webhook.source_id}/webhook", done="saved")


def replay(visit: Visit) -> Response:
    """Everything of this webhook that waits in quarantine goes through the mapping again."""
    webhook = _webhook(visit)
    with visit.ws.transaction() as conn:
        run = repair.start(conn, repair.Decision("replay", repair.Filter(source_id=webhook.source_id)), visit.actor, visit.now)
        govern.note(conn, visit.actor, "quarantine.replay", f"source {webhook.source_id}", {"events": run.events}, visit.now)
    return see_other(f"/sources/{webhook.source_id}/webhook", done="replayed")


def _webhook(visit: Visit) -> collect.Webhook:
    with visit.ws.transaction() as conn:
        return collect.webhook_of(conn, visit.ws.keys, visit.number("id"))


def _page(visit: Visit, webhook: collect.Webhook, error: CeglaError | None = None) -> Response:
    with visit.ws.transaction() as conn:
        source = next((row for row in collect.sources(conn) if row.id == webhook.source_id), None)
        standing = next((row for row in collect.standing(conn) if row.source_id == webhook.source_id), None)
        last = collect.last_requests(conn, webhook.source_id, NEWEST)
        aside = repair.listed(conn, repair.Filter(source_id=webhook.source_id), limit=NEWEST)
        in_quarantine = repair.figures.waiting(conn).get(webhook.source_id, 0)
    if source is None:
        raise NotFound(where=visit.path, seen=webhook.source_id, thing=str(webhook.source_id))
    choices = _choices(visit, last, webhook.mapping)
    chosen = _chosen(visit, choices)
    mapped, nameless = None, list[str]()
    try:
        mapped = collect.try_webhook(webhook.mapping, chosen.framed) if chosen else None
        nameless = _nameless(visit, mapped) if mapped else []
    except CeglaError as wrong:
        error = error or wrong
    door = visit.ws.settings.collector
    model: dict[str, Any] = {
        "source": source, "standing": standing, "in_quarantine": in_quarantine, "webhook": webhook, "address": f"http://{door.host}:{door.port}{PREFIX}{webhook.token}",
        "schemes": collect.SCHEMES, "choices": [(key, label) for key, label, _ in choices], "chosen": chosen, "mapped": mapped, "nameless": nameless,
        "aside": [(row, repair.telling.say_detail(row.detail, values=visit.may("people.reveal")).say(visit.language)) for row in aside],
        "shown": _text(chosen.framed) if chosen else "", "problem": error.problem(visit.language) if error else None, "pretty": _pretty,
    }  # fmt: skip
    return visit.page("webhook.html", model, status=error.status if error else 200)


def _nameless(visit: Visit, mapped: Any) -> list[str]:
    """Rules whose event says nobody's name: it would lie in quarantine."""
    limits = visit.ws.settings.collector
    made = [(look.rule, look.event) for item in mapped.items for look in item.looked if look.event]
    tried = ((rule, collect.try_out(json.dumps(event).encode(), limits, visit.now).set_aside) for rule, event in made)
    return [rule for rule, aside in tried if any(one.reason is Reason.MISSING_IDENTITY for one in aside)]


def _choices(visit: Visit, last: list[Any], mapping: str) -> list[tuple[str, str, collect.Framed]]:
    """What can be tried: the last requests for those who may see personal data, and samples, those of the mapping's own provider first."""
    found: list[tuple[str, str, collect.Framed]] = []
    if visit.may("people.reveal"):
        found += [(f"last-{place}", f"{visit.tongue.moment(at)}", framed) for place, (at, framed) in enumerate(last)]
    for key, row in sorted(collect.ready_made().items(), key=lambda pair: -_likeness(pair[1].mapping, mapping)):
        found += [(f"{key}-{place}", f"{visit.tongue.say(row.label)}: {sample.name}", sample.framed) for place, sample in enumerate(row.samples)]
    return found


def _likeness(one: str, other: str) -> float:
    """The share of lines that two mappings have in common, since a ready one may have been changed."""
    lines, others = set(one.splitlines()), set(other.splitlines())
    return len(lines & others) / max(len(lines | others), 1)


def _chosen(visit: Visit, choices: list[tuple[str, str, collect.Framed]]) -> Chosen | None:
    pasted = visit.field("pasted")
    if pasted:
        headers = {"content-type": visit.field("content_type", "application/json"), **_headers(visit.field("headers"))}
        return Chosen("pasted", collect.Framed(pasted.encode(), headers))
    wanted = visit.field("request") or visit.query.get("request", "")
    first = Chosen(choices[0][0], choices[0][2]) if choices else None
    return next((Chosen(key, framed) for key, _, framed in choices if key == wanted), first)


def _headers(text: str) -> dict[str, str]:
    """Headers as people paste them: one a line, name: value."""
    pairs = [line.partition(":") for line in text.splitlines() if ":" in line]
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _text(framed: collect.Framed) -> str:
    head = "\n".join(f"{name}: {value}" for name, value in framed.headers.items())
    return f"{head}\n\n{_pretty_bytes(framed.body)}"[:20_000]


def _pretty_bytes(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, indent=1)
    except ValueError:
        return body.decode("utf-8", "replace")


def _pretty(event: dict[str, Any]) -> str:
    return json.dumps(event, ensure_ascii=False, indent=1)
