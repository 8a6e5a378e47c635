"""Webhooks from the address to the event: who may send, what lies in the inbox, what the mapping makes of it, and how a mistake is mended."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cegla.collect import actions as collect
from cegla.collect.rules import frame
from cegla.collect.rules.signatures import SCHEMES, Secrets
from cegla.collect.wire import Door
from cegla.flow import Intake
from cegla.repair import actions as repair
from cegla.storage.settings import CollectorSettings
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.errors.intake import WebhookMappingInvalid, WebhookSchemeUnknown, WebhookSecretMissing
from cegla.vocabulary.events import Reason
from tests.collect.opened import opened, ready

LIMITS = CollectorSettings.model_validate({"largest_request_bytes": 20_000, "group_milliseconds": 0})
MAPPING = """
each: calls
rules:
  - name: ended
    when: {state: ended}
    event: Call Ended
    id: "{id}"
    time: {from: at, as: unix}
    traits: {phone: "{from}"}
    properties: {duration_seconds: {from: seconds, as: integer}}
  - {name: ping, when: {state: ping}, skip: true}
"""
CALL = {"id": 1, "state": "ended", "from": "+48600100200", "at": 1_700_000_000, "seconds": "61"}
SECRET = "s3cret of the shop"


def body(*calls: dict[str, Any]) -> bytes:
    return json.dumps({"calls": list(calls)}).encode()


def made(workspace: Workspace, scheme: str = "path", secrets: Secrets = Secrets(), mapping: str = MAPPING) -> collect.Webhook:
    with workspace.transaction() as conn:
        source, _ = collect.add_source(conn, "Calls", "webhook", Basis.CONTRACT, workspace.clock())
        webhook = collect.Webhook(source.id, "", scheme, secrets, mapping, trusted=False, enabled=True)
        return collect.save_webhook(conn, workspace.keys, webhook, workspace.clock())


def talk(workspace: Workspace, conversation: Callable[[httpx.AsyncClient], Awaitable[None]]) -> Door:
    """A door over the workspace and a client at it."""

    async def go() -> Door:
        async with opened(workspace.dsn, workspace.settings.data_dir, limits=LIMITS) as (door, client):
            await ready(door)
            await conversation(client)
        return door

    return asyncio.run(go())


def posted(workspace: Workspace, webhook: collect.Webhook, content: bytes, headers: dict[str, str] | None = None) -> int:
    answers: list[int] = []

    async def conversation(client: httpx.AsyncClient) -> None:
        answers.append((await client.post(f"/v1/webhooks/{webhook.token}", content=content, headers={"content-type": "application/json"} | (headers or {}))).status_code)

    talk(workspace, conversation)
    return answers[0]


def standing(workspace: Workspace) -> collect.SourceStanding:
    with workspace.transaction() as conn:
        (one,) = [row for row in collect.standing(conn) if row.name == "Calls"]
    assert one.adds_up, one
    return one


@pytest.fixture
def intake(workspace: Workspace) -> Intake:
    return Intake(workspace)


def test_a_request_is_in_the_inbox_before_its_answer_and_becomes_its_events(workspace: Workspace, intake: Intake) -> None:
    webhook = made(workspace)
    assert posted(workspace, webhook, body(CALL, {"state": "ping"})) == 200
    assert standing(workspace).waiting == 1
    intake.drain()
    one = standing(workspace)
    assert (one.accepted, one.applied, one.ignored, one.waiting) == (2, 1, 1, 0)


def test_a_delivery_that_comes_again_is_a_repeat(workspace: Workspace, intake: Intake) -> None:
    webhook = made(workspace)
    for _ in range(2):
        posted(workspace, webhook, body(CALL))
    intake.drain()
    assert (standing(workspace).applied, standing(workspace).repeated) == (1, 1)


def test_what_no_rule_fits_waits_in_quarantine_and_a_better_mapping_mends_it_alone(workspace: Workspace, intake: Intake) -> None:
    webhook = made(workspace)
    posted(workspace, webhook, body(CALL, CALL | {"id": 2, "state": "hung up"}, CALL | {"id": 3, "seconds": "many"}))
    intake.drain()
    with workspace.transaction() as conn:
        rows = repair.listed(conn)
        details = sorted(row.detail for row in rows)
    assert details == ["ended: properties.duration_seconds: seconds cannot be read as integer", "no rule fits this item"]
    assert (standing(workspace).applied, standing(workspace).quarantined) == (1, 2)
    with workspace.transaction() as conn:
        mended = MAPPING.replace("{state: ended}", "{state: [ended, hung up]}").replace("as: integer", "as: text")
        collect.save_webhook(conn, workspace.keys, replace(webhook, mapping=mended), workspace.clock())
        decision = repair.Decision("replay", repair.Filter(source_id=webhook.source_id))
        assert repair.start(conn, decision, "anna", workspace.clock()).done == 2
    intake.drain()
    one = standing(workspace)
    assert (one.applied, one.repeated) == (3, 0)
    with workspace.transaction() as conn:
        assert repair.listed(conn) == []


def test_a_mapped_event_that_cannot_be_used_is_kept_as_its_providers_item(workspace: Workspace, intake: Intake) -> None:
    webhook = made(workspace, mapping=MAPPING.replace('traits: {phone: "{from}"}', 'traits: {phone: "{caller}"}'))
    posted(workspace, webhook, body(CALL))
    intake.drain()
    with workspace.transaction() as conn:
        (row,) = repair.listed(conn)
        assert json.loads(frame.read(row.payload or b"").body) == {"calls": [CALL]}
        collect.save_webhook(conn, workspace.keys, replace(webhook, mapping=MAPPING), workspace.clock())
        repair.start(conn, repair.Decision("replay", repair.Filter(ids=(row.id,))), "anna", workspace.clock())
    intake.drain()
    assert standing(workspace).applied == 1


@pytest.mark.parametrize("content", [b"", b"not json", b'{"calls": 3}', b"\xff\xfe\n\n", b"[" * 5_000, b'{"calls": [1, null, []]}'])
def test_whatever_is_posted_is_kept_and_adds_up(content: bytes, workspace: Workspace, intake: Intake) -> None:
    webhook = made(workspace)
    assert posted(workspace, webhook, content) == 200
    intake.drain()
    one = standing(workspace)
    assert one.quarantined >= 1
    assert one.applied == 0


def signed_requests() -> list[Any]:
    """Each scheme with a request its provider would send: secrets, headers, body."""
    content, now = body(CALL), str(int(time.time()))
    plain = hmac.digest(SECRET.encode(), content, hashlib.sha256)
    stamped = hmac.digest(SECRET.encode(), f"{now}.".encode() + content, hashlib.sha256)
    standard = base64.b64encode(hmac.digest(b"raw key", b"msg_1." + now.encode() + b"." + content, hashlib.sha256)).decode()
    given, sha1 = Secrets(SECRET), hashlib.sha1(b"9:" + SECRET.encode() + b":" + content).hexdigest()
    key = ec.generate_private_key(ec.SECP256R1())
    public = base64.b64encode(key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).decode()
    ecdsa = base64.b64encode(key.sign(now.encode() + content, ec.ECDSA(hashes.SHA256()))).decode()
    mail = hmac.digest(SECRET.encode(), f"{now}tok".encode(), hashlib.sha256).hex()
    mailgun = json.dumps({"calls": [CALL], "signature": {"timestamp": now, "token": "tok", "signature": mail}}).encode()
    return [
        ("hmac_hex", Secrets(SECRET, "X-Sign", "v0="), {"x-sign": "v0=" + plain.hex()}, content),
        ("hmac_base64", Secrets(SECRET, "X-Sign"), {"x-sign": base64.b64encode(plain).decode()}, content),
        ("github", given, {"x-hub-signature-256": "sha256=" + plain.hex()}, content),
        ("shopify", given, {"x-shopify-hmac-sha256": base64.b64encode(plain).decode()}, content),
        ("woocommerce", given, {"x-wc-webhook-signature": base64.b64encode(plain).decode()}, content),
        ("stripe", given, {"stripe-signature": f"t={now},v1={'0' * 64},v1={stamped.hex()}"}, content),
        ("chatwoot", given, {"x-chatwoot-signature": "sha256=" + stamped.hex(), "x-chatwoot-timestamp": now}, content),
        ("standard", Secrets("whsec_" + base64.b64encode(b"raw key").decode()),
         {"webhook-id": "msg_1", "webhook-timestamp": now, "webhook-signature": f"v1,{'A' * 44} v1,{standard}"}, content),
        ("mailgun", given, {}, mailgun),
        ("shoper", given, {"x-webhook-id": "9", "x-webhook-sha1": sha1}, content),
        ("sendgrid", Secrets(public), {"x-twilio-email-event-webhook-signature": ecdsa, "x-twilio-email-event-webhook-timestamp": now}, content),
        ("header", Secrets(SECRET, "X-Token"), {"x-token": SECRET}, content),
        ("basic", Secrets("shop:pass"), {"authorization": "Basic " + base64.b64encode(b"shop:pass").decode()}, content),
        ("bearer", given, {"authorization": f"Bearer {SECRET}"}, content),
    ]  # fmt: skip


@pytest.mark.parametrize("scheme", [row[0] for row in signed_requests()])
def test_a_signed_request_is_taken_and_a_changed_one_refused(scheme: str, workspace: Workspace) -> None:
    _, secrets, headers, content = next(row for row in signed_requests() if row[0] == scheme)  # signed now: some signatures grow old
    webhook = made(workspace, scheme, secrets)
    answers: list[int] = []

    async def conversation(client: httpx.AsyncClient) -> None:
        forged = {name: value[:-6] + ("AAAAA=" if not value.endswith("AAAAA=") else "BBBBB=") for name, value in headers.items()}
        for shown, sent in ((headers, content), ({}, content.replace(b"tok", b"kot")), (forged, content.replace(b"tok", b"kot"))):
            answers.append((await client.post(f"/v1/webhooks/{webhook.token}", content=sent, headers=shown)).status_code)

    door = talk(workspace, conversation)
    assert answers == [200, 401, 401]
    assert door.answered[401] == 2


@pytest.mark.parametrize("scheme", ["stripe", "standard", "chatwoot", "sendgrid"])
def test_an_old_signature_is_refused_even_when_it_is_right(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from cegla.collect.rules.signatures import Refusal, check

    name, secrets, headers, content = next(row for row in signed_requests() if row[0] == scheme)
    later = time.time() + SCHEMES[name].tolerance_seconds + 5
    assert check(SCHEMES[name], secrets, headers, content, later, lambda *_: True) is Refusal.TOO_OLD


@pytest.mark.parametrize(
    ("scheme", "body"),
    [
        ("mailgun", b'{"signature":{"signature":"aa","timestamp":"1700000000","token":"\\ud800"}}'),
        ("sns", b'{"Type":"Notification","Signature":"aaaa","Message":"\\ud800"}'),
    ],
)
def test_half_a_character_in_what_is_signed_is_a_wrong_signature_and_is_answered(scheme: str, body: bytes) -> None:
    from cegla.collect.rules.signatures import Refusal, check

    assert check(SCHEMES[scheme], Secrets("secret"), {}, body, 1_700_000_000.0, lambda *_: False) is Refusal.WRONG_SIGNATURE


def test_a_request_that_the_door_fails_on_is_answered_and_its_sender_keeps_it(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise KeyError("nobody thought of this")

    monkeypatch.setattr("cegla.collect.wire.judge", fails)
    assert posted(workspace, made(workspace), body(CALL)) == 500
    assert standing(workspace).accepted == 0


def test_a_request_that_its_mapping_fails_on_is_set_aside_whole_and_comes_back_as_it_came(
    workspace: Workspace, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise KeyError("nobody thought of this")

    webhook = made(workspace)
    with monkeypatch.context() as broken:
        broken.setattr("cegla.collect.rules.hooked.map_request", fails)
        assert posted(workspace, webhook, body(CALL)) == 200
        intake.drain()
    with workspace.transaction() as conn:
        (row,) = repair.listed(conn)
        assert (row.reason, frame.read(row.payload or b"").body) == (Reason.INTAKE_FAILED, body(CALL))
        repair.start(conn, repair.Decision("replay", repair.Filter(ids=(row.id,)), None, ""), "test", workspace.clock())
    intake.drain()
    one = standing(workspace)
    assert (one.applied, one.quarantined, one.waiting) == (1, 1, 0)


def test_a_request_without_a_known_token_changes_nothing(workspace: Workspace) -> None:
    made(workspace)
    assert posted(workspace, replace(made(workspace), token="guessed"), body(CALL)) == 404
    assert standing(workspace).accepted == 0


def test_the_secrets_and_what_proves_the_sender_never_lie_open_in_the_store(workspace: Workspace) -> None:
    webhook = made(workspace, "bearer", Secrets(SECRET))
    posted(workspace, webhook, body(CALL), {"authorization": f"Bearer {SECRET}", "x-topic": "call", "x-api-token": SECRET, "cookie": SECRET})
    with workspace.transaction() as conn:
        ((_, framed),) = collect.last_requests(conn, webhook.source_id)
        kept = conn.execute("select sealed, token_hash from collect.webhooks").fetchone()
    assert dict(framed.headers)["x-topic"] == "call"
    assert SECRET not in str(framed.headers)
    assert kept is not None
    assert not any(secret.encode() in bytes(cell) for cell in kept for secret in (SECRET, webhook.token))


def test_a_challenge_is_answered_only_to_who_knows_the_token(workspace: Workspace) -> None:
    webhook = made(workspace, "github", Secrets(SECRET, verify_token="ours"))
    answers: list[str] = []

    async def conversation(client: httpx.AsyncClient) -> None:
        for token, challenge in (("ours", "42"), ("theirs", "42"), ("ours", "<script>")):
            answer = await client.get(f"/v1/webhooks/{webhook.token}", params={"hub.verify_token": token, "hub.challenge": challenge})
            answers.append(answer.text)

    talk(workspace, conversation)
    assert answers == ["42", "", ""]


def test_a_collector_without_the_installations_key_says_try_again(workspace: Workspace, tmp_path: Path) -> None:
    webhook = made(workspace)
    (workspace.settings.data_dir / "keys" / "sealing").write_bytes(b"x" * 32)
    assert posted(workspace, webhook, body(CALL)) == 503


@pytest.mark.parametrize(
    ("scheme", "secrets", "mapping", "error"),
    [
        ("nonsense", Secrets(), MAPPING, WebhookSchemeUnknown),
        ("hmac_hex", Secrets(SECRET), MAPPING, WebhookSecretMissing),
        ("sendgrid", Secrets("no key"), MAPPING, WebhookSecretMissing),
        ("path", Secrets(), "rules: [", WebhookMappingInvalid),
        ("path", Secrets(), "rules: []", WebhookMappingInvalid),
        ("path", Secrets(), "a: &a [1]\nrules: *a", WebhookMappingInvalid),
        ("path", Secrets(), f"rules: {'[' * 20_000}", WebhookMappingInvalid),
        ("path", Secrets(), "rules: [{name: a, evnt: x}]", WebhookMappingInvalid),
        ("path", Secrets(), "rules: [{name: a, event: x}, {name: a, event: y}]", WebhookMappingInvalid),
    ],
)
def test_a_webhook_that_cannot_work_is_refused(scheme: str, secrets: Secrets, mapping: str, error: type[Exception], workspace: Workspace) -> None:
    with pytest.raises(error):
        made(workspace, scheme, secrets, mapping)


def test_of_a_webhooks_request_each_person_is_given_the_events_made_of_it(workspace: Workspace) -> None:
    from cegla.vocabulary.identifiers import Borne, Identifier

    webhook = made(workspace)
    posted(workspace, webhook, json.dumps({"calls": [CALL, CALL | {"id": 2, "from": "+48600100999"}]}).encode())
    posted(workspace, webhook, json.dumps({"calls": [CALL | {"id": 3}, {"id": 4, "state": "ping"}]}).encode())
    with workspace.transaction() as conn:
        whole, part = collect.export_person(conn, [Borne(Identifier("phone", "+48600100200"))])["requests"]
    assert [json.loads(event)["event"] for event in whole["events"]] == ["Call Ended"] and "not_given_bytes" not in whole
    assert len(part["events"]) == 1 and part["not_given_bytes"]
    assert "100999" not in str(whole)


def test_a_person_is_found_and_erased_in_what_a_form_posted(workspace: Workspace, intake: Intake) -> None:
    from cegla.vocabulary.identifiers import Borne, Identifier

    webhook = made(workspace)
    posted(workspace, webhook, b"mail=anna%40example.pl&tel=600+100-200", {"content-type": "application/x-www-form-urlencoded"})
    intake.drain()
    for identifier in (Identifier("email", "anna@example.pl"), Identifier("phone", "+48600100200")):
        with workspace.transaction() as conn:
            assert len(collect.export_person(conn, [Borne(identifier)])["requests"]) == 1
            assert collect.export_person(conn, [Borne(Identifier("email", "nna@example.pl"))])["requests"] == []
            assert not collect.export_person(conn, [Borne(identifier)])["requests"][0]["events"]  # nothing is made of it, so nobody can tell whose it is
    with workspace.transaction() as conn:
        assert collect.erase_person(conn, [Borne(Identifier("email", "anna@example.pl"))]) == 1
        assert repair.erase_person(conn, [Borne(Identifier("email", "anna@example.pl"))]) == 1
