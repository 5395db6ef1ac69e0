"""Files of Prometheus' file_sd: `[{"targets": [...], "labels": {...}}]`, in JSON or YAML."""

import ipaddress
import re
from typing import Any

from controlplane.errors import Invalid
from controlplane.transfer import formats
from controlplane.transfer.formats import Format
from controlplane.transfer.sources.draft import Draft, Given
from controlplane.transfer.sources.names import label
from controlplane.transfer.sources.shapes import objects, text

JSON = re.compile(r"\s*\[\s*\{\s*\"")
USED = frozenset({"site", "role", "vendor", "device"})


def read(content: str, secrets: bool) -> Given:  # noqa: ARG001, FBT001 - the format has none
    """Make a device of each target; the labels site, role, vendor and device say what it is."""
    form = Format.JSON if JSON.match(content) else Format.YAML
    draft = Draft()
    for index, group in enumerate(objects(formats.parse(form, content), "")):
        targets, labels = group.get("targets"), group.get("labels") or {}
        if not (isinstance(targets, list) and isinstance(labels, dict)):
            raise Invalid(f"group {index + 1} has no targets, or labels that are none")
        for target in targets:
            _device(draft, target, labels, alone=len(targets) == 1)
        draft.leave_rest("groups", group, {"targets", "labels"})
    return draft.given()


def _device(draft: Draft, target: Any, labels: dict[str, Any], *, alone: bool) -> None:
    host, port = _split(text(target))
    if not host:
        draft.leave("targets", "is no text")
        return
    if port:
        draft.leave("targets/port", "is that of an exporter, not of the device")
    site, role = text(labels.get("site")), text(labels.get("role"))
    name = text(labels.get("device")) if alone else ""
    draft.device(
        name or host,
        address=host,
        site=draft.site(site) if site else None,
        role=draft.entry("device_roles", role) if role else None,
        vendor=label(text(labels.get("vendor"))),
    )
    draft.leave_rest("labels", labels, USED if alone else USED - {"device"})


def _split(target: str) -> tuple[str, str]:
    """Take the port off an address or host name; an IPv6 address with a port has brackets."""
    try:
        return str(ipaddress.ip_address(target)), ""
    except ValueError:
        host, _, port = target.rpartition(":") if ":" in target else (target, "", "")
        return host.strip("[]"), port
