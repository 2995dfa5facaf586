"""Which variables a template reads, and which of them every row must have."""

from __future__ import annotations

from collections.abc import Iterable, Set

from jinja2 import nodes

_NONE: frozenset[str] = frozenset()


def names_of(body: Iterable[nodes.Node]) -> frozenset[str]:
    """All variables."""
    return frozenset(name.name for node in body for name in _names(node))


def required_of(body: Iterable[nodes.Node], guarded: Set[str] = _NONE) -> frozenset[str]:
    """The variables that are shown whatever else a row has: without `default`, and outside every `if`.

    What only an `if` shows may be needed by some rows; rendering them tells.
    """
    needed: set[str] = set()
    for node in body:
        if isinstance(node, nodes.Output):
            for part in node.nodes:
                needed |= _needed(part)
        elif isinstance(node, nodes.If):
            branches = [required_of(node.body), *(required_of(other.body) for other in node.elif_), required_of(node.else_)]
            needed |= frozenset.intersection(*branches) - _tested(node)
    return frozenset(needed - guarded)


def _tested(node: nodes.If) -> frozenset[str]:
    return names_of([node.test, *(other.test for other in node.elif_)])


def _needed(node: nodes.Node) -> frozenset[str]:
    """The variables without which an expression can't be shown."""
    if isinstance(node, nodes.Name):
        return frozenset({node.name})
    if isinstance(node, nodes.Getattr | nodes.Getitem):
        return _needed(node.node)
    if isinstance(node, nodes.Filter) and node.node is not None:
        return _NONE if node.name in ("default", "d") else _needed(node.node)
    if isinstance(node, nodes.CondExpr) and node.expr2 is not None:
        return (_needed(node.expr1) & _needed(node.expr2)) - names_of([node.test])
    return _NONE


def _names(node: nodes.Node) -> Iterable[nodes.Name]:
    if isinstance(node, nodes.Name):
        yield node
    yield from node.find_all(nodes.Name)
