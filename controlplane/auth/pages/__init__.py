"""The pages that links lead to: where people choose a password. Plain files, the same for all."""

from pathlib import Path
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import FileResponse

router = APIRouter(prefix="/account", include_in_schema=False)

FOLDER = Path(__file__).parent
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@router.get("/{page}")
async def show(page: Literal["invitation", "reset"]) -> FileResponse:  # noqa: ARG001 - the script reads it from the address
    """Show the page of an invitation or of a reset; the token stays in the browser."""
    return _file("account.html")


@router.get("/static/{name}")
async def static(name: Literal["account.js", "account.css"]) -> FileResponse:
    """Give the script and the style of the pages."""
    return _file(name)


def _file(name: str) -> FileResponse:
    headers = {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"}
    return FileResponse(FOLDER / name, headers=headers)
