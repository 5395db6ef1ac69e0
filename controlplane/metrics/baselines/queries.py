"""Statements about baselines, which are for those who read rules."""

from typing import Any

from sqlalchemy import ColumnElement, Select, false, func, true
from sqlmodel import col, select

from controlplane import lookups
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.metrics.baselines.models import Baseline
from controlplane.metrics.baselines.schemas import BaselineQuery

ORDERING = {
    name: getattr(Baseline, name)
    for name in ("name", "aggregate", "method", "by", "created_at", "updated_at")
}


def baseline(name: str) -> Select[tuple[Baseline]]:
    """Select the baseline of this name."""
    return select(Baseline).where(Baseline.name == name)


def baselines(query: BaselineQuery) -> Select[tuple[Baseline]]:
    """Select the baselines that pass the filters."""
    fields = ("name", "aggregate", "method", "by", "enabled", "created_at", "updated_at")
    subjects = lookups.columns(Baseline, *fields)
    places = (subjects["name"], col(Baseline.description))
    found = lookups.search(query.q, *places)
    return select(Baseline).where(found, *lookups.conditions(query, subjects))


def enabled() -> Select[tuple[Baseline]]:
    """Select the baselines that are in force, by name."""
    return select(Baseline).where(col(Baseline.enabled)).order_by(Baseline.name)


def count() -> Select[tuple[int]]:
    """Count the baselines."""
    return select(func.count()).select_from(Baseline)


def on_baselines(actor: Actor, permission: Permission, _baseline: Any) -> ColumnElement[bool]:
    """Give the condition on a column of ids: all of them, for who holds it on everything."""
    return true() if actor.may_everywhere(permission) else false()
