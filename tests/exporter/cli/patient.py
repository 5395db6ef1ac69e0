"""HTTP to a process that may still be starting on a busy machine; every request is a connection."""

import ssl

import httpx

SECONDS = 30


def get(url: str, verify: ssl.SSLContext | bool = True) -> httpx.Response:  # noqa: FBT001, FBT002 - as httpx has it
    """Ask, and wait longer than httpx would by itself."""
    return httpx.get(url, timeout=SECONDS, verify=verify)


def post(url: str) -> httpx.Response:
    """Post nothing, and wait as long."""
    return httpx.post(url, timeout=SECONDS)
