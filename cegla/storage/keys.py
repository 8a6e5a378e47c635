"""The installation's own secrets, in files only its owner can read, outside the database they protect."""

import hmac
import os
import secrets
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from cegla.storage.settling import settle

if TYPE_CHECKING:  # imported where it is needed: a collector without webhooks starts without it
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM



class Keys:
    """Two random 32-byte keys under `<data_dir>/keys`, made on first use.

    `pepper` turns addresses into fingerprints for the suppression list; `signing` signs the links in messages.
    A third one, `sealing`, made when first needed, closes what the database keeps but must not be able to read, such as
    the secrets of webhooks. Losing them makes old links, suppressions and sealed secrets unreadable, so they belong in every backup.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._pepper = _Hmac(_key(directory / "pepper"))
        self._signing = _Hmac(_key(directory / "signing"))

    def fingerprint(self, value: str) -> bytes:
        """HMAC-SHA-256 of a normalized address: equal for equal addresses, meaningless without the pepper."""
        return self._pepper.of(value.encode())

    def signature(self, purpose: str, payload: bytes) -> bytes:
        """16 bytes that prove a link was made here for this purpose."""
        return self._signing.of(purpose.encode() + b"\0" + payload)[:16]

    def genuine(self, purpose: str, payload: bytes, signature: bytes) -> bool:
        """Whether `signature` was made by `signature(purpose, payload)`; takes the same time for every wrong one."""
        return hmac.compare_digest(self.signature(purpose, payload), signature)

    def seal(self, purpose: str, plain: bytes) -> bytes:
        """The text closed with AES-256-GCM; only `unseal` with the same purpose opens it."""
        nonce = secrets.token_bytes(12)
        return nonce + self._sealing.encrypt(nonce, plain, purpose.encode())

    def unseal(self, purpose: str, sealed: bytes) -> bytes:
        """What was sealed. Raises ValueError when it was sealed with another key or for another purpose, or was changed."""
        from cryptography.exceptions import InvalidTag

        try:
            return self._sealing.decrypt(sealed[:12], sealed[12:], purpose.encode())
        except InvalidTag:
            raise ValueError("sealed with another key") from None

    @cached_property
    def _sealing(self) -> "AESGCM":
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(_key(self._directory / "sealing"))


class _Hmac:
    """HMAC-SHA-256 (RFC 2104) under one key, whose two blocks are hashed once: a letter takes nine of them, and setting one up costs ten times the hash."""

    def __init__(self, key: bytes) -> None:
        block = key.ljust(64, b"\0")
        self._inner, self._outer = (sha256(bytes(byte ^ pad for byte in block)) for pad in (0x36, 0x5C))

    def of(self, value: bytes) -> bytes:
        """The 32 bytes."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(value)
        outer.update(inner.digest())
        return outer.digest()


def _key(path: Path) -> bytes:
    """The key in a file, made complete under another name first, so that a crash never leaves half a key."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, secrets.token_bytes(32))
            os.fsync(handle)
        finally:
            os.close(handle)
        try:
            os.link(fresh, path)  # the first of two processes wins
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
        settle(path.parent)  # what it seals is committed next, and a power cut must not leave that without its key
    return path.read_bytes()
