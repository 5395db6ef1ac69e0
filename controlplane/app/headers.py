"""Security headers on every answer, whoever makes it."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from controlplane import csp

DEFAULTS = {
    "Content-Security-Policy": csp.NOTHING,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}
CACHED = "/api/static/"  # of what is here nobody has a secret, and it has an ETag
HSTS = "max-age=63072000"  # two years


class SecurityHeaders:
    """Adds what an answer does not say itself; HSTS (RFC 6797) only where there is HTTPS for good.

    What was answered over plain HTTP must not carry it, and a browser would ignore it there.
    """

    def __init__(self, app: ASGIApp, *, production: bool) -> None:
        self._app = app
        self._production = production

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request with all headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if scope["path"].startswith(CACHED):
                    headers.setdefault("Cache-Control", "no-cache")
                for name, value in DEFAULTS.items():
                    headers.setdefault(name, value)
                if self._production and scope["scheme"] == "https":
                    headers["Strict-Transport-Security"] = HSTS
            await send(message)

        await self._app(scope, receive, with_headers)
