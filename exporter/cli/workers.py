"""Several processes on one port: a parent that reserves it, and workers that serve.

A worker opens its own socket, once it is ready to serve: while it is away, or cannot start, all
connections go to the others.

Metrics are shared through files, as prometheus_client's multiprocess mode has it. The first worker
looks at the inventory and writes it to disk; the others read it there. It also receives traps, on
sockets of the parent's, in which they wait while it is away.
"""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric, ProcessCollector, multiprocess
from prometheus_client.registry import Collector

from exporter.cli import server, sockets
from exporter.cli.server import Checked

log = logging.getLogger(__name__)

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client reads it when it is imported
SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD}
LEADER = 0  # the number of the worker that looks at the inventory
PAUSE = 1.0  # seconds before a worker that ended is started again
LONGEST_END = 10.0  # seconds that workers get to end


@dataclass(slots=True)
class Worker:
    """One child: its number, and the process while there is one."""

    number: int
    process: "subprocess.Popen[bytes] | None" = None
    start_at: float = 0.0


@dataclass(slots=True)
class Parent:
    """Keeps its workers running until it is told to end."""

    arguments: list[str]
    workers: list[Worker]
    addresses: list[tuple[int, str, int]]
    receiving: list[int]
    folder: Path
    lifeline: int
    code: int | None = field(default=None, init=False)

    def run(self) -> int:
        """Return the exit code once all workers have ended."""
        while self.code is None:
            for worker in self.workers:
                if worker.process is None and time.monotonic() >= worker.start_at:
                    self._start(worker)
            caught = signal.sigtimedwait(SIGNALS, PAUSE)
            if caught is not None and caught.si_signo == signal.SIGHUP:
                self._tell(signal.SIGHUP)
            elif caught is not None and caught.si_signo != signal.SIGCHLD:
                self.code = 0
            self._reap()
        self._end()
        return self.code

    def _start(self, worker: Worker) -> None:
        receiving = self.receiving if worker.number == LEADER else []
        mark = json.dumps([worker.number, self.lifeline, self.addresses, receiving])
        worker.process = subprocess.Popen(
            [sys.executable, "-m", "exporter.cli", *self.arguments, "--worker", mark],
            pass_fds=[self.lifeline, *receiving],
            env={**os.environ, FOLDER: str(self.folder)},
        )

    def _tell(self, number: signal.Signals) -> None:
        for worker in self.workers:
            if worker.process is not None:
                worker.process.send_signal(number)

    def _reap(self) -> None:
        for worker in self.workers:
            if worker.process is None or (code := worker.process.poll()) is None:
                continue
            multiprocess.mark_process_dead(worker.process.pid, str(self.folder))  # type: ignore[no-untyped-call]
            worker.process, worker.start_at = None, time.monotonic() + PAUSE
            if self.code is None:
                log.error("worker ended", extra={"worker": worker.number, "code": code})

    def _end(self) -> None:
        self._tell(signal.SIGTERM)
        until = time.monotonic() + LONGEST_END
        for process in (worker.process for worker in self.workers if worker.process):
            try:
                process.wait(max(until - time.monotonic(), 0))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def supervise(
    arguments: list[str],
    count: int,
    reserved: Sequence[socket.socket],
    receiving: Sequence[socket.socket],
) -> None:
    """Run workers on addresses that are reserved, until told to end; one has the traps."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="chm-exporter-"))
        # Nothing is ever written to it: workers see its end when this process is gone.
        lifeline, held = os.pipe()
        stack.callback(os.close, held)
        stack.callback(os.close, lifeline)
        workers = [Worker(number) for number in range(count)]
        addresses = [(int(each.family), *each.getsockname()[:2]) for each in reserved]
        traps = [each.fileno() for each in receiving]
        Parent(arguments, workers, addresses, traps, Path(folder), lifeline).run()


def serve(mark: str, checked: Checked) -> None:
    """Be one of the workers."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS - {signal.SIGHUP})
    number, lifeline, addresses, receiving = json.loads(mark)
    folder = Path(os.environ[FOLDER])
    if checked.settings.inventory_cache is None:
        settings = replace(checked.settings, inventory_cache=folder / "inventory")
        checked = replace(checked, settings=settings)
    place = server.Place(
        leads=number == LEADER,
        siblings=partial(os.kill, os.getppid(), signal.SIGHUP),
        gather=partial(_gathered, folder),
        lifeline=lifeline,
    )
    with ExitStack() as stack:
        listening = [stack.enter_context(sockets.share(*each)) for each in addresses]
        traps = [stack.enter_context(socket.socket(fileno=each)) for each in receiving]
        server.run(checked, listening, traps, place)


def _gathered(folder: Path) -> CollectorRegistry:
    """Return the metrics of all workers together, and what the system says about each."""
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
    registry.register(Processes(folder))
    return registry


@dataclass(frozen=True, slots=True)
class Processes(Collector):
    """`process_*` of every worker, told apart by `pid`."""

    folder: Path

    def collect(self) -> Iterator[Metric]:
        """Return one family for each name, with a sample for each worker."""
        families: dict[str, Metric] = {}
        names = self.folder.glob("counter_*.db")
        for pid in sorted(name.stem.removeprefix("counter_") for name in names):
            one = ProcessCollector(pid=partial(str, pid), registry=None)
            for metric in one.collect():
                family = families.setdefault(
                    metric.name, Metric(metric.name, metric.documentation, metric.type)
                )
                for sample in metric.samples:
                    family.add_sample(sample.name, {"pid": pid}, sample.value)
        yield from families.values()
