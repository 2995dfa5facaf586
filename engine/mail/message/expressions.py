"""Expressions of a template, made into functions of a row. What is not built here does not exist."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from jinja2 import nodes
from markupsafe import Markup

from engine.mail.message.filters import FILTERS
from engine.mail.message.flaws import RowFlaw
from engine.mail.message.grammar import flaw, refused
from engine.mail.message.values import Missing, find

Found = Mapping[str, object]
"""The values of the variables that the template names."""
Expression = Callable[[Found], object]

MAX_NUMBER = 10**15

TESTS: dict[str, Callable[[object], bool]] = {
    "defined": lambda value: not isinstance(value, Missing),
    "undefined": lambda value: isinstance(value, Missing),
    "none": lambda value: isinstance(value, Missing),
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float | Decimal) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "even": lambda value: isinstance(value, int) and value % 2 == 0,
    "odd": lambda value: isinstance(value, int) and value % 2 == 1,
}
_ORDERS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
    "in": lambda one, other: one in other,
    "notin": lambda one, other: one not in other,
}


def expression(node: nodes.Node) -> Expression:
    """What computes the value of an expression.

    Raises:
        TemplateFlaw: it has a part that no message may have.
    """
    build = _BUILDERS.get(type(node))
    if build is None:
        raise refused(node)
    return build(node)


def path_of(node: nodes.Node) -> str:
    """How a variable was written, such as `company.name`; "" for what is none."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr) and (path := path_of(node.node)):
        return f"{path}.{node.attr}"
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and (path := path_of(node.node)):
        return f"{path}[{node.arg.value!r}]"
    return ""


def _constant(node: nodes.Const) -> Expression:
    value = node.value
    if isinstance(value, int | float) and not abs(value) <= MAX_NUMBER:
        raise flaw(node.lineno, f"a number has at most {len(str(MAX_NUMBER)) - 1} digits")
    if isinstance(value, str) and any("\ud800" <= c <= "\udfff" or c == "\0" for c in value):
        raise flaw(node.lineno, "a text has characters that no message can carry")
    if value is None:
        value = Missing("none")
    return lambda found: value


def _name(node: nodes.Name) -> Expression:
    name = node.name
    _check_name(node, name)
    return lambda found: found[name]


def _attribute(node: nodes.Getattr) -> Expression:
    _check_name(node, node.attr)
    return _inside(node, node.attr)


def _item(node: nodes.Getitem) -> Expression:
    if not isinstance(node.arg, nodes.Const) or not isinstance(node.arg.value, str | int) or isinstance(node.arg.value, bool):
        raise flaw(node.lineno, 'what stands in [ ] is a text or a number, such as company["name"]')
    key = node.arg.value
    if isinstance(key, str):
        _check_name(node, key)
        return _inside(node, key)
    inner, path = expression(node.node), path_of(node) or "item"

    def item(found: Found) -> object:
        value = inner(found)
        return value[key] if isinstance(value, list | tuple) and key < len(value) else Missing(path)

    return item


def _inside(node: nodes.Getattr | nodes.Getitem, key: str) -> Expression:
    """A value inside a group of values. Only a plain mapping is looked into, never an object."""
    inner, path = expression(node.node), path_of(node) or key

    def attribute(found: Found) -> object:
        value = inner(found)
        return find(value, key, path) if isinstance(value, dict) else Missing(path)

    return attribute


def _check_name(node: nodes.Node, name: str) -> None:
    if name.startswith("_"):
        raise flaw(node.lineno, "a variable's name begins with a letter, never with _")


def _filter(node: nodes.Filter) -> Expression:
    if node.node is None or node.dyn_args is not None or node.dyn_kwargs is not None:
        raise refused(node)
    if (function := FILTERS.get(node.name)) is None:
        raise flaw(node.lineno, f"there is no filter `{node.name[:50]}`; there are {', '.join(FILTERS)}")
    arguments = [expression(argument) for argument in node.args]
    named = {str(keyword.key): expression(keyword.value) for keyword in node.kwargs}
    try:
        inspect.signature(function).bind(None, *arguments, **named)
    except TypeError:
        raise flaw(node.lineno, f"the filter `{node.name}` does not take these arguments") from None
    inner, lenient = expression(node.node), function is FILTERS["default"]

    def filtered(found: Found) -> object:
        value = inner(found)
        given = [argument(found) for argument in arguments]
        others = {key: argument(found) for key, argument in named.items()}
        if not lenient:
            for each in (value, *given, *others.values()):
                if isinstance(each, Missing):
                    raise each.flaw()
        return function(value, *given, **others)

    return filtered


def _test(node: nodes.Test) -> Expression:
    if (holds := TESTS.get(node.name)) is None or node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
        raise flaw(node.lineno, f"there is no such test as `is {node.name[:50]}`; there are {', '.join(TESTS)}")
    inner = expression(node.node)
    return lambda found: holds(inner(found))


def _compare(node: nodes.Compare) -> Expression:
    first = expression(node.expr)
    steps = [(operand.op, expression(operand.expr)) for operand in node.ops]

    def compared(found: Found) -> bool:
        left = first(found)
        for op, other in steps:
            right = other(found)
            if not _holds(op, left, right):
                return False
            left = right
        return True

    return compared


def _holds(op: str, left: object, right: object) -> bool:
    """A comparison. What has no value equals only what has none, is in nothing, and is neither more nor less than anything."""
    if op in ("eq", "ne"):
        left, right = _plain(left), _plain(right)
    for value in (left, right):
        if isinstance(value, Missing):
            if op in ("in", "notin"):
                return op == "notin"
            raise value.flaw()
    try:
        return bool(_ORDERS[op](left, right))
    except (TypeError, ArithmeticError):
        raise RowFlaw("Two values can't be compared, such as a text and a number; {{ age | int(0) }} makes a number") from None


def _plain(value: object) -> object:
    if isinstance(value, Missing):
        return None
    return str(value.unescape()) if isinstance(value, Markup) else value


def _and(node: nodes.And) -> Expression:
    left, right = expression(node.left), expression(node.right)
    return lambda found: left(found) and right(found)


def _or(node: nodes.Or) -> Expression:
    left, right = expression(node.left), expression(node.right)
    return lambda found: left(found) or right(found)


def _not(node: nodes.Not) -> Expression:
    inner = expression(node.node)
    return lambda found: not inner(found)


def _choice(node: nodes.CondExpr) -> Expression:
    test, then = expression(node.test), expression(node.expr1)
    otherwise: Expression = (lambda found: "") if node.expr2 is None else expression(node.expr2)
    return lambda found: then(found) if test(found) else otherwise(found)


def _negative(node: nodes.Neg) -> Expression:
    if (
        not isinstance(node.node, nodes.Const)
        or isinstance(node.node.value, bool)
        or not isinstance(node.node.value, int | float)
    ):
        raise refused(node)
    return _constant(nodes.Const(-node.node.value, lineno=node.lineno))


def _list(node: nodes.List | nodes.Tuple) -> Expression:
    items = [expression(item) for item in node.items]
    return lambda found: [item(found) for item in items]


_BUILDERS: dict[type[nodes.Node], Callable[[Any], Expression]] = {
    nodes.Const: _constant,
    nodes.Name: _name,
    nodes.Getattr: _attribute,
    nodes.Getitem: _item,
    nodes.Filter: _filter,
    nodes.Test: _test,
    nodes.Compare: _compare,
    nodes.And: _and,
    nodes.Or: _or,
    nodes.Not: _not,
    nodes.CondExpr: _choice,
    nodes.Neg: _negative,
    nodes.List: _list,
    nodes.Tuple: _list,
}
