"""What the application's database role may do: all that is its work, and not rewrite the audit log.

The owner of the tables migrates; the application connects as a role that owns nothing.
"""

from psycopg import Connection, sql

SCHEMAS = ("public", "queue")
GRANTS = (
    "GRANT USAGE ON SCHEMA {schema} TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
    "GRANT SELECT, USAGE, UPDATE ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
    "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {role}",
)
LIMITS = (
    "REVOKE UPDATE, DELETE ON audit_entries FROM {role}",
    "REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {role}",
)


def lend(connection: Connection, role: str, password: str | None) -> None:
    """Make the role where it is missing, and give it what the application needs."""
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    if known is None:
        _create(connection, role, password)
    names = {"role": sql.Identifier(role)}
    for grant in GRANTS:
        for schema in SCHEMAS:
            names["schema"] = sql.Identifier(schema)
            connection.execute(sql.SQL(grant).format(**names))
    for limit in LIMITS:
        connection.execute(sql.SQL(limit).format(**names))


def _create(connection: Connection, role: str, password: str | None) -> None:
    statement = sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role))
    if password is not None:
        # Hashed here, for statements may end up in the log of the server.
        hashed = connection.pgconn.encrypt_password(password.encode(), role.encode())
        statement += sql.SQL(" PASSWORD {}").format(sql.Literal(hashed.decode()))
    connection.execute(statement)
