"""Content-Security-Policy (CSP level 3) for pages of ours: what is not named does not run."""

import base64
import hashlib
import re

NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


def policy(**directives: str) -> str:
    """Give the policy that allows this and nothing else; write directives with `_` for `-`."""
    given = (f"{name.replace('_', '-')} {sources}" for name, sources in directives.items())
    return "; ".join((NOTHING, *given))


def hashes(template: str, element: str) -> str:
    """Give the sources of a page's own inline scripts, or styles.

    `template` is the page before anything from outside is put into it, so that what is put in
    cannot bless itself.
    """
    blocks = re.findall(rf"<{element}>(.*?)</{element}>", template, re.DOTALL)
    digests = (hashlib.sha256(block.encode()).digest() for block in blocks)
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
