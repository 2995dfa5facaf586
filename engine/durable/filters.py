"""Row filters of result tables: `column:value` is equality, `column~text` contains; several are joined by `and`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from engine.errors import InvalidInput

_TERM = re.compile(r"\s*([A-Za-z_][\w.\- ]*?)\s*([:~])(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Term:
    """One condition on one column."""

    column: str
    operator: Literal[":", "~"]
    value: str

    def mask(self, table: pa.Table) -> pa.ChunkedArray:
        """True where a row fits. An empty value with `:` means an empty cell."""
        if self.column not in table.column_names:
            raise InvalidInput.of("where", f"there is no such column; columns are {', '.join(table.column_names)}")
        text = _text(table.column(self.column))
        if self.operator == "~":
            return pc.fill_null(pc.match_substring(text, self.value, ignore_case=True), False)
        return pc.equal(pc.fill_null(text, ""), self.value)


@dataclass(frozen=True, slots=True)
class Where:
    """A filter over rows; empty lets everything through."""

    terms: tuple[Term, ...] = ()

    @classmethod
    def parse(cls, text: str | None) -> Where:
        """Read `status:valid` or `status:valid and email~smith`.

        Raises:
            InvalidInput: the text is not of that form.
        """
        if not text:
            return cls()
        matches = [_TERM.fullmatch(part) for part in text.split(" and ")]
        if not all(matches):
            raise InvalidInput.of("where", "must look like column:value or column~text, several joined by ' and '")
        return cls(tuple(Term(m[1], m[2], m[3].strip()) for m in matches if m))  # type: ignore[arg-type]

    def apply(self, table: pa.Table) -> pa.Table:
        """The rows that fit, in order."""
        for term in self.terms:
            table = table.filter(term.mask(table))
        return table


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return column.cast(kind.value_type).cast(pa.string())
    if pa.types.is_nested(kind):
        flat = [None if value is None else str(value) for value in column.to_pylist()]
        return pa.chunked_array([pa.array(flat, pa.string())])
    return column.cast(pa.string())
