"""The database's clock: leases and timestamps must agree between machines, so only one clock counts.

Moments are stored as integers, milliseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


class now_ms(GenericFunction[int]):  # noqa: N801 - reads as the SQL function it is
    """The database's current time in milliseconds."""

    type = BigInteger()
    inherit_cache = True


@compiles(now_ms, "sqlite")
def _sqlite(element: now_ms, compiler: Any, **kw: Any) -> str:
    # unixepoch('subsec') is NULL before SQLite 3.42; julianday has millisecond precision everywhere.
    return "CAST((julianday('now') - 2440587.5) * 86400000.0 + 0.5 AS INTEGER)"


@compiles(now_ms, "postgresql")
def _postgresql(element: now_ms, compiler: Any, **kw: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"


def to_ms(moment: datetime) -> int:
    """Milliseconds of an aware moment."""
    return round(moment.timestamp() * 1000)


def from_ms(ms: int) -> datetime:
    """The aware UTC moment of a millisecond count."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def iso(ms: int | None) -> str | None:
    """ISO 8601 with milliseconds and `Z`, or None."""
    return None if ms is None else from_ms(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")
