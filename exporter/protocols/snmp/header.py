"""The header of a v1 or v2c response in BER (X.690): gufo-snmp does not tell the error-status."""

TOO_BIG, NO_SUCH_NAME = 1, 2  # error-status, RFC 3416 section 3


def error_status(packet: bytes) -> int:
    """Return the error-status in the header of a v1 or v2c response; 0 where it has none."""
    try:
        at = _content(packet, 0)
        for _ in ("version", "community"):
            start = _content(packet, at)
            at = start + packet[start - 1]
        at = _content(packet, at)
        start = _content(packet, at)
        at = start + packet[start - 1]
        return packet[_content(packet, at)] if packet[at + 1] == 1 else 0
    except IndexError:
        return 0


def _content(packet: bytes, at: int) -> int:
    """Return where the content of the BER element at `at` begins."""
    length = packet[at + 1]
    return at + 2 + (length & 0x7F if length & 0x80 else 0)
