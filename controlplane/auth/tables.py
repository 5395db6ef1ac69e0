"""What scopes are about belongs to capabilities above this one: known by name, not imported."""

from sqlalchemy import String, Uuid, column, table
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

SITES = table("sites", column("id", Uuid), column("name", String), column("parent_id", Uuid))
DEVICES = table(
    "devices",
    column("id", Uuid),
    column("name", String),
    column("site_id", Uuid),
    column("role", String),
    column("vendor", String),
    column("device_type_id", Uuid),
    column("tags", ARRAY(String)),
)
TYPES = table("device_types", column("id", Uuid), column("manufacturer", String))
THRESHOLDS = table("thresholds", column("role", String))
RULES = table(
    "alerting_rules",
    column("name", String),
    column("matchers", JSONB),
    column("status", String),
    column("site_id", Uuid),
)
USES = table("device_credentials", column("device_id", Uuid), column("credential_id", Uuid))
GROUPS = table(
    "device_groups",
    column("id", Uuid),
    column("name", String),
    column("site_id", Uuid),
    column("roles", ARRAY(String)),
    column("vendors", ARRAY(String)),
    column("tags_any", ARRAY(String)),
    column("tags_all", ARRAY(String)),
    column("pattern", String),
)
