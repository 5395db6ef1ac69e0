"""Series that a device told an hour ago and tells no more: a part pulled, a neighbour gone."""

from string import Template

from rules.rule import Record

# Since when a series is missing. What was there is read as one sample of an hour ago, and the time
# is carried forward for a day: a day of samples of every part would be too dear. The hour of
# `last_over_time` bridges a restart of Prometheus. Nothing is missing from a device of which this
# scrape could not read everything. The labels are those of the inventory, joined here and not by
# each alert, as a join reads all devices.
LOST = Template("""\
(
  (
    (max by (device, $labels) (last_over_time($record[1h])) > time() - 86400)
    or
    time() + 0 * max by (device, $labels) (
      ($metric offset 1h)
      unless on (device, $labels)
      $metric$fewer
    )
  )
  unless on (device, $labels)
  $metric
  and on (device)
  (chm_collectors_failed == 0)
)
* on (device) group_left (site, role, vendor)
device:chm_inventory_device_info:current""")

# A part that has a new name since an upgrade is not lost: there must be fewer than there were.
FEWER = Template("""
      unless on (device)
      (count by (device) ($metric) >= count by (device) ($metric offset 1h))""")

GONE = Template("""\
0 * $record
unless on (device)
device:chm_inventory_device_info:missing""")


def record(record: str, metric: str, *labels: str, counted: bool) -> Record:
    """Record since when a series of `metric` is missing, by device and these labels.

    `counted`: only where the device tells of fewer than an hour ago.
    """
    names = {"metric": metric, "labels": ", ".join(labels)}
    fewer = FEWER.substitute(names) if counted else ""
    return Record(record, LOST.substitute(names, record=record, fewer=fewer))


def gone(record: str) -> str:
    """Return the expression of 0 for what is missing, with the labels of the inventory."""
    return GONE.substitute(record=record)
