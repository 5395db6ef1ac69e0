"""Log in, stay logged in, log out."""

from typing import Any

from fastapi import APIRouter, Request, Response

from controlplane.audit import service as audit
from controlplane.audit.models import Action
from controlplane.auth import service, sessions
from controlplane.auth.cookies import csrf
from controlplane.auth.dependencies import People, origin
from controlplane.auth.identity import Identity
from controlplane.auth.models import Delivery
from controlplane.auth.presence import CurrentPerson
from controlplane.auth.schemas import LoggedIn, Login, LoginWithCode, Refresh
from controlplane.auth.service import Attempt, Challenge
from controlplane.auth.sessions import Client, Opened
from controlplane.auth.tokens import Claims
from controlplane.database import Session, now

router = APIRouter()

TOO_MANY: dict[int | str, dict[str, Any]] = {
    429: {"description": "Too many failures; see Retry-After"}
}


@router.post("/login", responses=TOO_MANY)
async def log_in(data: Login, request: Request, response: Response, people: People) -> LoggedIn:
    """Log in with a user name and a password.

    With `delivery: bearer` the answer holds an access token and a refresh token. With
    `delivery: cookie`, for browsers, it sets cookies, and requests that write repeat the value of
    the cookie `chm_csrf` in the header `X-CSRF-Token`. Where a second factor is set up the answer
    is a `challenge` for `/mfa/login`.
    """
    client = _client(request, people, data.delivery)
    attempt = Attempt(data.name, data.password.get_secret_value(), data.delivery, client)
    outcome = await service.login(people, attempt)
    if isinstance(outcome, Challenge):
        return LoggedIn(challenge=outcome.token, expires_in=outcome.expires_in)
    return await _answer(people, response, outcome, client)


@router.post("/mfa/login", responses=TOO_MANY)
async def log_in_with_code(
    data: LoginWithCode, request: Request, response: Response, people: People
) -> LoggedIn:
    """Finish a login with a code of the clock, or with a recovery code."""
    client = _client(request, people, data.delivery)
    opened = await service.login_with_code(
        people,
        data.challenge.get_secret_value(),
        data.code.get_secret_value(),
        data.delivery,
        client,
    )
    return await _answer(people, response, opened, client)


@router.post("/refresh")
async def refresh(data: Refresh, request: Request, response: Response, people: People) -> LoggedIn:
    """Exchange a refresh token for the next; one that is used twice ends its session."""
    client = _client(request, people, Delivery.BEARER)
    opened = await service.refresh(people, data.refresh_token.get_secret_value(), client)
    return await _answer(people, response, opened, client)


@router.post("/logout", status_code=204)
async def log_out(
    response: Response, session: Session, people: People, person: CurrentPerson
) -> None:
    """End this session: its tokens and cookies are worth nothing at once, on every replica."""
    sessions.end(person.login, now(), "logged out")
    await audit.record(
        session, Action.LOGOUT, who=person.who, object_type="session", object_id=person.login.id
    )
    people.cookies.clear(response)


def _client(request: Request, people: Identity, delivery: Delivery) -> Client:
    """Describe who wants to log in; a browser must come from a page of ours."""
    device = people.cookies.device(request)
    if delivery is Delivery.COOKIE:
        people.cookies.check_origin(request)
        device = device or people.cookies.new_device()
    return Client(origin(request), request.headers.get("user-agent", ""), device)


async def _answer(people: Identity, response: Response, opened: Opened, client: Client) -> LoggedIn:
    if opened.login.delivery is Delivery.COOKIE:
        people.cookies.keep(response, opened, client.device)
        idle = int(people.limits.idle.total_seconds())
        return LoggedIn(csrf_token=csrf(opened.secret), expires_in=idle)
    lifetime = int(people.tokens.lifetime)
    async with people.sessions.begin() as session:
        claims = Claims(opened.login.user_id, opened.login.id)
        access = await people.tokens.issue(session, claims)
    return LoggedIn(access_token=access, refresh_token=opened.secret, expires_in=lifetime)
