import asyncio
import json
import os
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bcrypt
import httpx
import pytest

from exporter.app import create_app, passwords
from exporter.app.access import Access
from exporter.app.passwords import REMEMBERED, WAITING_EACH, Passwords, TooMany
from exporter.app.tls import Rotating, protocol
from exporter.app.web import Web
from exporter.config import ConfigError
from tests.exporter.app.certificates import Certificate
from tests.exporter.serving import listening, made

HASH = bcrypt.hashpw(b"s3cret", bcrypt.gensalt(4)).decode()


def write(path: Path, **content: Any) -> Path:
    """Write a web configuration; YAML holds all of JSON."""
    path.write_text(json.dumps(content))
    # Two writes within one tick of the clock would look the same.
    os.utime(path, ns=(time.time_ns(), time.time_ns()))
    return path


@asynccontextmanager
async def served(folder: Path, web: Web) -> AsyncIterator[int]:
    """Serve an exporter behind a web configuration, as `chm-exporter` does."""
    app = Access(create_app(made(folder)), web)
    if web.current().tls is None:
        async with listening(app) as port:
            yield port
        return
    options = {"ssl_context_factory": lambda _config, _default: Rotating(web)}
    async with listening(app, http=protocol(web), **options) as port:
        yield port


async def get(port: int, context: ssl.SSLContext, path: str = "/-/healthy") -> httpx.Response:
    async with httpx.AsyncClient(verify=context) as client:
        return await client.get(f"https://127.0.0.1:{port}{path}")


def trusting(authority: Certificate, client: Certificate | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.cert_file))
    if client is not None:
        context.load_cert_chain(client.cert_file, client.key_file)
    return context


@pytest.fixture
def authority(tmp_path: Path) -> Certificate:
    return Certificate.authority(tmp_path)


@pytest.fixture
def server(tmp_path: Path, authority: Certificate) -> dict[str, Any]:
    """Return the TLS part of a web configuration, with file names relative to it."""
    authority.signed(tmp_path, "server")
    return {"cert_file": "server.crt", "key_file": "server.key"}


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return the passwords that bcrypt was asked about, in order."""
    asked: list[bytes] = []

    def check(password: bytes, hashed: bytes) -> bool:
        asked.append(password)
        return bcrypt.checkpw(password, hashed)

    monkeypatch.setattr(passwords, "bcrypt", SimpleNamespace(checkpw=check))
    return asked


class TestPasswords:
    @pytest.mark.parametrize(
        ("user", "password", "status"),
        [("ann", "s3cret", 200), ("ann", "wrong", 401), ("bob", "s3cret", 401), ("", "", 401)],
    )
    async def test_basic_auth(self, tmp_path: Path, user: str, password: str, status: int) -> None:
        """Every endpoint asks for a user and the password that fits the bcrypt hash."""
        web = Web(write(tmp_path / "web.yml", basic_auth_users={"ann": HASH}))
        async with served(tmp_path, web) as port, httpx.AsyncClient() as client:
            for path in ("/", "/metrics", "/-/healthy", "/config", "/nowhere"):
                url = f"http://127.0.0.1:{port}{path}"
                for _ in range(2):  # the second verdict is remembered
                    answer = await client.get(url, auth=(user, password))
                    assert answer.status_code == (404 if status == 200 and "no" in path else status)
            anonymous = await client.get(f"http://127.0.0.1:{port}/snmp?target=127.0.0.1")

        assert anonymous.status_code == 401
        assert anonymous.headers["WWW-Authenticate"].startswith("Basic realm=")

    @pytest.mark.parametrize(
        "header", ["Basic", "Basic ?", "Basic bm9jb2xvbg==", "Bearer x", "Basic //8="]
    )
    async def test_nonsense(self, tmp_path: Path, header: str) -> None:
        """A header that is no user and password lets nobody in, and breaks nothing."""
        web = Web(write(tmp_path / "web.yml", basic_auth_users={"ann": HASH}))
        async with served(tmp_path, web) as port, httpx.AsyncClient() as client:
            url = f"http://127.0.0.1:{port}/metrics"
            answer = await client.get(url, headers={"Authorization": header})
        assert answer.status_code == 401

    async def test_changed_at_run_time(self, tmp_path: Path) -> None:
        """A changed password holds with the next request; a file that is no use changes nothing."""
        path = write(tmp_path / "web.yml", basic_auth_users={"ann": HASH})
        other = bcrypt.hashpw(b"other", bcrypt.gensalt(4)).decode()
        async with served(tmp_path, Web(path)) as port, httpx.AsyncClient() as client:
            url = f"http://127.0.0.1:{port}/metrics"
            assert (await client.get(url, auth=("ann", "s3cret"))).status_code == 200
            write(path, basic_auth_users={"ann": other})
            assert (await client.get(url, auth=("ann", "s3cret"))).status_code == 401
            assert (await client.get(url, auth=("ann", "other"))).status_code == 200
            path.write_text("basic_auth_users: [")
            assert (await client.get(url)).status_code == 401
            assert (await client.get(url, auth=("ann", "other"))).status_code == 200

    async def test_memory(self, checks: list[bytes]) -> None:
        """Verdicts are remembered up to a bound, guesses evict no right one, none is readable."""
        known = Passwords()
        assert await known.right({"ann": HASH}, "ann", b"s3cret")
        for number in range(REMEMBERED + 5):
            assert not await known.right({"ann": HASH}, "ann", b"wrong%d" % number)
        assert not await known.right({}, "ann", b"s3cret")
        assert not await known.right({"ann": HASH}, "ann", b"x" * 100)
        assert len(known.wrong.keys) == REMEMBERED
        assert "s3cret" not in repr(known)

        del checks[:]
        assert await known.right({"ann": HASH}, "ann", b"s3cret")
        assert checks == []

    async def test_shared(self, checks: list[bytes]) -> None:
        """Equal questions at one time are one check, and one who leaves takes no answer along."""
        known = Passwords()
        first, *others = [
            asyncio.create_task(known.right({"ann": HASH}, "ann", b"s3cret")) for _ in range(20)
        ]
        await asyncio.sleep(0)
        first.cancel()
        assert all(await asyncio.gather(*others))
        assert checks == [b"s3cret"]
        assert not known.waiting

    async def test_crowd(self, checks: list[bytes]) -> None:
        """One client's guesses queue up to a bound; who is known or comes from elsewhere passes."""
        known, users = Passwords(), {"ann": HASH}
        assert await known.right(users, "ann", b"s3cret")
        guesses = [known.right(users, "ann", b"%d" % n, "192.0.2.1") for n in range(100)]
        crowd = asyncio.gather(*guesses, return_exceptions=True)
        await asyncio.sleep(0)
        assert await known.right(users, "ann", b"s3cret", "192.0.2.1")
        assert not await known.right(users, "ann", b"other", "192.0.2.2")
        found = await crowd
        assert found[:WAITING_EACH] == [False] * WAITING_EACH
        assert all(isinstance(one, TooMany) for one in found[WAITING_EACH:])
        assert len(checks) == WAITING_EACH + 2

    async def test_too_many(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whose password would wait for too long is told to come again."""
        monkeypatch.setattr(passwords, "WAITING", 0)
        web = Web(write(tmp_path / "web.yml", basic_auth_users={"ann": HASH}))
        async with served(tmp_path, web) as port, httpx.AsyncClient() as client:
            answer = await client.get(f"http://127.0.0.1:{port}/metrics", auth=("ann", "s3cret"))
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


class TestHttp:
    async def test_headers(self, tmp_path: Path) -> None:
        """Every answer carries the headers of the configuration."""
        headers = {"X-Frame-Options": "deny", "Strict-Transport-Security": "max-age=60"}
        web = Web(write(tmp_path / "web.yml", http_server_config={"headers": headers}))
        async with served(tmp_path, web) as port, httpx.AsyncClient() as client:
            for path in ("/", "/snmp", "/nowhere"):
                answer = await client.get(f"http://127.0.0.1:{port}{path}")
                assert (
                    headers.items()
                    <= {name.title(): value for name, value in answer.headers.items()}.items()
                )

    async def test_rate_limit(self, tmp_path: Path) -> None:
        """Beyond its burst a rate limit answers 429."""
        web = Web(write(tmp_path / "web.yml", rate_limit={"interval": "1h", "burst": 2}))
        async with served(tmp_path, web) as port, httpx.AsyncClient() as client:
            url = f"http://127.0.0.1:{port}/-/healthy"
            assert [(await client.get(url)).status_code for _ in range(3)] == [200, 200, 429]


class TestTls:
    async def test_rotation(
        self, tmp_path: Path, authority: Certificate, server: dict[str, Any]
    ) -> None:
        """A new certificate is used for new connections at once, without a restart."""
        web = Web(write(tmp_path / "web.yml", tls_server_config=server))
        async with served(tmp_path, web) as port:
            assert (await get(port, trusting(authority))).text == "Healthy"

            successor = Certificate.authority(tmp_path, "successor")
            successor.signed(tmp_path, "server")
            assert (await get(port, trusting(successor))).text == "Healthy"
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await get(port, trusting(authority))

            (tmp_path / "server.key").write_text("half-written")
            assert (await get(port, trusting(successor))).text == "Healthy"

    async def test_when_it_expires(
        self, tmp_path: Path, authority: Certificate, server: dict[str, Any]
    ) -> None:
        """The end of the chain's first certificate to end is told, anew when they are rotated."""
        told: list[float] = []
        web = Web(write(tmp_path / "web.yml", tls_server_config=server))
        context = Rotating(web, told.append)
        chain = (tmp_path / "server.crt").read_text() + authority.cert_file.read_text()
        first = authority.certificate.not_valid_after_utc.timestamp()
        assert len(told) == 1

        (tmp_path / "server.crt").write_text(chain)
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)
        assert told[1:] == [first]

    async def test_client_certificates(
        self, tmp_path: Path, authority: Certificate, server: dict[str, Any]
    ) -> None:
        """Only clients with a certificate of the authority, and an allowed name, come in."""
        server |= {
            "client_ca_file": "authority.crt",
            "client_auth_type": "RequireAndVerifyClientCert",
            "client_allowed_sans": ["prometheus"],
        }
        stranger = Certificate.authority(tmp_path, "stranger")
        clients = [None, stranger.signed(tmp_path, "prometheus")]
        web = Web(write(tmp_path / "web.yml", tls_server_config=server))
        async with served(tmp_path, web) as port:
            for client in (*clients, authority.signed(tmp_path, "mallory")):
                with pytest.raises((httpx.TransportError, ssl.SSLError)):
                    await get(port, trusting(authority, client))
            allowed = authority.signed(tmp_path, "prometheus")
            assert (await get(port, trusting(authority, allowed))).text == "Healthy"

            # Without the condition, mallory is as good as anyone; it holds for new connections.
            del server["client_allowed_sans"]
            write(tmp_path / "web.yml", tls_server_config=server)
            mallory = authority.signed(tmp_path, "mallory")
            assert (await get(port, trusting(authority, mallory))).text == "Healthy"

    async def test_version(
        self, tmp_path: Path, authority: Certificate, server: dict[str, Any]
    ) -> None:
        """A client that speaks nothing as new as `min_version` is refused."""
        server |= {"min_version": "TLS13"}
        web = Web(write(tmp_path / "web.yml", tls_server_config=server))
        old = trusting(authority)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        async with served(tmp_path, web) as port:
            with pytest.raises(httpx.ConnectError):
                await get(port, old)
            assert (await get(port, trusting(authority))).text == "Healthy"

    async def test_inline(self, tmp_path: Path, authority: Certificate) -> None:
        """Certificate and key may stand in the file itself; so may the choice of ciphers."""
        made = authority.signed(tmp_path, "inline")
        tls = {
            "cert": made.cert_file.read_text(),
            "key": made.key_file.read_text(),
            "cipher_suites": ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"],
            "curve_preferences": ["CurveP256"],
            "max_version": "TLS12",
        }
        web = Web(write(tmp_path / "web.yml", tls_server_config=tls))
        async with served(tmp_path, web) as port:
            assert (await get(port, trusting(authority))).text == "Healthy"
        assert made.key_file.read_text() not in repr(web.current())


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"nope": 1}, "nope"),
        ({"basic_auth_users": {"ann": "plain"}}, "basic_auth_users.ann: is not a bcrypt hash"),
        ({"http_server_config": {"headers": {"Server": "x"}}}, "header 'Server' cannot be set"),
        (
            {"http_server_config": {"headers": {"X-Frame-Options": "a\r\nb"}}},
            "a value that HTTP cannot carry",
        ),
        ({"tls_server_config": {"cert_file": "a"}}, "needs one of key and key_file"),
        (
            {"tls_server_config": {"cert_file": "a", "key_file": "b", "min_version": "SSL3"}},
            "tls_server_config.min_version",
        ),
        (
            {"tls_server_config": {"cert_file": "a", "key_file": "b", "client_ca_file": "c"}},
            "client_auth_type that verifies",
        ),
        (
            {
                "tls_server_config": {
                    "cert_file": "a",
                    "key_file": "b",
                    "client_auth_type": "RequireAnyClientCert",
                }
            },
            "proves nothing",
        ),
    ],
)
def test_mistakes(tmp_path: Path, content: dict[str, Any], problem: str) -> None:
    """A web configuration that cannot be used names the field."""
    with pytest.raises(ConfigError, match=r"web\.yml: ") as caught:
        Web(write(tmp_path / "web.yml", **content))
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"cert_file": "gone"}, "tls_server_config.cert_file: No such file or directory"),
        ({"cipher_suites": ["TLS_NONE_WITH_NONE"]}, "tls_server_config.cipher_suites"),
        ({"curve_preferences": ["CurveP1"]}, "tls_server_config.curve_preferences"),
    ],
)
def test_useless_files(
    tmp_path: Path, server: dict[str, Any], changes: dict[str, Any], problem: str
) -> None:
    """What only shows when TLS is set up names the field, too."""
    web = Web(write(tmp_path / "web.yml", tls_server_config=server | changes))
    with pytest.raises(ConfigError) as caught:
        Rotating(web)
    assert problem in str(caught.value)
