"""Exports of NetBox: answers of its REST API as they are, or lists of objects by name.

`{"regions": [...], "sites": [...], "devices": [...]}`, each a list or the envelope `{"count",
"next", "previous", "results"}` of `/api/dcim/regions/`, `/api/dcim/sites/` and `/api/dcim/devices/`
(NetBox 3 and 4); or the answer for devices alone.
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
DEVICE = frozenset(
    {
        *("id", "url", "display", "display_url", "name", "site", "role", "device_role", "tags"),
        *("primary_ip", "primary_ip4", "primary_ip6", "device_type", "status"),
    }
)
BESIDE = frozenset({"created", "last_updated"})  # when NetBox wrote it means nothing here


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
    for device in lists.pop("devices", []):
        _device(draft, device)
    for noun, rows in lists.items():
        for _ in rows:
            draft.leave(noun)
    return draft.given()


def _regions(draft: Draft, regions: list[dict[str, Any]]) -> None:
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


def _lists(document: Any) -> dict[str, list[dict[str, Any]]]:
    if not isinstance(document, dict) or "results" in document:
        return {"devices": _results(document, "")}
    return {noun: _results(answer, f"/{noun}") for noun, answer in document.items()}


def _results(answer: Any, place: str) -> list[dict[str, Any]]:
    if not isinstance(answer, dict):
        return objects(answer, place)
    if answer.get("next"):
        raise Invalid(f"{place or 'the file'} is one page of several; ask NetBox with limit=0")
    return objects(answer.get("results"), f"{place}/results")


def _device(draft: Draft, device: dict[str, Any]) -> None:
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
    site = part(device.get("site"), "slug", "name")
    role = part(device.get("role") or device.get("device_role"), "slug", "name")
    draft.device(
        name,
        address=address.partition("/")[0],
        site=draft.site(site) if site else None,
        role=draft.role(role) if role else None,
        vendor=label(part(kind.get("manufacturer"), "name")) if isinstance(kind, dict) else "",
        tags=_tags(device.get("tags")),
        status=STATUS.get(status, "active"),
    )
    if part(kind, "model"):
        draft.leave("devices/device_type", "what a device is, it says itself")
    draft.leave_rest("devices", device, DEVICE | BESIDE)


def _tags(tags: Any) -> list[str]:
    found = (word(part(tag, "slug", "name")) for tag in tags) if isinstance(tags, list) else ()
    return list(dict.fromkeys(tag for tag in found if tag))
