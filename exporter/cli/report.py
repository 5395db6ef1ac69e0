"""An explanation as a network engineer reads it: one screen on the device, then row by row."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from exporter.metrics import label_pair
from exporter.probe.explanation import Collector, Explanation
from exporter.profiles import values
from exporter.profiles.explain import Entry, Row, Source
from exporter.profiles.values import Value

LEAST = 60  # columns below which nothing is cut any more

NOTHING = "the device has nothing of the kind"

BOLD, DIM, RED, GREEN, YELLOW = "1", "2", "31", "32", "33"


@dataclass(frozen=True, slots=True)
class Style:
    """How wide lines may be, and whether they have colours."""

    width: int
    coloured: bool = False

    def paint(self, text: str, code: str) -> str:
        """Return text in a colour."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.coloured and text else text

    def cut(self, text: str, taken: int) -> str:
        """Return as much of a text as fits behind what a line has already."""
        left = max(self.width, LEAST) - taken
        return text if len(text) <= left else text[: left - 1] + "…"


def lines(told: Explanation, style: Style) -> Iterator[str]:
    """Yield the lines of the report."""
    yield style.paint(f"{told.target} answers to {told.auth}", BOLD)
    yield from _identity(told, style)
    yield from _collectors(told, style)
    for collector in told.collectors:
        if collector.entries:
            yield from _entries(collector, style)


def shown(value: Value) -> str:
    """Return a raw value as text: bytes that are no text as hexadecimal digits."""
    if isinstance(value, bytes):
        text = values.utf8(value)
        return text if text.isprintable() and "\ufffd" not in text else "0x" + value.hex().upper()
    return "" if value is None else str(value)


def _identity(told: Explanation, style: Style) -> Iterator[str]:
    kind = f"{told.profile} ({told.vendor})" if told.vendor else told.profile
    pairs = [
        ("sysObjectID", told.sys_object_id),
        ("sysDescr", " ".join(told.sys_descr.split())),
        ("profile", " extends ".join([kind, *told.lineage[1:]])),
    ]
    chosen = [each.reason for each in told.candidates if each.chosen]
    pairs.append(("because", chosen[0] if chosen else "no other profile fits"))
    lost = [each for each in told.candidates if not each.chosen]
    pairs += [("not" if each is lost[0] else "", f"{each.profile}: {each.reason}") for each in lost]
    pairs += [(fact.name, f"{fact.text}  {fact.oid}".strip() or "-") for fact in told.facts]
    if told.uptime_seconds is not None:
        pairs.append(("uptime", _duration(told.uptime_seconds)))
    for name, text in pairs:
        head = style.paint(f"  {name:<13}", DIM)
        width = max(style.width, LEAST) - 15
        wrapped = textwrap.wrap(text, width, break_on_hyphens=False) or ["-"]
        yield head + wrapped[0]
        yield from (" " * 15 + more for more in wrapped[1:])


def _duration(seconds: float) -> str:
    days, rest = divmod(int(seconds), 86_400)
    return f"{days} d {rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"


def _collectors(told: Explanation, style: Style) -> Iterator[str]:
    wide = max(len(each.name) for each in told.collectors)
    heads = f"  {'collector':<{wide}} {'values':>7} {'samples':>7} {'seconds':>7}"
    yield ""
    yield style.paint(heads, DIM)
    for each in told.collectors:
        line = f"  {each.name:<{wide}}"
        if each.needed:
            line += f" {each.values:>7} {each.samples:>7} {each.seconds:>7.3f}"
        else:
            line += " " * 24
        verdict, colour = _verdict(each)
        yield f"{line}  {style.paint(style.cut(verdict, len(line) + 2), colour)}".rstrip()


def _verdict(collector: Collector) -> tuple[str, str]:
    if not collector.needed:
        return collector.reason, DIM
    if not collector.success:
        return f"failed: {collector.reason}", RED
    return ("", GREEN) if collector.samples else (NOTHING, YELLOW)


def _entries(collector: Collector, style: Style) -> Iterator[str]:
    asked = [f"walk {oid}" for oid in collector.walk] + [f"get {oid}" for oid in collector.get]
    yield ""
    yield style.paint(collector.name, BOLD)
    for oid in asked:
        yield style.paint(f"  {oid}", DIM)
    if not any(entry.rows for entry in collector.entries):
        yield style.paint(f"  {NOTHING}", YELLOW)
        return
    for entry in collector.entries:
        yield from _entry(entry, style)


def _entry(entry: Entry, style: Style) -> Iterator[str]:
    head = f"  {entry.family} from {', '.join(entry.value)}"
    yield style.cut(head, 0)
    if entry.reason:
        yield style.paint(f"    {entry.reason}", DIM)
    without: dict[str, list[Row]] = {}
    for row in entry.rows:
        if row.series:
            yield from _row(row, style)
        else:
            without.setdefault(row.reason, []).append(row)
    for reason, rows in without.items():
        yield from _missing(reason, rows, style)


def _row(row: Row, style: Style) -> Iterator[str]:
    for one in row.series:
        pairs = ",".join(label_pair(*pair) for pair in one.labels.items())
        name = f"{one.family}{{{pairs}}}" if pairs else one.family
        number = f"{one.value:.12g}" if isinstance(one.value, float) else str(one.value)
        cut = style.cut(" ".join(name.split()), 5 + len(number))
        yield f"    {cut} {style.paint(number, GREEN)}"
    yield from _sources(row.sources, style)


def _missing(reason: str, rows: Sequence[Row], style: Style) -> Iterator[str]:
    """Yield why some rows have no sample; what was looked at only where it is one."""
    which = ", ".join(row.index for row in rows)
    word = f"row {which}" if len(rows) == 1 else f"{len(rows)} rows"
    yield style.paint(style.cut(f"    no sample of {word}: {reason}", 0), YELLOW)
    if len(rows) == 1:
        yield from _sources(rows[0].sources, style)
    else:
        yield style.paint(style.cut(f"      {which}", 0), DIM)


def _sources(sources: Sequence[Source], style: Style) -> Iterator[str]:
    table = [(each.name, each.oid, " ".join(shown(each.value).split())) for each in sources]
    name, oid = (max((len(row[i]) for row in table), default=0) for i in (0, 1))
    for each in table:
        line = f"      {each[0]:<{name}}  {each[1]:<{oid}}  {each[2] or '-'}"
        yield style.paint(style.cut(line, 0), DIM)
