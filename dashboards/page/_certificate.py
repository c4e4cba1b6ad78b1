"""A certificate authority of this installation, so that phones at home can trust the page.

The authority may vouch only for private addresses and `.local` names (RFC 5280, 4.2.1.10), so that installing it gives
nobody power over other sites. The page's own certificate lasts 397 days, the longest that Apple's and Google's browsers
accept from public authorities (their rule for installed ones is 825 days: support.apple.com, "Requirements for trusted
certificates", 103769), and is made anew a month before it ends or when the address changes. Keys are readable by their
owner only.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from dashboards.page._fingerprint import fingerprint
from sagittal.errors import SettingsError

LEAF_DAYS = 397
_CA_DAYS = 3650
_RENEW_DAYS = 30
_PRIVATE = (  # RFC 1918, 3927, 6598 (shared), 5737 (used in test beds), 4193, 4291
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "100.64.0.0/10",
    "192.0.2.0/24",
    "127.0.0.0/8",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
)


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where the files lie, and the fingerprint by which a person knows the authority."""

    ca: Path
    leaf: Path
    key: Path
    fingerprint: str


def certificates(folder: Path, names: Sequence[str], now: datetime | None = None) -> Certificates:
    """The authority and a certificate for these host names and addresses; made where missing, stale or for others.

    Raises
    ------
    SettingsError
        Where an address is not private, or the folder can't be written.
    """
    now = now or datetime.now(UTC)
    for name in names:
        _check_private(name)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        ca, ca_key = _authority(folder, now)
        leaf, key = folder / "page.crt", folder / "page.key"
        if not _still_good(leaf, key, ca, names, now):
            _issue(folder, ca, ca_key, names, now)
    except OSError as error:
        raise SettingsError(f"certificates can't be kept in {folder} ({error.strerror}): check its rights") from None
    pem = ca.public_bytes(serialization.Encoding.PEM)
    return Certificates(folder / "ca.crt", leaf, key, fingerprint(pem))


def _authority(folder: Path, now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    cert_path, key_path = folder / "ca.crt", folder / "ca.key"
    if cert_path.is_file() and key_path.is_file():
        key = serialization.load_pem_private_key(key_path.read_bytes(), None)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return x509.load_pem_x509_certificate(cert_path.read_bytes()), key
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Sagittal at home {os.urandom(3).hex()}")])
    networks: list[x509.GeneralName] = [x509.IPAddress(ip_network(network)) for network in _PRIVATE]
    allowed = [*networks, x509.DNSName("local"), x509.DNSName("localhost")]
    certificate = (
        _builder(name, name, key.public_key(), now, _CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign=True), critical=True)
        .add_extension(x509.NameConstraints(permitted_subtrees=allowed, excluded_subtrees=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    _keep(key_path, _pem(key))
    _keep(cert_path, certificate.public_bytes(serialization.Encoding.PEM))
    return certificate, key


def _issue(
    folder: Path, ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey, names: Sequence[str], now: datetime
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    certificate = (
        _builder(subject, ca.subject, key.public_key(), now, LEAF_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    _keep(folder / "page.key", _pem(key))
    _keep(folder / "page.crt", certificate.public_bytes(serialization.Encoding.PEM))


def _still_good(leaf: Path, key: Path, ca: x509.Certificate, names: Sequence[str], now: datetime) -> bool:
    if not (leaf.is_file() and key.is_file()):
        return False
    certificate = x509.load_pem_x509_certificate(leaf.read_bytes())
    known = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    fresh = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc - timedelta(days=_RENEW_DAYS)
    return fresh and certificate.issuer == ca.subject and set(known) == {_general(name) for name in names}


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    start = now - timedelta(hours=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign,
        key_cert_sign=sign,
        crl_sign=sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general(name: str) -> x509.GeneralName:
    address = _address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None


def _check_private(name: str) -> None:
    address = _address(name)
    networks: list[IPv4Network | IPv6Network] = [ip_network(network) for network in _PRIVATE]
    local = name == "localhost" or name.endswith(".local")
    if not (local if address is None else any(address in network for network in networks)):
        raise SettingsError(f"{name} is no private address or .local name: --lan is for a home or practice network")


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _keep(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
