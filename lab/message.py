"""SNMP v1 and v2c messages (RFC 1157, RFC 3416): requests in, responses out."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from lab import ber
from lab.ber import Malformed, Oid
from lab.table import View

V1, V2C = 0, 1
GET, GET_NEXT, RESPONSE, SET, GET_BULK = 0xA0, 0xA1, 0xA2, 0xA3, 0xA5
TOO_BIG, NO_SUCH_NAME, READ_ONLY, NO_ACCESS = 1, 2, 4, 6
HEADERS = 26  # octets of headers around the bindings, at most, besides community and request id


class Envelope(NamedTuple):
    """Where the parts of a message lie; enough to answer from memory."""

    version: int
    community: bytes
    tag: int
    request_id: int  # offset of its content
    behind: int  # offset behind it


class Request(NamedTuple):
    """A request as the answering side sees it."""

    version: int
    tag: int
    non_repeaters: int
    max_repetitions: int
    names: list[Oid]
    bindings: bytes  # as received, to be sent back with a v1 error


@dataclass(frozen=True)
class Answer:
    """A response without its envelope."""

    bindings: bytes
    status: int = 0
    index: int = 0


def open_envelope(data: bytes) -> Envelope:
    """Return the parts of a message; Malformed for anything but a request of v1 or v2c."""
    start, end = ber.expect(data, 0, ber.SEQUENCE)
    if end != len(data):
        raise Malformed("bytes behind the message")
    version, at = ber.read_integer(data, start)
    if version not in {V1, V2C}:
        raise Malformed(f"version {version}")
    start, at = ber.expect(data, at, ber.OCTET_STRING)
    community = data[start:at]
    tag, at, _ = ber.header(data, at)
    if tag not in {GET, GET_NEXT, SET, GET_BULK} or (version == V1 and tag == GET_BULK):
        raise Malformed(f"PDU {tag:#04x} in version {version}")
    start, end = ber.expect(data, at, ber.INTEGER)
    if start == end:
        raise Malformed("an empty request id")
    return Envelope(version, community, tag, start, end)


def read_request(data: bytes, envelope: Envelope) -> Request:
    """Return the whole request."""
    first, at = ber.read_integer(data, envelope.behind)
    second, at = ber.read_integer(data, at)
    start, end = ber.expect(data, at, ber.SEQUENCE)
    names = []
    at = start
    while at < end:
        inner, at_next = ber.expect(data, at, ber.SEQUENCE)
        name, behind = ber.read_oid(data, inner)
        _, _, behind = ber.header(data, behind)
        if behind != at_next:
            raise Malformed("a variable binding of other than two parts")
        names.append(name)
        at = at_next
    return Request(envelope.version, envelope.tag, first, second, names, data[start:end])


def respond(request: Request, view: View, room: int) -> Answer:
    """Return the answer to a request, with bindings of at most so many octets."""
    if request.tag == SET:
        return Answer(request.bindings, READ_ONLY if request.version == V1 else NO_ACCESS, 1)
    if request.tag == GET_BULK:
        return _bulk(request, view, room)
    found: list[bytes] = []
    for index, name in enumerate(request.names, start=1):
        binding = view.get(name) if request.tag == GET else _next(view, name)
        if binding is None:
            if request.version == V1:
                return Answer(request.bindings, NO_SUCH_NAME, index)
            binding = _exception(
                name, ber.NO_SUCH_OBJECT if request.tag == GET else ber.END_OF_MIB_VIEW
            )
        found.append(binding)
    bindings = b"".join(found)
    if len(bindings) > room:
        return Answer(request.bindings if request.version == V1 else b"", TOO_BIG, 0)
    return Answer(bindings)


def _next(view: View, name: Oid) -> bytes | None:
    found = view.after(name)
    return found[1] if found else None


def _exception(name: Oid, value: bytes) -> bytes:
    return ber.sequence((ber.object_identifier(name), value))


def _bulk(request: Request, view: View, room: int) -> Answer:
    """Fill the room with successors (RFC 3416, 4.2.3); the rest is for the next request."""
    found: list[bytes] = []
    for binding in _successors(request, view):
        room -= len(binding)
        if room < 0:
            break
        found.append(binding)
    return Answer(b"".join(found))


def _successors(request: Request, view: View) -> Iterable[bytes]:
    single = min(max(request.non_repeaters, 0), len(request.names))
    for name in request.names[:single]:
        yield _next(view, name) or _exception(name, ber.END_OF_MIB_VIEW)
    names = request.names[single:]
    for _ in range(request.max_repetitions if names else 0):
        ended = 0
        for place, name in enumerate(names):
            step = view.after(name)
            if step is None:
                ended += 1
                yield _exception(name, ber.END_OF_MIB_VIEW)
            else:
                names[place], binding = step
                yield binding
        if ended == len(names):
            return


def seal(envelope: Envelope, request_id: bytes, answer: Answer) -> tuple[bytes, bytes]:
    """Return the response message in two parts, between which the request id belongs."""
    tail = (
        ber.integer(answer.status)
        + ber.integer(answer.index)
        + ber.tlv(ber.SEQUENCE, answer.bindings)
    )
    parts = (
        ber.integer(envelope.version),
        ber.octets(envelope.community),
        ber.tlv(RESPONSE, ber.tlv(ber.INTEGER, request_id) + tail),
    )
    return ber.sequence(parts)[: -len(request_id) - len(tail)], tail
