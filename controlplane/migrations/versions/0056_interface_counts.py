"""How many interfaces each device has, counted as they come and go.

A list of 240,000 interfaces, or of those of a site, is counted by its devices. A device that gets
another name takes its count along: the interfaces stay the same rows.
"""

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

# In the order of names, so that two transactions never wait for each other.
COUNT = """
CREATE FUNCTION count_interfaces() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO interface_counts AS kept (device, count)
        SELECT device, count(*) FROM changed GROUP BY device ORDER BY device
        ON CONFLICT (device) DO UPDATE SET count = kept.count + excluded.count;
    ELSE
        UPDATE interface_counts AS kept SET count = kept.count - gone.count
        FROM (SELECT device, count(*) FROM changed GROUP BY device ORDER BY device) gone
        WHERE kept.device = gone.device;
    END IF;
    RETURN NULL;
END
$$
"""


def upgrade() -> None:
    op.create_table(
        "interface_counts",
        sa.Column("device", sa.String(63), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("device", name="pk_interface_counts"),
        sa.ForeignKeyConstraint(
            ["device"],
            ["devices.name"],
            name="fk_interface_counts_device",
            ondelete="CASCADE",
            onupdate="CASCADE",
        ),
    )
    op.execute(
        "INSERT INTO interface_counts SELECT device, count(*) FROM interfaces GROUP BY device"
    )
    op.execute(COUNT)
    for event, rows in (("INSERT", "NEW"), ("DELETE", "OLD")):
        op.execute(
            f"CREATE TRIGGER interfaces_count_{event.lower()} AFTER {event} ON interfaces "
            f"REFERENCING {rows} TABLE AS changed FOR EACH STATEMENT "
            "EXECUTE FUNCTION count_interfaces()"
        )


def downgrade() -> None:
    for event in ("insert", "delete"):
        op.execute(f"DROP TRIGGER interfaces_count_{event} ON interfaces")
    op.execute("DROP FUNCTION count_interfaces()")
    op.drop_table("interface_counts")
