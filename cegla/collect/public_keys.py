"""Signatures that webhooks make with a private key: SendGrid's, Amazon SNS's.

Few do, and cryptography takes its time to import, so the door asks for this late.
"""

from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import load_pem_x509_certificate


def holds(algorithm: str, key: str, signed: bytes, signature: bytes) -> bool:
    """Whether the signature was made with the private half of `key`: a PEM certificate, a PEM key, or base64 of a DER key."""
    try:
        public = _public_key(key)
        if isinstance(public, ec.EllipticCurvePublicKey) and algorithm == "ecdsa_sha256":
            public.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
            return True
        if isinstance(public, rsa.RSAPublicKey) and algorithm.startswith("rsa_"):
            digest = hashes.SHA256() if algorithm == "rsa_sha256" else hashes.SHA1()  # SNS version 1 signs with SHA-1
            public.verify(signature, signed, padding.PKCS1v15(), digest)
            return True
    except (InvalidSignature, ValueError, TypeError):
        pass
    return False


def _public_key(text: str) -> Any:
    """The key in a text. Raises ValueError."""
    text = text.strip()
    if "BEGIN CERTIFICATE" in text:
        return load_pem_x509_certificate(text.encode()).public_key()
    if "BEGIN" not in text:
        text = f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----"
    return serialization.load_pem_public_key(text.encode())


def is_public_key(text: str) -> bool:
    """Whether a text holds a key or certificate that can be used."""
    try:
        _public_key(text)
    except (ValueError, TypeError):
        return False
    return True
