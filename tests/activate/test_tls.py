"""Mail servers under TLS and with passwords, each a real one: what is refused by default, what signs in, who takes over."""

import socket
import ssl
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cegla.activate.channels.email import Mailer
from cegla.activate.rules.dialog import Letter, Outcome
from cegla.storage.settings import RelaySettings, SmtpSettings

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # a server of the tests, on this machine
LETTER = Letter(1, "shop@example.pl", "anna@example.com", b"Subject: x\r\n\r\n.one\r\n..two\r\n")
USER, PASSWORD = "shop", "zażółć \u2713"
Key = ec.EllipticCurvePrivateKey


def certificate(names: list[str], key: Key, signer: tuple[str, Key] | None = None) -> x509.Certificate:
    """A certificate for names, signed by an authority, or an authority itself."""
    said = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    by, by_key = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, signer[0])]), signer[1]) if signer else (said, key)
    spellings: list[x509.GeneralName] = [x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name) for name in names]
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(by, said, key.public_key(), x509.random_serial_number(), now - timedelta(days=1), now + timedelta(days=1))
    made = made.add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
    made = made.add_extension(x509.SubjectAlternativeName(spellings), critical=False)
    made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    made = made.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by_key.public_key()), critical=False)
    return made.sign(by_key, hashes.SHA256())


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, ssl.SSLContext]]:
    """For a name: the file of the authority, and the context of a server with a certificate for that name."""
    folder, key = tmp_path_factory.mktemp("tls"), ec.generate_private_key(ec.SECP256R1())
    root = folder / "root.pem"
    root.write_bytes(certificate(["Test authority"], key).public_bytes(serialization.Encoding.PEM))

    def server(name: str) -> tuple[Path, ssl.SSLContext]:
        own = ec.generate_private_key(ec.SECP256R1())
        file = folder / f"{name}.pem"
        private = own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file.write_bytes(private + certificate([name], own, ("Test authority", key)).public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return root, context

    return server


@dataclass
class Box:
    """Takes letters, and who signed in how."""

    contents: list[bytes] = field(default_factory=list)
    signed_in: list[str] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.contents.append(bytes(envelope.original_content or b""))
        return "250 taken"

    def check(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
        """Whether user and password are ours."""
        assert isinstance(given, LoginPassword)
        self.signed_in.append(mechanism)
        return AuthResult(success=(given.login.decode(), given.password.decode()) == (USER, PASSWORD), handled=False)


Serve = Callable[..., tuple[Box, int]]


@pytest.fixture
def serve() -> Generator[Serve]:
    """Start servers on ports of their own."""
    running: list[Controller] = []

    def start(*, implicit: ssl.SSLContext | None = None, **wishes: Any) -> tuple[Box, int]:
        box = Box()
        signing = {"authenticator": box.check, "auth_required": True} if wishes.pop("signing", False) else {}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        controller = Controller(box, hostname="127.0.0.1", port=port, ssl_context=implicit, decode_data=False, ready_timeout=60, **signing, **wishes)
        controller.start()
        running.append(controller)
        return box, port

    yield start
    for controller in running:
        controller.stop(no_assert=True)


def hand_off(*relays: RelaySettings) -> tuple[Outcome, str]:
    """One letter, and what the servers said when none took it."""
    mailer = Mailer(SmtpSettings(relays=relays))  # pyright: ignore[reportCallIssue]
    try:
        outcome = mailer.hand_off(LETTER)
        return outcome, mailer.trouble
    finally:
        mailer.close()


def relay(port: int, tls: str = "none", **wishes: Any) -> RelaySettings:
    return RelaySettings.model_validate({"host": "127.0.0.1", "port": port, "tls": tls, **wishes})


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("without", ["PLAIN", "LOGIN"], ids=["login", "plain"])
def test_a_letter_arrives_whole_under_tls_with_a_password(
    authority: Any, serve: Serve, monkeypatch: pytest.MonkeyPatch, tls: str, without: str
) -> None:  # fmt: skip
    root, context = authority("127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(root))
    under = {"tls_context": context, "require_starttls": True} if tls == "starttls" else {"implicit": context, "auth_require_tls": False}
    box, port = serve(signing=True, auth_exclude_mechanism=[without], **under)
    outcome, _ = hand_off(relay(port, tls, user=USER, password=PASSWORD))
    assert outcome.reply is not None and outcome.reply.code == 250
    assert box.contents == [LETTER.content] and box.signed_in == [{"PLAIN": "LOGIN", "LOGIN": "PLAIN"}[without]]


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize(("name", "trusted"), [("127.0.0.1", False), ("mail.example.com", True)], ids=["unknown authority", "another name"])
def test_a_certificate_that_proves_nothing_gets_neither_password_nor_letter(
    authority: Any, serve: Serve, monkeypatch: pytest.MonkeyPatch, tls: str, name: str, trusted: bool
) -> None:  # fmt: skip
    root, context = authority(name)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(root))
    under = {"tls_context": context} if tls == "starttls" else {"implicit": context, "auth_require_tls": False}
    box, port = serve(signing=True, **under)
    outcome, trouble = hand_off(relay(port, tls, user=USER, password=PASSWORD))
    assert outcome.reply is None and not outcome.unanswered and "certificate" in trouble.lower()
    assert (box.contents, box.signed_in) == ([], [])


def test_a_server_that_drops_starttls_gets_nothing(serve: Serve) -> None:
    box, port = serve(signing=True, auth_require_tls=False)
    outcome, trouble = hand_off(relay(port, "starttls", user=USER, password=PASSWORD))
    assert outcome.reply is None and trouble == "0 the server offers no STARTTLS"
    assert (box.contents, box.signed_in) == ([], [])


def test_a_wrong_password_costs_no_letter_and_the_next_relay_takes_it(serve: Serve) -> None:
    refusing, first = serve(signing=True, auth_require_tls=False)
    taking, second = serve()
    alone, trouble = hand_off(relay(first, user=USER, password="wrong"))
    assert alone.reply is None and not alone.unanswered and trouble.startswith("535")
    outcome, _ = hand_off(relay(first, user=USER, password="wrong"), relay(second))
    assert outcome.reply is not None and outcome.reply.code == 250
    assert refusing.contents == [] and taking.contents == [LETTER.content]
