"""Thresholds of roles, sites and groups: one table for all scopes, with both values of a metric.

Where only one of the two was set, the other is what was in force beside it. Going down loses the
thresholds of roles, sites and groups, and who changed the others how often.
"""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

# What counted where nothing was set, when there was one value a row.
DEFAULTS = """\
(VALUES
    ('cpu_utilization', 0.8, 0.95), ('memory_utilization', 0.85, 0.95),
    ('interface_utilization', 0.8, 0.95), ('interface_errors', 0.001, 0.01),
    ('interface_discards', 0.001, 0.01), ('temperature', 65, 80),
    ('packet_loss', 0.05, 0.2), ('response_time', 0.1, 0.5), ('jitter', 0.03, 0.1)
) AS known (metric, warning, critical)"""

FOR_ALL = f"""\
INSERT INTO thresholds (id, scope, metric, warning, critical, weight, version,
                        created_at, updated_at)
SELECT gen_random_uuid(), 'all', known.metric, coalesce(low.value, known.warning),
       coalesce(high.value, known.critical), 0, 1, now(), now()
FROM {DEFAULTS}
LEFT JOIN thresholds_for_all low ON low.metric = known.metric AND low.severity = 'warning'
LEFT JOIN thresholds_for_all high ON high.metric = known.metric AND high.severity = 'critical'
WHERE low.value IS NOT NULL OR high.value IS NOT NULL"""

FOR_DEVICES = f"""\
INSERT INTO thresholds (id, scope, device_id, metric, warning, critical, weight, version,
                        created_at, updated_at)
SELECT gen_random_uuid(), 'device', own.device_id, known.metric,
       coalesce(max(own.value) FILTER (WHERE own.severity = 'warning'),
                max(common.warning), max(known.warning)),
       coalesce(max(own.value) FILTER (WHERE own.severity = 'critical'),
                max(common.critical), max(known.critical)),
       0, 1, now(), now()
FROM {DEFAULTS}
JOIN device_thresholds own ON own.metric = known.metric
LEFT JOIN thresholds common ON common.scope = 'all' AND common.metric = known.metric
GROUP BY own.device_id, known.metric"""  # noqa: S608 - made of nothing that somebody gave

BACK = """\
INSERT INTO {table} ({key}metric, severity, value)
SELECT {key}metric, severity, value
FROM scoped_thresholds,
     LATERAL (VALUES ('warning', warning), ('critical', critical)) AS one (severity, value)
WHERE scope = '{scope}'{there}"""


def upgrade() -> None:
    op.rename_table("thresholds", "thresholds_for_all")
    op.execute("ALTER INDEX pk_thresholds RENAME TO pk_thresholds_for_all")
    op.create_table(
        "thresholds",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("scope", sa.String(32), nullable=False),
        sa.Column("role", sa.String(64), nullable=True),
        reference("site", "sites"),
        reference("group", "device_groups"),
        reference("device", "devices"),
        sa.Column("metric", sa.String(32), nullable=False),
        sa.Column("warning", sa.Float, nullable=False),
        sa.Column("critical", sa.Float, nullable=False),
        sa.Column("weight", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_thresholds"),
        sa.UniqueConstraint(
            *("scope", "role", "site_id", "group_id", "device_id", "metric"),
            name="uq_thresholds_scope",
            postgresql_nulls_not_distinct=True,
        ),
    )
    for noun in ("site", "group", "device"):
        op.create_index(f"ix_thresholds_{noun}_id", "thresholds", [f"{noun}_id"])
    op.execute(FOR_ALL)
    op.execute(FOR_DEVICES)
    op.drop_table("device_thresholds")
    op.drop_table("thresholds_for_all")


def reference(noun: str, table: str) -> sa.Column:
    target = sa.ForeignKey(
        f"{table}.id", name=f"fk_thresholds_{noun}_id", ondelete="CASCADE"
    )
    return sa.Column(f"{noun}_id", sa.Uuid, target, nullable=True)


def downgrade() -> None:
    op.rename_table("thresholds", "scoped_thresholds")
    op.execute("ALTER INDEX pk_thresholds RENAME TO pk_scoped_thresholds")
    op.create_table(
        "thresholds",
        *values(),
        sa.PrimaryKeyConstraint("metric", "severity", name="pk_thresholds"),
    )
    op.create_table(
        "device_thresholds",
        sa.Column("device_id", sa.Uuid, nullable=False),
        *values(),
        sa.PrimaryKeyConstraint("device_id", "metric", "severity", name="pk_device_thresholds"),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name="fk_device_thresholds_device_id", ondelete="CASCADE"
        ),
    )
    op.execute(BACK.format(table="thresholds", key="", scope="all", there=""))
    own = {"key": "device_id, ", "scope": "device", "there": " AND device_id IS NOT NULL"}
    op.execute(BACK.format(table="device_thresholds", **own))
    op.drop_table("scoped_thresholds")


def values() -> tuple[sa.Column, ...]:
    return (
        sa.Column("metric", sa.String(32), nullable=False),
        sa.Column("severity", sa.String(32), nullable=False),
        sa.Column("value", sa.Float, nullable=False),
    )
