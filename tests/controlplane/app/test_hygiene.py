"""What stands before the application: headers, networks, hosts, HTTPS, sizes, times and rates."""

import asyncio
import base64
import hashlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.routing import iter_route_contexts
from httpx import ASGITransport, AsyncClient
from starlette.types import Message

from controlplane.app import create_app
from controlplane.app.bounds import LARGE
from controlplane.settings import Settings
from tests.controlplane.conftest import PASSWORD, Sessions

HERE = "127.0.0.1"
Serve = Callable[..., Any]


@pytest.fixture
async def serve(settings: Settings, sessions: Sessions) -> AsyncIterator[Serve]:
    """Give a function that runs an application with other settings and gives a client of it."""
    assert sessions
    async with AsyncExitStack() as stack:

        async def run(
            client: str = HERE, url: str = "http://chm.test", **changed: object
        ) -> AsyncClient:
            given = settings.model_dump(exclude_unset=True) | changed
            app = create_app(Settings.model_validate(given))
            await stack.enter_async_context(app.router.lifespan_context(app))
            transport = ASGITransport(app, client=(client, 1), raise_app_exceptions=False)
            return await stack.enter_async_context(AsyncClient(transport=transport, base_url=url))

        yield run


@pytest.mark.parametrize("path", ["/health", "/nowhere", "/api/v1/devices", "/api/docs", "/"])
async def test_every_answer_has_the_headers(anonymous: AsyncClient, path: str) -> None:
    """Pages, data and refusals alike: nothing is sniffed, framed, kept or sent on."""
    headers = (await anonymous.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; frame-ancestors 'none'; base-uri 'none'")
    assert "server" not in headers
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("path", ["/", "/api/docs", "/api/redoc", "/runbooks/DeviceDown"])
async def test_pages_run_only_what_is_theirs(anonymous: AsyncClient, path: str) -> None:
    """No script by `unsafe-inline`; every inline script and style of the page has its hash."""
    page = await anonymous.get(path)
    policy = dict(
        part.split(" ", 1) for part in page.headers["content-security-policy"].split("; ")
    )
    assert "unsafe" not in policy.get("script-src", "")
    for element in ("script", "style"):
        allowed = policy.get(f"{element}-src", "")
        for block in re.findall(rf"<{element}>(.*?)</{element}>", page.text, re.DOTALL):
            digest = base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in allowed or "'unsafe-inline'" in allowed
    assert not re.search(r"\son[a-z]+=", page.text), "no handler in an attribute"


class TestNetworks:
    @pytest.mark.parametrize(
        ("client", "status"),
        [("192.0.2.7", 200), ("192.0.2.66", 403), ("198.51.100.1", 403), ("2001:db8::1", 200)],
    )
    async def test_allow_and_deny(self, serve: Serve, client: str, status: int) -> None:
        """Only allowed networks come in, and of those not the denied ones."""
        asked = await serve(
            client,
            allowed_networks="192.0.2.0/24,2001:db8::/32",
            denied_networks="192.0.2.64/26",
        )
        answer = await asked.get("/health")
        assert answer.status_code == status
        if status == 403:
            assert answer.headers["content-type"] == "application/problem+json"

    async def test_an_ipv4_address_in_ipv6_clothes(self, serve: Serve) -> None:
        """Who listens on [::] sees IPv4 clients as ::ffff:192.0.2.7: the lists mean them, too."""
        asked = await serve("::ffff:192.0.2.7", denied_networks="192.0.2.0/24")
        assert (await asked.get("/health")).status_code == 403

    @pytest.mark.parametrize(
        ("peer", "forwarded", "status"),
        [
            ("10.0.0.1", "198.51.100.9", 403),  # the proxy's word counts
            ("10.0.0.1", "192.0.2.1", 200),
            ("10.0.0.1", "192.0.2.1, 198.51.100.9", 403),  # what the client claimed does not
            ("198.51.100.9", "192.0.2.1", 403),  # nor what a stranger says
            ("192.0.2.1", "198.51.100.9", 200),
        ],
    )
    async def test_only_trusted_proxies_are_believed(
        self, serve: Serve, peer: str, forwarded: str, status: int
    ) -> None:
        """X-Forwarded-For is read from the right, past proxies that are trusted."""
        asked = await serve(peer, trusted_proxies="10.0.0.0/8", denied_networks="198.51.100.0/24")
        answer = await asked.get("/health", headers={"X-Forwarded-For": forwarded})
        assert answer.status_code == status


class TestHosts:
    @pytest.mark.parametrize(
        ("host", "status"),
        [
            ("chm.test", 200),
            ("CHM.test:8000", 200),
            ("monitor.example", 200),
            ("localhost", 200),
            ("192.0.2.1:8000", 200),
            ("[2001:db8::1]:8000", 200),
            ("evil.example", 421),
            ("chm.test.evil.example", 421),
            ("chm.test@evil.example", 421),
            ("", 421),
            ("[::1", 421),
        ],
    )
    async def test_the_host_must_be_ours(self, serve: Serve, host: str, status: int) -> None:
        """A page elsewhere cannot make its name point at us and read our answers (rebinding)."""
        asked = await serve(allowed_hosts="Monitor.example")
        answer = await asked.get("/health", headers={"Host": host})
        assert answer.status_code == status, answer.text


class TestProduction:
    async def test_plain_http_is_refused(self, serve: Serve) -> None:
        """A token that is sent in the clear is not served, so that somebody notices."""
        asked = await serve("192.0.2.1", production=True)
        assert (await asked.get("/health")).status_code == 403
        services = await serve(HERE, production=True)
        assert (await services.get("/health")).status_code == 200

    async def test_behind_a_proxy_that_speaks_https(self, serve: Serve) -> None:
        """The proxy says how the client came; over HTTPS the browser is told to stay there."""
        asked = await serve(HERE, production=True, trusted_proxies=HERE)
        client = {"X-Forwarded-For": "192.0.2.1"}
        secure = await asked.get("/health", headers=client | {"X-Forwarded-Proto": "https"})
        assert secure.status_code == 200
        assert secure.headers["strict-transport-security"] == "max-age=63072000"
        plain = await asked.get("/health", headers=client | {"X-Forwarded-Proto": "http"})
        assert plain.status_code == 403
        assert "strict-transport-security" not in plain.headers

    async def test_a_proxy_nobody_told_us_of(self, serve: Serve) -> None:
        """On this machine, but forwarding: its clients are not taken for our services."""
        asked = await serve(HERE, production=True)
        headers = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
        answer = await asked.get("/health", headers=headers)
        assert answer.status_code == 403
        assert "CHM_TRUSTED_PROXIES" in answer.json()["detail"]


class TestCors:
    async def test_closed(self, anonymous: AsyncClient) -> None:
        """By default no page elsewhere may read an answer."""
        headers = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
        answer = await anonymous.options("/api/v1/devices", headers=headers)
        assert answer.status_code == 405
        assert "access-control-allow-origin" not in answer.headers

    async def test_for_origins_that_are_named(self, serve: Serve) -> None:
        """A page of a named origin may, without cookies; another may not."""
        asked = await serve(cors_origins="https://a.example")
        named = await asked.get("/health", headers={"Origin": "https://a.example"})
        assert named.headers["access-control-allow-origin"] == "https://a.example"
        assert "access-control-allow-credentials" not in named.headers
        other = await asked.get("/health", headers={"Origin": "https://b.example"})
        assert "access-control-allow-origin" not in other.headers


class TestBounds:
    @pytest.mark.parametrize("declared", [True, False])
    async def test_a_large_request(self, serve: Serve, *, declared: bool) -> None:
        """It is refused by what it declares, or when it has sent too much."""
        asked = await serve(max_request_bytes=2048)

        async def parts() -> AsyncIterator[bytes]:
            for _ in range(30):
                yield b"x" * 100

        content = b"x" * 3000 if declared else parts()
        answer = await asked.post("/api/v1/auth/login", content=content)
        assert answer.status_code == 413
        assert answer.json()["title"] == "Content too large"

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/api/v1/auth/login", 413),
            ("/api/v1/thresholds", 413),
            ("/api/v1/devices", 401),
            ("/api/v1/sites", 401),
            ("/api/v1/device-groups", 401),
            ("/api/v1/devices/import", 401),
            ("/api/v1/devices/import/json", 401),
            ("/api/v1/alerts/webhook", 401),
            ("/api/v1/notifications/inbox", 401),
            ("/api/v1/digests/pager", 401),
            ("/api/v1/exporter/traps", 401),
        ],
    )
    async def test_nobody_without_a_login_has_much_parsed(
        self, anonymous: AsyncClient, path: str, status: int
    ) -> None:
        """Bodies are small, but for those that are read after the login."""
        content = b"[" * 70_000
        answer = await anonymous.post(
            path, content=content, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == status, answer.text

    def test_what_may_be_large_is_read_after_the_login(self, app: FastAPI) -> None:
        """The paths of large bodies are those of the endpoints that read them themselves."""
        posts = [
            route for route in iter_route_contexts(app.routes) if "POST" in (route.methods or ())
        ]
        large = {
            route.path
            for route in posts
            if LARGE.fullmatch(str(route.path).replace("{source}", "csv"))
        }
        themselves = {route.path for route in posts if "requestBody" in (route.openapi_extra or {})}

        assert len(large) == 16
        assert large == themselves

    async def test_a_large_import_is_read(self, client: AsyncClient) -> None:
        """Whoever may import sends megabytes; what is wrong with them is told as elsewhere."""
        sites = [{"name": f"s{n}", "description": "d" * 900} for n in range(200)]
        url = "/api/v1/devices/import"
        assert (await client.post(url, json={"sites": sites})).status_code == 200
        wrong = await client.post(url, json={"sites": [*sites, {"name": "A"}]})
        assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/sites/200/name")
        text = await client.post(url, content=b"{}", headers={"Content-Type": "text/plain"})
        assert text.status_code == 422

    async def test_large_headers(self, serve: Serve) -> None:
        """The line and the headers count together."""
        asked = await serve(max_header_bytes=4096)
        for path, headers in (("/health", {"X-Long": "x" * 4096}), (f"/?{'x' * 4096}", {})):
            assert (await asked.get(path, headers=headers)).status_code == 431
        assert (await asked.get("/health", headers={"X-Long": "x" * 3000})).status_code == 200

    async def test_a_slow_answer(self, serve: Serve) -> None:
        """What takes too long is given up, and what it did is rolled back."""
        asked = await serve(request_timeout=0.2)
        app: FastAPI = asked._transport.app

        @app.get("/slow")
        async def slow(_request: Request) -> None:
            await asyncio.sleep(30)

        assert (await asked.get("/slow")).status_code == 504

    async def test_a_slow_request(self, serve: Serve) -> None:
        """A client that sends a byte now and then holds nothing for long."""
        asked = await serve(request_timeout=0.2)
        sent: list[Message] = []

        async def receive() -> Message:
            await asyncio.sleep(0.01)
            return {"type": "http.request", "body": b" ", "more_body": True}

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/api/v1/auth/login",
            "raw_path": b"/api/v1/auth/login",
            "query_string": b"",
            "headers": [(b"host", b"chm.test"), (b"transfer-encoding", b"chunked")],
            "client": (HERE, 1),
            "scheme": "http",
            "server": ("chm.test", 80),
            "http_version": "1.1",
        }
        await asked._transport.app(scope, receive, send)
        assert sent[0]["status"] == 408


class TestRates:
    async def test_each_class_has_its_own(self, serve: Serve) -> None:
        """Too many writes are refused with the time to wait; reads go on."""
        asked = await serve(rate_write=3)
        answers = [await asked.post("/api/v1/sites", json={}) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
        refused = answers[-1]
        assert 1 <= int(refused.headers["retry-after"]) <= 20
        assert refused.headers["ratelimit-policy"] == '"write";q=3;w=60'
        assert refused.headers["ratelimit"].startswith('"write";r=0;t=')
        assert refused.headers["content-type"] == "application/problem+json"
        assert (await asked.get("/api/v1/sites")).status_code == 401

    @pytest.mark.parametrize(
        ("method", "path", "name"),
        [
            ("GET", "/api/v1/devices", "read"),
            ("GET", "/nowhere", "read"),
            ("PATCH", "/api/v1/devices/core1", "write"),
            ("POST", "/api/v1/devices/import", "heavy"),
            ("POST", "/api/v1/devices/import/yaml", "heavy"),
            ("POST", "/api/v1/auth/login", "login"),
            ("GET", "/api/v1/exporter/snapshot", "service"),
            ("GET", "/metrics", "service"),
        ],
    )
    async def test_classes(self, anonymous: AsyncClient, method: str, path: str, name: str) -> None:
        """Every answer tells its limit and what is left of it."""
        headers = (await anonymous.request(method, path)).headers
        assert headers["ratelimit-policy"].startswith(f'"{name}";q=')
        assert re.fullmatch(rf'"{name}";r=\d+;t=\d+', headers["ratelimit"])

    @pytest.mark.parametrize("path", ["/api/v1/auth/login%0A", "/health%0A", "/api%C2%9Bdocs"])
    async def test_no_path_has_control_characters(self, anonymous: AsyncClient, path: str) -> None:
        """A line feed at the end makes no other class of a path, and nothing else of it either."""
        answer = await anonymous.post(path, json={"name": "ann", "password": "x"})
        assert answer.status_code == 404

    async def test_supervisors_are_not_counted(self, serve: Serve) -> None:
        """Health is always told, or a busy service would be restarted."""
        asked = await serve(rate_read=1)
        assert {(await asked.get("/health")).status_code for _ in range(5)} == {200}

    async def test_two_control_planes_share_a_limit(self, serve: Serve) -> None:
        """Who is refused by one is refused by the other."""
        one, other = await serve(rate_login=4), await serve(rate_login=4)
        login = {"name": "nobody", "password": PASSWORD}
        asked = [one, other, one, other, one, other]
        answers = [await c.post("/api/v1/auth/login", json=login) for c in asked]
        assert [answer.status_code for answer in answers] == [401] * 4 + [429] * 2


async def test_no_stack_trace_leaves(client: AsyncClient) -> None:
    """Nothing of our code is in an answer, whatever is asked."""
    for answer in (
        await client.post("/api/v1/devices", content=b"\xff"),
        await client.get("/api/v1/devices?limit=x"),
        await client.get("/api/v1/devices/%00"),
    ):
        assert "Traceback" not in answer.text
        assert ".py" not in answer.text
