"""Lists as one bound parameter, whatever their length: SQLite and PostgreSQL both take JSON apart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Literal

from sqlalchemy import TextClause, text
from sqlalchemy.dialects import postgresql, sqlite

from engine.durable.clock import now_ms

Kind = Literal["TEXT", "BIGINT", "JSON"]
encode = partial(json.dumps, ensure_ascii=False, separators=(",", ":"))
"""A list as the parameter `:rows` of a `Statement`."""


class Statement:
    """SQL over the elements of the JSON array `:rows`, written once for both databases.

    `{rows}` stands for a table of the elements, to be used in FROM; `{row}` for an element that is a text; `{0}`, `{1}` …
    for the members, of these kinds, of an element that is an array; `{now}` for the database's clock in milliseconds.
    """

    def __init__(self, sql: str, kinds: Sequence[Kind] = ()) -> None:
        self._sqlite = text(sql.format(*map(_member_sqlite, range(len(kinds))), **_SQLITE))
        self._postgresql = text(sql.format(*map(_member_postgresql, range(len(kinds)), kinds), **_POSTGRESQL))

    def on(self, is_sqlite: bool) -> TextClause:
        """The statement for that database."""
        return self._sqlite if is_sqlite else self._postgresql


def _member_sqlite(index: int) -> str:
    return f"json_extract(item.value, '$[{index}]')"


def _member_postgresql(index: int, kind: Kind) -> str:
    return f"item.value->{index}" if kind == "JSON" else f"CAST(item.value->>{index} AS {kind})"


_SQLITE = {
    "rows": "json_each(:rows) AS item",
    "row": "item.value",
    "now": str(now_ms().compile(dialect=sqlite.dialect())),
}
_POSTGRESQL = {
    "rows": "json_array_elements(CAST(:rows AS json)) AS item(value)",
    "row": "(item.value #>> '{}')",
    "now": str(now_ms().compile(dialect=postgresql.dialect())),
}
