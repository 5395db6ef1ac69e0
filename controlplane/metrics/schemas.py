"""Thresholds on the wire."""

from pydantic import BaseModel, ConfigDict, Field

from controlplane.metrics.models import Metric, Severity
from controlplane.metrics.thresholds import Source


class ThresholdWrite(BaseModel):
    """The value above which the alert fires: a ratio from 0 to 1, degrees Celsius, or seconds."""

    model_config = ConfigDict(extra="forbid")

    value: float = Field(allow_inf_nan=False)


class ThresholdRead(BaseModel):
    """A threshold in force, and who says so: the code, an operator for all, or for this device."""

    metric: Metric
    severity: Severity
    value: float
    source: Source
