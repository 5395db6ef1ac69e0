"""Exports of NetBox: answers of its REST API as they are, or lists of objects by name.

`{"regions": [...], "sites": [...], "locations": [...], "device_roles": [...],
"device_types": [...], "platforms": [...], "tenants": [...], "devices": [...]}`, each a list or the
envelope `{"count", "next", "previous", "results"}` of `/api/dcim/regions/` and its like (NetBox 3
and 4), none of them needed; or the answer for devices alone, which name what they are and where.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from controlplane.devices.models import SiteKind
from controlplane.errors import Invalid
from controlplane.transfer import formats
from controlplane.transfer.formats import Format
from controlplane.transfer.sources.draft import Draft, Given
from controlplane.transfer.sources.names import label, word
from controlplane.transfer.sources.shapes import objects, part, text

STATUS: Mapping[str, str] = MappingProxyType(
    {
        "active": "active",
        "planned": "planned",
        "staged": "planned",
        "inventory": "planned",
        "decommissioning": "decommissioned",
    }
)
NAMED = frozenset({"id", "url", "display", "display_url", "name", "slug", "description"})
REGION, SITE = NAMED | {"parent", "_depth", "site_count", "prefix_count"}, NAMED | {"region"}
LOCATION = NAMED | {"site", "parent", "_depth", "device_count", "rack_count", "prefix_count"}
DEVICE = NAMED | {
    *("site", "location", "role", "device_role", "device_type", "platform", "tenant", "tags"),
    *("primary_ip", "primary_ip4", "primary_ip6", "status", "serial", "asset_tag"),
}
ENTRIES: Mapping[str, frozenset[str]] = MappingProxyType(  # their lists, with what is read of each
    {
        "device_roles": NAMED | {"color"},
        "device_types": (NAMED - {"description"}) | {"manufacturer", "model", "part_number"},
        "platforms": NAMED | {"manufacturer"},
        "tenants": NAMED,
    }
)
# When NetBox wrote it, and how much refers to it, means nothing here.
BESIDE = frozenset({"created", "last_updated", "device_count", "virtualmachine_count"})

Rows = list[dict[str, Any]]


def read(content: str, secrets: bool) -> Given:  # noqa: ARG001, FBT001 - NetBox exports none
    """Make devices of those that have a name and a primary address, and their places."""
    lists = _lists(formats.parse(Format.JSON, content))
    draft = Draft()
    _regions(draft, lists.pop("regions", []))
    for site in lists.pop("sites", []):
        within = _region(draft, site.get("region"))
        said = text(site.get("description"))
        draft.site(part(site, "slug", "name"), description=said, **within)
        draft.leave_rest("sites", site, SITE | BESIDE)
    locations = _locations(draft, lists.pop("locations", []))
    for noun, used in ENTRIES.items():
        for row in lists.pop(noun, []):
            _entry(draft, noun, row)
            draft.leave_rest(noun, row, used | BESIDE)
    for device in lists.pop("devices", []):
        _device(draft, device, locations)
    for noun, rows in lists.items():
        for _ in rows:
            draft.leave(noun)
    return draft.given()


def _regions(draft: Draft, regions: Rows) -> None:
    """Make regions, and then what each is a part of: that may come later in the list."""
    names = [
        draft.site(
            part(region, "slug", "name"),
            kind=SiteKind.REGION.value,
            description=text(region.get("description")),
        )
        for region in regions
    ]
    for name, region in zip(names, regions, strict=True):
        draft.sites[name] |= _region(draft, region.get("parent"))
        draft.leave_rest("regions", region, REGION | BESIDE)


def _region(draft: Draft, region: Any) -> dict[str, str]:
    """Give the parent that is named, if one is, as a field of a place."""
    name = part(region, "slug", "name")
    return {"parent": draft.site(name, kind=SiteKind.REGION.value)} if name else {}


def _locations(draft: Draft, locations: Rows) -> dict[str, dict[str, Any]]:
    """Make the places within sites; give the rows by their id, by which others name them."""
    rows = {text(row.get("id")): row for row in locations}
    for row in locations:
        _location(draft, row, row.get("site"), rows)
        draft.leave_rest("locations", row, LOCATION | BESIDE)
    return rows


def _location(draft: Draft, location: Any, site: Any, rows: Mapping[str, Any]) -> str | None:
    """Give the place of a location, or of the site where none is named.

    NetBox has names of locations once for each of what they are parts of, we have them once: so
    the name is the whole path.
    """
    path: Rows = []
    while isinstance(location, dict):
        row = rows.get(text(location.get("id")), location)
        if row in path:
            break  # a part of itself, which the place it makes is refused for
        path.insert(0, row)
        location = row.get("parent")
    within = part(path[0].get("site"), "slug", "name") if path else ""
    called = [within or part(site, "slug", "name")]
    place = draft.site(called[0]) if called[0] else None
    for row in path:
        called.append(part(row, "slug", "name"))
        description = text(row.get("description"))
        kind = SiteKind.LOCATION.value
        place = draft.site(
            " ".join(called).strip(), kind=kind, parent=place, description=description
        )
    return place


def _entry(draft: Draft, noun: str, given: Any) -> str | None:
    """Give the name of what is named of the catalogue, if it is."""
    row = given if isinstance(given, dict) else {}
    maker = label(part(row.get("manufacturer"), "name"))
    if noun == "device_types":
        model = part(row, "model")
        fields = {"manufacturer": maker, "model": model, "part_number": part(row, "part_number")}
        return draft.entry(noun, f"{maker} {model}".strip(), **fields) if model else None
    name = part(given, "slug", "name")
    fields = {"description": part(row, "description")}
    if noun == "device_roles" and (colour := part(row, "color")):
        fields["colour"] = f"#{colour}"
    elif noun == "platforms":
        fields["manufacturer"] = maker
    return draft.entry(noun, name, **fields) if name else None


def _lists(document: Any) -> dict[str, Rows]:
    if not isinstance(document, dict) or "results" in document:
        return {"devices": _results(document, "")}
    return {noun: _results(answer, f"/{noun}") for noun, answer in document.items()}


def _results(answer: Any, place: str) -> Rows:
    if not isinstance(answer, dict):
        return objects(answer, place)
    if answer.get("next"):
        raise Invalid(f"{place or 'the file'} is one page of several; ask NetBox with limit=0")
    return objects(answer.get("results"), f"{place}/results")


def _device(draft: Draft, device: dict[str, Any], locations: Mapping[str, Any]) -> None:
    name = part(device, "name")
    addresses = (device.get(key) for key in ("primary_ip", "primary_ip4", "primary_ip6"))
    address = next((found for a in addresses if (found := part(a, "address"))), "")
    if not (name and address):
        draft.leave("devices", "has no primary address" if name else "has no name")
        return
    status = part(device.get("status"), "value")
    if status and status not in STATUS:
        draft.leave("devices/status", f"{status} is active here")
    kind = device.get("device_type")
    known = _entry(draft, "device_types", kind)
    maker = kind.get("manufacturer") if isinstance(kind, dict) and not known else None
    draft.device(
        name,
        address=address.partition("/")[0],
        site=_location(draft, device.get("location"), device.get("site"), locations),
        role=_entry(draft, "device_roles", device.get("role") or device.get("device_role")),
        device_type=known,
        vendor=label(part(maker, "name")),  # else it is that of the type
        platform=_entry(draft, "platforms", device.get("platform")),
        tenant=_entry(draft, "tenants", device.get("tenant")),
        description=text(device.get("description")),
        serial=text(device.get("serial")),
        asset_tag=text(device.get("asset_tag")),
        tags=_tags(device.get("tags")),
        status=STATUS.get(status, "active"),
    )
    draft.leave_rest("devices", device, DEVICE | BESIDE)


def _tags(tags: Any) -> list[str]:
    found = (word(part(tag, "slug", "name")) for tag in tags) if isinstance(tags, list) else ()
    return list(dict.fromkeys(tag for tag in found if tag))
