"""The document that the control plane sends: whole, or as changes to the one that is here.

A revision is a digest of the digests of all entries (docs/architecture.md, 4.1), so changes are
believed only where they lead to the content that they claim.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, TypeAdapter

from exporter import config
from exporter.config import Auth, ConfigError

KINDS = ("auths", "devices", "alerts")  # a control plane of before knows no alerts
DIGITS = 32  # of a digest, in hexadecimal
LONGEST_SECONDS = 10**9  # of a rule: what is longer is no time

Digests = Mapping[str, Mapping[str, str]]  # by kind, then by name


class Mismatch(ConfigError):
    """Changes that do not fit the snapshot that is here; the whole of it must be asked for."""


def host(value: str) -> str:
    """Return an address or host name as it is given, or raise ValueError."""
    if not re.fullmatch(r"[^\s/\[\]]+", value):
        raise ValueError(f"{value!r} is not an address or host name")
    return value


@dataclass(frozen=True, slots=True)
class Device:
    """One device: where it is, the auths to try in order, and what to ask it."""

    address: Annotated[str, AfterValidator(host)]
    auths: tuple[str, ...]
    port: Annotated[int, Field(ge=1, le=65535)] = 161
    profile: str | None = None
    modules: tuple[str, ...] = ()
    # The labels of its alerts, for those that are not made by Prometheus.
    site: str = ""
    role: str = ""
    vendor: str = ""
    team: str = ""
    interfaces: dict[str, Literal["critical", "warning", "info", "none"]] = field(
        default_factory=dict
    )
    """What operators decided about some: how loud an alert of theirs is, or `none`."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What traps have to know of the rule that raises the same alert; times in seconds.

    `at_once` is whether a trap may raise it before the rule does; `$device` in `dashboard_url` is
    the name of the device.
    """

    at_once: bool = True
    for_seconds: Annotated[float, Field(ge=0, le=LONGEST_SECONDS)] = 120
    flap_seconds: Annotated[float, Field(ge=0, le=LONGEST_SECONDS)] = 1800
    dashboard_url: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All monitored devices by name, the auths they use, and the rules by the alerts' names."""

    revision: str
    auths: dict[str, Auth]
    devices: dict[str, Device]
    alerts: dict[str, Rule] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Removed:
    """Names of what is gone."""

    auths: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """What is new or another since a revision, and what is gone."""

    revision: str
    since: str
    auths: dict[str, Auth]
    devices: dict[str, Device]
    removed: Removed
    alerts: dict[str, Rule] = field(default_factory=dict)


_SNAPSHOT = TypeAdapter(Snapshot)
_CHANGES = TypeAdapter(Changes)


@dataclass(frozen=True, slots=True)
class Held:
    """A snapshot in use, with the document it is of: changes are put into both."""

    snapshot: Snapshot
    document: Mapping[str, Any] = field(repr=False)
    digests: Digests | None = None  # made when the first changes come

    @property
    def content(self) -> bytes:
        """The whole document, as it would have been sent."""
        return json.dumps(self.document, separators=(",", ":")).encode()


def read(body: bytes, held: Held | None = None) -> Held:
    """Return what a response leads to: it is used whole or not at all.

    Raises ConfigError, or Mismatch where only the whole of the snapshot can help.
    """
    try:
        data = json.loads(body)
    except ValueError as error:
        raise ConfigError("snapshot", "", f"is not JSON: {error}") from None
    if isinstance(data, dict) and "since" in data:
        return _changed(held, data)
    return Held(_referred(config.validated(_SNAPSHOT, data, "snapshot", "")), data)


def parse(body: bytes) -> Snapshot:
    """Return the snapshot in a response that holds all of it, or raise ConfigError."""
    return read(body).snapshot


def _changed(held: Held | None, data: dict[str, Any]) -> Held:
    changes = config.validated(_CHANGES, data, "snapshot", "")
    if held is None:
        raise ConfigError("snapshot", "since", "changes, and nothing is here to put them into")
    if held.snapshot.revision != changes.since:
        raise Mismatch("snapshot", "since", "these are changes of another revision")
    old, gone = held.snapshot, changes.removed
    document = {
        "revision": changes.revision,
        **{
            kind: _merged(held.document.get(kind, {}), data.get(kind, {}), getattr(gone, kind))
            for kind in KINDS
        },
    }
    before = held.digests or {kind: _digests(held.document.get(kind, {})) for kind in KINDS}
    digests = {
        kind: _merged(before[kind], _digests(data.get(kind, {})), getattr(gone, kind))
        for kind in KINDS
    }
    if _revision(digests) != changes.revision:
        raise Mismatch("snapshot", "revision", "the changes do not lead to it")
    snapshot = Snapshot(
        changes.revision,
        _merged(old.auths, changes.auths, gone.auths),
        _merged(old.devices, changes.devices, gone.devices),
        _merged(old.alerts, changes.alerts, gone.alerts),
    )
    return Held(_referred(snapshot), document, digests)


def _merged(
    old: Mapping[str, Any], new: Mapping[str, Any], gone: tuple[str, ...]
) -> dict[str, Any]:
    merged = {**old, **new}
    for name in gone:
        merged.pop(name, None)
    return merged


def _referred(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot, or raise ConfigError where a device names an auth that is not there."""
    for name, device in snapshot.devices.items():
        for auth in device.auths:
            if auth not in snapshot.auths:
                raise ConfigError("snapshot", f"devices.{name}.auths", f"unknown auth {auth!r}")
    return snapshot


def _digests(entries: Mapping[str, Any]) -> dict[str, str]:
    return {name: _digest(entry) for name, entry in entries.items()}


def _digest(entry: object) -> str:
    content = json.dumps(entry, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(content).hexdigest()[:DIGITS]


def _revision(digests: Digests) -> str:
    lines = (
        f"{kind} {name} {digest}\n"
        for kind in KINDS
        for name, digest in sorted(digests[kind].items())
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:DIGITS]
