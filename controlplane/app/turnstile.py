"""Few people log in at a time: others wait in a short line, and beyond it are told to come back.

A login costs what hundreds of other requests do. It stands here before anything is done for one, so
that a flood of them is no trouble to whoever asks for something else.
"""

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from controlplane.auth.identity import Identity

LOGIN = ("POST", "/api/v1/auth/login")


class Turnstile:
    """Lets logins through one by one; everything else passes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or raise Busy."""
        if scope["type"] != "http" or (scope["method"], scope["path"]) != LOGIN:
            await self._app(scope, receive, send)
            return
        try:  # first, for whoever sends it slowly must not keep others waiting
            body = await Request(scope, receive).body()
        except ClientDisconnect:
            return
        identity: Identity = scope["app"].state.identity
        async with identity.passwords.seat():
            await self._app(scope, _replayed(body, receive), send)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Give a body that was read already, and then what comes after it."""
    whole: Message = {"type": "http.request", "body": body, "more_body": False}
    left = [whole]

    async def again() -> Message:
        return left.pop() if left else await receive()

    return again
