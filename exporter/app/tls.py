"""TLS as the web configuration wants it, with certificates that rotate while connections live."""

import logging
import re
import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from cryptography.x509 import load_pem_x509_certificates
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from exporter.app.web import Stamp, Tls, Web, stamp
from exporter.config import ConfigError

log = logging.getLogger(__name__)

VERSIONS = {
    "TLS10": ssl.TLSVersion.TLSv1,
    "TLS11": ssl.TLSVersion.TLSv1_1,
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}
VERIFICATION = {
    "NoClientCert": ssl.CERT_NONE,
    "RequestClientCert": ssl.CERT_NONE,  # nobody would look at it
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}
CURVES = {"CurveP256": "prime256v1", "CurveP384": "secp384r1", "CurveP521": "secp521r1"}


class Rotating(ssl.SSLContext):
    """A context that greets every new connection with the certificates of that moment."""

    _web: Web
    _expires: Callable[[float], None]
    _stamp: Stamp
    _seen: Tls | None
    _fresh: ssl.SSLContext

    def __new__(cls, web: Web, expires: Callable[[float], None] = lambda _moment: None) -> Self:
        """Return a context; raise ConfigError where its files cannot be used.

        `expires` is told when the certificates of new connections end (Unix time).
        """
        made = super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)
        made._web, made._expires, made._stamp, made._seen = web, expires, (), None
        made._fresh = made._made()
        return made

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """Begin a connection, as asyncio asks for it."""
        try:
            self._fresh = self._made()
        except ConfigError as error:
            log.error("certificates not reloaded", extra={"error": str(error)})  # noqa: TRY400 - a mistake in a file, not in the code
        return self._fresh.wrap_bio(*args, **kwargs)

    def _made(self) -> ssl.SSLContext:
        tls = self._web.current().tls
        if tls is None:
            raise ConfigError(str(self._web.path), "tls_server_config", "is gone")
        folder = self._web.path.parent
        files = (tls.cert_file, tls.key_file, tls.client_ca_file)
        now = stamp(tuple(folder / name for name in files if name))
        if (now, tls) != (self._stamp, self._seen):
            self._stamp, self._seen = now, tls
            made = context(tls, folder, str(self._web.path))
            self._expires(expiry(tls, folder))
            return made
        return self._fresh


def context(tls: Tls, folder: Path, source: str) -> ssl.SSLContext:
    """Return a server's context; raise ConfigError naming the field that cannot be used."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    step = "min_version"
    try:
        made.minimum_version = VERSIONS[tls.min_version]
        made.maximum_version = VERSIONS[tls.max_version]
        step = "cipher_suites"
        if ciphers := [_openssl(name) for name in tls.cipher_suites if "_WITH_" in name]:
            made.set_ciphers(":".join(ciphers))
        step = "curve_preferences"
        for curve in tls.curve_preferences:
            made.set_ecdh_curve(CURVES.get(curve, curve))
        step = "cert_file"
        _load_certificate(made, tls, folder)
        step = "client_ca_file"
        if tls.client_ca_file or tls.client_ca:
            file = folder / tls.client_ca_file if tls.client_ca_file else None
            made.load_verify_locations(file, cadata=tls.client_ca or None)
        made.verify_mode = VERIFICATION[tls.client_auth_type]
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or str(error)
        raise ConfigError(source, f"tls_server_config.{step}", problem) from error
    return made


def expiry(tls: Tls, folder: Path) -> float:
    """Return when the first certificate of a chain that can be used ends, in Unix time; 0: unknown.

    OpenSSL takes some certificates that this parser does not.
    """
    try:
        chain = tls.cert.encode() if tls.cert else (folder / tls.cert_file).read_bytes()
        return min(one.not_valid_after_utc.timestamp() for one in load_pem_x509_certificates(chain))
    except (OSError, ValueError) as error:
        log.warning("end of the certificate not known", extra={"error": str(error)})
        return 0.0


def _load_certificate(made: ssl.SSLContext, tls: Tls, folder: Path) -> None:
    """Load certificate and key; those that stand in the file itself pass through a private one."""
    with tempfile.TemporaryDirectory(prefix="chm-exporter-") as private:
        paths = []
        for name, text, file in (("c", tls.cert, tls.cert_file), ("k", tls.key, tls.key_file)):
            path = Path(private, name) if text else folder / file
            if text:
                path.touch(0o600)
                path.write_text(text)
            paths.append(path)
        made.load_cert_chain(str(paths[0]), str(paths[1]))


def _openssl(name: str) -> str:
    """Return OpenSSL's name of a cipher suite such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256."""
    name = name.removeprefix("TLS_").removesuffix("_SHA256" if "POLY1305" in name else "")
    name = name.removeprefix("RSA_WITH_").replace("_WITH_", "_").replace("_CBC", "")
    return re.sub(r"AES_(\d+)", r"AES\1", name).replace("_", "-")


def protocol(web: Web) -> type[HttpToolsProtocol]:
    """Return uvicorn's protocol, closed to clients whose certificate has no allowed name."""

    class Named(HttpToolsProtocol):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            tls = web.current().tls
            if tls is None or not tls.client_allowed_sans:
                return
            certificate = transport.get_extra_info("peercert") or {}
            names = {name for _kind, name in certificate.get("subjectAltName", ())}
            if certificate and not names & set(tls.client_allowed_sans):
                log.warning("client certificate not allowed", extra={"names": sorted(names)})
                transport.abort()

    return Named
