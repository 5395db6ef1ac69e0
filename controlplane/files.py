"""Files that are replaced in one step: a reader finds the old content or the new, never a half."""

import os
import secrets
from pathlib import Path

PUBLIC = 0o644
PRIVATE = 0o600  # for secrets: their owner alone


def replace(path: Path, content: bytes, mode: int = PUBLIC) -> bool:
    """Put the content in place, synced to disk; say whether the file changed. OSError if not.

    A folder that is missing is made, for the owner alone where the file is private.
    """
    if path.is_file() and path.read_bytes() == content:
        path.chmod(mode)
        return False
    path.parent.mkdir(mode=0o700 if mode == PRIVATE else 0o755, parents=True, exist_ok=True)
    # The dot keeps the half-written file out of the sight of whoever looks for *.json or *.yml.
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.chmod(mode)  # whatever the umask
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return True
