"""Polls of devices out of turn, what alerting rules ask of labels, when tokens of services end.

Going down loses what polls told, `expires_at`, and the `matchers`, which follow from `expr`.
"""

import promql_parser as promql
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None


OPERATORS = (
    ("=", promql.MatchOp.Equal),
    ("!=", promql.MatchOp.NotEqual),
    ("=~", promql.MatchOp.Re),
    ("!~", promql.MatchOp.NotRe),
)


def matchers(expr: str) -> list[dict[str, str]]:
    """Give what an expression asks of labels; of text that is none, nothing."""
    nodes: list[object] = []
    try:
        promql.walk(promql.parse(expr), pre_visit=nodes.append)
    except ValueError:
        return []
    found = [
        {
            "label": matcher.name,
            "op": next(text for text, op in OPERATORS if op == matcher.op),
            "value": matcher.value.replace("\0", "\ufffd"),
        }
        for node in nodes
        if isinstance(node, promql.VectorSelector)
        for matcher in node.matchers.matchers
    ]
    return [one for place, one in enumerate(found) if one not in found[:place]]


def upgrade() -> None:
    op.add_column("service_tokens", sa.Column("expires_at", sa.DateTime(timezone=True)))
    column = sa.Column("matchers", JSONB, nullable=False, server_default="[]")
    op.add_column("alerting_rules", column)
    op.alter_column("alerting_rules", "matchers", server_default=None)
    names = (sa.column("id", sa.Uuid), sa.column("expr"), sa.column("matchers", JSONB))
    rules = sa.table("alerting_rules", *names)
    connection = op.get_bind()
    for id_, expr in connection.execute(sa.select(rules.c.id, rules.c.expr)).all():
        named = sa.update(rules).where(rules.c.id == id_).values(matchers=matchers(expr))
        connection.execute(named)
    moments = ("wanted_at", "begun_at", "at", "told_at")
    op.create_table(
        "device_polls",
        sa.Column("device_id", sa.Uuid, nullable=False),
        sa.Column("trap", sa.String, nullable=False),
        *(sa.Column(name, sa.DateTime(timezone=True)) for name in moments),
        sa.Column("report", JSONB),
        sa.PrimaryKeyConstraint("device_id", name="pk_device_polls"),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name="fk_device_polls_device_id", ondelete="CASCADE"
        ),
    )
    op.create_index(
        "ix_device_polls_wanted_at",
        "device_polls",
        ["wanted_at"],
        postgresql_where="wanted_at IS NOT NULL",
    )


def downgrade() -> None:
    op.drop_column("service_tokens", "expires_at")
    op.drop_column("alerting_rules", "matchers")
    op.drop_table("device_polls")
