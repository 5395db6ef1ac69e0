"""The control plane's edge, for the contracts with it."""

from tests.controlplane.conftest import (  # noqa: F401 - fixtures
    app,
    client,
    log_in,
    owner,
    service,
    sessions,
    settings,
)
from tests.exporter.conftest import switch, telemetry  # noqa: F401 - fixtures
