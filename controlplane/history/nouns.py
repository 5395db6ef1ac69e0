"""The nouns that have a history, and which fields of them name another object."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from controlplane.auth.permissions import Permission
from controlplane.devices.catalogue.nouns import NOUNS


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
    CONTACT = "contact"
    CUSTOM_FIELD = "custom field"
    DEVICE_ROLE = "device role"
    DEVICE_TYPE = "device type"
    PLATFORM = "platform"
    POLL_CLASS = "poll class"
    TENANT = "tenant"


CATALOGUE = MappingProxyType({Noun(noun.words): noun for noun in NOUNS.values()})
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
        **dict.fromkeys(CATALOGUE, Permission.DEVICES_READ),
    }
)
# What holds words of an operator's own, that refer to nothing.
OPAQUE = frozenset({"custom_fields", "value_schema"})
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
