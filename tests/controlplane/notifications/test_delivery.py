"""Every kind of channel, told by a real Alertmanager, to services that speak its protocol."""

import re
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml

from controlplane.clients.notifier import Notifier
from controlplane.database import now
from controlplane.notifications import receivers, trial
from controlplane.notifications.kinds import BY_KIND, OPTIONS, MsTeams, Unsupported, Version
from controlplane.notifications.receivers import OpenChannel
from controlplane.notifications.routing import RoutePlan
from controlplane.notifications.schemas import Result, RouteOptions
from controlplane.notifications.trial import Trial
from controlplane.provisioning.alertmanager import amtool, document
from controlplane.provisioning.alertmanager.deployment import Target, deploy
from controlplane.provisioning.alertmanager.document import Intention, RoutingSet
from controlplane.settings import Settings
from tests.controlplane.auth.postbox import Postbox, postbox
from tests.controlplane.notifications.running import Alertmanager, Sink, sink, until
from tests.exporter.app.certificates import Certificate
from tests.tools import tool

HOSTILE = {
    "ifAlias": "<!channel> <https://evil.example|ok> [x](https://evil.example) @everyone",
    "ifName": 'Gi0/1"}\n{{ define "x" }}',
    "peer": "a\r\nBcc: evil@example.net\r\n\r\n<script>alert(1)</script>",
}
SUMMARY = "core1 <img src=x onerror=alert(1)>\nRunbook: https://evil.example"
ALERT = {
    "alertname": "InterfaceDown",
    "severity": "critical",
    "alertclass": "symptom",
    "device": "core1",
    "site": "oslo",
    "team": "<!here> north\nRunbook: https://evil.example",
    **HOSTILE,
}
PUSHOVER = "api.pushover.net"
STORM = {"alertname": "DeviceDown", "severity": "critical", "alertclass": "cause", "site": "oslo"}
ANNOTATIONS = {
    "summary": SUMMARY,
    "description": "Port *is* `down` {{ .ExternalURL }} & <b>hot</b>",
    "value": "97% <!channel> **hot**\nRunbook: https://evil.example",
    "threshold": "<img src=x>95%\r\nSite: evil",
    "runbook_url": "https://chm.example.net/runbooks/InterfaceDown",
    "dashboard_url": "javascript:alert(1)",
}

# One line, whatever stands in it.
VALUE = "97% <!channel> **hot** Runbook: https://evil.example (threshold <img src=x>95% Site: evil)"


@dataclass
class World:
    """An Alertmanager, and who it tells."""

    folder: Path
    notifier: Notifier
    sink: Sink
    box: Postbox
    version: Version


def channels(web: Sink, box: Postbox, version: Version) -> tuple[OpenChannel, ...]:
    settings: dict[str, dict[str, Any]] = {
        "email": {"to": ["noc@example.net", "b@example.net"], "host": "127.0.0.1"}
        | {"port": box.port, "security": "none", "sender": "chm@example.net"},
        "slack": {"url": web.url("/slack"), "channel": "#noc"},
        "pagerduty": {"routing_key": "r" * 32, "api_url": web.url("/pagerduty")},
        "opsgenie": {"api_key": "ops-key", "api_url": web.url("/opsgenie/")}
        | {"responders": [{"type": "team", "name": "NOC"}]},
        "webhook": {"url": web.url("/webhook"), "token": "tok-1"},
        "telegram": {"bot_token": "12:ab", "chat_id": -100, "api_url": web.url("/telegram")},
        "discord": {"url": web.url("/discord")},
        "pushover": {"user_key": "user-1", "token": "app-1"},
        "msteams": {"url": web.url("/msteams")},
    }
    if version < MsTeams.since:
        del settings["msteams"]
    return tuple(
        OpenChannel(kind, OPTIONS.validate_python({"kind": kind, **options}))
        for kind, options in settings.items()
    )


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("alertmanager")
    settings = Settings(
        data=folder, public_url="https://chm.example.net", group_wait=1, group_interval=5
    )
    prometheus = settings.prometheus_folder
    (prometheus / "secrets").mkdir(parents=True)
    (prometheus / "secrets" / "alertmanager.token").write_text("token")
    authority = Certificate.authority(folder)
    posing = authority.signed(folder, PUSHOVER)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(posing.cert_file, posing.key_file)
    async with sink(tls=tls) as web, postbox() as box:
        version = await amtool.version(tool("amtool"), 10)
        made = channels(web, box, version)
        route = RoutePlan("all", tuple(c.name for c in made), RouteOptions(sites=["oslo"]))
        built = document.build(settings, Intention(made, (route,)), version)
        wanted = _led_here(built, "pushover", web, authority.cert_file)
        server = Alertmanager(prometheus)
        stopped = Notifier.at(server.url)
        result = await deploy(wanted, Target(prometheus, stopped, tool("amtool")))
        await stopped.aclose()
        assert result.detail == "Alertmanager is not running; it will start with this set"
        async with server.running() as notifier:
            yield World(prometheus, notifier, web, box, version)


@pytest.fixture(scope="module")
async def told(world: World) -> World:
    """Give the world after a hostile alert was told to every channel."""
    await world.notifier.tell(ALERT, ANNOTATIONS, now() + timedelta(minutes=5))
    services = {*BY_KIND} - {"email"}
    if world.version < MsTeams.since:
        services.remove("msteams")
    await until(lambda: _about(world, "InterfaceDown") == services)
    await until(lambda: any("core1" in m["Subject"] for m in world.box.messages))
    return world


def _about(world: World, alertname: str) -> set[str]:
    """Give the kinds of the services that were told of an alert."""
    told = {r.path.split("/")[1] for r in world.sink.requests if alertname in r.text}
    return (told - {"1"}) | {"pushover" for fields in _pushed(world) if alertname in str(fields)}


def _pushed(world: World) -> list[dict[str, str]]:
    """Give the fields of each message to Pushover: before 0.28 they stand in the address."""
    requests = world.sink.at("/1/messages.json")
    return [dict(parse_qsl(f"{urlsplit(r.path).query}&{r.text}")) for r in requests]


def _led_here(built: RoutingSet, channel: str, web: Sink, authority: Path) -> RoutingSet:
    """Have a channel whose address is fixed ask a proxy, which poses as its service."""
    tree = yaml.safe_load(built.config)
    receiver = next(r for r in tree["receivers"] if r["name"] == receivers.receiver(channel))
    http = receiver[f"{channel}_configs"][0]["http_config"]
    http |= {"proxy_url": web.url(""), "tls_config": {"ca_file": str(authority)}}
    return replace(built, config=yaml.safe_dump(tree))


class TestTrial:
    @pytest.mark.parametrize(
        "kind", ["slack", "pagerduty", "opsgenie", "webhook", "telegram", "discord", "pushover"]
    )
    async def test_a_test_goes_to_its_channel_alone(self, world: World, kind: str) -> None:
        """A test is delivered to the channel that is tested, and to no other."""
        section = f"{kind}_configs"
        test = Trial(kind, section, "ann", f"test-{kind}")
        world.sink.requests.clear()

        result = await trial.send(world.notifier, test, patience=20)

        assert (result.result, result.seconds < 20) == (Result.DELIVERED, True), result
        assert _about(world, f"Test of channel {kind}") == {kind}

    async def test_mail(self, world: World) -> None:
        """A test of mail is a mail to everybody who is named."""
        result = await trial.send(
            world.notifier, Trial("email", "email_configs", "ann", "test-mail"), patience=20
        )

        assert result.result is Result.DELIVERED, result
        (message,) = [m for m in world.box.messages if "Test of channel" in m["Subject"]]
        assert message["To"] == "noc@example.net, b@example.net"
        assert message["From"] == "chm@example.net"
        assert message["Auto-Submitted"] == "auto-generated"

    async def test_a_service_that_refuses(self, world: World) -> None:
        """Where the service says no, the test says that it failed, and not that it was sent."""
        world.sink.status = 403
        try:
            test = Trial("webhook", "webhook_configs", "ann", "test-refused")
            result = await trial.send(world.notifier, test, patience=20)
        finally:
            world.sink.status = 200

        assert result.result is Result.FAILED, result

    async def test_a_redirect_is_not_followed(self, world: World) -> None:
        """An answer that leads elsewhere, to the metadata of a cloud perhaps, is a failure."""
        world.sink.status, world.sink.location = 302, world.sink.url("/elsewhere")
        try:
            test = Trial("slack", "slack_configs", "ann", "test-moved")
            result = await trial.send(world.notifier, test, patience=20)
        finally:
            world.sink.status, world.sink.location = 200, ""

        assert result.result is Result.FAILED, result
        assert not world.sink.at("/elsewhere")


class TestHostileTexts:
    """Names and texts of devices are words, in every medium."""

    async def test_slack(self, told: World) -> None:
        """Slack gets no mention and no link that a device wrote."""
        (request,) = [r for r in told.sink.at("/slack") if "InterfaceDown" in r.text]
        (attachment,) = request.body["attachments"]
        text = attachment["title"] + attachment["text"] + attachment["fallback"]

        assert re.findall(r"<([^>]*)>", text) == [
            f"{ANNOTATIONS['runbook_url']}|Runbook",
            f"{ANNOTATIONS['dashboard_url']}|Dashboard",
        ]
        assert "Described as: &lt;!channel&gt;" in text
        assert "Team: &lt;!here&gt; north Runbook" in text
        escaped = VALUE.replace("<", "&lt;").replace(">", "&gt;")
        assert _lines(attachment["text"], "Value:") == [escaped]
        assert request.body["channel"] == "#noc"
        assert attachment["color"] == "danger"

    async def test_mail(self, told: World) -> None:
        """Mail has no header, no element and no script that a device wrote."""
        message = next(m for m in told.box.messages if "core1" in m["Subject"])
        html = _part(message, "html")

        assert "Bcc" not in message
        assert message["Subject"].startswith("[CRITICAL] core1 <img src=x onerror=alert(1)> ")
        assert set(re.findall(r"<(\w+)", html)) <= {
            *("html", "head", "meta", "title", "body", "div", "h1", "p", "strong"),
            *("table", "tr", "td", "a"),
        }
        assert 'href="javascript:' not in html
        assert f'href="{ANNOTATIONS["runbook_url"]}"' in html
        assert "97% &lt;!channel&gt; **hot** Runbook: https://evil.example" in html
        assert "<td>&lt;!here&gt; north Runbook" in html
        assert "(threshold &lt;img src=x&gt;95% Site: evil)" in html
        assert _lines(_part(message, "plain"), "Runbook:") == [ANNOTATIONS["runbook_url"]]
        assert _lines(_part(message, "plain"), "Value:") == [VALUE]

    async def test_telegram(self, told: World) -> None:
        """Telegram gets a plain text, in which nothing is a mark; each line of ours stands once."""
        (request,) = [r for r in told.sink.at("/telegram") if "InterfaceDown" in r.text]
        body = request.body

        assert request.path == "/telegram/bot12:ab/sendMessage"
        assert not body.get("parse_mode")
        assert _lines(body["text"], "Runbook:") == [ANNOTATIONS["runbook_url"]]
        assert "{{ .ExternalURL }}" in body["text"]  # said, not run
        assert _lines(body["text"], "Value:") == [VALUE]
        assert len(_lines(body["text"], "Team:")) == 1
        assert _lines(body["text"], "peer:") == [
            "a Bcc: evil@example.net <script>alert(1)</script>"
        ]

    async def test_discord(self, told: World) -> None:
        """Discord gets an embed with every mark behind a backslash, and no mention."""
        (request,) = [r for r in told.sink.at("/discord") if "InterfaceDown" in r.text]
        (embed,) = request.body["embeds"]

        assert not request.body.get("content")
        assert r"\[x\]\(https://evil.example\) \@everyone" in embed["description"]
        assert r"\<b\>hot\</b\>" in embed["description"]
        assert len(_lines(embed["description"], "- Team: \\<\\!here")) == 1
        (value,) = _lines(embed["description"], "- Value:")
        assert value.startswith(r"97% \<\!channel\> \*\*hot\*\* Runbook: https://evil")
        assert value.endswith(r"(threshold \<img src=x\>95% Site: evil)")

    async def test_teams(self, told: World) -> None:
        """Teams gets a card with every mark escaped, or the channel says what it lacks."""
        found = [r for r in told.sink.at("/msteams") if "InterfaceDown" in r.text]
        if told.version < MsTeams.since:
            kind = MsTeams.model_validate({"url": "https://teams.example.net/"})
            with pytest.raises(Unsupported, match=r"needs Alertmanager 0\.28"):
                receivers.refuse_unsupported(kind, told.version)
            return
        (request,) = found
        card = request.body["attachments"][0]["content"]
        text = "".join(block["text"] for block in card["body"])
        assert r"\[x\]\(https://evil.example\)" in text
        assert r"Value: 97% \<\!channel\> \*\*hot\*\*" in text

    async def test_pagerduty(self, told: World) -> None:
        """PagerDuty gets an event of version 2 with its severity, device and site."""
        (request,) = [r for r in told.sink.at("/pagerduty") if "InterfaceDown" in r.text]
        event = request.body

        assert event["routing_key"] == "r" * 32
        assert event["event_action"] == "trigger"
        payload = event["payload"]
        assert payload["severity"] == "critical"
        assert (payload["component"], payload["group"]) == ("core1", "oslo")
        assert "\n" not in payload["summary"]
        assert _lines(payload["custom_details"]["alerts"], "Value:") == [VALUE]

    async def test_opsgenie(self, told: World) -> None:
        """Opsgenie gets an alert of the first priority for those who respond."""
        (request,) = [r for r in told.sink.at("/opsgenie/v2/alerts") if "InterfaceDown" in r.text]
        assert request.headers["authorization"] == "GenieKey ops-key"
        assert request.body["priority"] == "P1"
        assert request.body["responders"] == [{"name": "NOC", "type": "team"}]
        assert _lines(request.body["description"], "Value:") == [VALUE]

    async def test_pushover(self, told: World) -> None:
        """Pushover gets a plain text for its user, loud where it is critical, within its limits."""
        (fields,) = [f for f in _pushed(told) if "InterfaceDown" in str(f)]

        assert (fields["user"], fields["token"], fields["priority"]) == ("user-1", "app-1", "1")
        assert fields["title"].startswith("[CRITICAL] core1 <img src=x onerror=alert(1)> ")
        assert "html" not in fields
        assert _lines(fields["message"], "Runbook:") == [ANNOTATIONS["runbook_url"]]
        assert _lines(fields["message"], "Value:") == [VALUE]
        assert len(fields["message"]) <= 1024
        assert fields["url"] == "https://chm.example.net"

    async def test_webhook(self, told: World) -> None:
        """A webhook gets Alertmanager's own JSON, labels as they are, and the channel's token."""
        (request,) = [r for r in told.sink.at("/webhook") if "InterfaceDown" in r.text]

        assert request.headers["authorization"] == "Bearer tok-1"
        (alert,) = request.body["alerts"]
        assert alert["labels"] == ALERT
        assert alert["annotations"] == ANNOTATIONS


async def test_the_value_of_what_is_over_is_the_last(world: World) -> None:
    """A message that all is well again does not say that the processor is busy."""
    labels = {"alertname": "CpuHigh", "severity": "warning", "device": "core1", "site": "oslo"}
    annotations = {"summary": "busy", "value": "97%", "threshold": "95%"}
    began = now() - timedelta(minutes=1)
    for told, ends in enumerate((now() + timedelta(minutes=5), now()), start=1):
        times = {"startsAt": began.isoformat(), "endsAt": ends.isoformat()}
        alert = {"labels": labels, "annotations": annotations, **times}
        await world.notifier._request("POST", "/api/v2/alerts", json=[alert])
        await until(
            lambda told=told: sum("busy" in r.text for r in world.sink.at("/telegram")) == told
        )

    texts = [r.body["text"] for r in world.sink.at("/telegram") if "busy" in r.text]
    assert [_lines(text, "Value:") for text in texts] == [["97% (threshold 95%)"], []]
    assert _lines(texts[1], "Last value:") == ["97% (threshold 95%)"]


async def test_a_storm_is_one_message(world: World) -> None:
    """Sixty devices of a site are one message by every kind, which shows twenty and the count."""
    alerts = [
        {
            "labels": {**STORM, "device": f"sw{n}"},
            "annotations": {"summary": f"sw{n} is down", "description": "does not answer " * 20},
        }
        for n in range(60)
    ]
    await world.notifier._request("POST", "/api/v2/alerts", json=alerts)
    services = {*BY_KIND} - {"email"} - ({"msteams"} if world.version < MsTeams.since else set())
    await until(lambda: _about(world, " is down") >= services)
    await until(lambda: any("60 alerts" in m["Subject"] for m in world.box.messages))

    (message,) = [r for r in world.sink.at("/webhook") if "DeviceDown" in r.text]
    assert len(message.body["alerts"]) == 60
    for kind in services - {"webhook", "pushover"}:
        (request,) = [r for r in world.sink.at(f"/{kind}") if "is down" in r.text]
        assert "60 alerts" in request.text, kind
        assert len(request.text) < 20_000, kind
    (text,) = [r.body["text"] for r in world.sink.at("/telegram") if "is down" in r.text]
    assert (text.splitlines()[0], len(text)) == ("Of 60 alerts, 20 are shown.", 4096)
    (pushed,) = [fields for fields in _pushed(world) if "is down" in fields["message"]]
    assert pushed["title"].endswith("(60 alerts)")
    (mail,) = [m for m in world.box.messages if "60 alerts" in m["Subject"]]
    assert len(_lines(_part(mail, "plain"), "Root cause:")) == 20
    assert len(re.findall("Root cause", _part(mail, "html"))) == 20


def test_secrets_lie_in_private_files(world: World) -> None:
    """What Alertmanager reads is for its own account alone, secrets by themselves where it can."""
    written = {p.name: p for p in world.folder.rglob("rev-*/**/*") if p.is_file()}

    assert written["slack.api_url"].read_text() == world.sink.url("/slack")
    assert {p.stat().st_mode & 0o777 for p in written.values()} == {0o600}
    assert world.sink.url("/slack") not in (world.folder / "alertmanager.yml").read_text()


def _part(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    assert part is not None
    return str(part.get_content())


def _lines(text: str, prefix: str) -> list[str]:
    """Give what stands behind the prefix in each line that begins with it."""
    return [
        line.removeprefix(prefix).strip() for line in text.splitlines() if line.startswith(prefix)
    ]
