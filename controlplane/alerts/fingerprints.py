"""What Alertmanager calls an alert, before it has heard of it."""

from collections.abc import Mapping

FNV_OFFSET, FNV_PRIME, FNV_MASK = 14695981039346656037, 1099511628211, 2**64 - 1


def fingerprint(labels: Mapping[str, str]) -> str:
    """Return what Alertmanager will call an alert of these labels; empty labels do not count.

    FNV-1a of 64 bits over the sorted labels, with 0xff after each name and each value
    (prometheus/common, model/signature.go).
    """
    value = FNV_OFFSET
    for name in sorted(name for name in labels if labels[name]):
        for byte in b"%b\xff%b\xff" % (name.encode(), labels[name].encode()):
            value = ((value ^ byte) * FNV_PRIME) & FNV_MASK
    return f"{value:016x}"
