"""Which profile a device has, and what it says about itself."""

from collections.abc import Mapping
from dataclasses import dataclass

from exporter import patterns
from exporter.profiles import values
from exporter.profiles.loader import GENERIC
from exporter.profiles.rows import Answers
from exporter.profiles.schema import Match, Profile, Sources

SYS_DESCR = "1.3.6.1.2.1.1.1.0"
SYS_OBJECT_ID = "1.3.6.1.2.1.1.2.0"
SYS_UPTIME = "1.3.6.1.2.1.1.3.0"
SYS_NAME = "1.3.6.1.2.1.1.5.0"
ENGINE_TIME = "1.3.6.1.6.3.10.2.1.3.0"
SYSTEM = (SYS_UPTIME, SYS_DESCR, SYS_OBJECT_ID, ENGINE_TIME, SYS_NAME)

CLASSES = "1.3.6.1.2.1.47.1.1.1.1.5"
"""The column entPhysicalClass."""
CHASSIS = 3

UPTIME_WRAP = 2**32 / 100  # seconds after which sysUpTime starts again: 497 days
SAME = 60  # seconds by which the two clocks of one agent may differ


@dataclass(frozen=True, slots=True)
class Verdict:
    """A match of a profile whose sysObjectID prefix fits a device, and whether sysDescr does."""

    profile: str
    match: Match
    fits: bool

    @property
    def rank(self) -> tuple[bool, int, bool]:
        """What makes one better than another: it fits, its prefix is longer, it asks for more."""
        prefix, pattern = self.match.sys_object_id, self.match.sys_descr
        return self.fits, prefix.count("."), bool(pattern)


def verdicts(profiles: Mapping[str, Profile], sys_object_id: str, sys_descr: str) -> list[Verdict]:
    """Return the matches whose prefix fits, the best first."""
    found = [
        Verdict(name, match, patterns.search(match.sys_descr, sys_descr) is not None)
        for name, entry in profiles.items()
        for match in entry.match
        if f"{sys_object_id}.".startswith(f"{match.sys_object_id}.")
    ]
    return sorted(found, key=lambda verdict: verdict.rank, reverse=True)


def profile(profiles: Mapping[str, Profile], sys_object_id: str, sys_descr: str) -> str:
    """Return the name of the profile with the longest matching sysObjectID prefix.

    Of two with the same prefix, the one that also asks for sysDescr wins.
    """
    found = verdicts(profiles, sys_object_id, sys_descr)
    return found[0].profile if found and found[0].fits else GENERIC


def said(answers: Answers) -> tuple[str, str]:
    """Return the sysObjectID and sysDescr of a device, empty where it does not tell."""
    descr = values.text(answers.get(SYS_DESCR), "DisplayString")
    return values.text(answers.get(SYS_OBJECT_ID), ""), descr


def oids(entry: Profile) -> list[str]:
    """Return the objects that hold facts about devices of a profile, whatever their parts are."""
    found = (source.oid for source in _sources(entry) if not source.chassis)
    return [oid for oid in dict.fromkeys(found) if oid != "sysDescr"]


def silent(entry: Profile, answers: Answers) -> bool:
    """Return whether a fact is missing that the row of the chassis may tell."""
    info = entry.info
    return any(
        any(source.chassis for source in sources) and not fact(sources, answers)[0]
        for sources in (info.model, info.os_version, info.serial)
    )


def of_chassis(entry: Profile, classes: Answers) -> list[str]:
    """Return the objects of the first chassis that hold facts; none where there is no chassis."""
    index = _chassis(classes)
    found = (f"{source.oid}.{index}" for source in _sources(entry) if source.chassis)
    return list(dict.fromkeys(found)) if index else []


def _sources(entry: Profile) -> Sources:
    return (*entry.info.model, *entry.info.os_version, *entry.info.serial)


def _chassis(answers: Answers) -> str:
    """Return the index of the first chassis."""
    classes = ((oid, value) for oid, value in answers.items() if oid.startswith(f"{CLASSES}."))
    return next((oid[len(CLASSES) + 1 :] for oid, value in classes if value == CHASSIS), "")


def facts(entry: Profile, answers: Answers) -> dict[str, str]:
    """Return the labels of `chm_device_info`; empty where the device does not tell."""
    return {
        "vendor": entry.vendor,
        "model": fact(entry.info.model, answers)[0],
        "os_version": fact(entry.info.os_version, answers)[0],
        "serial": fact(entry.info.serial, answers)[0],
        "sys_name": name(answers)[0],
    }


def name(answers: Answers) -> tuple[str, str]:
    """Return what a device calls itself (sysName) and the OID it stands at."""
    found = _text(answers, SYS_NAME)
    return (found, SYS_NAME) if found else ("", "")


def fact(sources: Sources, answers: Answers) -> tuple[str, str]:
    """Return a fact and the OID it stands at; the first source that has text tells it."""
    for source in sources:
        oid = SYS_DESCR if source.oid == "sysDescr" else source.oid
        if source.chassis:
            oid = f"{oid}.{_chassis(answers)}"
        found = _text(answers, oid)
        if source.regex:
            match = patterns.search(source.regex, found)
            found = (match[1] or "").strip() if match else ""
        if found:
            return found, oid
    return "", ""


def _text(answers: Answers, oid: str) -> str:
    return values.text(answers.get(oid), "DisplayString").strip(" \t\r\n\0")


def uptime(answers: Answers) -> float | None:
    """Return the seconds since the agent's start.

    sysUpTime wraps after 497 days; snmpEngineTime replaces it where both agree modulo the wrap,
    for some agents report nonsense there.
    """
    ticks, engine = answers.get(SYS_UPTIME), answers.get(ENGINE_TIME)
    if not isinstance(ticks, int):
        return None
    seconds = ticks / 100
    if isinstance(engine, int) and engine > UPTIME_WRAP:
        distance = abs(engine % UPTIME_WRAP - seconds)
        if min(distance, UPTIME_WRAP - distance) < SAME:
            return float(engine)
    return seconds
