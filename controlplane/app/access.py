"""No endpoint without access: whatever asks for no login stands on a list, with the reason why."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from controlplane.auth.dependencies import Requires, current_actor

PUBLIC: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("POST", "/api/v1/auth/login"): "who logs in is not logged in yet",
        ("POST", "/api/v1/auth/mfa/login"): "the second step of the same; it takes a challenge",
        ("POST", "/api/v1/auth/refresh"): "it takes a refresh token, which is the proof",
        ("POST", "/api/v1/auth/password/reset"): "who forgot the password cannot log in",
        ("POST", "/api/v1/auth/password/reset/confirm"): "it takes a one-time token by mail",
        ("POST", "/api/v1/auth/invitation/accept"): "it takes a one-time token of an admin",
        ("POST", "/api/v1/auth/register"): "closed unless an operator opens it",
        ("GET", "/account/{page}"): "where the links of invitations and resets lead",
        ("GET", "/account/static/{name}"): "styles and scripts of these pages",
        ("GET", "/health"): "supervisors have no login; it says ok or not and no more",
        ("GET", "/metrics"): "Prometheus scrapes it; it counts, and names nothing of the inventory",
        ("GET", "/runbooks/{alert}"): "pages of the documentation; those of rules ask for a login",
        ("GET", "/"): "the way to everything else",
        ("GET", "/api/docs"): "the documentation of the API, the same in every installation",
        ("GET", "/api/redoc"): "the same",
        ("GET", "/api/openapi.json"): "the same",
        ("GET", "/api/static"): "styles and scripts of the pages",
    }
)
# For whoever is logged in, whatever they may do: what lies here is of their own.
OWN = ("/api/v1/auth/", "/api/v1/jobs")


@dataclass(frozen=True)
class Operation:
    """A method on a path; what it requires, and whether it asks for a login at all."""

    method: str
    path: str
    required: Requires | None
    asks_for_login: bool

    @property
    def key(self) -> tuple[str, str]:
        """How the lists above name it."""
        return self.method, self.path


def refuse_unguarded(app: FastAPI) -> None:
    """Raise RuntimeError where something has no access type and stands on no list."""
    for operation in operations(app):
        own = operation.path.startswith(OWN) and operation.asks_for_login
        if not (operation.required or own or operation.key in PUBLIC):
            name = f"{operation.method} {operation.path}"
            raise RuntimeError(f"{name} is open to everybody; give it an access type")


def operations(app: FastAPI) -> Iterator[Operation]:
    """Give every operation of the application, documented or not; a mount is one that reads."""
    for route in iter_route_contexts(app.routes):
        calls = [dependant.call for dependant in _all(getattr(route, "dependant", None))]
        required = next((call for call in calls if isinstance(call, Requires)), None)
        for method in sorted(route.methods or {"GET"}):
            if method != "HEAD":  # it comes with GET
                yield Operation(method, str(route.path), required, current_actor in calls)


def _all(dependant: Dependant | None) -> Iterator[Dependant]:
    if dependant is not None:
        yield dependant
        for inner in dependant.dependencies:
            yield from _all(inner)
