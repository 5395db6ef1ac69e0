"""HOST-RESOURCES-MIB (RFC 2790): processors and memory of what runs a common operating system."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lab.ber import Oid, Row, counter32, integer, object_identifier, octets, oid

HR_STORAGE_ENTRY = oid("1.3.6.1.2.1.25.2.3.1")
HR_STORAGE_RAM = oid("1.3.6.1.2.1.25.2.1.2")
HR_STORAGE_FLASH = oid("1.3.6.1.2.1.25.2.1.9")
HR_DEVICE_ENTRY = oid("1.3.6.1.2.1.25.3.2.1")
HR_PROCESSOR_ENTRY = oid("1.3.6.1.2.1.25.3.3.1")
HR_DEVICE_PROCESSOR = oid("1.3.6.1.2.1.25.3.1.3")
RUNNING = 2  # hrDeviceStatus


@dataclass(frozen=True)
class Storage:
    """A row of hrStorageTable; `size` and `used` count units of so many octets."""

    index: int
    name: str
    unit: int
    size: int
    used: int
    kind: Oid = HR_STORAGE_RAM


def processors(names: Iterable[str], percent: float, first: int = 1) -> Iterator[Row]:
    """Return hrDeviceTable and hrProcessorTable for processors that are equally busy."""
    for index, name in enumerate(names, start=first):
        columns = (
            integer(index),
            object_identifier(HR_DEVICE_PROCESSOR),
            octets(name),
            object_identifier((0, 0)),
            integer(RUNNING),
            counter32(0),
        )
        for column, value in enumerate(columns, start=1):
            yield (*HR_DEVICE_ENTRY, column, index), value
        yield (*HR_PROCESSOR_ENTRY, 1, index), object_identifier((0, 0))
        yield (*HR_PROCESSOR_ENTRY, 2, index), integer(round(percent))


def storage(stores: Iterable[Storage]) -> Iterator[Row]:
    """Return hrStorageTable."""
    for store in stores:
        columns = (
            integer(store.index),
            object_identifier(store.kind),
            octets(store.name),
            integer(store.unit),
            integer(store.size),
            integer(store.used),
            counter32(0),
        )
        for column, value in enumerate(columns, start=1):
            yield (*HR_STORAGE_ENTRY, column, store.index), value
