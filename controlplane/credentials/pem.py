"""Private keys and certificates in PEM (RFC 7468): what can be said of them without opening them.

A key that is encrypted stays so: the work of opening one is set by whoever made it.
"""

from collections.abc import Mapping
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from controlplane.errors import Problem

OPENSSH = "-----BEGIN OPENSSH PRIVATE KEY-----"
Key = Any  # of any algorithm


def key_problems(auth: Mapping[str, Any]) -> list[Problem]:
    """Say what is wrong with a `private_key` and its `passphrase`."""
    key = auth.get("private_key")
    if not key:
        if auth.get("passphrase"):
            return [Problem("/passphrase", "not_allowed", "a passphrase is for a private_key")]
        return []
    try:
        opened = private_key(key)
    except (ValueError, UnsupportedAlgorithm):
        return [Problem("/private_key", "malformed", "this is no private key in PEM")]
    if opened is None and not auth.get("passphrase"):
        return [Problem("/passphrase", "missing", "the private_key is encrypted")]
    if opened is not None and auth.get("passphrase"):
        return [Problem("/passphrase", "not_allowed", "the private_key is not encrypted")]
    return []


def private_key(text: str) -> Key | None:
    """Give the key, or None where it is encrypted; raise ValueError where it is none."""
    load = load_ssh_private_key if text.lstrip().startswith(OPENSSH) else load_pem_private_key
    try:
        return load(text.strip().encode() + b"\n", password=None)
    except TypeError:  # it is encrypted, which is seen before anything is worked out
        return None


def certificate_problems(auth: Mapping[str, Any]) -> list[Problem]:
    """Say what is wrong with a `certificate`, alone and beside its key."""
    try:
        certificate = x509.load_pem_x509_certificate(auth["certificate"].encode())
        own = _bytes(certificate.public_key())
        key = private_key(auth["private_key"])
    except (ValueError, UnsupportedAlgorithm):
        return [Problem("/certificate", "malformed", "this is no certificate in PEM")]
    if key is not None and _bytes(key.public_key()) != own:
        return [Problem("/certificate", "other_key", "the certificate is for another private_key")]
    return []


def _bytes(public_key: Key) -> bytes:
    written: bytes = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return written
