"""The inventory of the lab in the import format of the control plane."""

from collections.abc import Iterable
from typing import Any

from lab.topology import DeviceSpec, Topology

CREDENTIAL = "lab"


def document(
    topology: Topology, bulk: Iterable[DeviceSpec], *, port: int, community: str
) -> dict[str, Any]:
    """Return the import document; parents are the next hops towards the poller."""
    many = tuple(bulk)
    devices = [_device(spec, topology.parents(spec.name), port) for spec in topology.devices]
    devices += [_device(spec, (), port) for spec in many]
    models = {spec.platform.name: spec.platform for spec in (*topology.devices, *many)}
    sites, roles = (
        dict.fromkeys(device[field] for device in devices) for field in ("site", "role")
    )
    return {
        "credentials": [{"name": CREDENTIAL, "kind": "snmp", "version": 2, "community": community}],
        "sites": [{"name": site, "description": f"Simulated network, {site}"} for site in sites],
        "device_roles": [{"name": role} for role in roles],
        "device_types": [
            {"name": name, "manufacturer": model.vendor, "model": model.model}
            for name, model in models.items()
        ],
        "platforms": [
            {"name": vendor.lower(), "manufacturer": vendor}
            for vendor in dict.fromkeys(model.vendor for model in models.values())
        ],
        "devices": devices,
    }


def _device(spec: DeviceSpec, parents: Iterable[str], port: int) -> dict[str, Any]:
    return {
        "name": spec.name,
        "address": spec.address,
        "port": port,
        "site": spec.site,
        "role": spec.role,
        "device_type": spec.platform.name,
        "platform": spec.platform.vendor.lower(),
        "credentials": [CREDENTIAL],
        "parents": list(parents),
    }
