"""What the exporter may be sent to, and what it is never sent to."""

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import text

from controlplane.auth.permissions import Permission
from controlplane.devices.addresses import Reach
from controlplane.settings import Settings
from tests.controlplane.conftest import Service, Sessions

URL = "/api/v1/devices"
EVERYTHING = Reach.of(Settings(management_networks="0.0.0.0/0,::/0"))
DEFAULT = Reach.of(Settings())


PRIVATE = ["10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd00::1"]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_networks_are_for_devices(address: str) -> None:
    """Without a setting, devices are where networks keep their management."""
    assert not DEFAULT.refusal(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:db8::1", "router.example.net", "localhost"])
def test_the_rest_is_named_by_a_setting(address: str) -> None:
    """Public addresses and host names are refused until somebody says that they are managed."""
    assert "CHM_MANAGEMENT" in DEFAULT.refusal(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "0.0.0.1", "169.254.169.254", "224.0.0.1", "255.255.255.255",
        "100.100.100.200", "168.63.129.16", "::1", "::", "fe80::1", "ff02::1", "fd00:ec2::254",
        "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
    ],
)  # fmt: skip
def test_a_large_network_does_not_name_what_is_ours(address: str) -> None:
    """Who allows everything has not allowed this machine, the link, or a cloud's metadata."""
    assert EVERYTHING.refusal(address)


def test_what_is_ours_can_be_named() -> None:
    """The lab lives on loopback, and says so."""
    lab = Reach.of(Settings(management_networks="127.0.1.0/24"))
    assert not lab.refusal("127.0.1.11")
    assert lab.refusal("127.0.0.1")


@pytest.mark.parametrize(
    ("name", "fine"),
    [
        ("core1.net.bank.example", True),
        ("NET.bank.example.", True),
        ("evilnet.bank.example", False),
        ("net.bank.example.evil.example", False),
    ],
)
def test_names_belong_to_a_domain(name: str, fine: bool) -> None:  # noqa: FBT001
    """A name is as good as the domain it is in, to the dot."""
    reach = Reach.of(Settings(management_domains="net.bank.example"))
    assert bool(reach.refusal(name)) is not fine


async def test_every_way_to_write_a_device_is_guarded(client: AsyncClient) -> None:
    """Adding, changing and importing: refused with a pointer, and nothing is written."""
    bad = {"name": "sw1", "address": "169.254.169.254"}
    good = {"name": "sw2", "address": "10.0.0.1"}
    assert (await client.post(URL, json=good)).status_code == 201
    answers = [
        (await client.post(URL, json=bad), "/address"),
        (await client.patch(f"{URL}/sw2", json={"address": "169.254.169.254"}), "/address"),
        (await client.post(f"{URL}/import", json={"devices": [good, bad]}), "/devices/1/address"),
    ]
    for answer, pointer in answers:
        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert (await client.get(URL)).json()["count"] == 1
    assert (await client.get(f"{URL}/sw2")).json()["address"] == "10.0.0.1"


async def test_the_exporter_is_given_nothing_else(
    client: AsyncClient, service: Service, sessions: Sessions, app: FastAPI
) -> None:
    """A row written past the API is not in the snapshot, and health says so."""
    for name in ("sw1", "sw2"):
        await client.post(URL, json={"name": name, "address": "10.0.0.1"})
    async with sessions.begin() as session:
        await session.execute(
            text("UPDATE devices SET address = '169.254.169.254' WHERE name = 'sw1'")
        )
        await session.execute(text("UPDATE changes SET counter = counter + 1"))
    snapshot = await (await service(Permission.SNAPSHOT_READ)).get("/api/v1/exporter/snapshot")
    assert list(snapshot.json()["devices"]) == ["sw2"]
    assert "169.254" not in snapshot.text
    assert app.state.snapshot.kept.out_of_reach == ("sw1",)
    assert "1 devices" in (await client.get("/health")).json()["warnings"][0]
