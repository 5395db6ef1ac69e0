"""Which alert is behind another."""

from uuid import uuid4

from controlplane.alerts import correlation
from controlplane.alerts.models import Alert, AlertStatus
from controlplane.database import now


def alert(name: str, device: str = "", *inhibited_by: str) -> Alert:
    return Alert(
        id=uuid4(),
        fingerprint=f"{name} {device}",
        status=AlertStatus.FIRING,
        alertname=name,
        device=device,
        labels={},
        annotations={},
        starts_at=now(),
        inhibited_by=list(inhibited_by),
    )


CORE = alert("DeviceDown", "core")
PARENTS = {"dist": ["core"], "access": ["dist", "dist2"], "dist2": ["core"]}


def test_what_is_inhibited_is_a_symptom_of_what_inhibits_it() -> None:
    """The fingerprint that Alertmanager names is the cause."""
    fan = alert("FanFailed", "core", "DeviceDown core")
    assert correlation.causes([fan, CORE], {}) == {fan.id: CORE}


def test_a_device_behind_a_dead_one_is_a_symptom_of_that() -> None:
    """However many devices lie between; without any that is down it stands alone."""
    access = alert("DeviceUnreachable", "access")
    assert correlation.causes([access, CORE], PARENTS) == {access.id: CORE}
    assert correlation.causes([access], PARENTS) == {}


def test_a_device_that_flaps_is_a_cause() -> None:
    """What is behind it when it is down just now, and what it shows, belongs to its flapping."""
    flaps = alert("DeviceFlapping", "core")
    access = alert("DeviceUnreachable", "access")
    fan = alert("FanFailed", "core", "DeviceFlapping core")
    assert correlation.causes([access, fan, flaps], PARENTS) == {access.id: flaps, fan.id: flaps}


def test_the_nearest_dead_device_is_the_cause() -> None:
    """Not one further up that is down as well."""
    access, dist = alert("DeviceUnreachable", "access"), alert("DeviceDown", "dist")
    assert correlation.causes([access, CORE, dist], PARENTS)[access.id] is dist


def test_a_symptom_of_a_symptom_has_the_same_root() -> None:
    """What an unreachable device shows belongs to the device that is down."""
    access = alert("DeviceUnreachable", "access")
    cpu = alert("CpuHigh", "access", "DeviceUnreachable access")
    found = correlation.causes([cpu, access, CORE], PARENTS)
    assert found == {cpu.id: CORE, access.id: CORE}


def test_rings_end() -> None:
    """Neither devices in a ring nor alerts that inhibit each other have a cause."""
    ring = {"a": ["b"], "b": ["a"]}
    a = alert("DeviceUnreachable", "a")
    assert correlation.causes([a], ring) == {}
    one, two = alert("One", "x", "Two x"), alert("Two", "x", "One x")
    assert correlation.causes([one, two], {}) == {}


def test_a_cause_that_is_over_is_none() -> None:
    """An inhibitor that does not fire any more is nobody's cause."""
    assert correlation.causes([alert("FanFailed", "core", "DeviceDown core")], {}) == {}
