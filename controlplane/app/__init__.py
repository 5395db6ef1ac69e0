"""The HTTP application: every capability under one roof."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from operator import attrgetter

from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from starlette.middleware.cors import CORSMiddleware
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from controlplane import database, events
from controlplane.alerts import endpoints as alerts
from controlplane.alerts.watch import Holder
from controlplane.app import (
    access,
    docs,
    health,
    landing,
    openapi,
    parameters,
    problems,
    refusals,
    withheld,
)
from controlplane.app.bounds import Bounds
from controlplane.app.disk import Disk
from controlplane.app.doorkeeper import Doorkeeper
from controlplane.app.headers import SecurityHeaders
from controlplane.app.rates import Rates
from controlplane.app.requests import RequestMetrics, Requests
from controlplane.app.turnstile import Turnstile
from controlplane.audit import anchors
from controlplane.audit import endpoints as audit
from controlplane.audit import session as audited
from controlplane.auth import endpoints as auth
from controlplane.auth import identity, keys, pages
from controlplane.auth.callers import Callers
from controlplane.auth.passwords import Passwords
from controlplane.auth.roles import endpoints as roles
from controlplane.clients.alertmanager import Alertmanager
from controlplane.clients.notifier import Notifier
from controlplane.clients.prometheus import Prometheus
from controlplane.credentials import endpoints as credentials
from controlplane.devices import endpoints as devices
from controlplane.devices.catalogue import endpoints as catalogue
from controlplane.devices.groups import endpoints as groups
from controlplane.devices.interfaces import endpoints as interfaces
from controlplane.devices.tags import endpoints as tags
from controlplane.digests import endpoints as digests
from controlplane.digests.telling import Sender
from controlplane.escalation import channels as escalation_channels
from controlplane.escalation import endpoints as escalation
from controlplane.history import endpoints as history
from controlplane.jobs import endpoints as jobs
from controlplane.limits.buckets import Buckets
from controlplane.maintenance import endpoints as maintenance
from controlplane.metrics import endpoints as metrics
from controlplane.metrics import intent
from controlplane.metrics.baselines import endpoints as baselines
from controlplane.notifications import endpoints as notifications
from controlplane.notifications.destinations import Destinations
from controlplane.provisioning import endpoints as provisioning
from controlplane.provisioning import runbooks
from controlplane.provisioning import service as deployments
from controlplane.provisioning.alerting_rules import endpoints as alerting_rules
from controlplane.provisioning.alertmanager import service as routings
from controlplane.provisioning.shipped_alerts import endpoints as shipped_alerts
from controlplane.provisioning.shipped_alerts import traps as shipped
from controlplane.retries import once
from controlplane.settings import Settings
from controlplane.targets import discovery, polling, snapshot, verification
from controlplane.targets import endpoints as targets
from controlplane.targets.document import History
from controlplane.targets.exporters import endpoints as exporters
from controlplane.transfer import endpoints as transfer
from controlplane.traps import endpoints as traps
from controlplane.vault import Vault, ring
from controlplane.vault.telemetry import VaultMetrics

ROUTERS = (  # a path is looked for in this order: what is asked most comes first
    alerts.router,
    transfer.router,  # before devices, whose names begin where its paths do
    devices.devices,
    transfer.interfaces,  # before interfaces, for the same reason
    interfaces.router,
    interfaces.of_device,
    devices.sites,
    auth.router,
    auth.people,
    roles.roles,
    roles.grants,
    audit.router,
    pages.router,
    credentials.router,
    catalogue.contacts,
    catalogue.custom_fields,
    catalogue.device_roles,
    catalogue.device_types,
    catalogue.platforms,
    catalogue.poll_classes,
    catalogue.tenants,
    groups.router,
    tags.router,
    history.router,
    jobs.router,
    metrics.thresholds,
    metrics.device_thresholds,
    baselines.router,
    metrics.intent,
    targets.router,
    traps.router,
    exporters.router,
    polling.router,
    verification.router,
    alerts.incidents,
    maintenance.router,
    notifications.router,
    digests.router,
    escalation.schedules,
    escalation.contacts,
    escalation.rules,
    escalation.escalations,
    runbooks.router,
    provisioning.router,
    shipped_alerts.router,
    alerting_rules.router,
    health.router,
    landing.router,
    docs.router,
)

ALERTMANAGER_SECONDS = 3.0  # what takes longer the worker does
INTENT = (
    intent.devices,
    intent.thresholds_in_force,
    intent.interfaces_decided,
    deployments.intent,
    routings.intent,
    withheld.intent,
)


def create_app(settings: Settings) -> FastAPI:
    """Make the application; what it needs is opened when it starts and closed when it ends."""
    app = FastAPIOffline(  # without a content delivery network for the pages
        title=docs.TITLE,
        summary="What should be monitored, by whom, and how well.",
        openapi_url=docs.OPENAPI_URL,
        docs_url=None,
        redoc_url=None,
        static_url=docs.STATIC_URL,
        lifespan=_lifespan(settings),
        dependencies=[Depends(parameters.refuse_unknown), Depends(once.refuse_elsewhere)],
    )
    app.state.settings = settings
    app.state.registry = _registry()
    app.state.vault_metrics = VaultMetrics(app.state.registry)
    app.state.audit_gauges = anchors.Gauges.register(app.state.registry)
    app.state.registry.register(Disk(settings.data))
    app.state.channel_uses = escalation_channels.uses
    app.state.intent = events.Cache(intent.collect(INTENT))
    app.state.live_intent = events.Cache(intent.live, attrgetter("lasts"))
    problems.install(app)
    refusals.install(app)
    app.openapi = partial(openapi.document, app)  # type: ignore[method-assign]
    _guard(app, settings)
    for router in ROUTERS:
        app.include_router(router)
    access.refuse_unguarded(app)
    return app


def _guard(app: FastAPI, settings: Settings) -> None:
    """Put in front of the application what every request passes: the innermost first."""
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=[
                *("Authorization", "Content-Type", "If-Match", "Idempotency-Key", "Prefer"),
            ],
            expose_headers=[
                *("ETag", "Idempotency-Replayed", "Location", "Preference-Applied"),
                *("RateLimit", "RateLimit-Policy", "Retry-After"),
            ],
        )
    app.add_middleware(Rates, settings=settings)
    app.add_middleware(Turnstile)
    app.add_middleware(
        Bounds,
        max_header_bytes=settings.max_header_bytes,
        max_bytes=settings.max_request_bytes,
        seconds=settings.request_timeout,
    )
    app.add_middleware(Doorkeeper, settings=settings)
    proxies = [str(network) for network in settings.trusted_proxies]
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=proxies)
    app.add_middleware(Requests, metrics=RequestMetrics(app.state.registry))
    app.add_middleware(SecurityHeaders, production=settings.production)


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
        app.state.vault = await asyncio.to_thread(
            Vault, ring.from_settings(settings), app.state.vault_metrics.refused
        )
        app.state.snapshot = events.Cache(
            snapshot.Builder(app.state.vault, settings, shipped.Rules(settings)),
            attrgetter("lasts"),
        )
        app.state.histories = defaultdict(History)
        passwords = Passwords()
        audit_key = keys.load(settings.secrets / "audit.key")
        engine = database.connect(settings)
        app.state.engine = engine
        app.state.sessions = audited.sessions(engine, audit_key)
        app.state.watch = events.Watch(engine)
        app.state.sessions.configure(info={events.WATCH: app.state.watch})
        app.state.targets = events.Cache(discovery.builder(settings, app.state.sessions))
        app.state.callers = Callers(app.state.watch)
        app.state.prometheus = prometheus = Prometheus.at(settings.prometheus_url)
        app.state.notifier = Notifier.at(settings.alertmanager_url)
        app.state.destinations = Destinations.of(settings)
        app.state.buckets = Buckets(app.state.sessions)
        app.state.identity = identity.create(
            settings, app.state.sessions, app.state.vault, passwords
        )
        alertmanager = Alertmanager.at(settings.alertmanager_url, ALERTMANAGER_SECONDS)
        app.state.alerts = Holder(app.state.sessions, alertmanager)
        app.state.sender = Sender(app.state.sessions, alertmanager, settings.public_url)
        tasks = [
            asyncio.create_task(app.state.watch.run()),
            asyncio.create_task(
                anchors.keep(app.state.sessions, settings.audit_anchors, app.state.audit_gauges)
            ),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await alertmanager.aclose()
            await app.state.notifier.aclose()
            await prometheus.aclose()
            await engine.dispose()
            passwords.close()

    return lifespan
