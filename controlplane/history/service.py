"""Read what was done to an object; names of what the reader does not see are hidden."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.audit.models import AuditEntry
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.devices.inventory import UNSEEN
from controlplane.history import queries
from controlplane.history.nouns import OPAQUE, READ, REFERENCES, Noun
from controlplane.history.schemas import ChangeOf, ChangeRead, Difference

Seen = Mapping[Noun, frozenset[str]]  # of nouns that are not there, every name is known


async def read(
    session: AsyncSession, actor: Actor, entries: Sequence[AuditEntry]
) -> list[ChangeRead]:
    """Give entries as the actor may know them: who reads a noun everywhere knows all its names."""
    shown = await _for(session, actor, entries)
    return [ChangeRead(**shown(entry)) for entry in entries]


async def read_several(
    session: AsyncSession, actor: Actor, entries: Sequence[AuditEntry]
) -> list[ChangeOf]:
    """Give the same of entries about several objects, with what each is about."""
    shown = await _for(session, actor, entries)
    return [ChangeOf(**shown(entry)) for entry in entries]


async def _for(
    session: AsyncSession, actor: Actor, entries: Iterable[AuditEntry]
) -> Callable[[AuditEntry], dict[str, Any]]:
    seen = await _seen(session, actor, entries)
    traced = actor.may_everywhere(Permission.AUDIT_READ)
    return lambda entry: _change(entry, seen, entry.address if traced else "")


async def _seen(session: AsyncSession, actor: Actor, entries: Iterable[AuditEntry]) -> Seen:
    named: dict[Noun, set[str]] = {}
    for entry in entries:
        for fields in (entry.before, entry.after):
            for noun, name in _references(fields or {}):
                if not actor.may_everywhere(READ[noun]):
                    named.setdefault(noun, set()).add(name)
    return {
        noun: frozenset(await session.scalars(queries.seen(actor, READ[noun], noun, names)))
        for noun, names in named.items()
    }


def _references(fields: Mapping[str, Any]) -> Iterator[tuple[Noun, str]]:
    for field, value in fields.items():
        if field in OPAQUE:
            continue
        if isinstance(value, Mapping):
            yield from _references(value)
        elif field in REFERENCES and value is not None:
            yield from ((REFERENCES[field], name) for name in _names(value))


def _names(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _change(entry: AuditEntry, seen: Seen, address: str) -> dict[str, Any]:
    before, after = (_shown(fields or {}, seen) for fields in (entry.before, entry.after))
    return {
        **entry.model_dump(exclude={"before", "after", "address"}),
        "address": address,
        "name": entry.object_name,
        "fields": [
            Difference(field=field, before=before.get(field), after=after.get(field))
            for field in sorted({*before, *after})
        ],
    }


def _shown(fields: Mapping[str, Any], seen: Seen) -> dict[str, Any]:
    return {field: _value(field, value, seen) for field, value in fields.items()}


def _value(field: str, value: Any, seen: Seen) -> Any:
    if field in OPAQUE:
        return value
    if isinstance(value, Mapping):
        return _shown(value, seen)
    known = seen.get(REFERENCES[field]) if field in REFERENCES else None
    if known is None or value is None:
        return value
    shown = [name if name in known else UNSEEN for name in _names(value)]
    return shown[0] if isinstance(value, str) else shown
