"""What services fetch: the snapshot for the exporter, the targets for Prometheus."""

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from controlplane.auth.dependencies import CanReadSnapshot, CanReadTargets
from controlplane.database import ReadSession
from controlplane.errors import NotFound
from controlplane.settings import Settings
from controlplane.targets.snapshot import Snapshot

router = APIRouter(prefix="/api/v1", tags=["services"])

NOT_MODIFIED = 304


@router.get("/exporter/snapshot", response_model=None, responses={304: {}})
async def get_snapshot(request: Request, session: ReadSession, _actor: CanReadSnapshot) -> Response:
    """Give the exporter all it needs to ask the monitored devices, secrets included."""
    snapshot: Snapshot = await request.app.state.snapshot.get(session)
    request.app.state.vault_metrics.unreadable.set(len(snapshot.unreadable))
    if snapshot.unreadable:  # what mends a secret may be a file, which no count of changes counts
        request.app.state.snapshot.forget()
    headers = {"ETag": snapshot.etag, "Cache-Control": "no-store"}
    if _matches(request.headers.get("if-none-match", ""), snapshot.etag):
        return Response(status_code=NOT_MODIFIED, headers=headers)
    return Response(snapshot.content, media_type="application/json", headers=headers)


@router.get("/targets/{shard}", response_model=None)
async def get_targets(
    shard: int, request: Request, session: ReadSession, _actor: CanReadTargets
) -> Response:
    """List the targets of one Prometheus server, as its HTTP service discovery wants them."""
    settings: Settings = request.app.state.settings
    lists: Mapping[int, bytes] = await request.app.state.targets.get(session)
    if shard not in lists:
        raise NotFound(f"there is no shard {shard}, only 0 to {settings.shards - 1}")
    return Response(lists[shard], headers={"Content-Type": "application/json"})


def _matches(if_none_match: str, etag: str) -> bool:
    """Compare as RFC 9110, section 13.1.2, says: weakly, with any of the list."""
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return "*" in tags or etag in tags
