"""Which team sees to a device: that of the first of its contacts who is in one, else its site's.

A site none of whose contacts is in a team has that of the site which it is a part of. What nobody
sees to is said to be of no team: so a route can be about it, and every alert of a device has one.
"""

from typing import Any

from sqlalchemy import CTE, Select, Subquery, func, true
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from controlplane.devices.catalogue.models import Contact
from controlplane.devices.models import Device, Site

NOBODYS = "none"


def named(devices: Select[Any]) -> Select[Any]:
    """Give the statement about devices with a column `team`."""
    own, sites = _own(Device), _of_sites()
    team = func.coalesce(own.c.team, sites.c.team, NOBODYS).label("team")
    return (
        devices.add_columns(team)
        .outerjoin(own, own.c.id == col(Device.id))
        .outerjoin(sites, sites.c.id == col(Device.site_id))
    )


def of_sites() -> Select[Any]:
    """Select the name and the team of each site that has one."""
    teams = _of_sites()
    named = select(Site.name, teams.c.team).join(teams, teams.c.id == col(Site.id))
    return named.where(teams.c.team.is_not(None)).order_by(Site.name)


def _own(table: type[Device | Site]) -> Subquery:
    """Give the id of each row one of whose contacts is in a team, and the team of the first.

    In one sweep: to look at the contacts of each row took ten times as long.
    """
    row = aliased(table)
    contacts = func.unnest(col(row.contacts)).table_valued("name", with_ordinality="place")
    contacts = contacts.render_derived()
    return (
        select(col(row.id), col(Contact.team))
        .select_from(row)
        .join(contacts, true())
        .join(Contact, col(Contact.name) == contacts.c.name)
        .where(col(Contact.team) != "")
        .distinct(col(row.id))
        .order_by(col(row.id), contacts.c.place)
        .subquery()
    )


def _of_sites() -> CTE:
    """Give id and team of every site, from those at the top downward."""
    own, lower = _own(Site), aliased(Site)
    top = select(col(Site.id), own.c.team).select_from(Site)
    top = top.outerjoin(own, own.c.id == col(Site.id))
    tree = top.where(col(Site.parent_id).is_(None)).cte("site_teams", recursive=True)
    inherited = func.coalesce(own.c.team, tree.c.team)
    below = select(col(lower.id), inherited).select_from(lower)
    below = below.join(tree, col(lower.parent_id) == tree.c.id)
    return tree.union_all(below.outerjoin(own, own.c.id == col(lower.id)))
