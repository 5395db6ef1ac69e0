"""Credentials for SSH and for HTTP APIs beside those for SNMP.

Going down loses these credentials, with their rows in credential_versions and device_credentials.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TABLES = ("credentials", "credential_versions")
WORDS = ("host_key_policy", "scheme")
SECRETS = ("private_key", "passphrase", "token")


def upgrade() -> None:
    for table in TABLES:
        op.alter_column(table, "version", nullable=True)
        for name in WORDS:
            op.add_column(table, sa.Column(name, sa.String(32)))
        op.add_column(table, sa.Column("header", sa.String(64)))
        op.add_column(table, sa.Column("certificate", sa.String))
        for name in SECRETS:
            op.add_column(table, sa.Column(name, sa.LargeBinary))


def downgrade() -> None:
    # What was there before has no place for them.
    others = "SELECT id FROM credentials WHERE kind <> 'snmp'"
    op.execute(f"DELETE FROM device_credentials WHERE credential_id IN ({others})")
    op.execute("DELETE FROM credentials WHERE kind <> 'snmp'")
    for table in TABLES:
        for name in (*SECRETS, "certificate", "header", *WORDS):
            op.drop_column(table, name)
        op.alter_column(table, "version", nullable=False)
