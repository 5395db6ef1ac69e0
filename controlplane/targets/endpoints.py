"""What services fetch: the snapshot for the exporter, the targets for Prometheus."""

from collections.abc import Mapping
from functools import partial

from fastapi import APIRouter, Request, Response

from controlplane import database
from controlplane.auth.dependencies import CanReadSnapshot, CanReadTargets
from controlplane.errors import NotFound
from controlplane.settings import Settings
from controlplane.targets.snapshot import Snapshot

router = APIRouter(prefix="/api/v1", tags=["services"])

NOT_MODIFIED = 304


@router.get("/exporter/snapshot", response_model=None, responses={304: {}})
async def get_snapshot(
    request: Request, _actor: CanReadSnapshot, since: str | None = None
) -> Response:
    """Give the exporter all it needs to ask the monitored devices, secrets included.

    With `since`, a revision it has, only what is another now, where we still know that one.
    """
    state = request.app.state
    lend = partial(database.reading, state.sessions)
    snapshot: Snapshot = await state.snapshot.recent(state.watch, lend)
    state.vault_metrics.unreadable.set(len(snapshot.unreadable))
    document, history = snapshot.document, state.histories[""]
    history.keep(document)
    etag = f'"{document.revision}"'
    headers = {"ETag": etag, "Cache-Control": "no-store"}
    if _matches(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=NOT_MODIFIED, headers=headers)
    content = history.since(since, document)
    return Response(content, media_type="application/json", headers=headers)


@router.get("/targets/{shard}", response_model=None)
async def get_targets(shard: int, request: Request, _actor: CanReadTargets) -> Response:
    """List the targets of one Prometheus server, as its HTTP service discovery wants them."""
    state = request.app.state
    settings: Settings = state.settings
    lend = partial(database.reading, state.sessions)
    lists: Mapping[int, bytes] = await state.targets.recent(state.watch, lend)
    if shard not in lists:
        raise NotFound(f"there is no shard {shard}, only 0 to {settings.shards - 1}")
    return Response(lists[shard], headers={"Content-Type": "application/json"})


def _matches(if_none_match: str, etag: str) -> bool:
    """Compare as RFC 9110, section 13.1.2, says: weakly, with any of the list."""
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return "*" in tags or etag in tags
