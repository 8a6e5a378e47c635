"""Who signs: a process of its own, and this one whenever that one cannot."""

import signal
import sys

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from cegla.activate import signing
from cegla.activate.rules.dkim import Wanted


def private(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def test_the_process_that_signs_makes_the_signatures_that_we_would_and_its_death_costs_nothing() -> None:
    keys = [private(rsa.generate_private_key(public_exponent=65537, key_size=2048)), private(ed25519.Ed25519PrivateKey.generate())]
    signers = [signing.signer("example.pl", f"s{number}", key) for number, key in enumerate(keys)]
    wanted = [Wanted(signer, "", f"letter {number}".encode()) for number in range(20) for signer in signers]
    right = signing.made_here(wanted)
    signatory = signing.Signatory()
    try:
        for _ in range(4):  # each way is tried, and the faster one stays
            first, second = signatory.begin(wanted), signatory.begin(wanted)
            assert signatory.finish(first) == right == signatory.finish(second)
        one, other = signatory.begin(wanted), signatory.begin(wanted)
        assert one.worker is not None
        one.worker.child.process.kill()
        assert signatory.finish(one) == right == signatory.finish(other) == signatory.finish(signatory.begin(wanted))
    finally:
        signatory.close()


def few_letters() -> list[Wanted]:
    signer = signing.signer("example.pl", "s", private(ed25519.Ed25519PrivateKey.generate()))
    return [Wanted(signer, "", f"letter {number}".encode()) for number in range(signing.FEW + 1)]


def test_work_that_a_dead_process_never_read_is_done_here() -> None:
    wanted = few_letters()
    signatory = signing.Signatory()
    signatory.finish(ticket := signatory.begin(wanted))
    assert ticket.worker is not None
    ticket.worker.child.process.kill()
    ticket.worker.child.process.wait()
    assert signatory.finish(signatory.begin(wanted)) == signing.made_here(wanted)
    signatory.close()


def test_a_process_that_hangs_is_not_waited_for_and_the_letters_after_it_are_signed_here(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = few_letters()
    right = signing.made_here(wanted)
    signatory = signing.Signatory()
    signatory.finish(signatory.begin(wanted))
    monkeypatch.setattr(signing, "HUNG_SECONDS", 0.1)
    signatory.close()
    stopped = signatory.begin(wanted)
    assert stopped.worker is not None
    stopped.worker.child.process.send_signal(signal.SIGSTOP)
    assert signatory.finish(stopped) == right
    assert stopped.worker.hung
    assert stopped.worker.child.process.returncode is not None
    assert signatory.begin(wanted).worker is None
    signatory.close()


def test_letters_are_signed_where_no_process_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    wanted = few_letters()
    signatory = signing.Signatory()
    assert signatory.finish(signatory.begin(wanted)) == signing.made_here(wanted)
    signatory.close()
