"""Interfaces, by the names of IF-MIB (RFC 2863): state, traffic, utilisation, errors, discards."""

from typing import Any

from dashboards import colours
from dashboards.panel import Json, Panel, Query
from dashboards.tables import Column, table
from dashboards.visuals import bars, lines, stat

IN_BITS = "8 * rate(ifHCInOctets{$probe, $interface}[$__rate_interval])"
OUT_BITS = "8 * rate(ifHCOutOctets{$probe, $interface}[$__rate_interval])"
# ifHighSpeed is in millions of bits per second, and 0 where an interface has no speed.
SPEED = "(1e6 * (ifHighSpeed{$probe, $interface} > 0))"
IN_RATIO = f"{IN_BITS} / {SPEED}"
OUT_RATIO = f"{OUT_BITS} / {SPEED}"

_OUT_BELOW: tuple[Json, ...] = (
    {
        "matcher": {"id": "byFrameRefID", "options": "B"},
        "properties": [{"id": "custom.transform", "value": "negative-Y"}],
    },
)
"""Traffic that leaves is drawn below the axis."""


def _everywhere(expr: str) -> str:
    """Ask for all interfaces, for boards without a choice of interfaces."""
    return expr.replace(", $interface", "")


def _chosen(expr: str) -> str:
    """Ask for the interfaces chosen on the board."""
    return expr.replace("$interface", 'ifName=~"$interface"')


def _both(incoming: str, outgoing: str) -> str:
    """Both directions as one vector, told apart by the label `direction`."""
    return f"""\
label_replace({incoming}, "direction", "in", "", "")
or
label_replace({outgoing}, "direction", "out", "", "")"""


def _packets(counter: str) -> str:
    return "rate(COUNTER{$probe, $interface}[$__rate_interval])".replace("COUNTER", counter)


BUSIEST = f"max by (device, ifName, direction) ({_both(IN_RATIO, OUT_RATIO)})"
ERRORS = _both(_packets("ifInErrors"), _packets("ifOutErrors"))


def busiest() -> Panel:
    """Show the interfaces closest to full, over all devices."""
    return bars(
        "Busiest interfaces",
        "The ten directions of interfaces with the highest share of their speed in use.",
        "percentunit",
        Query(
            _everywhere(f"topk(10, {BUSIEST})"),
            "{{device}} {{ifName}} {{direction}}",
            instant=True,
        ),
        thresholds=colours.RATIO,
        maximum=1,
    )


def most_errors() -> Panel:
    """Show the interfaces with most errors, over all devices."""
    return bars(
        "Interfaces with errors",
        "The ten directions of interfaces with most damaged packets per second: "
        "optics, cable, or duplex.",
        "pps",
        Query(
            _everywhere(f"topk(10, max by (device, ifName, direction) ({ERRORS}) > 0)"),
            "{{device}} {{ifName}} {{direction}}",
            instant=True,
        ),
        thresholds=colours.steps((None, colours.WARNING), (1, colours.CRITICAL)),
        empty="No interface has errors",
    )


def down() -> Panel:
    """Show how many interfaces are down that should be up."""
    return stat(
        "Interfaces down",
        "Interfaces that are switched on (ifAdminStatus) and do not work (ifOperStatus).",
        "short",
        "count(ifAdminStatus{$probe} == 1 and ifOperStatus{$probe} != 1) or vector(0)",
        thresholds=colours.NONE_IS_WELL_ELSE_WARN,
        width=3,
    )


def _by_interface(expr: str, operator: str = "max") -> str:
    return f"{operator} by (ifIndex, ifName, ifAlias) ({_chosen(expr)})"


def listed() -> Panel:
    """Show every chosen interface of the device with its state, speed, traffic and errors."""
    speed = "1e6 * ifHighSpeed{$probe, $interface}"
    status: dict[str, Any] = {
        "cell": "color-background",
        "mappings": tuple(colours.IF_STATUS),
        "width": 110,
    }
    share: dict[str, Any] = {"unit": "percentunit", "cell": "gauge", "thresholds": colours.RATIO}
    broken = colours.steps((None, "text"), (0.001, colours.WARNING), (1, colours.CRITICAL))
    errors: dict[str, Any] = {"unit": "pps", "cell": "color-text", "thresholds": broken}
    return table(
        "Interfaces in detail",
        "State, speed and load of each interface just now; errors are damaged packets per second.",
        (
            Column("Interface", "ifName"),
            Column("Alias", "ifAlias"),
            Column("Index", "ifIndex", width=70),
        ),
        (
            Column("State", _by_interface("ifOperStatus{$probe, $interface}"), **status),
            Column("Wanted", _by_interface("ifAdminStatus{$probe, $interface}"), **status),
            Column("Speed", _by_interface(speed), unit="bps"),
            Column("In", _by_interface(IN_BITS), unit="bps"),
            Column("Out", _by_interface(OUT_BITS), unit="bps"),
            Column("In of speed", _by_interface(IN_RATIO), **share),
            Column("Out of speed", _by_interface(OUT_RATIO), **share),
            Column("Errors", _by_interface(ERRORS, "sum"), **errors),
        ),
        sort="Index",
        height=11,
    )


def traffic() -> Panel:
    """Show the bits per second of each chosen interface, in above and out below the axis."""
    return lines(
        "Traffic",
        "Bits per second of each interface; in above the axis, out below.",
        "bps",
        (
            Query(_chosen(IN_BITS), "{{ifName}} in"),
            Query(_chosen(OUT_BITS), "{{ifName}} out"),
        ),
        overrides=_OUT_BELOW,
    )


def utilization() -> Panel:
    """Show the share of the speed in use of each chosen interface."""
    return lines(
        "Utilisation",
        "Share of the speed in use, each direction of its own; interfaces without a speed are "
        "left out.",
        "percentunit",
        (
            Query(_chosen(IN_RATIO), "{{ifName}} in"),
            Query(_chosen(OUT_RATIO), "{{ifName}} out"),
        ),
        minimum=0,
    )


def errors() -> Panel:
    """Show the damaged packets per second of each chosen interface."""
    return lines(
        "Errors",
        "Damaged packets per second; in above the axis, out below. Healthy is nought.",
        "pps",
        (
            Query(_chosen(_packets("ifInErrors")), "{{ifName}} in"),
            Query(_chosen(_packets("ifOutErrors")), "{{ifName}} out"),
        ),
        overrides=_OUT_BELOW,
    )


def discards() -> Panel:
    """Show the packets thrown away per second by each chosen interface."""
    return lines(
        "Discards",
        "Sound packets thrown away per second, mostly for want of room in a queue; "
        "in above the axis, out below.",
        "pps",
        (
            Query(_chosen(_packets("ifInDiscards")), "{{ifName}} in"),
            Query(_chosen(_packets("ifOutDiscards")), "{{ifName}} out"),
        ),
        overrides=_OUT_BELOW,
    )
