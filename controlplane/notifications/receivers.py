"""Channels to receivers of Alertmanager, with the private files that hold their secrets."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from controlplane.clients.mail import Mail
from controlplane.notifications.caps import Cap
from controlplane.notifications.kinds import Inline, Kind, Means, Unsupported, Version, Webhook

SETTINGS_PREFIX = "settings-"
MASK = "<secret>"


@dataclass(frozen=True)
class OpenChannel:
    """A channel with its secrets in the clear; `built_in` ones come from the settings."""

    name: str
    options: Kind
    send_resolved: bool = True
    built_in: bool = False
    cap: Cap | None = None

    @property
    def receiver(self) -> str:
        """Name its receiver, which no other receiver can be called."""
        return receiver(self.name)


@dataclass(frozen=True)
class Receivers:
    """Receivers by channel, `files` by name, and by channel why it cannot be had here."""

    configs: Mapping[str, Mapping[str, Any]]
    files: Mapping[str, str] = field(repr=False)
    left_out: Mapping[str, str] = field(default_factory=dict)


def receiver(channel: str) -> str:
    """Name the receiver of a channel."""
    return f"channel-{channel}"


def capped(channel: str) -> str:
    """Name the receiver by which the control plane hears what a channel with a cap would."""
    return f"capped-{channel}"


def of_settings(webhooks: Sequence[str]) -> list[OpenChannel]:
    """Give the channels that CHM_NOTIFY_WEBHOOKS makes: `settings-1`, `settings-2`, ..."""
    return [
        OpenChannel(
            f"{SETTINGS_PREFIX}{number}", Webhook.model_validate({"url": url}), built_in=True
        )
        for number, url in enumerate(webhooks, start=1)
    ]


def render(
    channels: Sequence[OpenChannel], version: Version, mail: Mail | None, folder: str
) -> Receivers:
    """Make the receivers; files of secrets are named below `folder`, as Alertmanager finds it."""
    files: dict[str, str] = {}
    left_out: dict[str, str] = {}
    configs = {}
    for channel in channels:

        def keep(field_name: str, value: str, name: str = channel.name) -> str:
            file = f"secrets/{name}.{field_name}"
            files[file] = value
            return f"{folder}{file}"

        try:
            configs[channel.name] = _config(channel, Means(version, keep, mail))
        except Unsupported as error:
            left_out[channel.name] = str(error)
            configs[channel.name] = {}
    return Receivers(configs, files, left_out)


def _config(channel: OpenChannel, means: Means) -> dict[str, Any]:
    kind = channel.options
    refuse_unsupported(kind, means.version)
    return {kind.section: [{**kind.config(means), "send_resolved": channel.send_resolved}]}


def refuse_unsupported(kind: Kind, version: Version) -> None:
    """Raise Unsupported where this Alertmanager is too old for the kind of channel."""
    if version < kind.since:
        needed, there = (".".join(map(str, v)) for v in (kind.since, version))
        raise Unsupported(f"needs Alertmanager {needed} or later, this is {there}")


def public_url(url: str) -> str:
    """Give the template file that defines where people find CHM; its text is no template."""
    quoted = json.dumps(url, ensure_ascii=False)
    return f'{{{{ define "chm.public_url" }}}}{{{{ {quoted} }}}}{{{{ end }}}}\n'


def settled(tree: Any, *, masked: bool = False) -> Any:
    """Give the tree with its inline secrets as plain texts, or masked."""
    if isinstance(tree, Inline):
        return MASK if masked else str(tree)
    if isinstance(tree, Mapping):
        return {name: settled(value, masked=masked) for name, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [settled(value, masked=masked) for value in tree]
    return tree
