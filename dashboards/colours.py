"""Colours by meaning, the same on every board: red is broken, orange will be, green is well."""

from typing import Any

HEALTHY = "green"
WARNING = "orange"
CRITICAL = "red"
INFO = "blue"
UNKNOWN = "#8e8e8e"

Step = tuple[float | None, str]


def steps(*pairs: Step) -> dict[str, Any]:
    """Absolute thresholds: from each value upwards its colour; the first has no lower end."""
    return {
        "mode": "absolute",
        "steps": [{"value": value, "color": colour} for value, colour in pairs],
    }


def values(meanings: dict[float, tuple[str, str]]) -> list[dict[str, Any]]:
    """Words and colours for numbers that stand for a state."""
    options = {
        f"{number:g}": {"text": text, "color": colour, "index": index}
        for index, (number, (text, colour)) in enumerate(meanings.items())
    }
    return [{"type": "value", "options": options}]


def words(meanings: dict[str, str]) -> list[dict[str, Any]]:
    """Colours for label values, which keep their own text."""
    options = {
        word: {"text": word, "color": colour, "index": index}
        for index, (word, colour) in enumerate(meanings.items())
    }
    return [{"type": "value", "options": options}]


UNRATED = steps((None, UNKNOWN))
RATIO = steps((None, HEALTHY), (0.8, WARNING), (0.9, CRITICAL))
CELSIUS = steps((None, HEALTHY), (60, WARNING), (75, CRITICAL))
NONE_IS_WELL = steps((None, HEALTHY), (1, CRITICAL))
NONE_IS_WELL_ELSE_WARN = steps((None, HEALTHY), (1, WARNING))

STATE = values({1: ("up", HEALTHY), 0: ("down", CRITICAL), -1: ("unknown", UNKNOWN)})
WORKS = values({1: ("ok", HEALTHY), 0: ("failed", CRITICAL)})
UP = values({1: ("up", HEALTHY), 0: ("down", CRITICAL)})
SEVERITY = words({"critical": CRITICAL, "warning": WARNING, "info": INFO})
# ifAdminStatus and ifOperStatus of IF-MIB (RFC 2863)
IF_STATUS = values(
    {
        1: ("up", HEALTHY),
        2: ("down", CRITICAL),
        3: ("testing", INFO),
        4: ("unknown", UNKNOWN),
        5: ("dormant", INFO),
        6: ("not present", UNKNOWN),
        7: ("lower layer down", CRITICAL),
    }
)
