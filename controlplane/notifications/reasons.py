"""Why a notification failed: what the log of Alertmanager says, where that is on this machine.

Alertmanager tells nobody else. Its log names the receiver, so the words are those of one channel.
"""

import re
from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlsplit

from controlplane.notifications.receivers import MASK

ERROR = re.compile(r'\berr="((?:[^"\\]|\\.)*)"')
READ_BYTES = 256 * 1024
WORDS = 500


def size(log: Path) -> int:
    """Give how many bytes the log has; what is written from here on is news."""
    return log.stat().st_size if log.is_file() else 0


def since(log: Path, offset: int, receiver: str, secrets: Collection[str]) -> str:
    """Give the last error of a receiver that was logged after `offset`, without the secrets.

    Empty where there is none, or no log here.
    """
    if not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(max(offset if size(log) >= offset else 0, size(log) - READ_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
    named = (f" receiver={receiver} ", f'err="{receiver}/')
    errors = (ERROR.search(line) for line in lines if any(name in line for name in named))
    said = [error[1] for error in errors if error]
    return masked(re.sub(r"\\(.)", r"\1", said[-1]), secrets)[:WORDS] if said else ""


def masked(text: str, secrets: Collection[str]) -> str:
    """Replace secrets, and the paths of secret addresses, wherever they stand in a text."""
    parts = {*secrets, *(urlsplit(secret).path for secret in secrets if "://" in secret)}
    for part in sorted(parts, key=len, reverse=True):
        if len(part) > 1:
            text = text.replace(part, MASK)
    return text
