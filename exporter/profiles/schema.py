"""Modules and vendor profiles as data: what the YAML files may say.

`Module` is snmp_exporter's schema, plus `health`: how its columns become `chm_*` families; and
`known_repetitions`: how many values to ask for at once where they are known to fit.
"""

import re
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from exporter import patterns
from exporter.config import Seconds
from exporter.metrics import CATALOGUE
from exporter.profiles import functions

STRICT = ConfigDict(extra="forbid")

IndexType = Literal[
    "gauge",
    "counter",
    "Integer",
    "Integer32",
    "OctetString",
    "DisplayString",
    "PhysAddress48",
    "InetAddress",
    "InetAddressMissingSize",
    "InetAddressIPv4",
    "InetAddressIPv6",
    "LldpPortId",
    "EnumAsInfo",
]
MetricType = Literal[
    "gauge",
    "counter",
    "Float",
    "Double",
    "OctetString",
    "DisplayString",
    "PhysAddress48",
    "DateAndTime",
    "ParseDateAndTime",
    "NTPTimeStamp",
    "InetAddress",
    "InetAddressMissingSize",
    "InetAddressIPv4",
    "InetAddressIPv6",
    "LldpPortId",
    "EnumAsInfo",
    "EnumAsStateSet",
    "Bits",
]


def _oid(value: str) -> str:
    if not re.fullmatch(r"\.?\d+(\.\d+)+", value):
        raise ValueError(f"{value!r} is not a numeric OID")
    return value.removeprefix(".")


def _source(value: str) -> str:
    return value if value == "sysDescr" else _oid(value)


def _name(value: str) -> str:
    if not re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", value):
        raise ValueError(f"{value!r} is not a metric name")
    return value


def _label(value: str) -> str:
    if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", value):
        raise ValueError(f"{value!r} is not a label name")
    return value


def _regex(value: str) -> str:
    try:
        patterns.compiled(value)
    except ValueError as error:
        raise ValueError(f"{value!r} is not a regular expression: {error}") from error
    return value


def _group(value: str) -> str:
    if value and not patterns.compiled(value).groups:
        raise ValueError(f"{value!r} has no group, such as (\\d+), that says which part to take")
    return value


def _family(value: str) -> str:
    if value not in CATALOGUE:
        raise ValueError(f"{value!r} is not in the catalogue of metrics")
    return value


def _formula(value: str) -> str:
    if value not in functions.FORMULAS:
        raise ValueError(f"{value!r} is no formula; there are: {', '.join(functions.FORMULAS)}")
    return value


def _pattern(value: str) -> str:
    if value.startswith("~"):
        _regex(value[1:])
    return value


def _listed(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


Oid = Annotated[str, AfterValidator(_oid)]
MetricName = Annotated[str, AfterValidator(_name)]
LabelName = Annotated[str, AfterValidator(_label)]
Regex = Annotated[str, AfterValidator(_regex)]
Part = Annotated[Regex, AfterValidator(_group)]
Operands = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Word = Annotated[str, BeforeValidator(str)]
Pattern = Annotated[Word, AfterValidator(_pattern)]
Patterns = Annotated[tuple[Pattern, ...], BeforeValidator(_listed)]
State = Literal["up", "degraded", "down"]
"""What a part of a device does, in words that all vendors share."""


def _keyed_by_text(value: object) -> object:
    return {str(key): state for key, state in value.items()} if isinstance(value, dict) else value


States = Annotated[dict[str, State], BeforeValidator(_keyed_by_text)]


@dataclass(frozen=True, slots=True)
class Index:
    """One part of a row's index, and the label it becomes."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    labelname: LabelName
    type: IndexType
    fixed_size: Annotated[int, Field(ge=0)] = 0
    implied: bool = False
    enum_values: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lookup:
    """A label taken from another column; without `labels`, the label of that name is dropped."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    labelname: LabelName
    labels: tuple[str, ...] = ()
    oid: Oid | Literal[""] = ""
    type: MetricType | IndexType | Literal[""] = ""
    display_hint: str = ""


@dataclass(frozen=True, slots=True)
class RegexExtract:
    """A number inside a text: `value` is a template of the groups of `regex`."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    regex: Regex
    value: str = "$1"


@dataclass(frozen=True, slots=True)
class Metric:
    """One MIB object and the series it becomes."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: MetricName
    oid: Oid
    type: MetricType
    help: str = ""
    indexes: tuple[Index, ...] = ()
    lookups: tuple[Lookup, ...] = ()
    regex_extracts: dict[str, tuple[RegexExtract, ...]] = field(default_factory=dict)
    enum_values: dict[int, str] = field(default_factory=dict)
    scale: float = 0.0
    offset: float = 0.0
    datetime_pattern: str = ""
    display_hint: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """Rows to ask for: those whose value at `oid` matches one of `values`."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    oid: Oid
    targets: tuple[Oid, ...]
    values: tuple[Regex, ...]


@dataclass(frozen=True, slots=True)
class Health:
    """How one `chm_*` family is made from the columns of a module, row by row.

    `value` names the columns to take it from, the first that a row has. A column is the name of a
    metric of the module, or `name.index` for one fixed row. The result is
    `(value + plus - minus) * times * scale`, and there is no sample where an operand is missing.
    An operand is a column, `=number`, or a label of the row: a lookup brings what stands elsewhere.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    family: Annotated[str, AfterValidator(_family)]
    value: Operands
    # For each label of the family its sources, the first that has text: a label of the row, a
    # column, `=text`, `a+b` for two of these with a space between, or `@name` for a function of
    # exporter/profiles/functions.py. Rows that end up with the same labels are told apart by their
    # index, which is added to the first label.
    labels: dict[LabelName, Operands] = field(default_factory=dict)
    # What the text of a label is called; a row whose text is not listed has no sample.
    words: dict[LabelName, dict[Word, str]] = field(default_factory=dict)
    # What in the texts of the labels is no name, such as a state that a description ends with.
    strip: Regex = ""
    # The label or column that tells which part a row is about, where its index says more than
    # that. It tells rows apart; several with the same labels and part are one, if they agree.
    part: str = ""
    # Arithmetic: a constant factor, and columns to add, take away and multiply with.
    scale: float = 1.0
    plus: Operands = ()
    minus: Operands = ()
    times: Operands = ()
    # Columns with a SensorDataScale (9 is units, each step a factor of 1000) and decimal places.
    sensor_scale: str = ""
    precision: str = ""
    # A function of exporter/profiles/functions.py that the result goes through.
    formula: Annotated[str, AfterValidator(_formula)] | Literal[""] = ""
    # A row that has the value counts as 1, whatever it is.
    present: bool = False
    # A number inside a text: the first group. A text that is a number needs nothing.
    extract: Part = ""
    # A negative Integer32 is a number above 2^31.
    unsigned: bool = False
    # What each state, a number or a text, counts as; a state that is not listed has no sample. A
    # `degraded` part is up; `chm_component_degraded` tells of it.
    states: States = field(default_factory=dict)
    # Rows to take and to leave, by columns (as raw text) or labels: texts, or `~regex` to search.
    where: dict[str, Patterns] = field(default_factory=dict)
    without: dict[str, Patterns] = field(default_factory=dict)
    # Raw values that mean "no value", and the range that the result can have.
    ignore: Annotated[tuple[float, ...], BeforeValidator(_listed)] = ()
    minimum: float | None = None
    maximum: float | None = None
    # Only where no module or entry before this gave the family.
    fallback: bool = False


@dataclass(frozen=True, slots=True)
class Module:
    """What to ask a device, and what the answers become."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    walk: tuple[Oid, ...] = ()
    get: tuple[Oid, ...] = ()
    metrics: tuple[Metric, ...] = ()
    filters: tuple[Filter, ...] = ()
    max_repetitions: Annotated[int, Field(ge=1, le=10_000)] = 25
    # Where earlier walks tell that so many fit into a datagram; 0 is no more than the above.
    known_repetitions: Annotated[int, Field(ge=0, le=10_000)] = 0
    retries: Annotated[int, Field(ge=0, le=100)] = 3
    timeout: Annotated[Seconds, Field(gt=0)] = 5.0
    allow_nonincreasing_oids: bool = False
    use_unconnected_udp_socket: bool = False
    health: tuple[Health, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """Devices of a profile: by prefix of sysObjectID and, where that is not enough, sysDescr."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    sys_object_id: Oid
    sys_descr: Regex = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a fact about a device stands: in sysDescr, or at an OID; `regex` takes a part of it.

    With `chassis` the OID is a column of ENTITY-MIB, and its row that of the first chassis: every
    platform numbers its parts in its own way.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    oid: Annotated[str, AfterValidator(_source)]
    regex: Part = ""
    chassis: bool = False


Sources = Annotated[tuple[Source, ...], BeforeValidator(_listed)]


@dataclass(frozen=True, slots=True)
class Info:
    """Where `chm_device_info` comes from: for each label the first source that has text."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    model: Sources = ()
    os_version: Sources = ()
    serial: Sources = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of device: how to recognise it and which modules to ask."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    vendor: str = ""
    match: Annotated[tuple[Match, ...], BeforeValidator(_listed)] = ()
    extends: str = ""
    modules: tuple[str, ...] = ()
    info: Info = field(default_factory=Info)
