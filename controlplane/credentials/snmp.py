"""What makes a usable SNMP credential: pure checks over the fields of an `auths:` entry."""

from collections.abc import Iterator, Mapping
from typing import Any

from controlplane.credentials.models import SecurityLevel
from controlplane.errors import Problem

FIELDS = (
    *("version", "username", "security_level", "auth_protocol"),
    *("priv_protocol", "context_name"),
)
SECRETS = ("community", "password", "priv_password")
V3_FIELDS = (
    "username",
    "security_level",
    "auth_protocol",
    "password",
    "priv_protocol",
    "priv_password",
    "context_name",
)
# RFC 3414, section 11.2: a passphrase shorter than eight characters is refused.
PASSPHRASE_LENGTH = 8
USERNAME_LENGTH = 32  # RFC 3414: usmUserName

NEEDED = {
    SecurityLevel.NO_AUTH_NO_PRIV: ("username",),
    SecurityLevel.AUTH_NO_PRIV: ("username", "auth_protocol", "password"),
    SecurityLevel.AUTH_PRIV: (
        "username",
        "auth_protocol",
        "password",
        "priv_protocol",
        "priv_password",
    ),
}
PROTECTION = ("auth_protocol", "password", "priv_protocol", "priv_password")


def problems(auth: Mapping[str, Any]) -> list[Problem]:
    """Say everything that keeps these fields from being a credential; nothing means it is one."""
    if not auth.get("version"):
        return [Problem("/version", "missing", "SNMP needs a version")]
    return list(_version_3(auth) if auth["version"] == 3 else _community(auth))  # noqa: PLR2004 - the version of SNMP


def _community(auth: Mapping[str, Any]) -> Iterator[Problem]:
    if not auth.get("community"):
        yield Problem("/community", "missing", "SNMP version 1 and 2 need a community")
    for name in V3_FIELDS:
        if auth.get(name):
            yield Problem(f"/{name}", "not_allowed", f"{name} belongs to SNMP version 3")


def _version_3(auth: Mapping[str, Any]) -> Iterator[Problem]:
    if auth.get("community"):
        yield Problem("/community", "not_allowed", "a community belongs to SNMP version 1 and 2")
    level = auth.get("security_level")
    if level is None:
        yield Problem("/security_level", "missing", "SNMP version 3 needs a security_level")
        return
    needed = NEEDED[level]
    for name in needed:
        if not auth.get(name):
            yield Problem(f"/{name}", "missing", f"{level} needs {name}")
    for name in PROTECTION:
        if auth.get(name) and name not in needed:
            yield Problem(f"/{name}", "not_allowed", f"{level} does not use {name}")
    for name in ("password", "priv_password"):
        if auth.get(name) and len(auth[name]) < PASSPHRASE_LENGTH:
            message = f"a passphrase needs at least {PASSPHRASE_LENGTH} characters"
            yield Problem(f"/{name}", "too_short", message)
