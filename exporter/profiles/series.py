"""The values of a column into series, by the type that the module gives it."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeGuard

from exporter import patterns
from exporter.metrics import Family, Kind, Number
from exporter.profiles import values
from exporter.profiles.rows import Answers, Labels, told_type
from exporter.profiles.schema import Metric, RegexExtract
from exporter.profiles.values import Value

NUMBERS = frozenset({"gauge", "counter", "Float", "Double"})
STRINGS = frozenset(
    {
        "OctetString",
        "DisplayString",
        "PhysAddress48",
        "InetAddress",
        "InetAddressMissingSize",
        "InetAddressIPv4",
        "InetAddressIPv6",
        "LldpPortId",
    }
)


class Run(NamedTuple):
    """Values of one column in a row, with their dotted indexes and labels."""

    metric: Metric
    labels: Labels
    indexes: Sequence[str]
    found: list[Value]
    wrap: int = values.WRAP


def families(run: Run, answers: Answers) -> Iterable[Family]:
    """Return the series of one column, as snmp_exporter would name them."""
    kind = run.metric.type
    if kind in NUMBERS:
        return (_numbers(run),)
    if kind in STRINGS:
        return _strings(run, answers)
    return (_WRITERS[kind](run),)


def _numbers(run: Run) -> Family:
    metric, found = run.metric, run.found
    kind: Kind = "counter" if metric.type == "counter" else "gauge"
    if _plain(found, run.wrap):
        labels = run.labels
        made = Family(metric.name, kind, metric.help, labels.blocks, found, labels.distinct)
        return _scaled(run, made) if metric.scale or metric.offset else made
    # No number, no sample: a text where the MIB has a number says nothing about it.
    return _scaled(run, _some(run, [values.number(value, run.wrap) for value in found], kind))


def _plain(found: list[Value], wrap: int) -> TypeGuard[list[Number]]:
    """Return whether all values are numbers that need no wrapping, as they mostly are."""
    values: list[Any] = found
    try:
        return bool(max(values) < (wrap or math.inf))
    except TypeError:
        return False  # what is no number is not compared with one


def _some(run: Run, numbers: Sequence[Number | None], kind: Kind = "gauge") -> Family:
    """Return a family of those rows that have a number."""
    pairs = [
        (block, number)
        for block, number in zip(run.labels.blocks, numbers, strict=True)
        if number is not None
    ]
    blocks, kept = [block for block, _ in pairs], [number for _, number in pairs]
    return Family(run.metric.name, kind, run.metric.help, blocks, kept)


def _scaled(run: Run, family: Family) -> Family:
    scale, offset = run.metric.scale or 1.0, run.metric.offset
    if scale != 1.0 or offset:
        family.numbers = [number * scale + offset for number in family.numbers]
    family.distinct = run.labels.distinct
    return family


def _whole(value: Value) -> int | None:
    """Return the whole number of an enumeration."""
    if type(value) is int:
        return value
    number = values.number(value)
    return int(number) if number is not None and math.isfinite(number) else None


def _info(run: Run) -> Family:
    metric, names = run.metric, run.metric.enum_values
    numbers = [value if type(value) is int else _whole(value) for value in run.found]
    rows = [row for row, number in enumerate(numbers) if number is not None]
    states = [
        names[number] if number in names else str(number)
        for number in numbers
        if number is not None
    ]
    blocks = run.labels.extended(metric.name, rows, states)
    name, note = metric.name + "_info", metric.help + " (EnumAsInfo)"
    return Family(name, "gauge", note, blocks, [1] * len(blocks), run.labels.distinct)


def _state_set(run: Run) -> Family:
    def states(value: Value) -> Mapping[str, Number]:
        if (number := _whole(value)) is None:
            return {}
        all_off: dict[str, Number] = dict.fromkeys(run.metric.enum_values.values(), 0)
        return all_off | {run.metric.enum_values.get(number, str(number)): 1}

    return _states(run, states, " (EnumAsStateSet)")


def _bits(run: Run) -> Family:
    def states(value: Value) -> Mapping[str, Number]:
        if not isinstance(value, bytes):
            return {}
        # RFC 3417 section 8: bit 0 is the highest bit of the first octet.
        return {
            name: int(bit < len(value) * 8 and bool(value[bit // 8] & 128 >> bit % 8))
            for bit, name in run.metric.enum_values.items()
        }

    return _states(run, states, " (Bits)")


def _states(run: Run, states: Callable[[Value], Mapping[str, Number]], note: str) -> Family:
    """Return one gauge per row and state, with the state as the label named after the metric."""
    metric = run.metric
    found = [
        (row, state, number)
        for row, value in enumerate(run.found)
        for state, number in states(value).items()
    ]
    rows, shown = [row for row, *_ in found], [state for _, state, _ in found]
    blocks = run.labels.extended(metric.name, rows, shown)
    return Family(metric.name, "gauge", metric.help + note, blocks, [n for *_, n in found])


def _times(run: Run) -> Family:
    read = _CLOCKS[run.metric.type]
    return _scaled(run, _some(run, [read(value, run.metric) for value in run.found]))


def _strings(run: Run, answers: Answers) -> Iterator[Family]:
    metric = run.metric
    kind, hint = metric.type, metric.display_hint
    if kind in values.COMBINED:
        kinds = [told_type(kind, metric.oid, at, answers) or "OctetString" for at in run.indexes]
        pairs = zip(run.found, kinds, strict=True)
        shown = [values.text(value, told, hint) for value, told in pairs]
    else:
        shown = values.texts(run.found, kind, hint)
    if not metric.regex_extracts:
        blocks = run.labels.extended(metric.name, range(len(shown)), shown)
        ones: list[Number] = [1] * len(blocks)
        yield _scaled(run, Family(metric.name, "gauge", metric.help, blocks, ones))
    for suffix, extracts in metric.regex_extracts.items():
        family = _some(run, [extracted(extracts, text) for text in shown])
        family.name, family.help = metric.name + suffix, metric.help + " (regex extracted)"
        family.distinct = run.labels.distinct
        yield family


def extracted(extracts: tuple[RegexExtract, ...], shown: str) -> float | None:
    """Return the number of the first extract that matches the whole text and yields one."""
    for extract in extracts:
        if (match := patterns.fullmatch(extract.regex, shown)) is not None and (
            number := values.spelled(_expand(extract.value, match))
        ) is not None:
            return number
    return None


def _expand(template: str, match: patterns.Match) -> str:
    """Fill a template of Go's regexp package: `$1`, `${1}`, `${name}`, `$$`."""

    def fill(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        if name is None:
            return "$"
        try:
            return match[int(name) if name.isdecimal() else name] or ""
        except IndexError:
            return ""

    return re.sub(r"\$(?:(\w+)|\{(\w+)\}|\$)", fill, template)


_CLOCKS: dict[str, Callable[[Value, Metric], float | None]] = {
    "DateAndTime": lambda value, _: values.date_and_time(value),
    "NTPTimeStamp": lambda value, _: values.ntp_time(value),
    "ParseDateAndTime": lambda value, metric: values.parsed_date(value, metric.datetime_pattern),
}
_WRITERS: dict[str, Callable[[Run], Family]] = {
    "EnumAsInfo": _info,
    "EnumAsStateSet": _state_set,
    "Bits": _bits,
    **dict.fromkeys(_CLOCKS, _times),
}
