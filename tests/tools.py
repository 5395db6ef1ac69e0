"""Programs that tests run, as `make test` installs them."""

import shutil


def tool(*names: str) -> str:
    """Find a program, by the first of its names that is on the PATH.

    tests/conftest.py makes our own folder a part of it.
    """
    found = next((path for path in map(shutil.which, names) if path), None)
    assert found, f"{names[0]} is not installed; `make test` installs it"
    return found
