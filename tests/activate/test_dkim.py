"""Signatures: equal to those of the RFCs to the last byte, believed by another implementation, and made with keys that stay closed."""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import dkim as dkimpy
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from cegla.activate import actions as activate
from cegla.activate import dkim, signing
from cegla.activate.rules import dkim as rules
from cegla.activate.rules import mime
from cegla.storage.workspace import Workspace
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.errors.messages import DkimKeyRefused
from tests.activate.conftest import Shop
from tests.activate.others import files

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
VECTORS = {name.rpartition("/")[2]: content for name, content in files("dkim-vectors").items()}
Sign = Callable[[bytes], bytes]


def parsed(raw: bytes) -> tuple[list[tuple[str, str]], bytes]:
    """Fields as they stand and the body, with CRLF line ends."""
    head, _, body = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").partition(b"\r\n\r\n")
    lines = re.split(r"\r\n(?![ \t])", head.decode("utf-8", "surrogateescape"))
    return [(name, value) for name, _, value in (line.partition(":") for line in lines)], body


def tags_of(value: str) -> dict[str, str]:
    return {name.strip(): re.sub(r"\s+", "", text) for name, _, text in (tag.partition("=") for tag in value.split(";")) if name.strip()}


def made_again(raw: bytes, sign: Sign, number: int = 0) -> tuple[str, str]:
    """The signature a message carries, and the one we make of the same fields with the key."""
    fields, body = parsed(raw)
    own = [field for field in fields if field[0] == "DKIM-Signature"][number]
    others = [field for field in fields if field[0] != "DKIM-Signature"]
    tags = tags_of(own[1])
    head_form, _, body_form = tags["c"].partition("/")
    assert b64decode(tags["bh"]) == rules.body_hash(body, body_form), "the body's hash"
    unsigned = re.sub(r"(\bb=)[^;]+", r"\1", own[1])
    signed = rules.signing_input(others, tags["h"].split(":"), (own[0], unsigned), head_form)
    return tags["b"], b64encode(sign(signed)).decode()


def signer_of(private: bytes) -> Sign:
    return dkim.signer("football.example.com", "test", private).sign


def ed25519_key(text: bytes) -> bytes:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(b64decode(text))
    return key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


@pytest.mark.parametrize("name", ["rfc6376.signed.msg", "rfc6376.signed.rsa.msg"])  # that without t= carries the signature of the one with it
def test_the_published_rsa_signature_comes_out_to_the_last_byte(name: str) -> None:
    fields, _ = parsed(VECTORS[name])
    number = next(place for place, field in enumerate(field for field in fields if field[0] == "DKIM-Signature") if "rsa-sha256" in field[1])
    published, ours = made_again(VECTORS[name], signer_of(VECTORS["test.private"]), number)
    assert published == ours


def test_the_published_ed25519_signature_of_rfc_8463_comes_out_to_the_last_byte() -> None:
    published, ours = made_again(VECTORS["rfc6376.signed.msg"], signer_of(ed25519_key(VECTORS["rfc8032_7_1.key"])))
    assert published == ours


def test_a_relaxed_signature_of_another_mail_server_verifies() -> None:
    fields, body = parsed(VECTORS["ed25519test2.msg"])
    tags, own = tags_of(fields[0][1]), fields[0]
    assert b64decode(tags["bh"]) == rules.body_hash(body, "relaxed")
    signed = rules.signing_input(fields[1:], tags["h"].split(":"), (own[0], re.sub(r"(\bb=)[^;]+", r"\1", own[1])), "relaxed")
    public = b64decode(re.sub(r".*p=", "", VECTORS["eximtest.dns"].decode()))
    digest = hashes.Hash(hashes.SHA256())
    digest.update(signed)
    ed25519.Ed25519PublicKey.from_public_bytes(public).verify(b64decode(tags["b"]), digest.finalize())


@pytest.mark.parametrize(
    ("body", "form", "same_as"),
    [(b"", "simple", b"\r\n"), (b"a\r\n\r\n\r\n", "simple", b"a\r\n"), (b"a", "simple", b"a\r\n"), (b" c \r\nd \t e\r\n\r\n\r\n", "relaxed", b" c\r\nd e\r\n")],
)
def test_bodies_are_made_canonical_as_the_standard_says(body: bytes, form: str, same_as: bytes) -> None:
    assert rules.body_hash(body, form) == sha256(same_as).digest()


def test_an_empty_relaxed_body_stays_empty() -> None:
    assert rules.body_hash(b"\r\n\r\n", "relaxed") == rules.body_hash(b"", "relaxed") == sha256(b"").digest()


def letter(**headers: str) -> mime.Letter:
    head = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return mime.Letter("Sklep Żółw <sklep@example.pl>", "anna@example.pl", "Wiadomość " * 12, "Cześć", "<p>Cześć</p>", "<m1@example.pl>", NOW, head)


@pytest.fixture(scope="module")
def pair() -> list[tuple[rules.Signer, str]]:
    """Both kinds of key with their records."""
    made = [rsa.generate_private_key(public_exponent=65537, key_size=2048), ed25519.Ed25519PrivateKey.generate()]
    found: list[tuple[rules.Signer, str]] = []
    for key, selector in zip(made, ("one", "two"), strict=True):
        raw = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        signer = dkim.signer("example.pl", selector, raw)
        public = key.public_key()
        plain = isinstance(public, rsa.RSAPublicKey)
        form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo) if plain else (serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        found.append((signer, rules.record(signer.algorithm, public.public_bytes(*form))))
    return found


def believed(raw: bytes, records: dict[str, str], number: int) -> bool:
    """What dkimpy says of one of the signatures."""
    return dkimpy.DKIM(raw).verify(idx=number, dnsfunc=lambda name, timeout=5: records.get(name.decode().rstrip("."), "").encode())


def test_another_implementation_believes_both_signatures_and_no_changed_message(pair: list[tuple[rules.Signer, str]]) -> None:
    records = {f"{signer.selector}._domainkey.example.pl": record for signer, record in pair}
    raw = mime.written(letter(List_Unsubscribe="<https://c.example/u/T>, <mailto:u@b.example>", List_Unsubscribe_Post="List-Unsubscribe=One-Click"), [one for one, _ in pair])
    assert all(believed(raw, records, number) for number in (0, 1))
    for old, new in ((b"/u/T", b"/u/X"), (b"One-Click", b"Two-Click"), (b"To: anna", b"To: inna"), (b"Subject: ", b"Subject: =?utf-8?B?eA==?= ")):
        assert raw.count(old) == 1 and not believed(raw.replace(old, new), records, 0)
    second_from = raw.replace(b"To: anna", b"From: evil@example.net\r\nTo: anna")
    assert not believed(second_from, records, 0), "a second From must not ride on the signature"


def test_the_unsubscribe_headers_are_under_the_signature_and_no_line_is_long(pair: list[tuple[rules.Signer, str]]) -> None:
    raw = mime.written(letter(List_Unsubscribe="<https://c.example/u/T>", List_Unsubscribe_Post="List-Unsubscribe=One-Click"), [one for one, _ in pair])
    head = raw.partition(b"\r\n\r\n")[0].decode()
    covered = re.sub(r"\s", "", re.search(r"h=([^;]+);", head).group(1)).split(":")
    assert {"from", "to", "subject", "date", "message-id", "mime-version", "content-type", "list-unsubscribe", "list-unsubscribe-post"} <= set(covered)
    assert covered.count("from") == 2
    assert all(len(line) <= 78 for line in head.split("\r\n"))


def test_a_key_is_published_before_it_signs_and_replaced_without_a_gap(workspace: Workspace) -> None:
    with workspace.transaction() as conn:
        first = activate.dkim.make(conn, workspace.keys, "Example.PL", NOW)
        assert (first.state, first.domain, first.name) == ("new", "example.pl", "cegla-rsa-20261102._domainkey.example.pl")
        assert activate.dkim.signers(conn, workspace.keys, "a@example.pl") == []
        activate.dkim.use(conn, "example.pl", first.selector, NOW)
        small = activate.dkim.make(conn, workspace.keys, "example.pl", NOW, "ed25519")
        activate.dkim.use(conn, "example.pl", small.selector, NOW)
        second = activate.dkim.make(conn, workspace.keys, "example.pl", NOW)
        activate.dkim.use(conn, "example.pl", second.selector, NOW)
        states = {key.selector: key.state for key in activate.dkim.keys_of(conn, "example.pl")}
        assert states == {first.selector: "retired", second.selector: "signing", small.selector: "signing"}
        needed = {key.selector: key.record_needed_until for key in activate.dkim.keys_of(conn, "example.pl")}
        assert needed == {first.selector: NOW + timedelta(days=7), second.selector: None, small.selector: None}
        assert [one.selector for one in activate.dkim.signers(conn, workspace.keys, "X <a@example.pl>")] == [second.selector, small.selector]
        with pytest.raises(DkimKeyRefused):
            activate.dkim.drop(conn, "example.pl", second.selector)
        activate.dkim.drop(conn, "example.pl", first.selector)
        with pytest.raises(NotFound):
            activate.dkim.use(conn, "example.pl", first.selector, NOW)


def test_the_private_part_is_closed_with_a_key_outside_the_database(workspace: Workspace) -> None:
    with workspace.transaction() as conn:
        made = activate.dkim.make(conn, workspace.keys, "example.pl", NOW, "ed25519", "s1")
        (sealed,) = conn.execute("select sealed from activate.dkim_keys").fetchone()
    opened = workspace.keys.unseal("dkim s1 example.pl", bytes(sealed))
    assert opened not in bytes(sealed) and dkim.signer("example.pl", "s1", opened).algorithm == rules.ED25519
    assert (workspace.settings.data_dir / "keys" / "sealing").stat().st_mode & 0o777 == 0o600
    assert max(len(part) for part in re.findall('"([^"]*)"', made.zone_line)) <= 255


def test_a_domain_in_letters_is_kept_as_dns_has_it_and_signs_for_its_senders(workspace: Workspace) -> None:
    with workspace.transaction() as conn:
        made = activate.dkim.make(conn, workspace.keys, "Żółw.PL", NOW, "ed25519", "s1")
        assert made.name == "s1._domainkey.xn--w-uga1v8h.pl"
        activate.dkim.use(conn, made.domain, "s1", NOW)
        assert [one.domain for one in activate.dkim.signers(conn, workspace.keys, "a@żółw.pl")] == ["xn--w-uga1v8h.pl"]


@pytest.mark.parametrize(("domain", "kind", "selector"), [("nie domena", "rsa", ""), ("example.pl", "dsa", ""), ("example.pl", "rsa", "a.b")])
def test_names_that_dns_would_not_take_are_refused(workspace: Workspace, domain: str, kind: str, selector: str) -> None:
    with workspace.transaction() as conn, pytest.raises(DkimKeyRefused):
        activate.dkim.make(conn, workspace.keys, domain, NOW, kind, selector or "")


def test_a_campaign_goes_out_signed_by_its_senders_domain(shop: Shop) -> None:
    with shop.ws.transaction() as conn:
        key = activate.dkim.make(conn, shop.ws.keys, "example.pl", shop.now)
        activate.dkim.use(conn, "example.pl", key.selector, shop.now)
    shop.person("anna", marketing_email=True)
    activate.launch(shop.ws, shop.campaign().id)
    shop.deliver(1)
    ((_, raw),) = shop.postbox.letters
    assert believed(raw, {key.name: key.record}, 0)


@pytest.mark.parametrize("subject", ["Hello", " Hello", "Hello ", "a  b", "Zażółć gęślą jaźń " * 6, "a\u00a0b"])
def test_what_is_signed_in_one_go_is_what_the_general_rule_covers(subject: str) -> None:
    key = ed25519.Ed25519PrivateKey.generate().private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    ways_out = ("List-Unsubscribe", "<https://a.pl/u/x>, <mailto:u@b.pl>")
    letter = mime.Letter("Sklep <a@b.pl>", "c@d.pl", subject, "t", "<p>h</p>", "<m1@b.pl>", NOW, [ways_out])
    made = mime.unsigned(letter, [signing.signer("b.pl", "s1", key)])
    [one] = made.wanted
    names = one.unsigned.partition("h=")[2].partition(";")[0].replace("\r\n\t ", "").split(":")
    assert one.content == rules.signing_input(made.fields, names, ("DKIM-Signature", one.unsigned), "relaxed")
