"""On-call schedules, escalation policies, what was told by them; groups in maintenance.

Going down loses all of these, but neither the windows nor the alerts themselves.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

NAME = sa.String(63)
WINDOWS = "maintenance_window_groups"
TABLES = (
    WINDOWS,
    *("oncall_schedules", "oncall_overrides", "oncall_contacts"),
    *("escalation_policies", "escalations", "escalation_tellings"),
)


def moment(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def column(name: str, kind: object) -> sa.Column:
    return sa.Column(name, kind, nullable=False)


def of(table: str, name: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [name], [f"{other}.id"], name=f"fk_{table}_{name}", ondelete="CASCADE"
    )


def named(table: str, *columns: sa.Column) -> None:
    op.create_table(
        table,
        column("id", sa.Uuid),
        column("name", NAME),
        *columns,
        moment("created_at"),
        moment("updated_at"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.UniqueConstraint("name", name=f"uq_{table}_name"),
    )


def upgrade() -> None:
    op.create_table(
        WINDOWS,
        column("window_id", sa.Uuid),
        column("group_id", sa.Uuid),
        sa.PrimaryKeyConstraint("window_id", "group_id", name=f"pk_{WINDOWS}"),
        of(WINDOWS, "window_id", "maintenance_windows"),
        of(WINDOWS, "group_id", "device_groups"),
    )
    op.create_index(f"ix_{WINDOWS}_group_id", WINDOWS, ["group_id"])
    named(
        "oncall_schedules",
        column("description", sa.String),
        column("time_zone", sa.String(64)),
        column("layers", postgresql.JSONB),
    )
    named(
        "escalation_policies", column("position", sa.Integer), column("options", postgresql.JSONB)
    )
    op.create_table(
        "oncall_overrides",
        column("id", sa.Uuid),
        column("schedule_id", sa.Uuid),
        column("person", NAME),
        moment("starts_at"),
        moment("ends_at"),
        column("created_by", sa.String),
        moment("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_oncall_overrides"),
        of("oncall_overrides", "schedule_id", "oncall_schedules"),
    )
    op.create_index("ix_oncall_overrides_schedule_id", "oncall_overrides", ["schedule_id"])
    op.create_table(
        "oncall_contacts",
        column("person", NAME),
        column("channel", NAME),
        sa.PrimaryKeyConstraint("person", name="pk_oncall_contacts"),
    )
    op.create_table(
        "escalations",
        column("id", sa.Uuid),
        column("alert_id", sa.Uuid),
        column("policy", NAME),
        column("steps", postgresql.JSONB),
        column("waited_seconds", sa.Float),
        moment("counting_since", nullable=True),
        moment("created_at"),
        moment("closed_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_escalations"),
        sa.UniqueConstraint("alert_id", name="uq_escalations_alert_id"),
        of("escalations", "alert_id", "alerts"),
    )
    op.create_index(
        "ix_escalations_open", "escalations", ["id"], postgresql_where=sa.text("closed_at IS NULL")
    )
    op.create_table(
        "escalation_tellings",
        column("id", sa.Uuid),
        column("escalation_id", sa.Uuid),
        column("position", sa.Integer),
        column("channel", NAME),
        column("person", NAME),
        column("schedule", NAME),
        moment("told_at"),
        column("live", sa.Boolean),
        sa.PrimaryKeyConstraint("id", name="pk_escalation_tellings"),
        sa.UniqueConstraint(
            *("escalation_id", "position", "channel", "person"),
            name="uq_escalation_tellings_escalation_id",
        ),
        of("escalation_tellings", "escalation_id", "escalations"),
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
