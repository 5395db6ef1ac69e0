"""The life of an alert: state, acknowledgement, assignee, steps, incidents.

Going down loses all of these, but not the alerts themselves.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# For rows that are there already; new ones are always written in full.
STATE = "CASE status WHEN 'firing' THEN 'active' ELSE 'resolved' END"
TOLD = """\
jsonb_build_object(
  to_char(date_trunc('milliseconds', starts_at AT TIME ZONE 'UTC'), 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
  to_char(date_trunc('milliseconds', ends_at AT TIME ZONE 'UTC'), 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')
)"""


def moment(name: str, nullable: bool = True) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def text(name: str, length: int | None = None) -> sa.Column:
    return sa.Column(name, sa.String(length), nullable=False, server_default="")


def json(name: str, empty: str) -> sa.Column:
    return sa.Column(name, postgresql.JSONB, nullable=False, server_default=empty)


def upgrade() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("cause_id", sa.Uuid, nullable=False),
        moment("opened_at", nullable=False),
        moment("closed_at"),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
        sa.UniqueConstraint("cause_id", name="uq_incidents_cause_id"),
    )
    op.create_index("ix_incidents_opened_at", "incidents", ["opened_at"])
    added = (
        text("state", 32),
        text("site"),
        json("tellings", "{}"),
        moment("missing_since"),
        json("silenced_by", "[]"),
        json("inhibited_by", "[]"),
        moment("acknowledged_at"),
        text("acknowledged_by", 255),
        text("ack_comment", 1000),
        moment("ack_expires_at"),
        moment("first_acknowledged_at"),
        text("assignee", 64),
        text("made_by", 255),
        moment("until"),
        sa.Column("incident_id", sa.Uuid),
    )
    for column in added:
        op.add_column("alerts", column)
    op.execute(
        f"UPDATE alerts SET state = {STATE}, site = coalesce(labels->>'site', ''),"
        f" tellings = {TOLD}"
    )
    for column in added:
        if column.server_default is not None:
            op.alter_column("alerts", column.name, server_default=None)
    op.create_foreign_key(
        "fk_alerts_incident_id", "alerts", "incidents", ["incident_id"], ["id"]
    )
    op.create_index("ix_alerts_incident_id", "alerts", ["incident_id"])
    op.create_table(
        "alert_steps",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("alert_id", sa.Uuid, nullable=False),
        moment("at", nullable=False),
        sa.Column("step", sa.String(32), nullable=False),
        sa.Column("actor_kind", sa.String(32), nullable=False),
        sa.Column("actor_name", sa.String(255), nullable=False),
        sa.Column("comment", sa.String(1000), nullable=False),
        sa.Column("detail", postgresql.JSONB, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alert_steps"),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.id"], name="fk_alert_steps_alert_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_alert_steps_alert_id_id", "alert_steps", ["alert_id", "id"])


def downgrade() -> None:
    op.drop_table("alert_steps")
    op.drop_index("ix_alerts_incident_id", table_name="alerts")
    op.drop_constraint("fk_alerts_incident_id", "alerts", type_="foreignkey")
    for column in (
        *("incident_id", "until", "made_by", "assignee", "first_acknowledged_at"),
        *("ack_expires_at", "ack_comment", "acknowledged_by", "acknowledged_at"),
        *("inhibited_by", "silenced_by", "missing_since", "tellings", "site", "state"),
    ):
        op.drop_column("alerts", column)
    op.drop_table("incidents")
