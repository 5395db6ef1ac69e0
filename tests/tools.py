"""Programs that tests run, as `make test` installs them."""

import shutil


def tool(name: str) -> str:
    """Find a program on the PATH, of which tests/conftest.py makes our own folder a part."""
    found = shutil.which(name)
    assert found, f"{name} is not installed; `make test` installs it"
    return found
