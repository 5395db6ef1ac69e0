"""What makes a usable SSH credential: a user with a password, a private key, or both."""

from collections.abc import Iterator, Mapping
from typing import Any

from controlplane.credentials import pem
from controlplane.errors import Problem

FIELDS = ("username", "host_key_policy")
SECRETS = ("password", "private_key", "passphrase")


def problems(auth: Mapping[str, Any]) -> list[Problem]:
    """Say everything that keeps these fields from being a credential; nothing means it is one."""
    return list(_problems(auth))


def _problems(auth: Mapping[str, Any]) -> Iterator[Problem]:
    for name in FIELDS:
        if not auth.get(name):
            yield Problem(f"/{name}", "missing", f"SSH needs a {name}")
    if not auth.get("password") and not auth.get("private_key"):
        yield Problem("/password", "missing", "SSH needs a password or a private_key")
    yield from pem.key_problems(auth)
