"""Statements about thresholds."""

from uuid import UUID

from sqlalchemy import Select
from sqlmodel import select

from controlplane.metrics.models import DeviceThreshold, Threshold


def for_all() -> Select[tuple[Threshold]]:
    """Select what operators set for all devices."""
    return select(Threshold)


def for_device(device: UUID) -> Select[tuple[DeviceThreshold]]:
    """Select what operators set for one device."""
    return select(DeviceThreshold).where(DeviceThreshold.device_id == device)


def for_devices() -> Select[tuple[DeviceThreshold]]:
    """Select what operators set for single devices."""
    return select(DeviceThreshold)
