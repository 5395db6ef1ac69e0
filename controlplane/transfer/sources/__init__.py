"""What can be imported: documents of our own, and what other systems export."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType

from controlplane.transfer import formats, tables
from controlplane.transfer.formats import Format
from controlplane.transfer.schemas import ImportQuery
from controlplane.transfer.sources import ansible, file_sd, librenms, netbox
from controlplane.transfer.sources.draft import Given

__all__ = ["Given", "Source", "read"]


class Source(StrEnum):
    """How a file is written, or whose export it is."""

    JSON = "json"
    YAML = "yaml"
    CSV = "csv"
    NETBOX = "netbox"
    LIBRENMS = "librenms"
    FILE_SD = "file-sd"
    ANSIBLE = "ansible"


FOREIGN: Mapping[Source, Callable[[str, bool], Given]] = MappingProxyType(
    {
        Source.NETBOX: netbox.read,
        Source.LIBRENMS: librenms.read,
        Source.FILE_SD: file_sd.read,
        Source.ANSIBLE: ansible.read,
    }
)


def read(source: Source, text: str, query: ImportQuery) -> Given:
    """Give the document that a file makes, or raise Invalid where it is not what it should be."""
    if source in FOREIGN:
        return FOREIGN[source](text, query.secrets)
    document = formats.read(Format(source), text, query.kind)
    return Given(document, columns=tables.custom(text) if source is Source.CSV else ())
