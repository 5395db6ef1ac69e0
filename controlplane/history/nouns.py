"""The nouns that have a history, and which fields of them name another object."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from controlplane.auth.permissions import Permission


class Noun(StrEnum):
    """An object of the inventory, or a rule about it, as the audit log has it."""

    DEVICE = "device"
    SITE = "site"
    GROUP = "group"
    CREDENTIAL = "credential"
    INTERFACE = "interface"
    BASELINE = "baseline"
    THRESHOLD = "threshold"  # has no name, and goes by its id
    ALERTING_RULE = "alerting-rule"


READ: Mapping[Noun, Permission] = MappingProxyType(
    {
        Noun.DEVICE: Permission.DEVICES_READ,
        Noun.SITE: Permission.SITES_READ,
        Noun.GROUP: Permission.GROUPS_READ,
        Noun.CREDENTIAL: Permission.CREDENTIALS_READ,
        Noun.INTERFACE: Permission.DEVICES_READ,
        Noun.BASELINE: Permission.RULES_READ,
        Noun.THRESHOLD: Permission.THRESHOLDS_READ,
        Noun.ALERTING_RULE: Permission.RULES_READ,
    }
)
OPAQUE = frozenset({"custom_fields"})  # what an operator named; it refers to nothing
REFERENCES: Mapping[str, Noun] = MappingProxyType(
    {
        "device": Noun.DEVICE,
        "group": Noun.GROUP,
        "site": Noun.SITE,
        "parent": Noun.SITE,
        "parents": Noun.DEVICE,
        "credentials": Noun.CREDENTIAL,
    }
)
