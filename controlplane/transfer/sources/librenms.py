"""Devices of LibreNMS, as `GET /api/v0/devices` answers: `{"status": "ok", "devices": [...]}`."""

import hashlib
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from controlplane.errors import Invalid
from controlplane.transfer import formats
from controlplane.transfer.formats import Format
from controlplane.transfer.sources.draft import Draft, Given
from controlplane.transfer.sources.shapes import objects, text

VERSIONS: Mapping[str, int] = MappingProxyType({"v1": 1, "v2c": 2, "v3": 3})
SECRETS = ("community", "authname", "authpass", "cryptopass")
LEVELS = ("authlevel", "authalgo", "cryptoalgo", "snmpver")
USED = frozenset(
    {
        *("device_id", "hostname", "sysName", "display", "ip", "overwrite_ip", "port", "type"),
        *("location", "disabled", "ignore", "snmp_disable", "status", "status_reason"),
        *SECRETS,
        *LEVELS,
    }
)


def read(content: str, secrets: bool) -> Given:  # noqa: FBT001 - whether credentials are wanted
    """Make devices and the sites of their locations; credentials only where they are wanted."""
    document = formats.parse(Format.JSON, content)
    if not isinstance(document, dict) or "devices" not in document:
        raise Invalid("this is no answer of /api/v0/devices: it has no devices")
    draft = Draft()
    for device in objects(document["devices"], "/devices"):
        _device(draft, device, secrets=secrets)
    return draft.given()


def _device(draft: Draft, device: dict[str, Any], *, secrets: bool) -> None:
    hostname, sys_name = text(device.get("hostname")), text(device.get("sysName"))
    address = text(device.get("overwrite_ip")) or text(device.get("ip")) or hostname
    if not address:
        draft.leave("devices", "has neither host name nor address")
        return
    location = text(device.get("location"))
    port, role = text(device.get("port")), text(device.get("type"))
    draft.device(
        sys_name if hostname == address and sys_name else hostname or sys_name,
        address=address,
        port=int(port) if re.fullmatch("[0-9]{1,5}", port) else None,
        site=draft.site(location, description=location) if location else None,
        role=draft.entry("device_roles", role) if role else None,
        status="planned" if text(device.get("disabled")) == "1" else "active",
        credentials=[name] if (name := _credential(draft, device, secrets=secrets)) else None,
    )
    draft.leave_rest("devices", device, USED)


def _credential(draft: Draft, device: dict[str, Any], *, secrets: bool) -> str:
    """Add the credential of a device unless it is there already, and give its name."""
    given = {key: text(device.get(key)) for key in (*SECRETS, *LEVELS)}
    if not any(given[key] for key in SECRETS):
        return ""
    if not secrets:
        draft.leave("devices/credentials", "credentials were not asked for")
        return ""
    fields = _snmp(given)
    # The name tells nothing of the secret: it is counted, and found again by its fingerprint.
    fingerprint = hashlib.sha256(repr(sorted(fields.items())).encode()).hexdigest()
    known = draft.credentials.setdefault(
        fingerprint, {"name": f"librenms-{len(draft.credentials) + 1}", **fields}
    )
    return str(known["name"])


def _snmp(given: Mapping[str, str]) -> dict[str, Any]:
    version = VERSIONS.get(given["snmpver"], 2)
    if version < VERSIONS["v3"]:
        return {"kind": "snmp", "version": version, "community": given["community"]}
    fields = {
        "username": given["authname"],
        "security_level": given["authlevel"],
        "auth_protocol": given["authalgo"].replace("-", ""),
        "password": given["authpass"],
        "priv_protocol": given["cryptoalgo"].replace("-", ""),
        "priv_password": given["cryptopass"],
    }
    wanted = {"noAuthNoPriv": 2, "authNoPriv": 4}.get(given["authlevel"], len(fields))
    kept = dict(list(fields.items())[:wanted])
    return {"kind": "snmp", "version": version, **{k: v for k, v in kept.items() if v}}
