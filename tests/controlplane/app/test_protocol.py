"""Connections on which a request does not arrive."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from controlplane.app.protocol import HeadersInTime

LONG = 600.0
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _hello(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


@asynccontextmanager
async def connected(seconds: float) -> AsyncIterator[Streams]:
    """Give a connection to a server that waits so long for headers."""

    class Protocol(HeadersInTime):
        pass

    Protocol.seconds = seconds
    app = Starlette(routes=[Route("/", _hello)])
    config = uvicorn.Config(app, port=0, http=Protocol, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        yield reader, writer
        writer.close()
    finally:
        await server.shutdown()


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_headers_that_do_not_come(sent: bytes) -> None:
    """A connection without a request, or with half of one, is closed."""
    async with connected(0.05) as (reader, writer):
        writer.write(sent)
        assert await reader.read() == b""


async def test_headers_that_come_in_parts() -> None:
    """A client that is slow but in time is answered, and may ask again."""
    async with connected(LONG) as (reader, writer):
        for _ in range(2):
            writer.write(b"GET / HTTP/1.1\r\n")
            await writer.drain()
            writer.write(b"Host: x\r\n\r\n")
            assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")


async def test_the_clock_stops_while_a_request_is_answered() -> None:
    """It is for headers: what takes long to answer is not cut off by it."""
    async with connected(0.05) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(0.1)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).endswith(b"hello")
