"""`chm serve` and `chm worker`: the processes of the control plane."""

import asyncio
import gc
import logging
from contextlib import suppress
from typing import Annotated

import typer
import uvicorn
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE

from controlplane import worker as work
from controlplane.app import create_app, port
from controlplane.app.protocol import HeadersInTime
from controlplane.settings import Settings

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
START_SECONDS = 60  # a process that does not answer for so long is replaced, also as it starts
TALKATIVE = ("httpx", "procrastinate")  # a line for every request and job: only what goes wrong


def serve(
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes that answer; each counts for itself.")
    ] = 1,
) -> None:
    """Run the HTTP service on CHM_HOST and CHM_CONTROLPLANE_PORT."""
    settings = Settings()
    config = uvicorn.Config(
        "controlplane.cli.serve:application",  # by name, for each process makes its own
        factory=True,
        workers=workers,
        timeout_worker_healthcheck=START_SECONDS,
        host=settings.host,
        port=settings.controlplane_port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the application believes CHM_TRUSTED_PROXIES
        http=HeadersInTime,  # by h11, the one parser of uvicorn's that bounds what is not whole
        h11_max_incomplete_event_size=settings.max_header_bytes,
    )
    if workers > 1:
        port.share(config)
        return
    server = uvicorn.Server(config)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise typer.Exit(STARTUP_FAILURE)


def application() -> FastAPI:
    """Make the application of one process."""
    _log()
    app = create_app(Settings())
    settle()
    return app


def settle() -> None:
    """Spare the garbage collector what is here to stay, and the many short-lived rows of a query.

    Measured, it took 0.2 s of the 0.25 s in which ten thousand devices are read.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def worker() -> None:
    """Run a worker, which deploys rules and does what takes long; run as many as you like."""
    _log()
    asyncio.run(work.run(Settings()))


def _log() -> None:
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
