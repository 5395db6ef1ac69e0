"""The pages of the API, Swagger UI and ReDoc, from files of our own and under a strict policy."""

from fastapi import APIRouter
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import HTMLResponse

from controlplane import csp

OPENAPI_URL, STATIC_URL = "/api/openapi.json", "/api/static"
FAVICON = f"{STATIC_URL}/favicon.png"
TITLE = "Catalyst Health Monitor"

router = APIRouter(include_in_schema=False)


def _policy(page: HTMLResponse) -> dict[str, str]:
    # Both write styles at run time, of which no hash is known before; no script is let in that way.
    script = f"'self' {csp.hashes(bytes(page.body).decode(), 'script')}".strip()
    return {
        "Content-Security-Policy": csp.policy(
            script_src=script,
            style_src="'self' 'unsafe-inline'",
            img_src="'self' data:",
            connect_src="'self'",
            worker_src="blob:",
        )
    }


@router.get("/api/docs")
def swagger() -> HTMLResponse:
    """Show the API to try it."""
    page = get_swagger_ui_html(
        openapi_url=OPENAPI_URL,
        title=f"{TITLE}: API",
        swagger_js_url=f"{STATIC_URL}/swagger-ui-bundle.js",
        swagger_css_url=f"{STATIC_URL}/swagger-ui.css",
        swagger_favicon_url=FAVICON,
    )
    page.headers.update(_policy(page))
    return page


@router.get("/api/redoc")
def redoc() -> HTMLResponse:
    """Show the API as reference."""
    page = get_redoc_html(
        openapi_url=OPENAPI_URL,
        title=f"{TITLE}: API",
        redoc_js_url=f"{STATIC_URL}/redoc.standalone.js",
        redoc_favicon_url=FAVICON,
        with_google_fonts=False,
    )
    page.headers.update(_policy(page))
    return page
