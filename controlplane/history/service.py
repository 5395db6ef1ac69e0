"""Read what was done to an object; names of what the reader does not see are hidden."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.audit.models import AuditEntry
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.history import queries
from controlplane.history.nouns import OPAQUE, REFERENCES, Noun
from controlplane.history.schemas import ChangeRead, Difference

HIDDEN = "hidden"
Seen = Mapping[Noun, frozenset[str]]


async def read(
    session: AsyncSession, actor: Actor, permission: Permission, entries: Sequence[AuditEntry]
) -> list[ChangeRead]:
    """Give entries as the actor may know them: who holds the permission everywhere sees all."""
    seen = None
    if not actor.may_everywhere(permission):
        seen = await _seen(session, actor, permission, entries)
    traced = actor.may_everywhere(Permission.AUDIT_READ)
    return [_change(entry, seen, entry.address if traced else "") for entry in entries]


async def _seen(
    session: AsyncSession, actor: Actor, permission: Permission, entries: Iterable[AuditEntry]
) -> Seen:
    named: dict[Noun, set[str]] = {}
    for entry in entries:
        for fields in (entry.before, entry.after):
            for noun, name in _references(fields or {}):
                named.setdefault(noun, set()).add(name)
    return {
        noun: frozenset(await session.scalars(queries.seen(actor, permission, noun, names)))
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


def _change(entry: AuditEntry, seen: Seen | None, address: str) -> ChangeRead:
    before, after = (
        fields if seen is None else _shown(fields, seen)
        for fields in (entry.before or {}, entry.after or {})
    )
    return ChangeRead(
        **entry.model_dump(exclude={"before", "after", "address"}),
        address=address,
        name=entry.object_name,
        fields=[
            Difference(field=field, before=before.get(field), after=after.get(field))
            for field in sorted({*before, *after})
        ],
    )


def _shown(fields: Mapping[str, Any], seen: Seen) -> dict[str, Any]:
    return {field: _value(field, value, seen) for field, value in fields.items()}


def _value(field: str, value: Any, seen: Seen) -> Any:
    if field in OPAQUE:
        return value
    if isinstance(value, Mapping):
        return _shown(value, seen)
    if field not in REFERENCES or value is None:
        return value
    known = seen.get(REFERENCES[field], ())  # of an empty list no names were asked for
    shown = [name if name in known else HIDDEN for name in _names(value)]
    return shown[0] if isinstance(value, str) else shown
