"""Runbooks as pages: where the `runbook_url` of an alert leads.

Those of the product are open to everybody, and shown while the database is down. Those of rules
that people wrote are for who sees the rule; without a login nobody learns which there are.
"""

import asyncio
import html
import re
from contextlib import asynccontextmanager
from pathlib import Path
from string import Template

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from markdown_it import MarkdownIt

from controlplane import csp
from controlplane.auth.dependencies import Bearer, People, current_actor, require
from controlplane.auth.permissions import Permission
from controlplane.database import get_session
from controlplane.errors import NotFound
from controlplane.provisioning.alerting_rules import service
from controlplane.provisioning.alerting_rules.models import AlertingRule

router = APIRouter(tags=["runbooks"])

ALERT = re.compile(r"[A-Z][A-Za-z0-9]{0,63}")
PACKAGE = Path(__file__).parent.parent
FOLDERS = (PACKAGE / "runbooks", PACKAGE.parent / "docs" / "runbooks")  # of the wheel, a checkout
PAGE = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title - runbook</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.6 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.25; }
code, pre { font: 0.9em/1.5 ui-monospace, monospace; background: #8882; border-radius: 4px; }
code { padding: 0.1em 0.3em; }
pre { padding: 0.8rem; overflow-x: auto; }
pre code { padding: 0; background: none; }
table { border-collapse: collapse; }
th, td { border: 1px solid #8886; padding: 0.3rem 0.6rem; text-align: left; }
</style>
</head>
<body>
<main>
$body
</main>
</body>
</html>
""")
HEADERS = {
    "Content-Security-Policy": csp.policy(style_src=csp.hashes(PAGE.template, "style")),
    "X-Content-Type-Options": "nosniff",
}


@router.get("/runbooks/{alert}", response_class=HTMLResponse)
async def show_runbook(
    alert: str, request: Request, people: People, bearer: Bearer
) -> HTMLResponse:
    """Show what an alert means and what to do about it; of a rule of people, to who sees it."""
    if not ALERT.fullmatch(alert):
        raise NotFound(f"there is no runbook for {alert!r}")
    text = await asyncio.to_thread(_shipped, alert)
    if text is None:
        async with asynccontextmanager(get_session)(request) as session:
            actor = await current_actor(request, session, people, bearer)
            require(actor, Permission.RULES_READ)
            text = _written(await service.get(session, actor, alert))
    page = PAGE.substitute(title=html.escape(alert), body=_render(text))
    return HTMLResponse(page, headers=HEADERS)


def _shipped(alert: str) -> str | None:
    """Give the Markdown that the product has for an alert."""
    for folder in FOLDERS:
        file = folder / f"{alert}.md"
        if file.is_file():
            return file.read_text(encoding="utf-8")
    return None


def _written(rule: AlertingRule) -> str:
    """Give the Markdown of a rule that somebody wrote: their words, and what fires it."""
    expr = "\n".join(f"    {line}" for line in rule.expr.splitlines())
    parts = (f"# {rule.name}", rule.summary, rule.description, rule.runbook)
    return "\n\n".join(filter(None, (*parts, f"It fires on a result of:\n\n{expr}")))


def _render(markdown: str) -> str:
    return str(MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown))
