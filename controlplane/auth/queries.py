"""Statements about service tokens."""

from sqlalchemy import Select
from sqlmodel import select

from controlplane.auth.models import ServiceToken


def service_token(name: str) -> Select[tuple[ServiceToken]]:
    """Select the service token of this name."""
    return select(ServiceToken).where(ServiceToken.name == name)
