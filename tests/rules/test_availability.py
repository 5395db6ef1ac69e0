from pathlib import Path

import pytest

from tests.rules.promtool import Series, check, device, evaluate, run, series

DOWN_AT_10 = "1x9 0x700"


def down(name: str) -> str:
    return f'DeviceDown{{device="{name}"}}'


def unreachable(name: str) -> str:
    return f'DeviceUnreachable{{device="{name}"}}'


class TestDeviceDown:
    def test_fires_after_the_wait_and_resolves(self, tmp_path: Path) -> None:
        """A dead device is told about once it stayed down, and is over once it stays up."""
        core = device("core1", "1x9 0x10 1x30")

        check(
            tmp_path,
            core,
            firing={"9m": [], "11m": [], "12m": [down("core1")], "20m": [down("core1")], "25m": []},
        )

    def test_one_lost_poll_is_no_outage(self, tmp_path: Path) -> None:
        """A single 0 between ones tells nobody."""
        check(tmp_path, device("core1", "1x9 0 1x30"), firing={"10m": [], "12m": [], "14m": []})

    def test_one_good_poll_is_no_recovery(self, tmp_path: Path) -> None:
        """A device that answers once during an outage does not resolve and page again."""
        core = device("core1", "1x9 0x10 1 0x30")

        check(tmp_path, core, firing={f"{t}m": [down("core1")] for t in (20, 21, 22, 23, 24)})

    def test_silence_ends_no_outage(self, tmp_path: Path) -> None:
        """While an exporter restarts, an outage goes on and no new one begins."""
        dead, alive = device("dead", "1x9 0x10 stale"), device("alive", "1x20 stale")

        check(tmp_path, dead, alive, firing={f"{t}m": [down("dead")] for t in (15, 22, 24)})

    def test_a_silence_is_no_state_for_good(self, tmp_path: Path) -> None:
        """What was seen last is forgotten after an hour without a sample."""
        check(
            tmp_path,
            device("core"),
            device("dead", "1x9 0x10 stale"),
            firing={"90m": ['DeviceUnknown{device="dead"}']},
        )

    def test_alert_carries_what_people_need(self, tmp_path: Path) -> None:
        """Labels come from the inventory, and the runbook is a link."""
        alert = {
            "exp_labels": {
                "device": "core1",
                "site": "lab",
                "role": "core",
                "vendor": "Cisco",
                "team": "none",
                "severity": "critical",
                "alertclass": "cause",
            },
            "exp_annotations": {
                "summary": "core1 is down",
                "description": "core1 (core, site lab) does not answer, "
                "and there is a way to it that works.",
                "runbook_url": "https://chm.example.net/runbooks/DeviceDown",
            },
        }
        tests = [{"eval_time": "15m", "alertname": "DeviceDown", "exp_alerts": [alert]}]

        run(tmp_path, device("core1", DOWN_AT_10), checks={"alert_rule_test": tests})

    def test_removed_device_is_over_at_once(self, tmp_path: Path) -> None:
        """Removing a dead device from the inventory resolves its alert at the next evaluation."""
        name = next(iter(device("core1")))
        removed = {name: "1x19 stale"}

        check(
            tmp_path,
            device("core1", DOWN_AT_10),
            removed,
            firing={"19m": [down("core1")], "23m": []},
        )

    def test_moved_device_has_one_alert(self, tmp_path: Path) -> None:
        """A device that changes its site while it is down is told about at the new site."""
        old, new = next(iter(device("core1"))), next(iter(device("core1", site="annex")))
        moved = {old: "1x19 stale", new: "_x19 1x60"}

        check(
            tmp_path,
            device("core1", DOWN_AT_10),
            moved,
            firing={
                "19m": ['DeviceDown{device="core1", site="lab"}'],
                "40m": ['DeviceDown{device="core1", site="annex"}'],
            },
            by="device, site",
        )


class TestTopology:
    def test_chain_has_one_cause(self, tmp_path: Path) -> None:
        """Of core, distribution and edge in a row, only the core pages."""
        check(
            tmp_path,
            device("core", DOWN_AT_10),
            device("dist", DOWN_AT_10, "core"),
            device("edge", DOWN_AT_10, "dist"),
            firing={"30m": [down("core"), unreachable("dist"), unreachable("edge")]},
        )

    def test_dual_homed_child_is_reached_the_other_way(self, tmp_path: Path) -> None:
        """With one of two parents up, a child that is down is a cause of its own."""
        check(
            tmp_path,
            device("core1", DOWN_AT_10),
            device("core2"),
            device("edge", DOWN_AT_10, "core1", "core2"),
            firing={"20m": [down("core1"), down("edge")]},
        )

    def test_dual_homed_child_behind_two_dead_parents(self, tmp_path: Path) -> None:
        """With both parents down the child is unreachable."""
        check(
            tmp_path,
            device("core1", DOWN_AT_10),
            device("core2", DOWN_AT_10),
            device("edge", DOWN_AT_10, "core1", "core2"),
            firing={"20m": [down("core1"), down("core2"), unreachable("edge")]},
        )

    def test_child_noticed_first_does_not_page(self, tmp_path: Path) -> None:
        """A child whose scrape fails before that of its parent is not taken for the cause."""
        check(
            tmp_path,
            device("core", "1x10 0x700"),
            device("edge", DOWN_AT_10, "core"),
            firing={"11m": [], "12m": [], "20m": [down("core"), unreachable("edge")]},
        )

    def test_child_noticed_last_at_recovery_does_not_page(self, tmp_path: Path) -> None:
        """A child that is seen up one scrape after its parent does not become the cause."""
        check(
            tmp_path,
            device("core", "1x9 0x20 1x60"),
            device("edge", "1x9 0x21 1x60", "core"),
            firing={"29m": [down("core"), unreachable("edge")], "35m": [], "40m": []},
        )

    def test_dead_device_behind_a_living_parent_pages(self, tmp_path: Path) -> None:
        """A parent that is up excuses nobody."""
        check(
            tmp_path,
            device("core"),
            device("edge", DOWN_AT_10, "core"),
            firing={"20m": [down("edge")]},
        )

    def test_ring_is_not_silent(self, tmp_path: Path) -> None:
        """Devices that excuse each other are reported as an outage without a root."""
        both = [down("c"), unreachable("a"), unreachable("b")]

        check(
            tmp_path,
            device("a", DOWN_AT_10, "b", site="east"),
            device("b", DOWN_AT_10, "a", site="east"),
            device("c", DOWN_AT_10, site="west"),
            firing={"20m": both, "45m": [*both, "OutageWithoutRoot{}"]},
        )

    def test_ring_that_came_back_is_no_outage(self, tmp_path: Path) -> None:
        """Once the devices of a ring answer again, nothing is told of them."""
        check(
            tmp_path,
            device("a", "1x9 0x50 1x60", "b"),
            device("b", "1x9 0x50 1x60", "a"),
            firing={"45m": [unreachable("a"), unreachable("b"), "OutageWithoutRoot{}"], "90m": []},
        )

    def test_long_chain_has_a_root(self, tmp_path: Path) -> None:
        """Devices far below a cause, at any site, are no outage without a root."""
        chain: list[Series] = [device("n0", DOWN_AT_10)]
        chain += [device(f"n{i}", DOWN_AT_10, f"n{i - 1}", site=f"s{i}") for i in range(1, 12)]
        expected = [down("n0"), *(unreachable(f"n{i}") for i in range(1, 12))]

        check(tmp_path, *chain, firing={"60m": expected})

    def test_ring_below_a_cause_that_came_back(self, tmp_path: Path) -> None:
        """A ring keeps no memory of a cause that has recovered and is no longer its parent."""
        link = series(
            "chm_topology_parent",
            device="a",
            parent="root",
            job="chm-intent",
            instance="controlplane",
        )
        rootless = [unreachable("a"), unreachable("b"), "OutageWithoutRoot{}"]

        check(
            tmp_path,
            device("root", "1x9 0x20 1x700"),
            device("a", DOWN_AT_10, "b", "root"),
            device("b", DOWN_AT_10, "a"),
            {link: "1x24 stale"},
            firing={
                "20m": [down("root"), unreachable("a"), unreachable("b")],
                "180m": rootless,
            },
        )


class TestMaintenance:
    @staticmethod
    def _worked_on(name: str, values: str = "1x700") -> Series:
        intent = {"job": "chm-intent", "instance": "controlplane"}
        return {series("chm_maintenance_active", device=name, **intent): values}

    def test_a_parent_in_maintenance_explains_its_children(self, tmp_path: Path) -> None:
        """A switch that is worked on is still the cause: what is behind it pages nobody.

        Its own alert fires, for Alertmanager to silence; so there is a root, too.
        """
        check(
            tmp_path,
            device("core", DOWN_AT_10),
            device("dist", DOWN_AT_10, "core"),
            device("edge", DOWN_AT_10, "dist"),
            self._worked_on("core"),
            firing={"60m": [down("core"), unreachable("dist"), unreachable("edge")]},
        )

    def test_a_child_that_stays_down_pages(self, tmp_path: Path) -> None:
        """Once the switch is back, a device behind it that is not is an outage of its own."""
        check(
            tmp_path,
            device("core", "1x9 0x20 1x60"),
            device("edge", "1x9 0x80", "core"),
            self._worked_on("core", "1x40 stale"),
            firing={"29m": [down("core"), unreachable("edge")], "40m": [down("edge")]},
        )

    def test_maintenance_is_recorded(self, tmp_path: Path) -> None:
        """It ends when the control plane says so, and is kept while that is down."""
        expr = 'device:chm_maintenance_active:current{device="core"}'
        is_so = [{"labels": expr, "value": 1}]
        ends = self._worked_on("core", "1x9 stale")
        evaluate(tmp_path, device("core"), ends, expr=expr, expected={"9m": is_so, "12m": []})
        stopped = {'up{job="chm-intent"}': "1x9 0x100"}
        evaluate(
            tmp_path,
            device("core"),
            ends,
            stopped,
            expr=expr,
            expected={"30m": is_so, "80m": []},
        )


class TestControlPlaneDown:
    STOPPED = "1x9 stale"

    def _fleet(self) -> dict[str, str]:
        fleet = {**device("core", "1x19 0x700"), **device("edge", "1x19 0x700", "core")}
        intent = {name: self.STOPPED for name in fleet if 'job="chm-intent"' in name}
        return {**fleet, **intent, 'up{job="chm-intent"}': "1x9 0x700"}

    def test_half_an_hour_changes_nothing(self, tmp_path: Path) -> None:
        """A device that dies while the control plane is down pages, and its child does not."""
        check(
            tmp_path,
            self._fleet(),
            firing={
                "15m": [],
                "30m": [down("core"), unreachable("edge")],
                "39m": [down("core"), unreachable("edge")],
            },
        )

    def test_last_known_intent_ends_after_an_hour(self, tmp_path: Path) -> None:
        """What the control plane wanted more than an hour ago is not held against anybody."""
        check(
            tmp_path,
            self._fleet(),
            firing={"60m": [down("core"), unreachable("edge")], "80m": []},
        )

    def test_device_removed_before_stays_removed(self, tmp_path: Path) -> None:
        """A device removed minutes before the control plane stopped does not come back."""
        fleet = self._fleet()
        core = next(name for name in fleet if "inventory" in name and '"core"' in name)
        expr = 'device:chm_inventory_device_info:current{device="core"}'

        evaluate(tmp_path, fleet, {core: "1x4 stale"}, expr=expr, expected={"5m": [], "30m": []})


class TestDeviceUnknown:
    def test_device_without_samples_is_told(self, tmp_path: Path) -> None:
        """A device of the inventory that Prometheus never heard of gets a warning."""
        ghost = device("ghost", None)
        ghost = {name: value for name, value in ghost.items() if not name.startswith("up{")}

        check(
            tmp_path,
            device("core"),
            ghost,
            firing={"3m": [], "6m": ['DeviceUnknown{device="ghost"}']},
        )

    def test_samples_that_come_end_it(self, tmp_path: Path) -> None:
        """The warning is over once the device is polled."""
        late = device("late", "_x20 1x60")

        check(
            tmp_path,
            device("core"),
            late,
            firing={"15m": ['DeviceUnknown{device="late"}'], "22m": []},
        )

    @pytest.mark.parametrize("page", ["0x700", "1x700"])
    def test_dead_exporter_is_no_unknown_device(self, tmp_path: Path, page: str) -> None:
        """Where the exporter is down, or answers no probe, no device gets an alert of its own."""
        check(tmp_path, *_exporter_down(page), firing={"30m": [], "60m": []})

    def test_one_of_two_exporters_down(self, tmp_path: Path) -> None:
        """Devices of a dead exporter are not unknown while most others are polled."""
        names = [f"d{i}" for i in range(6)]
        fleet = [device(name) for name in names]
        lost = device("lost", "1x9 stale")
        lost = {**lost, next(n for n in lost if n.startswith("up{")): "1x9 0x700"}
        second = {'up{job="chm-exporter",instance="second:9116"}': "1x9 0x700"}

        check(tmp_path, *fleet, lost, second, firing={"30m": []})


def _exporter_down(page: str) -> list[Series]:
    fleet: list[Series] = []
    for index in range(20):
        entry = device(f"d{index}", "1x9 stale")
        target = next(name for name in entry if name.startswith("up{"))
        fleet.append({**entry, target: "1x9 0x700"})
    return [*fleet, {'up{job="chm-exporter",instance="exporter:9116"}': page}]


class TestDeviceRebooted:
    REBOOT = 'DeviceRebooted{device="core"}'

    @staticmethod
    def _uptime(values: str) -> Series:
        return {
            **device("core"),
            series("chm_uptime_seconds", device="core", job="chm-devices"): values,
        }

    def test_fires_after_a_restart_and_ends(self, tmp_path: Path) -> None:
        """An uptime that starts again is told once, for ten minutes."""
        uptime = self._uptime("100000+60x20 30+60x60")

        check(tmp_path, uptime, firing={"20m": [], "22m": [self.REBOOT], "35m": []})

    def test_new_device_has_not_restarted(self, tmp_path: Path) -> None:
        """A device first seen minutes after its start is no restart."""
        check(tmp_path, self._uptime("30+60x60"), firing={"2m": [], "5m": []})

    def test_counter_wrap_is_no_restart(self, tmp_path: Path) -> None:
        """SysUpTime starts again at 0 after 497 days of running."""
        uptime = self._uptime("42949000+60x10 5+60x60")

        check(tmp_path, uptime, firing={"12m": [], "15m": []})
