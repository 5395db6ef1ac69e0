"""Intent to Prometheus rules: pure functions, no I/O, one module per rule family.

`render(Intent(...))` gives the rule files by name. The values of single devices never stand in
a rule: rules join the series of the inventory (`chm_inventory_device_info`, `chm_threshold`, ...).
"""

from rules.behaviour import behaviour, shortened
from rules.options import Baseline, Change, Intent
from rules.rendering import (
    DEVICE,
    MOST_SERIES,
    alerts,
    dashboard_url,
    render,
    template,
    written,
)
from rules.rule import Alert

__all__ = [
    "DEVICE",
    "MOST_SERIES",
    "Alert",
    "Baseline",
    "Change",
    "Intent",
    "alerts",
    "behaviour",
    "dashboard_url",
    "render",
    "shortened",
    "template",
    "written",
]
