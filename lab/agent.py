"""An SNMP agent, datagram in, datagram out; what was answered in this tick costs a look-up."""

from collections.abc import Callable, Mapping

from lab import message
from lab.ber import Oid
from lab.table import Reply, Source, Table, View

DEFAULT_DATAGRAM = 1_472  # octets: what an Ethernet frame of 1,500 leaves for UDP


class Agent:
    """Answers for one address; `own` are the bindings it does not share with others of its kind."""

    def __init__(
        self,
        source: Source,
        community: bytes,
        datagram: int = DEFAULT_DATAGRAM,
    ) -> None:
        self.source = source
        self.own: Callable[[], Mapping[Oid, bytes]] = dict
        self.silent = False
        self._community = community
        self._datagram = datagram
        self._personal: dict[bytes, Reply] = {}
        self._personal_of: Table | None = None

    def answer(self, data: bytes) -> bytes | None:
        """Return the reply, or None where an agent keeps silent; Malformed if it is no request."""
        envelope = message.open_envelope(data)
        if self.silent or envelope.community != self._community:
            return None
        request_id = data[envelope.request_id : envelope.behind]
        # The same question with another id of the same length differs in these octets only.
        question = data[: envelope.request_id] + data[envelope.behind :]
        table = self.source.table()
        reply = table.replies.get(question) or self._remembered(table).get(question)
        if reply is None:
            reply = self._reply(data, envelope, table, question)
        return reply[0] + request_id + reply[1]

    def _remembered(self, table: Table) -> dict[bytes, Reply]:
        """Return the replies of this tick that concern this agent alone."""
        if self._personal_of is not table:
            self._personal_of = table
            self._personal = {}
        return self._personal

    def _reply(
        self, data: bytes, envelope: message.Envelope, table: Table, question: bytes
    ) -> Reply:
        request = message.read_request(data, envelope)
        view = View(table, self.own(), v1=request.version == message.V1)
        request_id = data[envelope.request_id : envelope.behind]
        taken = message.HEADERS + len(request_id) + len(envelope.community)
        answer = message.respond(request, view, self._datagram - taken)
        reply = message.seal(envelope, request_id, answer)
        (self._remembered(table) if view.personal else table.replies)[question] = reply
        return reply
