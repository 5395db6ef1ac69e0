"""How many values to ask for, page by page, so that each answer fits into one datagram.

Larger ones would come in fragments, which many firewalls drop. What values take is known of walks
made before: an integer may grow by an octet until the next, a text stays as it is.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from exporter.protocols.snmp import ber
from exporter.protocols.snmp.ber import Malformed
from exporter.protocols.snmp.pages import READ, WIDEST, Answer

MARGIN = 16  # octets that are left of a page, so that no single number that grew cuts all anew
BEHIND = 64  # octets of the value behind a subtree, by which its end shows


def room(answer: Answer) -> int:
    """Return how many octets of bindings fit into an answer that is framed like this one."""
    return answer.free + len(answer.octets) - answer.bindings_at


def widths(answer: Answer, count: int) -> list[int]:
    """Return how many octets each of the first bindings of an answer takes when it has grown.

    Raises Malformed where the decoder would not make a value of each.
    """
    octets, at, end = answer.octets, answer.bindings_at, len(answer.octets)
    found = []
    for _ in range(count):
        start, stop = ber.content(octets, at, end, ber.SEQUENCE)
        _, after = ber.content(octets, start, stop, ber.OID)
        tag, first, behind = ber.element(octets, after, stop)
        if tag not in READ:
            raise Malformed(f"tag {tag:#x} where a value belongs")
        # A number without a sign takes one more octet than its type, to look positive.
        growing = tag in WIDEST and behind - first < WIDEST[tag] + (tag != ber.INTEGER)
        found.append(stop - at + growing)
        at = stop
    return found


def counts(widths: Sequence[int], room: int, most: int) -> list[int]:
    """Return for as few pages as can be how many values each is to bring, at most `most`.

    No page is much shorter than the others.
    """
    places = list(accumulate(widths, initial=0))

    def filled(room: int) -> list[int]:
        found, at = [], 0
        while at < len(widths):
            fitting = bisect_right(places, places[at] + room) - 1 - at
            found.append(max(min(fitting, most), 1))
            at += found[-1]
        return found

    pages = len(filled(room))
    return filled(bisect_left(range(room), -pages, key=lambda less: -len(filled(less))))
