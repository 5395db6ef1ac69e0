from pathlib import Path

from tests.rules.promtool import Series, asked, check, device, series

LABELS = {
    "device": "r1",
    "site": "lab",
    "role": "core",
    "vendor": "Cisco",
    "instance": "r1",
    "job": "chm-devices",
}
PEER = {"peer": "192.0.2.1", "remote_as": "64500"}
NEIGHBOR = {"neighbor": "192.0.2.2", "router_id": "192.0.2.9"}
COMPLETE = {series("chm_collectors_failed", **LABELS): "0x300"}
BGP_DOWN = 'BgpSessionDown{device="r1", peer="192.0.2.1"}'
OSPF_DOWN = 'OspfNeighborDown{device="r1", neighbor="192.0.2.2", site="lab"}'


def session(metric: str, values: str) -> Series:
    return {series(f"chm_bgp_session_{metric}", **LABELS, **PEER): values}


def neighbor(values: str) -> Series:
    return {series("chm_ospf_neighbor_up", **LABELS, **NEIGHBOR): values}


class TestBgp:
    def test_a_session_that_is_lost_is_told(self, tmp_path: Path) -> None:
        """A session that is switched on and not established is told until it is."""
        check(
            tmp_path,
            device("r1"),
            session("up", "1x9 0x20 1x60"),
            session("enabled", "1x90"),
            firing={"9m": [], "13m": [BGP_DOWN], "40m": []},
            by="device, peer",
        )

    def test_a_session_that_is_switched_off_is_quiet(self, tmp_path: Path) -> None:
        """An operator who shuts a session down is not told of it."""
        check(
            tmp_path,
            device("r1"),
            session("up", "0x90"),
            session("enabled", "0x90"),
            firing={"30m": []},
        )

    def test_a_device_that_cannot_say_is_believed_to_mean_it(self, tmp_path: Path) -> None:
        """Without a word about being switched off, a session that is down is told."""
        check(
            tmp_path,
            device("r1"),
            session("up", "0x90"),
            firing={"30m": [BGP_DOWN]},
            by="device, peer",
        )

    def test_a_device_that_was_removed_is_quiet(self, tmp_path: Path) -> None:
        """A device that is not in the inventory has no alerts."""
        check(
            tmp_path,
            asked("r1"),
            session("up", "0x90"),
            session("transitions_total", "0+1x90"),
            neighbor("0x90"),
            firing={"80m": []},
        )

    def test_a_session_that_flaps_is_told(self, tmp_path: Path) -> None:
        """Three times established within an hour is flapping, twice is not."""
        check(
            tmp_path,
            device("r1"),
            session("up", "1x300"),
            session("transitions_total", "5x9 6x9 7x9 8x300"),
            firing={"25m": [], "32m": ['BgpSessionFlapping{device="r1"}'], "120m": []},
        )


class TestOspf:
    def test_an_adjacency_that_is_not_full_is_told(self, tmp_path: Path) -> None:
        """A neighbour that is seen, and not adjacent, is told."""
        check(
            tmp_path,
            device("r1"),
            neighbor("1x9 0x20 1x60"),
            firing={"9m": [], "13m": [OSPF_DOWN], "40m": []},
            by="device, neighbor, site",
        )

    def test_a_neighbour_that_vanishes_is_told(self, tmp_path: Path) -> None:
        """A router drops a dead neighbour from its table, and the alert stays."""
        check(
            tmp_path,
            device("r1"),
            COMPLETE,
            neighbor("1x99 stale _x99 1x60"),
            firing={"99m": [], "110m": [OSPF_DOWN], "190m": [OSPF_DOWN], "210m": []},
            by="device, neighbor, site",
        )
