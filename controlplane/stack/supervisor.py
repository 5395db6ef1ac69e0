"""Keeps child processes alive: starts, watches, restarts with growing delays, and ends them all."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from controlplane import files
from controlplane.errors import ConfigurationError
from controlplane.stack.service import Service

Report = Callable[[str], None]

FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0  # seconds between an end and the next start
STEADY = 60.0  # a child that lived this long starts over with the first delay
POLL = 0.2  # seconds between two questions whether a service is ready
LOG_BYTES = 10_000_000  # a longer log is put aside at the next start


class Supervisor:
    """Runs services; each has its pid in `run/<name>.pid` and its output in `logs/<name>.log`."""

    def __init__(self, data: Path, report: Report) -> None:
        self._logs, self._run = data / "logs", data / "run"
        self._report = report
        self._children: dict[str, _Child] = {}

    async def start(self, service: Service) -> None:
        """Start a service and return once it is ready; what it says at its failure is the error."""
        for folder in (self._logs, self._run):
            folder.mkdir(parents=True, exist_ok=True)
        child = _Child(
            service,
            self._logs / f"{service.name}.log",
            self._run / f"{service.name}.pid",
            self._report,
        )
        self._children[service.name] = child
        await child.start()

    async def stop(self) -> None:
        """End all services, the last one first; none is left running."""
        for name in reversed(list(self._children)):
            await self._children.pop(name).stop()


class _Child:
    def __init__(self, service: Service, log: Path, pid_file: Path, report: Report) -> None:
        self._service, self._log, self._pid_file, self._report = service, log, pid_file, report
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        try:
            _put_aside(self._log)
            process = await self._spawn()
        except OSError as error:
            raise ConfigurationError(f"{self._service.name} cannot be started: {error}") from error
        deadline = time.monotonic() + self._service.patience
        # A child that has ended is not the one that answers, whoever else does.
        while not await self._service.ready() or process.returncode is not None:
            if process.returncode is not None:
                raise ConfigurationError(self._failure(f"ended with {_ended(process)}"))
            if time.monotonic() > deadline:
                raise ConfigurationError(
                    self._failure(f"is not ready after {self._service.patience:.0f} s")
                )
            await asyncio.sleep(POLL)
        self._watch = asyncio.create_task(self._keep_alive(process))

    async def stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
        if self._process is not None and self._process.returncode is None:
            await self._end(self._process)
        self._pid_file.unlink(missing_ok=True)

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        with suppress(ProcessLookupError):
            process.send_signal(self._service.stop)
        try:
            await asyncio.wait_for(process.wait(), self._service.grace)
        except TimeoutError:
            self._report(f"{self._service.name} does not end; killing it")
            process.kill()
            await process.wait()

    async def _keep_alive(self, process: asyncio.subprocess.Process) -> None:
        delay = FIRST_DELAY
        while True:
            started = time.monotonic()
            await process.wait()
            if time.monotonic() - started > STEADY:
                delay = FIRST_DELAY
            ended = _ended(process)
            self._report(f"{self._service.name} ended with {ended}; starting it in {delay:g} s")
            process, delay = await self._respawn(delay)

    async def _respawn(self, delay: float) -> tuple[asyncio.subprocess.Process, float]:
        """Start the child again, however long that takes; give it, and the next delay."""
        while True:
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_DELAY)
            try:
                _put_aside(self._log)
                return await self._spawn(), delay
            except OSError as error:
                self._report(f"{self._service.name} cannot be started: {error}")

    async def _spawn(self) -> asyncio.subprocess.Process:
        # Should the supervisor itself be killed, the kernel ends the child (PR_SET_PDEATHSIG).
        with_parent = ("setpriv", "--pdeathsig", self._service.stop.name.removeprefix("SIG"), "--")
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *with_parent,
                *self._service.argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self._service.environment},
                user=self._service.user,
                start_new_session=True,  # Ctrl-C reaches us alone; we end the children in order
            )
        try:
            files.replace(self._pid_file, f"{self._process.pid}\n".encode())
        except OSError as error:  # the child runs all the same
            self._report(f"{self._pid_file} cannot be written: {error}")
        return self._process

    def _failure(self, what: str) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        said = f": {lines[-1]}" if lines else ""
        return f"{self._service.name} {what} (see {self._log}){said}"


def _ended(process: asyncio.subprocess.Process) -> str:
    code = process.returncode
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"


def _put_aside(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
