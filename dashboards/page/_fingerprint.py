"""How a person recognises a certificate."""

from __future__ import annotations

import hashlib
import ssl


def fingerprint(pem: bytes) -> str:
    """SHA-256 over the certificate itself, in pairs of hex digits, as phones show it."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.decode("ascii"))).digest().hex(":").upper()
