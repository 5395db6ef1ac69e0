"""The PromQL of a rule that people write: what it may ask for, and what its result still tells.

An expression is checked as a tree and written anew from it, so what Prometheus gets is what was
checked. `within` keeps every selector to some sites, whatever the expression does with it.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import promql_parser as promql
import re2

from controlplane.errors import Invalid, Problem
from rules.intent import INVENTORY

POINTER = "/expr"
MOST_CHARACTERS = 2000
# What the parser takes grows with the cube of the depth; all shipped rules but one have 40 at most.
MOST_OPERATORS = 60
LONGEST_PATTERN = 256
PATTERN_MEMORY = 1 << 16  # bytes of a compiled pattern
LONGEST_RANGE = timedelta(days=7)
LONGEST_OFFSET = timedelta(days=31)
MOST_STEPS = 1500  # of a subquery
SUBQUERY_STEP = timedelta(seconds=15)  # where none is given: how often the stack evaluates

STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`', re.DOTALL)
OPERATOR = re.compile(r"[-+*/%^({\[]|[<>=!][=~]?|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)
LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
METRIC = r"[A-Za-z_:][A-Za-z0-9_:]*"
METRICS = re.compile(rf"{METRIC}(?:\|{METRIC}){{0,9}}")
# What says whose an alert is and where it leads; nobody makes it up.
RESERVED = re.compile(
    r"__.*|chm_.*|alertname|severity|alertclass|device|site|role|vendor|team|source|escalation"
)
COMPARISONS = frozenset({"==", "!=", ">", "<", ">=", "<="})
ORDERS = frozenset({">", "<", ">=", "<="})
SETS = frozenset({"and", "or", "unless"})
WRITERS = frozenset({"label_replace", "label_join"})  # their second argument is a label to write
ABSENCE = frozenset({"absent", "absent_over_time"})  # they give the labels that `=` asks for
PLACES = frozenset({"__name__", "device", "site"})  # dropped, or kept to the sites of a rule
NO_LABELS = ABSENCE | {"vector", "scalar", "time", "pi"}

NO_COMPARISON = "nothing is compared: the alert fires for as long as there are samples"
ALWAYS = "a comparison with `bool` gives 0 or 1, and the alert fires at both"
NO_DEVICE = "the result has no label `device`: the alert is about no device, and nobody's device"


def parse(text: str) -> Any:
    """Give the tree of an expression that is small enough to be one, or raise Invalid."""
    if len(text) > MOST_CHARACTERS:
        raise _invalid("size", f"an expression has at most {MOST_CHARACTERS} characters")
    if len(OPERATOR.findall(STRING.sub('""', text))) > MOST_OPERATORS:
        raise _invalid("size", f"an expression has at most {MOST_OPERATORS} operators and brackets")
    try:
        return promql.parse(text)
    except ValueError as error:
        raise _invalid("promql", f"this is no PromQL: {error}") from None


def check(text: str) -> Any:
    """Give the tree of an expression that a rule may have, or raise Invalid with all its faults."""
    tree = parse(text)
    found = [Problem(POINTER, code, words) for code, words in dict.fromkeys(_faults(tree))]
    if found:
        raise Invalid("a rule cannot have this expression", *found)
    return tree


def warnings(tree: Any) -> list[str]:
    """Say what a rule may have, but is seldom meant."""
    nodes = list(_nodes(tree))
    compared = [n for n in nodes if _is(n, promql.BinaryExpr) and str(n.op) in COMPARISONS]
    found = []
    if compared and all(n.modifier is not None and n.modifier.return_bool for n in compared):
        found.append(ALWAYS)
    if not compared and not any(map(_chooses, nodes)):
        found.append(NO_COMPARISON)
    if not keeps(tree, "device"):
        found.append(NO_DEVICE)
    return found


def selectors(tree: Any) -> list[Any]:
    """Give every vector selector of a tree."""
    return [node for node in _nodes(tree) if _is(node, promql.VectorSelector)]


def matchers(tree: Any) -> list[dict[str, str]]:
    """Give what a tree asks of labels, as `label`, `op` and `value`, each once.

    PostgreSQL stores no NUL, and no name has one.
    """
    found = [
        {"label": one.name, "op": _operator(one), "value": one.value.replace("\0", "\ufffd")}
        for selector in selectors(tree)
        for one in selector.matchers.matchers
    ]
    return [one for place, one in enumerate(found) if one not in found[:place]]


def within(tree: Any, sites: Sequence[str]) -> Any:
    """Give the tree with every selector kept to what has the label of one of these sites.

    What names a device that stands elsewhere, as `absent` can, is taken out of the result.
    """
    value = "|".join(site.replace(".", r"\.") for site in sorted(sites))
    kept = f"site=~{json.dumps(value)}"

    def narrowed(node: Any) -> Any:
        return promql.parse(_selector(node, kept)) if _is(node, promql.VectorSelector) else None

    made = promql.parse(promql.transform(tree, pre_visit=narrowed).prettify())
    for selector in selectors(made):  # of the text as it is read again, as Prometheus will
        if ("site", value) not in [(m.name, m.value) for m in selector.matchers.matchers]:
            raise ValueError(f"a selector is not kept to its sites: {selector.prettify()}")
    elsewhere = f"{INVENTORY}{{site!~{json.dumps(value)}}}"
    return promql.parse(f"(\n{made.prettify()}\n)\nunless on (device)\n{elsewhere}")


def labelled(tree: Any) -> Any:
    """Give the tree with the labels that the inventory has for the device of each result."""
    joined = f"* on (device) group_left (site, role, vendor)\n{INVENTORY}"
    return promql.parse(f"(\n{tree.prettify()}\n)\n{joined}")


def bound(tree: Any) -> float | None:
    """Give the number that what fires is above or below, None where there is no one such number."""
    while _is(tree, promql.ParenExpr) or _chooses(tree):
        tree = tree.expr if _is(tree, promql.ParenExpr) else getattr(tree, "lhs", None)
    if not _is(tree, promql.BinaryExpr) or str(tree.op) not in ORDERS:
        return None
    if tree.modifier is not None and tree.modifier.return_bool:
        return None
    numbers = (side.val for side in (tree.lhs, tree.rhs) if _is(side, promql.NumberLiteral))
    return next(filter(math.isfinite, numbers), None)


def children(node: Any) -> list[Any]:
    """Give the parts that an operation, a function or brackets are about."""
    parts = [getattr(node, name, None) for name in ("lhs", "rhs", "param", "expr")]
    return [part for part in (*parts, *getattr(node, "args", ())) if _is(part, promql.Expr)]


def steps(subquery: Any) -> float:
    """Say how often a subquery is evaluated."""
    step: timedelta = subquery.step or SUBQUERY_STEP
    found: float = subquery.range / step
    return found


def bare(selector: Any) -> str:
    """Write a selector as of now, without its offset."""
    return _selector(selector, offset=False)


def keeps(node: Any, label: str) -> bool:
    """Say whether the result of an expression has a label, where what it selects has it."""
    if _is(node, promql.BinaryExpr):
        return _binary_keeps(node, label)
    if _is(node, promql.AggregateExpr):
        return _aggregate_keeps(node, label)
    if _is(node, promql.Call):
        return _call_keeps(node, label)
    if _is(node, promql.MatrixSelector, promql.VectorSelector):
        return True
    inner = getattr(node, "expr", None)  # in brackets, negated, or a subquery
    return inner is not None and keeps(inner, label)


def _binary_keeps(node: Any, label: str) -> bool:
    op, how = str(node.op), node.modifier
    left, right = keeps(node.lhs, label), keeps(node.rhs, label)
    if op in SETS:
        return left and (right or op != "or")
    if _scalar(node.lhs) or _scalar(node.rhs):
        return left or right
    if how is None:
        return left and right
    sides = (
        (promql.VectorMatchCardinality.ManyToOne, left),
        (promql.VectorMatchCardinality.OneToMany, right),
    )
    matched = _kept_by(how.matching, label) and left and right
    grouped = label in (how.group_labels or ())
    return grouped or next((kept for side, kept in sides if side == how.card), matched)


def _kept_by(matching: Any, label: str) -> bool:
    """Say whether a label is among those by which two sides are matched, one to one."""
    on = matching is not None and matching.type == promql.LabelModifierType.Include
    return on == (matching is not None and label in matching.labels)


def _aggregate_keeps(node: Any, label: str) -> bool:
    if str(node.op) in {"topk", "bottomk", "limitk", "limit_ratio"}:
        return keeps(node.expr, label)
    by = node.modifier
    if by is None:
        return False
    return keeps(node.expr, label) and (label in by.labels) == (
        by.type == promql.AggModifierType.By
    )


def _call_keeps(node: Any, label: str) -> bool:
    if node.func.name in NO_LABELS:
        return False
    return any(keeps(argument, label) for argument in node.args)


def _scalar(node: Any) -> bool:
    if _is(node, promql.ParenExpr, promql.UnaryExpr):
        return _scalar(node.expr)
    if _is(node, promql.BinaryExpr):
        return _scalar(node.lhs) and _scalar(node.rhs)
    named = _is(node, promql.Call) and node.func.name in {"scalar", "time", "pi"}
    return _is(node, promql.NumberLiteral) or named


def _faults(tree: Any) -> Iterator[tuple[str, str]]:
    if _is(tree, promql.MatrixSelector, promql.SubqueryExpr, promql.StringLiteral) or _scalar(tree):
        yield "type", "the result is no instant vector: a rule needs series with one value each"
    chosen = selectors(tree)
    if not chosen:
        yield "metric", "the expression asks for no series"
    for selector in chosen:
        yield from _selector_faults(selector)
    for node in _nodes(tree):
        yield from _time_faults(node)
        yield from _label_faults(node)
        yield from _absence_faults(node)


def _selector_faults(selector: Any) -> Iterator[tuple[str, str]]:
    matchers = selector.matchers.matchers
    if selector.name and not METRICS.fullmatch(selector.name):
        yield "metric", f"{selector.name!r} is no name of a metric"
    if selector.matchers.or_matchers:
        yield "matcher", "`or` between matchers is not known to Prometheus"
    if not selector.name and not any(map(_names_metrics, matchers)):
        yield "metric", f"{selector.prettify()} names no metric"
    for matcher in matchers:
        if not LABEL.fullmatch(matcher.name):
            yield "matcher", f"{matcher.name!r} is no name of a label"
        if matcher.op in (promql.MatchOp.Re, promql.MatchOp.NotRe):
            yield from _pattern_faults(matcher)


def _names_metrics(matcher: Any) -> bool:
    """Say whether a matcher is about the name, and lists what it may be."""
    chosen = matcher.op in (promql.MatchOp.Equal, promql.MatchOp.Re)
    return matcher.name == "__name__" and chosen and bool(METRICS.fullmatch(matcher.value))


def _pattern_faults(matcher: Any) -> Iterator[tuple[str, str]]:
    if len(matcher.value) > LONGEST_PATTERN:
        yield "pattern", f"a pattern has at most {LONGEST_PATTERN} characters"
    elif not _compiles(matcher.value):
        yield "pattern", f"the pattern of {matcher.name} is not one, or too large when compiled"


def _compiles(pattern: str) -> bool:
    options = re2.Options()
    options.max_mem, options.log_errors = PATTERN_MEMORY, False
    try:
        re2.compile(pattern, options)
    except re2.error:
        return False
    return True


def _time_faults(node: Any) -> Iterator[tuple[str, str]]:
    if getattr(node, "at", None) is not None:
        yield "time", "a rule is about now: `@` is not for it"
    offset = getattr(node, "offset", None)
    if offset is not None and not timedelta(0) <= offset <= LONGEST_OFFSET:
        yield "time", f"an offset leads at most {LONGEST_OFFSET.days} days back"
    window = getattr(node, "range", None)
    if window is not None and window > LONGEST_RANGE:
        yield "time", f"a range is at most {LONGEST_RANGE.days} days"
    if _is(node, promql.SubqueryExpr) and steps(node) > MOST_STEPS:
        yield "time", f"a subquery has at most {MOST_STEPS} steps"


def _label_faults(node: Any) -> Iterator[tuple[str, str]]:
    written = None
    if _is(node, promql.Call) and node.func.name in WRITERS:
        written = node.args[1]
    elif _is(node, promql.AggregateExpr) and str(node.op) == "count_values":
        written = node.param
    if written is None:
        return
    if not _is(written, promql.StringLiteral) or RESERVED.fullmatch(written.val):
        yield "label", f"the label {written.prettify()} says whose an alert is: it is not made up"


def _absence_faults(node: Any) -> Iterator[tuple[str, str]]:
    if not _is(node, promql.Call) or node.func.name not in ABSENCE:
        return
    asked = node.args[0]
    while _is(asked, promql.ParenExpr):
        asked = asked.expr
    asked = getattr(asked, "vector_selector", asked)
    if not _is(asked, promql.VectorSelector):
        return  # then the result has no labels
    for matcher in asked.matchers.matchers:
        name = matcher.name
        given = matcher.op == promql.MatchOp.Equal and name not in PLACES
        if given and RESERVED.fullmatch(name):
            why = f"{node.func.name} makes up the label {name}, which says whose an alert is"
            yield "label", f"{why}: ask for it with {name}=~"


def _selector(node: Any, *more: str, offset: bool = True) -> str:
    """Write a selector anew, with further matchers."""
    own = [_matcher(matcher) for matcher in node.matchers.matchers]
    ago = f" offset {promql.display_duration(node.offset)}" if offset and node.offset else ""
    return f"{node.name or ''}{{{','.join([*own, *more])}}}{ago}"


def _matcher(matcher: Any) -> str:
    value = json.dumps(matcher.value, ensure_ascii=False)
    return f"{matcher.name}{_operator(matcher)}{value}"


def _operator(matcher: Any) -> str:
    return next(text for text, one in OPERATORS if one == matcher.op)


OPERATORS = (
    ("=", promql.MatchOp.Equal),
    ("!=", promql.MatchOp.NotEqual),
    ("=~", promql.MatchOp.Re),
    ("!~", promql.MatchOp.NotRe),
)


def _chooses(node: Any) -> bool:
    """Say whether a node gives a part of what there is without comparing it."""
    if _is(node, promql.BinaryExpr):
        return str(node.op) in {"and", "unless"}
    return _is(node, promql.Call) and node.func.name in ABSENCE


def _nodes(tree: Any) -> list[Any]:
    found: list[Any] = []
    promql.walk(tree, pre_visit=found.append)
    return found


def _is(node: Any, *kinds: Any) -> bool:
    return isinstance(node, kinds)


def _invalid(code: str, words: str) -> Invalid:
    return Invalid(words, Problem(POINTER, code, words))
