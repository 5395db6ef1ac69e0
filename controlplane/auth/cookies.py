"""The browser's login: cookies that scripts cannot read, and proof that a request is our page's.

Where people reach us by HTTPS the cookies are `Secure` and carry the `__Host-` prefix, so that no
neighbour of the domain can set them (RFC 6265bis). Writing takes two proofs (OWASP on CSRF): the
browser says that the request comes from our own origin, and a header repeats a cookie that is
derived from the session and that a page of another origin can neither read nor set.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from fastapi import Request, Response

from controlplane.auth.sessions import Opened
from controlplane.errors import Forbidden

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER = "X-CSRF-Token"
DEVICE_SECONDS = 365 * 24 * 3600
DEVICE_BYTES = 16
Name = Literal["session", "csrf", "device"]


@dataclass(frozen=True)
class Cookies:
    """The cookies of one installation, which people reach at `public_url`."""

    public_url: str

    @property
    def secure(self) -> bool:
        """Say whether cookies may only travel encrypted."""
        return self.public_url.startswith("https://")

    def name(self, name: Name) -> str:
        """Give the full name of a cookie."""
        return f"__Host-chm_{name}" if self.secure else f"chm_{name}"

    def keep(self, response: Response, opened: Opened, device: str) -> None:
        """Have the browser keep a session, and the id under which its login was counted."""
        lifetime = int((opened.login.expires_at - opened.login.created_at).total_seconds())
        self._set(response, "session", opened.secret, lifetime)
        self._set(response, "csrf", csrf(opened.secret), lifetime, readable=True)
        self._set(response, "device", device, DEVICE_SECONDS)

    def clear(self, response: Response) -> None:
        """Have the browser forget the session; the device stays known."""
        self._set(response, "session", "", 0)
        self._set(response, "csrf", "", 0, readable=True)

    def session(self, request: Request) -> str | None:
        """Give the session a browser shows; raise Forbidden where the request is not its page's."""
        shown = request.cookies.get(self.name("session"))
        if shown is not None and request.method not in SAFE_METHODS:
            self.check_origin(request)
            if not hmac.compare_digest(
                request.headers.get(CSRF_HEADER, "").encode(), csrf(shown).encode()
            ):
                raise Forbidden(f"the header {CSRF_HEADER} does not repeat the cookie")
        return shown

    def device(self, request: Request) -> str:
        """Give the id by which a client is known from earlier logins; empty where it has none."""
        return request.cookies.get(self.name("device"), "")

    def new_device(self) -> str:
        """Make an id for a browser that has none: it is known from its first login on."""
        return secrets.token_urlsafe(DEVICE_BYTES)

    def check_origin(self, request: Request) -> None:
        """Raise Forbidden where the browser says that another origin's page made the request."""
        site = request.headers.get("sec-fetch-site")
        if site not in {None, "same-origin", "none"}:
            raise Forbidden("the request comes from a page of another origin")
        origin = request.headers.get("origin")
        if origin is not None and origin not in {_origin(self.public_url), _own(request)}:
            raise Forbidden("the request comes from a page of another origin")

    def _set(
        self, response: Response, name: Name, value: str, seconds: int, *, readable: bool = False
    ) -> None:
        response.set_cookie(
            self.name(name),
            value,
            max_age=seconds,
            path="/",
            secure=self.secure,
            httponly=not readable,
            samesite="strict",
        )


def csrf(session: str) -> str:
    """Derive what the header repeats; nobody finds the session from it."""
    return hashlib.sha256(f"csrf|{session}".encode()).hexdigest()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _own(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"
