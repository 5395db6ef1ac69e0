"""Write the audit log: `await audit.record(session, Action.CREATE, who=..., ...)`."""

import re
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from pydantic import SecretBytes, SecretStr
from pydantic_core import to_jsonable_python
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import grammar
from controlplane.audit.models import Action, Outcome, Who
from controlplane.audit.session import AuditedSession
from controlplane.database import now, same

CHANGED = "changed"  # all that is ever said about a secret
# A net below the callers, who name no secret's value: whatever is called so is not written.
SECRETS = frozenset(
    {
        *("password", "new_password", "password_hash", "community", "priv_password"),
        *("secret", "secret_hash", "token", "refresh_token", "data_key", "private_key"),
        "passphrase",
    }
)
TEXT_LENGTH = 255
UNPRINTABLE = re.compile(f"[{grammar.UNPRINTABLE}]")

Fields = Mapping[str, Any]


async def record(
    session: AsyncSession,
    action: Action,
    *,
    who: Who,
    object_type: str = "",
    object_id: UUID | str | None = None,
    object_name: str = "",
    before: Fields | None = None,
    after: Fields | None = None,
    outcome: Outcome = Outcome.SUCCESS,
) -> None:
    """Add an entry to the log with the commit of this session, or with its rollback none.

    Of `before` and `after` only what differs is kept; secrets appear as "changed" only.
    """
    audited = session.sync_session
    if not isinstance(audited, AuditedSession):
        raise TypeError("this session writes no audit log: make it with audit.session.sessions")
    old, new = _difference(before, after)
    audited.keep(
        {
            "at": now(),
            "action": action,
            "outcome": outcome,
            "actor_kind": who.kind,
            "actor_id": _text(who.id),
            "actor_name": _text(who.name),
            "address": _text(who.address),
            "request_id": _text(who.request_id),
            "object_type": object_type,
            "object_id": "" if object_id is None else _text(str(object_id)),
            "object_name": _text(object_name),
            "before": old,
            "after": new,
        }
    )


def _difference(before: Fields | None, after: Fields | None) -> tuple[Any, Any]:
    old, new = (None if fields is None else _shown(fields) for fields in (before, after))
    if old is None or new is None:
        return old, new
    common = old.keys() & new.keys()
    kept = {name for name in common if same(old[name], new[name]) and new[name] != CHANGED}
    return _without(old, kept), _without(new, kept)


def _without(fields: Fields, names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}


def _shown(fields: Fields) -> dict[str, Any]:
    return {
        name: CHANGED if name in SECRETS and value is not None else _json(value)
        for name, value in fields.items()
    }


def _json(value: object) -> Any:
    """Write a value as JSON has it, and never a secret."""
    if isinstance(value, SecretStr | SecretBytes | bytes):
        return CHANGED
    if isinstance(value, Mapping):
        return _shown({str(name): inner for name, inner in value.items()})
    if isinstance(value, list | tuple):
        return [_json(inner) for inner in value]
    if isinstance(value, set | frozenset):
        return sorted(_json(inner) for inner in value)
    return to_jsonable_python(value, fallback=str)


def _text(text: str) -> str:
    """Make a text of a client fit to be stored and shown: no terminal obeys it, and it ends."""
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)[:TEXT_LENGTH]
