"""Tokens for one's programs: make one, see them, revoke one."""

from uuid import UUID

from fastapi import APIRouter

from controlplane.auth import api_tokens
from controlplane.auth.api_tokens import Wish
from controlplane.auth.presence import CurrentPerson, RecentPerson
from controlplane.auth.schemas import TokenCreate, TokenMade, TokenRead
from controlplane.database import Session

router = APIRouter(prefix="/tokens")


@router.get("")
async def list_tokens(session: Session, person: CurrentPerson) -> list[TokenRead]:
    """List one's tokens, without their secrets."""
    found = await api_tokens.listed(session, person.user.id)
    return [TokenRead.model_validate(token) for token in found]


@router.post("", status_code=201)
async def create_token(data: TokenCreate, session: Session, person: RecentPerson) -> TokenMade:
    """Make a token that may do some of what one may do; its secret is shown this once."""
    wish = Wish(data.name, data.scopes, data.networks, data.expires_at)
    token, text = await api_tokens.create(session, person.actor, wish)
    shown = TokenRead.model_validate(token)
    return TokenMade(**shown.model_dump(), token=text)


@router.delete("/{token_id}", status_code=204)
async def revoke_token(token_id: UUID, session: Session, person: CurrentPerson) -> None:
    """End a token; whoever holds it is refused from the next request on."""
    await api_tokens.revoke(session, person.actor, token_id)
