"""alertmanager.yml with everything in it: what is written, and where alerts go by it."""

import subprocess
from pathlib import Path

import pytest
import yaml

from controlplane.notifications.caps import Cap
from controlplane.notifications.kinds import Version
from controlplane.notifications.receivers import OpenChannel
from controlplane.notifications.routing import RoutePlan
from controlplane.notifications.schemas import RouteOptions
from controlplane.provisioning.alertmanager import document
from controlplane.provisioning.alertmanager.document import Intention, RoutingSet
from controlplane.settings import Settings
from tests.controlplane.provisioning.alertmanager.everything import channel, intention
from tests.tools import tool

GOLDEN = Path(__file__).parent / "alertmanager.yml"
OLD: Version = (0, 25)
NEW: Version = (0, 28)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        data=tmp_path,
        public_url='https://chm.example.net/"{{ x }}',
        notify_webhooks=("https://chat.example.net/secret-hook",),
    )


def write(settings: Settings, wanted: RoutingSet) -> Path:
    folder = settings.prometheus_folder
    for name, text in wanted.files.items():
        file = folder / document.FOLDER / f"rev-{wanted.revision}" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (folder / "alertmanager.yml").write_text(wanted.config)
    return folder / "alertmanager.yml"


def amtool(*arguments: str) -> str:
    ran = subprocess.run([tool("amtool"), *arguments], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_amtool_accepts_it(settings: Settings) -> None:
    """A channel of every kind and a route with every option are a valid configuration."""
    wanted = document.build(settings, intention(), OLD)

    said = amtool("check-config", str(write(settings, wanted)))

    assert "1 templates" in said
    assert wanted.left_out == {"msteams": "needs Alertmanager 0.28 or later, this is 0.25"}


def test_it_reads_as_meant(settings: Settings) -> None:
    """The whole text, secrets masked, is the one in the file beside this test."""
    wanted = document.build(settings, intention(), NEW)
    folder = f"{settings.prometheus_folder.absolute()}/{document.FOLDER}/rev-{wanted.revision}"
    text = wanted.masked.replace(folder, "FOLDER").replace(wanted.revision, "REVISION")

    assert yaml.safe_load(text) == yaml.safe_load(GOLDEN.read_text())


@pytest.mark.parametrize("version", [OLD, NEW])
def test_what_is_kept_of_it_holds_no_secret(settings: Settings, version: Version) -> None:
    """History and answers show where a secret is, not what it is; from 0.26 on it is in files."""
    wanted = document.build(settings, intention(), version)

    assert "secret-" not in wanted.masked
    assert ("secret-" in wanted.config) == (version == OLD)
    assert "secret-" not in repr(wanted)


def test_equal_wishes_are_one_revision(settings: Settings) -> None:
    """The revision is a hash of all there is; another secret is another revision."""
    first, again = (document.build(settings, intention(), OLD) for _ in range(2))
    other = Intention((channel("slack"),))

    assert first == again
    assert document.build(settings, other, OLD).revision != first.revision


def test_a_webhook_that_left_the_settings(settings: Settings) -> None:
    """A route that names it tells its other channels, and what is gone is said."""
    route = RoutePlan("night", ("slack", "settings-2"), RouteOptions())
    wanted = document.build(settings, Intention((channel("slack"),), (route,)), OLD)

    assert amtool("check-config", str(write(settings, wanted)))
    assert set(wanted.left_out) == {"settings-2"}


class TestWhoIsTold:
    @pytest.mark.parametrize(
        ("labels", "receivers"),
        [
            ("severity=critical alertname=DeviceDown", "controlplane,channel-a,people"),
            ("severity=warning", "controlplane,channel-a,people"),
            ("severity=info", "controlplane,nobody"),
            ("severity=info site=lab", "controlplane,channel-b,nobody"),
            ("severity=critical site=lab", "controlplane,channel-a,people"),
            ("severity=none", "controlplane,nobody"),
            ("severity=critical site=oslo", "controlplane,channel-c"),
            ("severity=critical site=osloX", "controlplane,channel-a,people"),
            ("alertname=ChannelTest severity=info chm_channel=b", "channel-b"),
            ("alertname=ChannelTest severity=info chm_channel=gone", "nobody"),
            ("alertname=AlertEscalated escalation=true severity=info chm_channel=b", "channel-b"),
            ("alertname=AlertEscalated escalation=true chm_channel=gone", "people"),
            ("alertname=AlertEscalated escalation=true site=oslo", "people"),
        ],
    )
    def test_routes(self, settings: Settings, labels: str, receivers: str) -> None:
        """What matches is told, info only where asked for; what names a channel goes there."""
        made = tuple(OpenChannel(name, channel("slack").options) for name in ("a", "b", "c"))
        routes = (
            RoutePlan("oslo", ("c",), RouteOptions(sites=["oslo"], stop=True)),
            RoutePlan("all", ("a",), RouteOptions()),
            RoutePlan("lab", ("b",), RouteOptions(severities=["info"], sites=["lab"])),
        )
        file = write(settings, document.build(settings, Intention(made, routes), OLD))

        told = amtool("config", "routes", "test", f"--config.file={file}", *labels.split())

        assert told.strip() == receivers

    @pytest.mark.parametrize(
        ("labels", "receivers"),
        [
            ("severity=warning alertclass=cause", "controlplane,capped-a,capped-b"),
            ("severity=critical alertclass=cause", "controlplane,channel-a,capped-b"),
            ("severity=critical alertclass=symptom", "controlplane,capped-a,capped-b"),
            ("severity=critical alertclass=cause chm_channel=a chm_message=1", "channel-a"),
            ("severity=warning chm_channel=gone chm_message=1", "nobody"),
            ("alertname=ChannelTest severity=info chm_channel=a", "channel-a"),
            ("alertname=AlertEscalated escalation=true chm_channel=b", "channel-b"),
        ],
    )
    @pytest.mark.parametrize("alone", [True, False])
    def test_caps(self, settings: Settings, labels: str, receivers: str, alone: bool) -> None:  # noqa: FBT001 - a case of the test
        """With a cap the control plane hears, but of critical causes; what it tells goes on."""
        options = channel("slack").options
        caps = (
            Cap(notifications=1, seconds=60),
            Cap(notifications=1, seconds=60, except_causes=False),
        )
        made = tuple(
            OpenChannel(name, options, cap=cap) for name, cap in zip(("a", "b"), caps, strict=True)
        )
        last = RouteOptions(stop=True)
        apart = (RoutePlan("a", ("a",), RouteOptions()), RoutePlan("b", ("b",), last))
        routes = apart if alone else (RoutePlan("all", ("a", "b"), last),)
        file = write(settings, document.build(settings, Intention(made, routes), OLD))

        told = amtool("config", "routes", "test", f"--config.file={file}", *labels.split())

        assert told.strip() == receivers

    def test_without_channels_it_is_as_the_settings_say(self, settings: Settings) -> None:
        """Without any channel the webhooks of the settings and the inboxes are told."""
        config = yaml.safe_load(document.build(settings, Intention(), OLD).config)
        people = next(r for r in config["receivers"] if r["name"] == "people")

        assert [w["url"] for w in people["webhook_configs"]] == [
            f"{settings.controlplane_url}/api/v1/notifications/inbox",
            "https://chat.example.net/secret-hook",
        ]
