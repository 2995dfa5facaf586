"""A list as one bound parameter, whatever its length: SQLite and PostgreSQL both take JSON apart."""

from __future__ import annotations

import json
from functools import partial

from sqlalchemy import TextClause, text
from sqlalchemy.dialects import postgresql, sqlite

from engine.durable.clock import now_ms

encode = partial(json.dumps, ensure_ascii=False, separators=(",", ":"))
"""Plain values as JSON text."""


class Statement:
    """SQL written once for both databases.

    In it, `{list}` stands for a table to be used in FROM, with the texts of the JSON array `:list` in `item.value`;
    `{pairs}` for one with the members of the JSON object `:pairs` in `item.key` and `item.value`; `{now}` for the
    database's clock in milliseconds.
    """

    def __init__(self, sql: str) -> None:
        self._sqlite = text(sql.format(**_SQLITE))
        self._postgresql = text(sql.format(**_POSTGRESQL))

    def on(self, is_sqlite: bool) -> TextClause:
        """The statement for that database."""
        return self._sqlite if is_sqlite else self._postgresql


_SQLITE = {
    "list": "json_each(:list) AS item",
    "pairs": "json_each(:pairs) AS item",
    "now": str(now_ms().compile(dialect=sqlite.dialect())),
}
_POSTGRESQL = {
    "list": "json_array_elements_text(CAST(:list AS json)) AS item(value)",
    "pairs": "json_each_text(CAST(:pairs AS json)) AS item",
    "now": str(now_ms().compile(dialect=postgresql.dialect())),  # type: ignore[no-untyped-call]
}
