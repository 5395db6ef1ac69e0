"""Tests of modules and profiles, and how they apply a module to what a device answered."""

from collections.abc import Mapping

from exporter.profiles import health
from exporter.profiles.table import Table
from exporter.profiles.values import Value

Columns = Mapping[str, Mapping[str, Value]]
"""Values by column, and by index."""


def applied(table: Table, answers: dict[str, Value], *given: str) -> dict[str, float]:
    """Return samples by series; a device whose families are `given` needs no fallback."""
    found = health.families(table, answers, table.rows(answers), set(given))
    return {family.name + block: value for family in found for block, value in family.samples}


def answers(entry: str, columns: Columns) -> dict[str, Value]:
    """Return what an agent answers that has columns below `entry`."""
    return {
        f"{entry}.{column}.{index}": value
        for column, rows in columns.items()
        for index, value in rows.items()
    }
