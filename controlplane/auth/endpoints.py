"""Log in, and ask who one is."""

from fastapi import APIRouter, Request

from controlplane.auth import service
from controlplane.auth.dependencies import CurrentActor
from controlplane.auth.schemas import AccessToken, Login, Me
from controlplane.auth.tokens import AccessTokens

router = APIRouter(prefix="/api/v1/auth", tags=["auth"])


@router.post("/login", responses={429: {"description": "Too many failures; see Retry-After"}})
async def login(data: Login, request: Request) -> AccessToken:
    """Exchange a user name and a password for an access token."""
    state = request.app.state
    password = data.password.get_secret_value()
    address = request.client.host if request.client else ""
    user = await service.login(state.sessions, state.passwords, data.name, password, address)
    tokens: AccessTokens = request.app.state.access_tokens
    return AccessToken(access_token=tokens.issue(user.id), expires_in=int(tokens.lifetime))


@router.get("/me")
async def me(actor: CurrentActor) -> Me:
    """Say who is logged in and what they may do."""
    return Me(id=actor.id, name=actor.name, permissions=sorted(actor.permissions))
