"""Migrations, on a database of their own."""

from collections.abc import Iterator

import psycopg
import pytest
from alembic import command
from sqlalchemy import create_engine, inspect, make_url
from sqlalchemy.engine import Connection

from controlplane import database


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


def test_models_and_migrations_agree(connection: Connection) -> None:
    """After all migrations there is no difference between the tables and the models."""
    config = database.migration_config(connection)
    command.upgrade(config, "head")
    command.check(config)


def test_migrations_can_be_taken_back(connection: Connection) -> None:
    """Going down to nothing and up again works, and down leaves no table of ours."""
    config = database.migration_config(connection)
    command.upgrade(config, "head")
    command.downgrade(config, "base")
    connection.rollback()
    assert inspect(connection).get_table_names() == ["alembic_version"]
    command.upgrade(config, "head")
