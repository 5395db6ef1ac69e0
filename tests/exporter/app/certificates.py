"""Certificates of a test: an authority, and what it signs."""

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, and both as files."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    cert_file: Path
    key_file: Path

    @classmethod
    def authority(cls, folder: Path, name: str = "authority") -> Self:
        """Return an authority that nobody signed."""
        return cls._made(folder, name, None)

    def signed(self, folder: Path, name: str) -> Self:
        """Return a certificate for 127.0.0.1 and the DNS name `name`."""
        return self._made(folder, name, self)

    @classmethod
    def _made(cls, folder: Path, name: str, issuer: "Certificate | None") -> Self:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = dt.datetime.now(dt.UTC)
        names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.certificate.subject if issuer else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(
                x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True
            )
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(issuer.key if issuer else key, hashes.SHA256())
        )
        made = cls(certificate, key, folder / f"{name}.crt", folder / f"{name}.key")
        made.save(made.cert_file, made.key_file)
        return made

    def save(self, cert_file: Path, key_file: Path) -> None:
        """Write certificate and key to files, as a rotation does."""
        cert_file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        key_file.write_bytes(
            self.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
