import json
import os
import re
import resource
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from exporter import cli
from exporter.cli import flags as given_flags
from tests.exporter.app.certificates import Certificate
from tests.exporter.cli import patient
from tests.exporter.conftest import free_port

SNAPSHOT = {
    "revision": "1",
    "auths": {"lab": {}},
    "devices": {"edge1": {"address": "127.0.0.1", "port": 9, "auths": ["lab"]}},
}
COMMAND = [sys.executable, "-c", "from exporter.cli import main; main()"]


class TestMistakes:
    @pytest.mark.parametrize(
        ("flags", "problem"),
        [
            (["--config.file", "gone.yml"], "gone.yml: no such file"),
            (["--web.listen-address", "nonsense"], "is not [HOST]:PORT: nonsense"),
            (["--web.listen-address", "127.0.0.1:70000"], "is not [HOST]:PORT"),
            (["--web.telemetry-path", "metrics"], "--web.telemetry-path is not a path: metrics"),
            (["--snmp.source-address", "here"], "--snmp.source-address is not an address: here"),
            (["--web.config.file", "gone.yml"], "gone.yml: No such file or directory"),
            (["--controlplane.url", "nonsense"], "--controlplane.url is not a URL"),
            (["--controlplane.url", "http://x"], "needs --controlplane.token-file"),
            (
                ["--controlplane.url", "http://x", "--controlplane.token-file", "gone"],
                "gone: No such file or directory",
            ),
        ],
    )
    def test_one_line(
        self, capsys: pytest.CaptureFixture[str], flags: list[str], problem: str
    ) -> None:
        """A mistake of the operator's is one line on stderr and exit code 2."""
        with pytest.raises(SystemExit) as caught:
            cli.main(flags)
        assert caught.value.code == 2
        error = capsys.readouterr().err
        assert problem in error
        assert error.count("\n") == 1

    def test_port_in_use(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A port that is taken is named."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            with pytest.raises(SystemExit) as caught:
                cli.main(["--web.listen-address", address])
        assert caught.value.code == 2
        assert f"cannot listen on {address}: Address already in use" in capsys.readouterr().err

    @pytest.mark.parametrize("workers", ["1", "2"])
    def test_trap_port_in_use(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], workers: str
    ) -> None:
        """So is one for traps, before any process is started."""
        (tmp_path / "token").write_text("s3cret\n")
        flags = ["--controlplane.url=http://x", f"--controlplane.token-file={tmp_path / 'token'}"]
        with socket.socket(type=socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            with pytest.raises(SystemExit) as caught:
                cli.main([*flags, "--workers", workers, "--traps.listen-address", address])
        assert caught.value.code == 2
        error = capsys.readouterr().err
        assert error == f"chm-exporter: cannot receive on {address}: Address already in use\n"

    def test_trap_address_of_a_dry_run(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A dry run sees that an address for traps is none."""
        (tmp_path / "token").write_text("s3cret\n")
        flags = ["--controlplane.url=http://x", f"--controlplane.token-file={tmp_path / 'token'}"]
        with pytest.raises(SystemExit) as caught:
            cli.main([*flags, "--traps.listen-address", "nonsense", "--dry-run"])
        assert caught.value.code == 2
        assert "--traps.listen-address is not [HOST]:PORT: nonsense" in capsys.readouterr().err

    @pytest.mark.parametrize(
        "flags",
        [
            ["--nope"],
            ["serve"],
            ["--inventory.refresh", "0"],
            ["--workers", "0"],
            ["--web.max-requests", "-1"],
            ["--timeout-offset", "nan"],
            ["--snmp.breaker-failures", "-1"],
        ],
        ids=str,
    )
    def test_usage(self, flags: list[str]) -> None:
        """An unknown flag, a sub-command or a wrong number is exit code 2."""
        with pytest.raises(SystemExit) as caught:
            cli.main(flags)
        assert caught.value.code == 2

    def test_shares(self) -> None:
        """The memory for walks is that of all workers together."""
        given = given_flags.parser().parse_args(["--workers=4", "--snmp.replay-memory=64"])
        assert given_flags.settings(given).replay_memory == 16 << 20

    def test_environment(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A variable that an auth names and that is not set is a mistake with its name."""
        path = tmp_path / "snmp.yml"
        path.write_text('auths: {one: {version: 3, username: "${CHM_TEST_NOT_SET}"}}')
        flags = ["--config.file", str(path), "--dry-run"]
        cli.main(flags)
        with pytest.raises(SystemExit):
            cli.main([*flags, "--config.expand-environment-variables"])
        error = capsys.readouterr().err
        assert "auths.one: environment variable CHM_TEST_NOT_SET is not set" in error

    def test_dry_run(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A dry run checks the files and ends."""
        cli.main(["--dry-run"])
        assert "parsed successfully" in capsys.readouterr().out


@contextmanager
def started(
    *flags: str, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the exporter as a process; yield it and its URL."""
    address = f"127.0.0.1:{free_port()}"
    command = [*COMMAND, *flags, "--web.listen-address", address, "--log.format", "json"]
    surroundings = {**os.environ, **(environment or {})}
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=surroundings)
    try:
        yield running, f"http://{address}"
    finally:
        running.kill()
        running.communicate()


@contextmanager
def control_plane() -> Iterator[str]:
    """Serve one snapshot to those who know the token; yield the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer the snapshot."""
            known = self.headers["Authorization"] == "Bearer s3cret"
            self.send_response(200 if known and self.path == "/api/v1/exporter/snapshot" else 401)
            self.end_headers()
            self.wfile.write(json.dumps(SNAPSHOT).encode())

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def until(url: str, text: str, trusted: ssl.SSLContext | bool = True) -> None:  # noqa: FBT001, FBT002 - httpx'
    for _ in range(200):
        try:
            if text in patient.get(url, verify=trusted).text:
                return
        except httpx.ConnectError:
            pass  # not listening yet
        time.sleep(0.05)
    raise AssertionError(f"{url} never showed {text!r}")


class TestProcess:
    def test_descriptors(self) -> None:
        """The process takes all descriptors it may have: a scrape needs several."""
        ours, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, hard - 1), hard))
        try:
            with started() as (running, url):
                until(f"{url}/-/healthy", "Healthy")
                assert resource.prlimit(running.pid, resource.RLIMIT_NOFILE) == (hard, hard)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (ours, hard))

    def test_life(self, tmp_path: Path) -> None:
        """SIGHUP reloads, a bad file changes nothing, SIGTERM ends it cleanly within 5 s."""
        path = tmp_path / "snmp.yml"
        path.write_text("auths: {one: {}}")
        with started("--config.file", str(path)) as (running, url):
            until(f"{url}/config", "one:")
            path.write_text("auths: {two: {}}")
            os.kill(running.pid, signal.SIGHUP)
            until(f"{url}/config", "two:")
            path.write_text("auths: [")
            os.kill(running.pid, signal.SIGHUP)
            until(f"{url}/metrics", "chm_exporter_config_last_reload_successful 0.0")
            assert "two:" in patient.get(f"{url}/config").text

            running.terminate()
            assert running.wait(5) == 0

    def test_reload_while_starting(self, tmp_path: Path) -> None:
        """A SIGHUP during the start is a reload as soon as there is something to reload."""
        path = tmp_path / "snmp.yml"
        path.write_text("auths: {one: {}}")
        with started("--config.file", str(path)) as (running, url):
            status = Path(f"/proc/{running.pid}/status")
            while not int(re.findall(r"SigBlk:\s*(\w+)", status.read_text())[0], 16) & 1:
                assert running.poll() is None
            os.kill(running.pid, signal.SIGHUP)
            until(f"{url}/config", "one:")
            assert running.stderr is not None
            assert any('"msg": "configuration reloaded"' in line for line in running.stderr)
            running.terminate()
            assert running.wait(10) == 0

    def test_flags_of_snmp_exporter(self, tmp_path: Path) -> None:
        """What an operator of snmp_exporter types works: addresses, files, TLS, paths, switches."""
        authority = Certificate.authority(tmp_path)
        made = authority.signed(tmp_path, "server")
        tls = {"cert_file": "server.crt", "key_file": "server.key"}
        (tmp_path / "web.yml").write_text(json.dumps({"tls_server_config": tls}))
        (tmp_path / "a.yml").write_text("auths: {one: {version: 3, username: $CHM_TEST_USER}}")
        (tmp_path / "b.yml").write_text("modules: {two: {walk: [1.3.6.1.2.1.1]}}")
        second = f"127.0.0.1:{free_port()}"
        flags = ["--config.file", str(tmp_path / "[ab].yml"), "--web.listen-address", second]
        flags += ["--config.expand-environment-variables", "--web.telemetry-path=/own"]
        flags += ["--web.config.file", str(tmp_path / "web.yml"), "--snmp.module-concurrency=2"]
        flags += ["--no-snmp.wrap-large-counters", "--log.level=debug"]
        trusted = ssl.create_default_context(cafile=str(authority.cert_file))
        with started(*flags, environment={"CHM_TEST_USER": "ann"}) as (running, plain):
            url = plain.replace("http:", "https:")
            until(f"{url}/config", "username: ann", trusted)
            until(f"https://{second}/own", "snmp_packets_total 0.0", trusted)
            expiry = made.certificate.not_valid_after_utc.timestamp()
            own = patient.get(f"https://{second}/own", verify=trusted).text
            found = re.findall(r"^chm_exporter_certificate_expiry_\w+ (\S+)$", own, re.MULTILINE)
            assert [float(moment) for moment in found] == [expiry]
            assert patient.get(f"{url}/metrics", verify=trusted).status_code == 404
            assert 'href="/own"' in patient.get(url, verify=trusted).text
            running.terminate()
            assert running.wait(5) == 0

    def test_control_plane_down(self, tmp_path: Path) -> None:
        """Devices are probed while the control plane is down, also after a restart."""
        (tmp_path / "token").write_text("s3cret\n")
        flags = ["--controlplane.token-file", str(tmp_path / "token")]
        flags += ["--inventory.cache", str(tmp_path / "inventory"), "--inventory.refresh", "0.2"]
        with control_plane() as address, started(*flags, "--controlplane.url", address) as (_, url):
            until(f"{url}/-/ready", "Ready")
        with started(*flags, "--controlplane.url", address) as (running, url):
            until(f"{url}/-/ready", "Ready")
            assert "chm_device_up 0" in patient.get(f"{url}/probe?target=edge1").text
            until(f"{url}/metrics", 'chm_exporter_snapshot_failures_total{reason="unreachable"}')
            assert running.poll() is None
