import ipaddress
from pathlib import Path

import pytest

from lab import topology
from lab.errors import BadTopology


def test_demo_parents_lead_to_the_poller() -> None:
    """Access switches hang on both distribution switches, those on the core, that on the router."""
    demo = topology.demo()

    assert demo.parents("router1") == ()
    assert demo.parents("core1") == ("router1",)
    assert demo.parents("dist1") == demo.parents("dist2") == ("core1",)
    assert {demo.parents(f"access{n}") for n in range(1, 9)} == {("dist1", "dist2")}


def test_demo_has_the_vendors_of_a_real_network() -> None:
    """The demo has four vendors and addresses of 127.0.1.10 and up."""
    demo = topology.demo()

    assert {d.platform.vendor for d in demo.devices} == {"Juniper", "Arista", "Cisco", "HPE"}
    assert [d.address for d in demo.devices] == [f"127.0.1.{n}" for n in range(10, 22)]


def test_bulk_devices_stay_on_loopback() -> None:
    """Thousands of switches get distinct loopback addresses of their own range."""
    devices = list(topology.bulk(5_000))

    assert devices[0].name == "bulk0001"
    assert devices[0].address == "127.1.1.1"
    assert len({d.address for d in devices}) == 5_000
    assert all(ipaddress.IPv4Address(d.address).is_loopback for d in devices)


ROUTER = "{name: r, platform: mx240, role: router}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("devices: []", "devices: Tuple should have at least 1 item"),
        ("devices: [", "not YAML"),
        ("devices: [{name: r, platform: nix, role: router}]", "no platform 'nix'"),
        ("devices: [{name: R, platform: mx240, role: router}]", "not a lower-case slug"),
        (f"devices: [{ROUTER}, {ROUTER}]", "device 'r' occurs twice"),
        (f"{{poller: x, devices: [{ROUTER}]}}", "no device 'x'"),
        (
            "devices: [{name: r, platform: mx240, role: router, address: 192.0.2.1}]",
            "192.0.2.1 is not a loopback address",
        ),
        (
            f"{{devices: [{ROUTER}], links: [{{a: r, a_port: xe-9/9/9, b: r, b_port: lo0}}]}}",
            "has no port 'xe-9/9/9'",
        ),
        (
            f"{{devices: [{ROUTER}], links: [{{a: r, a_port: fxp0, b: r, b_port: fxp0}}]}}",
            "has two cables",
        ),
    ],
)
def test_a_bad_file_is_named_in_one_line(tmp_path: Path, text: str, reason: str) -> None:
    """A topology that cannot be built says in one line which file and why."""
    path = tmp_path / "network.yml"
    path.write_text(text)

    with pytest.raises(BadTopology) as caught:
        topology.load(path)

    assert str(caught.value).startswith(str(path))
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A file that is not there is an error of the person, not a traceback."""
    with pytest.raises(BadTopology, match="No such file"):
        topology.load(tmp_path / "network.yml")
