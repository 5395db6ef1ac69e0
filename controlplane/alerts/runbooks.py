"""Runbooks as pages: where the `runbook_url` of an alert leads."""

import html
import re
from pathlib import Path
from string import Template

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from markdown_it import MarkdownIt

from controlplane import csp
from controlplane.errors import NotFound

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
def show_runbook(alert: str) -> HTMLResponse:
    """Show what an alert means and what to do about it."""
    page = PAGE.substitute(title=html.escape(alert), body=_render(source(alert)))
    return HTMLResponse(page, headers=HEADERS)


def source(alert: str) -> str:
    """Give the Markdown of an alert's runbook, or raise NotFound."""
    if ALERT.fullmatch(alert):
        for folder in FOLDERS:
            file = folder / f"{alert}.md"
            if file.is_file():
                return file.read_text(encoding="utf-8")
    raise NotFound(f"there is no runbook for {alert!r}")


def _render(markdown: str) -> str:
    return str(MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown))
