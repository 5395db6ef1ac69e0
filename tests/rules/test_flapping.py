"""What goes up and down all the time is told once; each time it goes down is not."""

from pathlib import Path

import pytest

from tests.rules.promtool import INTENT, Expected, Series, check, device, run
from tests.rules.test_interfaces import BY, decided, fired, port, told_of
from tests.rules.test_routing import BGP_DOWN, session

DOWN = 'DeviceDown{device="core"}'
FLAPS = 'DeviceFlapping{device="core"}'
PORT_DOWN = 'InterfaceDown{device="sw1", severity="warning", ifName="Gi0/7"}'
PORT_FLAPS = 'InterfaceFlapping{device="sw1", severity="warning", ifName="Gi0/7"}'
# Minutes of the changes: 10, 13, 16, 19, 22, 25 (the sixth), ... and then calm from 40 on.
RESTLESS = "1x9" + " 0x2 1x2" * 5


def test_a_device_that_flaps_is_told_once(tmp_path: Path) -> None:
    """Six changes within half an hour are flapping, until ten minutes have passed without one."""
    check(
        tmp_path,
        device("core", f"{RESTLESS} 1x60"),
        firing={
            "12m": [DOWN],
            "18m": [DOWN],
            "22m": [],
            "24m": [DOWN],
            **{f"{minute}m": [FLAPS] for minute in range(28, 46)},
            "49m": [],
            "90m": [],
        },
    )


def test_a_device_that_stays_down_after_flapping_is_told(tmp_path: Path) -> None:
    """Flapping hides no outage: ten minutes after the last change the device is down."""
    check(
        tmp_path,
        device("core", f"{RESTLESS} 0x60"),
        firing={"45m": [FLAPS], "53m": [DOWN], "90m": [DOWN]},
    )


def test_five_changes_are_no_flapping(tmp_path: Path) -> None:
    """Twice down and once more is three outages, or two."""
    core = device("core", "1x9" + " 0x2 1x2" * 2 + " 0x60")
    check(tmp_path, core, firing={"24m": [DOWN], "40m": [DOWN]})


def test_changes_that_are_hours_apart_are_no_flapping(tmp_path: Path) -> None:
    """A device that is down for two minutes every hour has an outage every hour."""
    hourly = device("core", " ".join(["1x56 0x2"] * 7))
    check(tmp_path, hourly, firing={f"{hour}h": [DOWN] for hour in range(1, 7)})


@pytest.mark.parametrize("gap", ["_x2", "stale _"])
def test_missing_samples_are_no_change(tmp_path: Path, gap: str) -> None:
    """An exporter that is restarted again and again has nobody's device flap."""
    values = f"1x9 {gap}" + f" 1x2 {gap}" * 6 + " 1x60"
    check(tmp_path, device("core", values), firing={f"{minute}m": [] for minute in range(70)})


def test_a_dead_device_of_a_restless_exporter_does_not_flap(tmp_path: Path) -> None:
    """Down, and no word, and down again is one outage."""
    values = "1x9 0x2" + " stale _ 0x2" * 6 + " 0x60"
    check(tmp_path, device("core", values), firing={f"{m}m": [DOWN] for m in range(13, 70)})


def test_what_is_behind_a_device_that_flaps_is_not_told(tmp_path: Path) -> None:
    """Of a core that flaps and what goes up and down with it, sooner or later, the core is told."""
    sooner, later = "1x8" + " 0x2 1x2" * 5 + " 1x60", "1x10" + " 0x2 1x2" * 5 + " 1x60"
    check(
        tmp_path,
        device("core", f"{RESTLESS} 1x60"),
        device("dist1", sooner, "core"),
        device("dist2", later, "core"),
        device("edge", later, "dist1", "dist2"),
        firing={**{f"{m}m": [FLAPS] for m in range(29, 47)}, "50m": [], "70m": []},
        classes="cause",
    )


def test_a_device_that_flaps_behind_a_calm_one_is_told(tmp_path: Path) -> None:
    """With a way to it that works, a device flaps by itself."""
    check(
        tmp_path,
        device("up", f"{RESTLESS} 1x60"),
        device("calm"),
        device("core", f"{RESTLESS} 1x60", "up", "calm"),
        firing={"30m": ['DeviceFlapping{device="up"}', FLAPS]},
    )


def test_a_device_that_was_removed_flaps_no_more(tmp_path: Path) -> None:
    """The alert of a device that leaves the inventory ends."""
    name = next(iter(device("core")))
    removed = {name: "1x34 stale"}
    core = device("core", f"{RESTLESS} 1x60")
    check(tmp_path, core, removed, firing={"34m": [FLAPS], "37m": []})


def test_the_alert_says_how_often(tmp_path: Path) -> None:
    """It is as urgent as what it stands for, and names the device, the times and the time."""
    alert = {
        "exp_labels": {
            "device": "core",
            "site": "lab",
            "role": "core",
            "vendor": "Cisco",
            "team": "none",
            "severity": "critical",
            "alertclass": "cause",
        },
        "exp_annotations": {
            "summary": "core goes down and comes back all the time",
            "description": "core (core, site lab) went down or came back 10 times within 30 min. "
            "Until it settles this is told instead of each DeviceDown.",
            "runbook_url": f"{INTENT.public_url}/runbooks/DeviceFlapping",
        },
    }
    tests = [{"eval_time": "39m", "alertname": "DeviceFlapping", "exp_alerts": [alert]}]
    run(tmp_path, device("core", f"{RESTLESS} 1x60"), checks={"alert_rule_test": tests})


def restless(calm: str, admin: str = "1x2000", **labels: str) -> Series:
    """Give a port that changes its state like RESTLESS does, and then is calm."""
    return port("1x9" + " 2x2 1x2" * 5 + f" {calm}", admin, **labels)


class TestPort:
    def test_a_port_that_flaps_is_told_once(self, tmp_path: Path) -> None:
        """Six changes are flapping, during which it is not told to be down; then it is over."""
        told = {"12m": [PORT_DOWN], "24m": [PORT_DOWN]}
        told |= {f"{minute}m": [PORT_FLAPS] for minute in range(28, 46)}
        check(tmp_path, restless("1x60"), firing={**told, "49m": [], "90m": []}, by=BY)

    def test_a_port_that_stays_down_is_told(self, tmp_path: Path) -> None:
        """Ten minutes after the last change a port that was lost is lost."""
        check(
            tmp_path,
            restless("2x90"),
            firing={"45m": [PORT_FLAPS], "55m": [PORT_DOWN], "90m": [PORT_DOWN]},
            by=BY,
        )

    def test_a_port_nobody_described_is_for_information(self, tmp_path: Path) -> None:
        """A desk whose computer sleeps and wakes warns nobody."""
        flaps = 'InterfaceFlapping{device="sw1", severity="info", ifName="Gi0/7"}'
        check(tmp_path, restless("1x60", alias=""), firing={"40m": [flaps]}, by=BY)

    def test_a_port_that_is_switched_off_is_mended(self, tmp_path: Path) -> None:
        """Who shuts a port down that flaps hears no more of it."""
        shut = restless("2x60", "1x39 2x60")
        check(tmp_path, shut, firing={"38m": [PORT_FLAPS], "41m": [], "60m": []}, by=BY)

    def test_a_port_above_one_that_flaps_is_quiet(self, tmp_path: Path) -> None:
        """A bundle that is down because its member is (lowerLayerDown) says nothing."""
        bundle = port("1x9" + " 7x2 1x2" * 5 + " 1x60")
        check(tmp_path, bundle, firing={f"{minute}m": [] for minute in range(60)}, by=BY)

    def test_missing_samples_are_no_change(self, tmp_path: Path) -> None:
        """A device that is not asked for a while has no port that flaps."""
        gaps = port("1x9" + " stale _ 1x2" * 6 + " 1x60")
        check(tmp_path, gaps, firing={f"{minute}m": [] for minute in range(60)}, by=BY)

    @pytest.mark.parametrize("intent", [{}, decided(1, "critical")], ids=["auto", "yes"])
    def test_a_port_to_a_device_that_flaps_tells_nobody(
        self, tmp_path: Path, intent: Series
    ) -> None:
        """It is seen, and the device at its other end tells, also when it notices last."""
        quiet = PORT_FLAPS.replace("warning", "none")
        check(
            tmp_path,
            restless("1x60"),
            told_of("core.example.net"),
            intent,
            device("core", "1x11" + " 0x2 1x2" * 5 + " 1x60"),
            firing={
                f"{m}m": [quiet, 'DeviceFlapping{device="core", severity="critical"}']
                for m in range(31, 46)
            },
            by=BY,
        )


def flapped(severity: str, name: str = "Gi0/7") -> str:
    return fired(severity, name).replace("Down", "Flapping")


class TestDecided:
    @pytest.mark.parametrize(
        ("importance", "alias", "severity"),
        [("critical", "", "critical"), ("normal", "", "warning"), ("low", "uplink", "info")],
    )
    def test_its_importance_is_the_severity(
        self, tmp_path: Path, importance: str, alias: str, severity: str
    ) -> None:
        """A port that should be up is as loud when it flaps as when it is down."""
        check(
            tmp_path,
            restless("1x60", alias=alias),
            decided(1, importance),
            firing={
                "12m": [fired(severity)],
                **{f"{minute}m": [flapped(severity)] for minute in range(28, 46)},
                "49m": [],
                "90m": [],
            },
            by=f"{BY}, importance",
        )

    def test_a_bundle_that_flaps_is_told(self, tmp_path: Path) -> None:
        """A bundle that should be up does not wait for the port below it to tell."""
        told = {f"{minute}m": [flapped("critical")] for minute in range(30, 92)}
        check(
            tmp_path,
            port("1x9" + " 7x3 1x1" * 12 + " 7x60"),
            decided(1, "critical"),
            firing={"13m": [fired("critical")], **told, "96m": [fired("critical")]},
            by=BY,
        )

    @pytest.mark.parametrize("value", [0, 1])
    def test_a_port_without_a_name(self, tmp_path: Path, value: int) -> None:
        """It is known by its ifDescr; one that nobody wants to hear of is quiet."""
        nameless = {
            key.replace('ifName="Gi0/7"', 'ifName=""'): text
            for key, text in restless("1x60").items()
        }
        intent = decided(value, "critical", "GigabitEthernet0/7")
        told = [flapped("critical", "")] if value else []
        check(tmp_path, nameless, intent, firing={"40m": told}, by=BY)

    def test_no_is_never_told(self, tmp_path: Path) -> None:
        """A port that an operator does not want to hear of may flap."""
        quiet: Expected = {f"{minute}m": [] for minute in range(0, 60, 3)}
        check(tmp_path, restless("1x60"), decided(0), firing=quiet, by=BY)

    def test_switched_off_is_quiet(self, tmp_path: Path) -> None:
        """Who shuts such a port down hears no more of it."""
        shut = restless("2x60", "1x39 2x60")
        firing = {"38m": [flapped("critical")], "41m": [], "60m": []}
        check(tmp_path, shut, decided(1, "critical"), firing=firing, by=BY)


class TestBgp:
    def test_a_session_that_flaps_is_told_once(self, tmp_path: Path) -> None:
        """While it flaps it is not told to be down, and it is over twenty minutes after."""
        flaps = 'BgpSessionFlapping{device="r1", peer="192.0.2.1"}'
        check(
            tmp_path,
            device("r1"),
            session("up", "1x9 0x4 1x4 0x4 1x4 0x4 1x4 0x4 1x100"),
            session("transitions_total", "5x14 6x9 7x9 8x9 9x100"),
            firing={
                "13m": [BGP_DOWN],
                "24m": [BGP_DOWN],
                "38m": [flaps],
                "43m": [flaps],
                "63m": [flaps],
                "70m": [],
            },
            by="device, peer",
        )

    def test_a_session_that_is_lost_after_flapping_is_told(self, tmp_path: Path) -> None:
        """Flapping hides no session that stays down."""
        check(
            tmp_path,
            device("r1"),
            session("up", "1x9 0x4 1x4 0x4 1x4 0x4 1x4 0x100"),
            session("transitions_total", "5x14 6x9 7x9 8x100"),
            firing={"70m": [BGP_DOWN]},
            by="device, peer",
        )


def test_series_that_flap_are_few(tmp_path: Path) -> None:
    """What never changes leaves no recorded series: there are many ports."""
    expr = 'count({__name__=~".*:(changes|flapping)"})'
    check_ = {"promql_expr_test": [{"expr": expr, "eval_time": "30m", "exp_samples": []}]}
    run(tmp_path, device("core"), port("1x60"), session("up", "1x60"), checks=check_)
