from pathlib import Path

import pytest

from tests.rules.promtool import Series, check, device, evaluate, samples, series, threshold

PORT = {
    "device": "sw1",
    "site": "lab",
    "role": "core",
    "vendor": "Cisco",
    "instance": "sw1",
    "job": "chm-devices",
    "ifIndex": "7",
    "ifName": "Gi0/7",
    "ifDescr": "GigabitEthernet0/7",
}
SCRAPED = {name: PORT[name] for name in ("device", "site", "role", "vendor", "instance", "job")}
BY = "device, severity, ifName"
DOWN = 'InterfaceDown{device="sw1", severity="warning", ifName="Gi0/7"}'


def port(
    oper: str, admin: str = "1x2000", alias: str = "uplink to core1", **changed: str
) -> Series:
    return {
        **device("sw1", "1x2000"),
        next(iter(device("sw1"))): "1x2000",
        'up{job="chm-intent"}': "1x2000",
        **states(oper, admin, ifAlias=alias, **changed),
    }


def states(oper: str, admin: str, **changed: str) -> Series:
    """Give what the exporter tells of the states of a port."""
    labels = {**PORT, "ifAlias": "uplink to core1", **changed}
    return {
        series("ifOperStatus", **labels): oper,
        series("ifAdminStatus", **labels): admin,
        series("chm_interface_down", **labels): down(oper, admin),
        series("chm_interface_disabled", **labels): disabled(admin),
        series("chm_interfaces", **SCRAPED): told(oper),
    }


def told(values: str) -> str:
    """Write when the exporter tells that there is a port at all."""
    return " ".join(each if each in {"_", "stale"} else "1" for each in samples(values))


def disabled(admin: str) -> str:
    """Write when the exporter tells that a port is switched off."""
    states = samples(admin)
    before = ["1", *states]
    return " ".join(
        "1" if now == "2" else "stale" if was == "2" else "_"
        for was, now in zip(before, states, strict=False)
    )


def down(oper: str, admin: str) -> str:
    """Write when the exporter tells that a port is switched on and not up, and no more."""
    told, wanted = samples(oper), samples(admin)
    found = ["_"]
    for state, on in zip(told, wanted, strict=False):
        if state == "_" or (on == "1" and state not in {"1", "stale"}):
            found.append(state)
        else:
            found.append("_" if found[-1] in {"_", "stale"} else "stale")
    return " ".join(found[1:])


def told_of(neighbor: str, values: str = "1x2000") -> Series:
    """Give the device at the other end of the port, as its announcements have it."""
    labels = {"interface": PORT["ifName"], "protocol": "lldp", "neighbor_interface": "Ethernet1"}
    return {series("chm_neighbor_info", **SCRAPED, **labels, neighbor=neighbor): values}


def traffic(direction: str = "in", **values: str) -> Series:
    """Return counters of the port as the exporter tells them, one keyword for each."""
    labels = {**PORT, "ifAlias": "uplink to core1", "direction": direction}
    speed = {"busy_seconds": {"speed": "1000000000"}}
    return {
        series(f"chm_interface_{name}_total", **labels, **speed.get(name, {})): text
        for name, text in values.items()
    }


class TestInterfaceDown:
    def test_lost_link_is_told_and_resolves(self, tmp_path: Path) -> None:
        """A port that was up and lost its link fires, and is over when the link is back."""
        check(
            tmp_path,
            port("1x9 2x20 1x60"),
            firing={"11m": [], "13m": [DOWN], "29m": [DOWN], "35m": []},
            by=BY,
        )

    def test_port_that_was_never_used_is_quiet(self, tmp_path: Path) -> None:
        """An unused port that is switched on is no fault."""
        check(tmp_path, port("2x720"), firing={"10m": [], "300m": []}, by=BY)

    def test_port_that_was_switched_off_is_quiet(self, tmp_path: Path) -> None:
        """A port that somebody shut down is no fault."""
        check(tmp_path, port("1x9 2x90", "1x9 2x90"), firing={"30m": []}, by=BY)

    def test_port_below_that_failed_tells_instead(self, tmp_path: Path) -> None:
        """A bundle that is down because its member is (lowerLayerDown) says nothing."""
        check(tmp_path, port("1x9 7x90"), firing={"30m": []}, by=BY)

    def test_port_nobody_described_is_for_information(self, tmp_path: Path) -> None:
        """The desk whose computer goes home in the evening warns nobody."""
        check(
            tmp_path,
            port("1x9 2x90", alias=""),
            firing={"30m": ['InterfaceDown{device="sw1", severity="info", ifName="Gi0/7"}']},
            by=BY,
        )

    def test_lost_port_is_remembered_for_a_day(self, tmp_path: Path) -> None:
        """A lost port fires through the night, and is the new normal after a day."""
        check(
            tmp_path,
            port("1x9 2x1990"),
            firing={"20h": [DOWN], "1480m": []},
            by=BY,
        )

    def test_device_that_is_rebooted_forgets_nothing(self, tmp_path: Path) -> None:
        """A port that does not come back after a reboot of its device is a lost port."""
        check(
            tmp_path,
            port("1x9 stale _x4 2x60", "1x9 stale _x4 1x60"),
            firing={"25m": [DOWN]},
            by=BY,
        )

    def test_port_lost_during_a_long_outage(self, tmp_path: Path) -> None:
        """A port that was up before an hour of silence and is down after it is a lost port."""
        back = "1x9 stale _x60 2x60"
        check(
            tmp_path,
            port(back, back.replace("2x", "1x")),
            firing={"60m": [], "80m": [DOWN]},
            by=BY,
        )

    def test_port_unused_before_a_long_outage_is_quiet(self, tmp_path: Path) -> None:
        """A port that was down before the silence, and one that is up after it, is none."""
        for before, after in ((2, 2), (1, 1)):
            oper = f"{before}x9 stale _x60 {after}x60"
            check(tmp_path, port(oper, "1x9 stale _x60 1x60"), firing={"90m": []}, by=BY)

    def test_index_that_is_another_after_a_long_outage(self, tmp_path: Path) -> None:
        """A port whose index is another since the restart is the same port."""
        before = port("1x9 stale", "1x9 stale")
        after = states("_x70 2x60", "_x70 1x60", ifIndex="9")
        after = {**after, series("chm_interfaces", **SCRAPED): told("1x9 stale _x59 1x60")}
        check(tmp_path, before, after, firing={"85m": [DOWN]}, by=BY)


def decided(value: int, importance: str = "normal", name: str = "Gi0/7") -> Series:
    """Return what an operator decided about a port, as the control plane exposes it."""
    labels = {"device": "sw1", "ifName": name, "importance": importance}
    return {series("chm_interface_monitored", job="chm-intent", **labels): f"{value}x2000"}


def fired(severity: str, name: str = "Gi0/7") -> str:
    port = f', ifName="{name}"' if name else ""
    return f'InterfaceDown{{device="sw1", severity="{severity}"{port}}}'


class TestDecided:
    def test_no_is_never_told(self, tmp_path: Path) -> None:
        """A port that an operator does not want to hear of is quiet, described or not."""
        for alias in ("", "uplink"):
            lost = port("1x9 2x90", alias=alias)
            check(tmp_path, lost, decided(0), firing={"30m": []}, by=BY)

    @pytest.mark.parametrize("oper", ["2x90", "6x90", "7x90", "1x9 2x1990"])
    def test_yes_is_told_in_any_case(self, tmp_path: Path, oper: str) -> None:
        """A port that should be up is told of though it never was, and after more than a day."""
        last = "1480m" if "1990" in oper else "60m"
        check(
            tmp_path,
            port(oper, alias=""),
            decided(1),
            firing={"30m": [fired("warning")], last: [fired("warning")]},
            by=BY,
        )

    @pytest.mark.parametrize(
        ("importance", "severity"),
        [("critical", "critical"), ("normal", "warning"), ("low", "info")],
    )
    def test_its_importance_is_the_severity(
        self, tmp_path: Path, importance: str, severity: str
    ) -> None:
        """It is no label besides; the port is told once, and over when it is up."""
        check(
            tmp_path,
            port("1x9 2x20 1x60"),
            decided(1, importance),
            firing={"11m": [], "13m": [fired(severity)], "29m": [fired(severity)], "35m": []},
            by=f"{BY}, importance",
        )

    def test_switched_off_is_quiet(self, tmp_path: Path) -> None:
        """A port that somebody shut down on the device is no fault, also if it should be up."""
        check(tmp_path, port("2x90", "2x90"), decided(1), firing={"30m": []}, by=BY)

    def test_gone(self, tmp_path: Path) -> None:
        """A port that should be up and of which its device tells no more is down."""
        whole = {
            series("chm_collectors_failed", device="sw1"): "0x90",
        }
        gone = port("1x9 stale", "1x9 stale")
        firing = {"8m": [], "20m": [fired("critical")]}
        check(tmp_path, gone, whole, decided(1, "critical"), firing=firing, by=BY)
        part = {series("chm_collectors_failed", device="sw1"): "1x90"}
        check(tmp_path, gone, part, decided(1, "critical"), firing={"20m": []}, by=BY)

    def test_port_without_a_name(self, tmp_path: Path) -> None:
        """A port that has no ifName is known by its ifDescr, and no other one by it."""
        nameless = {
            **port("1x9 2x90", "1x100", "", ifName=""),
            series("chm_collectors_failed", device="sw1"): "0x100",
        }
        name = "GigabitEthernet0/7"
        for value, firing in ((0, []), (1, [fired("critical", "")])):
            intent = decided(value, "critical", name)
            check(tmp_path, nameless, intent, firing={"30m": firing}, by=BY)
        named = port("1x9 2x90")
        check(tmp_path, named, decided(0, name=name), firing={"30m": [DOWN]}, by=BY)

    def test_other_ports_are_as_before(self, tmp_path: Path) -> None:
        """What was decided about one port says nothing about the next."""
        check(tmp_path, port("1x9 2x90"), decided(0, name="Gi0/8"), firing={"30m": [DOWN]}, by=BY)

    def test_control_plane_that_is_down_changes_nothing(self, tmp_path: Path) -> None:
        """What was decided counts while nobody can say so."""
        silent = {'up{job="chm-intent"}': "1x9 0x60"}
        intent = dict.fromkeys(decided(0), "0x9 stale") | silent
        lost = {key: text for key, text in port("1x20 2x90").items() if "chm-intent" not in key}
        known = {next(iter(device("sw1"))): "1x9 stale"}
        check(tmp_path, lost, known, intent, firing={"40m": []}, by=BY)
        check(tmp_path, lost, known, silent, firing={"40m": [DOWN]}, by=BY)

    def test_errors_and_traffic(self, tmp_path: Path) -> None:
        """A port that nobody wants to hear of is neither full nor lossy."""
        bad = {
            **device("sw1"),
            **threshold("sw1", "interface_errors", 0.01, 0.05),
            **threshold("sw1", "interface_utilization", 0.1, 0.9),
            **traffic(errors="0+60x60", packets="0+900x60", busy_seconds="0+24x60"),
        }
        # Of errors there are more than one in twenty: warning and critical.
        counted = {"InterfaceErrors": 2, "InterfaceSaturated": 1}
        evaluate(
            tmp_path,
            bad,
            expr='count by (alertname) (ALERTS{alertstate="firing", ifName="Gi0/7"})',
            expected={
                "20m": [
                    {"labels": f'{{alertname="{name}"}}', "value": value}
                    for name, value in counted.items()
                ]
            },
        )
        check(tmp_path, bad, decided(0), firing={"20m": []}, by="ifName")


class TestNeighbor:
    """A port to a device that is down is seen, and tells nobody: the device does."""

    QUIET = DOWN.replace("warning", "none")
    CORE = 'DeviceDown{device="core", severity="critical"}'

    @pytest.mark.parametrize("name", ["core", "core.example.net"])
    @pytest.mark.parametrize("notices", ["1x7 0x22 1x60", "1x11 0x20 1x60"])
    def test_a_device_that_is_down_tells(self, tmp_path: Path, name: str, notices: str) -> None:
        """Whoever notices first, at the beginning and at the end, and though LLDP forgets."""
        firing = {"9m": [], "14m": [self.QUIET, self.CORE], "29m": [self.QUIET, self.CORE]}
        check(
            tmp_path,
            port("1x9 2x20 1x60"),
            told_of(name, "1x9 stale"),
            device("core", notices),
            firing={**firing, "38m": [], "60m": []},
            by=BY,
        )

    @pytest.mark.parametrize("name", ["core2", "core.1", "192.0.2.1", "xcore", ""])
    def test_another_device_that_is_down_does_not(self, tmp_path: Path, name: str) -> None:
        """What is at the other end is what announced itself there, and nothing that looks alike."""
        check(
            tmp_path,
            port("1x9 2x20 1x60"),
            told_of(name),
            device("core2"),
            device("192", "1x9 0x60"),
            device("1", "1x9 0x60"),
            device("c", "1x9 0x60"),
            firing={
                "20m": [
                    DOWN,
                    *(
                        f'DeviceDown{{device="{d}", severity="critical"}}'
                        for d in ("192", "1", "c")
                    ),
                ]
            },
            by=BY,
        )

    @pytest.mark.parametrize("other", ["core", "core.old.example.net"])
    def test_a_device_that_gets_another_name(self, tmp_path: Path, other: str) -> None:
        """It is one device, by each of the names that it had within the hour."""
        check(
            tmp_path,
            port("1x19 2x60"),
            told_of(other, "1x9 stale"),
            told_of("core.example.net", "_x10 1x9 stale"),
            device("core", "1x19 0x60"),
            firing={"24m": [self.QUIET, self.CORE], "60m": [self.QUIET, self.CORE]},
            by=BY,
        )

    def test_a_link_that_stays_down_is_told_when_its_device_is_back(self, tmp_path: Path) -> None:
        """A device that is back by another way has lost a link."""
        check(
            tmp_path,
            port("1x9 2x60"),
            told_of("core", "1x9 stale"),
            device("core", "1x9 0x9 1x60"),
            firing={"18m": [self.QUIET, self.CORE], "26m": [DOWN]},
            by=BY,
        )


LOW = threshold("sw1", "interface_utilization", 0, 1)


class TestUtilization:
    def test_each_direction_is_measured(self, tmp_path: Path) -> None:
        """A port that would be busy for 48 of 60 seconds at its speed is at 80 %."""
        evaluate(
            tmp_path,
            device("sw1"),
            LOW,
            traffic("in", busy_seconds="0+48x60"),
            traffic("out", busy_seconds="0+6x60"),
            expr="max by (direction, speed) (interface:utilization:ratio)",
            expected={
                "20m": [
                    {"labels": '{direction="in"}', "value": 0.8},
                    {"labels": '{direction="out"}', "value": 0.1},
                ]
            },
        )

    def test_ports_that_no_threshold_is_about_are_not_recorded(self, tmp_path: Path) -> None:
        """The lowest threshold of any device counts: there are many ports, and few are full."""
        evaluate(
            tmp_path,
            device("sw1"),
            device("sw2"),
            threshold("sw1", "interface_utilization", 0.7, 0.9),
            threshold("sw2", "interface_utilization", 0.5, 0.9),
            traffic("in", busy_seconds="0+36x60"),
            traffic("out", busy_seconds="0+24x60"),
            expr="count by (direction) (interface:utilization:ratio)",
            expected={"20m": [{"labels": '{direction="in"}', "value": 1}]},
        )

    def test_reset_of_the_counter_is_no_burst(self, tmp_path: Path) -> None:
        """A counter that starts again at 0 is neither a negative rate nor a full port."""
        evaluate(
            tmp_path,
            device("sw1"),
            LOW,
            traffic(busy_seconds="7000+4.8x19 0+4.8x40"),
            expr="count(interface:utilization:ratio < 0 or interface:utilization:ratio > 0.081)",
            expected={f"{minute}m": [] for minute in range(18, 27)},
        )

    def test_another_speed_is_no_burst(self, tmp_path: Path) -> None:
        """A port that gets another speed is measured by a counter of its own."""
        slower = {
            key.replace("1000000000", "100000000"): "_x21 70048+48x40"
            for key in traffic(busy_seconds="")
        }
        evaluate(
            tmp_path,
            device("sw1"),
            LOW,
            traffic(busy_seconds="7000+4.8x20 stale"),
            slower,
            expr="count(interface:utilization:ratio > 0.81)",
            expected={f"{minute}m": [] for minute in range(18, 30)},
        )

    def test_full_port_warns_then_is_critical_and_resolves(self, tmp_path: Path) -> None:
        """80 % for minutes is above a warning of 70 %, and not above a critical 90 %."""
        busy = "0+48x20 960+57.6x20 2112+0.48x60"
        full = {
            severity: f'InterfaceSaturated{{device="sw1", severity="{severity}", direction="in"}}'
            for severity in ("warning", "critical")
        }

        check(
            tmp_path,
            device("sw1"),
            threshold("sw1", "interface_utilization", 0.7, 0.9),
            traffic(busy_seconds=busy),
            firing={
                "4m": [],
                "15m": [full["warning"]],
                "35m": [full["warning"], full["critical"]],
                "50m": [],
            },
            by="device, severity, direction",
        )

    def test_device_without_thresholds_is_quiet(self, tmp_path: Path) -> None:
        """A device that left the inventory has no thresholds and no alerts."""
        check(tmp_path, traffic(busy_seconds="0+59x60"), firing={"30m": []})


class TestLoss:
    @pytest.mark.parametrize(
        ("counter", "alert"), [("errors", "InterfaceErrors"), ("discards", "InterfaceDiscards")]
    )
    def test_share_of_packets_against_the_threshold(
        self, tmp_path: Path, counter: str, alert: str
    ) -> None:
        """Two bad packets of a hundred are above one percent, until they stop."""
        check(
            tmp_path,
            device("sw1"),
            threshold("sw1", f"interface_{counter}", 0.01, 0.05),
            traffic(packets="0+980x80", **{counter: "0+20x20 400x60"}),
            firing={
                "4m": [],
                "15m": [f'{alert}{{device="sw1", severity="warning", direction="in"}}'],
                "30m": [],
            },
            by="device, severity, direction",
        )

    def test_bad_packets_are_packets(self, tmp_path: Path) -> None:
        """The share is of all packets, the bad ones of that kind among them."""
        evaluate(
            tmp_path,
            traffic("out", errors="0+10x60", packets="0+90x60"),
            expr='sum(interface:errors:ratio{direction="out"})',
            expected={"20m": [{"labels": "{}", "value": 0.1}]},
        )

    def test_a_few_bad_packets_prove_nothing(self, tmp_path: Path) -> None:
        """One bad packet on an idle port is half of its traffic, and no alert."""
        check(
            tmp_path,
            device("sw1"),
            threshold("sw1", "interface_errors", 0.01, 0.05),
            traffic(errors="0+1x60", packets="0+1x60"),
            firing={"30m": []},
        )
