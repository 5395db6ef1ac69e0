"""The scenarios a person can start on a device, with their arguments."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lab.errors import BadArgument, UnknownScenario

Seconds = Annotated[float, Field(gt=0)]


class Scenario(BaseModel):
    """A deviation from health; it lasts `duration` seconds, or until somebody ends it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: ClassVar[str]
    duration: Seconds | None = None

    @property
    def subject(self) -> str:
        """What of the device is concerned, so that the same can happen to two ports at once."""
        return ""


class OnPort(Scenario):
    """A scenario of one port, named by its ifName."""

    port: str

    @property
    def subject(self) -> str:
        """The port."""
        return self.port


class DeviceDown(Scenario):
    """The device falls off the network: it is silent, and its neighbours lose the link."""

    name = "device-down"


class LinkDown(OnPort):
    """A cable is cut: both ends go down, and neither hears the other."""

    name = "link-down"


class Flap(OnPort):
    """A port goes down and up, so many seconds each."""

    name = "flap"
    period: Seconds = 10


class CpuHot(Scenario):
    """The processor is busy."""

    name = "cpu-hot"
    percent: Annotated[float, Field(ge=0, le=100)] = 97


class TemperatureHigh(Scenario):
    """The hottest sensor rises to so many degrees."""

    name = "temperature-high"
    celsius: Annotated[float, Field(ge=0, le=150)] = 92


class FanFailed(Scenario):
    """A fan stands still; counted from 1."""

    name = "fan-failed"
    fan: Annotated[int, Field(ge=1)] = 1

    @property
    def subject(self) -> str:
        """The fan."""
        return str(self.fan)


class PsuFailed(Scenario):
    """A power supply delivers nothing; counted from 1."""

    name = "psu-failed"
    psu: Annotated[int, Field(ge=1)] = 1

    @property
    def subject(self) -> str:
        """The power supply."""
        return str(self.psu)


class ModuleFailed(Scenario):
    """A line card, or a member of a stack, stops working; counted from 1."""

    name = "module-failed"
    module: Annotated[int, Field(ge=1)] = 1

    @property
    def subject(self) -> str:
        """The module."""
        return str(self.module)


class Reboot(Scenario):
    """The device is gone for `duration` seconds and comes back with uptime and counters at zero."""

    name = "reboot"
    duration: Seconds | None = 5


class CounterWrap(OnPort):
    """A port's octet and unicast counters overflow in so many seconds, at 32 or 64 bits."""

    name = "counter-wrap"
    duration: None = None
    seconds: Seconds = 20
    bits: Literal[32, 64] = 64


class InterfaceErrors(OnPort):
    """So large a part of the packets that a port receives is damaged."""

    name = "interface-errors"
    ratio: Annotated[float, Field(gt=0, le=1)] = 0.02


def catalogue() -> Mapping[str, type[Scenario]]:
    """Return every scenario by its name."""
    known: tuple[type[Scenario], ...] = (
        DeviceDown,
        LinkDown,
        Flap,
        CpuHot,
        TemperatureHigh,
        FanFailed,
        PsuFailed,
        ModuleFailed,
        Reboot,
        CounterWrap,
        InterfaceErrors,
    )
    return {scenario.name: scenario for scenario in known}


def parse(name: str, arguments: Mapping[str, Any]) -> Scenario:
    """Return a scenario with its arguments checked."""
    try:
        return kind(name).model_validate(arguments)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "arguments"
        raise BadArgument(f"{name}: {where}: {first['msg']}") from error


def kind(name: str) -> type[Scenario]:
    """Return a scenario by its name."""
    try:
        return catalogue()[name]
    except KeyError:
        raise UnknownScenario(f"no scenario {name!r}; there are {', '.join(catalogue())}") from None
