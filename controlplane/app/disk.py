"""How full the disk of the data folder is, looked at with every scrape."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


class Disk(Collector):
    """The disk that holds a folder; of one that cannot be looked at there are no samples."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give its size, and what of it is free to us."""
        size = GaugeMetricFamily(
            "chm_data_disk_size_bytes", "Size of the disk that holds the data folder."
        )
        free = GaugeMetricFamily(
            "chm_data_disk_free_bytes", "What is free on the disk that holds the data folder."
        )
        try:
            usage = shutil.disk_usage(self._folder)
        except OSError:
            pass
        else:
            size.add_metric((), usage.total)
            free.add_metric((), usage.free)
        yield size
        yield free
