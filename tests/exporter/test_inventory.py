import errno
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exporter import inventory
from exporter.config import ConfigError
from exporter.inventory import Cache, Inventory, Token
from exporter.telemetry import Telemetry

DEVICE = {"address": "127.0.1.1", "port": 1161, "auths": ["lab"], "profile": None, "modules": []}
SNAPSHOT = {
    "revision": "42",
    "auths": {"lab": {"version": 2, "community": "s3cret"}},
    "devices": {"core1": DEVICE},
}


class ControlPlane:
    """The control plane's side of the snapshot."""

    def __init__(self) -> None:
        self.body = json.dumps(SNAPSHOT).encode()
        self.status = 200
        self.requests: list[Request] = []

    async def snapshot(self, request: Request) -> Response:
        """Answer as the contract says."""
        self.requests.append(request)
        etag = f'"{hash(self.body)}"'
        if request.headers["Authorization"] != "Bearer token":
            return Response(status_code=401)
        if request.headers.get("If-None-Match") == etag and self.status == 200:
            return Response(status_code=304)
        return Response(self.body, self.status, {"ETag": etag})


@pytest.fixture
def control_plane() -> ControlPlane:
    return ControlPlane()


@pytest.fixture
async def wire(control_plane: ControlPlane) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=[Route(inventory.PATH, control_plane.snapshot)])
    headers = {"Authorization": "Bearer token"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://controlplane", headers=headers
    ) as client:
        yield client


def failures(telemetry: Telemetry, reason: str) -> float:
    name = "chm_exporter_snapshot_failures_total"
    return telemetry.registry.get_sample_value(name, {"reason": reason}) or 0


class TestPoll:
    async def test_snapshot(self, wire: httpx.AsyncClient, telemetry: Telemetry) -> None:
        """Devices come with address, port and auths."""
        known = Inventory(wire, telemetry, 5)
        await known.poll()

        assert known.snapshot is not None
        device = known.devices["core1"]
        assert (device.address, device.port, device.auths) == ("127.0.1.1", 1161, ("lab",))
        assert known.snapshot.auths["lab"].community == "s3cret"

    async def test_unchanged(
        self, wire: httpx.AsyncClient, control_plane: ControlPlane, telemetry: Telemetry
    ) -> None:
        """A snapshot that has not changed is not sent again."""
        known = Inventory(wire, telemetry, 5)
        await known.poll()
        before = known.snapshot
        await known.poll()

        assert control_plane.requests[1].headers["If-None-Match"]
        assert known.snapshot is before

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"[]",
            b"{}",
            json.dumps(SNAPSHOT)[:-1].encode(),
            json.dumps({**SNAPSHOT, "auths": {}}).encode(),
            json.dumps({**SNAPSHOT, "auths": {"lab": {"version": 9}}}).encode(),
            json.dumps({**SNAPSHOT, "devices": {"x": {**DEVICE, "port": 0}}}).encode(),
            json.dumps({**SNAPSHOT, "devices": {"x": {**DEVICE, "address": "a b"}}}).encode(),
        ],
    )
    async def test_malformed(
        self,
        wire: httpx.AsyncClient,
        control_plane: ControlPlane,
        telemetry: Telemetry,
        body: bytes,
    ) -> None:
        """A snapshot that is wrong in one place is refused as a whole, and the old one stays."""
        known = Inventory(wire, telemetry, 5)
        await known.poll()
        before, control_plane.body = known.snapshot, body
        await known.poll()

        assert known.snapshot is before
        assert failures(telemetry, "malformed") == 1

    async def test_control_plane_down(
        self, wire: httpx.AsyncClient, control_plane: ControlPlane, telemetry: Telemetry
    ) -> None:
        """The snapshot stays while the control plane answers nothing, or nonsense."""
        known = Inventory(wire, telemetry, 5)
        await known.poll()
        control_plane.status = 503
        await known.poll()

        def refuse(request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("refused", request=request)

        async with httpx.AsyncClient(
            transport=httpx.MockTransport(refuse), base_url="http://x"
        ) as dead:
            known.client = dead
            await known.poll()

        assert "core1" in known.devices
        assert failures(telemetry, "status") == failures(telemetry, "unreachable") == 1


class TestChanges:
    @pytest.mark.parametrize(
        "wrong", [{"since": "41"}, {"revision": "43"}, {"removed": {"devices": ["core1"]}}]
    )
    async def test_that_do_not_fit(self, telemetry: Telemetry, wrong: dict[str, Any]) -> None:
        """Changes that do not lead where they say are dropped, and all is asked for at once."""
        nothing = {"revision": "42", "since": "42", "auths": {}, "devices": {}, "removed": {}}
        answers = [SNAPSHOT, {**nothing, **wrong}, {**SNAPSHOT, "revision": "44"}]
        asked: list[str | None] = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request.url.params.get("since"))
            return httpx.Response(200, json=answers[len(asked) - 1])

        async with httpx.AsyncClient(
            transport=httpx.MockTransport(answer), base_url="http://x"
        ) as wire:
            known = Inventory(wire, telemetry, 5)
            await known.poll()
            await known.poll()

        assert asked == [None, "42", None]
        assert known.snapshot is not None
        assert (known.snapshot.revision, list(known.devices)) == ("44", ["core1"])
        assert failures(telemetry, "mismatch") == 1

    async def test_to_nothing(self, telemetry: Telemetry) -> None:
        """A control plane that only ever sends changes ends no exporter."""
        changes = {"revision": "2", "since": "1", "auths": {}, "devices": {}, "removed": {}}
        transport = httpx.MockTransport(lambda _: httpx.Response(200, json=changes))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as wire:
            known = Inventory(wire, telemetry, 5)
            await known.poll()
        assert known.snapshot is None
        assert failures(telemetry, "malformed") == 1


class TestCache:
    async def test_restart(
        self, wire: httpx.AsyncClient, telemetry: Telemetry, tmp_path: Path
    ) -> None:
        """The exporter knows its devices after a restart, though the control plane is down."""
        cache = Cache(tmp_path / "inventory", lambda: "token")
        first = Inventory(wire, telemetry, 5, cache)
        await first.poll()
        second = Inventory(wire, Telemetry(CollectorRegistry()), 5, cache)
        second.restore()

        assert second.snapshot == first.snapshot

    async def test_a_disk_that_was_full(
        self,
        wire: httpx.AsyncClient,
        telemetry: Telemetry,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """What could not be written is written at a later poll, although nothing has changed."""
        cache = Cache(tmp_path / "snapshot", lambda: "token")
        inventory = Inventory(wire, telemetry, 5, cache)
        with monkeypatch.context() as patch:
            patch.setattr(Cache, "store", _full)
            await inventory.poll()
        assert cache.load() is None

        await inventory.poll()

        assert cache.load() is not None

    def test_secrecy(self, tmp_path: Path) -> None:
        """The file is for its owner alone, and holds neither names nor secrets in the clear."""
        path = tmp_path / "inventory"
        Cache(path, lambda: "token").store(json.dumps(SNAPSHOT).encode())

        assert path.stat().st_mode & 0o777 == 0o600
        assert not any(word in path.read_bytes() for word in (b"s3cret", b"core1", b"token"))
        assert [file.name for file in tmp_path.iterdir()] == ["inventory"]

    @pytest.mark.parametrize("damage", ["token", "bit", "empty"])
    async def test_unusable(
        self, wire: httpx.AsyncClient, telemetry: Telemetry, tmp_path: Path, damage: str
    ) -> None:
        """A damaged file, or one of another token, is refused and counted; the exporter starts."""
        path = tmp_path / "inventory"
        await Inventory(wire, telemetry, 5, Cache(path, lambda: "token")).poll()
        raw = path.read_bytes()
        path.write_bytes({"token": raw, "bit": raw[:-1] + b"\0\0", "empty": b""}[damage])
        token = "other" if damage == "token" else "token"
        known = Inventory(wire, telemetry, 5, Cache(path, lambda: token))
        known.restore()

        assert known.snapshot is None
        assert failures(telemetry, "cache") == 1


class TestToken:
    async def test_rotation(self, telemetry: Telemetry, tmp_path: Path) -> None:
        """A new token in the file is used at the next poll, and what is on disk comes along."""
        file, path, good = tmp_path / "token", tmp_path / "inventory", ["first"]
        file.write_text("first\n")

        def answer(request: httpx.Request) -> httpx.Response:
            if request.headers["Authorization"] != f"Bearer {good[0]}":
                return httpx.Response(401)
            known = request.headers.get("If-None-Match")
            return (
                httpx.Response(304)
                if known
                else httpx.Response(200, json=SNAPSHOT, headers={"ETag": '"1"'})
            )

        token = Token(file)
        async with httpx.AsyncClient(
            transport=httpx.MockTransport(answer), base_url="http://x"
        ) as wire:
            known = Inventory(wire, telemetry, 5, Cache(path, token.current), token)
            await known.poll()
            good[0] = "second"
            await known.poll()
            assert failures(telemetry, "status") == 1
            file.write_text("")  # caught between two writes
            await known.poll()
            file.write_text("second\n")
            await known.poll()

        assert failures(telemetry, "status") == 2
        assert (
            Cache(path, lambda: "second").load()
            == json.dumps(SNAPSHOT, separators=(",", ":")).encode()
        )

    @pytest.mark.parametrize(
        ("content", "problem"),
        [(None, "No such file"), (b" ", "holds no token"), (b"\xff", "text")],
    )
    def test_none(self, tmp_path: Path, content: bytes | None, problem: str) -> None:
        """Without a token to begin with the mistake is named."""
        file = tmp_path / "token"
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(ConfigError, match=problem):
            Token(file)


def test_unknown_fields_are_ignored() -> None:
    """A newer control plane may say more about a device."""
    newer: dict[str, Any] = {**SNAPSHOT, "devices": {"x": {**DEVICE, "icmp": True}}, "shard": 1}
    assert "x" in inventory.parse(json.dumps(newer).encode()).devices


def test_error_holds_no_secret() -> None:
    """A refused snapshot is reported without what it holds."""
    bad = {**SNAPSHOT, "auths": {"lab": {"community": ["s3cret"]}}}
    with pytest.raises(ConfigError) as caught:
        inventory.parse(json.dumps(bad).encode())
    assert "s3cret" not in str(caught.value)


def _full(_cache: Cache, _body: bytes) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")
