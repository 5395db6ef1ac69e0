"""Opens a session with an agent: its name looked up, a socket connected, both within limits."""

import asyncio
import errno
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from exporter.config import Auth
from exporter.errors import LocalFault, OutOfTime, ProtocolError, Unreachable
from exporter.protocols.snmp import security
from exporter.protocols.snmp.limits import Limits, Traffic
from exporter.protocols.snmp.memory import Memory
from exporter.protocols.snmp.relay import Relay
from exporter.protocols.snmp.session import Session
from exporter.protocols.snmp.target import Target
from exporter.protocols.snmp.usm import Engines

OURS = frozenset(  # what connecting fails with whatever the target is
    {
        *(errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM),
        *(errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EACCES),
    }
)
TOLD = re.compile(r"\(os error (\d+)\)")  # how gufo-snmp tells the number, which it leaves unset


@asynccontextmanager
async def session(
    target: Target,
    auth: Auth,
    limits: Limits,
    traffic: Traffic | None = None,
    *,
    engines: Engines | None = None,
    context_engine_id: bytes = b"",
    source_address: str = "",
    memory: Memory | None = None,
) -> AsyncIterator[Session]:
    """Open a session with an agent for the length of a block.

    `engines` remembers the v3 engines of agents from one session to the next; `source_address` is
    where to ask from; `memory` is for the walks that are made again and again.
    """
    device = memory.of(str(target), auth) if memory and auth.version != 1 else None
    known = (memory, device) if memory and device else None
    way = security.Way(engines or Engines(), context_engine_id, source_address, bool(known))
    try:
        async with asyncio.timeout_at(limits.deadline if target.named else None):
            address = await target.resolve()
    except TimeoutError:
        raise OutOfTime(str(target), "the name was not resolved in time") from None
    until = min(asyncio.get_running_loop().time() + limits.timeout, limits.deadline)
    try:
        # A timer that nothing could set off costs as much as the rest of this.
        async with asyncio.timeout_at(until if target.transport == "tcp" else None):
            agent = await security.connect(target, address, auth, way)
    except TimeoutError:
        raise Unreachable(str(target), "no connection in time") from None
    except ConnectionRefusedError:
        raise Unreachable(str(target), "the port is closed") from None
    except OSError as error:
        raise _fault(target, error) from error
    try:
        opened = Session(str(target), agent, auth, traffic or Traffic(), known)
    except OSError as error:
        if isinstance(agent, Relay):
            agent.close()
        raise _fault(target, error) from error
    try:
        yield opened
    finally:
        opened.close()


def _fault(target: Target, error: OSError) -> ProtocolError:
    told = TOLD.search(str(error))
    number = int(told[1]) if told else error.errno
    kind = LocalFault if number in OURS else Unreachable
    return kind(str(target), error.strerror or str(error))
