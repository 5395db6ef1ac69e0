"""Migrations, on a database of their own, empty and with rows in every table."""

from collections.abc import Iterator

import psycopg
import pytest
from alembic import command
from alembic.script import Script, ScriptDirectory
from sqlalchemy import create_engine, inspect, make_url, text
from sqlalchemy.engine import Connection

from controlplane import database
from tests.controlplane import rows

LOSES = "Going down loses"  # how a migration says that there is no way back for some data

CHAIN = list(
    reversed(list(ScriptDirectory(str(database.MIGRATIONS)).walk_revisions("base", "heads")))
)

TABLES = (
    "CREATE TABLE wholes (id integer PRIMARY KEY, word varchar(4) NOT NULL UNIQUE)",
    """\
CREATE TABLE parts (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    twice integer GENERATED ALWAYS AS (2 * id) STORED,
    whole integer UNIQUE REFERENCES wholes,
    above integer REFERENCES parts,
    state varchar(8) NOT NULL CHECK (state IN ('new', 'isn''t'))
)""",
)


@pytest.fixture
def connection(postgres: str) -> Iterator[Connection]:
    """Give a connection to an empty database."""
    with psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS chm_migrations")
        admin.execute("CREATE DATABASE chm_migrations")
    address = make_url(postgres).set(database="chm_migrations", drivername="postgresql+psycopg")
    engine = create_engine(address)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def up(connection: Connection, revision: str = "head") -> None:
    """Bring the schema up to a revision."""
    command.upgrade(database.migration_config(connection), revision)
    connection.commit()


def down(connection: Connection, revision: str) -> None:
    """Take the schema back to a revision."""
    command.downgrade(database.migration_config(connection), revision)
    connection.commit()


def test_models_and_migrations_agree(connection: Connection) -> None:
    """After all migrations there is no difference between the tables and the models."""
    up(connection)
    command.check(database.migration_config(connection))


def test_migrations_can_be_taken_back(connection: Connection) -> None:
    """Going down to nothing works with rows in every table, leaves none of ours, and up again."""
    up(connection)
    rows.fill(connection)
    down(connection, "base")
    assert inspect(connection).get_table_names() == ["alembic_version"]
    connection.rollback()
    up(connection)


def test_migrations_are_one_chain() -> None:
    """Each migration follows the one before it, and only the first follows none."""
    followed = [script.down_revision for script in CHAIN]
    assert followed == [None, *(script.revision for script in CHAIN[:-1])]


@pytest.mark.parametrize("script", CHAIN, ids=lambda script: script.revision)
def test_each_migration_goes_down_and_up_with_rows(connection: Connection, script: Script) -> None:
    """No row is in a migration's way, and it says so when going down loses what was there."""
    up(connection, script.revision)
    rows.fill(connection)
    before = rows.read(connection)
    assert all(before.values())

    down(connection, str(script.down_revision or "base"))
    below = rows.read(connection)
    up(connection, script.revision)
    after = rows.read(connection)

    living_on = {name: before[name] for name in before.keys() & below.keys()}
    lost = {name.rpartition(".")[2] for name in rows.differences(living_on, below)}
    assert {name for name in lost if name not in script.longdoc} == set()
    assert (LOSES in script.longdoc) == bool(rows.differences(before, after))


def test_what_the_first_release_held_is_kept(connection: Connection) -> None:
    """A database of the first migration comes up to the last one with its rows and their values."""
    up(connection, CHAIN[0].revision)
    rows.fill(connection)
    before = rows.read(connection)
    up(connection)
    after = rows.read(connection)

    # Thresholds came to stand in one table, both of a metric in a row.
    moved = {"thresholds", "device_thresholds"}
    # The key of a secret got the version in front that it was sealed under.
    assert rows.differences(before, after) == {"credentials.data_key"} | moved
    keys = [row["key_version"].to_bytes(4) + row["data_key"] for row in before["credentials"]]
    assert [row["data_key"] for row in after["credentials"]] == keys
    # The role of a person became a grant for everything.
    granted = {(row["user_id"], row["role"], row["scope"]) for row in after["grants"]}
    assert granted == {(row["id"], row["role"], "everything") for row in before["users"]}
    kept = {
        (row["device_id"], row["metric"], severity): row[severity]
        for row in after["thresholds"]
        for severity in ("warning", "critical")
    }
    was = [{**row, "device_id": None} for row in before["thresholds"]] + before["device_thresholds"]
    for row in was:
        assert kept[row["device_id"], row["metric"], row["severity"]] == row["value"]


ROLES = ("Core Switch", "core", "Core", "")
DEVICE = """
INSERT INTO devices (id, name, address, port, role, vendor, description, serial, asset_tag, modules,
  tags, status, version, created_at, updated_at)
VALUES (gen_random_uuid(), :name, '10.0.0.1', 161, :role, '', '', '', '', '[]', '{}', 'active', 1,
  now(), now())
"""
GROUP = """
INSERT INTO device_groups (id, name, description, roles, vendors, tags_any, tags_all, pattern,
  version, created_at, updated_at)
VALUES (gen_random_uuid(), 'g', '', '{Core Switch,edge}', '{}', '{}', '{}', '', 1, now(), now())
"""
ROUTE = """
INSERT INTO notification_routes (id, name, position, built_in, options, created_at, updated_at)
VALUES (gen_random_uuid(), 'r', 1, '[]', '{"roles": ["Core Switch", "core"]}', now(), now())
"""


def test_roles_become_objects(connection: Connection) -> None:
    """Each text becomes a role, one for those that differ in case; who asked for it still does."""
    up(connection, "0037")
    with connection.begin():
        for number, role in enumerate(ROLES):
            connection.execute(text(DEVICE), {"name": f"d{number}", "role": role})
        connection.execute(text(GROUP))
        connection.execute(text(ROUTE))
    up(connection, "0039")
    there = connection.execute(text("SELECT name, description FROM device_roles ORDER BY name"))
    assert [row[0] for row in there] == ["core", "core-switch"]
    found = connection.scalars(text("SELECT role FROM devices ORDER BY name")).all()
    assert found == ["core-switch", "core", "core", None]
    (roles,) = connection.scalars(text("SELECT roles FROM device_groups")).all()
    assert sorted(roles) == ["core-switch", "edge"]
    (options,) = connection.scalars(text("SELECT options FROM notification_routes")).all()
    assert options == {"roles": ["Core Switch", "core", "core-switch"]}
    connection.rollback()
    down(connection, "0037")
    found = connection.scalars(text("SELECT role FROM devices ORDER BY name")).all()
    assert found == ["core-switch", "core", "core", ""]


def test_rows_are_what_a_table_takes(connection: Connection) -> None:
    """Rows made for a test keep to checks, lengths and references, and what the database makes."""
    for statement in TABLES:
        connection.execute(text(statement))
    connection.commit()
    rows.fill(connection)
    content = rows.read(connection)

    assert [row["state"] for row in content["parts"]] == ["new", "isn't", "new", "isn't", "new"]
    assert [row["twice"] for row in content["parts"]] == [2 * row["id"] for row in content["parts"]]
    assert [row["whole"] for row in content["parts"]] == [1, 2, 3, 4, None]
    assert [row["above"] for row in content["parts"]] == [None, 1, 2, 3, None]
    rows.fill(connection)
    assert rows.read(connection) == content


def test_rows_that_differ_are_named() -> None:
    """A table with fewer rows is told from a column with other values; a new column is neither."""
    before = {"a": [{"x": 1, "y": 1}], "b": [{"x": 1}], "c": []}
    assert rows.differences(before, {"a": [{"x": 1, "y": 2, "z": 3}], "b": [], "c": []}) == {
        *("a.y", "b")
    }


RULE = """
INSERT INTO alerting_rules (id, name, expr, for_seconds, keep_firing_for_seconds, severity, summary,
  description, runbook, status, failure, samples, owner, version, created_at, updated_at)
VALUES (gen_random_uuid(), :name, :expr, 0, 0, 'warning', '', '', '', 'live', '', 0, '', 1, now(),
  now())
"""


def test_what_rules_name_stands_beside_them(connection: Connection) -> None:
    """A rule of before has the matchers of its expression, each once."""
    up(connection, "0060")
    down(connection, "-1")
    exprs = {
        "two": 'sum(rate(x{device=~\'core.*\',site!="a\\x00"}[5m])) > 1 or y{device=~"core.*"}',
        "none": "up == 0",
        "text": "no PromQL at all {",
    }
    for name, expr in exprs.items():
        connection.execute(text(RULE), {"name": name, "expr": expr})
    connection.commit()
    up(connection, "0060")
    found = connection.execute(text("SELECT name, matchers FROM alerting_rules"))
    assert {row.name: row.matchers for row in found} == {
        "two": [
            {"label": "device", "op": "=~", "value": "core.*"},
            {"label": "site", "op": "!=", "value": "a\ufffd"},
        ],
        "none": [],
        "text": [],
    }
