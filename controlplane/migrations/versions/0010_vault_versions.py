"""The version that secrets were first sealed under, in front of their wrapped data key.

Going down loses that version in `data_key`: secrets whose key was rotated since they were sealed
can then no longer be opened, there or after coming up again.
"""

from alembic import op

revision = "0010"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "UPDATE credentials SET data_key = decode(lpad(to_hex(key_version), 8, '0'), 'hex') || data_key"
    )


def downgrade() -> None:
    op.execute("UPDATE credentials SET data_key = substring(data_key FROM 5)")
