"""What services fetch: the snapshot for the exporter, the targets for Prometheus."""

from functools import partial

from fastapi import APIRouter, Request, Response

from controlplane import database
from controlplane.auth.actor import Actor
from controlplane.auth.dependencies import CanConfirmTargets, CanReadSnapshot, CanReadTargets
from controlplane.database import Session
from controlplane.errors import Forbidden
from controlplane.targets import gate
from controlplane.targets.discovery import Lists
from controlplane.targets.schemas import Allowance, TargetsRead
from controlplane.targets.snapshot import Snapshot

router = APIRouter(prefix="/api/v1", tags=["services"])

NOT_MODIFIED = 304


@router.get("/exporter/snapshot", response_model=None, responses={304: {}})
async def get_snapshot(
    request: Request, actor: CanReadSnapshot, since: str | None = None, exporter: str = ""
) -> Response:
    """Give an exporter all it needs to ask its devices, secrets included.

    With `since`, a revision it has, only what is another now, where we still know that one.
    Without `exporter`, its name, it gets all devices; a token named as an exporter is for that one.
    """
    state = request.app.state
    lend = partial(database.reading, state.sessions)
    snapshot: Snapshot = await state.snapshot.recent(state.watch, lend)
    state.vault_metrics.unreadable.set(len(snapshot.unreadable))
    name = _exporter(actor, snapshot, exporter)
    document, history = snapshot.of(name), state.histories[name]
    history.keep(document)
    etag = f'"{document.revision}"'
    headers = {"ETag": etag, "Cache-Control": "no-store"}
    if _matches(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=NOT_MODIFIED, headers=headers)
    content = history.since(since, document)
    return Response(content, media_type="application/json", headers=headers)


@router.get("/targets/exporters", response_model=None)
async def get_exporters(request: Request, _actor: CanReadTargets) -> Response:
    """List every exporter, so that Prometheus scrapes what each says of itself."""
    state = request.app.state
    lend = partial(database.reading, state.sessions)
    lists: Lists = await state.targets.recent(state.watch, lend)
    return Response(lists.exporters, headers={"Content-Type": "application/json"})


@router.get("/targets/{shard}", response_model=None)
async def get_targets(shard: int, request: Request, _actor: CanReadTargets) -> Response:
    """List the targets of one Prometheus server, as its HTTP service discovery wants them."""
    state = request.app.state
    lend = partial(database.reading, state.sessions)
    lists: Lists = await state.targets.recent(state.watch, lend)
    return Response(lists.serve(shard), headers={"Content-Type": "application/json"})


@router.get("/targets")
async def get_status(session: Session, _actor: CanConfirmTargets) -> TargetsRead:
    """Show whether the lists are withheld, and which devices would vanish with them."""
    return await gate.status(session)


@router.post("/targets/confirm")
async def confirm(data: Allowance, session: Session, actor: CanConfirmTargets) -> TargetsRead:
    """Let the lists shrink to what the inventory holds now, or to `least`, for some minutes."""
    return await gate.confirm(session, actor, data)


def _exporter(actor: Actor, snapshot: Snapshot, asked: str) -> str:
    if actor.name not in snapshot.exporters:
        return asked
    if asked not in {"", actor.name}:
        raise Forbidden(f"this token is for exporter {actor.name!r} alone")
    return actor.name


def _matches(if_none_match: str, etag: str) -> bool:
    """Compare as RFC 9110, section 13.1.2, says: weakly, with any of the list."""
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return "*" in tags or etag in tags
