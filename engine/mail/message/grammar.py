"""Templates as trees: Jinja's grammar within bounds, and what a template of a message may not have."""

from __future__ import annotations

import re

from jinja2 import Environment, TemplateSyntaxError, nodes

from engine.mail.message.flaws import TemplateFlaw
from engine.mail.message.misspelt import in_our_words

MAX_SOURCE = 200_000
"""Characters of a template."""
MAX_NODES = 5_000
MAX_DEPTH = 60

ALLOWED = 'a message may have variables ({{ first_name }}), filters ({{ first_name | default("there") }}) and {% if … %}'
_SYMBOLS: dict[type[nodes.Node], str] = {
    nodes.For: "{% for %}",
    nodes.Assign: "{% set %}",
    nodes.AssignBlock: "{% set %}",
    nodes.Macro: "{% macro %}",
    nodes.CallBlock: "{% call %}",
    nodes.FilterBlock: "{% filter %}",
    nodes.With: "{% with %}",
    nodes.Block: "{% block %}",
    nodes.Extends: "{% extends %}",
    nodes.Include: "{% include %}",
    nodes.Import: "{% import %}",
    nodes.FromImport: "{% import %}",
    nodes.Scope: "{% autoescape %}",
    nodes.Call: "a call with ( )",
    nodes.Concat: "~",
    nodes.Slice: "a slice [ : ]",
    nodes.Dict: "{ }",
}
# It only parses: no template is ever compiled or run by Jinja, so that its reach into Python objects does not exist here.
_grammar = Environment(trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, autoescape=False)


def parse(source: str) -> list[nodes.Node]:
    """The statements of a template.

    Raises:
        TemplateFlaw: too long, too deep, or no template.
    """
    if len(source) > MAX_SOURCE:
        raise TemplateFlaw(f"The template has more than {MAX_SOURCE:,} characters")
    if re.search("[\0\ud800-\udfff]", source):
        raise TemplateFlaw("The template has characters that no message can carry (NUL, or half of a character)")
    try:
        tree = _grammar.parse(source)
    except TemplateSyntaxError as error:
        raise flaw(error.lineno, in_our_words(error.message or "")) from None
    except RecursionError:
        raise TemplateFlaw("The template is nested too deeply") from None
    except (ValueError, ArithmeticError, MemoryError, Warning):
        raise TemplateFlaw("The template has a number or a text that can't be read") from None
    _check_size(tree)
    return tree.body


def flaw(line: int, message: str) -> TemplateFlaw:
    """The flaw with its line in front."""
    return TemplateFlaw(f"Line {line}: {message}")


def refused(node: nodes.Node) -> TemplateFlaw:
    """What to say about a part that no message may have."""
    symbol = _SYMBOLS.get(type(node)) or ("arithmetic" if isinstance(node, nodes.BinExpr | nodes.UnaryExpr) else "this")
    line = next((each.lineno for each in (node, *node.find_all(nodes.Node)) if each.lineno), 1)
    return flaw(line, f"{symbol} is not possible here; {ALLOWED}")


def _check_size(tree: nodes.Node) -> None:
    """Bounds the recursion over the tree, and the work of one rendering."""
    level, seen = [tree], 0
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in node.iter_child_nodes()]
        seen += len(level)
        if seen > MAX_NODES:
            raise TemplateFlaw(f"The template has too many parts; {MAX_NODES:,} variables, filters and texts are possible")
        if not level:
            return
    raise TemplateFlaw("The template is nested too deeply")
