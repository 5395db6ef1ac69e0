"""The command `chm` for people: accounts, logins, second factors, tokens, keys."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient, Response

from controlplane.app import create_app
from controlplane.settings import Settings
from tests.controlplane.cli.conftest import Chm

PASSWORD = "a violin under eleven umbrellas"


def ask(*requests: tuple[str, str, dict[str, Any]]) -> list[Response]:
    """Send requests, one after the other, to a control plane of this installation."""

    async def run() -> list[Response]:
        app = create_app(Settings())
        transport = ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client,
        ):
            return [await client.request(method, path, **kw) for method, path, kw in requests]

    return asyncio.run(run())


def log_in(name: str, password: str) -> Response:
    body = {"name": name, "password": password}
    return ask(("POST", "/api/v1/auth/login", {"json": body}))[0]


def me(token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return ask(("GET", "/api/v1/auth/me", {"headers": headers}))[0].status_code


@pytest.mark.usefixtures("ready")
class TestPeople:
    def test_an_invitation(self, chm: Chm) -> None:
        """Without a mail server the link is printed; its token sets the password, once."""
        invited = chm("user", "invite", "ann", "--role", "operator", "--email", "ann@example.net")
        assert invited["mailed_to"] is None
        path, _, token = invited["link"].partition("#")
        assert path.endswith("/account/invitation")
        accept = ("POST", "/api/v1/auth/invitation/accept")
        body = {"token": token, "new_password": PASSWORD}
        first, second = ask((*accept, {"json": body}), (*accept, {"json": body}))
        assert (first.status_code, second.status_code) == (204, 422)
        assert log_in("ann", PASSWORD).status_code == 200
        (ann,) = [user for user in chm("user", "list") if user["name"] == "ann"]
        assert ann["roles"] == ["operator"]
        assert (ann["email"], ann["active"]) == ("ann@example.net", True)
        assert ann["last_login_at"]

    def test_a_forgotten_password(self, chm: Chm, refused: Chm) -> None:
        """`chm user reset` prints a link; the old password works until it is used."""
        old = chm("user", "add", "ann", "--generate")["password"]
        token = chm("user", "reset", "ann")["link"].partition("#")[2]
        assert log_in("ann", old).status_code == 200
        body = {"token": token, "new_password": PASSWORD}
        (done,) = ask(("POST", "/api/v1/auth/password/reset/confirm", {"json": body}))
        assert done.status_code == 204
        assert log_in("ann", old).status_code == 401
        assert log_in("ann", PASSWORD).status_code == 200
        assert "no user 'eve'" in refused("user", "reset", "eve")

    def test_keeping_somebody_out(self, chm: Chm) -> None:
        """Disabling ends logins at once; enabling lets the old password in, not the old login."""
        password = chm("user", "add", "ann", "--generate")["password"]
        token = log_in("ann", password).json()["access_token"]
        assert me(token) == 200
        chm("user", "disable", "ann")
        assert me(token) == 401
        assert log_in("ann", password).status_code == 401
        chm("user", "enable", "ann")
        assert me(token) == 401
        assert log_in("ann", password).status_code == 200

    def test_ending_logins(self, chm: Chm, refused: Chm) -> None:
        """An admin sees and ends the logins of somebody, one or all."""
        password = chm("user", "add", "ann", "--generate")["password"]
        tokens = [log_in("ann", password).json()["access_token"] for _ in range(3)]
        listed = chm("session", "list", "ann")
        assert len(listed) == 3
        chm("session", "revoke", "ann", "--session", listed[0]["id"])
        assert [me(token) for token in tokens] == [200, 200, 401]
        assert "no session" in refused("session", "revoke", "ann", "--session", listed[0]["id"])
        chm("session", "revoke", "ann")
        assert [me(token) for token in tokens] == [401, 401, 401]
        assert chm("session", "list", "ann") == []

    def test_a_second_factor_that_is_not_there(self, chm: Chm, refused: Chm) -> None:
        """Resetting what nobody set up is an error of one line."""
        chm("user", "add", "ann", "--generate")
        assert "no second factor" in refused("mfa", "reset", "ann")

    def test_tokens(self, chm: Chm, refused: Chm) -> None:
        """Tokens of services and of programs are listed without secrets, and revoked by name."""
        password = chm("user", "add", "ann", "--role", "operator", "--generate")["password"]
        headers = {"Authorization": f"Bearer {log_in('ann', password).json()['access_token']}"}
        body = {"name": "backup", "scopes": ["devices:read"]}
        (made,) = ask(("POST", "/api/v1/auth/tokens", {"json": body, "headers": headers}))
        program = made.json()["token"]
        service = chm("token", "issue", "grafana", "--permission", "devices:read")["token"]
        names = [token["name"] for token in chm("token", "list")]
        assert names == ["alertmanager", "exporter", "grafana", "prometheus", "ann/backup"]
        assert [me(program), me(service)] == [200, 200]
        chm("token", "revoke", "ann/backup")
        chm("token", "revoke", "grafana")
        assert [me(program), me(service)] == [401, 401]
        assert "no token" in refused("token", "revoke", "grafana")
        assert "no token" in refused("token", "revoke", "ann/backup")

    def test_rotating_the_key_that_signs(self, ready: Path, chm: Chm) -> None:
        """Old tokens go on after a rotation, and end at once where the key leaked."""
        assert not (ready / "secrets" / "jwt.key").exists()
        password = chm("user", "add", "ann", "--generate")["password"]
        token = log_in("ann", password).json()["access_token"]
        first = chm("auth", "rotate-key")["key"]
        assert me(token) == 200
        assert chm("auth", "rotate-key", "--leaked")["key"] != first
        assert me(token) == 401
        assert log_in("ann", password).status_code == 200
