"""The inventory of the lab in the import format of the control plane."""

from collections.abc import Iterable
from typing import Any

from lab.topology import DeviceSpec, Topology

CREDENTIAL = "lab"


def document(
    topology: Topology, bulk: Iterable[DeviceSpec], *, port: int, community: str
) -> dict[str, Any]:
    """Return the import document; parents are the next hops towards the poller."""
    devices = [_device(spec, topology.parents(spec.name), port) for spec in topology.devices]
    devices += [_device(spec, (), port) for spec in bulk]
    sites = dict.fromkeys(device["site"] for device in devices)
    return {
        "credentials": [{"name": CREDENTIAL, "kind": "snmp", "version": 2, "community": community}],
        "sites": [{"name": site, "description": f"Simulated network, {site}"} for site in sites],
        "device_roles": [{"name": r} for r in dict.fromkeys(d["role"] for d in devices)],
        "devices": devices,
    }


def _device(spec: DeviceSpec, parents: Iterable[str], port: int) -> dict[str, Any]:
    return {
        "name": spec.name,
        "address": spec.address,
        "port": port,
        "site": spec.site,
        "role": spec.role,
        "vendor": spec.platform.vendor,
        "credentials": [CREDENTIAL],
        "parents": list(parents),
    }
