"""Which team sees to a device: that of the first of its contacts who is in one, else its site's.

A site none of whose contacts is in a team has that of the site which it is a part of. What nobody
sees to is said to be of no team: so a route can be about it, and every alert of a device has one.
"""

from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, any_, case, func
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from controlplane.devices.catalogue.models import Contact
from controlplane.devices.models import Device, Site

NOBODYS = "none"


def named(devices: Select[Any]) -> Select[Any]:
    """Give the statement about devices with a column `team`."""
    sites = _of_sites()
    team = func.coalesce(_of(col(Device.contacts)), sites.c.team, NOBODYS).label("team")
    return devices.add_columns(team).outerjoin(sites, sites.c.id == col(Device.site_id))


def _of(contacts: Any) -> ColumnElement[str | None]:
    """Give the team of the first of these contacts who is in one."""
    first = (
        select(Contact.team)
        .where(col(Contact.name) == any_(contacts), col(Contact.team) != "")
        .order_by(func.array_position(contacts, col(Contact.name)))
        .limit(1)
        .correlate_except(Contact)
        .scalar_subquery()
    )
    return case((func.cardinality(contacts) > 0, first))


def _of_sites() -> CTE:
    """Give id and team of every site, from those at the top downward."""
    top = select(col(Site.id), _of(col(Site.contacts)).label("team"))
    tree = top.where(col(Site.parent_id).is_(None)).cte("site_teams", recursive=True)
    lower = aliased(Site)
    inherited = func.coalesce(_of(col(lower.contacts)), tree.c.team)
    return tree.union_all(
        select(col(lower.id), inherited).join(tree, col(lower.parent_id) == tree.c.id)
    )
