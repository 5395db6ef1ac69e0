"""Walk PromQL: which series an expression asks for."""

from typing import Any

import promql_parser as promql


def selectors(node: Any, functions: tuple[str, ...] = ()) -> list[tuple[Any, tuple[str, ...]]]:
    """Every vector selector under a node, with the functions around it."""
    found = []
    if isinstance(node, promql.VectorSelector):
        found.append((node, functions))
    if isinstance(node, promql.Call):
        functions = (*functions, node.func.name)
        for argument in node.args:
            found += selectors(argument, functions)
    for attribute in ("vs", "vector_selector", "expr", "lhs", "rhs", "param"):
        child = getattr(node, attribute, None)
        if isinstance(child, promql.Expr):
            found += selectors(child, functions)
    return found
