"""Why a device is asked as it is, and what came of it: a look, told so that it can be followed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

from exporter.probe.look import IDENTITY, Look
from exporter.probe.outcomes import Outcome
from exporter.probe.reach import Subject
from exporter.profiles import explain, identify
from exporter.profiles.explain import Entry
from exporter.profiles.identify import Verdict
from exporter.profiles.loader import Configuration
from exporter.profiles.rows import Answers
from exporter.profiles.schema import Info, Profile


@dataclass(frozen=True, slots=True)
class Candidate:
    """A profile that might have been taken, and why it was or was not."""

    profile: str
    sys_object_id: str
    sys_descr: str
    chosen: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A label of `chm_device_info`, and the OID it stands at; empty where the device is silent."""

    name: str
    text: str
    oid: str


@dataclass(frozen=True, slots=True)
class Collector:
    """How one collector fared: `reason` says why it failed or was not needed; times in seconds."""

    name: str
    success: bool
    needed: bool
    reason: str
    seconds: float
    values: int
    samples: int
    walk: tuple[str, ...] = ()
    get: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything about one look at a device; `lineage` is the profile and all that it extends."""

    target: str
    auth: str
    sys_object_id: str
    sys_descr: str
    vendor: str
    profile: str
    lineage: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    facts: tuple[Fact, ...]
    uptime_seconds: float | None
    collectors: tuple[Collector, ...]

    @property
    def complete(self) -> bool:
        """Whether every collector got an answer to all it asked for."""
        return all(each.success or not each.needed for each in self.collectors)


def explained(seen: Look, subject: Subject, configuration: Configuration) -> Explanation:
    """Return what a look at a device was and became."""
    profiles = configuration.profiles
    answers = seen.outcomes[0].answers
    sys_object_id, sys_descr = identify.said(answers)
    profile = profiles[seen.profile]
    return Explanation(
        target=str(subject.target),
        auth=seen.auth,
        sys_object_id=sys_object_id,
        sys_descr=sys_descr,
        vendor=profile.vendor,
        profile=seen.profile,
        lineage=tuple(_lineage(seen.profile, profiles)),
        candidates=tuple(_candidates(identify.verdicts(profiles, sys_object_id, sys_descr))),
        facts=tuple(_facts(profile, answers)),
        uptime_seconds=identify.uptime(answers),
        collectors=tuple(_collector(outcome, profile) for outcome in seen.outcomes),
    )


def _lineage(name: str, profiles: Mapping[str, Profile]) -> Iterator[str]:
    while name:
        yield name
        name = profiles[name].extends


def _candidates(verdicts: list[Verdict]) -> Iterator[Candidate]:
    for place, verdict in enumerate(verdicts):
        match = verdict.match
        if not verdict.fits:
            reason = f"sysDescr does not match {match.sys_descr}"
        elif place == 0:
            reason = f"sysObjectID begins with {match.sys_object_id}"
            reason += f", sysDescr matches {match.sys_descr}" if match.sys_descr else ""
        else:
            reason = f"{match.sys_object_id} says less of the device"
        chosen = place == 0 and verdict.fits
        yield Candidate(verdict.profile, match.sys_object_id, match.sys_descr, chosen, reason)


def _facts(profile: Profile, answers: Answers) -> Iterator[Fact]:
    for field in fields(Info):
        text, oid = identify.fact(getattr(profile.info, field.name), answers)
        yield Fact(field.name, text, oid)
    yield Fact("sys_name", *identify.name(answers))


def _collector(outcome: Outcome, profile: Profile) -> Collector:
    walk: tuple[str, ...] = ()
    get: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()
    if outcome.table is not None:
        walk, get = outcome.table.module.walk, outcome.table.module.get
        if outcome.failure is None and outcome.needed:
            entries = tuple(explain.entries(outcome.table, outcome.answers, outcome.given))
    elif outcome.name == IDENTITY:
        get = (*identify.SYSTEM, *identify.oids(profile))
    return Collector(
        outcome.name,
        outcome.success,
        outcome.needed,
        reason(outcome),
        outcome.seconds,
        len(outcome.answers),
        outcome.samples,
        walk,
        get,
        entries,
    )


def reason(outcome: Outcome) -> str:
    """Return in words why a collector failed or was not needed; nothing where all went well."""
    if outcome.unknown:
        return "no module of that name"
    if not outcome.needed:
        return explain.NOT_NEEDED
    if outcome.failure is not None:
        return outcome.failure.detail
    return "the agent answered with an error" if outcome.incomplete else ""
