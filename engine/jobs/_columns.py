"""Which column of a list a job works on: the one that was named, or the likeliest one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from engine.durable.contract import Source
from engine.errors import InvalidInput

Sample = Mapping[str, Sequence[object]]
"""Some values of each column."""


def chosen_column(
    source: Source, named: str | None, find: Callable[[Sequence[str], Sample], str | None], items: str, holds: str, expected: str
) -> str:
    """The column of a list that holds what is wanted; `find` looks for it where none was named.

    `items` is the parameter that such a list may come in; `holds` and `expected` say what is wanted, for the error.

    Raises:
        InvalidInput: there is no such column.
    """
    names = source.schema.names
    if named is not None:
        if named not in names:
            raise InvalidInput.of("column", f"is not a column of the list; it has {listed(names)}")
        return named
    found = find(names, sample_of(source))
    if found is None:
        where = "column" if len(names) > 1 else items
        problem = f"no column holds {holds}: found {listed(names)}; expected {expected}; name it as column"
        raise InvalidInput.of(where, problem)
    return found


def sample_of(source: Source) -> Sample:
    """The first values of each column."""
    head = source.head
    return {} if head is None else {name: head[name].to_pylist() for name in source.schema.names}


def listed(names: Sequence[str]) -> str:
    """Columns for a message, not too many of them."""
    shown = ", ".join(names[:8])
    return f"the columns {shown} and {len(names) - 8} more" if len(names) > 8 else f"the columns {shown}"
