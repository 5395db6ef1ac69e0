"""Keep channels: checked as a whole, sealed before they reach the database."""

import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr, ValidationError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import events, preconditions
from controlplane.audit.models import Action
from controlplane.audit.service import CHANGED
from controlplane.auth import trail
from controlplane.auth.actor import Actor
from controlplane.clients.notifier import Notifier
from controlplane.database import now
from controlplane.errors import (
    Conflict,
    Invalid,
    NotFound,
    Problem,
    Unavailable,
    from_validation,
)
from controlplane.notifications import queries, receivers
from controlplane.notifications.caps import Cap
from controlplane.notifications.destinations import Destinations
from controlplane.notifications.kinds import OPTIONS, Kind, Unsupported
from controlplane.notifications.models import Channel
from controlplane.notifications.receivers import SETTINGS_PREFIX, OpenChannel
from controlplane.notifications.schemas import ChannelCreate, ChannelRead, ChannelUpdate
from controlplane.settings import Settings
from controlplane.vault import Place, Sealed, Vault

Uses = Callable[[AsyncSession, str], Awaitable[Collection[str]]]

INBOX = "inbox"
SEALED = "sealed"


@dataclass(frozen=True)
class Keeper:
    """What keeping channels takes: where secrets are sealed, and where channels may lead."""

    vault: Vault
    destinations: Destinations


def is_built_in(name: str) -> bool:
    """Say whether a name is kept for the channels that the installation itself has."""
    return name == INBOX or name.startswith(SETTINGS_PREFIX)


async def get(session: AsyncSession, name: str) -> Channel:
    """Give the channel of this name that people made, or raise NotFound."""
    channel = await session.scalar(queries.channel(name))
    if channel is None:
        raise NotFound(f"there is no channel {name!r}")
    return channel


async def create(
    session: AsyncSession,
    actor: Actor,
    keeper: Keeper,
    data: ChannelCreate,
) -> Channel:
    """Add a channel; Alertmanager knows it within seconds."""
    if is_built_in(data.name):
        raise Conflict(f"the name {data.name!r} is kept for a channel of the installation")
    await keeper.destinations.check(data.options)
    await events.changed(session)
    if await session.scalar(queries.channel(data.name)):
        raise Conflict(f"channel {data.name!r} already exists")
    channel = Channel(
        name=data.name,
        send_resolved=data.send_resolved,
        cap=_written(data.cap),
        options={},
        secret_names=[],
        key_version=0,
        data_key=b"",
        sealed=b"",
    )
    _fill(channel, keeper.vault, data.options)
    session.add(channel)
    await session.flush()
    await trail.record(
        session, actor, Action.CREATE, "channel", channel, after=_kept(channel, True)
    )
    return channel


async def update(  # noqa: PLR0917 - who changes what, and which version of it they saw
    session: AsyncSession,
    actor: Actor,
    keeper: Keeper,
    name: str,
    data: ChannelUpdate,
    if_match: str | None = None,
) -> Channel:
    """Change the given fields; the outcome is checked as a whole and sealed anew."""
    await events.changed(session)
    channel = await _seen(session, name, if_match)
    before = _kept(channel)
    if data.options:
        changed = _merged(opened(keeper.vault, channel), data.options)
        await keeper.destinations.check(changed)
        _fill(channel, keeper.vault, changed)
    if data.send_resolved is not None:
        channel.send_resolved = data.send_resolved
    if "cap" in data.model_fields_set:
        channel.cap = _written(data.cap)
    channel.version += 1
    channel.updated_at = now()
    await session.flush()
    secrets_written = bool(set(data.options) & set(channel.secret_names))
    after = _kept(channel, secrets_written)
    await trail.record(
        session, actor, Action.UPDATE, "channel", channel, before=before, after=after
    )
    return channel


async def delete(
    session: AsyncSession, actor: Actor, name: str, uses: Uses, if_match: str | None = None
) -> None:
    """Remove a channel; one that a route or anything else tells stays (Conflict).

    `uses` names in words what tells a channel beside routes.
    """
    await events.changed(session)
    channel = await _seen(session, name, if_match)
    used = await uses(session, name)
    if used:
        raise Conflict(f"channel {name!r} is told by {', '.join(sorted(used))}")
    before = _kept(channel)
    await session.delete(channel)
    try:
        await session.flush()
    except IntegrityError:
        raise Conflict(f"channel {name!r} is told by a route") from None
    await trail.record(session, actor, Action.DELETE, "channel", channel, before=before)


async def left_out(session: AsyncSession) -> Mapping[str, str]:
    """Give the channels that were not put in force as of late, each with the reason."""
    last = await session.scalar(queries.newest())
    return {} if last is None else last.left_out


async def refuse_unsupported(notifier: Notifier, options: Kind) -> None:
    """Raise Invalid where the Alertmanager that runs is too old for this kind of channel."""
    try:
        receivers.refuse_unsupported(options, await notifier.version())
    except Unsupported as error:
        kind = Problem("/options/kind", "unsupported", str(error))
        raise Invalid("Alertmanager cannot do this", kind) from None
    except Unavailable:
        return  # who deploys asks again, and says on the channel what cannot be had


async def _seen(session: AsyncSession, name: str, if_match: str | None) -> Channel:
    """Give a channel to change it, if it is still the version that the actor saw."""
    channel = await session.scalar(queries.locked(name))
    if channel is None:
        raise NotFound(f"there is no channel {name!r}")
    preconditions.check(channel.version, if_match)
    return channel


def opened(vault: Vault, channel: Channel) -> Kind:
    """Give the settings of a channel, secrets in the clear; Unreadable where they do not open."""
    sealed = Sealed(channel.key_version, channel.data_key, {SEALED: channel.sealed})
    secrets = vault.open(Place(channel.__tablename__, channel.id), sealed)[SEALED]
    return OPTIONS.validate_python({**channel.options, **json.loads(secrets)})


def open_channel(vault: Vault, channel: Channel) -> OpenChannel:
    """Give a channel as a receiver is made of it."""
    return OpenChannel(
        channel.name, opened(vault, channel), channel.send_resolved, cap=cap(channel)
    )


def cap(channel: Channel) -> Cap | None:
    """Give how much a channel may be told, or None where there is no bound."""
    return None if channel.cap is None else Cap.model_validate(channel.cap)


def built_in(settings: Settings) -> list[ChannelRead]:
    """Give the channels of the installation: the inboxes, and the webhooks of the settings."""
    of_settings = receivers.of_settings(settings.notify_webhooks)
    rows: list[tuple[str, str, list[str]]] = [(INBOX, INBOX, [])]
    rows += [(c.name, "webhook", sorted(c.options.secrets())) for c in of_settings]
    return [
        ChannelRead(
            name=name,
            kind=kind,
            send_resolved=True,
            cap=None,
            options={},
            secrets=secrets,
            built_in=True,
            problem="",
            version=0,
            updated_at=None,
        )
        for name, kind, secrets in rows
    ]


def read(channel: Channel, left_out: Mapping[str, str]) -> ChannelRead:
    """Give what people may see of a channel, and why it cannot be used where that is so."""
    return ChannelRead(
        name=channel.name,
        kind=channel.options["kind"],
        send_resolved=channel.send_resolved,
        cap=cap(channel),
        options={name: value for name, value in channel.options.items() if name != "kind"},
        secrets=channel.secret_names,
        built_in=False,
        problem=left_out.get(channel.name, ""),
        version=channel.version,
        updated_at=channel.updated_at,
    )


def _fill(channel: Channel, vault: Vault, options: Kind) -> None:
    secrets = options.secrets()
    sealed = vault.seal(Place(channel.__tablename__, channel.id), {SEALED: json.dumps(secrets)})
    channel.options = options.open_fields()
    channel.secret_names = sorted(secrets)
    channel.key_version, channel.data_key = sealed.key_version, sealed.data_key
    channel.sealed = sealed.secrets[SEALED]


def _merged(before: Kind, given: Mapping[str, Any]) -> Kind:
    """Apply a change; secrets do not go along to another place than they were given for."""
    kept = {**before.open_fields(), **before.secrets()}
    if given.get("kind", kept["kind"]) != kept["kind"]:
        raise Invalid("a channel keeps its kind; make another one")
    try:
        after = OPTIONS.validate_python({**kept, **given})
    except ValidationError as error:
        problems = (p.under("/options") for p in from_validation(error.errors()))
        raise Invalid("these are no settings of such a channel", *problems) from None
    moved = [n for n in before.destination if _clear(before, n) != _clear(after, n)]
    behind = sorted(set(after.secrets()) - set(given))
    if moved and behind:
        problems = (Problem(f"/options/{n}", "missing", "give it anew") for n in behind)
        raise Invalid(f"with another {moved[0]}, the secrets must be given anew", *problems)
    return after


def _clear(kind: Kind, name: str) -> Any:
    value = getattr(kind, name)
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _kept(channel: Channel, secrets_written: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - whether "changed" is said of secrets
    """Give what the audit log keeps: of secrets, that they were written."""
    written = dict.fromkeys(channel.secret_names, CHANGED) if secrets_written else {}
    kept = {"send_resolved": channel.send_resolved, "cap": channel.cap}
    return {**kept, **channel.options, **written}


def _written(cap: Cap | None) -> dict[str, Any] | None:
    return None if cap is None else cap.model_dump(mode="json")
