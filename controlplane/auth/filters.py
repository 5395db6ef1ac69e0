"""Which devices a group holds: its saved filter, as one condition of the database.

A group is a row of criteria, all of which a device must meet. Nothing is worked out ahead: rows of
groups are joined with rows of devices when somebody asks, so a change of either counts at once.
This lies with access, for grants are about groups; the inventory above writes the rows and asks
here, too.
"""

from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Select,
    and_,
    any_,
    func,
    or_,
    select,
    tuple_,
)

from controlplane.auth.tables import DEVICES, GROUPS, SITES, TYPES


@cache
def memberships() -> Select[Any]:
    """Select the ids of group and device for each device that a group holds.

    The statement is made once: making it takes longer than many a query with it.
    """
    group, device = GROUPS.alias(), DEVICES.alias()
    wanted = (group.c.id.label("group_id"), device.c.id.label("device_id"))
    return select(*wanted).join_from(group, device, holds(group, device))


def holds(group: FromClause, device: FromClause) -> ColumnElement[bool]:
    """Give the condition that a row of groups holds a row of devices; what is empty asks nothing.

    A pattern has `*` for any text and `?` for one character; LIKE has `%` and `_`.
    """
    asked, has = group.c, device.c
    likeness = func.translate(func.replace(asked.pattern, "_", r"\_"), "*?", "%_")
    sites = _sites()
    at_site = tuple_(asked.id, has.site_id).in_(select(sites.c.group_id, sites.c.site_id))
    return and_(
        or_(asked.site_id.is_(None), at_site),
        or_(func.cardinality(asked.roles) == 0, has.role == any_(asked.roles)),
        or_(func.cardinality(asked.vendors) == 0, vendor(has) == any_(asked.vendors)),
        or_(func.cardinality(asked.tags_any) == 0, has.tags.overlap(asked.tags_any)),
        has.tags.contains(asked.tags_all),
        or_(asked.pattern == "", has.name.like(likeness)),
    )


def vendor(has: Any) -> ColumnElement[str]:
    """Give the vendor of a row of devices: what an operator said, else who makes its type."""
    maker = select(TYPES.c.manufacturer).where(TYPES.c.id == has.device_type_id)
    made_by = maker.correlate_except(TYPES).scalar_subquery()
    return func.coalesce(func.nullif(has.vendor, ""), made_by, "")


def _sites() -> CTE:
    """Give the ids of group and site for each site that is a group's, or lies below it."""
    group = GROUPS.alias()
    own = select(group.c.id.label("group_id"), group.c.site_id).where(group.c.site_id.is_not(None))
    tree = own.cte(recursive=True)
    lower = select(tree.c.group_id, SITES.c.id).join(tree, SITES.c.parent_id == tree.c.site_id)
    return tree.union(lower)
