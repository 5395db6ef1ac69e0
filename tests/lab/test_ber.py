import pytest

from lab import ber


@pytest.mark.parametrize(
    ("encoded", "expected"),
    [
        (ber.integer(0), "020100"),
        (ber.integer(127), "02017f"),
        (ber.integer(128), "02020080"),
        (ber.integer(-1), "0201ff"),
        (ber.integer(-128), "020180"),
        (ber.integer(-129), "0202ff7f"),
        (ber.counter32(2**32 + 5), "410105"),
        (ber.counter64(2**64 - 1), "460900ffffffffffffffff"),
        (ber.gauge32(2**33), "420500ffffffff"),
        (ber.timeticks(2**32 / 100 + 1), "430164"),
        (ber.object_identifier((1, 3, 6, 1, 4, 1, 30065)), "06082b0601040181ea71"),
        (ber.object_identifier((0, 0)), "060100"),
    ],
)
def test_values_have_the_shortest_encoding(encoded: bytes, expected: str) -> None:
    """Values are encoded in as few octets as X.690 allows, and counters wrap."""
    assert encoded.hex() == expected


@pytest.mark.parametrize("size", [0, 127, 128, 255, 256, 65_536])
def test_lengths(size: int) -> None:
    """Content of any length is found again behind its header."""
    encoded = ber.octets(bytes(size))

    start, end = ber.expect(encoded, 0, ber.OCTET_STRING)

    assert (end - start, end) == (size, len(encoded))


@pytest.mark.parametrize("arcs", [(0, 0), (1, 3, 6, 1), (1, 0, 8802, 1), (2, 999, 4_294_967_295)])
def test_names_survive(arcs: ber.Oid) -> None:
    """A name is read as it was written."""
    encoded = ber.object_identifier(arcs)

    assert ber.read_oid(encoded, 0) == (arcs, len(encoded))


@pytest.mark.parametrize(
    "data", ["", "06", "0600", "0680", "060181", "0605010203", "0685ffffffffff"]
)
def test_broken_names_are_refused(data: str) -> None:
    """Bytes that end early or never are malformed, not an IndexError."""
    with pytest.raises(ber.Malformed):
        ber.read_oid(bytes.fromhex(data), 0)
