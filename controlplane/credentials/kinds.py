"""The kinds of credentials: which fields each has, which of them are secret, and what is usable."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from controlplane.credentials import rest, snmp, ssh
from controlplane.credentials.models import Kind
from controlplane.errors import Problem


@dataclass(frozen=True)
class Form:
    """What a credential of a kind is made of; `problems` is told fields that belong to it."""

    fields: tuple[str, ...]
    secrets: tuple[str, ...]
    problems: Callable[[Mapping[str, Any]], list[Problem]]


FORMS: Mapping[Kind, Form] = MappingProxyType(
    {
        Kind.SNMP: Form(snmp.FIELDS, snmp.SECRETS, snmp.problems),
        Kind.SSH: Form(ssh.FIELDS, ssh.SECRETS, ssh.problems),
        Kind.REST: Form(rest.FIELDS, rest.SECRETS, rest.problems),
    }
)
SECRETS = tuple(dict.fromkeys(name for form in FORMS.values() for name in form.secrets))
OPEN_FIELDS = tuple(dict.fromkeys(name for form in FORMS.values() for name in form.fields))


def problems(kind: Kind, auth: Mapping[str, Any]) -> list[Problem]:
    """Say everything that keeps these fields from being a credential; nothing means it is one."""
    form = FORMS[kind]
    foreign = [
        Problem(f"/{name}", "not_allowed", f"{name} is no part of a credential of kind {kind}")
        for name, value in auth.items()
        if value and name not in {*form.fields, *form.secrets}
    ]
    return [*form.problems(auth), *foreign]
