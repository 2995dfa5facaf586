"""Templates: a message with places for a row's values. Jinja's syntax, restricted to variables, filters and `if`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from jinja2 import nodes
from markupsafe import Markup, escape

from engine.mail.message.expressions import Expression, Found, expression
from engine.mail.message.flaws import RowFlaw
from engine.mail.message.grammar import parse, refused
from engine.mail.message.guards import names_of, required_of
from engine.mail.message.values import find, shown

MAX_OUTPUT = 500_000
"""Characters of a rendered template."""


class _Output:
    """The text so far, never more than fits."""

    __slots__ = ("parts", "room")

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.room = MAX_OUTPUT

    def write(self, text: str) -> None:
        self.room -= len(text)
        if self.room < 0:
            raise RowFlaw(f"The message would have more than {MAX_OUTPUT:,} characters")
        self.parts.append(text)


_Step = Callable[[Found, _Output], None]


@dataclass(frozen=True)
class Template:
    """A checked template. Equal when its source is."""

    source: str
    html: bool
    names: frozenset[str] = field(compare=False)
    """The variables that it reads."""
    required: frozenset[str] = field(compare=False)
    """The variables that every row must have: shown outside of `if`, and without `default`."""
    _steps: tuple[_Step, ...] = field(compare=False, repr=False)

    @classmethod
    def of(cls, source: str, html: bool = False) -> Template:
        """The template of a source; in HTML every value is escaped.

        Raises:
            TemplateFlaw: it can't be read, or has more than variables, filters and `if`.
        """
        body = parse(source)
        steps = _block(body, html)
        return cls(source, html, names_of(body), required_of(body), steps)

    def __reduce__(self) -> tuple[Callable[[str, bool], Template], tuple[str, bool]]:
        return Template.of, (self.source, self.html)

    def render(self, values: Mapping[str, object]) -> str:
        """The message for a row. A variable is a column of that name, or one that is written so (`First Name`: first_name).

        Raises:
            RowFlaw: a variable that is shown has no value, a filter can't use its value, or the message is too long.
        """
        found = {name: find(values, name) for name in self.names}
        output = _Output()
        for step in self._steps:
            step(found, output)
        return "".join(output.parts)


def _block(body: Sequence[nodes.Node], html: bool) -> tuple[_Step, ...]:
    steps: list[_Step] = []
    for node in body:
        if isinstance(node, nodes.Output):
            steps.extend(_text(part.data) if isinstance(part, nodes.TemplateData) else _value(part, html) for part in node.nodes)
        elif isinstance(node, nodes.If):
            steps.append(_if(node, html))
        else:
            raise refused(node)
    return tuple(steps)


def _text(text: str) -> _Step:
    return lambda found, output: output.write(text)


def _value(node: nodes.Expr, html: bool) -> _Step:
    compute = expression(node)

    def plain(found: Found, output: _Output) -> None:
        value = compute(found)
        output.write(str.__str__(value) if isinstance(value, Markup) else shown(value))

    def escaped(found: Found, output: _Output) -> None:
        value = compute(found)
        output.write(str.__str__(value if isinstance(value, Markup) else escape(shown(value))))

    return escaped if html else plain


def _if(node: nodes.If, html: bool) -> _Step:
    branches: list[tuple[Expression, tuple[_Step, ...]]] = [
        (expression(branch.test), _block(branch.body, html)) for branch in (node, *node.elif_)
    ]
    otherwise = _block(node.else_, html)

    def choose(found: Found, output: _Output) -> None:
        chosen = next((steps for test, steps in branches if test(found)), otherwise)
        for step in chosen:
            step(found, output)

    return choose
