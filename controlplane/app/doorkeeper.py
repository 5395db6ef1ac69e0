"""Who may knock at all: by the network they come from, the names they use, and HTTPS.

It stands behind `ProxyHeadersMiddleware` of uvicorn, which believes X-Forwarded-For and
X-Forwarded-Proto of trusted proxies and of nobody else.
"""

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from controlplane import grammar, networks
from controlplane.errors import ChmError, Forbidden, Misdirected, NotFound
from controlplane.settings import Settings

LOCAL_NAMES = frozenset({"localhost"})
POLICY_VIOLATION = 1008  # RFC 6455, section 7.4.1
SECURE = frozenset({"https", "wss"})


class Doorkeeper:
    """Lets a request in, or refuses it before anything is read of it."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        urls = (settings.public_url, settings.controlplane_url)
        named = {urlsplit(url).hostname or "" for url in urls}
        self._names = LOCAL_NAMES | named | {name.lower() for name in settings.allowed_hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request or WebSocket, or refuse it."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        else:
            raise refusal

    def _refusal(self, scope: Scope) -> ChmError | None:
        settings, headers = self._settings, Headers(scope=scope)
        address = networks.parse(scope["client"][0] if scope["client"] else "")
        if networks.within(address, settings.denied_networks):
            return Forbidden("this network is not allowed here")
        if settings.allowed_networks and not networks.within(address, settings.allowed_networks):
            return Forbidden("this network is not allowed here")
        if not self._is_ours(headers.getlist("host")):
            return Misdirected("no service of this name is here; CHM_ALLOWED_HOSTS names them")
        # Routes match in front of a line feed, too: such a path would be counted as another.
        if not re.fullmatch(grammar.PRINTABLE_PATTERN, scope["path"]):
            return NotFound("no path has control characters")
        if settings.production and scope["scheme"] not in SECURE:
            return self._plain(address, headers)
        return None

    def _is_ours(self, hosts: list[str]) -> bool:
        """Say whether the one Host header names us.

        A bare address is fine: an attack by DNS (rebinding) needs a name.
        """
        try:
            (host,) = hosts
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self._names or networks.parse(name) is not None

    def _plain(self, address: networks.Address | None, headers: Headers) -> ChmError | None:
        """Refuse plain HTTP but of the services on this machine, which no proxy forwards."""
        if "x-forwarded-for" in headers or "forwarded" in headers:
            return Forbidden("HTTPS is required; CHM_TRUSTED_PROXIES says whose word counts on it")
        if networks.within(address, self._settings.plain_networks):
            return None
        return Forbidden("HTTPS is required")
