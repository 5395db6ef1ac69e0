"""Channels over HTTP: what may be one, where it may lead, and what is never shown."""

from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response
from sqlmodel import select

from controlplane.audit.models import AuditEntry
from controlplane.auth.permissions import Role
from controlplane.notifications import service
from controlplane.notifications.destinations import Destinations
from controlplane.notifications.models import Channel
from tests.controlplane.conftest import Login, Sessions

URL = "/api/v1/notifications/channels"
SLACK = {"kind": "slack", "url": "https://outside.example/T/very-secret", "channel": "#noc"}
WEBHOOK = {"kind": "webhook", "url": "https://outside.example/very-secret", "token": "tok-secret"}
TELEGRAM = {"kind": "telegram", "bot_token": "12:very-secret", "chat_id": -7}


async def create(client: AsyncClient, options: dict[str, Any], name: str = "noc") -> Response:
    return await client.post(URL, json={"name": name, "options": options})


def places(response: Response) -> list[str]:
    assert response.status_code == 422, response.text
    return [error["pointer"] for error in response.json()["errors"]]


class TestSecrets:
    async def test_are_never_shown(self, client: AsyncClient, sessions: Sessions) -> None:
        """No answer and no entry of the audit log holds a secret, and the table only sealed."""
        answers = [await create(client, WEBHOOK), await client.get(f"{URL}/noc")]
        changed = {"options": {"url": "https://outside.example/more-secret", "token": "a-secret"}}
        answers += [await client.patch(f"{URL}/noc", json=changed), await client.get(URL)]

        assert [a.status_code for a in answers] == [201, 200, 200, 200]
        assert answers[0].json()["secrets"] == ["token", "url"]
        async with sessions() as session:
            rows = [*await session.scalars(select(Channel))]
            log = [*await session.scalars(select(AuditEntry))]
            written = [str(row.model_dump()) for row in rows]
            written += [f"{entry.before} {entry.after}" for entry in log]
        for text in (*(a.text for a in answers), *written):
            assert "secret" not in text.replace("secrets", "").replace("secret_names", "")
        assert {"url": "changed", "token": "changed"}.items() <= (log[-1].after or {}).items()

    async def test_are_kept_by_a_change_of_something_else(
        self, client: AsyncClient, app: FastAPI, sessions: Sessions
    ) -> None:
        """Who renames the room need not know the address; and the rest stays as it was."""
        await create(client, SLACK)

        response = await client.patch(f"{URL}/noc", json={"options": {"channel": "#night"}})

        assert response.json()["options"] == {"channel": "#night"}
        async with sessions() as session:
            channel = await service.get(session, "noc")
            assert service.opened(app.state.vault, channel).secrets() == {"url": SLACK["url"]}

    @pytest.mark.parametrize(
        ("options", "change", "behind"),
        [
            (TELEGRAM, {"api_url": "https://evil.example"}, ["/options/bot_token"]),
            (WEBHOOK, {"url": "https://evil.example"}, ["/options/token"]),
        ],
    )
    async def test_do_not_go_along_to_another_place(
        self,
        client: AsyncClient,
        options: dict[str, Any],
        change: dict[str, Any],
        behind: list[str],
    ) -> None:
        """Whoever may change a channel does not learn its secrets by leading it to themselves."""
        await create(client, options)

        assert places(await client.patch(f"{URL}/noc", json={"options": change})) == behind


class TestDestinations:
    @pytest.mark.parametrize(
        "url",
        [
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://169.254.169.254/latest/meta-data/",
            "https://[fd00:ec2::254]/",
            "https://100.100.100.200/",
            "https://0.0.0.0/",
            "https://cloud.example/",
            "https://mixed.example/",
            "http://outside.example/",  # nobody reads along
            "http://nowhere.example/",
            "http://192.0.2.1/",
        ],
    )
    async def test_what_is_ours_and_what_is_in_the_clear_is_refused(
        self, client: AsyncClient, url: str
    ) -> None:
        """Alertmanager is led neither to the machine itself nor to a cloud's metadata."""
        assert places(await create(client, {"kind": "webhook", "url": url})) == ["/options/url"]

    @pytest.mark.parametrize(
        "url",
        [
            "https://outside.example/hook",
            "https://10.9.9.9/hook",  # a service of the company
            "http://inside.example/hook",  # named by the setting
            "http://127.0.0.8:9/hook",
        ],
    )
    async def test_what_is_named_is_accepted(self, client: AsyncClient, url: str) -> None:
        """Other places are fine, and those that the setting names even in the clear."""
        response = await create(client, {"kind": "webhook", "url": url})
        assert response.status_code == 201, response.text

    async def test_mail_servers(self, client: AsyncClient) -> None:
        """A mail server is a destination, too."""
        mail = {"kind": "email", "to": ["noc@example.net"], "host": "cloud.example"}
        assert places(await create(client, mail)) == ["/options/host"]

    async def test_are_looked_up_again_for_a_test(
        self, client: AsyncClient, app: FastAPI, destinations: Destinations
    ) -> None:
        """A name that has come to mean the machine itself is refused when the channel is tested."""
        await create(client, {"kind": "webhook", "url": "https://inside.example/"})
        app.state.destinations = Destinations((), destinations.lookup)
        assert (await client.post(f"{URL}/noc/test")).status_code == 409  # not in force

    @pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "localhost"])
    async def test_other_ways_to_write_an_address(self, host: str) -> None:
        """What the resolver takes for the machine itself is the machine itself."""
        assert "CHM_NOTIFY_NETWORKS" in await Destinations(()).refusal(f"https://{host}/")

    async def test_a_name_without_an_address(self) -> None:
        """A name that leads nowhere cannot be told about, and is not for plain HTTP."""
        assert await Destinations(()).refusal("https://a.invalid/") == ""
        assert "plain HTTP" in await Destinations(()).refusal("http://a.invalid/")


class TestSettings:
    @pytest.mark.parametrize(
        ("options", "place"),
        [
            ({**SLACK, "channel": '{{ template "x" . }}'}, "/options/channel"),
            ({**SLACK, "url": "https://outside.example/{{ .X }}"}, "/options/url"),
            ({**SLACK, "url": "ftp://outside.example/"}, "/options/url"),
            ({**SLACK, "url": "https://user:pw@outside.example/"}, "/options/url"),
            ({**SLACK, "colour": "red"}, "/options/colour"),
            ({**TELEGRAM, "bot_token": "1\n2"}, "/options/bot_token"),
            ({"kind": "email", "to": ["a@example.net\n"]}, "/options/to/0"),
            ({"kind": "email", "to": ["a@example.net, b@example.net"]}, "/options/to/0"),
            ({"kind": "email", "to": []}, "/options/to"),
            ({"kind": "email", "to": ["a@b.example"], "port": 465}, "/options"),
            ({"kind": "smoke"}, "/options"),
        ],
    )
    async def test_what_is_no_channel_is_refused(
        self, client: AsyncClient, options: dict[str, Any], place: str
    ) -> None:
        """Templates, line breaks, unknown fields and what cannot work are refused, and where."""
        response = await create(client, options)
        assert place in places(response)
        assert "very-secret" not in response.text

    async def test_names(self, client: AsyncClient) -> None:
        """A name is given once, and not one that the installation has itself."""
        assert (await create(client, SLACK)).status_code == 201
        assert (await create(client, SLACK)).status_code == 409
        for name in ("inbox", "settings-1"):
            assert (await create(client, SLACK, name)).status_code == 409

    async def test_a_channel_that_a_route_tells_stays(self, client: AsyncClient) -> None:
        """Nobody loses their alerts because a channel was tidied away."""
        await create(client, SLACK)
        route = "/api/v1/notifications/routes/night"
        assert (await client.put(route, json={"channels": ["noc", "inbox"]})).status_code == 200

        assert (await client.delete(f"{URL}/noc")).status_code == 409
        assert (await client.delete(route)).status_code == 204
        assert (await client.delete(f"{URL}/noc")).status_code == 204
        assert (await client.get(f"{URL}/noc")).status_code == 404

    async def test_two_writers(self, client: AsyncClient) -> None:
        """The second one learns that what they saw is no more; built-in ones have no ETag."""
        created = await create(client, SLACK)
        shown = await client.get(f"{URL}/noc")
        assert created.headers["etag"] == shown.headers["etag"] == '"1"'
        seen, change = {"If-Match": '"1"'}, {"options": {"channel": "#night"}}
        changed = await client.patch(f"{URL}/noc", json=change, headers=seen)
        assert (changed.headers["etag"], changed.json()["version"]) == ('"2"', 2)
        for late in (
            await client.patch(f"{URL}/noc", json=change, headers=seen),
            await client.delete(f"{URL}/noc", headers=seen),
        ):
            assert (late.status_code, late.headers["etag"]) == (412, '"2"')
        assert "etag" not in (await client.get(f"{URL}/inbox")).headers

    async def test_operators_look_and_do_not_change(
        self, client: AsyncClient, log_in: Login
    ) -> None:
        """Who is told is for admins to change."""
        await create(client, SLACK)
        operator = await log_in(Role.OPERATOR)
        assert (await operator.get(f"{URL}/noc")).status_code == 200
        assert (await operator.patch(f"{URL}/noc", json={})).status_code == 403
        assert (await operator.post(f"{URL}/noc/test")).status_code == 403
