"""The HTTP application: every capability under one roof."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from controlplane import database, events
from controlplane.alerts import endpoints as alerts
from controlplane.alerts import runbooks
from controlplane.app import health, landing, parameters, problems
from controlplane.app.requests import RequestMetrics, Requests
from controlplane.audit import session as audited
from controlplane.auth import endpoints as auth
from controlplane.auth import identity, keys, pages
from controlplane.auth.passwords import Passwords
from controlplane.credentials import endpoints as credentials
from controlplane.devices import endpoints as devices
from controlplane.metrics import endpoints as metrics
from controlplane.metrics import intent
from controlplane.provisioning import endpoints as provisioning
from controlplane.provisioning import service as deployments
from controlplane.settings import Settings
from controlplane.targets import discovery, snapshot
from controlplane.targets import endpoints as targets
from controlplane.vault import Vault

ROUTERS = (
    auth.router,
    pages.router,
    credentials.router,
    devices.sites,
    devices.devices,
    metrics.thresholds,
    metrics.device_thresholds,
    metrics.intent,
    targets.router,
    alerts.router,
    runbooks.router,
    provisioning.router,
    health.router,
    landing.router,
)

INTENT = (intent.devices, intent.thresholds_in_force, deployments.intent)


def create_app(settings: Settings) -> FastAPI:
    """Make the application; what it needs is opened when it starts and closed when it ends."""
    app = FastAPIOffline(  # without a content delivery network for the pages
        title="Catalyst Health Monitor",
        summary="What should be monitored, by whom, and how well.",
        openapi_url="/api/openapi.json",
        docs_url="/api/docs",
        redoc_url="/api/redoc",
        static_url="/api/static",
        lifespan=_lifespan(settings),
        dependencies=[Depends(parameters.refuse_unknown)],
    )
    app.state.settings = settings
    app.state.registry = _registry()
    app.state.intent = events.Cache(intent.collect(INTENT))
    app.state.targets = events.Cache(discovery.builder(settings))
    problems.install(app)
    app.add_middleware(Requests, metrics=RequestMetrics(app.state.registry))
    for router in ROUTERS:
        app.include_router(router)
    return app


def from_environment() -> FastAPI:
    """Make the application from `CHM_*` variables: `uvicorn --factory` calls this."""
    return create_app(Settings())


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


def _lifespan(settings: Settings) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.vault = Vault(keys.load(settings.secrets / "vault.key"))
        app.state.snapshot = events.Cache(snapshot.builder(app.state.vault))
        passwords = Passwords()
        audit_key = keys.load(settings.secrets / "audit.key")
        engine = database.connect(settings)
        app.state.engine = engine
        app.state.sessions = audited.sessions(engine, audit_key)
        app.state.identity = identity.create(
            settings, app.state.sessions, app.state.vault, passwords
        )
        try:
            yield
        finally:
            await engine.dispose()
            passwords.close()

    return lifespan
