"""What can go wrong in the lab, each with a sentence for the person who caused it.

LabError
├── BadTopology        a topology that cannot be built (exit 2)
├── BadRecording       a recording that cannot be played (exit 2)
├── CannotListen       an address or port that somebody else holds (exit 2)
├── UnknownDevice      HTTP 404
├── UnknownScenario    HTTP 404
└── BadArgument        HTTP 422
"""


class LabError(Exception):
    """Any error of the lab; its text is one line for people."""


class BadTopology(LabError):
    """The topology names something that does not exist, or names it twice."""


class BadRecording(LabError):
    """A recording is not there, or not in the format of snmpsim."""


class CannotListen(LabError):
    """An address and port of the lab cannot be had, mostly because another process has it."""


class UnknownDevice(LabError):
    """No device of this name is in the lab."""


class UnknownScenario(LabError):
    """No scenario of this name exists, or it is not under way on the device."""


class BadArgument(LabError):
    """A scenario was given an argument that it or the device does not know."""
