"""The first words with a device: which auth it answers, and what its system group says."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from exporter.config import Auth
from exporter.errors import LocalFault, ProtocolError, Unreachable
from exporter.probe.devices import Devices, DeviceState, Known
from exporter.probe.traffic import counted
from exporter.probe.walks import Answers
from exporter.profiles import identify
from exporter.protocols.snmp import Limits, Session, Target, Traffic

REACH_SECONDS = 5.0  # within which a device that is down is known to be
FIRST_WAIT = 1 / 5  # of that; two growing retries fill the rest
REACH_RETRIES = 2


@dataclass(frozen=True, slots=True)
class Subject:
    """A device to look at: its auths in the order to try them, its profile and modules if told.

    What its profile names is collected where the `whole` is wanted, its own modules in any case.
    `known` is what earlier looks have found, and this one adds to.
    """

    name: str
    target: Target
    auths: Mapping[str, Auth]
    profile: str | None = None
    modules: tuple[str, ...] = ()
    context_engine_id: bytes = b""
    whole: bool = True
    known: Known = field(default_factory=Known)


@dataclass(frozen=True, slots=True)
class Reached:
    """A device that answers: the session, the auth it took, and its system group."""

    session: Session
    auth: str
    system: Answers


async def reach(
    devices: Devices,
    subject: Subject,
    state: DeviceState,
    stack: AsyncExitStack,
    deadline: float,
) -> Reached:
    """Return a session with the first auth that is answered; raise why the last one was not."""
    failure: ProtocolError = Unreachable(str(subject.target), "no auth is assigned")
    now = asyncio.get_running_loop().time()
    budget = min(REACH_SECONDS, (deadline - now) / 2) / max(len(subject.auths), 1)
    heard = Traffic()
    for position, (name, auth) in enumerate(subject.auths.items(), 1):
        limits = Limits(now + budget * position, budget * FIRST_WAIT, REACH_RETRIES)
        traffic = Traffic()
        engine_id = subject.context_engine_id
        try:
            session = await stack.enter_async_context(
                devices.session(subject.target, auth, limits, traffic, engine_id)
            )
            system = await session.get(identify.SYSTEM, limits)
        except LocalFault:
            raise  # another auth would fare no better, and the device may be well
        except ProtocolError as error:
            failure = error.alone()
        else:
            devices.answered(state)
            return Reached(session, name, system)
        finally:
            counted(devices.telemetry, traffic)
            heard.packets += traffic.packets
            heard.replies += traffic.replies
    devices.failed(state, failure, heard)
    raise failure.alone()  # its traceback would hold this frame, and with it our sockets
