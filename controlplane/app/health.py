"""What the service says about itself: `/health` for supervisors, `/metrics` for Prometheus."""

from typing import Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from controlplane import database
from controlplane.errors import Unavailable
from controlplane.targets.snapshot import Snapshot

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """Whether the control plane can do its work."""

    status: Literal["ok", "unavailable"]
    database: Literal["ok", "unavailable"]
    warnings: list[str] = []


@router.get("/health", responses={503: {"model": Health}})
async def health(request: Request, response: Response) -> Health:
    """Say whether the service and its database answer."""
    try:
        async with request.app.state.sessions() as session:
            await database.reach(session)
    except Unavailable:
        response.status_code = Unavailable.status
        return Health(status="unavailable", database="unavailable")
    return Health(status="ok", database="ok", warnings=_warnings(request.app.state.snapshot.kept))


def _warnings(snapshot: Snapshot | None) -> list[str]:
    """Say what does not keep the service from its work and must not stay as it is."""
    if snapshot is None:
        return []
    left_out = {
        "credentials do not open; see `chm vault status`": snapshot.unreadable,
        "devices are outside of CHM_MANAGEMENT_NETWORKS": snapshot.out_of_reach,
    }
    return [
        f"not in the snapshot for the exporter: {len(names)} {what}"
        for what, names in left_out.items()
        if names
    ]


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Expose the metrics of this process."""
    content = generate_latest(request.app.state.registry)
    return Response(content, media_type=CONTENT_TYPE_LATEST)
