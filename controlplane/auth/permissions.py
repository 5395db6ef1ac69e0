"""The permissions there are, and which role holds which."""

from enum import StrEnum

from controlplane.users.models import Role


class Permission(StrEnum):
    """One thing that may be done, as `noun:verb`."""

    DEVICES_READ = "devices:read"
    DEVICES_WRITE = "devices:write"
    CREDENTIALS_READ = "credentials:read"
    CREDENTIALS_WRITE = "credentials:write"
    THRESHOLDS_READ = "thresholds:read"
    THRESHOLDS_WRITE = "thresholds:write"
    ALERTS_READ = "alerts:read"
    ALERTS_INGEST = "alerts:ingest"
    RULES_READ = "rules:read"
    SNAPSHOT_READ = "snapshot:read"
    TARGETS_READ = "targets:read"
    INTENT_READ = "intent:read"


VIEWER = frozenset(
    {
        Permission.DEVICES_READ,
        Permission.THRESHOLDS_READ,
        Permission.ALERTS_READ,
        Permission.RULES_READ,
    }
)
OPERATOR = VIEWER | {
    Permission.DEVICES_WRITE,
    Permission.CREDENTIALS_READ,
    Permission.THRESHOLDS_WRITE,
}
ADMIN = OPERATOR | {Permission.CREDENTIALS_WRITE}  # what services do is for their tokens alone

ROLES: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: VIEWER,
    Role.OPERATOR: OPERATOR,
    Role.ADMIN: ADMIN,
}
