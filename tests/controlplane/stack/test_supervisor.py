import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from controlplane.errors import ConfigurationError
from controlplane.stack.service import Service, at_once
from controlplane.stack.supervisor import Supervisor

SLEEPER = (sys.executable, "-c", "import time; time.sleep(60)")


async def never() -> bool:
    return False


def pid(data: Path, name: str) -> int:
    return int((data / "run" / f"{name}.pid").read_text())


def running(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


class TestSupervisor:
    async def test_a_killed_child_comes_back_and_is_reported(self, tmp_path: Path) -> None:
        """A child that dies is started again, and the operator reads what happened."""
        said: list[str] = []
        supervisor = Supervisor(tmp_path, said.append)
        await supervisor.start(Service("worker", SLEEPER, at_once))
        first = pid(tmp_path, "worker")

        os.kill(first, signal.SIGKILL)
        await until(lambda: pid(tmp_path, "worker") != first)

        assert said == ["worker ended with SIGKILL; starting it in 0.5 s"]
        await supervisor.stop()

    async def test_stop_leaves_nothing_running(self, tmp_path: Path) -> None:
        """After the stop no child is left, and no pid file either."""
        supervisor = Supervisor(tmp_path, print)
        for name in ("one", "two"):
            await supervisor.start(Service(name, SLEEPER, at_once))
        pids = [pid(tmp_path, name) for name in ("one", "two")]

        await supervisor.stop()

        assert not any(map(running, pids))
        assert not list((tmp_path / "run").iterdir())

    async def test_a_child_that_ignores_the_signal_is_killed(self, tmp_path: Path) -> None:
        """A child that does not end within its grace is killed."""
        said: list[str] = []
        ready = tmp_path / "ready"
        deaf = (
            "import signal, time, pathlib; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
            f"pathlib.Path({str(ready)!r}).touch(); time.sleep(60)"
        )

        async def is_deaf() -> bool:
            return ready.exists()

        supervisor = Supervisor(tmp_path, said.append)
        await supervisor.start(Service("deaf", (sys.executable, "-c", deaf), is_deaf, grace=0.2))
        number = pid(tmp_path, "deaf")

        await supervisor.stop()

        assert said == ["deaf does not end; killing it"]
        assert not running(number)

    async def test_a_child_that_cannot_start_says_why(self, tmp_path: Path) -> None:
        """The last line that a failed child wrote is part of the error."""
        supervisor = Supervisor(tmp_path, print)
        broken = (sys.executable, "-c", "import sys; sys.exit('no such database')")

        with pytest.raises(ConfigurationError, match=r"exit code 1 .*: no such database"):
            await supervisor.start(Service("postgres", broken, never))
        await supervisor.stop()

    async def test_a_child_that_is_never_ready_is_an_error(self, tmp_path: Path) -> None:
        """A child that runs but does not answer in time fails the start, and is ended."""
        supervisor = Supervisor(tmp_path, print)

        with pytest.raises(ConfigurationError, match="is not ready after 0 s"):
            await supervisor.start(Service("slow", SLEEPER, never, patience=0.3))
        number = pid(tmp_path, "slow")
        await supervisor.stop()

        assert not running(number)

    async def test_a_child_that_cannot_be_started_again_is_tried_again(
        self, tmp_path: Path
    ) -> None:
        """While a child cannot be started the operator reads why, and it is tried again."""
        said: list[str] = []
        supervisor = Supervisor(tmp_path, said.append)
        await supervisor.start(Service("worker", SLEEPER, at_once))
        first = pid(tmp_path, "worker")
        log = tmp_path / "logs" / "worker.log"
        log.unlink()
        log.mkdir()  # nothing can be written there

        os.kill(first, signal.SIGKILL)
        await until(lambda: any("worker cannot be started" in line for line in said))
        log.rmdir()
        await until(lambda: pid(tmp_path, "worker") != first)
        await supervisor.stop()

    async def test_children_end_with_a_killed_supervisor(self, tmp_path: Path) -> None:
        """Should the supervisor itself be killed, the kernel ends its children."""
        program = (
            "import asyncio, sys\n"
            "from pathlib import Path\n"
            "from controlplane.stack.service import Service, at_once\n"
            "from controlplane.stack.supervisor import Supervisor\n"
            "async def main():\n"
            f"    supervisor = Supervisor(Path({str(tmp_path)!r}), print)\n"
            f"    await supervisor.start(Service('child', {SLEEPER!r}, at_once))\n"
            "    print('started', flush=True)\n"
            "    await asyncio.sleep(60)\n"
            "asyncio.run(main())\n"
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout
        assert await process.stdout.readline() == b"started\n"
        child = pid(tmp_path, "child")

        process.kill()
        await process.wait()

        await until(lambda: not running(child))
