"""What makes a usable credential of an HTTP API: each scheme has fields of its own."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from controlplane.credentials import pem
from controlplane.credentials.models import Scheme
from controlplane.errors import Problem

FIELDS = ("scheme", "username", "header", "certificate")
SECRETS = ("password", "token", "private_key", "passphrase")
NEEDED: Mapping[Scheme, tuple[str, ...]] = MappingProxyType(
    {
        Scheme.BASIC: ("username", "password"),  # RFC 7617
        Scheme.BEARER: ("token",),  # RFC 6750
        Scheme.HEADER: ("header", "token"),
        Scheme.CERTIFICATE: ("certificate", "private_key"),  # RFC 8446, section 4.4.2
    }
)
ALLOWED: Mapping[Scheme, tuple[str, ...]] = MappingProxyType({Scheme.CERTIFICATE: ("passphrase",)})


def problems(auth: Mapping[str, Any]) -> list[Problem]:
    """Say everything that keeps these fields from being a credential; nothing means it is one."""
    scheme = auth.get("scheme")
    if scheme is None:
        return [Problem("/scheme", "missing", "an HTTP API needs a scheme")]
    found = list(_by_scheme(Scheme(scheme), auth))
    if scheme == Scheme.CERTIFICATE and not found:
        found = pem.key_problems(auth) or pem.certificate_problems(auth)
    return found


def _by_scheme(scheme: Scheme, auth: Mapping[str, Any]) -> Iterator[Problem]:
    needed = NEEDED[scheme]
    for name in needed:
        if not auth.get(name):
            yield Problem(f"/{name}", "missing", f"{scheme} needs {name}")
    for name in (*FIELDS[1:], *SECRETS):
        if auth.get(name) and name not in {*needed, *ALLOWED.get(scheme, ())}:
            yield Problem(f"/{name}", "not_allowed", f"{scheme} does not use {name}")
