"""alertmanager.yml with its templates and secrets, all of it named by a hash: a routing set."""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from controlplane.clients import mail
from controlplane.notifications import receivers, routing
from controlplane.notifications.kinds import Version
from controlplane.notifications.receivers import OpenChannel, Receivers
from controlplane.notifications.routing import RoutePlan
from controlplane.provisioning import configuration
from controlplane.settings import Settings

FOLDER = "alertmanager.d"
TEMPLATES = "notifications.tmpl"
LINKS = "links.tmpl"
INBOX = "inbox"
# A receiver that nothing leads to: by its name Alertmanager says what it runs.
MARK = "chm-revision-"


@dataclass(frozen=True)
class Intention:
    """What people want: channels in the clear, and routes in the order they are asked."""

    channels: tuple[OpenChannel, ...] = ()
    routes: tuple[RoutePlan, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)  # channels that do not open, and why


@dataclass(frozen=True)
class RoutingSet:
    """The configuration, the files beside it by name, and the same configuration without secrets.

    `left_out` says by channel what this installation cannot do.
    """

    revision: str
    config: str = field(repr=False)
    files: Mapping[str, str] = field(repr=False)
    masked: str
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        """The receiver by which a running Alertmanager tells that it runs this set."""
        return MARK + self.revision


def build(settings: Settings, intention: Intention, version: Version) -> RoutingSet:
    """Make the set for an Alertmanager of this version; equal wishes give equal sets."""
    nameless = _rendered(settings, intention, version, "")
    files = {
        **nameless.files,
        TEMPLATES: configuration.shipped(TEMPLATES),
        LINKS: receivers.public_url(settings.public_url),
    }
    revision = _hash(_yaml(_tree(settings, intention, nameless, "")), files)
    # Alertmanager looks for most files of secrets where it was started, not beside its own.
    folder = f"{settings.prometheus_folder.absolute()}/{FOLDER}/rev-{revision}/"
    rendered = _rendered(settings, intention, version, folder)
    tree = _tree(settings, intention, rendered, folder)
    tree["receivers"].append({"name": MARK + revision})
    masked = receivers.settled(tree, masked=True)
    gone = _gone(intention.routes, {INBOX, *rendered.configs})
    left_out = {**intention.left_out, **rendered.left_out, **gone}
    return RoutingSet(revision, _yaml(tree), files, _dump(masked), left_out)


def _gone(routes: Sequence[RoutePlan], there: Collection[str]) -> dict[str, str]:
    """Say which channels routes name that are not there any more."""
    return {
        channel: f"the settings have no such webhook any more, but route {route.name!r} tells it"
        for route in routes
        for channel in route.channels
        if channel not in there
    }


def _rendered(settings: Settings, intention: Intention, version: Version, folder: str) -> Receivers:
    channels = (*receivers.of_settings(settings.notify_webhooks), *intention.channels)
    return receivers.render(channels, version, mail.from_settings(settings), folder)


def _tree(
    settings: Settings, intention: Intention, rendered: Receivers, folder: str
) -> dict[str, Any]:
    config = configuration.alertmanager(settings)
    built_in = receivers.of_settings(settings.notify_webhooks)
    config["templates"] = [f"{folder}*.tmpl"]
    _default(config, built_in, rendered)
    _place_receivers(config, rendered)
    _place_capped(config, intention.channels, settings)
    routes = list(_possible(intention.routes, {INBOX, *rendered.configs}))
    _place_routes(config["route"]["routes"], (*built_in, *intention.channels), routes)
    quiet = [routing.interval(route) for route in routes if route.options.quiet]
    if quiet:
        config["time_intervals"] = quiet
    return config


def _possible(routes: Sequence[RoutePlan], there: Collection[str]) -> Iterator[RoutePlan]:
    """Give the routes with the channels that are there: webhooks of the settings may have gone."""
    for route in routes:
        channels = tuple(channel for channel in route.channels if channel in there)
        if channels:
            yield replace(route, channels=channels)


def _default(config: dict[str, Any], built_in: Sequence[OpenChannel], rendered: Receivers) -> None:
    """Have the webhooks of the settings told with the inboxes, where no route says otherwise."""
    people = next(r for r in config["receivers"] if r["name"] == "people")
    for channel in built_in:
        people["webhook_configs"].extend(rendered.configs[channel.name]["webhook_configs"])


def _place_receivers(config: dict[str, Any], rendered: Receivers) -> None:
    """Add a receiver for each channel, and one for the inbox, which routes may name, too."""
    people = next(r for r in config["receivers"] if r["name"] == "people")
    inbox = {"webhook_configs": people["webhook_configs"][:1]}
    for name, sections in {INBOX: inbox, **rendered.configs}.items():
        config["receivers"].append({"name": receivers.receiver(name), **sections})


def _place_capped(
    config: dict[str, Any], channels: Sequence[OpenChannel], settings: Settings
) -> None:
    """Have the control plane hear what a channel with a cap would: it says how much goes on."""
    people = next(r for r in config["receivers"] if r["name"] == "people")
    base = f"{settings.controlplane_url.rstrip('/')}/api/v1/digests/"
    for channel in channels:
        if channel.cap is not None:
            webhook = {**people["webhook_configs"][0], "url": base + channel.name}
            name = receivers.capped(channel.name)
            config["receivers"].append({"name": name, "webhook_configs": [webhook]})


def _place_routes(
    nodes: list[dict[str, Any]], channels: Sequence[OpenChannel], routes: Sequence[RoutePlan]
) -> None:
    """Put tests first, where nothing else hears of them, and routes before what is left of all.

    An escalation goes to the channel that it names, and to everybody where it names none of these;
    what a cap let through, to its channel alone.
    """
    unasked = next(i for i, node in enumerate(nodes) if node.get("matchers") == ['severity="info"'])
    caps = {channel.name: channel.cap for channel in channels if channel.cap is not None}
    nodes[unasked:unasked] = [routing.node(route, caps) for route in routes]
    if channels:
        for matcher in (routing.PASSED, routing.ESCALATED):
            naming = next(n for n in nodes if n.get("matchers") == [matcher])
            naming["routes"] = routing.by_name(channels)
        nodes.insert(0, routing.tests(channels))


def _hash(config: str, files: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for name, text in [("alertmanager.yml", config), *sorted(files.items())]:
        for part in (name.encode(), text.encode()):
            digest.update(len(part).to_bytes(8) + part)
    return digest.hexdigest()[:16]


def _yaml(tree: Mapping[str, Any]) -> str:
    return _dump(receivers.settled(tree))


def _dump(tree: Any) -> str:
    text: str = yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    if yaml.safe_load(text) != tree:
        raise ValueError("the YAML written does not read back as the configuration meant")
    return text


class _Dumper(yaml.SafeDumper):
    """SafeDumper that writes everything out: people read it, and anchors are for machines."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature of PyYAML
        return True
