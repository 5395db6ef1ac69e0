"""Where Alertmanager tells what a channel with a cap would be told."""

from fastapi import APIRouter, BackgroundTasks, Request

from controlplane import bodies
from controlplane.auth.dependencies import CanIngestAlerts
from controlplane.database import Session
from controlplane.digests import service
from controlplane.digests.telling import Sender
from controlplane.grammar import Name
from controlplane.notifications.schemas import Counted, InboxMessage

router = APIRouter(prefix="/api/v1/digests", tags=["notifications"])


@router.post("/{channel}", openapi_extra=bodies.described(InboxMessage))
async def receive_for_channel(
    channel: Name,
    request: Request,
    after: BackgroundTasks,
    session: Session,
    _actor: CanIngestAlerts,
) -> Counted:
    """Take a notification for a channel with a cap: told on at once, or held for a digest."""
    data = await bodies.read(request, InboxMessage)
    if await service.receive(session, channel, data.alerts):
        sender: Sender = request.app.state.sender
        after.add_task(sender.tell)
    return Counted(count=len(data.alerts))
