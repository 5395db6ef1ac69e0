"""How to be let in, and on which transport: the socket for a target and an auth."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from gufo.snmp._fast import SnmpV1ClientSocket, SnmpV2cClientSocket

from exporter.config import Auth
from exporter.errors import LocalFault, Refusal, WrongCredentials
from exporter.protocols.snmp import pdus, usm
from exporter.protocols.snmp.relay import NOWHERE, Codec, Relay, paired
from exporter.protocols.snmp.target import Target
from exporter.protocols.snmp.usm import Engines, Envelope, Report

Socket = Codec | Relay

V3 = 3
PRIV_REFUSED = "wrong priv_password or priv_protocol of user '{user}'"
NO_CONTEXT = "the agent has no context '{context}'"

REASONS = {
    (*usm.USM_STATS, 1, 0): "security level {level} is not supported for user '{user}'",
    (*usm.USM_STATS, 3, 0): "unknown user '{user}'",
    (*usm.USM_STATS, 5, 0): "wrong password or auth_protocol of user '{user}'",
    (*usm.USM_STATS, 6, 0): PRIV_REFUSED,
}
REFUSALS = {
    (1, 3, 6, 1, 6, 3, 11, 2, 1, 1, 0): "the agent does not know the User-based Security Model",
    (1, 3, 6, 1, 6, 3, 11, 2, 1, 2, 0): "the agent calls the message invalid",
    (1, 3, 6, 1, 6, 3, 11, 2, 1, 3, 0): "the agent serves no engine of that context engine id",
    (1, 3, 6, 1, 6, 3, 12, 1, 4, 0): "context '{context}' is not available now",
    (1, 3, 6, 1, 6, 3, 12, 1, 5, 0): NO_CONTEXT,
}


@dataclass(frozen=True, slots=True)
class Way:
    """What a connection takes beside an address: known engines, a context's, where to ask from.

    `relayed` says that answers are looked at before they are decoded.
    """

    engines: Engines
    context_engine_id: bytes
    source_address: str
    relayed: bool


async def connect(target: Target, address: str, auth: Auth, way: Way) -> Socket:
    """Return a socket that speaks the auth's version to `address:port`; OSError where it cannot."""
    codec = SnmpV1ClientSocket if auth.version == 1 else SnmpV2cClientSocket
    plain = target.transport == "udp" and auth.version != V3
    if plain and not way.source_address and not way.relayed:
        return codec(address, auth.community, 0, 0, 0, 0)
    agent = await _transport(target.transport, address, way.source_address)
    try:
        envelope = None
        if auth.version == V3:
            engine = way.engines.at(f"{target.transport}://{address}")
            envelope = Envelope(auth, engine, way.context_engine_id)
        community = "" if envelope else auth.community
        return Relay(_opening(target, codec, community), agent, pdus.head(auth), envelope)
    except BaseException:
        agent.close()
        raise


def _opening(
    target: Target, codec: type[Codec], community: str
) -> Callable[[], tuple[Codec, socket.socket]]:
    """Return what opens a codec for a relay; it raises LocalFault where it cannot."""

    def opening() -> tuple[Codec, socket.socket]:
        try:
            made = codec(NOWHERE, community, 0, 0, 0, 0)
            return made, paired(made)
        except OSError as error:
            raise LocalFault(str(target), error.strerror or str(error)) from error

    return opening


async def _transport(transport: str, address: str, source: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    host, _, scope = host.strip("[]").partition("%")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Written out, as looking up a number costs more than all the rest of this.
    where = (host, int(port), 0, int(scope or 0)) if ":" in host else (host, int(port))
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    agent = socket.socket(family, kind)
    try:
        agent.setblocking(False)
        if source:
            agent.bind((source, 0))
        if kind is socket.SOCK_DGRAM:
            agent.connect(where)  # which sends nothing, and so does not block
        else:
            await asyncio.get_running_loop().sock_connect(agent, where)
    except BaseException:
        agent.close()
        raise
    return agent


def refusal(target: str, auth: Auth, report: Report) -> Refusal:
    """Return what an agent means by a report instead of a response."""
    if reason := REASONS.get(report.counter):
        return WrongCredentials(target, _told(reason, auth))
    dotted = ".".join(map(str, report.counter))
    reason = REFUSALS.get(report.counter, f"the agent refuses with report {dotted}")
    return Refusal(target, _told(reason, auth))


def denied(target: str, auth: Auth) -> WrongCredentials:
    """Return what the error-status authorizationError means."""
    if auth.version != V3:
        return WrongCredentials(target, "the agent denies access (authorizationError)")
    denial = "the agent denies user '{user}' access at security level {level} (authorizationError)"
    return WrongCredentials(target, _told(denial, auth))


def variants(target: str, auth: Auth) -> Iterator[tuple[Auth, Refusal]]:
    """Yield simpler auths, and what is wrong with this one if the agent answers those."""
    plain = replace(auth, context_name="")
    if auth.context_name:
        yield plain, Refusal(target, _told(NO_CONTEXT, auth))
    if auth.security_level == "authPriv":
        signed = replace(plain, security_level="authNoPriv")
        yield signed, WrongCredentials(target, _told(PRIV_REFUSED, auth))


def _told(reason: str, auth: Auth) -> str:
    return reason.format(user=auth.username, level=auth.security_level, context=auth.context_name)
