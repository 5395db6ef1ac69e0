"""Statements about shipped alerts, which the code knows, and what was changed about them."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Select, String, Values, column, func, select, true, values
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col

from controlplane import lookups
from controlplane.database import one_of
from controlplane.lookups import Tags
from controlplane.provisioning.shipped_alerts.models import AlertChange
from controlplane.provisioning.shipped_alerts.schemas import AlertRuleQuery
from controlplane.provisioning.shipped_alerts.shipped import Shipped


def table(shipped: Iterable[Shipped]) -> Values:
    """Give the alerts as a table, so that their list is asked as any other."""
    rows = [(one.name, one.alertclass, list(one.severities), one.summary) for one in shipped]
    return values(
        column("name", String),
        column("alertclass", String),
        column("severities", ARRAY(String)),
        column("summary", String),
        name="shipped",
    ).data(rows)


def ordering(there: Values) -> dict[str, Any]:
    """Give the columns by which the list may be ordered."""
    return {"name": there.c.name, "alertclass": there.c.alertclass}


def names(there: Values, query: AlertRuleQuery) -> Select[tuple[str]]:
    """Select the names of the alerts that pass the filters."""
    known, changed = there.c, col(AlertChange.alert)
    subjects: dict[str, Any] = {
        "name": known.name,
        "alertclass": known.alertclass,
        "severity": Tags(known.severities),
        "enabled": func.coalesce(col(AlertChange.enabled), true()),
    }
    found = lookups.search(query.q, known.name, known.summary)
    asked = lookups.conditions(query, subjects)
    listed = select(known.name).outerjoin(AlertChange, changed == known.name)
    return listed.where(found, *asked)


def changes(names: Collection[str] | None = None) -> Select[tuple[AlertChange]]:
    """Select what was changed about the alerts of these names, or about any."""
    statement = select(AlertChange)
    return statement if names is None else statement.where(one_of(col(AlertChange.alert), names))
