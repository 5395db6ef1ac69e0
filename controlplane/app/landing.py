"""The first page: where everything is, for whoever opens the address of the control plane."""

import html

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from controlplane import csp
from controlplane.settings import Settings

router = APIRouter(include_in_schema=False)

PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Catalyst Health Monitor</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.6 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; }}
h1 {{ line-height: 1.25; }}
dt {{ font-weight: 600; margin-top: 0.8rem; }}
dd {{ margin: 0; }}
</style>
</head>
<body>
<main>
<h1>Catalyst Health Monitor</h1>
<dl>
<dt><a href="api/docs">API</a></dt>
<dd>Devices, credentials, thresholds, alerts and rule sets; try it in the page, or read it as
<a href="api/redoc">reference</a> or <a href="api/openapi.json">OpenAPI</a>.</dd>
<dt><a href="{prometheus}">Prometheus</a></dt>
<dd>Measurements, rules and what fires.</dd>
<dt><a href="{alertmanager}">Alertmanager</a></dt>
<dd>Who is told, and silences.</dd>
<dt><a href="runbooks/DeviceDown">Runbooks</a></dt>
<dd>What to do about each alert; an alert's <code>runbook_url</code> leads to its page.</dd>
<dt><a href="health">Health</a>, <a href="metrics">metrics</a></dt>
<dd>How the control plane itself is.</dd>
</dl>
</main>
</body>
</html>
"""
HEADERS = {
    "Content-Security-Policy": csp.policy(
        style_src=csp.hashes(PAGE.format(prometheus="", alertmanager=""), "style")
    )
}


@router.get("/")
async def landing(request: Request) -> HTMLResponse:
    """Show where everything is."""
    settings: Settings = request.app.state.settings
    where = {
        "prometheus": settings.prometheus_public_url,
        "alertmanager": settings.alertmanager_public_url,
    }
    page = PAGE.format(**{name: html.escape(url, quote=True) for name, url in where.items()})
    return HTMLResponse(page, headers=HEADERS)
