from pathlib import Path

from cegla.storage.keys import Keys


def test_keys_stay_the_same_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    first, second = Keys(tmp_path / "keys"), Keys(tmp_path / "keys")
    assert first.fingerprint("anna@example.pl") == second.fingerprint("anna@example.pl")
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "keys").iterdir()} == {0o600}


def test_another_installation_has_other_fingerprints(tmp_path: Path) -> None:
    assert Keys(tmp_path / "a").fingerprint("x") != Keys(tmp_path / "b").fingerprint("x")


def test_a_signature_holds_for_its_purpose_and_payload_only(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    signed = keys.signature("unsubscribe", b"42")
    assert keys.genuine("unsubscribe", b"42", signed)
    assert not keys.genuine("click", b"42", signed)
    assert not keys.genuine("unsubscribe", b"43", signed)
