"""`chm serve`: the HTTP service."""

import logging

import uvicorn

from controlplane.app import create_app
from controlplane.settings import Settings


def serve() -> None:
    """Run the control plane's HTTP service on CHM_HOST and CHM_CONTROLPLANE_PORT."""
    settings = Settings()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.controlplane_port,
        log_config=None,
        access_log=False,
        server_header=False,
    )
