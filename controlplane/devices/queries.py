"""Statements about sites and devices: what people see of them is what their grants reach."""

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    Select,
    Subquery,
    case,
    func,
    literal,
    or_,
)
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from controlplane import lookups
from controlplane.auth import filters, restrictor
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.auth.tables import RULES
from controlplane.database import one_of
from controlplane.devices import custom, teams
from controlplane.devices.catalogue.models import DeviceType, PollClass
from controlplane.devices.catalogue.nouns import BY_ID
from controlplane.devices.groups import queries as group_queries
from controlplane.devices.groups.models import DeviceGroup
from controlplane.devices.models import (
    DEVICE_SEARCHED,
    FACTS_SEARCHED,
    MONITORED,
    Device,
    DeviceFacts,
    DeviceParent,
    FactChange,
    Site,
    SiteKind,
)
from controlplane.devices.schemas import DeviceFilters, SiteQuery
from controlplane.lookups import Lowered, Related, Tags

SITE_ORDERING = {"name": col(Site.name), "kind": col(Site.kind), "created_at": col(Site.created_at)}
DEVICE_ORDERING = {
    "name": col(Device.name),
    "address": col(Device.address),
    "role": col(Device.role),
    "vendor": col(Device.vendor),
    "profile": col(Device.profile),
    "status": col(Device.status),
    "created_at": col(Device.created_at),
    "updated_at": col(Device.updated_at),
}

TOLD = ("model", "os_version", "serial", "sys_name")  # by the device itself
SEARCHED = ("role", "site", "maker")  # beside what stands together in a column


def any_site(name: str) -> Select[tuple[Site]]:
    """Select the site of this name, whoever asks: names are taken for all."""
    return select(Site).where(Site.name == name)


def site(actor: Actor, permission: Permission, name: str) -> Select[tuple[Site]]:
    """Select the site of this name, where the actor's permission reaches it."""
    return any_site(name).where(restrictor.on_sites(actor, permission, col(Site.id)))


def sites(actor: Actor, query: SiteQuery) -> Select[tuple[Site]]:
    """Select the sites that the actor sees and that pass the filters."""
    subjects = _site_subjects(actor.alike)
    found = lookups.search(query.q, subjects["name"], subjects["description"])
    asked = [*lookups.conditions(query, subjects), *custom.conditions(Site, query.cf)]
    return select(Site).where(_visible_site(actor, Site.id), found, *asked)


@lru_cache(maxsize=64)
def _site_subjects(actor: Actor) -> Mapping[str, lookups.Subject]:
    """Give what the filters of sites are about, as far as this actor sees it."""
    above = aliased(Site)
    parents = select(above.id).where(_visible_site(actor, above.id))
    return {
        **lookups.columns(Site, "name", "kind", "description", "created_at", "updated_at"),
        "parent": Related(col(Site.parent_id), parents, col(above.name)),
        "contact": Tags(col(Site.contacts)),
    }


def writable_sites(
    actor: Actor, permission: Permission, names: Collection[str]
) -> Select[tuple[Site]]:
    """Select the sites of these names that the actor's permission reaches."""
    reached = restrictor.on_sites(actor, permission, col(Site.id))
    return select(Site).where(one_of(col(Site.name), names), reached)


def taken_sites(names: Collection[str]) -> Select[tuple[str]]:
    """Select those of the names that a site has, whoever asks."""
    return select(Site.name).where(one_of(col(Site.name), names))


def any_device(name: str) -> Select[tuple[Device]]:
    """Select the device of this name, whoever asks: names are taken for all."""
    return select(Device).where(Device.name == name)


def device(actor: Actor, permission: Permission, name: str) -> Select[tuple[Device]]:
    """Select the device of this name, where the actor's permission reaches it."""
    return any_device(name).where(restrictor.on_device_rows(actor, permission, Device))


def named(actor: Actor, permission: Permission, names: Collection[str]) -> Select[tuple[Device]]:
    """Select the devices of these names that the actor's permission reaches."""
    reached = restrictor.on_device_rows(actor, permission, Device)
    return select(Device).where(one_of(col(Device.name), names), reached)


def known(actor: Actor, permission: Permission, names: Collection[str]) -> Select[tuple[str, UUID]]:
    """Select name and id of the devices of these names that the actor's permission reaches."""
    return named(actor, permission, names).with_only_columns(col(Device.name), col(Device.id))


def ids(names: Collection[str]) -> Select[tuple[str, UUID]]:
    """Select name and id of the devices of these names, whoever asks."""
    return select(Device.name, Device.id).where(one_of(col(Device.name), names))


def custom_fields(
    actor: Actor, permission: Permission, names: Collection[str]
) -> Select[tuple[str, dict[str, Any]]]:
    """Select name and custom fields of the devices of these names that the permission reaches."""
    found = named(actor, permission, names)
    return found.with_only_columns(col(Device.name), col(Device.custom_fields))


def taken(names: Collection[str]) -> Select[tuple[str]]:
    """Select those of the names that a device has, whoever asks."""
    return select(Device.name).where(one_of(col(Device.name), names))


def devices(actor: Actor, query: DeviceFilters) -> Select[tuple[Device]]:
    """Select the devices that the actor sees and that pass the filters."""
    subjects = _device_subjects(actor.alike)
    places = _searched(subjects) if query.q else ()
    found = lookups.search(query.q, *places)
    asked = [*lookups.conditions(query, subjects), *custom.conditions(Device, query.cf)]
    return select(Device).where(_visible_device(actor), found, *asked)


def device_ids(actor: Actor, query: DeviceFilters) -> Select[tuple[UUID]]:
    """Select the ids of the same devices: a list shows them with what they refer to."""
    return devices(actor, query).with_only_columns(col(Device.id))


@lru_cache(maxsize=64)
def _device_subjects(actor: Actor) -> Mapping[str, lookups.Subject]:
    """Give what the filters of devices are about, as far as this actor sees it."""
    fields = (
        *("name", "address", "role", "vendor", "description", "asset_tag"),
        *("profile", "status", "created_at", "updated_at"),
    )
    told = select(DeviceFacts.serial).where(DeviceFacts.device_id == Device.id).scalar_subquery()
    parents = (
        select(DeviceParent.device_id)
        .join(Device, col(Device.id) == DeviceParent.parent_id)
        .where(_visible_device(actor))
    )
    return {
        **lookups.columns(Device, *fields),
        **{
            fact: Related(col(Device.id), select(DeviceFacts.device_id), column)
            for fact, column in lookups.columns(DeviceFacts, *TOLD).items()
        },
        "vendor": filters.vendor(Device),
        # Who makes the type of a device for which nobody named a vendor.
        "maker": Related(
            case((col(Device.vendor) == "", col(Device.device_type_id))),
            select(DeviceType.id),
            col(DeviceType.manufacturer),
        ),
        # What an operator wrote counts, else what the device tells.
        "serial": func.coalesce(func.nullif(col(Device.serial), ""), told, ""),
        **{
            noun.field: Related(
                getattr(Device, noun.column), select(noun.table.id), col(noun.table.name)
            )
            for noun in BY_ID
        },
        "site": Related(col(Device.site_id), select(Site.id), col(Site.name)),
        "parent": Related(col(Device.id), parents, col(Device.name)),
        "group": group_queries.membership(actor, col(Device.id)),
        "tag": Tags(col(Device.tags)),
        "contact": Tags(col(Device.contacts)),
    }


def _searched(subjects: Mapping[str, lookups.Subject]) -> Iterator[lookups.Subject]:
    yield Lowered(DEVICE_SEARCHED)
    yield from (subjects[name] for name in SEARCHED)
    yield Related(col(Device.id), select(DeviceFacts.device_id), Lowered(FACTS_SEARCHED))


def custom_names(actor: Actor, query: DeviceFilters) -> Select[tuple[str]]:
    """Select the names of the custom fields that the same devices have."""
    name = func.jsonb_object_keys(col(Device.custom_fields)).label("name")
    return devices(actor, query).with_only_columns(name).distinct().order_by(name)


def among_devices(ids: Select[tuple[UUID]]) -> ColumnElement[bool]:
    """Say of a device that it is one of these."""
    return col(Device.id).in_(ids)


def monitored() -> Select[tuple[Device]]:
    """Select the devices that should be monitored, by name."""
    return select(Device).where(col(Device.status).in_(MONITORED)).order_by(Device.name)


def labelled() -> Select[Any]:
    """Select name, site, role, vendor, team and poll class of what is monitored, by name."""
    return _labels().where(col(Device.status).in_(MONITORED)).order_by(Device.name)


def labels(of: UUID) -> Select[Any]:
    """Select the same of one device, monitored or not."""
    return _labels().where(col(Device.id) == of)


def _labels() -> Select[Any]:
    return teams.named(
        select(Device.name, col(Site.name).label("site"), Device.role)
        .add_columns(filters.vendor(Device).label("vendor"), col(Device.site_id))
        .add_columns(col(PollClass.interval), col(PollClass.timeout))
        .outerjoin(Site, col(Site.id) == Device.site_id)
        .outerjoin(PollClass, col(PollClass.id) == Device.poll_class_id)
    )


def monitored_names() -> Select[tuple[UUID, str]]:
    """Select id and name of the devices that should be monitored, by name."""
    return monitored().with_only_columns(col(Device.id), col(Device.name))


def monitored_ways() -> Select[tuple[str, str]]:
    """Select device and parent, both monitored: what nobody asks is never seen to be down."""
    parent = aliased(Device)
    return (
        select(Device.name, parent.name)
        .join(DeviceParent, col(DeviceParent.device_id) == Device.id)
        .join(parent, col(parent.id) == DeviceParent.parent_id)
        .where(col(Device.status).in_(MONITORED), col(parent.status).in_(MONITORED))
        .order_by(Device.name, parent.name)
    )


def count_monitored() -> Select[tuple[int]]:
    """Count the devices that should be monitored."""
    return select(func.count()).select_from(Device).where(col(Device.status).in_(MONITORED))


def site_names(actor: Actor, among: Collection[UUID] | None = None) -> Select[tuple[UUID, str]]:
    """Select the id and the name of every site that the actor sees, or of those among some."""
    named = select(Site.id, Site.name).where(_visible_site(actor, Site.id))
    return named if among is None else named.where(one_of(col(Site.id), among))


def device_sites(devices: Collection[UUID] | None) -> Select[tuple[UUID, str]]:
    """Select device and the name of its site; of all devices for None."""
    statement = select(Device.id, Site.name).join(Site, col(Site.id) == Device.site_id)
    return statement if devices is None else statement.where(one_of(col(Device.id), devices))


def named_sites(actor: Actor, names: Collection[str]) -> Select[tuple[Site]]:
    """Select the sites of these names that the actor sees."""
    return writable_sites(actor, Permission.SITES_READ, names)


def among(sites: CTE, site: UUID | None) -> Select[tuple[UUID]]:
    """Select the site, if it is one of these."""
    return select(sites.c.id).where(sites.c.id == site)


def parent_names(actor: Actor, devices: Collection[UUID] | None) -> Select[tuple[UUID, str]]:
    """Select device and the name of a parent that the actor sees; of all devices for None."""
    statement = (
        select(DeviceParent.device_id, Device.name)
        .join(Device, col(Device.id) == DeviceParent.parent_id)
        .where(_visible_device(actor))
        .order_by(col(DeviceParent.device_id), col(Device.name))
    )
    if devices is None:
        return statement
    return statement.where(one_of(col(DeviceParent.device_id), devices))


def vendors(names: Collection[str] | None = None) -> Select[tuple[UUID, str, str]]:
    """Select id, name and vendor of devices, whoever asks: facts are learned for all."""
    rows = select(Device.id, Device.name, filters.vendor(Device))
    return rows if names is None else rows.where(one_of(col(Device.name), names))


def facts(devices: Collection[UUID]) -> Select[tuple[DeviceFacts]]:
    """Select what devices say of themselves."""
    return select(DeviceFacts).where(one_of(col(DeviceFacts.device_id), devices))


def fact_changes(devices: Collection[UUID], count: int) -> Select[tuple[FactChange]]:
    """Select the last changes of the facts about devices, the newest first."""
    ranked = _ranked_changes(devices)
    statement = select(FactChange).join(ranked, col(FactChange.id) == ranked.c.id)
    return statement.where(ranked.c.place <= count).order_by(ranked.c.place)


def beyond(devices: Collection[UUID], count: int) -> ColumnElement[bool]:
    """Say of a change that there are at least `count` newer ones of its device."""
    ranked = _ranked_changes(devices)
    return col(FactChange.id).in_(select(ranked.c.id).where(ranked.c.place > count))


def _ranked_changes(devices: Collection[UUID]) -> Subquery:
    newest = (col(FactChange.at).desc(), col(FactChange.id).desc())
    place = func.row_number().over(partition_by=col(FactChange.device_id), order_by=newest)
    statement = select(FactChange.id, place.label("place"))
    return statement.where(_of(FactChange.device_id, devices)).subquery()


def _of(column: UUID, devices: Collection[UUID]) -> ColumnElement[bool]:
    return one_of(col(column), devices)


def children(actor: Actor, of: UUID) -> Select[tuple[str, bool]]:
    """Select the names of the devices behind a device, and whether the actor sees each."""
    return (
        select(Device.name, _visible_device(actor))
        .join(DeviceParent, col(DeviceParent.device_id) == Device.id)
        .where(col(DeviceParent.parent_id) == of)
    )


def left_behind(actor: Actor, of: Collection[UUID]) -> Select[tuple[UUID, str, bool]]:
    """Select parent, name and whether the actor sees it, of others that stand behind these."""
    return (
        select(DeviceParent.parent_id, Device.name, _visible_device(actor))
        .join(Device, col(Device.id) == DeviceParent.device_id)
        .where(_of(DeviceParent.parent_id, of), ~_of(DeviceParent.device_id, of))
        .order_by(col(Device.name))
    )


def places() -> Select[tuple[str, SiteKind, str | None]]:
    """Select name and kind of every site, and the name of the one it is a part of."""
    above = aliased(Site)
    return select(Site.name, Site.kind, above.name).outerjoin(
        above, col(above.id) == Site.parent_id
    )


def kinds_around(site: Site) -> Select[tuple[SiteKind, bool]]:
    """Select the kinds of what a site is a part of, and of its own parts; and which is above."""
    above = col(Site.id) == site.parent_id
    return select(Site.kind, above).where(or_(above, col(Site.parent_id) == site.id)).distinct()


def residents(actor: Actor, of: UUID) -> Select[tuple[str, bool]]:
    """Select the names of the devices at a site, and whether the actor sees each."""
    return select(Device.name, _visible_device(actor)).where(Device.site_id == of)


def grouped(of: UUID) -> Select[tuple[str, bool]]:
    """Select the names of the groups about a site; whoever may remove the site sees them."""
    return select(DeviceGroup.name, literal(value=True)).where(DeviceGroup.site_id == of)


def ruled(actor: Actor, of: UUID) -> Select[tuple[str, bool]]:
    """Select the names of the alerting rules about a site, and whether the actor sees them."""
    seen = restrictor.on_sites(actor, Permission.RULES_READ, RULES.c.site_id)
    return select(RULES.c.name, seen.label("seen")).where(RULES.c.site_id == of)


def parts(actor: Actor, of: UUID) -> Select[tuple[str, bool]]:
    """Select the names of the sites right below a site, and whether the actor sees each."""
    return select(Site.name, _visible_site(actor, Site.id)).where(Site.parent_id == of)


def visible_devices(actor: Actor) -> Select[tuple[UUID]]:
    """Select the ids of the devices that the actor sees."""
    return select(Device.id).where(_visible_device(actor))


def _visible_device(actor: Actor) -> ColumnElement[bool]:
    return restrictor.on_device_rows(actor, Permission.DEVICES_READ, Device)


def _visible_site(actor: Actor, site: UUID) -> ColumnElement[bool]:
    return restrictor.on_sites(actor, Permission.SITES_READ, col(site))
