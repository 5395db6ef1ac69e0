"""Logging in and looking after one's account, over HTTP."""

from fastapi import APIRouter

from controlplane.auth.endpoints import login, mfa, password, profile, sessions, tokens, users

router = APIRouter(prefix="/api/v1/auth", tags=["auth"])
for part in (login, profile, password, sessions, mfa, tokens):
    router.include_router(part.router)
people = users.router
