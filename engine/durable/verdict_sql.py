"""A list as one bound parameter, whatever its length: SQLite and PostgreSQL both take JSON apart."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.dialects import postgresql, sqlite

from engine.durable.clock import now_ms

encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""Plain values as JSON text."""


class Statement:
    """SQL written once for both databases.

    In it, `{list}` stands for a table to be used in FROM, with the texts of the JSON array `:list` in `item.value`;
    `{pairs}` for one with the members of the JSON object `:pairs` in `item.key` and `item.value`; `{rows}` for one with what
    `parameters` was given, in columns of `item` with these names and types; `{now}` for the database's clock in milliseconds.
    `{array}(a, {json}(b)))` gives all rows as one JSON array of arrays; `{json}` marks what is JSON already. `{synthetic}` says
    whether the `data` of a row of `verified_email`, called `v`, marks a made-up address.
    """

    def __init__(self, sql: str, columns: Mapping[str, str] | None = None) -> None:
        columns = columns or {}
        bound = ", ".join(f":{name} AS {name}" for name in columns)
        typed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        self._sqlite = text(sql.format(**_SQLITE, rows=f"(SELECT {bound}) AS item"))
        self._postgresql = text(sql.format(**_POSTGRESQL, rows=f"json_to_recordset(CAST(:rows AS json)) AS item({typed})"))

    def on(self, is_sqlite: bool) -> TextClause:
        """The statement for that database."""
        return self._sqlite if is_sqlite else self._postgresql


def parameters(rows: Sequence[dict[str, Any]], is_sqlite: bool, unique: str) -> Sequence[dict[str, Any]]:
    """What a statement with `{rows}` is executed with.

    PostgreSQL gets them all at once, in a third of the time that one by one takes, in as many parts as a value of the column
    `unique` occurs: one statement may touch a row only once. SQLite takes rows faster than it takes JSON apart.
    """
    if is_sqlite:
        return rows
    parts: list[list[dict[str, Any]]] = []
    seen: dict[Hashable, int] = {}
    for row in rows:
        number = seen[row[unique]] = seen.get(row[unique], -1) + 1
        if number == len(parts):
            parts.append([])
        parts[number].append(row)
    return [{"rows": encode(part)} for part in parts]


_SQLITE = {
    "list": "json_each(:list) AS item",
    "pairs": "json_each(:pairs) AS item",
    "now": str(now_ms().compile(dialect=sqlite.dialect())),
    "array": "SELECT json_group_array(json_array",
    "json": "json",
    "synthetic": "json_extract(v.data, '$.synthetic') = 1",
}
_POSTGRESQL = {
    "list": "json_array_elements_text(CAST(:list AS json)) AS item(value)",
    "pairs": "json_each_text(CAST(:pairs AS json)) AS item",
    "now": str(now_ms().compile(dialect=postgresql.dialect())),  # type: ignore[no-untyped-call]
    "array": "SELECT json_agg(json_build_array",
    "json": "",
    "synthetic": "v.data ->> 'synthetic' = 'true'",
}
