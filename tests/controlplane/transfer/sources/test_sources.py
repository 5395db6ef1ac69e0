"""Exports of other systems, in the shapes that their documentation describes."""

import json
from typing import Any

import pytest

from controlplane.errors import Invalid
from controlplane.transfer import checking, sources
from controlplane.transfer.schemas import ImportQuery
from controlplane.transfer.sources import Given, Source

NETBOX: dict[str, Any] = {
    "sites": {
        "count": 2,
        "next": None,
        "previous": None,
        "results": [
            {"id": 1, "name": "DM-Akron", "slug": "dm-akron", "description": "Head", "asns": [1]},
            {"id": 2, "name": "Zürich HB", "slug": "zurich-hb", "created": "2024-01-01"},
        ],
    },
    "devices": [
        {
            "id": 7,
            "name": "Core Switch 1",
            "device_type": {
                "id": 1,
                "model": "DCS-7280",
                "manufacturer": {"name": "Arista", "slug": "arista"},
            },
            "role": {"name": "Core / Spine", "slug": "core-spine"},
            "site": {"id": 1, "name": "DM-Akron", "slug": "dm-akron"},
            "status": {"value": "active", "label": "Active"},
            "primary_ip": {"id": 3, "address": "10.0.0.1/32", "family": {"value": 4}},
            "primary_ip4": {"id": 3, "address": "10.0.0.1/32"},
            "primary_ip6": None,
            "tags": [{"id": 1, "name": "Gold", "slug": "gold"}],
            "serial": "JPE123",
            "asset_tag": "A-17",
            "description": "In the cellar",
            "tenant": {"name": "Bank", "slug": "bank"},
            "platform": {"name": "EOS 4", "slug": "eos-4"},
            "rack": {"id": 9, "name": "R1"},
            "custom_fields": {},
        },
        {"name": "old", "primary_ip": {"address": "2001:db8::1/64"}, "status": {"value": "failed"}},
        {"name": "patch-panel", "primary_ip": None},
        {"name": None, "primary_ip": {"address": "10.0.0.3/24"}},
    ],
    "racks": [{"name": "R1"}],
}
LIBRENMS: dict[str, Any] = {
    "status": "ok",
    "count": 3,
    "devices": [
        {
            "device_id": 1,
            "hostname": "10.0.0.1",
            "sysName": "Core1.Example.NET",
            "ip": "10.0.0.1",
            "overwrite_ip": None,
            "community": "s3cret",
            "snmpver": "v2c",
            "port": 1161,
            "type": "network",
            "location": "Server Room, 2nd floor",
            "disabled": 0,
            "uptime": 1469957,
        },
        {
            "device_id": 2,
            "hostname": "core2.example.net",
            "sysName": "core2",
            "ip": "10.0.0.2",
            "authlevel": "authPriv",
            "authname": "monitor",
            "authpass": "authsecret",
            "authalgo": "SHA-256",
            "cryptopass": "privsecret",
            "cryptoalgo": "AES",
            "snmpver": "v3",
            "port": "161",
            "disabled": "1",
            "uptime": 1,
        },
        {"hostname": "core3.example.net", "community": "s3cret", "snmpver": "v2c"},
    ],
}
INI = """\
; a comment
lonely.example.net
[leaf:vars]
ansible_password = s3cret

[leaf]
leaf[01:03].example.net ansible_user=admin  # another
[spine]
spine-[a:b] ansible_host=10.1.0.1 ansible_port=22
[fabric:children]
leaf
spine
"""
YAML = """\
---
all:
  hosts:
    lonely.example.net:
  children:
    fabric:
      children:
        leaf:
          hosts:
            leaf[01:03].example.net:
              ansible_user: admin
          vars: {ansible_password: s3cret}
        spine:
          hosts:
            spine-[a:b]: {ansible_host: 10.1.0.1, ansible_port: 22}
"""


def read(source: Source, content: Any, *, secrets: bool = False) -> Given:
    text = content if isinstance(content, str) else json.dumps(content)
    return sources.read(source, text, ImportQuery(secrets=secrets))


def left(given: Given) -> dict[str, int]:
    return {entry.place: entry.objects for entry in given.left_out}


def usable(given: Given) -> bool:
    """Say whether every row is one of ours."""
    return not checking.check(given.document).problems


class TestNetBox:
    def test_devices_and_sites(self) -> None:
        """What NetBox knows and we have a place for is taken over, in our grammar."""
        given = read(Source.NETBOX, NETBOX)
        assert usable(given)
        assert given.document["sites"] == [
            {"name": "dm-akron", "description": "Head"},
            {"name": "zurich-hb", "description": ""},
        ]
        assert given.document["device_roles"] == [{"name": "core-spine"}]
        kind = {"name": "arista-dcs-7280", "manufacturer": "Arista", "model": "DCS-7280"}
        assert given.document["device_types"] == [kind]
        assert given.document["devices"] == [
            {
                "name": "core-switch-1",
                "address": "10.0.0.1",
                "site": "dm-akron",
                "role": "core-spine",
                "device_type": "arista-dcs-7280",
                "platform": "eos-4",
                "tenant": "bank",
                "description": "In the cellar",
                "serial": "JPE123",
                "asset_tag": "A-17",
                "tags": ["gold"],
                "status": "active",
            },
            {"name": "old", "address": "2001:db8::1", "status": "active"},
        ]

    def test_what_is_left_out_is_told(self) -> None:
        """Each field and object that has no place is counted."""
        given = read(Source.NETBOX, NETBOX)
        assert left(given) == {
            "devices": 1,
            "devices/rack": 1,
            "devices/status": 1,
            "racks": 1,
            "sites/asns": 1,
        }
        reasons = {entry.reason for entry in given.left_out if entry.place == "devices"}
        assert reasons == {"has no name", "has no primary address"}

    def test_regions(self) -> None:
        """Regions are places of that kind, whatever comes first in the list; sites lie in them."""
        regions = [
            {"name": "Norway", "slug": "norway", "parent": {"slug": "nordics"}, "_depth": 1},
            {"name": "Nordics", "slug": "nordics", "description": "Five", "parent": None},
        ]
        sites = [
            {"name": "Oslo", "slug": "oslo", "region": {"name": "Norway", "slug": "norway"}},
            {"name": "Rome", "slug": "rome", "region": {"name": "Italy", "slug": "italy"}},
        ]
        given = read(Source.NETBOX, {"regions": regions, "sites": sites})
        assert usable(given)
        assert left(given) == {}
        region = {"kind": "region", "description": ""}
        assert given.document["sites"] == [
            {"name": "norway", **region, "parent": "nordics"},
            {"name": "nordics", **region, "description": "Five"},
            {"name": "oslo", "description": "", "parent": "norway"},
            {"name": "italy", "kind": "region"},
            {"name": "rome", "description": "", "parent": "italy"},
        ]

    def test_a_region_is_no_site(self) -> None:
        """A name that a region and a site share is an error of that row: here names are one's."""
        both = [{"name": "Oslo", "slug": "oslo"}]
        given = read(Source.NETBOX, {"regions": both, "sites": both})
        assert [(p.pointer, p.code) for p in given.problems] == [("/sites/0/name", "collision")]

    def test_locations(self) -> None:
        """A location has the name of the whole path: many a site has a first floor."""
        oslo, rome = {"slug": "oslo"}, {"slug": "rome"}
        locations = [
            {"id": 2, "name": "1st", "slug": "1st", "site": oslo, "parent": {"id": 1}},
            {"id": 1, "name": "House A", "slug": "a", "site": oslo, "description": "Old"},
            {"id": 3, "name": "1st", "slug": "1st", "site": rome},
        ]
        at = {"primary_ip": {"address": "10.0.0.1/24"}, "site": oslo}
        devices = [
            {"name": "sw1", **at, "location": {"id": 2, "slug": "1st"}},
            {"name": "sw2", **at, "location": {"id": 9, "slug": "attic"}},  # of no list
        ]
        given = read(Source.NETBOX, {"locations": locations, "devices": devices})
        assert usable(given)
        assert left(given) == {}
        floor = {"kind": "location", "description": ""}
        assert given.document["sites"] == [
            {"name": "oslo"},
            {"name": "oslo-a", "kind": "location", "parent": "oslo", "description": "Old"},
            {"name": "oslo-a-1st", "parent": "oslo-a", **floor},
            {"name": "rome"},
            {"name": "rome-1st", "parent": "rome", **floor},
            {"name": "oslo-attic", "parent": "oslo", **floor},
        ]
        assert [one["site"] for one in given.document["devices"]] == ["oslo-a-1st", "oslo-attic"]

    @pytest.mark.parametrize("parent", [1, 2])
    def test_locations_in_circles(self, parent: int) -> None:
        """A location that is a part of itself ends the reading of no file."""
        locations = [
            {"id": 1, "slug": "a", "site": {"slug": "oslo"}, "parent": {"id": parent}},
            {"id": 2, "slug": "b", "site": {"slug": "oslo"}, "parent": {"id": 1}},
        ]
        assert usable(read(Source.NETBOX, {"locations": locations}))

    def test_the_catalogue(self) -> None:
        """Lists of roles, types, platforms and tenants say more than the devices that name them."""
        given = read(
            Source.NETBOX,
            {
                "tenants": [{"name": "Bank", "slug": "bank", "description": "Ours"}],
                "platforms": [{"name": "EOS", "slug": "eos", "manufacturer": {"name": "Arista"}}],
                "device_roles": [{"name": "Core", "slug": "core", "color": "ff8800"}],
                "device_types": [
                    {"model": "X1", "part_number": "P1", "manufacturer": {"name": "Nokia"}},
                    {"model": "", "manufacturer": {"name": "Nokia"}},
                ],
                "devices": [
                    {
                        "name": "sw1",
                        "primary_ip": {"address": "10.0.0.1/24"},
                        "role": {"slug": "core"},
                        "tenant": {"slug": "bank"},
                        "device_type": {"model": "X1", "manufacturer": {"name": "Nokia"}},
                    },
                    {
                        "name": "sw2",
                        "primary_ip": {"address": "10.0.0.2/24"},
                        "device_type": {"manufacturer": {"name": "Nokia"}},
                    },
                ],
            },
        )
        assert usable(given)
        made = {"manufacturer": "Nokia", "model": "X1", "part_number": "P1"}
        assert given.document["device_types"] == [{"name": "nokia-x1", **made}]
        assert given.document["device_roles"] == [{"name": "core", "colour": "#ff8800"}]
        assert given.document["platforms"] == [{"name": "eos", "manufacturer": "Arista"}]
        assert given.document["tenants"] == [{"name": "bank", "description": "Ours"}]
        first, second = given.document["devices"]
        assert first["device_type"] == "nokia-x1"
        assert "vendor" not in first  # it is that of the type
        assert second["vendor"] == "Nokia"

    def test_one_answer_alone(self) -> None:
        """The answer of `/api/dcim/devices/` is an export, too."""
        answer = {"count": 1, "next": None, "previous": None, "results": NETBOX["devices"][:1]}
        assert len(read(Source.NETBOX, answer).document["devices"]) == 1
        assert len(read(Source.NETBOX, NETBOX["devices"]).document["devices"]) == 2

    def test_a_page_is_not_all(self) -> None:
        """One page of several is refused: the rest would be missed by nobody."""
        page = {"count": 99, "next": "https://netbox/api/?offset=50", "results": []}
        with pytest.raises(Invalid, match="one page"):
            read(Source.NETBOX, page)


class TestLibreNMS:
    def test_devices(self) -> None:
        """Devices have the name that people know them by, and the site of their location."""
        given = read(Source.LIBRENMS, LIBRENMS)
        assert usable(given)
        first, second, third = given.document["devices"]
        assert first == {
            "name": "core1.example.net",
            "address": "10.0.0.1",
            "port": 1161,
            "site": "server-room-2nd-floor",
            "role": "network",
            "status": "active",
        }
        assert (second["name"], second["status"]) == ("core2.example.net", "planned")
        assert third["address"] == "core3.example.net"

    def test_secrets_only_if_asked(self) -> None:
        """Without being asked nothing of a secret is taken, and that is told."""
        given = read(Source.LIBRENMS, LIBRENMS)
        assert "s3cret" not in json.dumps(given.document)
        assert left(given) == {"devices/credentials": 3, "devices/uptime": 2}

    def test_secrets_become_credentials(self) -> None:
        """Devices with the same secrets share a credential."""
        given = read(Source.LIBRENMS, LIBRENMS, secrets=True)
        assert usable(given)
        assert [d["credentials"] for d in given.document["devices"]] == [
            ["librenms-1"],
            ["librenms-2"],
            ["librenms-1"],
        ]
        community, user = given.document["credentials"]
        assert (community["version"], community["community"]) == (2, "s3cret")
        assert (user["auth_protocol"], user["priv_password"]) == ("SHA256", "privsecret")


class TestFileSd:
    def test_json(self) -> None:
        """Targets become devices, and the labels we have say what they are."""
        groups = [
            {
                "targets": ["10.0.0.1", "sw1.example.net:9100", "[2001:db8::1]:161"],
                "labels": {"site": "Oslo", "role": "core", "team": "net", "device": "x"},
            },
            {"targets": ["10.0.0.9"], "labels": {"device": "edge9"}},
        ]
        given = read(Source.FILE_SD, groups)
        assert usable(given)
        devices = given.document["devices"]
        first = {"name": "10.0.0.1", "address": "10.0.0.1", "site": "oslo", "role": "core"}
        assert devices[0] == first
        assert [d["name"] for d in devices[1:]] == ["sw1.example.net", "2001-db8-1", "edge9"]
        assert devices[2]["address"] == "2001:db8::1"
        assert left(given) == {"labels/device": 3, "labels/team": 3, "targets/port": 2}

    def test_yaml(self) -> None:
        """The same in YAML."""
        given = read(Source.FILE_SD, "- targets: [10.0.0.1]\n  labels: {site: Oslo}\n")
        assert given.document["devices"] == [
            {"name": "10.0.0.1", "address": "10.0.0.1", "site": "oslo"}
        ]


class TestAnsible:
    @pytest.mark.parametrize("text", [INI, YAML])
    def test_ini_and_yaml(self, text: str) -> None:
        """Hosts become devices and their groups tags, whichever way they are written."""
        given = read(Source.ANSIBLE, text)
        assert usable(given)
        devices = {device["name"]: device for device in given.document["devices"]}
        assert sorted(devices) == [
            *("leaf01.example.net", "leaf02.example.net", "leaf03.example.net"),
            *("lonely.example.net", "spine-a", "spine-b"),
        ]
        assert devices["leaf02.example.net"]["tags"] == ["fabric", "leaf"]
        assert devices["spine-b"]["address"] == "10.1.0.1"
        assert "tags" not in devices["lonely.example.net"]
        assert left(given) == {
            "variables/ansible_password": 1,
            "variables/ansible_port": 2,
            "variables/ansible_user": 3,
        }
        assert "s3cret" not in str(given)

    def test_groups_in_a_circle(self) -> None:
        """Groups that hold each other end."""
        given = read(Source.ANSIBLE, "[a]\nh\n[a:children]\nb\n[b:children]\na\n")
        assert given.document["devices"][0]["tags"] == ["a", "b"]


def test_names_that_become_one() -> None:
    """Two names that our grammar makes one are told, and neither wins."""
    given = read(Source.ANSIBLE, "sw_1\n\u65e5\u672c\n")
    assert [(p.pointer, p.code) for p in given.problems] == [("/devices/1/name", "unnameable")]
    given = read(Source.ANSIBLE, "Core\ncore\n")
    assert [(p.pointer, p.code) for p in given.problems] == [("/devices/1/name", "collision")]


BOMB = "a: &a [x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(9))


@pytest.mark.parametrize("source", [Source.NETBOX, Source.LIBRENMS, Source.FILE_SD, Source.ANSIBLE])
@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"devices": 1}',
        '{"devices": [[]]}',
        "{} {}",
        BOMB,
        "all:\n  hosts: [x]\n",
        "x: " + "[" * 5000 + "]" * 5000,
        '[sw\n"',
        "[g:what]\nh\n",
        "h[0:999999999]\n",
        "h:[0:999999999]\n",  # one host, as often as that
        f"h[0:{'9' * 5000}]\n",
        f"h[{'0' * 5000}:9]\n",
        "h[a:!]\n",
    ],
)
def test_what_is_hostile_is_refused(source: Source, text: str) -> None:
    """What is none of an export is refused, whatever it tries."""
    with pytest.raises(Invalid):
        read(source, text)


def test_numbers_beyond_all_reason_are_none() -> None:
    """A number that Python would not even write down is left out, and breaks nothing."""
    vast = "F" * 5000
    given = read(Source.FILE_SD, f"- targets: [0x{vast}, sw1]\n  labels: {{site: 0x{vast}}}\n")
    assert [device["name"] for device in given.document["devices"]] == ["sw1"]
    given = read(Source.ANSIBLE, f"all:\n  hosts:\n    sw1:\n      ansible_host: 0x{vast}\n")
    assert given.document["devices"] == [{"name": "sw1", "address": "sw1"}]
    with pytest.raises(Invalid):
        read(Source.ANSIBLE, f"all:\n  hosts:\n    0x{vast}: {{}}\n")
    rows = json.dumps({"devices": [{"hostname": "sw1", "port": "9" * 5000}]})
    given = read(Source.LIBRENMS, rows)
    assert "port" not in given.document["devices"][0]
