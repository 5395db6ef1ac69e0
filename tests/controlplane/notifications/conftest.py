"""Channels that lead to names of our choice, without asking any name server."""

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest
from fastapi import FastAPI

from controlplane.networks import Address
from controlplane.notifications.destinations import Destinations

NAMES = {
    "inside.example": ["10.1.2.3"],
    "cloud.example": ["169.254.169.254"],
    "mixed.example": ["192.0.2.1", "127.0.0.1"],
    "outside.example": ["192.0.2.1"],
}


async def lookup(host: str) -> list[Address]:
    """Give the addresses of a name of the table, or none."""
    return [ip_address(text) for text in NAMES.get(host, [])]


@pytest.fixture(autouse=True)
def destinations(app: FastAPI) -> Iterator[Destinations]:
    """Let channels lead to 127.0.0.8 and 10.1.0.0/16 besides what anybody may reach."""
    before = app.state.destinations
    named = (ip_network("127.0.0.8/32"), ip_network("10.1.0.0/16"))
    app.state.destinations = replace(before, named=named, lookup=lookup)
    yield app.state.destinations
    app.state.destinations = before
